//! What can be typed, a theme a file. Values are checked here as far as their form goes; what they name is the daemon's
//! business.

mod approvals;
mod audit;
mod connections;
mod extras;
mod modules;
mod policy;
mod recording;
mod run;
mod servers;
mod session;
mod verb;

pub(crate) use approvals::{ApprovalsArgs, ApprovalsVerb};
pub(crate) use audit::{AuditArgs, AuditListArgs, AuditVerb, ExportFormat};
pub(crate) use connections::{AddArgs, ConnectionsArgs, ConnectionsVerb};
pub(crate) use extras::{CompletionsArgs, DemoArgs, StandInArgs};
pub(crate) use modules::{ModulesArgs, ModulesVerb, NewModuleArgs, RecordModuleArgs, SpecKind};
pub(crate) use policy::{PolicyArgs, PolicyVerb};
pub(crate) use recording::{RecordingArgs, RecordingVerb};
pub(crate) use run::{AnswerArgs, OnQuestionArg, RunArgs, RunsArgs, RunsListArgs, RunsVerb};
pub(crate) use servers::{DaemonArgs, DaemonVerb, McpArgs, McpVerb, OnlyMcp};
pub(crate) use session::{DisconnectArgs, ListArgs, LoginArgs, StatusArgs};
pub(crate) use verb::{Args, Verb};
