//! Notices: somebody who is not at a terminal is told that something waits for a yes, and nothing waits for that.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use serde_json::Value;

use crate::approvals::{approve, asking, id, run, waiting};
use crate::support::{DEADLINE, TestDaemon, finish, is_gone, wait_for};

/// A program in the daemon's folder.
fn program(daemon: &TestDaemon, script: &str) -> PathBuf {
    let file = daemon.path("notify");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("the folder can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
    file
}

/// What the notifying program wrote into this file, once it has.
fn told(daemon: &TestDaemon, file: &str) -> String {
    wait_for("a notice", || {
        std::fs::read_to_string(daemon.path(file)).ok()
    })
}

/// What `mm daemon status` complains of, once that is so.
fn complaint(daemon: &TestDaemon, wanted: &str) -> String {
    wait_for(&format!("a complaint about `{wanted}`"), || {
        let status = daemon.run(&["daemon", "status"]);
        status.stderr.contains(wanted).then_some(status.stderr)
    })
}

fn deny(daemon: &TestDaemon, run: &Value) {
    let denied = daemon.run(&["approvals", "deny", id(run)]);
    assert_eq!(denied.code, 0, "{denied:?}");
}

#[test]
fn a_program_is_told_as_json_without_the_text_and_without_secrets() {
    let daemon = TestDaemon::new();
    daemon.set_entry("policy", &serde_json::json!("ask"));
    let folder = daemon.path("");
    let folder = folder.display();
    let notify = program(
        &daemon,
        &format!(
            "cat > {folder}/part; printf '%s|' \"$@\" > {folder}/arguments; env > {folder}/environment; pwd >> {folder}/environment; mv {folder}/part {folder}/told"
        ),
    );
    let notify = notify.display();
    daemon.configure(&format!(
        "approvals: {{notice: {{command: [{notify}, --kind, 'a b;c']}}}}\n"
    ));
    let mut start = daemon.mm(&["daemon", "start"]);
    start.env("PFX_PASSWORD", "hunter2x");
    assert_eq!(finish(start, b"").code, 0);
    daemon.sign_in();
    let words = [
        &run("Set-Mailbox user3@contoso.com -DisplayName Hush")[..],
        &[
            "--reason",
            "because of Hush",
            "--ticket",
            "Hush-7",
            "--detach",
        ],
    ];
    assert_eq!(daemon.run(&words.concat()).code, 0);
    let first = daemon.wait_for_run("waiting_for_approval");
    let text = told(&daemon, "told");
    let said: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(said["event"], "approval_pending", "{said}");
    assert_eq!(said["run"], first["id"], "{said}");
    assert_eq!(said["connection"], "Contoso", "{said}");
    assert_eq!(said["account"], "ada@contoso.com", "{said}");
    assert_eq!(said["effects"], serde_json::json!(["writes"]), "{said}");
    assert_eq!(said["asked_by"], "program", "{said}");
    assert!(said["expires_in"].as_u64().is_some_and(|left| left > 500));
    let show = format!("mm approvals show {}", id(&first));
    assert_eq!(said["show"], show, "{said}");
    assert!(!text.contains("Hush"), "{text}");
    assert_eq!(told(&daemon, "arguments"), "--kind|a b;c|");
    let environment = told(&daemon, "environment");
    assert!(!environment.contains("hunter2x"), "{environment}");
    assert!(!environment.contains("MM_"), "{environment}");
    assert!(environment.contains("\n/\n"), "{environment}");
    deny(&daemon, &first);

    std::fs::remove_file(daemon.path("told")).expect("it was told");
    daemon.configure(&format!(
        "approvals: {{notice: {{command: [{notify}], with_text: true}}}}\n"
    ));
    assert_eq!(daemon.run(&words.concat()).code, 0);
    let said: Value = serde_json::from_str(&told(&daemon, "told")).expect("it is JSON");
    assert_eq!(
        said["command"], "Set-Mailbox user3@contoso.com -DisplayName Hush",
        "{said}"
    );
    assert_eq!(said["reason"], "because of Hush", "{said}");
    assert_eq!(said["ticket"], "Hush-7", "{said}");
}

#[test]
fn a_notice_that_fails_is_said_and_one_that_does_not_takes_that_back() {
    let daemon = asking();
    daemon.configure("approvals: {notice: {command: [/nowhere/at/all]}}\n");
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let said = complaint(&daemon, "cannot be started");
    assert!(said.contains(id(&run)), "{said}");
    let log = std::fs::read_to_string(daemon.path("state/daemon.log")).expect("it keeps a log");
    assert!(log.contains("nobody was told"), "{log}");
    deny(&daemon, &run);
    child.wait().expect("it is our child");

    let notify = program(&daemon, "exit 3").display().to_string();
    daemon.configure(&format!("approvals: {{notice: {{command: [{notify}]}}}}\n"));
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    complaint(&daemon, "failed (exit status: 3)");
    deny(&daemon, &run);
    child.wait().expect("it is our child");

    program(&daemon, "exit 0");
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    wait_for("a daemon without complaints", || {
        let status = daemon.run(&["daemon", "status"]);
        status.stderr.is_empty().then_some(())
    });
    deny(&daemon, &run);
    child.wait().expect("it is our child");
}

#[test]
fn a_notice_that_never_ends_holds_up_nothing_and_is_ended_with_its_children() {
    let daemon = asking();
    let folder = daemon.path("");
    let folder = folder.display();
    let notify = program(
        &daemon,
        &format!(
            "sleep 1000 & echo $! $$ > {folder}/part; mv {folder}/part {folder}/told; sleep 1000"
        ),
    );
    let notify = notify.display();
    daemon.configure(&format!("approvals: {{notice: {{command: [{notify}]}}}}\n"));
    let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
    let pids = told(&daemon, "told");
    let said = approve(&daemon, id(&run), "yes");
    assert!(said.contains("approved"), "{said}");
    child.wait().expect("it is our child");
    let ran = daemon.wait_for_run("ended");
    assert!(ran["started_at"].is_string(), "{ran}");
    complaint(&daemon, "did not end within 10 seconds");
    for pid in pids.split_whitespace() {
        let pid = pid.parse().expect("it is a number");
        wait_for("the end of what was started", || is_gone(pid).then_some(()));
    }
}

#[test]
fn who_is_asked_at_their_own_terminal_needs_no_notice() {
    use expectrl::{Eof, Expect as _};
    let daemon = asking();
    daemon.configure("approvals: {notice: {command: [/nowhere/at/all]}}\n");
    let mut person = daemon.terminal(&run("Remove-Mailbox user3@contoso.com -Confirm:$false"));
    person.expect("type yes to run it: ").expect("it asks");
    person.send_line("no").expect("the terminal is open");
    person.expect(Eof).expect("it ends");
    let status = daemon.run(&["daemon", "status"]);
    assert_eq!(status.stderr, "", "{status:?}");
}

/// A listener on this machine that answers each request with this, and hands over what it read.
fn listener(answer: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it has one").to_string();
    let (sender, received) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("somebody connects"));
            let mut head = String::new();
            let mut length = 0;
            loop {
                let mut line = Vec::new();
                let read = stream.read_until(b'\n', &mut line).unwrap_or_default();
                let line = String::from_utf8_lossy(&line).into_owned();
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("it is a number");
                }
                head.push_str(&line);
                // What is no HTTP ends at its first line here.
                if read == 0 || line.trim().is_empty() || !line.is_ascii() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("it sends all of it");
            let text = head + &String::from_utf8_lossy(&body);
            // It may go without reading the answer, and nobody may be waiting any longer.
            drop(stream.get_mut().write_all(answer.as_bytes()));
            if sender.send(text).is_err() {
                return;
            }
        }
    });
    (address, received)
}

const FINE: &str = "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[test]
fn an_address_is_called_that_is_kept_in_a_file_and_never_shown() {
    let daemon = asking();
    let (address, received) = listener(FINE);
    let file = daemon.path("hook");
    std::fs::write(&file, format!("http://{address}/hooks/T0psecret\n"))
        .expect("it can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    daemon.configure(&format!(
        "approvals: {{notice: {{webhook: 'file:{}'}}}}\n",
        file.display()
    ));
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName Hush");
    let request = received.recv_timeout(DEADLINE).expect("it is called");
    assert!(
        request.starts_with("POST /hooks/T0psecret HTTP/1.1"),
        "{request}"
    );
    assert!(
        request.contains("content-type: application/json"),
        "{request}"
    );
    assert!(
        request.contains(id(&run)) && !request.contains("Hush"),
        "{request}"
    );
    deny(&daemon, &run);
    child.wait().expect("it is our child");
    // The same address, which does not work now.
    std::fs::write(&file, "http://127.0.0.1:1/hooks/T0psecret\n").expect("it can be written");
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName Hush");
    let said = complaint(&daemon, "the webhook cannot be called");
    assert!(!said.contains("T0psecret"), "{said}");
    deny(&daemon, &run);
    child.wait().expect("it is our child");
    // It is checked when it is read, too.
    std::fs::write(&file, "http://contoso.com/hooks/T0psecret\n").expect("it can be written");
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName Hush");
    let said = complaint(&daemon, "it is not encrypted");
    assert!(!said.contains("T0psecret"), "{said}");
    deny(&daemon, &run);
    child.wait().expect("it is our child");
    let log = std::fs::read_to_string(daemon.path("state/daemon.log")).expect("it keeps a log");
    assert!(!log.contains("T0psecret"), "{log}");
}

#[test]
fn an_address_that_does_not_take_it_is_said_and_none_is_followed() {
    let daemon = asking();
    let (other, elsewhere) = listener(FINE);
    let moved: &'static str = Box::leak(
        format!("HTTP/1.1 307 Moved\r\nlocation: http://{other}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .into_boxed_str(),
    );
    let failed = "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for (answer, says) in [(failed, "answered 500"), (moved, "answered 307")] {
        let (address, received) = listener(answer);
        daemon.configure(&format!(
            "approvals: {{notice: {{webhook: 'http://{address}/'}}}}\n"
        ));
        let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
        received.recv_timeout(DEADLINE).expect("it is called");
        complaint(&daemon, says);
        deny(&daemon, &run);
        child.wait().expect("it is our child");
    }
    assert!(elsewhere.try_recv().is_err(), "it was followed");
}

#[test]
fn nothing_is_told_before_an_encrypted_address_has_proven_itself() {
    let daemon = asking();
    let (address, received) = listener("this is no encryption\r\n\r\n");
    daemon.configure(&format!(
        "approvals: {{notice: {{webhook: 'https://{address}/'}}}}\n"
    ));
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let hello = received.recv_timeout(DEADLINE).expect("it is called");
    assert!(
        hello.starts_with('\u{16}'),
        "a TLS record comes first: {hello:?}"
    );
    assert!(
        !hello.contains("POST") && !hello.contains(id(&run)),
        "{hello:?}"
    );
    complaint(&daemon, "the webhook cannot be called");
    deny(&daemon, &run);
    child.wait().expect("it is our child");
}
