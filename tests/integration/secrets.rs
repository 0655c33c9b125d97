//! Secrets of every kind in every place where text goes: none of them may be in a file, a log, an answer or an error.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::support::{DEADLINE, TestDaemon, finish};

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

/// The answer to a request that no program of ours would make.
fn post(daemon: &TestDaemon, path: &str, body: &str) -> String {
    let mut stream = UnixStream::connect(daemon.socket()).expect("the daemon listens");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("it is a socket");
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: mm\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it is answered");
    answer
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
            post(&daemon, "/v1/runs", &body.to_string()),
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
    for (command, secret) in &planted {
        for path in &paths {
            if holds(&std::fs::read(path).expect("it can be read"), secret) {
                leaks.push(format!("{}: {command}", path.display()));
            }
        }
        for (what, text) in &told {
            if holds(text.as_bytes(), secret) {
                leaks.push(format!("{what}: {command}\n{text}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}
