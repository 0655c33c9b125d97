//! A shell's parts, each with the file in which it stands: a shell's own file, or, for a part that a module overrides,
//! the module's. Rules and the compiler see a shell only so; they need not know of overrides.

use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::model::{
    BootstrapSpec, EnvironmentSpec, FrameSpec, InterruptSpec, MarkersSpec, NeedSpec, OverridesSpec,
    QuerySpec, QuestionSpec, QuotingName, ReadySpec, ShellSpec, StartSpec, StateName, StreamName,
    TerminalSpec,
};
use super::source::{At, SourceFile, Span};
use super::value::Entries;
use crate::name::ModuleName;

/// Something written, and the file in which it stands.
#[derive(Debug)]
pub(super) struct Written<'a, T> {
    pub(super) value: &'a T,
    pub(super) file: &'a Arc<SourceFile>,
}

// Derived, these would ask for `T: Copy`.
impl<T> Clone for Written<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Written<'_, T> {}

impl<'a, T> Written<'a, T> {
    /// A part of it.
    pub(super) fn part<U>(self, part: impl FnOnce(&'a T) -> &'a U) -> Written<'a, U> {
        Written {
            value: part(self.value),
            file: self.file,
        }
    }

    /// A part of it that may be absent.
    pub(super) fn optional<U>(
        self,
        part: impl FnOnce(&'a T) -> &'a Option<U>,
    ) -> Option<Written<'a, U>> {
        let file = self.file;
        part(self.value)
            .as_ref()
            .map(|value| Written { value, file })
    }

    /// A fault in this file.
    pub(super) fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.file, span, message)
    }

    /// Something in this file that is probably not meant.
    pub(super) fn warning(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(self.file, span, message)
    }
}

/// A shell's parts, overridden or not.
pub(super) struct ShellParts<'a> {
    pub(super) name: &'a ModuleName,
    pub(super) title: &'a str,
    pub(super) needs: Written<'a, Vec<At<NeedSpec>>>,
    pub(super) start: Written<'a, StartSpec>,
    /// The shell's, then the module's: the later one adds to the earlier.
    pub(super) environment: Vec<Written<'a, EnvironmentSpec>>,
    pub(super) terminal: Option<Written<'a, TerminalSpec>>,
    pub(super) bootstrap: Option<Written<'a, At<BootstrapSpec>>>,
    pub(super) ready: Option<Written<'a, ReadySpec>>,
    pub(super) frame: Written<'a, FrameSpec>,
    pub(super) markers: Written<'a, MarkersSpec>,
    pub(super) states: Option<Written<'a, At<Entries<String, StateName>>>>,
    pub(super) records: Option<Written<'a, At<Entries<String, StreamName>>>>,
    pub(super) interrupt: Option<Written<'a, InterruptSpec>>,
    pub(super) questions: Written<'a, Vec<QuestionSpec>>,
    pub(super) queries: Written<'a, Vec<QuerySpec>>,
    pub(super) echoes_answers: Option<Written<'a, At<bool>>>,
    pub(super) quoting: Written<'a, At<QuotingName>>,
}

impl<'a> ShellParts<'a> {
    /// A shell as its file has it.
    pub(super) fn of(shell: Written<'a, ShellSpec>) -> Self {
        Self {
            name: &shell.value.shell.0,
            title: &shell.value.title.0,
            needs: shell.part(|s| &s.needs),
            start: shell.part(|s| &s.start),
            environment: shell.optional(|s| &s.environment).into_iter().collect(),
            terminal: shell.optional(|s| &s.terminal),
            bootstrap: shell.optional(|s| &s.bootstrap),
            ready: shell.optional(|s| &s.ready),
            frame: shell.part(|s| &s.frame),
            markers: shell.part(|s| &s.markers),
            states: shell.optional(|s| &s.states),
            records: shell.optional(|s| &s.records),
            interrupt: shell.optional(|s| &s.interrupt),
            questions: shell.part(|s| &s.questions),
            queries: shell.part(|s| &s.queries),
            echoes_answers: shell.optional(|s| &s.echoes_answers),
            quoting: shell.part(|s| &s.quoting),
        }
    }

    /// The same with a module's overrides in it.
    pub(super) fn overridden(mut self, by: Written<'a, OverridesSpec>) -> Self {
        self.environment.extend(by.optional(|o| &o.environment));
        Self {
            start: by.optional(|o| &o.start).unwrap_or(self.start),
            terminal: by.optional(|o| &o.terminal).or(self.terminal),
            bootstrap: by.optional(|o| &o.bootstrap).or(self.bootstrap),
            ready: by.optional(|o| &o.ready).or(self.ready),
            frame: by.optional(|o| &o.frame).unwrap_or(self.frame),
            markers: by.optional(|o| &o.markers).unwrap_or(self.markers),
            states: by.optional(|o| &o.states).or(self.states),
            records: by.optional(|o| &o.records).or(self.records),
            interrupt: by.optional(|o| &o.interrupt).or(self.interrupt),
            questions: by.optional(|o| &o.questions).unwrap_or(self.questions),
            queries: by.optional(|o| &o.queries).unwrap_or(self.queries),
            echoes_answers: by.optional(|o| &o.echoes_answers).or(self.echoes_answers),
            quoting: by.optional(|o| &o.quoting).unwrap_or(self.quoting),
            ..self
        }
    }
}
