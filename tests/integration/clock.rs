//! A clock that jumps: the daemon's date is set days forward and back under it, by libfaketime. Deadlines, limits and the life
//! of a code are on clocks that nobody sets.
//!
//! Where that library is not installed (Debian: `faketime`) the test says so and passes.

use std::fs;

use crate::support::{TestDaemon, faketime, finish, told, wait_for};

#[test]
fn a_clock_that_jumps_moves_no_deadline() {
    let Some(library) = faketime() else {
        told("libfaketime is not installed");
        return;
    };
    let daemon = TestDaemon::with_scenario("exo?approve=2s");
    let jump = |offset: &str| {
        fs::write(daemon.path("offset"), offset).expect("the folder can be written");
    };
    jump("+0");
    let mut start = daemon.mm(&["daemon", "start"]);
    start
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", daemon.path("offset"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
    let start = finish(start, b"");
    assert_eq!(start.code, 0, "{start:?}");
    // A code is being entered.
    let mut login = daemon.start(&["login", "-c", "Contoso", "-m", "exo"]);
    wait_for("a code", || {
        daemon.session()["challenge"]["user_code"]
            .as_str()
            .map(drop)
    });
    jump("+3d");
    let session = daemon.session();
    let left = session["challenge"]["expires_in"].as_u64();
    assert!(left.is_some_and(|left| left > 600), "{session}");
    assert!(login.wait().expect("it is our child").success());
    let before = daemon.session();
    assert_eq!(before["account"], "ada@contoso.com");

    // It runs while the clock goes back and forth, and has a minute.
    let slow = "Start-Sleep -Milliseconds 1500; 'done'";
    let run = |rest: &[&str]| daemon.run(&[&["run", "-c", "Contoso", "-m", "exo"], rest].concat());
    let mut client = daemon.start(&["run", "-c", "Contoso", "-m", "exo", "--timeout", "1m", slow]);
    daemon.wait_for_run("running");
    for offset in ["-3d", "+9d", "-400d"] {
        jump(offset);
        assert!(client.try_wait().expect("it is our child").is_none());
    }
    assert!(client.wait().expect("it is our child").success());
    // A deadline passes all the same while it is long ago.
    let late = run(&["--timeout", "300ms", "Start-Sleep 600"]);
    assert_eq!(late.code, 5, "{late:?}");
    jump("+9d");
    let late = run(&["--timeout", "300ms", "Start-Sleep 600"]);
    assert_eq!(late.code, 5, "{late:?}");
    // Days passed for nobody: the session is neither idle nor old, and is the same one.
    assert_eq!(run(&["'on'"]).stdout, "on\n");
    assert_eq!(daemon.session()["pid"], before["pid"]);
    let day = |at: &serde_json::Value| {
        at.as_str()
            .and_then(|at| at.split('T').next().map(str::to_owned))
    };
    let (then, now) = (
        day(&before["signed_in_at"]),
        day(&daemon.newest_run()["submitted_at"]),
    );
    assert!(
        then.is_some() && now.is_some() && then != now,
        "the clock did jump"
    );
}
