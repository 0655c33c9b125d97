//! [`Beginnings`]: where a match over collapsed text may begin, told from the text as it is. Most of what a program says holds
//! no such place, and need not be collapsed at all then.

use regex_automata::util::prefilter::Prefilter;
use regex_automata::util::syntax::parse_many_with;
use regex_automata::{MatchKind, Span};
use regex_syntax::hir::literal::{Extractor, Seq};

use super::Pattern;
use super::pattern::syntax;

/// A shorter first word stands in too many texts.
const WORD_AT_LEAST: usize = 2;

/// Shorter words are searched for together with the white space behind them: two bytes would be found everywhere.
const ALONE_AT_LEAST: usize = 3;

/// What white space begins with; C2 is the first half of a no-break space.
const SPACES: &[u8] = b" \t\n\x0b\x0c\r\xc2";

/// The texts that matches begin with, as far as they can be listed.
#[derive(Debug)]
pub(crate) struct Beginnings {
    /// Finds their first words.
    words: Prefilter,
    /// How long the longest of what it finds is.
    longest: usize,
    texts: Vec<Vec<u8>>,
}

impl Beginnings {
    /// `None` where a match may begin with anything, with white space, with half a character, or with less than a word.
    pub(crate) fn new(patterns: &[Pattern]) -> Option<Self> {
        let texts: Vec<&str> = patterns.iter().map(Pattern::as_str).collect();
        let mut all = Seq::empty();
        for parsed in parse_many_with(&texts, &syntax()).ok()? {
            all.union(&mut Extractor::new().extract(&parsed));
        }
        all.optimize_for_prefix_by_preference();
        let texts: Vec<Vec<u8>> = all
            .literals()?
            .iter()
            .map(|literal| literal.as_bytes().to_vec())
            // Collapsed text has no other white space than spaces.
            .filter(|text| !text.iter().any(|byte| (b'\t'..=b'\r').contains(byte)))
            .collect();
        let words: Vec<&[u8]> = texts.iter().map(|text| first_word(text)).collect();
        let whole = |word: &&[u8]| word.len() >= WORD_AT_LEAST && word[0].is_ascii();
        if !words.iter().all(whole) {
            return None;
        }
        let mut wanted: Vec<Vec<u8>> = texts.iter().flat_map(|text| searched(text)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        Some(Self {
            words: Prefilter::new(MatchKind::LeftmostFirst, &wanted)?,
            longest: wanted.iter().map(Vec::len).max()?,
            texts,
        })
    }

    /// How much of the front of `text` no match can begin in, whatever follows. Never ends in the middle of a character.
    pub(crate) fn clear(&self, text: &[u8]) -> usize {
        // A first word may be cut by the end.
        let mut clear = text.len().saturating_sub(self.longest - 1);
        let mut at = 0;
        while let Some(word) = self.words.find(text, Span::from(at..text.len())) {
            let rest = &text[word.start..];
            if self.texts.iter().any(|begins| may_begin(rest, begins)) {
                clear = clear.min(word.start);
                break;
            }
            at = word.start + 1;
        }
        while clear > 0
            && text
                .get(clear)
                .is_some_and(|byte| (0x80..0xc0).contains(byte))
        {
            clear -= 1;
        }
        clear
    }
}

fn first_word(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b' ').next().unwrap_or_default()
}

/// What the first word of a beginning is searched by.
fn searched(text: &[u8]) -> Vec<Vec<u8>> {
    let word = first_word(text);
    if word.len() >= ALONE_AT_LEAST || word.len() == text.len() {
        return vec![word.to_vec()];
    }
    let with = |space: &u8| [word, &[*space]].concat();
    SPACES.iter().map(with).collect()
}

/// Whether `text`, once collapsed, begins with `begins`, as far as it goes.
fn may_begin(text: &[u8], begins: &[u8]) -> bool {
    let mut rest = text;
    for byte in begins {
        match (byte, rest) {
            (_, []) => return true,
            (b' ', _) => {
                let spaces = leading_space(rest);
                match &rest[spaces..] {
                    // More white space may follow, or the second half of a no-break space.
                    [] | [0xc2] => return true,
                    _ if spaces == 0 => return false,
                    after => rest = after,
                }
            }
            (byte, [first, after @ ..]) if byte == first => rest = after,
            _ => return false,
        }
    }
    true
}

/// The length of the white space that `text` begins with, no-break spaces (C2 A0) included.
fn leading_space(text: &[u8]) -> usize {
    let mut rest = text;
    loop {
        rest = match rest {
            [b' ' | b'\t'..=b'\r', after @ ..] | [0xc2, 0xa0, after @ ..] => after,
            _ => return text.len() - rest.len(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginnings(texts: &[&str]) -> Option<Beginnings> {
        let patterns: Vec<Pattern> = texts
            .iter()
            .map(|text| Pattern::parse(text).expect("a pattern"))
            .collect();
        Beginnings::new(&patterns)
    }

    #[test]
    fn the_front_is_clear_up_to_a_beginning_and_up_to_one_that_is_cut() {
        let all = beginnings(&["To sign in, .*", "code [A-Z]+", "\nPS ", "Do[a-z]+"])
            .expect("they are listed");
        for (text, clear) in [
            ("To the point, and nothing that follows", 35),
            ("press a key To\r\n \u{a0}sign in, and more of it", 12),
            ("press a key To\r\n \u{a0}", 12),
            ("press a key To", 11),
            ("press a key To \r", 12),
            ("nothing of the kind cod", 20),
            ("Dots and dashes and more", 0),
            ("", 0),
        ] {
            assert_eq!(all.clear(text.as_bytes()), clear, "{text:?}");
        }
        assert_eq!(all.clear(b"press a key To\xc2"), 12);
        assert_eq!(all.clear("no halves: äää".as_bytes()), 13);
    }

    #[test]
    fn what_may_begin_with_anything_has_none() {
        for text in [".*code", " code", "x y", "ä"] {
            assert!(beginnings(&["code [A-Z]+", text]).is_none(), "{text:?}");
        }
    }
}
