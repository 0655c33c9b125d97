//! Secrets of every kind in every place where text goes: none of them may be in a file, a log, an answer or an error.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::mcp::client::exo;
use super::mcp::raw::Raw;
use super::support::{TestDaemon, finish, wait_for};

/// How people and programs write secrets; `{}` is where one stands.
const KINDS: [&str; 20] = [
    "Connect-Thing -Password {}",
    "Connect-Thing -ClientSecret '{}' -Force",
    "Connect-Thing -AccessToken \"{}\"",
    "ConvertTo-SecureString '{}' -AsPlainText -Force",
    "ConvertTo-SecureString -AsPlainText -Force \"{}\"",
    "az login -u ada -p {}",
    "m365 login --password {} --userName ada",
    "pac auth create --clientSecret={}",
    "$env:CLIENT_SECRET = '{}'",
    "Invoke-Thing @{ Authorization = 'Bearer {}' }",
    "Invoke-Thing @{ Authorization = 'Basic {}' }",
    "'{\"client_secret\": \"{}\"}'",
    "'Server=x;User=y;Password={};Encrypt=true'",
    "'AccountName=x;AccountKey={}==;EndpointSuffix=y'",
    "'https://x.blob/y?sv=1&sig={}&se=2'",
    "'https://ada:{}@host/x'",
    "curl -u ada:{} https://host",
    "'eyJhbGciOiJub25lIn0.{}.c2ln'",
    "'-----BEGIN PRIVATE KEY----- {} -----END PRIVATE KEY-----'",
    "'to sign in, use https://microsoft.com/devicelogin and enter the code {}'",
];

/// A secret of each kind, each another one.
fn planted() -> Vec<(String, String)> {
    let mut runner = TestRunner::default();
    let mut sample = |pattern: &str| {
        let strategy = proptest::string::string_regex(pattern).expect("it is a pattern");
        let tree = strategy.new_tree(&mut runner).expect("it can be sampled");
        tree.current()
    };
    KINDS
        .iter()
        .map(|kind| {
            let secret = if kind.contains("enter the code") {
                sample("[A-Z]{4}[0-9][A-Z]{4}")
            } else {
                sample("Q[a-z]{3}[0-9][A-Za-z0-9]{20}7")
            };
            (kind.replace("{}", &secret), secret)
        })
        .collect()
}

/// A text in every form in which a file may hold it.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        secret.as_bytes().to_vec(),
        STANDARD.encode(secret).trim_end_matches('=').as_bytes()[..secret.len()].to_vec(),
        wide,
    ]
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    forms(secret)
        .iter()
        .any(|form| memchr::memmem::find(bytes, form).is_some())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("it has a kind");
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

#[test]
fn a_secret_is_nowhere_but_in_the_session() {
    let daemon = TestDaemon::new();
    let mut start = daemon.mm(&["daemon", "start"]);
    start.env("MM_LOG", "trace");
    let start = finish(start, b"");
    assert_eq!(start.code, 0, "{start:?}");
    daemon.sign_in();
    let planted = planted();
    let mut told: Vec<(String, String)> = Vec::new();
    for (number, (command, secret)) in planted.iter().enumerate() {
        let cast = daemon.path(&format!("run-{number}.cast"));
        let cast = cast.to_str().expect("the path is text");
        // Its output is what the program says, and is kept as it is: what goes in is not repeated here.
        let quiet = format!("1 # {command}");
        let run = ["run", "-c", "Contoso", "-m", "exo", "--no-wait", "-"];
        let ran = daemon.run_with(&run, quiet.as_bytes());
        told.push((format!("run {number}"), ran.stdout + &ran.stderr));
        let recorded = ["run", "-c", "Contoso", "-m", "exo", "--record", cast, "-"];
        let ran = daemon.run_with(&recorded, quiet.as_bytes());
        told.push((format!("recorded run {number}"), ran.stderr));
        let refused = daemon.run_with(&["run", "-c", command, "-m", "exo", "-"], quiet.as_bytes());
        told.push((format!("unknown connection {number}"), refused.stderr));
        let answered = daemon.run_with(&["answer", "rabcdefghj"], secret.as_bytes());
        told.push((format!("answer {number}"), answered.stderr));
        let body = json!({"connection": "Contoso", "module": "exo", "command": quiet,
            "reason": command, "wait": secret});
        told.push((
            format!("bad request {number}"),
            daemon.post("/v1/runs", &body),
        ));
    }
    for arguments in [
        &["runs", "list", "--json", "--limit", "100"][..],
        &["status", "--json"],
        &["status", "--history", "--json"],
        &["daemon", "status", "--json"],
        &["approvals", "list", "--json"],
        &["audit", "export"],
        &["audit", "export", "--format", "csv"],
    ] {
        let said = daemon.run(arguments);
        told.push((arguments.join(" "), said.stdout + &said.stderr));
    }
    nowhere(&daemon, &planted, &told);
}

#[test]
fn a_secret_that_stands_in_the_connections_file_is_told_by_nothing() {
    let daemon = TestDaemon::new();
    let secrets: Vec<String> = planted().into_iter().map(|(_, secret)| secret).collect();
    let entry = json!({"tenant": "contoso.com", "clientSecret": secrets[0], "password": secrets[1],
        "description": format!("ask with Bearer {}", secrets[2]), "auth": {"secret": [secrets[3]]},
        "signIn": {"clientSecret": "env:THE_SECRET"}});
    let path = daemon.path("connections.json");
    std::fs::write(&path, json!({"connections": {"Plain": entry}}).to_string())
        .expect("it is ours");
    for arguments in [
        &["connections", "list"][..],
        &["connections", "list", "--json"],
        &["connections", "show", "Plain"],
        &["connections", "show", "Plain", "--json"],
        &["connections", "check"],
        &["connections", "check", "--json"],
        &["doctor", "--json"],
        &["login", "-c", "Plain", "-m", "exo"],
        &["run", "-c", "Plain", "-m", "exo", "--no-wait", "1"],
        &[
            "policy",
            "explain",
            "-c",
            "Plain",
            "-m",
            "exo",
            "Get-Mailbox",
        ],
        &["status", "--json"],
    ] {
        let said = daemon.run(arguments);
        let said = said.stdout + &said.stderr;
        for secret in &secrets[..4] {
            assert!(!said.contains(secret.as_str()), "{arguments:?}: {said}");
        }
    }
    let shown = daemon.run(&["connections", "show", "Plain"]).stdout;
    assert!(shown.contains("env:THE_SECRET"), "{shown}");
    let checked = daemon.run(&["connections", "check"]).stdout;
    for key in ["clientSecret", "password", "description", "auth"] {
        let says = format!("`{key}` holds what looks like a secret");
        assert!(checked.contains(&says), "{checked}");
    }
    assert!(!checked.contains("`signIn` holds"), "{checked}");
    assert_eq!(daemon.run(&["daemon", "stop", "--force"]).code, 0);
}

/// Stops the daemon, and looks for what was planted in every file that it left and everything that was told.
fn nowhere(daemon: &TestDaemon, planted: &[(String, String)], told: &[(String, String)]) {
    let stop = daemon.run(&["daemon", "stop", "--force"]);
    assert_eq!(stop.code, 0, "{stop:?}");
    let mut paths = Vec::new();
    files(&daemon.path(""), &mut paths);
    assert!(
        paths.iter().any(|path| path.ends_with("mm.db")),
        "{paths:?}"
    );
    assert!(
        paths.iter().any(|path| path.ends_with("daemon.log")),
        "{paths:?}"
    );
    let mut leaks = Vec::new();
    for (command, secret) in planted {
        for path in &paths {
            if holds(&std::fs::read(path).expect("it can be read"), secret) {
                leaks.push(format!("{}: {command}", path.display()));
            }
        }
        for (what, text) in told {
            if holds(text.as_bytes(), secret) {
                leaks.push(format!("{what}: {command}\n{text}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// The arguments and the environment of every process that has the daemon's folder in one of them: the daemon, its sessions'
/// programs, and what they started.
fn processes(daemon: &TestDaemon) -> Vec<(String, Vec<u8>)> {
    let folder = daemon.path("");
    let folder = folder.as_os_str().as_encoded_bytes();
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("it is there") {
        let path = entry.expect("an entry").path();
        // A process that ends meanwhile, or is somebody else's, is none of ours.
        let arguments = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let environment = std::fs::read(path.join("environ")).unwrap_or_default();
        let all = [arguments, environment].concat();
        if memchr::memmem::find(&all, folder).is_some() {
            found.push((path.display().to_string(), all));
        }
    }
    found
}

/// Has each notice of something that waits written to a file of its own, with its text.
fn keep_notices(daemon: &TestDaemon) {
    let notify = daemon.path("notify");
    let script = format!(
        "#!/bin/sh\ncat > {0}/notice-$$.part && mv {0}/notice-$$.part {0}/notice-$$.json\n",
        daemon.path("").display()
    );
    std::fs::write(&notify, script).expect("the folder can be written");
    std::fs::set_permissions(&notify, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
    daemon.configure(&format!(
        "approvals: {{notice: {{command: [{}], with_text: true}}}}\n",
        notify.display()
    ));
}

/// How many notices were kept.
fn notices(daemon: &TestDaemon) -> usize {
    let mut paths = Vec::new();
    files(&daemon.path(""), &mut paths);
    let is_notice = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    let inside = |path: &PathBuf| path.parent() == Some(daemon.path("").as_path());
    paths.retain(|path| is_notice(path) && inside(path));
    paths.len()
}

/// Has a command ask for a secret and gives it one. Returns what was said meanwhile.
fn answer_with(daemon: &TestDaemon, secret: &str) -> String {
    daemon.set_entry("policy", &json!("open"));
    crate::approvals::take_on(daemon, "Contoso");
    let words = [
        "run",
        "-c",
        "Contoso",
        "-m",
        "exo",
        "--detach",
        "--on-question",
        "ask",
        "Unlock-Thing",
    ];
    let detached = daemon.run(&words);
    let asked = daemon.wait_for_question("Password");
    let id = asked["id"].as_str().expect("it has one");
    let answered = daemon.run_with(&["answer", id], format!("{secret}\n").as_bytes());
    assert_eq!(answered.code, 0, "{answered:?}");
    daemon.wait_for_run("ended");
    detached.stderr + &answered.stdout + &answered.stderr
}

#[test]
fn a_secret_in_what_a_person_is_asked_or_asks_is_shown_to_nobody() {
    let daemon = TestDaemon::with_scenario("question?approve=100ms");
    daemon.set_entry("policy", &json!("ask"));
    keep_notices(&daemon);
    let mut start = daemon.mm(&["daemon", "start"]);
    start.env("MM_LOG", "trace");
    assert_eq!(finish(start, b"").code, 0);
    daemon.sign_in();
    let planted = planted();
    let mut told: Vec<(String, String)> = Vec::new();
    let mut raw = Raw::start(&daemon, "trace");
    let before = notices(&daemon);
    for (number, (command, secret)) in planted.iter().enumerate() {
        // What a ticket may be long is too short for most; so it is the secret with what gives it away.
        let ticket = format!("password={secret}");
        let ask = json!({
            "connection": "Contoso", "module": "exo", "command": format!("Set-Mailbox x; {command}"),
            "reason": command, "ticket": ticket, "client": "http", "wait": false,
        });
        told.push((format!("run {number}"), daemon.post("/v1/runs", &ask)));
        let waits = ["waiting_for_approval", "ended"];
        let run = wait_for("a run that waits or is refused", || {
            let run = daemon.newest_run();
            waits
                .iter()
                .any(|state| run["state"] == **state)
                .then_some(run)
        });
        let id = run["id"].as_str().unwrap_or("rabcdefghj").to_owned();
        for words in [
            &["approvals", "list"][..],
            &["approvals", "list", "--json"],
            &["approvals", "show", &id],
            &["approvals", "show", &id, "--json"],
            &["runs", "show", &id, "--json"],
        ] {
            let said = daemon.run(words);
            told.push((words.join(" "), said.stdout + &said.stderr));
        }
        let stack = processes(&daemon);
        assert!(stack.len() >= 2, "the daemon and its session's program");
        for (process, bytes) in stack {
            if holds(&bytes, secret) {
                told.push((process, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        let call = exo(json!({"command": format!("Set-Mailbox x; {command}"), "reason": command}));
        raw.call(
            u32::try_from(number).expect("it is small") + 1,
            "run",
            &call,
        );
        let reply = raw.answer().to_string();
        told.push((format!("reply {number}"), reply));
        let waiting = daemon.run(&["approvals", "list", "--json"]);
        let list: serde_json::Value = serde_json::from_str(&waiting.stdout).expect("it is JSON");
        for run in list["runs"].as_array().expect("a list") {
            let id = run["id"].as_str().expect("it has one");
            let no = json!({"reason": format!("because {command}")});
            let denied = daemon.post(&format!("/v1/approvals/{id}/deny"), &no);
            told.push((format!("denial {number}"), denied));
        }
    }
    wait_for("notices", || (notices(&daemon) > before).then_some(()));
    told.push(("answer".to_owned(), answer_with(&daemon, &planted[0].1)));
    raw.call(99, "status", &json!({}));
    told.push(("status".to_owned(), raw.answer().to_string()));
    let (rest, log) = raw.end();
    told.push(("the rest of the replies".to_owned(), rest));
    told.push(("the log of mm mcp".to_owned(), log));
    for words in [
        &["runs", "list", "--json", "--limit", "100"][..],
        &["audit", "list", "--limit", "500"],
        &["audit", "export"],
        &["audit", "export", "--format", "csv"],
        &["daemon", "status", "--json"],
    ] {
        let said = daemon.run(words);
        told.push((words.join(" "), said.stdout + &said.stderr));
    }
    nowhere(&daemon, &planted, &told);
}
