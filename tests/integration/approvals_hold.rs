//! What a yes is bound to when something else happens at the same time: another word, the end of its time, of its session,
//! of its daemon, or another policy.

use std::os::unix::net::UnixStream;
use std::time::Duration;
use std::{fs, thread};

use expectrl::{Eof, Expect as _};
use serde_json::{Value, json};

use crate::approvals::{approve, asking, audited, id, request, run, take_on, waiting};
use crate::support::{TestDaemon, is_gone, wait_for};

fn ended(daemon: &TestDaemon, run: &Value) -> Value {
    wait_for("the end of the run", || {
        let shown = daemon.run(&["runs", "show", id(run), "--json"]);
        let shown: Value = serde_json::from_str(&shown.stdout).ok()?;
        (shown["state"] == "ended").then_some(shown)
    })
}

/// It ended without having run, for this reason.
fn never_ran(daemon: &TestDaemon, run: &Value, why: &str) {
    let run = ended(daemon, run);
    assert_eq!(run["started_at"], Value::Null, "{run}");
    let reason = run["end"]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains(why), "{run}");
}

/// Says yes as the form of a client that the settings trust, which is quicker than typing.
fn yes(daemon: &TestDaemon, run: &Value) -> (u16, Value) {
    let path = format!("/v1/approvals/{}/approve", id(run));
    let digest = &run["approval"]["digest"];
    request(
        daemon,
        "POST",
        &path,
        &json!({"digest": digest, "client": "mcp", "form": "test"}),
    )
}

#[test]
fn the_first_of_two_words_counts_and_the_second_is_told_so() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
    let mut late = daemon.terminal(&["approvals", "approve", id(&run)]);
    late.expect("to run it: ").expect("it asks");
    let said = approve(&daemon, id(&run), "yes");
    assert!(said.contains("approved"), "{said}");
    late.send_line("yes").expect("the terminal is open");
    let end = late.expect(Eof).expect("it ends");
    let end = String::from_utf8_lossy(end.as_bytes()).into_owned();
    assert!(!end.contains("approved;"), "{end}");
    assert!(end.contains("error"), "{end}");
    child.wait().expect("it is our child");
    assert!(ended(&daemon, &run)["started_at"].is_string());
    let said = |kind: &str| {
        let rows = audited(&daemon, &run);
        rows.iter().filter(|(found, _)| found == kind).count()
    };
    assert_eq!((said("approved"), said("denied")), (1, 0));
}

#[test]
fn of_a_yes_and_a_no_at_once_one_counts_and_the_run_follows_it() {
    let daemon = asking();
    daemon.configure("approvals: {trusted_forms: [test]}\n");
    for _ in 0..5 {
        let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
        let (approved, denied) = thread::scope(|scope| {
            let approved = scope.spawn(|| yes(&daemon, &run).0);
            let path = format!("/v1/approvals/{}/deny", id(&run));
            let denied = request(&daemon, "POST", &path, &json!({})).0;
            (approved.join().expect("it does not panic"), denied)
        });
        assert_eq!(
            u8::from(approved == 200) + u8::from(denied == 200),
            1,
            "{approved} {denied}"
        );
        child.wait().expect("it is our child");
        let run = ended(&daemon, &run);
        assert_eq!(run["started_at"].is_string(), approved == 200, "{run}");
    }
}

#[test]
fn a_yes_that_comes_as_its_time_ends_is_taken_or_told_to_be_late() {
    let daemon = asking();
    daemon.configure("approvals: {valid_for: 1s, trusted_forms: [test]}\n");
    let mut late = 0;
    for number in 0..8_u64 {
        let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
        // Around the end of its second: that is what this tries to hit, and every outcome is checked.
        thread::sleep(Duration::from_millis(600 + number * 60));
        let (status, answer) = yes(&daemon, &run);
        child.wait().expect("it is our child");
        let run = ended(&daemon, &run);
        assert_eq!(
            run["started_at"].is_string(),
            status == 200,
            "{answer}: {run}"
        );
        if status != 200 {
            late += 1;
            assert_eq!(run["end"]["reason"], "nobody approved it in time", "{run}");
            let kinds: Vec<String> = audited(&daemon, &run)
                .into_iter()
                .map(|(kind, _)| kind)
                .collect();
            assert!(kinds.contains(&"approval_expired".to_owned()), "{kinds:?}");
        }
    }
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    assert_eq!(child.wait().expect("it is our child").code(), Some(4));
    never_ran(&daemon, &run, "nobody approved it in time");
    let (status, answer) = yes(&daemon, &run);
    assert_eq!(
        (status, &answer["error"]["code"]),
        (409, &json!("no_approval")),
        "{late} were late"
    );
}

#[test]
fn a_yes_is_for_one_run_of_its_text() {
    let daemon = asking();
    let words = [
        &run("Set-Mailbox user3@contoso.com -DisplayName x")[..],
        &["--detach"],
    ];
    assert_eq!(daemon.run(&words.concat()).code, 0);
    let first = daemon.wait_for_run("waiting_for_approval");
    assert_eq!(daemon.run(&words.concat()).code, 0);
    let second = wait_for("another run that waits", || {
        let run = daemon.newest_run();
        (run["id"] != first["id"] && run["state"] == "waiting_for_approval").then_some(run)
    });
    let said = approve(&daemon, id(&first), "yes");
    assert!(said.contains("approved"), "{said}");
    assert!(ended(&daemon, &first)["started_at"].is_string());
    let (_, list) = request(&daemon, "GET", "/v1/approvals", &json!({}));
    assert_eq!(list["runs"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["runs"][0]["id"], second["id"], "{list}");
}

#[test]
fn a_daemon_that_is_killed_takes_what_waited_with_it() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let number = daemon.pid().expect("it runs");
    let pid = i32::try_from(number).ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    let pid = pid.expect("it is a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
    child.wait().expect("it is our child");
    wait_for("the daemon's end", || is_gone(number).then_some(()));
    // Its first thread may be gone while another one still holds the socket open.
    wait_for("the socket's end", || {
        UnixStream::connect(daemon.socket()).is_err().then_some(())
    });
    daemon.sign_in();
    let (_, list) = request(&daemon, "GET", "/v1/approvals", &json!({}));
    assert_eq!(list, json!({"runs": []}));
    let path = format!("/v1/approvals/{}/approve", id(&run));
    let digest = &run["approval"]["digest"];
    let (status, answer) = request(
        &daemon,
        "POST",
        &path,
        &json!({"digest": digest, "client": "cli"}),
    );
    assert_eq!(
        (status, &answer["error"]["code"]),
        (409, &json!("no_approval"))
    );
    let run = ended(&daemon, &run);
    assert_eq!(run["started_at"], Value::Null, "{run}");
    assert_ne!(run["end"]["outcome"], "succeeded", "{run}");
}

#[test]
fn a_daemon_that_stops_ends_what_waits() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let stop = daemon.run(&["daemon", "stop", "--force"]);
    assert_eq!(stop.code, 0, "{stop:?}");
    child.wait().expect("it is our child");
    let rows = audited(&daemon, &run);
    let last = rows.last().map(|(kind, _)| kind.as_str());
    assert!(
        matches!(last, Some("approval_voided" | "run_ended")),
        "{rows:?}"
    );
    assert!(!rows.iter().any(|(kind, _)| kind == "approved"), "{rows:?}");
    let reasons = rows.iter().filter_map(|(_, row)| row["reason"].as_str());
    assert!(
        reasons.into_iter().any(|why| why == "the daemon stops"),
        "{rows:?}"
    );
    never_ran(&daemon, &run, "");
    assert_eq!(ended(&daemon, &run)["end"]["outcome"], "stopped");
}

#[test]
fn a_new_sign_in_in_a_living_program_voids_a_yes() {
    let daemon = asking();
    daemon.configure("sessions: {check_identity_every: 1s}\napprovals: {trusted_forms: [test]}\n");
    let before = daemon.session();
    let (mut child, waits) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
    let mut out = daemon.terminal(&run("Disconnect-ExchangeOnline -Confirm:$false"));
    out.expect(Eof).expect("it ends");
    assert_eq!(child.wait().expect("it is our child").code(), Some(4));
    never_ran(&daemon, &waits, "the approval was for the sign-in before");
    daemon.sign_in();
    let after = daemon.session();
    assert_eq!(before["pid"], after["pid"], "{after}");
    assert_ne!(before["signed_in_at"], after["signed_in_at"], "{after}");
    let (status, answer) = yes(&daemon, &waits);
    assert_eq!(
        (status, &answer["error"]["code"]),
        (409, &json!("no_approval"))
    );
}

#[test]
fn a_second_daemon_of_the_same_place_is_refused_and_costs_no_yes() {
    let daemon = asking();
    let (mut child, waits) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
    let first = daemon.pid();
    let second = daemon.run(&["daemon", "run"]);
    assert_eq!(second.code, 4, "{second:?}");
    let started = daemon.run(&["daemon", "start"]);
    assert_eq!(started.code, 0, "{started:?}");
    assert_eq!(daemon.pid(), first);
    let said = approve(&daemon, id(&waits), "yes");
    assert!(said.contains("approved"), "{said}");
    assert_eq!(child.wait().expect("it is our child").code(), Some(0));
}

#[test]
fn a_session_that_is_lost_takes_what_waited_with_it() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let pid = daemon.session()["pid"]
        .as_i64()
        .and_then(|pid| i32::try_from(pid).ok());
    let pid = pid
        .and_then(rustix::process::Pid::from_raw)
        .expect("it runs");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
    assert_eq!(child.wait().expect("it is our child").code(), Some(4));
    never_ran(&daemon, &run, "its session has ended");
    let kinds: Vec<String> = audited(&daemon, &run)
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert!(kinds.contains(&"approval_voided".to_owned()), "{kinds:?}");
    let (status, _) = yes(&daemon, &run);
    assert_ne!(status, 200);
}

#[test]
fn a_policy_that_is_changed_meanwhile_goes_before_the_yes() {
    let daemon = asking();
    daemon.configure("approvals: {trusted_forms: [test]}\n");
    for (key, value, why) in [
        ("policy", json!("read-only"), "read-only"),
        (
            "policyRules",
            json!([{"commands": ["Set-Mailbox*"], "decide": "refuse"}]),
            "policyRules[0]",
        ),
        ("requireTicket", json!(true), "ticket"),
        (
            "tenantId",
            json!("ffff0000-0000-4000-8000-eeee1111dddd"),
            "tenant",
        ),
    ] {
        let file = daemon.path("connections.json");
        let before = fs::read(&file).expect("it was written");
        let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
        daemon.set_entry(key, &value);
        let (status, answer) = yes(&daemon, &run);
        assert_eq!(status, 200, "what was shown is what waits: {answer}");
        assert_eq!(
            child.wait().expect("it is our child").code(),
            Some(4),
            "{key}"
        );
        never_ran(&daemon, &run, why);
        let kinds: Vec<String> = audited(&daemon, &run)
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        assert!(
            kinds.contains(&"approval_voided".to_owned()),
            "{key}: {kinds:?}"
        );
        fs::write(&file, before).expect("it can be written");
        if key != "tenantId" {
            take_on(&daemon, "Contoso");
        }
    }
}

#[test]
fn rules_that_are_changed_meanwhile_go_before_the_yes() {
    let daemon = asking();
    daemon.configure("approvals: {trusted_forms: [test]}\n");
    let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
    let modules = daemon.path(".config/mm/modules.d");
    fs::create_dir_all(&modules).expect("the folder can be made");
    let rule = "effects:\n  - {name: Set-Mailbox, parameters: [DisplayName], effects: [destroys], reason: it is known better now}\n";
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/modules.d/exo.yaml");
    let own = fs::read_to_string(own).expect("it is there");
    fs::write(modules.join("exo.yaml"), own + rule).expect("the folder can be written");
    let (status, answer) = yes(&daemon, &run);
    assert_eq!(status, 200, "what was shown is what waits: {answer}");
    child.wait().expect("it is our child");
    never_ran(&daemon, &run, "something else than was shown");
}

#[test]
fn rules_that_say_less_count_for_programs_when_a_person_says_so() {
    let daemon = asking();
    let modules = daemon.path(".config/mm/modules.d/include");
    fs::create_dir_all(&modules).expect("the folder can be made");
    let all = "include: effects\neffects:\n  - {name: '*', effects: [reads], instead_of_verb: true, reason: nothing is ever changed}\n";
    fs::write(modules.join("effects.yaml"), all).expect("the folder can be written");
    let command = "Remove-Mailbox user3@contoso.com -Confirm:$false";
    let (mut child, _) = waiting(&daemon, command);
    let waits = daemon.newest_run();
    assert_eq!(waits["approval"]["effects"], json!(["destroys"]), "{waits}");
    daemon.run(&["approvals", "deny", id(&waits)]);
    child.wait().expect("it is our child");
    let mut session = daemon.terminal(&["policy", "accept"]);
    session
        .expect("of all modules are others")
        .expect("it says so");
    session.expect("hold for them: ").expect("it asks");
    session.send_line("yes").expect("the terminal is open");
    session.expect(Eof).expect("it ends");
    let ran = daemon.run(&run(command));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_run_that_is_stopped_cannot_be_approved_any_more() {
    let daemon = asking();
    daemon.configure("approvals: {trusted_forms: [test]}\n");
    for _ in 0..5 {
        let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
        let approved = thread::scope(|scope| {
            let approved = scope.spawn(|| yes(&daemon, &run).0);
            let path = format!("/v1/runs/{}/stop", id(&run));
            let (status, answer) = request(&daemon, "POST", &path, &json!({}));
            assert_eq!(status, 200, "{answer}");
            approved.join().expect("it does not panic")
        });
        child.wait().expect("it is our child");
        let run = ended(&daemon, &run);
        if approved != 200 {
            assert_eq!(run["started_at"], Value::Null, "{run}");
        }
        assert_ne!(run["end"]["outcome"], "refused", "{run}");
    }
}

#[test]
fn at_most_eight_runs_wait_in_a_session() {
    let daemon = asking();
    let words = [
        &run("Set-Mailbox user3@contoso.com -DisplayName x")[..],
        &["--detach"],
    ];
    for _ in 0..8 {
        assert_eq!(daemon.run(&words.concat()).code, 0);
    }
    let one_more = daemon.run(&words.concat());
    assert_eq!(one_more.code, 6, "{one_more:?}");
}

/// Says yes on the socket as `cli`, from a process of a session's terminal: as the command itself, as its orphan, and as one
/// that has made a terminal of its own.
const FROM_A_SESSION: &str = r#"
import os, pty, socket, sys, time

def ask(file):
    os.close(os.open("/dev/tty", os.O_RDWR))
    body = '{"digest": "%s", "client": "cli"}' % sys.argv[3]
    text = "POST /v1/approvals/%s/approve HTTP/1.1\r\nhost: mm\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
    stream = socket.socket(socket.AF_UNIX)
    stream.connect("SOCKET")
    stream.sendall((text % (sys.argv[2], len(body), body)).encode())
    answer = b""
    while piece := stream.recv(65536):
        answer += piece
    with open(file + ".part", "wb") as out:
        out.write(answer)
    os.rename(file + ".part", file)

ask(sys.argv[4] + "/child")
if os.fork() == 0:
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent:
            time.sleep(0.01)
        ask(sys.argv[4] + "/orphan")
    os._exit(0)
os.wait()
while not os.path.exists(sys.argv[4] + "/orphan"):
    time.sleep(0.01)

# As before, and on a terminal and in a session of its own, with all its parents gone.
if os.fork() == 0:
    os.setsid()
    parent = os.getpid()
    pid, terminal = pty.fork()
    if pid == 0:
        while os.getppid() == parent:
            time.sleep(0.01)
        ask(sys.argv[4] + "/stray")
        os._exit(0)
    os.set_inheritable(terminal, True)
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
os.wait()
while not os.path.exists(sys.argv[4] + "/stray"):
    time.sleep(0.01)
"#;

#[test]
fn what_runs_in_a_session_is_nobody_whatever_terminal_it_has() {
    let daemon = asking();
    let modules = daemon.path(".config/mm/modules.d");
    fs::create_dir_all(&modules).expect("the folder can be made");
    fs::write(
        modules.join("tool.yaml"),
        "module: tool\ntitle: A shell\nshell: bash\n",
    )
    .expect("the folder can be written");
    let file = daemon.path("connections.json");
    let text = fs::read_to_string(&file).expect("it was written");
    let mut entries: Value = serde_json::from_str(&text).expect("it is JSON");
    entries["connections"]["Fabrikam"] = json!({"tenant": "fabrikam.com", "policy": "open"});
    fs::write(&file, entries.to_string()).expect("it can be written");
    take_on(&daemon, "Fabrikam");
    let script = daemon.path("ask.py");
    let socket = daemon.socket().display().to_string();
    // A command that names it is not even asked about.
    fs::write(&script, FROM_A_SESSION.replace("SOCKET", &socket)).expect("it can be written");
    let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
    let digest = run["approval"]["digest"].as_str().expect("it has one");
    let command = format!(
        "python3 {} - {} {digest} {}",
        script.display(),
        id(&run),
        daemon.path("").display()
    );
    let ran = daemon.run(&["run", "-c", "Fabrikam", "-m", "tool", &command]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for asker in ["child", "orphan", "stray"] {
        let answer = fs::read_to_string(daemon.path(asker)).expect("it was answered");
        assert!(answer.starts_with("HTTP/1.1 403"), "{asker}: {answer}");
        assert!(answer.contains("needs_person"), "{asker}: {answer}");
    }
    daemon.run(&["approvals", "deny", id(&run)]);
    child.wait().expect("it is our child");
    never_ran(&daemon, &run, "denied");
}

#[test]
fn a_yes_that_hides_something_says_so() {
    let daemon = asking();
    let hidden = "$secret = 'attacker@fabrikam.com'; Set-Mailbox x -DeliverTo $secret";
    let (mut child, run) = waiting(&daemon, hidden);
    assert_eq!(run["approval"]["hides_something"], true, "{run}");
    let shown = daemon.run(&["approvals", "show", id(&run)]);
    assert!(shown.stdout.contains("unseen"), "{shown:?}");
    daemon.run(&["approvals", "deny", id(&run)]);
    child.wait().expect("it is our child");
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    assert_eq!(run["approval"]["hides_something"], false, "{run}");
    daemon.run(&["approvals", "deny", id(&run)]);
    child.wait().expect("it is our child");
}
