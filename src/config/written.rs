//! [`Written`]: the settings file key for key, and what is wrong with two keys together.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, IntoDeserializer as _};

use super::approvals::{self, ApprovalRules, ApprovalWishes, Notice, NoticeWay};
use super::audit::OnAuditFailure;
use super::settings::{SessionRules, SessionWishes, Settings};
use crate::spec::Interval;

/// Longer than this no yes is waited for: what was true when it was asked is not true the day after.
const LONGEST_APPROVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// Whether a connection is only for the modules that its `mcps` name.
    #[serde(default)]
    enforce_mcps: bool,
    /// What holds for every session.
    #[serde(default)]
    sessions: Sessions,
    /// The same keys for the sessions of one module, by its name.
    #[serde(default)]
    modules: BTreeMap<String, Sessions>,
    /// The same keys for the sessions of one connection, by its name; they go before those of a module.
    #[serde(default)]
    connections: BTreeMap<String, Sessions>,
    /// Who is told of commands that wait for a person's yes, and whose word counts.
    #[serde(default)]
    approvals: Approvals,
    /// The record of what was done.
    #[serde(default)]
    audit: Audit,
}

/// What is wanted of sessions: of all, of a module's, of a connection's.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sessions {
    /// A session that nobody used for so long is signed out and ended.
    idle_limit: Option<Limit>,
    /// So long before that it is announced.
    announce_before: Option<Interval>,
    /// How often an idle session is asked who is signed in.
    check_identity_every: Option<Limit>,
    /// How often an idle session has to prove itself to its service.
    check_service_every: Option<Limit>,
    /// An idle session whose programs use more memory is ended.
    memory_limit: Option<Size>,
    /// An idle session that is older is ended.
    age_limit: Option<Limit>,
    /// Whether a session that was lost is started again where that needs nobody.
    come_back: Option<bool>,
}

/// Approvals of all connections, and of single ones.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Approvals {
    /// How long somebody has to say yes; a day at most.
    valid_for: Option<Interval>,
    /// The clients, by the names that they give themselves, whose own forms count as a person's word.
    trusted_forms: Option<Vec<String>>,
    /// What is told that a program waits for a yes.
    notice: Option<WrittenNotice>,
    /// The same keys for one connection, by its name.
    #[serde(default)]
    connections: BTreeMap<String, ConnectionApprovals>,
}

/// Approvals of one connection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConnectionApprovals {
    /// How long somebody has to say yes; a day at most.
    valid_for: Option<Interval>,
    /// The clients whose own forms count as a person's word here, instead of those of all connections.
    trusted_forms: Option<Vec<String>>,
    /// What is told that a program waits for a yes, instead of what is told for all connections.
    notice: Option<WrittenNotice>,
}

/// What is told: a program or an address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenNotice {
    /// A program with its whole path, and its arguments. No shell is started; the request is on its standard input, as JSON.
    command: Option<Vec<String>>,
    /// An address that the request is sent to, as JSON: `https://…`, or `http://` on this machine; or where the address is
    /// to be had, if it is itself a secret: `file:/PATH`, `env:NAME` or `command:PROGRAM ARGUMENTS`.
    webhook: Option<String>,
    /// Whether the command itself, its preview, the reason and the ticket are told too.
    #[serde(default)]
    with_text: bool,
}

/// The record of what was done.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Audit {
    /// What may run while nothing can be written down: `refuse` everything, or `allow_reads`.
    #[serde(default)]
    on_failure: OnAuditFailure,
}

/// The file's JSON Schema, for editors.
pub(crate) fn settings_schema() -> serde_json::Value {
    crate::spec::schema::<Written>("The settings of mm")
}

/// A length of time, or `never`.
#[derive(Debug)]
struct Limit(Option<Duration>);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self(None));
        }
        Interval::deserialize(text.into_deserializer()).map(|interval| Self(Some(interval.0)))
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h)|never)$" })
    }
}

/// Bytes, or `never`.
#[derive(Debug)]
struct Size(Option<u64>);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self(None));
        }
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
        units
            .iter()
            .find_map(|(unit, shift)| {
                let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
                (number > 0).then(|| number.checked_mul(1 << shift)).flatten()
            })
            .map(|bytes| Self(Some(bytes)))
            .ok_or_else(|| {
                de::Error::custom("this is no amount of memory\na whole number and a unit: `512MiB`, `2GiB`; or `never`")
            })
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9]+ *(KiB|MiB|GiB)|never)$" })
    }
}

impl From<Sessions> for SessionWishes {
    fn from(written: Sessions) -> Self {
        Self {
            idle_limit: written.idle_limit.map(|limit| limit.0),
            announce_before: written.announce_before.map(|interval| interval.0),
            check_identity_every: written.check_identity_every.map(|limit| limit.0),
            check_service_every: written.check_service_every.map(|limit| limit.0),
            memory_limit: written.memory_limit.map(|size| size.0),
            age_limit: written.age_limit.map(|limit| limit.0),
            come_back: written.come_back,
        }
    }
}

/// What is wrong, with the key's path. It repeats no value: an address may be a secret.
impl TryFrom<Written> for Settings {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let wishes = |all: BTreeMap<String, Sessions>| {
            all.into_iter()
                .map(|(name, sessions)| (name, sessions.into()))
                .collect()
        };
        let approvals = written.approvals;
        let all = ConnectionApprovals {
            valid_for: approvals.valid_for,
            trusted_forms: approvals.trusted_forms,
            notice: approvals.notice,
        };
        let mut single = BTreeMap::new();
        for (name, one) in approvals.connections {
            let path = format!("approvals.connections.{name}");
            single.insert(name, lowered(one, &path)?);
        }
        Ok(Self {
            enforce_mcps: written.enforce_mcps,
            sessions: SessionRules::default().with(&written.sessions.into()),
            modules: wishes(written.modules),
            connections: wishes(written.connections),
            approvals: ApprovalRules::default().with(&lowered(all, "approvals")?),
            connection_approvals: single,
            on_audit_failure: written.audit.on_failure,
        })
    }
}

fn lowered(written: ConnectionApprovals, path: &str) -> Result<ApprovalWishes, String> {
    let valid_for = written.valid_for.map(|interval| interval.0);
    if valid_for.is_some_and(|length| length > LONGEST_APPROVAL) {
        return Err(format!("{path}.valid_for: it is longer than a day"));
    }
    let notice = written
        .notice
        .map(|notice| lowered_notice(notice, &format!("{path}.notice")))
        .transpose()?;
    Ok(ApprovalWishes {
        valid_for,
        trusted_forms: written.trusted_forms,
        notice,
    })
}

fn lowered_notice(written: WrittenNotice, path: &str) -> Result<Notice, String> {
    let way = match (written.command, written.webhook) {
        (Some(words), None) => {
            let mut words = words.into_iter();
            let program = words.next().unwrap_or_default();
            if !program.starts_with('/') {
                return Err(format!(
                    "{path}.command: its first word is not the whole path of a program"
                ));
            }
            NoticeWay::Command {
                program: program.into(),
                arguments: words.collect(),
            }
        }
        (None, Some(address)) => NoticeWay::Webhook(
            approvals::read_webhook(address).map_err(|wrong| format!("{path}.webhook: {wrong}"))?,
        ),
        _ => return Err(format!("{path}: it has either `command` or `webhook`")),
    };
    Ok(Notice {
        way,
        with_text: written.with_text,
    })
}
