//! The text of a command: lines ended by LF, the end of it remembered for questions, white space collapsed for patterns.

use memchr::{memchr, memchr_iter};

/// Turns CR LF into LF, whatever the chunks. A carriage return that stands alone stays.
#[derive(Default)]
pub(crate) struct LineEnds {
    carriage_return: bool,
}

impl LineEnds {
    /// Appends `bytes` to `text`.
    pub(crate) fn push(&mut self, bytes: &[u8], text: &mut Vec<u8>) {
        if let Some(first) = bytes.first()
            && std::mem::take(&mut self.carriage_return)
            && *first != b'\n'
        {
            text.push(b'\r');
        }
        let mut from = 0;
        for at in memchr_iter(b'\r', bytes) {
            text.extend_from_slice(&bytes[from..at]);
            match bytes.get(at + 1) {
                Some(b'\n') => {}
                Some(_) => text.push(b'\r'),
                None => self.carriage_return = true,
            }
            from = at + 1;
        }
        text.extend_from_slice(&bytes[from..]);
    }

    /// The text ends here.
    pub(crate) fn finish(&mut self, text: &mut Vec<u8>) {
        if std::mem::take(&mut self.carriage_return) {
            text.push(b'\r');
        }
    }
}

/// The last bytes of a text, cheap to keep up to date.
#[derive(Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// How much of the end is kept at least.
    const KEPT: usize = 4096;

    /// Appends.
    pub(crate) fn push(&mut self, text: &[u8]) {
        let new = &text[text.len().saturating_sub(Self::KEPT)..];
        if self.bytes.len() + new.len() > 2 * Self::KEPT {
            let keep = self.bytes.len().min(Self::KEPT);
            self.bytes.drain(..self.bytes.len() - keep);
        }
        self.bytes.extend_from_slice(new);
    }

    /// The end of the text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the text ends in the middle of a line.
    pub(crate) fn is_mid_line(&self) -> bool {
        self.bytes.last().is_some_and(|byte| *byte != b'\n')
    }
}

/// How many bytes [`Collapse`] looks at together.
const BLOCK: usize = 32;

/// Collapses white space, no-break spaces included, to single spaces, whatever the chunks.
#[derive(Clone, Default)]
pub(crate) struct Collapse {
    in_space: bool,
    /// The first byte of what may be a no-break space (U+00A0 is C2 A0).
    lead: bool,
}

impl Collapse {
    /// Appends `text`, collapsed, to `collapsed`.
    pub(crate) fn push(&mut self, text: &[u8], collapsed: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.lead) {
                if first == 0xa0 {
                    self.plain(b" ", collapsed);
                    rest = &rest[1..];
                    continue;
                }
                collapsed.push(0xc2);
                self.in_space = false;
            }
            let lead = memchr(0xc2, rest);
            self.plain(&rest[..lead.unwrap_or(rest.len())], collapsed);
            self.lead = lead.is_some();
            rest = lead.map_or(&[], |at| &rest[at + 1..]);
        }
    }

    /// Leaves out text that is not wanted; gives its last byte, collapsed. There is at least one, and what follows is no second
    /// half of a no-break space.
    pub(crate) fn skip(&mut self, text: &[u8]) -> u8 {
        let lead = std::mem::take(&mut self.lead);
        self.in_space = match text {
            [0xa0] => lead,
            [.., 0xc2, 0xa0] => true,
            [.., last] => is_space(*last),
            [] => self.in_space,
        };
        match text.last() {
            Some(last) if !self.in_space => *last,
            _ => b' ',
        }
    }

    /// Text without the lead of a no-break space.
    fn plain(&mut self, text: &[u8], collapsed: &mut Vec<u8>) {
        let start = collapsed.len();
        collapsed.resize(start + text.len(), 0);
        let (out, mut length) = (&mut collapsed[start..], 0);
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        for block in blocks {
            // Masks instead of truths, and no branch: the compiler makes a few vector instructions of each loop.
            let (mut spaces, mut plain) = ([0; BLOCK], [0; BLOCK]);
            for at in 0..BLOCK {
                spaces[at] = if is_space(block[at]) { 0xff } else { 0 };
                plain[at] = block[at] & !spaces[at] | b' ' & spaces[at];
            }
            let mut doubled = spaces[0] & if self.in_space { 0xff } else { 0 };
            for at in 1..BLOCK {
                doubled |= spaces[at] & spaces[at - 1];
            }
            if doubled == 0 {
                out[length..length + BLOCK].copy_from_slice(&plain);
                length += BLOCK;
                self.in_space = spaces[BLOCK - 1] != 0;
            } else {
                length += self.squeeze(block, &mut out[length..]);
            }
        }
        length += self.squeeze(rest, &mut out[length..]);
        collapsed.truncate(start + length);
    }

    /// Byte by byte, still without a branch for each: what text holds cannot be foretold. Gives the length.
    fn squeeze(&mut self, text: &[u8], out: &mut [u8]) -> usize {
        let mut length = 0;
        for &byte in text {
            let space = is_space(byte);
            out[length] = if space { b' ' } else { byte };
            length += usize::from(!(space && self.in_space));
            self.in_space = space;
        }
        length
    }

    /// `text`, collapsed at once.
    pub(crate) fn whole(text: &[u8]) -> Vec<u8> {
        let mut collapsed = Vec::with_capacity(text.len());
        Self::default().push(text, &mut collapsed);
        collapsed
    }
}

/// Space, tab, LF, VT, FF, CR.
fn is_space(byte: u8) -> bool {
    byte == b' ' || byte.wrapping_sub(b'\t') < 5
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn line_ends_do_not_depend_on_chunks(text in "[ab\r\n]{0,40}", cut in 0usize..41) {
            let cut = cut.min(text.len());
            let (mut ends, mut out) = (LineEnds::default(), Vec::new());
            ends.push(&text.as_bytes()[..cut], &mut out);
            ends.push(&text.as_bytes()[cut..], &mut out);
            ends.finish(&mut out);
            prop_assert_eq!(out, text.replace("\r\n", "\n").into_bytes());
        }

        #[test]
        fn the_tail_is_the_end(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..12)) {
            let (mut tail, mut whole) = (Tail::default(), Vec::new());
            for part in parts {
                tail.push(&part);
                whole.extend_from_slice(&part);
            }
            prop_assert!(whole.ends_with(tail.as_bytes()));
            prop_assert!(tail.as_bytes().len() >= whole.len().min(Tail::KEPT));
        }
    }

    proptest! {
        #[test]
        fn collapsed_text_does_not_depend_on_chunks(
            parts in prop::collection::vec(prop_oneof!["[ab \t\r\n\u{b}\u{a0}é©\u{c2}]{0,60}", "[a-z]{20,60}", "[ \n]{20,50}"], 0..5),
            cut in 0usize..300,
        ) {
            let text = parts.concat();
            let words: Vec<&str> = text.split(|c: char| c.is_ascii_whitespace() || c == '\u{b}' || c == '\u{a0}').collect();
            // Spaces in a row are empty words between the first and the last.
            let inner = words.iter().enumerate().filter(|(at, word)| !word.is_empty() || *at == 0 || *at + 1 == words.len());
            let should = inner.map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
            let cut = cut.min(text.len());
            let (mut collapse, mut out) = (Collapse::default(), Vec::new());
            collapse.push(&text.as_bytes()[..cut], &mut out);
            collapse.push(&text.as_bytes()[cut..], &mut out);
            prop_assert_eq!(String::from_utf8_lossy(&out), should);
        }
    }

    #[test]
    fn white_space_collapses() {
        assert_eq!(
            Collapse::whole("a \r\n\u{a0}  b\tc\u{e9}".as_bytes()),
            "a b cé".as_bytes()
        );
    }
}
