//! What is wrong with a file and where: [`Diagnostic`], a list of them, and the two ways to show them, as text with the
//! line and a caret, and as JSON. Nothing here knows what the rules are.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::source::{SourceFile, Span};

/// Whether a file can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// It cannot.
    Error,
    /// It can, but does not do what it seems to say.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) severity: Severity,
    /// Lower case, no full stop, the file's words in backticks.
    pub(crate) message: String,
    pub(crate) file: Arc<SourceFile>,
    /// The place. `None` where the whole file is meant, or where it could not be read.
    pub(crate) span: Option<Span>,
    /// What stands at the caret.
    pub(crate) label: Option<String>,
    /// Another place in the same file that belongs to it, and what it is.
    pub(crate) other: Option<(Span, String)>,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl Diagnostic {
    /// A fault at `span`.
    pub(crate) fn error(file: &Arc<SourceFile>, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            file: Arc::clone(file),
            span: Some(span),
            label: None,
            other: None,
            help: None,
        }
    }

    /// Something that is probably not meant, at `span`.
    pub(crate) fn warning(file: &Arc<SourceFile>, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(file, span, message)
        }
    }

    /// A fault of the file as a whole.
    pub(crate) fn whole(file: &Arc<SourceFile>, message: impl Into<String>) -> Self {
        Self {
            span: None,
            ..Self::error(file, Span::default(), message)
        }
    }

    /// With a text at the caret.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With a second place.
    pub(crate) fn other(mut self, span: Span, label: impl Into<String>) -> Self {
        self.other = Some((span, label.into()));
        self
    }

    /// With what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it is a fault, not a warning.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn render(&self, renderer: &Renderer) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let path = self.file.origin.to_string();
        let mut group = match self.span {
            Some(span) => {
                let mut snippet = Snippet::source(self.file.text.as_str())
                    .path(path)
                    .annotation(
                        AnnotationKind::Primary
                            .span(self.fit(span))
                            .label(self.label.as_deref()),
                    );
                if let Some((span, label)) = &self.other {
                    snippet = snippet.annotation(
                        AnnotationKind::Context
                            .span(self.fit(*span))
                            .label(label.as_str()),
                    );
                }
                level.primary_title(self.message.as_str()).element(snippet)
            }
            None => Group::with_title(level.primary_title(self.message.as_str()))
                .element(annotate_snippets::Origin::path(path)),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    /// The span as the renderer takes it: inside the text, at most one line, and at least a word where there is one. Of a
    /// mapping or a list only the beginning is known.
    fn fit(&self, span: Span) -> std::ops::Range<usize> {
        let text = &self.file.text;
        let boundary = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(span.start.min(text.len()));
        let end = boundary(span.end.clamp(start, text.len()));
        let rest = &text[start..];
        let end = if end == start {
            start
                + rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len())
        } else {
            end
        };
        start..text[start..end].find('\n').map_or(end, |at| start + at)
    }
}

/// The JSON form of a [`Diagnostic`], for editors and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DiagnosticJson {
    pub(crate) severity: Severity,
    pub(crate) file: String,
    /// From 1; absent where the whole file is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// In characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<usize>,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
}

impl From<&Diagnostic> for DiagnosticJson {
    fn from(finding: &Diagnostic) -> Self {
        let position = finding.span.map(|span| finding.file.position(span.start));
        Self {
            severity: finding.severity,
            file: finding.file.origin.to_string(),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            message: finding.message.clone(),
            label: finding.label.clone(),
            help: finding.help.clone(),
        }
    }
}

/// Findings, in the order in which they were made. As an error it says how many there are and what the first one is;
/// [`Diagnostics::render`] shows them all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub(crate) fn push(&mut self, finding: Diagnostic) {
        self.0.push(finding);
    }

    /// Adds all of `others`.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// All of them.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Whether one of them is a fault.
    pub(crate) fn has_errors(&self) -> bool {
        self.iter().any(Diagnostic::is_error)
    }

    /// Findings in the order of their places; those of the whole file first.
    pub(crate) fn sort(&mut self) {
        self.0
            .sort_by_key(|finding| finding.span.map(|span| span.start));
    }

    /// All of them as people read them, each with its line and a caret; with escape sequences if `colour`.
    pub(crate) fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let parts: Vec<String> = self
            .iter()
            .map(|finding| finding.render(&renderer))
            .collect();
        parts.join("\n\n")
    }

    /// All of them as programs read them.
    pub(crate) fn to_json(&self) -> Vec<DiagnosticJson> {
        self.iter().map(DiagnosticJson::from).collect()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(finding: Diagnostic) -> Self {
        Self(vec![finding])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else {
            return f.write_str("nothing is wrong");
        };
        write!(f, "{}", first.file.origin)?;
        if let Some(span) = first.span {
            let (line, column) = first.file.position(span.start);
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", first.message)?;
        match self.0.len() {
            1 => Ok(()),
            more => write!(f, " (and {} more)", more - 1),
        }
    }
}

impl std::error::Error for Diagnostics {}
