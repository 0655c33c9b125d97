//! [`Session`]: a client of a server of its own, and the [`Person`] before it.

use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationCapability, FormElicitationCapability, Implementation,
    ProtocolVersion, ReadResourceRequestParams, ResourceContents, UrlElicitationCapability,
};
use rmcp::service::{RequestContext, RunningService};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, ErrorData, RoleClient};
use serde_json::{Value, json};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::support::{DEADLINE, TestDaemon};

/// A client that knows pages or forms, or neither, and does this with them.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) pages: Option<ElicitationAction>,
    /// What is filled in on forms.
    pub(super) form: Option<(ElicitationAction, Value)>,
    /// What was shown.
    pub(super) shown: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Person {
    pub(super) fn new(pages: Option<ElicitationAction>) -> Self {
        Self {
            pages,
            form: None,
            shown: std::sync::Arc::default(),
        }
    }

    /// Who fills in forms.
    pub(super) fn filling_in(action: ElicitationAction, content: Value) -> Self {
        Self {
            form: Some((action, content)),
            ..Self::new(None)
        }
    }

    pub(super) fn shown(&self) -> Vec<String> {
        self.shown.lock().expect("nobody panics with it").clone()
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        let mut takes = ElicitationCapability::new();
        if self.pages.is_some() {
            takes = takes.with_url(UrlElicitationCapability::default());
        }
        if self.form.is_some() {
            takes = takes.with_form(FormElicitationCapability::default());
        }
        capabilities.elicitation = (takes != ElicitationCapability::new()).then_some(takes);
        ClientConfig::new(capabilities, Implementation::new("test", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let mut shown = self.shown.lock().expect("nobody panics with it");
        match &request {
            ElicitRequestParams::UrlElicitationParams { message, url, .. } => {
                shown.push(format!("{message} {url}"));
                let action = self.pages.clone().expect("it said that it takes pages");
                Ok(ElicitResult::new(action))
            }
            ElicitRequestParams::FormElicitationParams { message, .. } => {
                shown.push(message.clone());
                let (action, content) = self.form.clone().expect("it said that it takes forms");
                Ok(ElicitResult::new(action).with_content(content))
            }
            other => panic!("nobody knows {other:?}"),
        }
    }
}

/// A client of a server of its own.
pub(super) struct Session {
    pub(super) service: RunningService<RoleClient, Person>,
    pub(super) child: Child,
}

impl Session {
    pub(super) async fn start(
        daemon: &TestDaemon,
        era: ClientLifecycleMode,
        person: Person,
    ) -> Self {
        Self::start_with(daemon, &["mcp"], era, person).await
    }

    pub(super) async fn start_with(
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

    /// The text of a resource.
    pub(super) async fn resource(&self, uri: &str) -> String {
        let read = self
            .service
            .read_resource(ReadResourceRequestParams::new(uri));
        let result = tokio::time::timeout(DEADLINE, read).await;
        let result = result.expect("it answers in time").expect("it is there");
        let ResourceContents::TextResourceContents { text, .. } = &result.contents[0] else {
            panic!("it is text");
        };
        text.clone()
    }

    /// The answer as a client shows it: what changes from run to run is replaced.
    pub(super) async fn call(&self, tool: &'static str, arguments: Value) -> String {
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

pub(super) fn modern() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    }
}

/// The id of a run that an answer tells of.
pub(super) fn run_id(answer: &str) -> String {
    let start = answer
        .find("Run r")
        .unwrap_or_else(|| panic!("it names no run: {answer}"))
        + 4;
    answer[start..start + 10].to_owned()
}

pub(crate) fn exo(more: Value) -> Value {
    let mut arguments = json!({"connection": "Contoso", "module": "exo"});
    let all = arguments.as_object_mut().expect("it is an object");
    all.extend(more.as_object().expect("it is an object").clone());
    arguments
}

pub(super) fn settings(suffix: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_suffix(suffix);
    settings.add_filter(
        r#"([Rr]un:? `?|of |why |approve |"run_id":"|answer |/)r[a-z0-9]{9}\b"#,
        "${1}RUN",
    );
    settings.add_filter(r"Modules: .*exo \(.*", "Modules: MODULES");
    settings.add_filter(r"\d+\.\d s", "TIME");
    settings.add_filter(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "WHEN");
    settings.add_filter(r"([Tt]ime left:) (1[45]|9|10) min( \d+ s)?", "$1 LEFT");
    settings.add_filter(r"`/[^`]*/exports/", "`FOLDER/");
    settings
}
