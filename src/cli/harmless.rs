//! Text from elsewhere made harmless for a terminal: what a tenant's data holds must not move the cursor, recolour the
//! screen or turn the reading direction. Only for terminals; pipes and files get the bytes as they are.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with its control characters made visible; line ends and tabs stay.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| is_plain(c) && c != '\r') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            c => show(c, &mut shown),
        }
    }
    Cow::Owned(shown)
}

/// `text` on one line, for tables and messages.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    harmless(&words.join(" ")).into_owned()
}

/// The first `width` characters of it in one line, with `…` where more follow.
pub(crate) fn one_short_line(text: &str, width: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(width) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// Bytes that come in any pieces, made harmless. Characters and line ends may be cut between pieces.
#[derive(Debug, Default)]
pub(crate) struct HarmlessStream {
    held: Vec<u8>,
}

impl HarmlessStream {
    /// What can be shown now.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut shown = String::with_capacity(self.held.len());
        let keep = self.show_whole(&mut shown);
        let from = self.held.len() - keep;
        self.held.drain(..from);
        shown
    }

    /// What was held back, when nothing follows.
    pub(crate) fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        harmless(&String::from_utf8_lossy(&held)).into_owned()
    }

    /// Shows all but an unfinished end; returns how many bytes that has.
    fn show_whole(&self, shown: &mut String) -> usize {
        let mut rest = self.held.as_slice();
        loop {
            let (text, bad) = match std::str::from_utf8(rest) {
                Ok(text) => (text, 0),
                Err(error) => {
                    let (valid, _) = rest.split_at(error.valid_up_to());
                    let text = std::str::from_utf8(valid).expect("it was just checked");
                    let Some(length) = error.error_len() else {
                        shown.push_str(&harmless(text));
                        return rest.len() - text.len();
                    };
                    (text, length)
                }
            };
            if bad == 0 {
                // A carriage return at the very end may belong to a line end.
                let whole = text.strip_suffix('\r').unwrap_or(text);
                shown.push_str(&harmless(whole));
                return text.len() - whole.len();
            }
            shown.push_str(&harmless(text));
            shown.push(char::REPLACEMENT_CHARACTER);
            rest = &rest[text.len() + bad..];
        }
    }
}

fn is_plain(c: char) -> bool {
    matches!(c, '\n' | '\t') || !(c.is_control() || turns_direction(c))
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9), and the line separators.
fn turns_direction(c: char) -> bool {
    matches!(
        c,
        '\u{061c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

fn show(c: char, shown: &mut String) {
    match c {
        c if is_plain(c) => shown.push(c),
        // The control pictures follow the order of the control characters.
        c if u32::from(c) < 0x20 => {
            shown.push(char::from_u32(0x2400 + u32::from(c)).expect("it is a control picture"));
        }
        '\u{7f}' => shown.push('\u{2421}'),
        c => write!(shown, "<U+{:04X}>", u32::from(c)).expect("a string takes everything"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_become_visible() {
        assert_eq!(
            harmless("a\u{1b}]0;x\u{7}\r\nb\rc\u{9b}2J\u{202e}d\te"),
            "a␛]0;x␇\nb␍c<U+009B>2J<U+202E>d\te"
        );
        assert!(matches!(harmless("plain\nü\t"), Cow::Borrowed(_)));
        assert_eq!(one_line("a\n  b\u{1b}[m"), "a b␛[m");
    }

    #[test]
    fn cut_characters_and_line_ends_are_put_together() {
        let mut stream = HarmlessStream::default();
        assert_eq!(stream.push(b"a\xc3"), "a");
        assert_eq!(stream.push(b"\xa9\r"), "é");
        assert_eq!(stream.push(b"\n\xff!\r"), "\n\u{fffd}!");
        assert_eq!(stream.finish(), "␍");
    }

    proptest! {
        #[test]
        fn nothing_harmful_gets_through_in_any_pieces(bytes: Vec<u8>, size in 1_usize..7) {
            let mut stream = HarmlessStream::default();
            let mut shown = String::new();
            for piece in bytes.chunks(size) {
                shown.push_str(&stream.push(piece));
            }
            shown.push_str(&stream.finish());
            prop_assert!(shown.chars().all(is_plain), "{:?}", shown);
            let mut whole = HarmlessStream::default();
            let mut at_once = whole.push(&bytes);
            at_once.push_str(&whole.finish());
            prop_assert_eq!(shown, at_once);
        }
    }
}
