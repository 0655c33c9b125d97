//! Clients as gateways are that start a server for each call: many, short, and not always polite.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::client::exo;
use super::raw::Raw;
use crate::support::{TestDaemon, wait_for};

/// At the same time; one runs, the others wait, and no session lets more than eight wait.
const AT_ONCE: usize = 8;

/// The processes that belong to `daemon`'s world.
fn processes(daemon: &TestDaemon) -> BTreeSet<u32> {
    let folder = daemon.path("").into_os_string().into_encoded_bytes();
    let folder = folder.strip_suffix(b"/").unwrap_or(&folder);
    let belongs = |pid: &u32| {
        // A process may end while it is looked at.
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .windows(folder.len())
            .any(|window| window == folder)
    };
    std::fs::read_dir("/proc")
        .expect("it is mounted")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(belongs)
        .collect()
}

#[test]
fn clients_that_come_and_go_leave_nothing_behind() {
    let clients: usize = match std::env::var("MM_TEST_CLIENTS") {
        Ok(number) => number.parse().expect("a number of clients"),
        Err(_) => 200,
    };
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let before = processes(&daemon);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= clients {
                        return;
                    }
                    let mut raw = Raw::start(&daemon, "off");
                    let command = format!("'client {number}'");
                    raw.call(1, "run", &exo(json!({"command": command})));
                    let answer = raw.answer();
                    let said = answer["result"]["content"][1]["text"].as_str();
                    let said = said.unwrap_or_else(|| panic!("{answer}"));
                    assert!(said.contains(&format!("client {number}\n")), "{said}");
                    if number.is_multiple_of(2) {
                        raw.end();
                    } else {
                        raw.kill();
                    }
                }
            });
        }
    });
    wait_for("the end of all but the session", || {
        (processes(&daemon) == before).then_some(())
    });
    let status = daemon.run(&["status", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&status.stdout).expect("it is JSON");
    let sessions = report["sessions"].as_array().expect("a list");
    assert_eq!(sessions.len(), 1, "{report}");
    assert_eq!(sessions[0]["state"], "ready", "{report}");
    assert_eq!(sessions[0]["queued"], 0, "{report}");
}
