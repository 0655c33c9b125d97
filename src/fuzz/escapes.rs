//! The terminal's side of the text: whatever the pieces, the same text and the same answers, and the text is what `vte`
//! prints of the whole.

use std::sync::Arc;

use memchr::memchr;
use vte::{Parser, Perform};

use super::{PWSH, cut};
use crate::expect::Terminal;

#[derive(Default)]
struct Printed {
    text: String,
    executed: bool,
}

impl Perform for Printed {
    fn print(&mut self, c: char) {
        self.text.push(c);
    }

    fn execute(&mut self, byte: u8) {
        self.text.push(char::from(byte));
        self.executed = true;
    }
}

/// Text out of control sequences, in pieces that `data` begins with.
pub fn escapes(data: &[u8]) {
    let (whole, pieces) = cut(data);
    let (text, answers) = feed(&[whole]);
    assert_eq!((text.clone(), answers.clone()), feed(&pieces));
    if memchr(0x1b, whole).is_none() {
        assert_eq!(text, whole);
        assert!(answers.is_empty());
    }
    // Each answer has a question of its own, and the questions are no text.
    let asked = memchr::memchr_iter(0x1b, whole).count();
    assert!(memchr::memchr_iter(0x1b, &answers).count() <= asked);
    // What is no UTF-8 stays as it is, where `vte` puts a sign for it.
    if let Ok(text_of_all) = std::str::from_utf8(whole) {
        let should = printed(text_of_all);
        assert_eq!(String::from_utf8_lossy(&text), should);
    }
}

fn feed(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let mut terminal = Terminal::new(Arc::clone(&PWSH));
    let (mut text, mut answers) = (Vec::new(), Vec::new());
    for piece in pieces {
        text.extend_from_slice(&terminal.feed(piece, &mut answers));
    }
    (text, answers)
}

/// `vte` byte by byte, with the one difference: a line end that it would swallow ends what swallows it.
fn printed(whole: &str) -> String {
    let (mut parser, mut all) = (Parser::new(), String::new());
    for byte in whole.bytes() {
        let mut seen = Printed::default();
        parser.advance(&mut seen, &[byte]);
        all.push_str(&seen.text);
        if byte == b'\n' && !seen.executed {
            parser = Parser::new();
            all.push('\n');
        }
    }
    all
}
