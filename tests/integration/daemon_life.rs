//! The daemon's life: started once, found by everybody, ended on purpose or by force.

use std::process::{Command, Stdio};

use crate::support::{TestDaemon, is_gone, wait_for};

#[test]
fn without_a_daemon_nothing_is_signed_in() {
    let daemon = TestDaemon::new();
    let status = daemon.run(&["status"]);
    assert_eq!(status.code, 0, "{status:?}");
    assert_eq!(
        status.stdout,
        "no daemon is running, so nothing is signed in\n"
    );
    let status = daemon.run(&["status", "--json"]);
    assert_eq!(status.stdout, "{\"daemon\":null,\"sessions\":[]}\n");
    let status = daemon.run(&["daemon", "status"]);
    assert_eq!(status.code, 8, "{status:?}");
    assert!(status.stderr.contains("mm daemon start"), "{status:?}");
    let stop = daemon.run(&["daemon", "stop"]);
    assert_eq!(
        (stop.code, stop.stdout.as_str()),
        (0, "no daemon is running\n")
    );
    assert!(
        !daemon.path("state").exists(),
        "looking leaves nothing behind"
    );
}

#[test]
fn a_daemon_that_cannot_start_says_why() {
    let daemon = TestDaemon::new();
    std::fs::create_dir(daemon.path("run")).expect("the folder can be written");
    std::fs::write(daemon.socket(), "no socket").expect("the folder can be written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(daemon.path("run"), mode).expect("the folder is ours");
    let start = daemon.run(&["daemon", "start"]);
    assert_eq!(start.code, 8, "{start:?}");
    assert!(start.stderr.contains("is not a socket"), "{start:?}");
    assert!(start.stderr.contains("daemon.log"), "{start:?}");
}

#[test]
fn many_clients_start_one_daemon() {
    let daemon = TestDaemon::new();
    let clients: Vec<_> = (0..10)
        .map(|_| {
            daemon
                .mm(&["daemon", "start"])
                .stdout(Stdio::piped())
                .spawn()
                .expect("mm was built")
        })
        .collect();
    let mut said: Vec<String> = clients
        .into_iter()
        .map(|client| {
            let output = client.wait_with_output().expect("it is our child");
            String::from_utf8(output.stdout).expect("it is UTF-8")
        })
        .collect();
    said.dedup();
    let pid = daemon.pid().expect("it wrote its lock file");
    assert_eq!(said, [format!("the daemon is running (pid {pid})\n")]);
}

#[test]
fn the_daemon_leaves_its_starters_session() {
    let daemon = TestDaemon::new();
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    let pid = daemon.pid().expect("it wrote its lock file");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .expect("it has fields")
        .split(' ')
        .collect();
    // state, ppid, pgrp, session, tty_nr (proc(5))
    assert_eq!(fields[3], pid.to_string());
    assert_eq!(fields[4], "0");
    let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).expect("it lives");
    assert_eq!(cwd.as_os_str(), "/");
}

#[test]
fn stopping_with_sign_ins_needs_force() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let refused = daemon.run(&["daemon", "stop"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("Contoso/exo"), "{refused:?}");
    assert!(refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(daemon.session()["account"], "ada@contoso.com");
    let stopped = daemon.run(&["daemon", "stop", "--force"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    assert!(!daemon.socket().exists());
    assert_eq!(daemon.run(&["daemon", "status"]).code, 8);
}

#[test]
fn disconnecting_ends_the_session_only() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let gone = daemon.run(&["logout", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(
        (gone.code, gone.stdout.as_str()),
        (0, "Contoso/exo is signed out\n")
    );
    assert_eq!(daemon.run(&["daemon", "status"]).code, 0);
    daemon.sign_in();
}

#[test]
fn a_killed_daemon_is_told_and_replaced() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let client = daemon
        .mm(&["run", "-c", "Contoso", "-m", "exo", "Start-Sleep 60"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mm was built");
    daemon.wait_for_run("running");
    let pid = daemon.pid().expect("it wrote its lock file");
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.expect("there is a kill").success());
    let output = client.wait_with_output().expect("it is our child");
    assert_eq!(output.status.code(), Some(8));
    let said = String::from_utf8(output.stderr).expect("it is UTF-8");
    assert!(said.contains("the daemon went away"), "{said}");
    // Its threads end one by one, and the last one closes its socket.
    wait_for("the daemon's end", || is_gone(pid).then_some(()));
    daemon.sign_in();
    let old = wait_for("the old run", || {
        let list = daemon.run(&["runs", "list", "--json"]);
        list.stdout
            .contains("Start-Sleep 60")
            .then_some(list.stdout)
    });
    assert!(old.contains("\"lost\""), "{old}");
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(sent.expect("there is a kill").success());
}

#[test]
fn a_terminated_daemon_lets_end_what_runs_and_says_so() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let client = daemon
        .mm(&["run", "-c", "Contoso", "-m", "exo", "Start-Sleep 3; 'done'"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("mm was built");
    let run = daemon.wait_for_run("running");
    let mut queued = daemon.start(&["run", "-c", "Contoso", "-m", "exo", "'never'"]);
    daemon.wait_for_run("queued");
    let pid = daemon.pid().expect("it wrote its lock file");
    signal(pid, "TERM");
    let output = client.wait_with_output().expect("it is our child");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "done\n");
    wait_for("the daemon's end", || is_gone(pid).then_some(()));
    let log = std::fs::read_to_string(daemon.path("state/daemon.log")).expect("it keeps a log");
    let id = run["id"].as_str().expect("it has one");
    let waits = log
        .lines()
        .find(|line| line.contains("waiting for it to end"));
    assert!(waits.is_some_and(|line| line.contains(id)), "{log}");
    let database = rusqlite::Connection::open(daemon.path("state/mm.db")).expect("it is there");
    let never: String = database
        .query_row(
            "SELECT reason FROM runs WHERE command LIKE '%never%'",
            [],
            |row| row.get(0),
        )
        .expect("its end was written");
    assert!(never.contains("the daemon stops"), "{never}");
    assert!(!queued.wait().expect("it is our child").success());
}

#[test]
fn a_daemon_that_is_terminated_twice_does_not_wait() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut client = daemon.start(&["run", "-c", "Contoso", "-m", "exo", "Start-Sleep 600"]);
    daemon.wait_for_run("running");
    let pid = daemon.pid().expect("it wrote its lock file");
    let program = daemon.session()["pid"].as_u64().expect("it has one");
    signal(pid, "TERM");
    wait_for("a daemon that waits", || {
        let status = daemon.run(&["daemon", "status", "--json"]);
        status.stdout.contains("\"run r").then_some(())
    });
    signal(pid, "TERM");
    wait_for("the daemon's end", || is_gone(pid).then_some(()));
    let program = u32::try_from(program).expect("it is a process id");
    assert!(is_gone(program), "its program went with it");
    assert!(!client.wait().expect("it is our child").success());
}

#[test]
fn a_damaged_database_is_told_and_left_as_it_is() {
    let daemon = TestDaemon::new();
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    assert_eq!(daemon.run(&["daemon", "stop"]).code, 0);
    let database = daemon.path("state/mm.db");
    std::fs::write(&database, [0x55; 8192]).expect("it is ours");
    // What is still in the log would mend it.
    for log in ["state/mm.db-wal", "state/mm.db-shm"] {
        drop(std::fs::remove_file(daemon.path(log)));
    }
    let start = daemon.run(&["daemon", "start"]);
    assert_eq!(start.code, 8, "{start:?}");
    assert!(start.stderr.contains("is damaged"), "{start:?}");
    assert!(start.stderr.contains("mm.db.damaged"), "{start:?}");
    assert_eq!(
        std::fs::read(&database).expect("it is there"),
        [0x55; 8192],
        "nothing of it is lost"
    );
    std::fs::rename(&database, daemon.path("state/mm.db.damaged")).expect("it is ours");
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
}

#[test]
fn a_database_that_another_program_holds_at_the_start_is_told_and_left_alone() {
    let daemon = TestDaemon::new();
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    assert_eq!(daemon.run(&["daemon", "stop"]).code, 0);
    let database = rusqlite::Connection::open(daemon.path("state/mm.db")).expect("it is there");
    database
        .execute_batch("BEGIN EXCLUSIVE")
        .expect("nobody has it");
    let start = daemon.run(&["daemon", "start"]);
    assert_eq!(start.code, 8, "{start:?}");
    assert!(
        start.stderr.contains("in use by another program"),
        "{start:?}"
    );
    assert!(start.stderr.contains("second daemon"), "{start:?}");
    database
        .execute_batch("ROLLBACK")
        .expect("it was begun above");
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
}

#[test]
fn a_database_that_another_program_holds_costs_a_run_and_no_session() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let database = rusqlite::Connection::open(daemon.path("state/mm.db")).expect("it is there");
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("nothing is being written");
    let refused = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("in use by another program"),
        "{refused:?}"
    );
    assert_eq!(daemon.session()["state"], "ready");
    database
        .execute_batch("ROLLBACK")
        .expect("it was begun above");
    assert_eq!(
        daemon
            .run(&["run", "-c", "Contoso", "-m", "exo", "1"])
            .stdout,
        "1\n"
    );
}

#[test]
fn the_daemon_may_open_many_files_and_its_programs_as_many_as_it_was_started_with() {
    let daemon = TestDaemon::new();
    // A soft limit below the hard one, as login shells have it.
    let mut shell = Command::new("sh");
    let started = daemon.mm(&["daemon", "start"]);
    shell
        .args(["-c", "ulimit -S -n 200 && exec \"$0\" \"$@\""])
        .arg(started.get_program())
        .args(started.get_args())
        .env_clear()
        .envs(
            started
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    let start = crate::support::finish(shell, b"");
    assert_eq!(start.code, 0, "{start:?}");
    let soft_limit = |pid: u32| {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("it lives");
        let line = limits.lines().find(|line| line.contains("open files"));
        let mut words = line.expect("files are limited").split_whitespace();
        let soft = words.nth(3).expect("a soft limit").to_owned();
        (soft, words.next().expect("a hard limit").to_owned())
    };
    let pid = daemon.pid().expect("it wrote its lock file");
    let (soft, hard) = soft_limit(pid);
    assert_eq!(soft, hard);
    daemon.sign_in();
    let program = daemon.session()["pid"].as_u64().expect("it has a program");
    let program = u32::try_from(program).expect("a process id");
    assert_eq!(soft_limit(program).0, "200");
}
