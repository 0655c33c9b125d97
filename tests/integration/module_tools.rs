//! What a person who writes a module has: `mm modules test` and `mm modules new`.

use std::fs;
use std::path::Path;

use crate::support::TestDaemon;

#[test]
fn recordings_are_accepted_and_then_compared() {
    let daemon = TestDaemon::new();
    let folder = daemon.path("casts");
    fs::create_dir(&folder).expect("a new folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings/pwsh");
    for name in ["exo-declined.cast", "graph-session.cast"] {
        fs::copy(root.join(name), folder.join(name)).expect("it is there");
    }
    let folder = folder.to_str().expect("it is UTF-8");
    let test = |rest: &[&str]| {
        let mut arguments = vec!["modules", "test", "--recordings", folder];
        arguments.extend(rest);
        daemon.run(&arguments)
    };
    let new = test(&[]);
    assert_eq!(new.code, 1, "{new:?}");
    assert!(new.stdout.contains("failure declined"), "{new:?}");
    let accepted = test(&["--update"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let same = test(&["graph"]);
    assert_eq!(
        (same.code, same.stdout.as_str()),
        (0, "ok      graph-session\n1 passed, 0 failed\n")
    );
    let written = daemon.path("casts/exo-declined.txt");
    let before = fs::read_to_string(&written).expect("it was written");
    fs::write(
        &written,
        before.replace("failure declined", "failure refused"),
    )
    .expect("it is ours");
    let differs = test(&[]);
    assert_eq!(differs.code, 1, "{differs:?}");
    assert!(
        differs.stdout.contains("\n-   failure refused: ")
            && differs.stdout.contains("\n+   failure declined: "),
        "{differs:?}"
    );
    let none = daemon.run(&["modules", "test", "exo"]);
    assert_eq!(none.code, 2, "{none:?}");
}
