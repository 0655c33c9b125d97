//! One pattern of a module or shell file: a regular expression over bytes, with the flags a terminal needs.

use regex::bytes::{Captures, Regex, RegexBuilder};

/// Why a text is not a pattern.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PatternError {
    /// Not a regular expression. The message is the parser's last line, without its own rendering of the text.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// It would match everywhere.
    #[error("the pattern matches the empty text")]
    MatchesEmpty,
}

/// A compiled pattern. `$` in multi-line mode also matches before `\r\n`, because a terminal's lines end so.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    regex: Regex,
}

impl Pattern {
    /// Compiles `text`, in the syntax of the `regex` crate, with CRLF line ends.
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        let regex = RegexBuilder::new(text)
            .crlf(true)
            .build()
            .map_err(|error| {
                let message = error.to_string();
                let last = message.lines().last().unwrap_or_default();
                PatternError::Syntax {
                    message: last.trim_start_matches("error: ").to_owned(),
                }
            })?;
        if regex.is_match(b"") {
            return Err(PatternError::MatchesEmpty);
        }
        Ok(Self { regex })
    }

    /// The text it was made from.
    pub(crate) fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// The names of its groups.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.regex.capture_names().flatten()
    }

    /// The first match in `text`, with its groups.
    pub(crate) fn captures<'t>(&self, text: &'t [u8]) -> Option<Captures<'t>> {
        self.regex.captures(text)
    }

    /// Whether it matches anywhere in `text`.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_is_seen_before_a_carriage_return() {
        let pattern = Pattern::parse(r"(?m)^ready$").expect("it is a pattern");
        assert!(pattern.is_match(b"one\r\nready\r\n"));
    }

    #[test]
    fn a_pattern_that_matches_nothing_at_all_is_refused() {
        assert!(matches!(
            Pattern::parse("x*"),
            Err(PatternError::MatchesEmpty)
        ));
        assert!(
            matches!(Pattern::parse("(x"), Err(PatternError::Syntax { message }) if message == "unclosed group")
        );
    }
}
