//! [`ApprovalRules`]: how long a yes is waited for, whose form counts as one, and who is told.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::{Reference, Secret};

/// What holds for the approvals of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApprovalRules {
    /// How long somebody has to say yes.
    pub(crate) valid_for: Duration,
    /// The clients, by the names that they give themselves, whose own forms count as a person's word. Nobody by default: a
    /// name is easily taken.
    pub(crate) trusted_forms: Vec<String>,
    /// Who is told that a program waits.
    pub(crate) notice: Option<Notice>,
}

/// As [`ApprovalRules`], with what was left open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ApprovalWishes {
    pub(super) valid_for: Option<Duration>,
    pub(super) trusted_forms: Option<Vec<String>>,
    pub(super) notice: Option<Notice>,
}

/// How somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) way: NoticeWay,
    /// Whether the command, its preview, the reason and the ticket are told too.
    pub(crate) with_text: bool,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoticeWay {
    /// A program, by its whole path.
    Command {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// An address.
    Webhook(Webhook),
}

/// Where an address is to be had.
#[derive(Debug, Clone)]
pub(crate) enum Webhook {
    /// Here. It may let whoever knows it speak, so it is not shown.
    Address(Secret),
    /// Elsewhere.
    Reference(Reference),
}

impl PartialEq for Webhook {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(one), Self::Address(other)) => one.expose() == other.expose(),
            (Self::Reference(one), Self::Reference(other)) => one == other,
            (Self::Address(_), Self::Reference(_)) | (Self::Reference(_), Self::Address(_)) => {
                false
            }
        }
    }
}

impl Eq for Webhook {}

impl Default for ApprovalRules {
    fn default() -> Self {
        Self {
            valid_for: Duration::from_secs(10 * 60),
            trusted_forms: Vec::new(),
            notice: None,
        }
    }
}

impl ApprovalRules {
    /// These, where `wishes` says nothing else.
    pub(super) fn with(self, wishes: &ApprovalWishes) -> Self {
        Self {
            valid_for: wishes.valid_for.unwrap_or(self.valid_for),
            trusted_forms: wishes.trusted_forms.clone().unwrap_or(self.trusted_forms),
            notice: wishes.notice.clone().or(self.notice),
        }
    }
}

/// An address, or where it is to be had. What is wrong does not repeat it.
pub(super) fn read_webhook(text: String) -> Result<Webhook, &'static str> {
    if let Ok(reference) = Reference::parse(&text) {
        return Ok(Webhook::Reference(reference));
    }
    check_address(&text)?;
    Ok(Webhook::Address(Secret::new(text)))
}

/// Refuses an address that what is told would not reach unread: everything leaves this machine encrypted.
pub(crate) fn check_address(text: &str) -> Result<(), &'static str> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("it is neither an address (`https://…`) nor a reference to one (`file:/PATH`)")?;
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("it has characters that no address has");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err("it names no host");
    }
    if authority.contains('@') {
        return Err("it has a user's name before the host");
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_this_machine(authority) => Ok(()),
        "http" => Err("it is not encrypted; `http://` is for this machine only, use `https://`"),
        _ => Err("it begins with neither `https://` nor `http://`"),
    }
}

/// Whether a host, with or without a port, cannot be anywhere else.
fn is_this_machine(authority: &str) -> bool {
    if let Some(rest) = authority.strip_prefix('[') {
        let host = rest.split(']').next().unwrap_or_default();
        return host.parse() == Ok(Ipv6Addr::LOCALHOST);
    }
    let host = authority.split(':').next().unwrap_or_default();
    host == "localhost" || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
}
