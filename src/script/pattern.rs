//! One pattern of a module or shell file: a regular expression over bytes, with the flags a terminal needs.
//!
//! Classes such as `\w`, `\s` and `\b` mean ASCII: a terminal's bytes come in pieces and need not be UTF-8, and only so can
//! patterns be raced one byte after the other (see `expect/matcher.rs`). Other letters stand for themselves.

use regex::bytes::{Captures, Regex, RegexBuilder};
use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson;
use regex_automata::util::syntax::{self, parse_with};

/// Why a text is not a pattern.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PatternError {
    /// Not a regular expression. The message is the parser's last line, without its own rendering of the text.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// Some of its matches have no length: a race would never get past one.
    #[error("the pattern can match without taking a byte")]
    MatchesEmpty,
}

/// How patterns are read, for automata that race them.
pub(crate) fn syntax() -> syntax::Config {
    syntax::Config::new().utf8(false).unicode(false).crlf(true)
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
            .unicode(false)
            .crlf(true)
            .build()
            .map_err(|error| {
                let message = error.to_string();
                let last = message.lines().last().unwrap_or_default();
                PatternError::Syntax {
                    message: last.trim_start_matches("error: ").to_owned(),
                }
            })?;
        // A Unicode word boundary, asked for by `(?u)`, cannot be raced.
        let raced = DFA::builder()
            .syntax(syntax())
            .thompson(thompson::Config::new().utf8(false))
            .build(text);
        raced.map_err(|error| PatternError::Syntax {
            message: error.to_string(),
        })?;
        let read = parse_with(text, &self::syntax()).map_err(|error| PatternError::Syntax {
            message: error.to_string(),
        })?;
        // Not only the empty text: `\b` and `x*\B` match between two bytes of any other.
        if read.properties().minimum_len() == Some(0) {
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

    /// The first match in `text` that begins at `from` or later, with its groups. What stands before is seen by `\b` and `^`.
    pub(crate) fn captures_from<'t>(&self, text: &'t [u8], from: usize) -> Option<Captures<'t>> {
        self.regex.captures_at(text, from)
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
        for empty in [
            "x*", "^", r"\b", r"\B", r"x*\b", r"(?m)$", r"abc|\b", "(x|)",
        ] {
            assert!(
                matches!(Pattern::parse(empty), Err(PatternError::MatchesEmpty)),
                "{empty}"
            );
        }
        assert!(Pattern::parse(r"\bx\b|^y").is_ok());
        assert!(
            matches!(Pattern::parse("(x"), Err(PatternError::Syntax { message }) if message == "unclosed group")
        );
    }
}
