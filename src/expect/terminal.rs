//! The terminal's side of the text: takes control sequences out and answers what programs ask their terminal. Knows
//! nothing of commands.
//!
//! Text runs are found with `memchr` and copied whole, or not at all where there is no escape. The common sequences, colours
//! and titles, are read here where they are whole; in coloured text they stand a few bytes apart, so those are looked at and
//! copied several at a time. All other sequences go through `vte`, byte by byte. A line end inside a control *string* (OSC,
//! DCS, APC) ends it: a program that dies or is cut in the middle of one must not swallow everything after.

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memchr;
use vte::{Params, Parser, Perform};

use crate::script::Shell;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;

/// Longer control sequences are no queries of anybody's.
const LONGEST_QUERY: usize = 64;

/// Text between two sequences is this short, as a rule.
const SHORT: usize = 16;

/// 1 in each byte: times a byte, it is that byte eight times.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Removes control sequences from a stream and answers queries, whatever the chunks.
pub(crate) struct Terminal {
    shell: Arc<Shell>,
    /// A bit for each byte that a query ends in; those are ASCII.
    finals: u128,
    /// Made for the first sequence that is none of the common ones: it has room for a whole title.
    parser: Option<Box<Parser>>,
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

    fn unhook(&mut self) {
        self.dispatched = true;
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.dispatched = true;
    }
}

impl Terminal {
    /// A terminal at the beginning of a stream, answering what `shell` says.
    pub(crate) fn new(shell: Arc<Shell>) -> Self {
        let ends = shell.queries.iter().filter_map(|query| query.ask.last());
        Self {
            finals: ends.fold(0, |finals, end| finals | bit(*end)),
            shell,
            parser: None,
            in_sequence: false,
            sequence: Vec::new(),
        }
    }

    /// Takes the next bytes, and gives what of them is text. Answers are appended to `replies`, one for each query.
    pub(crate) fn feed<'b>(&mut self, bytes: &'b [u8], replies: &mut Vec<u8>) -> Cow<'b, [u8]> {
        if !self.in_sequence && memchr(ESC, bytes).is_none() {
            return Cow::Borrowed(bytes);
        }
        let (mut text, mut rest) = (Vec::with_capacity(bytes.len() + SHORT), bytes);
        while !rest.is_empty() {
            if self.in_sequence {
                self.step(rest[0], &mut text, replies);
                rest = &rest[1..];
                continue;
            }
            let plain = before_escape(rest);
            append(&mut text, rest, plain);
            rest = &rest[plain..];
            if let Some(length) = common_sequence(rest) {
                self.reply(&rest[..length], replies);
                rest = &rest[length..];
            } else {
                self.in_sequence = !rest.is_empty();
            }
        }
        Cow::Owned(text)
    }

    fn reply(&self, sequence: &[u8], replies: &mut Vec<u8>) {
        if sequence
            .last()
            .is_none_or(|end| self.finals & bit(*end) == 0)
        {
            return;
        }
        let mut queries = self.shell.queries.iter();
        if let Some(query) = queries.find(|query| query.ask == sequence) {
            replies.extend_from_slice(&query.reply);
        }
    }

    /// Forgets a sequence that began and did not end: what follows is text again.
    pub(crate) fn reset(&mut self) {
        if self.in_sequence {
            self.parser = None;
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
        self.parser
            .get_or_insert_default()
            .advance(&mut seen, &[byte]);
        text.extend_from_slice(seen.text.as_bytes());
        if byte == b'\n' && !seen.executed {
            self.reset();
            text.push(b'\n');
        } else if seen.dispatched && byte != ESC {
            // An escape ends a string but begins its terminator, `ESC \`, so the sequence goes on.
            self.in_sequence = false;
            self.reply(&self.sequence, replies);
            self.sequence.clear();
        } else if seen.printed {
            // Half a character that `vte` holds must not meet the next sequence: it would take that for text, a query too.
            self.parser = None;
            self.in_sequence = false;
        } else if ends_unheard(&self.sequence, byte) {
            self.in_sequence = false;
        }
    }
}

/// Whether `byte` ends a sequence of which `vte` may say nothing: a CSI with parameters in no order, whose final byte (ECMA-48
/// §5.4) is not dispatched, and what CAN or SUB cut off. What follows is text as it is, also where it is no UTF-8.
fn ends_unheard(sequence: &[u8], byte: u8) -> bool {
    match sequence {
        _ if matches!(byte, CAN | SUB) => true,
        [ESC, b'[', rest @ ..] => !rest.is_empty() && matches!(byte, b'@'..=b'~'),
        _ => false,
    }
}

fn bit(byte: u8) -> u128 {
    1 << (byte & 0x7f)
}

/// How many bytes stand before the first escape.
fn before_escape(bytes: &[u8]) -> usize {
    let (eights, _) = bytes[..bytes.len().min(SHORT)].as_chunks();
    for (at, eight) in eights.iter().enumerate() {
        let differs = u64::from_le_bytes(*eight) ^ (EACH * u64::from(ESC));
        // The top bit of each byte that is zero, up to the first of them at least.
        let zero = differs.wrapping_sub(EACH) & !differs & (EACH << 7);
        if zero != 0 {
            return at * 8 + zero.trailing_zeros() as usize / 8;
        }
    }
    let seen = eights.len() * 8;
    seen + memchr(ESC, &bytes[seen..]).unwrap_or(bytes.len() - seen)
}

/// Adds the first `length` of `bytes`. Where they are few, more are copied and taken back: a copy whose length is known
/// beforehand is two instructions.
fn append(text: &mut Vec<u8>, bytes: &[u8], length: usize) {
    match bytes.first_chunk::<SHORT>() {
        Some(short) if length <= SHORT => {
            let end = text.len() + length;
            text.extend_from_slice(short);
            text.truncate(end);
        }
        _ => text.extend_from_slice(&bytes[..length]),
    }
}

/// How many parameter bytes (0x30 to 0x3F, ECMA-48 §5.4) `bytes` begin with.
fn parameters(bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some(eight) = bytes[count..].first_chunk() {
        let others = (u64::from_le_bytes(*eight) & (EACH * 0xf0)) ^ (EACH * 0x30);
        count += others.trailing_zeros() as usize / 8;
        if others != 0 {
            return count;
        }
    }
    let rest = bytes[count..].iter();
    count + rest.take_while(|byte| matches!(byte, b'0'..=b'?')).count()
}

/// The length of the control sequence that `bytes` begin with, where it is one of the common kinds and whole: CSI with
/// parameters only (ECMA-48 §5.4), or OSC up to its BEL or `ESC \`.
fn common_sequence(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [ESC, b'[', rest @ ..] => {
            let parameters = parameters(rest);
            matches!(rest.get(parameters), Some(b'@'..=b'~')).then_some(parameters + 3)
        }
        [ESC, b']', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte < b' ')?;
            match rest[end..] {
                [BEL, ..] => Some(end + 3),
                [ESC, b'\\', ..] => Some(end + 4),
                _ => None,
            }
        }
        _ => None,
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
            text.extend_from_slice(&terminal.feed(piece, &mut replies));
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

    #[test]
    fn what_follows_a_sequence_is_text_as_it_is() {
        for pieces in [
            &[b"a\x1b[3<m\xff".as_slice()][..],
            &[b"a\x1b[3", b"<", b"m\xff"],
            &[b"a\x1b[3\x18\xff"],
            &[b"a\x1b]0;title", b"\x1a\xff"],
            // The eight-bit string terminator.
            &[b"a\x1bPq", b"data\x9c\xff"],
        ] {
            let (text, replies) = feed(pieces);
            assert!(text.ends_with(b"\xff") && text[0] == b'a', "{text:?}");
            assert!(replies.is_empty());
        }
    }

    #[test]
    fn half_a_character_behind_a_string_costs_no_answer() {
        let (text, replies) = feed(&[b"\x1bPq\x9c\xf4\xf4 text\x1b[", b"6n"]);
        assert!(text.ends_with(b" text"), "{text:?}");
        assert_eq!(replies, b"\x1b[1;1R");
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
                "\u{1b}\\[[0-?]{0,40}[ -~é\u{7f}\u{18}\n]", "\u{1b}\\][ -~é\u{1}\u{7f}]{0,20}(\u{7}|\u{1b}\\\\|\u{1b}|\n|\u{18})",
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
