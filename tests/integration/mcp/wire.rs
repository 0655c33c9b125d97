//! What is on standard output, and clients that only look.

use serde_json::json;

use super::client::exo;
use super::raw::Raw;
use crate::support::TestDaemon;

#[test]
fn nothing_but_the_protocol_is_on_standard_output_at_any_log_level() {
    let daemon = TestDaemon::with_scenario("exo?approve=15m");
    for level in [
        "off",
        "error",
        "warn",
        "info",
        "debug",
        "trace",
        "trace,rmcp=trace",
    ] {
        let mut raw = Raw::start(&daemon, level);
        raw.call(1, "login", &exo(json!({})));
        let answer = raw.answer();
        assert!(answer.to_string().contains("C4NTS7K9Q"), "{answer}");
        raw.call(2, "connections", &json!({}));
        assert_eq!(raw.answer()["id"], 2);
        raw.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "no/such"}));
        assert_eq!(raw.answer()["error"]["code"], -32601);
        let (rest, log) = raw.end();
        assert_eq!(rest, "", "{level}");
        assert!(!log.contains("C4NTS7K9Q"), "{level}: {log}");
    }
}

/// Text is shared by all that run, and as large as its build; `benches/mcp.py` holds the ceiling of both together.
#[test]
fn a_server_has_little_memory_of_its_own() {
    let daemon = TestDaemon::new();
    let mut raw = Raw::start(&daemon, "off");
    raw.request(1, "tools/list", &json!({}));
    assert_eq!(raw.answer()["id"], 1);
    raw.call(2, "connections", &json!({}));
    assert_eq!(raw.answer()["id"], 2);
    let status = std::fs::read_to_string(format!("/proc/{}/status", raw.child.id()));
    let status = status.expect("it runs");
    let own = status.lines().find_map(|line| {
        let number = line.strip_prefix("RssAnon:")?.strip_suffix("kB")?;
        number.trim().parse::<u32>().ok()
    });
    assert!(own.is_some_and(|own| own <= 4 << 10), "{status}");
    raw.end();
}

#[test]
fn a_client_that_looks_and_leaves_is_no_failure() {
    let daemon = TestDaemon::new();
    let finished = daemon.run(&["mcp"]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (0, ""),
        "{finished:?}"
    );
    assert_eq!(finished.stderr, "");
}

#[test]
fn a_check_says_what_a_client_sees() {
    let daemon = TestDaemon::new();
    let check = daemon.run(&["mcp", "check"]);
    assert_eq!(check.code, 0, "{check:?}");
    for wanted in [
        "2026-07-28",
        "connections, status, login, wait, read, run",
        "1 connection,",
        "No session",
    ] {
        assert!(check.stdout.contains(wanted), "{check:?}");
    }
    let config = daemon.run(&["mcp", "config", "claude"]);
    assert!(config.stdout.starts_with("claude mcp add"), "{config:?}");
}
