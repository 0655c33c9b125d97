//! The tools of the two programs that came before, under their old names and with their old texts, so that a configuration
//! that knows them changes one path. A failure is a text here, as it was then; what is enforced is enforced all the same.

use std::fmt::Write as _;
use std::time::Duration;

use clap::ValueEnum;
use rmcp::model::{Tool as Listed, ToolAnnotations};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{Part, SessionArgs};
use super::call::Call;
use super::excerpt::{Source, all, excerpt};
use super::follow::{self, Stands};
use super::reply::{Refusal, Reply};
use super::shape::Shape;
use super::{clean, schema, tell, verbs};
use crate::api::{
    DisconnectRequest, ErrorCode, Mode, Offers, OnDisconnect, OnQuestion, OnSignedOut, Outcome,
    Run, RunRequest, Session,
};
use crate::client::{Client, ClientError};

/// As long as the old programs waited for a command.
const WAIT: Duration = Duration::from_secs(300);

/// The old programs knew no pages; more than this no client takes.
const MAX_CHARS: usize = 45_000;

/// How deep the old program wrote objects.
const DEPTH: u8 = 10;

/// Whose old names are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Legacy {
    /// `run`, `mm_run`, `mm_status`, `mm_disconnect`
    Mm,
    /// `pwsh_login`, `pwsh_status`, `pwsh_run`, `pwsh_sessions`, `pwsh_list_connections`, `pwsh_disconnect`
    Pwsh,
    /// Both
    All,
}

/// An old tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OldTool {
    Run,
    MmRun,
    MmStatus,
    MmDisconnect,
    PwshLogin,
    PwshStatus,
    PwshRun,
    PwshSessions,
    PwshListConnections,
    PwshDisconnect,
}

/// Every key that an old configuration uses; what else it sends was ignored then and is ignored now.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct OldArgs {
    /// Name of the connection.
    #[schemars(with = "String")]
    connection: Option<String>,
    /// The same as connection.
    #[serde(rename = "connectionName")]
    #[schemars(with = "String")]
    connection_name: Option<String>,
    /// The same as connection; a tenant's domain or id is understood too.
    #[schemars(with = "String")]
    tenant: Option<String>,
    /// Name of the module: exo, azure, teams, pnp, ...
    #[schemars(with = "String")]
    module: Option<String>,
    /// The command to run.
    #[schemars(with = "String")]
    command: Option<String>,
    /// DISCONNECT, for `pwsh_disconnect`.
    #[schemars(with = "String")]
    confirmation: Option<String>,
}

impl OldTool {
    const MM: [Self; 4] = [Self::Run, Self::MmRun, Self::MmStatus, Self::MmDisconnect];
    const PWSH: [Self; 6] = [
        Self::PwshLogin,
        Self::PwshStatus,
        Self::PwshRun,
        Self::PwshSessions,
        Self::PwshListConnections,
        Self::PwshDisconnect,
    ];

    /// The list that is shown, in a fixed order.
    pub(super) fn list(legacy: Legacy) -> Vec<Self> {
        match legacy {
            Legacy::Mm => Self::MM.to_vec(),
            Legacy::Pwsh => Self::PWSH.to_vec(),
            Legacy::All => [&Self::MM[..], &Self::PWSH[..]].concat(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::MmRun => "mm_run",
            Self::MmStatus => "mm_status",
            Self::MmDisconnect => "mm_disconnect",
            Self::PwshLogin => "pwsh_login",
            Self::PwshStatus => "pwsh_status",
            Self::PwshRun => "pwsh_run",
            Self::PwshSessions => "pwsh_sessions",
            Self::PwshListConnections => "pwsh_list_connections",
            Self::PwshDisconnect => "pwsh_disconnect",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Run | Self::MmRun => {
                "Run a PowerShell command in a Microsoft 365 session. Without arguments: list the connections. Where a sign-in is needed, the answer has a device code to show to the person; then retry."
            }
            Self::MmStatus | Self::PwshSessions => "List the Microsoft 365 sessions.",
            Self::MmDisconnect => "Sign out one Microsoft 365 session.",
            Self::PwshLogin => {
                "Start a Microsoft 365 sign-in: the answer has a device code to show to the person."
            }
            Self::PwshStatus => "Say whether a Microsoft 365 session is signed in.",
            Self::PwshRun => {
                "Run a PowerShell command in a signed-in Microsoft 365 session and return its objects as JSON."
            }
            Self::PwshListConnections => "List the Microsoft 365 connections.",
            Self::PwshDisconnect => {
                "Sign out one Microsoft 365 session; confirmation must be DISCONNECT."
            }
        }
    }

    /// As clients see it.
    pub(super) fn listed(self) -> Listed {
        let hints = ToolAnnotations::new();
        let hints = match self {
            Self::Run | Self::MmRun | Self::PwshRun | Self::MmDisconnect | Self::PwshDisconnect => {
                hints.read_only(false).destructive(true)
            }
            Self::PwshLogin => hints.read_only(false).destructive(false),
            Self::MmStatus | Self::PwshStatus | Self::PwshSessions | Self::PwshListConnections => {
                hints.read_only(true)
            }
        };
        Listed::new(self.name(), self.description(), schema::of::<OldArgs>())
            .with_annotations(hints)
    }
}

/// Answers as the old programs did.
pub(super) async fn call(call: &Call, tool: OldTool, arguments: Value) -> Result<Reply, Refusal> {
    match answer(call, tool, arguments).await {
        Ok(text) => Ok(Reply::new(text)),
        Err(refusal) if call.is_left() => Err(refusal),
        Err(refusal) => Ok(Reply::new(format!("Error: {}", refusal.message()))),
    }
}

async fn answer(call: &Call, tool: OldTool, arguments: Value) -> Result<String, Refusal> {
    let args: OldArgs = serde_json::from_value(arguments).map_err(|error| {
        Refusal::new(
            format!("the arguments are not right: {error}"),
            "correct them and call again",
        )
    })?;
    let client = call.client().await?;
    match tool {
        OldTool::PwshListConnections => Ok(listed(&client.offers().await?).to_string()),
        OldTool::MmStatus => Ok(table(&client.sessions(None, None).await?)),
        OldTool::PwshSessions => {
            let sessions = client.sessions(None, None).await?;
            let sessions: Vec<Value> = sessions.iter().map(session).collect();
            Ok(json!({"sessions": sessions}).to_string())
        }
        OldTool::Run | OldTool::MmRun => run(call, &client, args).await,
        OldTool::PwshRun => pwsh_run(call, &client, args).await,
        OldTool::PwshLogin => login(call, &client, args).await,
        OldTool::PwshStatus => status(&client, args).await,
        OldTool::MmDisconnect => disconnect(&client, args).await,
        OldTool::PwshDisconnect if args.confirmation.as_deref() == Some("DISCONNECT") => {
            let message = disconnect(&client, args).await?;
            Ok(json!({"success": true, "message": message}).to_string())
        }
        OldTool::PwshDisconnect => Err(Refusal::new(
            "confirmation must be DISCONNECT",
            "ask the person, then call again with it",
        )),
    }
}

/// The session that is meant.
async fn which(client: &Client, args: &OldArgs) -> Result<SessionArgs, Refusal> {
    let named = [&args.connection, &args.connection_name, &args.tenant];
    let named = named.into_iter().flatten().find(|name| !name.is_empty());
    let (Some(named), Some(module)) = (named, &args.module) else {
        return Err(Refusal::new(
            "connection and module are required",
            "call again with both",
        ));
    };
    Ok(SessionArgs {
        connection: resolved(&client.offers().await?, named),
        module: module.clone(),
    })
}

/// The connection of this name, or the only one with this tenant; else the name as it is, which the daemon refuses with
/// what it knows.
fn resolved(offers: &Offers, named: &str) -> String {
    let all = &offers.connections;
    if all.iter().any(|one| one.name.as_str() == named) {
        return named.to_owned();
    }
    let same = |text: &str| text.eq_ignore_ascii_case(named);
    let mut found = all.iter().filter(|one| {
        same(one.name.as_str()) || same(&one.tenant) || one.tenant_id.as_deref().is_some_and(same)
    });
    match (found.next(), found.next()) {
        (Some(only), None) => only.name.to_string(),
        _ => named.to_owned(),
    }
}

fn listed(offers: &Offers) -> Value {
    let connections: Vec<Value> = offers
        .connections
        .iter()
        .map(|one| json!({"name": one.name, "tenant": one.tenant, "description": one.description}))
        .collect();
    json!({"connections": connections})
}

fn table(sessions: &[Session]) -> String {
    if sessions.is_empty() {
        return "No active sessions.".to_owned();
    }
    let told: Vec<String> = sessions.iter().map(tell::session).collect();
    told.join("\n")
}

fn session(session: &Session) -> Value {
    json!({
        "tenant": session.connection,
        "module": session.module,
        "authenticated": session.signed_in(),
        "auth_pending": session.challenge.is_some(),
        "connected": session.signed_in(),
    })
}

async fn run(call: &Call, client: &Client, args: OldArgs) -> Result<String, Refusal> {
    let named =
        args.connection.is_some() || args.connection_name.is_some() || args.tenant.is_some();
    let command = args.command.clone().filter(|command| !command.is_empty());
    let (true, Some(_), Some(command)) = (named, &args.module, command) else {
        if named || args.module.is_some() || args.command.is_some() {
            return Ok("Error: connection, module, and command are all required".to_owned());
        }
        let mut text = "**Available Connections:**".to_owned();
        for one in &client.offers().await?.connections {
            let description = one.description.as_deref().unwrap_or(&one.tenant);
            write!(
                text,
                "\n- **{}**: {}",
                one.name,
                clean::line(description, 300)
            )
            .expect("a string takes everything");
        }
        return Ok(text);
    };
    let session = which(client, &args).await?;
    let run = match ended(call, client, &session, command, Mode::Text).await? {
        Came::Run(run) => run,
        Came::SignIn(session) => return Ok(device_code(&session)),
        Came::Later(text) => return Ok(text),
    };
    let source = Source::Kept { client, run: &run };
    let page = excerpt(&source, None, Part::HeadAndTail, MAX_CHARS).await?;
    Ok(if succeeded(&run) {
        match page.body.trim() {
            "" => "(no output)".to_owned(),
            _ => page.body,
        }
    } else {
        format!(
            "Error: {}\n{}{}",
            tell::run(&run),
            page.body,
            tell::errors(&run, &page.body)
        )
    })
}

async fn pwsh_run(call: &Call, client: &Client, args: OldArgs) -> Result<String, Refusal> {
    let session = which(client, &args).await?;
    let command = args.command.unwrap_or_default();
    let run = match ended(call, client, &session, command, Mode::Records).await? {
        Came::Run(run) => run,
        Came::SignIn(session) => return Ok(pending(&session)),
        Came::Later(text) => return Ok(text),
    };
    if !succeeded(&run) {
        return Ok(format!(
            "Error: {}\n{}",
            tell::run(&run),
            tell::errors(&run, "")
        ));
    }
    let mut objects = Shape::objects(&all(client, &run).await?);
    Ok(match objects.len() {
        0 => "OK".to_owned(),
        1 => objects.remove(0).to_string(),
        _ => {
            let text = Value::Array(objects).to_string();
            excerpt(&Source::Made(&text), None, Part::HeadAndTail, MAX_CHARS)
                .await?
                .body
        }
    })
}

fn succeeded(run: &Run) -> bool {
    run.end
        .as_ref()
        .is_some_and(|end| end.outcome == Outcome::Succeeded)
}

/// What came of a command.
enum Came {
    Run(Box<Run>),
    /// Nothing ran.
    SignIn(Box<Session>),
    /// It goes on.
    Later(String),
}

async fn ended(
    call: &Call,
    client: &Client,
    session: &SessionArgs,
    command: String,
    mode: Mode,
) -> Result<Came, Refusal> {
    let request = RunRequest {
        mode,
        depth: DEPTH,
        timeout_ms: Some(30 * 60 * 1000),
        on_disconnect: OnDisconnect::Stop,
        // The old lists have no tool for an answer.
        on_question: OnQuestion::Fail,
        on_signed_out: OnSignedOut::Refuse,
        client: "mcp".to_owned(),
        ..RunRequest::new(&session.connection, &session.module, command)
    };
    let events = match client.run(&request).await {
        Err(ClientError::Api(error)) if error.code == ErrorCode::SignInNeeded => {
            let session = verbs::begin_sign_in(call, client, session.clone()).await?;
            return Ok(Came::SignIn(Box::new(session)));
        }
        other => other?,
    };
    let (stands, events) = follow::run_without_questions(call, events, WAIT).await?;
    let came = match stands {
        Stands::Ended(run) => Came::Run(run),
        Stands::Asks(run) | Stands::GoesOn(run) => {
            client.keep(run.id.as_str()).await?;
            Came::Later(format!(
                "Timeout: {}; `mm runs output {} --follow` shows it",
                tell::run(&run),
                run.id
            ))
        }
    };
    drop(events);
    Ok(came)
}

fn device_code(session: &Session) -> String {
    let Some(challenge) = &session.challenge else {
        if session.signed_in() {
            return "Authenticated. Retry the command.".to_owned();
        }
        return match &session.failure {
            Some(failure) if failure.name == "wrong-account" => {
                "WARNING: Authenticated with wrong account. Re-authentication required.".to_owned()
            }
            Some(failure) => format!("Error: {}", clean::line(&failure.message, 1_000)),
            None => "Auth in progress by another caller. Retry in a few seconds.".to_owned(),
        };
    };
    let account = match &challenge.expected_account {
        Some(account) => format!("**Sign in as: {}**\n", clean::line(account, 200)),
        None => String::new(),
    };
    format!(
        "**DEVICE CODE: {}**\nGo to: {}\n\nConnection: {}\n{account}Module: {}\n\nAfter authenticating, retry the command.",
        clean::line(&challenge.user_code, 80),
        clean::line(&challenge.verification_uri, 300),
        session.connection,
        session.module,
    )
}

/// A sign-in as the old program told of it.
fn pending(session: &Session) -> String {
    let challenge = session.challenge.as_ref();
    json!({
        "success": session.signed_in() || challenge.is_some(),
        "result": device_code(session),
        "auth_pending": challenge.is_some(),
        "device_code": challenge.map(|challenge| &challenge.user_code),
        "auth_url": challenge.map(|challenge| &challenge.verification_uri),
    })
    .to_string()
}

async fn login(call: &Call, client: &Client, args: OldArgs) -> Result<String, Refusal> {
    let session = which(client, &args).await?;
    let session = verbs::begin_sign_in(call, client, session).await?;
    Ok(pending(&session))
}

async fn status(client: &Client, args: OldArgs) -> Result<String, Refusal> {
    let key = which(client, &args).await?;
    let found = client
        .sessions(Some(&key.connection), Some(&key.module))
        .await?;
    let connected = found.first().is_some_and(Session::signed_in);
    let pending = found.first().is_some_and(|one| one.challenge.is_some());
    Ok(json!({
        "success": true,
        "tenant": key.connection,
        "module": key.module,
        "connected": connected,
        "auth_pending": pending,
    })
    .to_string())
}

async fn disconnect(client: &Client, args: OldArgs) -> Result<String, Refusal> {
    let session = which(client, &args).await?;
    let request = DisconnectRequest {
        connection: session.connection,
        module: session.module,
        force: false,
    };
    let key = client.disconnect(&request).await?;
    Ok(format!("Disconnected {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_lists_are_kept() {
        let names = |legacy| -> Vec<&str> {
            OldTool::list(legacy)
                .into_iter()
                .map(OldTool::name)
                .collect()
        };
        assert_eq!(
            names(Legacy::Mm),
            ["run", "mm_run", "mm_status", "mm_disconnect"]
        );
        assert_eq!(names(Legacy::All).len(), 10);
        insta::assert_json_snapshot!(OldTool::Run.listed());
    }

    #[test]
    fn a_tenant_names_its_only_connection() {
        let offers: Offers = serde_json::from_value(json!({"connections": [
            {"name": "Contoso", "tenant": "contoso.com", "tenant_id": "aaaa"},
            {"name": "One", "tenant": "shared.com"},
            {"name": "Two", "tenant": "shared.com"},
        ]}))
        .expect("it is a list");
        for named in ["Contoso", "contoso", "CONTOSO.com", "AAAA"] {
            assert_eq!(resolved(&offers, named), "Contoso");
        }
        assert_eq!(resolved(&offers, "shared.com"), "shared.com");
    }
}
