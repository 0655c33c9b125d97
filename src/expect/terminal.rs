//! The terminal's side of the text: takes control sequences out and answers what programs ask their terminal. Knows
//! nothing of commands.
//!
//! Text runs are found with `memchr` and copied whole; only what follows an escape goes through `vte`, byte by byte. A
//! line end inside a control *string* (OSC, DCS, APC) ends it: a program that dies or is cut in the middle of one must not
//! swallow everything after.

use std::sync::Arc;

use memchr::memchr;
use vte::{Params, Parser, Perform};

use crate::script::Shell;

const ESC: u8 = 0x1b;

/// Longer control sequences are no queries of anybody's.
const LONGEST_QUERY: usize = 64;

/// Removes control sequences from a stream and answers queries, whatever the chunks.
pub(crate) struct Terminal {
    shell: Arc<Shell>,
    parser: Parser,
    in_sequence: bool,
    /// The sequence so far, from its escape on, while it may still be a query.
    sequence: Vec<u8>,
}

#[derive(Default)]
struct Seen {
    /// Characters for the text, by `print` or `execute`.
    text: String,
    printed: bool,
    executed: bool,
    dispatched: bool,
}

impl Perform for Seen {
    fn print(&mut self, c: char) {
        self.text.push(c);
        self.printed = true;
    }

    fn execute(&mut self, byte: u8) {
        self.text.push(char::from(byte));
        self.executed = true;
    }

    fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, _: char) {
        self.dispatched = true;
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, _: u8) {
        self.dispatched = true;
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.dispatched = true;
    }
}

impl Terminal {
    /// A terminal at the beginning of a stream, answering what `shell` says.
    pub(crate) fn new(shell: Arc<Shell>) -> Self {
        Self {
            shell,
            parser: Parser::new(),
            in_sequence: false,
            sequence: Vec::new(),
        }
    }

    /// Takes the next bytes: what is text is appended to `text`, answers to `replies`, one for each query.
    pub(crate) fn feed(&mut self, bytes: &[u8], text: &mut Vec<u8>, replies: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.in_sequence {
                self.step(rest[0], text, replies);
                rest = &rest[1..];
                continue;
            }
            let plain = memchr(ESC, rest).unwrap_or(rest.len());
            text.extend_from_slice(&rest[..plain]);
            rest = &rest[plain..];
            self.in_sequence = !rest.is_empty();
        }
    }

    /// Forgets a sequence that began and did not end: what follows is text again.
    pub(crate) fn reset(&mut self) {
        if self.in_sequence {
            self.parser = Parser::new();
            self.in_sequence = false;
        }
        self.sequence.clear();
    }

    fn step(&mut self, byte: u8, text: &mut Vec<u8>, replies: &mut Vec<u8>) {
        if byte == ESC {
            self.sequence.clear();
        }
        if self.sequence.len() < LONGEST_QUERY {
            self.sequence.push(byte);
        }
        let mut seen = Seen::default();
        self.parser.advance(&mut seen, &[byte]);
        text.extend_from_slice(seen.text.as_bytes());
        if byte == b'\n' && !seen.executed {
            self.reset();
            text.push(b'\n');
        } else if seen.printed {
            self.in_sequence = false;
        } else if seen.dispatched && byte != ESC {
            // An escape ends a string but begins its terminator, `ESC \`, so the sequence goes on.
            self.in_sequence = false;
            if let Some(query) = self
                .shell
                .queries
                .iter()
                .find(|query| query.ask == self.sequence)
            {
                replies.extend_from_slice(&query.reply);
            }
            self.sequence.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expect::tests::{cut, pwsh};

    fn feed(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
        let mut terminal = Terminal::new(pwsh());
        let (mut text, mut replies) = (Vec::new(), Vec::new());
        for piece in pieces {
            terminal.feed(piece, &mut text, &mut replies);
        }
        (text, replies)
    }

    /// `vte` over the whole text, byte by byte, with the one difference: a line end that it would swallow ends the string.
    fn oracle(whole: &[u8]) -> Vec<u8> {
        let (mut parser, mut text) = (Parser::new(), Vec::new());
        for byte in whole {
            let mut seen = Seen::default();
            parser.advance(&mut seen, &[*byte]);
            text.extend_from_slice(seen.text.as_bytes());
            if *byte == b'\n' && !seen.executed {
                parser = Parser::new();
                text.push(b'\n');
            }
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_text_is_what_vte_prints(
            parts in prop::collection::vec(prop_oneof![
                "[ -~é→\r\n\t\u{7}\u{8}]{0,12}",
                Just("\u{1b}".to_owned()), Just("\u{1b}[".to_owned()), Just("\u{1b}]0;".to_owned()),
                Just("\u{1b}P".to_owned()), Just("\u{1b}\\".to_owned()), Just("\u{1b}_".to_owned()),
                Just("\u{1b}[6n".to_owned()), Just("\u{18}".to_owned()), "\u{1b}\\[[0-9;?]{0,5}[a-zA-Z]",
            ], 0..20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let whole = parts.concat();
            let (text, _) = feed(&cut(whole.as_bytes(), &cuts));
            let should = oracle(whole.as_bytes());
            prop_assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&should));
        }

        #[test]
        fn every_query_is_answered_once(
            parts in prop::collection::vec(prop_oneof![
                "[a-z\r\n]{0,8}", Just("\u{1b}[6n".to_owned()), Just("\u{1b}[31m".to_owned()),
                Just("\u{1b}]0;a title [6n\u{7}".to_owned()), Just("[6n".to_owned()), Just("\u{1b}[16n".to_owned()),
            ], 0..30),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let asked = parts.iter().filter(|part| *part == "\u{1b}[6n").count();
            let whole = parts.concat();
            let (_, replies) = feed(&cut(whole.as_bytes(), &cuts));
            prop_assert_eq!(replies, b"\x1b[1;1R".repeat(asked));
        }

        #[test]
        fn no_byte_is_lost_where_nothing_escapes(
            whole in prop::collection::vec(any::<u8>().prop_filter("an escape", |byte| *byte != ESC), 0..300),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let (text, replies) = feed(&cut(&whole, &cuts));
            prop_assert_eq!(text, whole);
            prop_assert!(replies.is_empty());
        }
    }
}
