//! A module that nobody compiled: one YAML file in the user's folder.

use crate::support::{TestDaemon, finish};

const NOTES: &str = "module: notes\ntitle: Notes in SQLite\nshell: bash\nrun: sqlite3 -box \"$HOME/notes.db\" {command}\n";

/// The README's own example, word for word.
#[test]
fn the_readme_shows_a_module_that_works() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains(NOTES), "the README shows this module");
    let daemon = TestDaemon::new();
    let folder = daemon.path(".config/mm/modules.d");
    std::fs::create_dir_all(&folder).expect("a new folder");
    std::fs::write(folder.join("notes.yaml"), NOTES).expect("a new file");
    let mm = |arguments: &[&str]| daemon.run(arguments);
    let made = mm(&[
        "run",
        "-c",
        "Contoso",
        "-m",
        "notes",
        "create table note(text); insert into note values ('hello')",
    ]);
    assert_eq!((made.code, made.stdout.as_str()), (0, ""), "{made:?}");
    let read = mm(&["run", "-c", "Contoso", "-m", "notes", "select * from note"]);
    assert_eq!(
        read.stdout, "┌───────┐\n│ text  │\n├───────┤\n│ hello │\n└───────┘\n",
        "{read:?}"
    );
    // One literal, whatever is in it.
    let quoted = mm(&[
        "run",
        "-c",
        "Contoso",
        "-m",
        "notes",
        "select 'it''s $HOME `id` \\'",
    ]);
    assert!(quoted.stdout.contains("it's $HOME `id` \\"), "{quoted:?}");
    let wrong = mm(&[
        "run",
        "-c",
        "Contoso",
        "-m",
        "notes",
        "select * from nothing",
    ]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    // A changed file is noticed by the daemon that runs; a bad one takes only itself out.
    std::fs::write(folder.join("notes.yaml"), NOTES.replace("title", "titel"))
        .expect("it can be written");
    let bad = mm(&["run", "-c", "Contoso", "-m", "notes", "select 1"]);
    assert_eq!(bad.code, 9, "{bad:?}");
    assert!(
        bad.stderr.contains("titel") && bad.stderr.contains("notes.yaml:2"),
        "{bad:?}"
    );
    let other = mm(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    assert_eq!(other.stdout, "1\n", "{other:?}");
}

/// Python in its own REPL, from a folder of modules: nothing in the program knows of it.
#[test]
fn a_repl_that_nobody_foresaw_keeps_what_commands_define() {
    let daemon = TestDaemon::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/modules");
    let python = |rest: &[&str]| {
        let mut arguments = vec!["run", "-c", "Contoso", "-m", "python3"];
        arguments.extend(rest);
        let mut command = daemon.mm(&arguments);
        command.env("MM_MODULES", folder);
        finish(command, b"")
    };
    let defined = python(&["def twice(x): return 2 * x\nfound = twice(21)"]);
    assert_eq!(
        (defined.code, defined.stdout.as_str()),
        (0, ""),
        "{defined:?}"
    );
    let value = python(&["--json", "[found, {'name': 'Ada'}]"]);
    let report: serde_json::Value = serde_json::from_str(&value.stdout).expect("it is JSON");
    assert_eq!(
        report["objects"][0],
        serde_json::json!([42, {"name": "Ada"}])
    );
    let failed = python(&["found / 0"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(
        failed
            .stderr
            .contains("ZeroDivisionError: division by zero"),
        "{failed:?}"
    );
    let wrong = python(&["def f(:"]);
    assert!(
        wrong.code == 1 && wrong.stderr.contains("SyntaxError"),
        "{wrong:?}"
    );
    let late = python(&["--timeout", "200ms", "while True: pass"]);
    assert_eq!(late.code, 5, "{late:?}");
    // The same interpreter, and no output but what was asked for.
    let kept = python(&["print(found, end='')"]);
    assert_eq!((kept.code, kept.stdout.trim_end()), (0, "42"), "{kept:?}");
}
