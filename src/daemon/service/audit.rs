//! What the service's verbs put into the audit, and what they refuse when it cannot be kept.

use std::collections::BTreeSet;
use std::path::Path;

use super::Service;
use crate::audit::{self, AuditError, Filter, Head, Kind, Page, Place, Report, Who};
use crate::config::OnAuditFailure;
use crate::daemon::ServiceError;
use crate::daemon::registry::Entry;
use crate::daemon::run::Run;
use crate::daemon::view::RunOrder;
use crate::policy::{Decision, Judgement};
use crate::store::Pin;

impl Service {
    /// Reads the whole audit in the background: a daemon that starts must not keep anybody waiting for that.
    pub(super) fn check_audit(&self) {
        let audit = self.0.audit.clone();
        tokio::spawn(async move {
            match audit.verify(Vec::new()).await {
                Ok(report) if report.is_sound() => {
                    tracing::debug!(rows = report.rows, "the audit is sound");
                }
                // Said loudly where it was found, and in the daemon's status.
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the audit cannot be verified"),
            }
        });
    }

    /// Some rows of the audit.
    pub(crate) async fn audit_page(
        &self,
        filter: &Filter,
        place: Place,
    ) -> Result<Page, ServiceError> {
        self.0.audit.page(filter, place).await.map_err(unread)
    }

    /// Reads the whole audit, and compares it with rows that are `known` from elsewhere.
    pub(crate) async fn verify_audit(&self, known: Vec<Head>) -> Result<Report, ServiceError> {
        self.0.audit.verify(known).await.map_err(unread)
    }

    /// Takes an audit that was changed as it is, for a `reason`. `false`: there is nothing to accept.
    pub(crate) async fn accept_audit(&self, who: &Who, reason: &str) -> Result<bool, ServiceError> {
        let accepted = self.0.audit.accept(who, reason).await;
        accepted.map_err(|error| unrecorded(&error))
    }

    /// Writes down that a command is about to go into its session. Without that row it must not: only what is known to
    /// read goes on, and only where the settings say so.
    pub(super) async fn record_start(
        &self,
        run: &Run,
        order: &RunOrder,
        entry: &Entry,
        (judged, decision): (&Judgement, &Decision),
    ) -> Result<(), ServiceError> {
        let identity = entry.session.status().borrow().identity.clone();
        let identity = identity.as_ref();
        let row = run.audited(Kind::RunStarted).text(&order.command).proven(
            identity.map(|identity| identity.account.as_str()),
            identity.map(|identity| identity.tenant.as_str()),
        );
        let row = row
            .effects(words(judged))
            .decided(decision.verdict.word(), &decision.rule);
        let Err(error) = self.0.audit.record(row).await else {
            return Ok(());
        };
        let reads = self.on_audit_failure() == OnAuditFailure::AllowReads
            && self.understand(order, &entry.module).await?.only_reads();
        if reads {
            tracing::warn!(run = %run.id, %error, "it only reads, and goes on");
            if matches!(error, AuditError::Unwritten(_)) {
                self.0
                    .audit
                    .note(run.audited(Kind::RunStarted).text(&order.command));
            }
            return Ok(());
        }
        self.note_not_run(run, &error.to_string());
        Err(unrecorded(&error))
    }

    /// Writes down a change that must not hold without its row.
    pub(super) async fn record_change(&self, row: audit::Entry) -> Result<(), ServiceError> {
        let recorded = self.0.audit.record(row).await;
        recorded.map_err(|error| unrecorded(&error))
    }

    /// Writes down that a run was given up before anything of it was sent.
    pub(super) fn note_not_run(&self, run: &Run, reason: &str) {
        let row = run.audited(Kind::RunEnded).outcome("not_run");
        self.0.audit.note(row.because(reason));
    }

    /// Writes down that a session is about to sign in, unless it does so already.
    pub(super) async fn record_sign_in(
        &self,
        entry: &Entry,
        who: &Who,
    ) -> Result<(), ServiceError> {
        use crate::session::Standing;
        let under_way = matches!(
            entry.session.status().borrow().standing,
            Standing::SigningIn | Standing::Proving
        );
        if under_way {
            return Ok(());
        }
        let row = audit::Entry::new(Kind::SignInStarted)
            .by(who.clone())
            .session(&entry.key);
        match self.0.audit.record(row).await {
            Ok(()) => Ok(()),
            // Signing in changes nothing by itself; what runs afterwards is asked for again.
            Err(error) if self.on_audit_failure() == OnAuditFailure::AllowReads => {
                tracing::warn!(session = %entry.key, %error, "it signs in all the same");
                Ok(())
            }
            Err(error) => Err(unrecorded(&error)),
        }
    }

    /// Writes down that somebody wants a session to end.
    pub(super) fn note_disconnect(&self, entry: &Entry, force: bool, who: &Who) {
        let identity = entry.session.status().borrow().identity.clone();
        let identity = identity.as_ref();
        let row = audit::Entry::new(Kind::Disconnect)
            .by(who.clone())
            .session(&entry.key)
            .proven(
                identity.map(|identity| identity.account.as_str()),
                identity.map(|identity| identity.tenant.as_str()),
            );
        self.0
            .audit
            .note(if force { row.because("at once") } else { row });
    }

    /// Writes down that a command was refused. What cannot be meant, or cannot be done, is no refusal.
    pub(super) fn note_refusal(
        &self,
        order: &RunOrder,
        error: &ServiceError,
        decided: Option<(&Judgement, &Decision)>,
    ) {
        let refused = matches!(
            error,
            ServiceError::Refused { .. }
                | ServiceError::NotReading { .. }
                | ServiceError::TicketNeeded { .. }
        );
        if !refused {
            return;
        }
        let row = audit::Entry::new(Kind::Refused)
            .by(Who::asking(
                &order.client,
                order.who == crate::policy::Who::Person,
            ))
            .text(&order.command)
            .outcome("refused")
            .because(&error.to_string());
        let row = match decided {
            Some((judged, decision)) => row
                .effects(words(judged))
                .decided(decision.verdict.word(), &decision.rule),
            None => row,
        };
        let key = self.key(&order.connection, &order.module);
        self.0.audit.note(match key {
            Ok(key) => row.session(&key),
            Err(_) => row,
        });
    }

    /// Writes down that a person takes whoever signs in next in place of who was proven first: whom, as far as that is
    /// known. Without that row it must not happen.
    pub(super) async fn record_forgotten(
        &self,
        entry: &Entry,
        pin: Option<&Pin>,
        who: &Who,
    ) -> Result<(), ServiceError> {
        let row = audit::Entry::new(Kind::IdentityForgotten)
            .by(who.clone())
            .session(&entry.key)
            .proven(
                pin.map(|pin| pin.account.as_str()),
                pin.map(|pin| pin.tenant.as_str()),
            );
        let recorded = self.0.audit.record(row).await;
        recorded.map_err(|error| unrecorded(&error))
    }

    /// Writes down that a file which decides what may be done, or a folder of such files, is another one than before.
    pub(super) fn note_change(&self, what: &str, file: &Path) {
        let content = match read_all(file) {
            Ok(bytes) => format!("SHA-256 {}", audit::digest(&bytes)),
            Err(error) => format!("it cannot be read: {error}"),
        };
        let row = audit::Entry::new(Kind::Changed).text(&format!("{what}: {}", file.display()));
        self.0.audit.note(row.because(&content));
    }
}

/// A file's content; or that of the files of a folder of modules in the order of their paths, each behind its path.
fn read_all(path: &Path) -> std::io::Result<Vec<u8>> {
    if !path.is_dir() {
        return std::fs::read(path);
    }
    let mut files = BTreeSet::new();
    for folder in [path.to_owned(), path.join("shells"), path.join("include")] {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let file = entry?.path();
            if file.is_file() {
                files.insert(file);
            }
        }
    }
    let mut all = Vec::new();
    for file in files {
        all.extend_from_slice(file.as_os_str().as_encoded_bytes());
        all.extend(std::fs::read(&file)?);
    }
    Ok(all)
}

fn unread(error: AuditError) -> ServiceError {
    super::state(format!("{error}: {}", error.help()))
}

/// The effects of a text that was judged, each once. One that was not, because all is allowed, has none.
fn words(judged: &Judgement) -> impl Iterator<Item = String> {
    let found = (!judged.findings.is_empty()).then(|| judged.effects());
    found
        .into_iter()
        .flatten()
        .map(|effect| effect.word().to_owned())
}

fn unrecorded(error: &AuditError) -> ServiceError {
    ServiceError::Unrecorded {
        message: format!("nothing is run that cannot be written down: {error}"),
        help: error.help(),
    }
}
