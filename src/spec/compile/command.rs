//! The commands of a sign-in: templates with a connection's holes, and, where secrets may be bound, with theirs.

use std::sync::Arc;

use super::quotes::outside_quotes;
use super::text::template;
use crate::script::{Quoting, Template, hole};
use crate::spec::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::parts::Written;
use crate::spec::source::{At, SourceFile};

/// Makes the commands of one file's sign-in.
pub(super) struct Commands<'f> {
    pub(super) file: &'f Arc<SourceFile>,
    /// How the shell writes values; `None` where the shell is not known, which is among the findings already.
    pub(super) quoting: Option<Quoting>,
    pub(super) findings: &'f mut Diagnostics,
}

impl Commands<'_> {
    /// A command with the connection's values.
    pub(super) fn command(&mut self, text: &At<String>) -> Option<Template> {
        let holes: Vec<&'static str> = hole::VALUES.iter().map(|(name, _)| *name).collect();
        self.template(text, &holes)
    }

    /// A connect command, which may have secrets besides.
    pub(super) fn connect(&mut self, text: &At<String>) -> Option<Template> {
        let all = hole::VALUES.iter().chain(&hole::SECRETS);
        let holes: Vec<&'static str> = all.map(|(name, _)| *name).collect();
        self.template(text, &holes)
    }

    /// Parameters that a connect command has where the connection has the values for them.
    pub(super) fn option(&mut self, text: &At<String>) -> Option<Template> {
        let option = self.connect(text)?;
        if option.holes().next().is_none() {
            self.findings.push(
                self.error(text, "an option without a hole would always be added")
                    .help("write it into `connect`, or name the value that decides: `{managed_identity_id}`"),
            );
            return None;
        }
        Some(option)
    }

    /// A fault of this text.
    pub(super) fn error(&self, text: &At<String>, message: &str) -> Diagnostic {
        Diagnostic::error(self.file, text.span, message)
    }

    fn template(&mut self, text: &At<String>, holes: &[&'static str]) -> Option<Template> {
        if text.trim().is_empty() {
            self.findings.push(self.error(text, "the command is empty"));
            return None;
        }
        let written = Written {
            value: text,
            file: self.file,
        };
        let template = template(written, holes, self.findings)?;
        if self.quoting == Some(Quoting::Plain) && template.holes().next().is_some() {
            self.findings.push(
                self.error(
                    text,
                    "a value of the connection would stand in the command unquoted",
                )
                .help("the shell's `quoting` is `plain`: override it, or leave the holes out"),
            );
            return None;
        }
        let outside = self
            .quoting
            .is_none_or(|quoting| outside_quotes(written, &template, quoting, self.findings));
        outside.then_some(template)
    }
}
