//! What a program wrote, as plain text: without escape sequences, carriage returns, NUL and other control characters.

use vte::{Parser, Perform};

struct Plain(String);

impl Perform for Plain {
    fn print(&mut self, c: char) {
        if !c.is_control() {
            self.0.push(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        if matches!(byte, b'\n' | b'\t') {
            self.0.push(char::from(byte));
        }
    }
}

/// `bytes` as text; what is no UTF-8 becomes U+FFFD.
pub(super) fn text(bytes: &[u8]) -> String {
    let mut plain = Plain(String::with_capacity(bytes.len()));
    Parser::new().advance(&mut plain, bytes);
    plain.0
}

/// `text` without control characters but the ends of lines and tabs.
pub(super) fn plain(mut text: String) -> String {
    text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    text
}

/// `text` as one line of at most `limit` characters.
pub(super) fn line(text: &str, limit: usize) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(limit.saturating_sub(1)) {
        Some((cut, _)) if line.chars().count() > limit => format!("{}…", &line[..cut]),
        Some(_) | None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_left() {
        let bytes = b"a\x1b[31mred\x1b[0m\0b\r\nc\td\x1b]0;title\x07\xc3\xa9";
        assert_eq!(text(bytes), "aredb\nc\tdé");
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("a\n\tb\u{7}  c", 200), "a b c");
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("abcd", 4), "abcd");
    }
}
