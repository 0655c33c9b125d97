//! [`Required`]: words of which each match over collapsed text holds one, so that they can be looked for in the text as it is.
//! Most of what a program says holds none, and need be neither collapsed nor raced. A word here is a few bytes of a longer one,
//! and what stands around it is compared too.

use std::cmp::Reverse;

use regex_automata::util::prefilter::Prefilter;
use regex_automata::util::syntax::parse_many_with;
use regex_automata::{MatchKind, Span};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

use super::Pattern;
use super::pattern::syntax;

/// How long a word is: the search for many looks at the first four bytes of each, and the rarest four are taken.
const LONG: usize = 4;

/// Where no word is as long. A shorter one stands in too many texts.
const SHORT: usize = 3;

/// A word that says so many bits is rare enough.
const RARE: u32 = 24;

/// Both cases of a letter. A class of more bytes, as a digit is, makes many words that are hardly rarer than one.
const BYTES_AT_MOST: usize = 2;

/// More words than this are not found many bytes at a time.
const WORDS_AT_MOST: usize = 64;

/// The words of some patterns.
#[derive(Debug)]
pub(crate) struct Required {
    search: Prefilter,
    /// In the order of their bytes.
    words: Vec<Word>,
    longest: usize,
    before: usize,
}

/// Printable ASCII without white space, so that it is the same in the text and in the collapsed text.
#[derive(Debug, Clone)]
struct Word {
    bytes: Vec<u8>,
    /// How far in front of it a match begins at most, in collapsed bytes.
    before: usize,
    /// What a match has around it: one of these.
    around: Vec<Around>,
}

/// A piece of collapsed text, with a word in it.
#[derive(Debug, Clone)]
struct Around {
    before: Vec<u8>,
    from: Vec<u8>,
}

impl Required {
    /// `None` where a match of some pattern needs no word of three bytes, or one that may be any number of bytes away from its
    /// beginning.
    pub(crate) fn new(patterns: &[Pattern]) -> Option<Self> {
        let texts: Vec<&str> = patterns.iter().map(Pattern::as_str).collect();
        let mut words = Vec::new();
        for parsed in parse_many_with(&texts, &syntax()).ok()? {
            words.extend(words_in(&parsed)?);
        }
        let mut words = without_the_longer(words);
        if words.len() > WORDS_AT_MOST {
            return None;
        }
        words.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        let needles: Vec<&[u8]> = words.iter().map(|word| word.bytes.as_slice()).collect();
        Some(Self {
            search: Prefilter::new(MatchKind::LeftmostFirst, &needles)?,
            longest: needles.iter().map(|needle| needle.len()).max()?,
            before: words.iter().map(|word| word.before).max()?,
            words,
        })
    }

    /// Where the first of the words begins in `text`, which is a part of a longer one: what stands around the word may still
    /// be what a match has there.
    pub(crate) fn find(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let found = self.search.find(text, Span::from(at..text.len()))?;
            let (before, from) = text.split_at(found.start);
            let bytes = &text[found.range()];
            let word = self
                .words
                .binary_search_by(|word| word.bytes[..].cmp(bytes));
            let fits = |around: &Around| {
                may_begin_with(from, &around.from) && may_end_in(before, &around.before)
            };
            if word.is_ok_and(|word| self.words[word].around.iter().any(fits)) {
                return Some(found.start);
            }
            at = found.start + 1;
        }
    }

    /// The length of the longest word.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// How far in front of a word a match begins at most, in collapsed bytes.
    pub(crate) fn before(&self) -> usize {
        self.before
    }
}

/// Words of which each match of `hir` holds one; none at all where nothing matches.
fn words_in(hir: &Hir) -> Option<Vec<Word>> {
    let mut parts = Vec::new();
    flatten(hir, &mut parts);
    if let [part] = parts.as_slice()
        && let HirKind::Alternation(branches) = part.kind()
    {
        let branches: Option<Vec<_>> = branches.iter().map(words_in).collect();
        return Some(branches?.concat());
    }
    let (mut best, mut before) = (None::<Vec<Word>>, 0);
    for at in 0..parts.len() {
        let rest = Hir::concat(parts[at..].iter().map(|part| (*part).clone()).collect());
        if let Some(words) = words_at(&rest, before)
            && best.as_ref().is_none_or(|best| worth(&words) > worth(best))
        {
            best = Some(words);
        }
        let Some(length) = parts[at].properties().maximum_len() else {
            break;
        };
        before += length;
    }
    best
}

/// What stands one after the other in `hir`.
fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(inner) => inner.iter().for_each(|part| flatten(part, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir),
    }
}

/// A word of each text that a match of `hir` may begin with, which itself begins so many bytes behind a match's beginning.
fn words_at(hir: &Hir, before: usize) -> Option<Vec<Word>> {
    let texts = Extractor::new().limit_class(BYTES_AT_MOST).extract(hir);
    let mut words = Vec::new();
    for text in texts.literals()? {
        let text = text.as_bytes();
        // Collapsed text has no other white space than spaces.
        if text.iter().any(|byte| (b'\t'..=b'\r').contains(byte)) {
            continue;
        }
        let (at, length) = rarest(text, LONG).or_else(|| rarest(text, SHORT))?;
        let (front, from) = text.split_at(at);
        words.push(Word {
            bytes: from[..length].to_vec(),
            before: before + at,
            around: vec![Around {
                before: front.to_vec(),
                from: from.to_vec(),
            }],
        });
    }
    Some(words)
}

/// Where the word of `text` is that says most, and its length.
fn rarest(text: &[u8], length: usize) -> Option<(usize, usize)> {
    let words = text.windows(length).enumerate().rev();
    words
        .filter(|(_, word)| word.iter().all(u8::is_ascii_graphic))
        .max_by_key(|(_, word)| bits(word))
        .map(|(at, _)| (at, length))
}

/// Rare words first, then few, then near ones.
fn worth(words: &[Word]) -> impl Ord + use<> {
    let least = words.iter().map(|word| bits(&word.bytes)).min();
    let before = words.iter().map(|word| word.before).max();
    (
        least.map_or(RARE, |bits| bits.min(RARE)),
        Reverse(words.len()),
        Reverse(before),
    )
}

/// How much a word says, in bits: what each of its letters says where they are as frequent as in English.
fn bits(word: &[u8]) -> u32 {
    let says = |byte: &u8| match byte {
        b'e' => 3,
        b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'h' | b'r' => 4,
        b'd' | b'l' | b'c' | b'u' | b'm' | b'w' => 5,
        b'f' | b'g' | b'y' | b'p' | b'b' => 6,
        b'j' | b'q' | b'x' | b'z' => 10,
        _ => 7,
    };
    word.iter().map(says).sum()
}

/// Only words that hold no other of them: whoever finds the shorter has found the longer.
fn without_the_longer(mut words: Vec<Word>) -> Vec<Word> {
    words.sort_by_key(|word| word.bytes.len());
    let mut left: Vec<Word> = Vec::new();
    for mut word in words {
        let inner = left.iter_mut().find_map(|shorter| {
            let at = memchr::memmem::find(&word.bytes, &shorter.bytes)?;
            Some((shorter, at))
        });
        let Some((shorter, at)) = inner else {
            left.push(word);
            continue;
        };
        shorter.before = shorter.before.max(word.before + at);
        for around in &mut word.around {
            around.before.extend(around.from.drain(..at));
        }
        shorter.around.append(&mut word.around);
    }
    left
}

/// Whether `text`, once it is collapsed and more has come, may begin with `collapsed`.
fn may_begin_with(text: &[u8], collapsed: &[u8]) -> bool {
    let mut rest = text;
    for byte in collapsed {
        match (byte, rest) {
            (_, [] | [0xc2]) => return true,
            (b' ', _) => match without_space(rest) {
                // More white space may follow.
                [] | [0xc2] => return true,
                after if after.len() == rest.len() => return false,
                after => rest = after,
            },
            (byte, [first, after @ ..]) if byte == first => rest = after,
            _ => return false,
        }
    }
    true
}

/// Whether `text`, once it is collapsed and known from its beginning, may end in `collapsed`.
fn may_end_in(text: &[u8], collapsed: &[u8]) -> bool {
    let mut rest = text;
    for byte in collapsed.iter().rev() {
        match (byte, rest) {
            (_, [] | [0xa0]) => return true,
            (b' ', _) => match without_space_behind(rest) {
                [] | [0xa0] => return true,
                before if before.len() == rest.len() => return false,
                before => rest = before,
            },
            (byte, [before @ .., last]) if byte == last => rest = before,
            _ => return false,
        }
    }
    true
}

/// What follows the white space at the front of `text`, no-break spaces (C2 A0) included.
fn without_space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t'..=b'\r', after @ ..] | [0xc2, 0xa0, after @ ..] = text {
        text = after;
    }
    text
}

/// What stands before the white space at the end of `text`.
fn without_space_behind(mut text: &[u8]) -> &[u8] {
    while let [before @ .., b' ' | b'\t'..=b'\r'] | [before @ .., 0xc2, 0xa0] = text {
        text = before;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        let parse = |text: &&str| Pattern::parse(text).expect("a pattern");
        texts.iter().map(parse).collect()
    }

    fn words(text: &str) -> Option<Vec<(String, usize)>> {
        let [parsed] = parse_many_with(&[text], &syntax())
            .expect("a pattern")
            .try_into()
            .expect("one");
        let word = |word: Word| {
            (
                String::from_utf8(word.bytes).expect("it is ASCII"),
                word.before,
            )
        };
        Some(
            without_the_longer(words_in(&parsed)?)
                .into_iter()
                .map(word)
                .collect(),
        )
    }

    #[test]
    fn the_rarest_words_are_taken_and_how_far_a_match_begins_before_them() {
        for (pattern, should) in [
            ("To sign in, use a code", &[("sign", 3)][..]),
            (
                r"open the page (?<url>https://\S+) and enter (?<code>\w+)",
                &[("s://", 18)],
            ),
            (
                r"\bCode (?<code>[A-Z0-9]{6,12}) has been copied to your clipboard",
                &[("lipb", 43)],
            ),
            (
                "[Pp]assword( for [^:]{1,64})?: ",
                &[("word", 4), ("ord:", 5)],
            ),
            ("-- ?[Mm]ore ?--", &[("More", 3), ("re--", 5), ("more", 3)]),
            (
                r"(?<code>AADSTS[0-9]+|The term '[^']+')",
                &[("AADS", 0), ("term", 4)],
            ),
            ("(x{1,5}[0-9]|y )the end of it", &[("end", 10)]),
            // No collapsed text holds a line end.
            (r"\nPS [^>]+> ", &[]),
        ] {
            let should = should
                .iter()
                .map(|(word, before)| ((*word).to_owned(), *before));
            assert_eq!(words(pattern), Some(should.collect()), "{pattern}");
        }
    }

    #[test]
    fn some_patterns_need_no_word_or_none_near_their_beginning() {
        for pattern in ["ab [0-9]+", "[a-z]+ sign in", "code|[0-9]+", "x y z"] {
            assert_eq!(words(pattern), None, "{pattern}");
            assert!(Required::new(&patterns(&["sign in", pattern])).is_none());
        }
    }

    #[test]
    fn a_word_is_found_where_a_match_may_be_around_it() {
        let required = Required::new(&patterns(&["To sign in", "enter the code [A-Z]+"]))
            .expect("each has a word");
        assert_eq!((required.longest(), required.before()), (4, 10));
        for (text, found) in [
            ("To sign in", Some(3)),
            ("and then To\r\n\u{a0}sign  in", Some(15)),
            ("a sign, To sign out, To sign in", Some(24)),
            ("To sign", Some(3)),
            ("To sign \t", Some(3)),
            ("o sign in", Some(2)),
            ("sign in", Some(0)),
            (" sign i", Some(1)),
            ("To sig", None),
            ("a sign in", None),
            ("Tosign in", None),
            ("enter a code, enter\nthe code", Some(24)),
        ] {
            assert_eq!(required.find(text.as_bytes()), found, "{text:?}");
        }
        assert_eq!(required.find(b"To sign\xc2"), Some(3));
        assert_eq!(required.find(b"\xa0sign in"), Some(1));
    }
}
