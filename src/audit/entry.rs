//! [`Entry`]: one thing that happened, before it has a place in the chain.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::name::{RunId, SessionKey};
use crate::redact::{Masked, beginning, mask};

/// Bytes of a text that a row keeps; its hash and its length are of all of it.
const TEXT_KEPT: usize = 64 * 1024;

/// Read beyond what is kept, so that a secret on the border is seen whole before it is cut.
const TEXT_READ: usize = TEXT_KEPT + 4 * 1024;

/// What kind of thing happened. The words are part of the record's format and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A daemon began to serve; the text is its version.
    DaemonStarted,
    /// It was told to stop, and ended its sessions.
    DaemonStopped,
    /// A session's program was started.
    SessionStarted,
    /// Somebody wanted a session to sign in.
    SignInStarted,
    /// Its identity was proven: account and tenant are the ones that the module itself named.
    SignedIn,
    /// It did not come to an identity; the outcome is the failure's name.
    SignInFailed,
    /// It proved to be somebody who is not expected, and was signed out.
    SignInRefused,
    /// A command was accepted, and is about to be sent to its session. Written before that.
    RunStarted,
    /// It ended.
    RunEnded,
    /// A command asked something.
    Question,
    /// Somebody answered. The text is absent where the answer is a secret.
    Answer,
    /// A command was not accepted: the policy, or the state of this record, does not allow it.
    Refused,
    /// Somebody told a run to stop.
    Interrupt,
    /// Somebody told a session to sign out and end.
    Disconnect,
    /// A session's program is gone; the reason says how.
    SessionEnded,
    /// Connections, modules, policy or settings are others than before; the text says which file.
    Changed,
    /// A command waits for a person's word.
    ApprovalAsked,
    /// A person said yes.
    Approved,
    /// A person said no.
    Denied,
    /// Nobody said anything in time.
    ApprovalExpired,
    /// What was asked about is not what would run now.
    ApprovalVoided,
    /// This record was found to be other than it was written; the text says where.
    RecordBroken,
    /// A person has seen that, and work goes on; the text is that row's.
    RecordAccepted,
    /// Rows were lost, because they could not be written.
    RecordLost,
    /// A person takes whoever signs in next in place of who was proven first; account and tenant are of the one before.
    IdentityForgotten,
}

/// Every kind with its word.
pub(crate) const KINDS: [(Kind, &str); 25] = [
    (Kind::DaemonStarted, "daemon_started"),
    (Kind::DaemonStopped, "daemon_stopped"),
    (Kind::SessionStarted, "session_started"),
    (Kind::SignInStarted, "sign_in_started"),
    (Kind::SignedIn, "signed_in"),
    (Kind::SignInFailed, "sign_in_failed"),
    (Kind::SignInRefused, "sign_in_refused"),
    (Kind::RunStarted, "run_started"),
    (Kind::RunEnded, "run_ended"),
    (Kind::Question, "question"),
    (Kind::Answer, "answer"),
    (Kind::Refused, "refused"),
    (Kind::Interrupt, "interrupt"),
    (Kind::Disconnect, "disconnect"),
    (Kind::SessionEnded, "session_ended"),
    (Kind::Changed, "changed"),
    (Kind::ApprovalAsked, "approval_asked"),
    (Kind::Approved, "approved"),
    (Kind::Denied, "denied"),
    (Kind::ApprovalExpired, "approval_expired"),
    (Kind::ApprovalVoided, "approval_voided"),
    (Kind::RecordBroken, "record_broken"),
    (Kind::RecordAccepted, "record_accepted"),
    (Kind::RecordLost, "record_lost"),
    (Kind::IdentityForgotten, "identity_forgotten"),
];

impl Kind {
    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        KINDS
            .iter()
            .find(|(kind, _)| *kind == self)
            .map(|(_, word)| *word)
            .expect("every kind is in the table, as a test says")
    }
}

/// The client that people use, and scripts too.
const PERSONS_CLIENT: &str = "cli";

/// Who wanted it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Who {
    /// The program that asked, as it calls itself: `cli`, `mcp`, `http`. Empty where nobody asked. `cli` is a person at a
    /// terminal, the same program without one is `cli (program)`.
    pub(crate) client: String,
    /// The name of the token that it came with, never the token.
    pub(crate) token: Option<String>,
}

impl Who {
    /// A client that calls itself so, and is a person or is none.
    pub(crate) fn asking(name: &str, is_person: bool) -> Self {
        if name == PERSONS_CLIENT && !is_person {
            Self::client(&format!("{name} (program)"))
        } else {
            Self::client(name)
        }
    }

    /// A client without a token.
    pub(crate) fn client(name: &str) -> Self {
        Self {
            client: name.to_owned(),
            token: None,
        }
    }
}

/// A text as it is kept: without secrets, and with what proves which text it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) kept: Masked,
    /// SHA-256 of all of it, as it was.
    pub(super) digest: [u8; 32],
    /// Its bytes, as it was.
    pub(super) length: usize,
    /// Whether anything of it is not in `kept`.
    pub(super) hides_something: bool,
}

/// One thing that happened. Made by [`Entry::new`] and the methods that add to it; texts go in as they are and are masked
/// on the way, so that no caller can forget it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(super) at: Timestamp,
    pub(super) kind: Kind,
    pub(super) who: Who,
    pub(super) session: Option<SessionKey>,
    pub(super) run: Option<RunId>,
    pub(super) approval: Option<String>,
    pub(super) account: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) text: Option<Text>,
    pub(super) effects: Vec<String>,
    pub(super) decision: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) outcome: Option<String>,
    pub(super) duration: Option<Duration>,
    pub(super) reason: Option<Masked>,
}

impl Entry {
    /// One that happens now.
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            at: Timestamp::now(),
            kind,
            who: Who::default(),
            session: None,
            run: None,
            approval: None,
            account: None,
            tenant: None,
            text: None,
            effects: Vec::new(),
            decision: None,
            rule: None,
            outcome: None,
            duration: None,
            reason: None,
        }
    }

    /// Who wanted it.
    #[must_use]
    pub(crate) fn by(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    /// In which session.
    #[must_use]
    pub(crate) fn session(mut self, key: &SessionKey) -> Self {
        self.session = Some(key.clone());
        self
    }

    /// In which run.
    #[must_use]
    pub(crate) fn run(mut self, id: &RunId) -> Self {
        self.run = Some(id.clone());
        self
    }

    /// For which approval: that of the run that waits for it.
    #[must_use]
    pub(crate) fn approval(mut self, run: &RunId) -> Self {
        self.approval = Some(run.to_string());
        self
    }

    /// As whom the session was proven; nothing where it was not.
    #[must_use]
    pub(crate) fn proven(mut self, account: Option<&str>, tenant: Option<&str>) -> Self {
        self.account = account.map(str::to_owned);
        self.tenant = tenant.map(str::to_owned);
        self
    }

    /// The command, the question, the answer: masked here, and cut after 64 KiB.
    #[must_use]
    pub(crate) fn text(mut self, text: &str) -> Self {
        let read = beginning(text, TEXT_READ);
        let mut kept = mask(read);
        let mut hides_something = kept.hides_something();
        if kept.as_str().len() > TEXT_KEPT {
            kept = kept.cut(TEXT_KEPT);
            hides_something = true;
        }
        self.text = Some(Text {
            kept,
            digest: Sha256::digest(text).into(),
            length: text.len(),
            hides_something,
        });
        self
    }

    /// What the command does, in the policy's words.
    #[must_use]
    pub(crate) fn effects(mut self, effects: impl IntoIterator<Item = String>) -> Self {
        self.effects = effects.into_iter().collect();
        self
    }

    /// What was decided (`allow`, `ask`, `refuse`), and by which rule.
    #[must_use]
    pub(crate) fn decided(mut self, decision: &str, rule: &str) -> Self {
        self.decision = Some(decision.to_owned());
        self.rule = Some(rule.to_owned());
        self
    }

    /// What came of it, as a word.
    #[must_use]
    pub(crate) fn outcome(mut self, word: &str) -> Self {
        self.outcome = Some(word.to_owned());
        self
    }

    /// How long it took.
    #[must_use]
    pub(crate) fn took(mut self, duration: Option<Duration>) -> Self {
        self.duration = duration;
        self
    }

    /// Why, in words for people: masked here.
    #[must_use]
    pub(crate) fn because(mut self, reason: &str) -> Self {
        let read = beginning(reason, TEXT_READ);
        self.reason = Some(mask(read));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        for (at, (kind, word)) in KINDS.iter().enumerate() {
            assert_eq!(kind.word(), *word);
            assert_eq!(*kind as usize, at, "the table has the kinds' order");
            assert!(KINDS[..at].iter().all(|(_, other)| other != word));
        }
        assert_eq!(Kind::IdentityForgotten as usize + 1, KINDS.len());
    }

    #[test]
    fn a_text_is_masked_on_the_way_in() {
        let entry = Entry::new(Kind::RunStarted)
            .text("Connect -Password hunter2x")
            .because("the key was password=hunter2x");
        let shown = format!("{entry:?}");
        assert!(!shown.contains("hunter2x"), "{shown}");
        let text = entry.text.expect("it has one");
        assert_eq!(text.kept.as_str(), "Connect -Password ********");
        assert!(text.hides_something);
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let long = "ü".repeat(TEXT_KEPT);
        let text = Entry::new(Kind::RunStarted).text(&long).text;
        let text = text.expect("it has one");
        assert!(text.kept.as_str().len() <= TEXT_KEPT);
        assert_eq!(text.length, 2 * TEXT_KEPT);
        assert!(text.hides_something);
    }
}
