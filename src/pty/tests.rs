//! Real terminals with the tiny programs of `fixtures/peers/` in them.

use std::fs;
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Child, Command, Ended, Master, Pty, SpawnError, TerminalFlags};

mod bash;

/// No test needs as long as this on any machine that is alive.
const DEADLINE: Duration = Duration::from_secs(30);

fn flags() -> TerminalFlags {
    TerminalFlags {
        columns: 240,
        rows: 50,
        echo: false,
        canonical: false,
        map_cr_to_lf: false,
        signals: true,
        flush_on_signal: false,
    }
}

fn peer(name: &str) -> String {
    format!("{}/fixtures/peers/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let path = std::env::var_os("PATH").expect("the tests have a PATH");
    Command {
        program: program.to_owned(),
        arguments: arguments.iter().map(Into::into).collect(),
        environment: vec![
            ("PATH".to_owned(), path),
            ("LC_ALL".to_owned(), "C.UTF-8".into()),
        ],
        directory: PathBuf::from("/"),
        terminal: flags(),
    }
}

fn spawn(program: &str, arguments: &[&str]) -> (Master, Child) {
    Pty::spawn(&command(program, arguments)).expect("it starts")
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what)
        .await
        .expect("it happens in time")
}

/// Everything up to the end.
async fn drain(master: &Master) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut buffer = vec![0; 65536];
    loop {
        match in_time(master.read(&mut buffer)).await.expect("it reads") {
            0 => return seen,
            count => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Everything up to a text, and at most one read more.
async fn until(master: &Master, text: &str) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = in_time(master.read(&mut buffer)).await.expect("it reads");
        seen.extend_from_slice(&buffer[..count]);
        let so_far = String::from_utf8_lossy(&seen).into_owned();
        if so_far.contains(text) {
            return so_far;
        }
        assert_ne!(count, 0, "ended without {text:?}: {so_far:?}");
    }
}

async fn write_all(master: &Master, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let count = in_time(master.write(bytes)).await.expect("it writes");
        bytes = &bytes[count..];
    }
}

async fn code(child: &mut Child) -> u32 {
    match in_time(child.wait()).await.expect("it can be waited for") {
        Ended::With(status) => {
            assert_eq!(status.signal(), None);
            status.exit_code()
        }
        Ended::Unknown => panic!("a child of ours has a status"),
    }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// The letter that ps shows; nothing for a process that is gone.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// This process's open terminals.
fn open_masters() -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").expect("Linux");
    descriptors
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| target.to_string_lossy().contains("ptmx"))
        .count()
}

fn script(directory: &Path, name: &str, text: &str, mode: u32) -> String {
    let path = directory.join(name);
    fs::write(&path, text).expect("a new file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
    path.to_str()
        .expect("a temp dir has a plain name")
        .to_owned()
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let root = tempfile::tempdir().expect("a temp dir");
    let fails = |program: &str| match Pty::spawn(&command(program, &[])) {
        Ok(_) => panic!("`{program}` started"),
        Err(error) => error,
    };
    assert!(matches!(
        fails("no-such-program-here"),
        SpawnError::NotFound {
            searched: Some(_),
            ..
        }
    ));
    assert!(matches!(
        fails("/no/such/program"),
        SpawnError::NotFound { searched: None, .. }
    ));
    assert!(matches!(fails("/"), SpawnError::IsDirectory(_)));
    let plain = script(root.path(), "plain", "#!/bin/sh\n", 0o644);
    assert!(matches!(fails(&plain), SpawnError::NotExecutable(_)));
    let lost = script(root.path(), "lost", "#!/no/such/interpreter\n", 0o755);
    let error = fails(&lost);
    assert!(matches!(error, SpawnError::Interpreter { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("the interpreter of `{lost}` cannot be executed")
    );
    assert!(error.help().is_some());
    let windows = script(root.path(), "windows", "#!/bin/sh\r\necho\r\n", 0o755);
    assert!(matches!(fails(&windows), SpawnError::Interpreter { .. }));
    let text = script(root.path(), "text", "no program\n", 0o755);
    assert!(matches!(fails(&text), SpawnError::NotAProgram { .. }));

    let mut command = command("sh", &[]);
    command.directory = root.path().join("nowhere");
    assert!(matches!(
        Pty::spawn(&command),
        Err(SpawnError::Directory { .. })
    ));
    command.directory = root.path().join("text");
    assert!(matches!(
        Pty::spawn(&command),
        Err(SpawnError::Directory { .. })
    ));
    command.directory = root.path().to_owned();
    command.arguments = vec!["-c".into(), "a\0b".into()];
    assert!(matches!(
        Pty::spawn(&command),
        Err(SpawnError::Malformed(_))
    ));
    command.arguments = vec!["-c".into(), "x".repeat(300_000).into()];
    assert!(matches!(
        Pty::spawn(&command),
        Err(SpawnError::Start { .. })
    ));
    command.arguments.clear();
    command.environment.push(("A=B".to_owned(), "c".into()));
    assert!(matches!(
        Pty::spawn(&command),
        Err(SpawnError::Malformed(_))
    ));
    command.environment = vec![("PATH".to_owned(), "/no:/where".into())];
    assert!(matches!(
        Pty::spawn(&command),
        Err(SpawnError::NotFound { .. })
    ));
}

#[test]
fn a_shortage_is_told_from_a_fault() {
    let terminal = |errno| SpawnError::terminal(std::io::Error::from_raw_os_error(errno));
    assert!(matches!(
        terminal(libc::ENOSPC),
        SpawnError::OutOfTerminals(_)
    ));
    assert!(matches!(
        terminal(libc::EMFILE),
        SpawnError::OutOfDescriptors(_)
    ));
    assert!(matches!(
        terminal(libc::ENFILE),
        SpawnError::OutOfDescriptors(_)
    ));
    assert!(matches!(terminal(libc::EACCES), SpawnError::Terminal(_)));
    let start = |errno| SpawnError::start("/x".into(), std::io::Error::from_raw_os_error(errno));
    assert!(matches!(start(libc::EAGAIN), SpawnError::OutOfProcesses(_)));
    assert!(matches!(
        start(libc::EMFILE),
        SpawnError::OutOfDescriptors(_)
    ));
}

#[tokio::test]
async fn the_terminal_is_as_it_was_asked_for() {
    let settings = async |flags: &TerminalFlags| {
        let mut command = command("stty", &["-a"]);
        command.terminal = flags.clone();
        let (master, mut child) = Pty::spawn(&command).expect("it starts");
        let text = String::from_utf8(drain(&master).await).expect("stty speaks ASCII");
        assert_eq!(code(&mut child).await, 0);
        text.split_whitespace()
            .map(|word| word.trim_end_matches(';').to_owned())
            .collect::<Vec<_>>()
    };
    let off = settings(&flags()).await;
    for word in [
        "-echo", "-echoe", "-echok", "-echonl", "-echoctl", "-echoke", "-icanon", "-icrnl", "isig",
        "noflsh", "opost", "onlcr", "50", "240",
    ] {
        assert!(off.iter().any(|seen| seen == word), "{word} in {off:?}");
    }
    let on = settings(&TerminalFlags {
        columns: 80,
        rows: 24,
        echo: true,
        canonical: true,
        map_cr_to_lf: true,
        signals: false,
        flush_on_signal: true,
    })
    .await;
    for word in [
        "echo", "icanon", "icrnl", "-isig", "-noflsh", "opost", "onlcr", "24", "80",
    ] {
        assert!(on.iter().any(|seen| seen == word), "{word} in {on:?}");
    }
}

async fn until_end(master: &Master) -> String {
    String::from_utf8_lossy(&drain(master).await).into_owned()
}

#[tokio::test]
async fn a_child_inherits_nothing() {
    // A descriptor without CLOEXEC, as a careless starter of ours would leave it.
    let careless =
        rustix::io::dup(fs::File::open("/dev/null").expect("it is there")).expect("a copy");
    let mut command = command(
        "sh",
        &[
            "-c",
            "ls /proc/self/fd | tr '\\n' ' '; env | sort | tr '\\n' ' '; pwd; cat /proc/self/status | grep -E 'Sig(Ign|Blk)'; tty; ps -o sid=,pgid=,tpgid= -p $$; echo $$",
        ],
    );
    command.environment.push(("ONLY".to_owned(), "this".into()));
    command.directory = PathBuf::from("/usr");
    let (master, mut child) = Pty::spawn(&command).expect("it starts");
    let text = until_end(&master).await;
    drop(careless);
    assert_eq!(code(&mut child).await, 0);
    // 3 is `ls` looking.
    assert!(text.starts_with("0 1 2 3 "), "{text}");
    let variables: Vec<&str> = text
        .lines()
        .next()
        .expect("a line")
        .split(' ')
        .filter(|word| word.contains('='))
        .collect();
    for variable in &variables {
        assert!(
            [
                "PATH=",
                "LC_ALL=",
                "ONLY=this",
                "PWD=",
                "_=",
                "OLDPWD=",
                "SHLVL="
            ]
            .iter()
            .any(|name| variable.starts_with(name)),
            "{variables:?}"
        );
    }
    assert!(text.contains("/usr\r\n"), "{text}");
    for line in text.lines().filter(|line| line.starts_with("Sig")) {
        let set = line
            .split_whitespace()
            .last()
            .and_then(|set| u64::from_str_radix(set, 16).ok());
        // 32 and 33 are glibc's own; its `posix_spawn` ignores them in the child.
        assert_eq!(set.expect("hexadecimal") & !(3 << 31), 0, "{line}");
    }
    assert!(text.contains("/dev/pts/"), "{text}");
    let id = child.id().to_string();
    let ids = text.lines().rev().nth(1).expect("the line of ps");
    assert!(ids.split_whitespace().all(|number| number == id), "{text}");
}

#[tokio::test]
async fn a_child_may_end_before_its_terminal() {
    let root = tempfile::tempdir().expect("a temp dir");
    let file = root.path().join("go");
    let (master, mut child) = spawn(&peer("outlived.sh"), &[file.to_str().expect("plain")]);
    until(&master, "early\r\n").await;
    assert_eq!(code(&mut child).await, 7);
    assert_eq!(code(&mut child).await, 7);
    // Kept in the process table so that its id stays its own.
    assert_eq!(state(child.id()), Some('Z'));
    fs::write(&file, "").expect("a new file");
    assert_eq!(until_end(&master).await, "late\r\n");
    assert_eq!(code(&mut child).await, 7);
    let id = child.id();
    drop(child);
    assert_eq!(state(id), None);
}

#[tokio::test]
async fn a_terminal_may_end_before_its_child() {
    let root = tempfile::tempdir().expect("a temp dir");
    let file = root.path().join("go");
    for signals in [false, true] {
        let (master, mut child) = spawn(&peer("lets-go.sh"), &[file.to_str().expect("plain")]);
        if signals {
            child = child.watched_by_signals();
        }
        assert_eq!(until_end(&master).await, "bye\r\n");
        // Given up and asked again: nothing is lost.
        assert!(
            tokio::time::timeout(Duration::from_millis(1), child.wait())
                .await
                .is_err()
        );
        fs::write(&file, "").expect("a new file");
        assert_eq!(code(&mut child).await, 3);
        fs::remove_file(&file).expect("it is there");
    }
}

#[tokio::test]
async fn the_leftovers_of_an_ended_child_can_be_killed() {
    let root = tempfile::tempdir().expect("a temp dir");
    let file = root.path().join("never");
    let (master, mut child) = spawn(&peer("outlived.sh"), &[file.to_str().expect("plain")]);
    assert_eq!(code(&mut child).await, 7);
    child.hang_up_group(&master).expect("it may be signalled");
    child.kill_group(&master).expect("it may be signalled");
    assert_eq!(until_end(&master).await, "early\r\n");
}

#[tokio::test]
async fn a_deaf_child_is_killed() {
    let (master, mut child) = spawn(&peer("deaf.sh"), &[]);
    until(&master, "deaf\r\n").await;
    child.hang_up_group(&master).expect("it may be signalled");
    write_all(&master, b"\x03").await;
    assert!(
        tokio::time::timeout(Duration::from_millis(100), child.wait())
            .await
            .is_err()
    );
    child.kill_group(&master).expect("it may be signalled");
    match in_time(child.wait()).await.expect("it ends") {
        Ended::With(status) => assert_eq!(status.signal(), Some("Killed")),
        Ended::Unknown => panic!("a child of ours has a status"),
    }
    drain(&master).await;
}

#[tokio::test]
async fn a_job_in_the_foreground_is_killed_with_its_shell() {
    let (master, mut child) = spawn(&peer("jobs.sh"), &[]);
    let text = until(&master, "\r\n").await;
    let job: u32 = text
        .trim()
        .rsplit(' ')
        .next()
        .and_then(|id| id.parse().ok())
        .expect("the job says its id");
    assert_ne!(job, child.id());
    child.kill_group(&master).expect("it may be signalled");
    in_time(child.wait()).await.expect("it ends");
    eventually("the job is gone", || {
        state(job).is_none_or(|state| state == 'Z')
    })
    .await;
    drain(&master).await;
}

#[tokio::test]
async fn dropping_a_running_child_ends_it_without_waiting() {
    for name in ["deaf.sh", "interrupted.sh"] {
        let (master, child) = spawn(&peer(name), &[]);
        until(&master, "\r\n").await;
        let id = child.id();
        let before = std::time::Instant::now();
        drop(child);
        assert!(before.elapsed() < Duration::from_millis(500));
        eventually("it is gone", || state(id).is_none()).await;
    }
}

#[tokio::test]
async fn dropping_the_master_hangs_up_and_types_nothing() {
    let root = tempfile::tempdir().expect("a temp dir");
    let file = root.path().join("seen");
    let (master, mut child) = spawn(
        "sh",
        &[
            "-c",
            // What is typed is seen, with a line end or without; a hang-up ends the read with nothing, at times before the trap.
            "trap 'exit 9' HUP; echo ready; if IFS= read -r line || [ -n \"$line\" ]; then echo \"[$line]\" >\"$0\"; fi; exit 1",
            file.to_str().expect("plain"),
        ],
    );
    until(&master, "ready\r\n").await;
    write_all(&master, b"half a line").await;
    drop(master);
    assert_eq!(code(&mut child).await, 9);
    assert!(!file.exists());
}

#[tokio::test]
async fn nothing_is_lost_when_a_fast_child_ends() {
    let text = "for i in range(20000): print('%06d' % i, 'x' * 44)";
    for _ in 0..5 {
        let (master, mut child) = spawn("python3", &["-c", text]);
        assert_eq!(
            code_after_output(&master, &mut child).await,
            (0, 20_000 * 53)
        );
    }
}

/// Reads and waits at once, as a session does.
async fn code_after_output(master: &Master, child: &mut Child) -> (u32, usize) {
    let (output, code) = tokio::join!(drain(master), code(child));
    for (at, line) in output.chunks(53).enumerate() {
        assert!(
            line.starts_with(format!("{at:06} x").as_bytes()) && line.ends_with(b"x\r\n"),
            "line {at}"
        );
    }
    (code, output.len())
}

#[tokio::test]
async fn the_interrupt_byte_is_a_signal() {
    let (master, mut child) = spawn(&peer("interrupted.sh"), &[]);
    until(&master, "waiting\r\n").await;
    write_all(&master, b"\x03").await;
    assert_eq!(until_end(&master).await, "interrupted\r\n");
    assert_eq!(code(&mut child).await, 4);
}

#[tokio::test]
async fn a_big_input_arrives_whole_at_a_slow_reader() {
    let input: Vec<u8> = (0..1_000_000_u32)
        .map(|at| b'a' + u8::try_from(at % 26).expect("below 26"))
        .collect();
    let sum: u64 = input.iter().map(|&byte| u64::from(byte)).sum();
    let (master, mut child) = spawn(&peer("count.py"), &[&input.len().to_string()]);
    until(&master, "ready\r\n").await;
    // Reading and writing in one loop, each given up whenever the other goes first.
    let mut rest = &input[..];
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    let talk = async {
        loop {
            tokio::select! {
                count = master.read(&mut buffer) => match count.expect("it reads") {
                    0 => break,
                    count => seen.extend_from_slice(&buffer[..count]),
                },
                count = master.write(rest), if !rest.is_empty() => rest = &rest[count.expect("it writes")..],
            }
        }
    };
    in_time(talk).await;
    assert_eq!(
        String::from_utf8_lossy(&seen),
        format!("{} {sum}\r\n", input.len())
    );
    assert_eq!(code(&mut child).await, 0);
}

#[tokio::test]
async fn input_that_nobody_can_read_any_more_is_refused() {
    let (master, mut child) = spawn(&peer("deaf.sh"), &[]);
    until(&master, "deaf\r\n").await;
    let input = [b'a'; 8192];
    let fill = async { while master.write(&input).await.is_ok() {} };
    // It never reads: what stops this is a full terminal.
    assert!(
        tokio::time::timeout(Duration::from_millis(100), fill)
            .await
            .is_err()
    );
    child.kill_group(&master).expect("it may be signalled");
    in_time(child.wait()).await.expect("it ends");
    let refused = async {
        loop {
            if let Err(error) = master.write(&input).await {
                return error;
            }
        }
    };
    let error = in_time(refused).await;
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn two_hundred_starts_leave_nothing() {
    // Other tests open terminals at the same time, so these are counted by hand.
    let mut ids = Vec::new();
    let mut highest = 0;
    for _ in 0..200 {
        let (master, mut child) = spawn("true", &[]);
        assert_eq!(drain(&master).await, b"");
        assert_eq!(code(&mut child).await, 0);
        ids.push(child.id());
        highest = highest.max(std::os::fd::AsRawFd::as_raw_fd(&std::os::fd::AsFd::as_fd(
            &master,
        )));
    }
    assert!(ids.iter().all(|&id| state(id) != Some('Z')));
    assert!(highest < 200, "descriptor {highest}: they are not closed");
    eventually("the terminals of all tests are closed", || {
        open_masters() < 60
    })
    .await;
}
