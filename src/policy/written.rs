//! [`Written`]: a PowerShell text as its grammar sees it. PowerShell takes curly quotes, long dashes, no-break spaces and
//! three kinds of line ends for the plain ones; the grammar does not. Here they become plain, and places in the plain text
//! lead back to what was written.

use std::ops::Range;

/// A text and its plain form.
#[derive(Debug)]
pub(super) struct Written<'t> {
    original: &'t str,
    plain: String,
    /// For every byte of `plain`, and its end, the byte of `original`. Absent where the two are the same.
    places: Option<Vec<usize>>,
    /// Where lines begin in `plain`.
    lines: Vec<usize>,
    /// Whether there is a character that PowerShell and the grammar may disagree about.
    pub(super) is_odd: bool,
}

/// U+2018, U+2019, U+201A, U+201B: PowerShell ends and begins verbatim strings with each of them.
pub(super) fn is_single_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}'..='\u{201b}')
}

/// U+201C, U+201D, U+201E.
pub(super) fn is_double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}'..='\u{201e}')
}

/// En dash, em dash and horizontal bar.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2013}'..='\u{2015}')
}

fn plain(c: char) -> char {
    match c {
        c if is_single_quote(c) => '\'',
        c if is_double_quote(c) => '"',
        c if is_dash(c) => '-',
        '\r' => '\n',
        '\t'
        | '\u{b}'
        | '\u{c}'
        | '\u{85}'
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => ' ',
        other => other,
    }
}

/// Control characters, and characters that are not seen: they join to words in one tokenizer and part them in another.
fn is_odd(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}'))
        || matches!(
            c,
            '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

impl<'t> Written<'t> {
    pub(super) fn new(original: &'t str) -> Self {
        let is_same = original.chars().all(|c| c == plain(c));
        let (text, places) = if is_same {
            (original.to_owned(), None)
        } else {
            let (text, places) = made_plain(original);
            (text, Some(places))
        };
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0)
            .chain(ends.map(|(at, _)| at + 1))
            .collect();
        Self {
            is_odd: original.chars().any(is_odd),
            plain: text,
            original,
            places,
            lines,
        }
    }

    /// The text for the grammar.
    pub(super) fn plain(&self) -> &str {
        &self.plain
    }

    /// What was written at a place of the plain text.
    pub(super) fn original(&self, plain: Range<usize>) -> &'t str {
        match &self.places {
            None => &self.original[plain],
            Some(places) => &self.original[places[plain.start]..places[plain.end]],
        }
    }

    /// The byte of the original text that a place of the plain text stands for.
    pub(super) fn place(&self, at: usize) -> usize {
        self.places.as_ref().map_or(at, |places| places[at])
    }

    /// The line of a place of the plain text, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }
}

fn made_plain(original: &str) -> (String, Vec<usize>) {
    let mut text = String::with_capacity(original.len());
    let mut places = Vec::with_capacity(original.len() + 1);
    let mut chars = original.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\r' {
            // Two characters that are one line end: its place is where they begin.
            chars.next_if(|(_, next)| *next == '\n');
        }
        let c = plain(c);
        text.push(c);
        places.extend(at..at + c.len_utf8());
    }
    places.push(original.len());
    (text, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_what_was_written() {
        let written = Written::new("Get\u{2013}X\r\n\u{2018}é\u{2019}\u{a0}b");
        assert_eq!(written.plain(), "Get-X\n'é' b");
        assert_eq!(
            written.original(0..5),
            "Get\u{2013}X",
            "without its line end"
        );
        assert_eq!(written.original(6..10), "\u{2018}é\u{2019}");
        assert_eq!((written.line(0), written.line(6)), (1, 2));
        assert!(!written.is_odd);
        assert!(Written::new("Get-\u{200b}X").is_odd && Written::new("a\0").is_odd);
    }
}
