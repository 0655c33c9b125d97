//! `mm mcp` over its standard input and output: every tool and every error as a client sees them, in both eras of the
//! protocol, and what becomes of runs and sign-ins when clients leave.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationCapability, Implementation, ProtocolVersion,
    ReadResourceRequestParams, UrlElicitationCapability,
};
use rmcp::service::{RequestContext, RunningService};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, ErrorData, RoleClient};
use serde_json::{Value, json};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::support::{DEADLINE, TestDaemon, wait_for};

/// A client that knows pages, or none, and does this with them.
#[derive(Clone)]
struct Person {
    pages: Option<ElicitationAction>,
    shown: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Person {
    fn new(pages: Option<ElicitationAction>) -> Self {
        Self {
            pages,
            shown: std::sync::Arc::default(),
        }
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        if self.pages.is_some() {
            let url = ElicitationCapability::new().with_url(UrlElicitationCapability::default());
            capabilities.elicitation = Some(url);
        }
        ClientConfig::new(capabilities, Implementation::new("test", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        if let ElicitRequestParams::UrlElicitationParams { message, url, .. } = &request {
            let mut shown = self.shown.lock().expect("nobody panics with it");
            shown.push(format!("{message} {url}"));
        }
        let action = self.pages.clone().unwrap_or(ElicitationAction::Decline);
        Ok(ElicitResult::new(action))
    }
}

/// A client of a server of its own.
struct Session {
    service: RunningService<RoleClient, Person>,
    child: Child,
}

impl Session {
    async fn start(daemon: &TestDaemon, era: ClientLifecycleMode, person: Person) -> Self {
        Self::start_with(daemon, &["mcp"], era, person).await
    }

    async fn start_with(
        daemon: &TestDaemon,
        arguments: &[&str],
        era: ClientLifecycleMode,
        person: Person,
    ) -> Self {
        let mut child = daemon
            .mm(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("mm was built");
        let pipes = (
            Receiver::from_owned_fd(OwnedFd::from(child.stdout.take().expect("it is piped"))),
            Sender::from_owned_fd(OwnedFd::from(child.stdin.take().expect("it is piped"))),
        );
        let pipes = (pipes.0.expect("a pipe"), pipes.1.expect("a pipe"));
        let service = person
            .serve_with_lifecycle(pipes, era)
            .await
            .expect("the server answers");
        Self { service, child }
    }

    /// The answer as a client shows it: what changes from run to run is replaced.
    async fn call(&self, tool: &'static str, arguments: Value) -> String {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object");
        };
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = tokio::time::timeout(DEADLINE, self.service.call_tool(params))
            .await
            .expect("it answers in time");
        match result {
            Ok(result) => {
                let mark = if result.is_error == Some(true) {
                    "failed"
                } else {
                    "answered"
                };
                let texts: Vec<&str> = result
                    .content
                    .iter()
                    .map(|block| block.as_text().expect("only text is used").text.as_str())
                    .collect();
                format!("[{tool} {mark}]\n{}\n", texts.join("\n"))
            }
            Err(error) => format!("[{tool}: {error}]\n"),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

fn modern() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    }
}

/// The id of a run that an answer tells of.
fn run_id(answer: &str) -> String {
    let start = answer.find("Run r").expect("it names a run") + 4;
    answer[start..start + 10].to_owned()
}

fn exo(more: Value) -> Value {
    let mut arguments = json!({"connection": "Contoso", "module": "exo"});
    let all = arguments.as_object_mut().expect("it is an object");
    all.extend(more.as_object().expect("it is an object").clone());
    arguments
}

fn settings(suffix: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_suffix(suffix);
    settings.add_filter(
        r#"([Rr]un:? `?|of |"run_id":"|answer |/)r[a-z0-9]{9}\b"#,
        "${1}RUN",
    );
    settings.add_filter(r"Modules: .*exo \(.*", "Modules: MODULES");
    settings.add_filter(r"\d+\.\d s", "TIME");
    settings.add_filter(r"\d{4}-\d\d-\d\dT[\d:]+Z", "WHEN");
    settings.add_filter(r"Time left: 1[45] min( \d+ s)?", "Time left: LEFT");
    settings.add_filter(r"`/[^`]*/exports/", "`FOLDER/");
    settings
}

/// One person's day: every tool, with every kind of answer.
#[expect(clippy::too_many_lines, reason = "it is one list of calls")]
async fn story(era: ClientLifecycleMode) -> String {
    let daemon = TestDaemon::with_scenario("question?approve=2s");
    let client = Session::start(&daemon, era, Person::new(None)).await;
    let mut told = String::new();
    for (tool, arguments) in [
        ("connections", json!({})),
        ("status", json!({})),
        ("wait", exo(json!({}))),
        ("wait", json!({"run_id": "raaaaaaaaa"})),
        ("wait", json!({})),
        ("run", exo(json!({"command": "1"}))),
        ("wait", exo(json!({}))),
        ("login", exo(json!({}))),
        ("status", json!({"connection": "Contoso"})),
        ("run", exo(json!({"command": "Get-AcceptedDomain"}))),
        (
            "run",
            exo(json!({"command": "Get-AcceptedDomain", "format": "json", "first": 1})),
        ),
        (
            "run",
            exo(
                json!({"command": "Get-AcceptedDomain", "format": "csv", "select": ["domainname"]}),
            ),
        ),
        (
            "run",
            exo(json!({"command": "Get-AcceptedDomain", "format": "count"})),
        ),
        (
            "run",
            exo(json!({"command": "Get-AcceptedDomain", "select": ["Default"]})),
        ),
        (
            "run",
            exo(json!({"command": "Get-Mailbox nobody@contoso.com"})),
        ),
        (
            "run",
            exo(json!({"command": "Get-Mailbox nobody@contoso.com", "format": "json"})),
        ),
        ("run", exo(json!({"command": "if ("}))),
        ("run", exo(json!({"command": ""}))),
        ("run", exo(json!({"command": "exit"}))),
        (
            "run",
            exo(json!({"command": "Start-Sleep 60", "timeout_seconds": 1})),
        ),
        ("run", exo(json!({"command": "1", "confirmed": true}))),
        (
            "run",
            json!({"connection": "Contosso", "module": "exo", "command": "1"}),
        ),
        (
            "run",
            json!({"connection": "Contoso", "module": "exp", "command": "1"}),
        ),
        ("answer", json!({"run_id": "raaaaaaaaa", "text": "Y"})),
        ("stop", json!({"run_id": "../x"})),
        ("no_such_tool", json!({})),
    ] {
        told.push_str(&client.call(tool, arguments).await);
    }

    let asks = client
        .call(
            "run",
            exo(json!({"command": "Remove-Mailbox user3@contoso.com"})),
        )
        .await;
    let id = run_id(&asks);
    told.push_str(&asks);
    told.push_str(
        &client
            .call("answer", json!({"run_id": id, "text": "Y"}))
            .await,
    );
    told.push_str(
        &client
            .call("answer", json!({"run_id": id, "text": "Y"}))
            .await,
    );

    let secret = client
        .call("run", exo(json!({"command": "Unlock-Thing"})))
        .await;
    let id = run_id(&secret);
    told.push_str(&secret);
    told.push_str(
        &client
            .call("answer", json!({"run_id": id, "text": "hunter2"}))
            .await,
    );
    told.push_str(&client.call("stop", json!({"run_id": id})).await);

    let long = client
        .call("run", exo(json!({"command": "1..300", "max_chars": 500})))
        .await;
    let id = run_id(&long);
    told.push_str(&long.replace('\n', " "));
    told.push('\n');
    let page = json!({"run_id": id, "from": 300, "max_chars": 500});
    told.push_str(&client.call("output", page).await.replace('\n', " "));
    told.push('\n');
    told.push_str(
        &client
            .call("output", json!({"run_id": id, "search": "99"}))
            .await,
    );
    told.push_str(
        &client
            .call("output", json!({"run_id": id, "format": "csv"}))
            .await,
    );
    told.push_str(
        &client
            .call("output", json!({"run_id": id, "export": true}))
            .await,
    );
    let file = daemon.path(&format!("state/exports/{id}.txt"));
    let text = std::fs::read_to_string(file).expect("it was written");
    assert!(
        text.starts_with("1\n2\n") && text.ends_with("300\n"),
        "{text}"
    );

    let later = client
        .call(
            "run",
            exo(json!({"command": "Start-Sleep 60", "wait_seconds": 1})),
        )
        .await;
    let id = run_id(&later);
    told.push_str(&later);
    told.push_str(
        &client
            .call("wait", json!({"run_id": id, "wait_seconds": 0}))
            .await,
    );
    told.push_str(&client.call("status", json!({})).await);
    told.push_str(&client.call("stop", json!({"run_id": id})).await);
    told.push_str(&client.call("disconnect", exo(json!({}))).await);
    told.push_str(&client.call("disconnect", exo(json!({}))).await);
    told
}

#[tokio::test]
async fn the_story_is_the_same_in_both_eras() {
    let first = story(ClientLifecycleMode::Initialize);
    let second = story(modern());
    let (first, second) = tokio::join!(first, second);
    for told in [first, second] {
        settings("story").bind(|| insta::assert_snapshot!("mcp", told));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_names_answer_with_old_texts() {
    let daemon = TestDaemon::with_scenario("exo?approve=3s");
    let start = ["mcp", "--legacy", "all"];
    let client = Session::start_with(
        &daemon,
        &start,
        ClientLifecycleMode::Initialize,
        Person::new(None),
    )
    .await;
    let pwsh = |more: Value| {
        let mut arguments = json!({"tenant": "contoso.com", "module": "exo"});
        let all = arguments.as_object_mut().expect("it is an object");
        all.extend(more.as_object().expect("it is an object").clone());
        arguments
    };
    let mut told = String::new();
    for (tool, arguments) in [
        ("run", json!({})),
        ("run", json!({"connection": "Contoso"})),
        ("pwsh_list_connections", json!({})),
        ("pwsh_run", pwsh(json!({"command": "1"}))),
        ("run", exo(json!({"command": "1"}))),
        ("pwsh_status", pwsh(json!({}))),
        ("connections", json!({})),
    ] {
        told.push_str(&client.call(tool, arguments).await);
    }
    tokio::task::block_in_place(|| daemon.sign_in());
    for (tool, arguments) in [
        ("run", exo(json!({"command": "1..3", "confirmed": true}))),
        (
            "mm_run",
            exo(json!({"command": "Set-Mailbox user1@contoso.com -Hidden 1"})),
        ),
        ("mm_run", exo(json!({"command": "if ("}))),
        (
            "mm_run",
            exo(json!({"command": "Remove-Mailbox user3@contoso.com"})),
        ),
        ("pwsh_run", pwsh(json!({"command": "1..3"}))),
        (
            "pwsh_run",
            json!({"connectionName": "Contoso", "module": "exo", "command": "'x'"}),
        ),
        (
            "pwsh_run",
            pwsh(json!({"command": "Set-Mailbox user1@contoso.com -Hidden 1"})),
        ),
        ("pwsh_login", pwsh(json!({"account": "1"}))),
        ("pwsh_sessions", json!({})),
        ("mm_status", json!({})),
        ("pwsh_disconnect", pwsh(json!({}))),
        (
            "pwsh_disconnect",
            pwsh(json!({"confirmation": "DISCONNECT"})),
        ),
        ("mm_disconnect", exo(json!({}))),
    ] {
        told.push_str(&client.call(tool, arguments).await);
    }
    settings("legacy").bind(|| insta::assert_snapshot!("mcp", told));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_and_outputs_have_addresses() {
    let daemon = TestDaemon::new();
    tokio::task::block_in_place(|| daemon.sign_in());
    for era in [ClientLifecycleMode::Initialize, modern()] {
        let client = Session::start(&daemon, era, Person::new(None)).await;
        let listed = client.service.list_all_resources().await.expect("it lists");
        let addresses: Vec<&str> = listed.iter().map(|one| one.uri.as_str()).collect();
        assert_eq!(
            addresses,
            ["m365://sessions", "m365://sessions/Contoso/exo"]
        );
        let answer = client.call("run", exo(json!({"command": "'hello'"}))).await;
        let output = format!("m365://runs/{}/output", run_id(&answer));
        for (uri, wanted) in [
            ("m365://sessions", "ada@contoso.com"),
            ("m365://sessions/Contoso/exo", "ada@contoso.com"),
            (&output, "hello\\n"),
        ] {
            let request = ReadResourceRequestParams::new(uri);
            let read = client
                .service
                .read_resource(request)
                .await
                .expect("it reads");
            let text = serde_json::to_string(&read.contents).expect("it is JSON");
            assert!(text.contains(wanted), "{text}");
        }
        for uri in [
            "m365://sessions/Other/exo",
            "m365://runs/raaaaaaaaa/output",
            "m365://x",
        ] {
            let request = ReadResourceRequestParams::new(uri);
            let error = client.service.read_resource(request).await;
            let error = error.expect_err("there is none").to_string();
            assert!(error.contains("no such resource"), "{error}");
        }
        let prompts = client.service.list_all_prompts().await.expect("it lists");
        assert_eq!(prompts.len(), 1);
    }
}

#[tokio::test]
async fn failed_sign_ins_say_what_to_do() {
    let mut told = String::new();
    for scenario in [
        "wrong-account?approve=200ms",
        "declined?approve=200ms",
        "blocked?approve=200ms",
        "bad-app",
    ] {
        let daemon = TestDaemon::with_scenario(scenario);
        let client = Session::start(&daemon, modern(), Person::new(None)).await;
        told.push_str("# ");
        told.push_str(scenario);
        told.push('\n');
        client.call("login", exo(json!({}))).await;
        told.push_str(&client.call("wait", exo(json!({}))).await);
    }
    settings("failures").bind(|| insta::assert_snapshot!("mcp", told));
}

#[tokio::test]
async fn a_page_is_shown_to_clients_that_can_and_the_code_is_told_all_the_same() {
    for era in [ClientLifecycleMode::Initialize, modern()] {
        for action in [ElicitationAction::Accept, ElicitationAction::Decline] {
            let daemon = TestDaemon::with_scenario("exo?approve=15m");
            let person = Person::new(Some(action.clone()));
            let client = Session::start(&daemon, era.clone(), person.clone()).await;
            let answer = client.call("login", exo(json!({}))).await;
            assert!(answer.starts_with("[login answered]"), "{answer}");
            assert!(answer.contains("Code: C4NTS7K9Q"), "{answer}");
            let wanted = if action == ElicitationAction::Accept {
                "does not mean that they are done"
            } else {
                "did not want to open the page"
            };
            assert!(answer.contains(wanted), "{answer}");
            let shown = person.shown.lock().expect("nobody panics with it").clone();
            assert_eq!(
                shown,
                [
                    "Sign in to Contoso/exo as ada@contoso.com: enter the code C4NTS7K9Q on the page. https://login.microsoft.com/device"
                ]
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_went_away_is_told_and_heals() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let running = client.call("run", exo(json!({"command": "Start-Sleep 60"})));
    let killed = async {
        let pid = tokio::task::block_in_place(|| {
            daemon.wait_for_run("running");
            daemon.pid().expect("it runs")
        });
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("it is small"));
        rustix::process::kill_process(pid.expect("it is no 0"), rustix::process::Signal::KILL)
            .expect("it is ours");
    };
    let (answer, ()) = tokio::join!(running, killed);
    assert!(
        answer.contains("[run failed]") && answer.contains("went away"),
        "{answer}"
    );
    let status = client.call("status", json!({})).await;
    assert!(status.contains("No session lives"), "{status}");
}

/// The server as a program that is written to and read from line by line.
struct Raw {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Raw {
    fn start(daemon: &TestDaemon, log: &str) -> Self {
        let mut child = daemon
            .mm(&["mcp"])
            .env("MM_LOG", log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mm was built");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut raw = Self {
            child,
            input,
            output,
        };
        raw.send(
            &json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"}}}),
        );
        assert_eq!(raw.answer()["id"], 0);
        raw.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        raw
    }

    fn send(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{message}").expect("it reads");
    }

    fn call(&mut self, id: u32, tool: &str, arguments: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments}}));
    }

    /// The next line, which has to be of the protocol.
    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it writes");
        let value: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        assert_eq!(value["jsonrpc"], "2.0");
        value
    }

    /// Closes its input and waits for its end; the rest of its output.
    fn end(mut self) -> (String, String) {
        drop(self.input.take());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut rest).expect("it is UTF-8");
        let output = self.child.wait_with_output().expect("it is our child");
        assert!(output.status.success(), "{output:?}");
        (rest, String::from_utf8(output.stderr).expect("it is UTF-8"))
    }
}

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
fn a_run_whose_id_nobody_got_ends_with_its_caller() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let sleep = exo(json!({"command": "Start-Sleep 60"}));
    // By cancelling, by closing the pipe, and by being killed.
    for way in 0..3 {
        let mut raw = Raw::start(&daemon, "off");
        raw.call(1, "run", &sleep);
        daemon.wait_for_run("running");
        match way {
            0 => raw.send(
                &json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
                "params": {"requestId": 1}}),
            ),
            1 => drop(raw.input.take()),
            _ => raw.child.kill().expect("it is our child"),
        }
        let run = daemon.wait_for_run("ended");
        assert_eq!(run["end"]["outcome"], "stopped", "{way}: {run}");
        if way == 1 {
            raw.end();
        } else {
            drop(raw.child.kill());
            raw.child.wait().expect("it is our child");
        }
        wait_for("a session that is ready", || {
            (daemon.session()["state"] == "ready").then_some(())
        });
    }
}

#[test]
fn a_run_that_was_handed_over_goes_on_without_its_caller() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut raw = Raw::start(&daemon, "off");
    let command = "1..40 | ForEach-Object { $_; Start-Sleep -Milliseconds 50 }";
    raw.call(
        1,
        "run",
        &exo(json!({"command": command, "wait_seconds": 0})),
    );
    assert!(raw.answer().to_string().contains("run_id"));
    raw.child.kill().expect("it is our child");
    raw.child.wait().expect("it is our child");
    assert_eq!(daemon.wait_for_run("ended")["end"]["outcome"], "succeeded");
}

#[test]
fn no_sign_in_ends_because_nobody_waits_for_it() {
    let daemon = TestDaemon::with_scenario("exo?approve=15m");
    for method in ["wait", "login"] {
        let mut raw = Raw::start(&daemon, "off");
        raw.call(1, "login", &exo(json!({})));
        raw.answer();
        raw.call(2, method, &exo(json!({})));
        raw.end();
        let session = daemon.session();
        assert_eq!(session["challenge"]["user_code"], "C4NTS7K9Q", "{session}");
    }
}

#[test]
fn the_end_of_input_is_acted_on_at_once() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut raw = Raw::start(&daemon, "off");
    raw.call(1, "run", &exo(json!({"command": "Start-Sleep 60"})));
    daemon.wait_for_run("running");
    let began = std::time::Instant::now();
    raw.end();
    // The library's own way takes five seconds.
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    wait_for("a run that was stopped", || {
        (daemon.newest_run()["end"]["outcome"] == "stopped").then_some(())
    });
}

#[test]
fn a_check_says_what_a_client_sees() {
    let daemon = TestDaemon::new();
    let check = daemon.run(&["mcp", "check"]);
    assert_eq!(check.code, 0, "{check:?}");
    for wanted in [
        "2026-07-28",
        "connections, status, login, wait, run",
        "1 connection,",
        "No session",
    ] {
        assert!(check.stdout.contains(wanted), "{check:?}");
    }
    let config = daemon.run(&["mcp", "config", "claude"]);
    assert!(config.stdout.starts_with("claude mcp add"), "{config:?}");
}
