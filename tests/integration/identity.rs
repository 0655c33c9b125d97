//! Whom a session may be: what the connection's entry says, and where it says nothing, whom it proved to be the first time.

use expectrl::{Eof, Expect as _};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Finished, TestDaemon, wait_for};

fn connect(daemon: &TestDaemon, entry: &Value) {
    let file = json!({"connections": {"Contoso": entry}});
    std::fs::write(daemon.path("connections.json"), file.to_string()).expect("it can be written");
}

fn login(daemon: &TestDaemon, more: &[&str]) -> Finished {
    daemon.run(&[&["login", "-c", "Contoso", "-m", "exo"], more].concat())
}

fn disconnect(daemon: &TestDaemon) {
    let gone = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(gone.code, 0, "{gone:?}");
}

fn run(daemon: &TestDaemon) -> Finished {
    daemon.run(&["run", "-c", "Contoso", "-m", "exo", "1"])
}

#[test]
fn nobody_is_let_in_who_cannot_be_written_down() {
    let daemon = TestDaemon::new();
    connect(
        &daemon,
        &json!({"tenant": "contoso.com", "stand_in": "exo?approve=100ms"}),
    );
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    let database = Connection::open(daemon.path("state/mm.db")).expect("the daemon made it");
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON pins BEGIN SELECT RAISE(FAIL, 'no room'); END",
        )
        .expect("the database is free");
    let refused = run(&daemon);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.stderr.contains("cannot be written down"),
        "{refused:?}"
    );
    wait_for("a session that is closed", || {
        (daemon.session()["state"] == "closed").then_some(())
    });
    database
        .execute_batch("DROP TRIGGER full")
        .expect("the database is free");
    assert_eq!(login(&daemon, &[]).code, 0);
    assert_eq!(run(&daemon).code, 0);
}

#[test]
fn accepting_another_identity_needs_a_sign_in_that_proves_it() {
    let daemon = TestDaemon::new();
    let entry = |scenario: &str| json!({"tenant": "contoso.com", "stand_in": scenario});
    connect(&daemon, &entry("exo?approve=100ms"));
    assert_eq!(login(&daemon, &[]).code, 0);
    disconnect(&daemon);
    connect(&daemon, &entry("declined?approve=100ms"));
    let declined = daemon.accept_identity();
    assert!(declined.contains("could not be signed in"), "{declined}");
    disconnect(&daemon);
    connect(&daemon, &entry("exo?approve=100ms&account=eve@contoso.com"));
    let other = login(&daemon, &[]);
    assert_eq!(other.code, 3, "{other:?}");
    assert!(other.stderr.contains("ada@contoso.com"), "{other:?}");
    let accepted = daemon.accept_identity();
    assert!(accepted.contains("eve@contoso.com"), "{accepted}");
    let database = Connection::open(daemon.path("state/mm.db")).expect("the daemon made it");
    let mut rows = database
        .prepare("SELECT line FROM audit WHERE line LIKE '%identity_forgotten%' ORDER BY number")
        .expect("it has that table");
    let rows: Vec<Value> = rows
        .query_map([], |row| row.get::<_, String>(0))
        .expect("it can be read")
        .map(|line| serde_json::from_str(&line.expect("it is text")).expect("it is JSON"))
        .collect();
    // The one that came to nothing, and this one: each says whom it was about to forget, and who wanted that.
    assert_eq!(rows.len(), 2, "{rows:?}");
    for row in rows {
        assert_eq!(row["account"], "ada@contoso.com", "{row}");
        assert_eq!(row["client"], "cli", "{row}");
        assert_eq!(row["connection"], "Contoso", "{row}");
    }
}

#[test]
fn a_program_cannot_take_another_identity() {
    let daemon = TestDaemon::new();
    let entry = |scenario: &str| json!({"tenant": "contoso.com", "stand_in": scenario});
    connect(&daemon, &entry("exo?approve=100ms"));
    assert_eq!(login(&daemon, &[]).code, 0);
    disconnect(&daemon);
    connect(&daemon, &entry("exo?approve=100ms&account=eve@contoso.com"));
    let piped = daemon.run_with(
        &["login", "-c", "Contoso", "-m", "exo", "--accept-identity"],
        b"yes\n",
    );
    assert_eq!(piped.code, 2, "{piped:?}");
    assert!(piped.stderr.contains("at a terminal"), "{piped:?}");
    let body = json!({"connection": "Contoso", "module": "exo", "forget_identity": true});
    for verb in ["login", "watch"] {
        for client in ["cli", "mcp", "http"] {
            let answer = daemon.post_as(client, &format!("/v1/sessions/{verb}"), &body);
            assert!(answer.starts_with("HTTP/1.1 403"), "{client}: {answer}");
            assert!(answer.contains("needs_person"), "{client}: {answer}");
        }
    }
    let mut session =
        daemon.terminal(&["login", "-c", "Contoso", "-m", "exo", "--accept-identity"]);
    session.expect("type yes to go on: ").expect("it asks");
    session.send_line("no").expect("the terminal is open");
    session.expect("nothing was changed").expect("it says so");
    session.expect(Eof).expect("it ends");
    let other = login(&daemon, &[]);
    assert_eq!(other.code, 3, "it is still compared: {other:?}");
}

#[test]
fn the_tenant_is_pinned_where_only_the_account_is_named() {
    let daemon = TestDaemon::new();
    let entry = |scenario: &str| json!({"tenant": "contoso.com", "expectedEmail": "ada@contoso.com", "stand_in": scenario});
    connect(&daemon, &entry("exo?approve=100ms"));
    assert_eq!(login(&daemon, &[]).code, 0);
    disconnect(&daemon);
    let other_tenant = "exo?approve=100ms&tenant=ffff0000-0000-4000-8000-eeee1111dddd";
    connect(&daemon, &entry(other_tenant));
    let other = login(&daemon, &[]);
    assert_eq!(other.code, 3, "{other:?}");
    assert!(other.stderr.contains("--accept-identity"), "{other:?}");
    assert_eq!(daemon.session()["failure"]["name"], "wrong-tenant");
}

#[test]
fn a_sign_in_with_what_the_connection_said_before_is_not_used() {
    let daemon = TestDaemon::new();
    let entry = |tenant: &str, app: &str| json!({"tenant": tenant, "appId": app, "stand_in": "exo?approve=100ms"});
    let app = "11111111-2222-4333-8444-555555555555";
    connect(&daemon, &entry("contoso.com", app));
    assert_eq!(login(&daemon, &[]).code, 0);
    for (changed, key) in [
        (entry("fabrikam.com", app), "tenant"),
        (
            entry("contoso.com", "99999999-2222-4333-8444-555555555555"),
            "appId",
        ),
    ] {
        connect(&daemon, &changed);
        let refused = run(&daemon);
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(
            refused.stderr.contains(&format!("with the {key}")),
            "{refused:?}"
        );
    }
    connect(&daemon, &entry("contoso.com", app));
    assert_eq!(run(&daemon).code, 0);
    // What cannot be read cannot be compared.
    std::fs::write(daemon.path("connections.json"), "{").expect("it can be written");
    let unreadable = run(&daemon);
    assert_eq!(unreadable.code, 9, "{unreadable:?}");
}

#[test]
fn a_run_whose_sign_in_failed_says_so_to_programs() {
    let daemon = TestDaemon::with_scenario("declined?approve=100ms");
    let failed = run(&daemon);
    assert_eq!(failed.code, 3, "{failed:?}");
    assert_eq!(daemon.newest_run()["end"]["cause"], "sign_in");
}

#[test]
fn the_books_are_closed_when_the_daemon_has_stopped() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    assert_eq!(daemon.run(&["daemon", "stop", "--force"]).code, 0);
    let database = Connection::open(daemon.path("state/mm.db")).expect("the daemon made it");
    let reason: String = database
        .query_row(
            "SELECT reason FROM sessions WHERE ended_ms IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .expect("its end was written before the daemon had stopped");
    assert_eq!(reason, "the daemon stopped");
}
