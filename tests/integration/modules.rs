//! Modules that nobody compiled: one YAML file in the user's folder, and programs at their own prompts (`fixtures/modules`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Finished, TestDaemon, finish};

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

/// Runs in `fixtures/modules`, with this in the environment besides.
fn in_fixtures(daemon: &TestDaemon, environment: &[(&str, &str)], arguments: &[&str]) -> Finished {
    let mut command = daemon.mm(arguments);
    command.env(
        "MM_MODULES",
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/modules"),
    );
    command.envs(environment.iter().copied());
    finish(command, b"")
}

/// What a prompt that speaks SQL has to do, whichever it is.
fn keeps_what_sql_does(module: &str, environment: &[(&str, &str)]) {
    let daemon = TestDaemon::new();
    let sql = |more: &[&str]| {
        let arguments = [&["run", "-c", "Contoso", "-m", module], more].concat();
        in_fixtures(&daemon, environment, &arguments)
    };
    let made = sql(&[
        "create temp table t(a int, b text); insert into t values (5, null), (6, 'it''s \"so\"')",
    ]);
    assert_eq!((made.code, made.stdout.as_str()), (0, ""), "{made:?}");
    // The table is temporary: it is the same program that answers.
    let rows = sql(&["--json", "select * from t order by a; select 'x' as c"]);
    let report: Value = serde_json::from_str(&rows.stdout).expect("it is JSON");
    let number = |number: i64| match module {
        "psql" => json!(number.to_string()),
        _ => json!(number),
    };
    let expected = json!([
        {"a": number(5), "b": null},
        {"a": number(6), "b": "it's \"so\""},
        {"c": "x"},
    ]);
    assert_eq!(report["objects"], expected, "{rows:?}");
    // Neither a mistake nor an open quote harms what comes after.
    for (wrong, says) in [
        (
            "select * from nowhere; insert into t values (7, 'no')",
            "nowhere",
        ),
        ("select 'open", "open"),
    ] {
        let failed = sql(&[wrong]);
        assert_eq!(failed.code, 1, "{wrong}: {failed:?}");
        assert!(failed.stderr.contains(says), "{wrong}: {failed:?}");
    }
    let endless =
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let late = sql(&["--timeout", "300ms", endless]);
    assert_eq!(late.code, 5, "{late:?}");
    let long = format!("select '{}' as long", "x".repeat(100_000));
    let long = sql(&["--json", &long]);
    let report: Value = serde_json::from_str(&long.stdout).expect("it is JSON");
    let text = report["objects"][0]["long"].as_str().expect("it is a text");
    assert_eq!(text.len(), 100_000);
    let left = sql(&["--json", "select count(*) as rows_left from t"]);
    let report: Value = serde_json::from_str(&left.stdout).expect("it is JSON");
    assert_eq!(
        report["objects"],
        json!([{"rows_left": number(2)}]),
        "{left:?}"
    );
}

#[test]
fn sqlite3_is_driven_at_its_own_prompt() {
    keeps_what_sql_does("sqlite3", &[]);
}

/// A database server of its own, on a unix socket; the script starts and stops it.
struct Server(PathBuf);

impl Server {
    /// `None` where this machine has no server to start, which is said.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let server = Self(folder.keep());
        match server.ask("start") {
            0 => Some(server),
            77 => None,
            code => panic!("the server did not start: {code}"),
        }
    }

    fn ask(&self, what: &str) -> i32 {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/postgres");
        let ended = Command::new(script)
            .arg(what)
            .arg(&self.0)
            .stdin(Stdio::null())
            .status();
        ended.expect("the script can be run").code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It removes the folder, too.
        let _ = self.ask("stop");
    }
}

#[test]
fn psql_is_driven_at_its_own_prompt() {
    let Some(server) = Server::start() else {
        return;
    };
    let socket = server.0.to_str().expect("it is UTF-8");
    keeps_what_sql_does(
        "psql",
        &[
            ("PGHOST", socket),
            ("PGUSER", "tester"),
            ("PGDATABASE", "postgres"),
        ],
    );
}

/// What these modules' recordings come to was accepted once.
#[test]
fn the_modules_fit_their_recordings() {
    let daemon = TestDaemon::new();
    let tested = in_fixtures(&daemon, &[], &["modules", "test"]);
    assert_eq!(tested.code, 0, "{tested:?}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules/recordings");
    for module in ["python3", "sqlite3", "psql"] {
        for case in ["objects", "error", "interrupted"] {
            let file = folder.join(format!("{module}-{case}.cast"));
            assert!(file.exists(), "{}", file.display());
            assert!(
                tested
                    .stdout
                    .contains(&format!("ok      {module}-{case}\n")),
                "{tested:?}"
            );
        }
    }
}

#[test]
fn a_program_that_is_missing_is_told_with_how_to_install_it() {
    let daemon = TestDaemon::new();
    let folder = daemon.path(".config/mm/modules.d");
    std::fs::create_dir_all(&folder).expect("the home is ours");
    let text = "module: shop\ntitle: The shop\nshell: bash\nrun: no-such-shop {command}\nneeds:\n  - {program: no-such-shop, install: Install Debian's package shop.}\n";
    std::fs::write(folder.join("shop.yaml"), text).expect("the home is ours");
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "shop", "x"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr
            .contains("`no-such-shop` is not installed. Install Debian's package shop."),
        "{run:?}"
    );
}

/// A shell's own program, which no session can start without.
#[test]
fn a_shell_that_is_missing_is_told_with_how_to_install_it() {
    let daemon = TestDaemon::new();
    let folder = daemon.path(".config/mm/modules.d");
    std::fs::create_dir_all(folder.join("shells")).expect("the home is ours");
    let shell = "shell: talk\ntitle: Talk\nneeds:\n  - {program: no-such-talk, install: Install talk.}\nstart: {program: no-such-talk}\nframe: {encoding: base64, close: \"{nonce} {command}\\n\"}\nmarkers: {begin: \"<<begin:{nonce}>>\", out: \"<<out:{nonce}>>\", end: \"<<end:{nonce}>>\"}\nquoting: plain\n";
    std::fs::write(folder.join("shells/talk.yaml"), shell).expect("the home is ours");
    std::fs::write(
        folder.join("talk.yaml"),
        "module: talk\ntitle: Talk\nshell: talk\n",
    )
    .expect("the home is ours");
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "talk", "x"]);
    assert_eq!(run.code, 7, "{run:?}");
    assert!(run.stderr.contains("Install talk."), "{run:?}");
}
