//! [`Skim`]: patterns raced over collapsed text. Text that holds none of the words which each match needs is neither collapsed
//! nor raced, and that is most of what a program says.

use std::sync::Arc;

use super::matcher::{Matcher, Won};
use super::text::Collapse;
use crate::script::{Challenges, Race, Required};

/// So much is raced where a word was found: where they come close upon each other, looking for each costs more than racing.
const FOUND: usize = 1024;

/// So much is raced before it is looked whether the rest can be left out again.
const STEP: usize = 64;

/// One stream of text that is not collapsed yet, and the race over it. The places of its matches do not count what was left
/// out.
pub(crate) struct Skim {
    race: Arc<Race>,
    required: Option<Arc<Required>>,
    collapse: Collapse,
    /// Made for the first word: most streams hold none.
    matcher: Option<Matcher>,
    /// The end of the text, collapsed, that was not raced: a match may begin in it.
    held: Vec<u8>,
    /// The byte in front of that, where text was left out.
    before: Option<u8>,
}

impl Skim {
    /// At the start of a stream; `None` where there is nothing to look for.
    pub(crate) fn new(challenges: &Challenges) -> Option<Self> {
        Some(Self {
            race: Arc::clone(challenges.race()?),
            required: challenges.required().cloned(),
            collapse: Collapse::default(),
            matcher: None,
            held: Vec::new(),
            before: None,
        })
    }

    /// Takes the next text; adds the matches that are decided to `won`.
    pub(crate) fn push(&mut self, text: &[u8], won: &mut Vec<Won>) {
        let Some(required) = self.required.clone() else {
            self.run(text, won);
            return;
        };
        let mut rest = text;
        while !rest.is_empty() {
            let raced = if self.is_at_rest() {
                let Some(word) = self.find(&required, rest) else {
                    self.hold(&required, rest);
                    return;
                };
                self.hold(&required, &rest[..word]);
                rest = &rest[word..];
                FOUND
            } else {
                STEP
            };
            let (now, later) = rest.split_at(raced.min(rest.len()));
            self.run(now, won);
            rest = later;
        }
    }

    fn is_at_rest(&self) -> bool {
        self.matcher.as_ref().is_none_or(Matcher::is_at_rest)
    }

    /// Where a word begins in `text`; 0 where it began before.
    fn find(&self, required: &Required, text: &[u8]) -> Option<usize> {
        let most = required.longest() - 1;
        let end = &self.held[self.held.len().saturating_sub(most)..];
        let border = [end, &text[..most.min(text.len())]].concat();
        match required.find(&border) {
            Some(at) => Some(at.saturating_sub(end.len())),
            None => required.find(text),
        }
    }

    /// Holds of `text`, in which no word begins, what a match may begin in.
    fn hold(&mut self, required: &Required, text: &[u8]) {
        // A word may have begun too.
        let needed = required.before() + required.longest();
        let mut tail = needed + needed / 4;
        while tail < text.len() {
            // No second half of a no-break space.
            let whole = (1..=text.len() - tail).rev().find(|at| text[*at] != 0xa0);
            let Some(start) = whole else {
                break;
            };
            let (mut collapse, mut held) = (self.collapse.clone(), Vec::new());
            let before = collapse.skip(&text[..start]);
            collapse.push(&text[start..], &mut held);
            if held.len() >= needed {
                (self.collapse, self.held, self.before) = (collapse, held, Some(before));
                return;
            }
            // There is much white space.
            tail *= 4;
        }
        self.collapse.push(text, &mut self.held);
        let more = self.held.len().saturating_sub(needed);
        if more > needed {
            self.before = Some(self.held[more - 1]);
            self.held.drain(..more);
        }
    }

    /// Races what is held and then `text`.
    fn run(&mut self, text: &[u8], won: &mut Vec<Won>) {
        let race = &self.race;
        let matcher = self
            .matcher
            .get_or_insert_with(|| Matcher::new(Arc::clone(race)));
        if let Some(before) = self.before.take() {
            matcher.skip(before);
        }
        let (held, collapse) = (&mut self.held, &mut self.collapse);
        matcher.push(
            |window| {
                window.append(held);
                collapse.push(text, window);
            },
            won,
        );
    }

    /// Whether a match stands that would be decided by the end of the stream.
    pub(crate) fn is_provisional(&mut self) -> bool {
        self.matcher.as_mut().is_some_and(Matcher::is_provisional)
    }

    /// No more comes for now: decides the match that stands.
    pub(crate) fn settle(&mut self, won: &mut Vec<Won>) {
        if let Some(matcher) = &mut self.matcher {
            matcher.settle(won);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;
    use crate::expect::tests::cut;
    use crate::script::{ChallengeRule, Pattern};

    /// A prompt by its wording, one by its look on either side of its word, and some that only look like prompts.
    const PATTERNS: [&str; 6] = [
        r"To sign in, open (?<url>https://\S+) and enter (?<code>[A-Z]{4})",
        r"\bcode (?<code>[A-Z0-9]{4,9})\b",
        r"(?:\A|[^A-Z0-9])(?<code>[A-Z0-9]{4})(?:[^A-Z0-9]|[^A-Z0-9].{0,20}?[^A-Z0-9])(?<url>https://\w+)[^a-z]",
        r"(?m)^Press (?<code>[^>]{1,9})> to continue$",
        r"[Pp]assword( for (?<code>[^:]{1,8}))?: ",
        r"\ndevice (?<code>\w+)",
    ];

    fn challenges(patterns: &[&str]) -> Challenges {
        let rule = |text: &&str| ChallengeRule {
            pattern: Pattern::parse(text).expect("a pattern"),
            assumed_url: None,
        };
        Challenges::new(patterns.iter().map(rule).collect()).expect("they race")
    }

    type Heard = Vec<(usize, Vec<(String, Vec<u8>)>)>;

    /// Which patterns won, and with what.
    fn hear(challenges: &Challenges, pieces: &[&[u8]]) -> Heard {
        let mut skim = Skim::new(challenges).expect("there are patterns");
        let mut won = Vec::new();
        for piece in pieces {
            skim.push(piece, &mut won);
        }
        skim.settle(&mut won);
        won.into_iter()
            .map(|won| (won.pattern, won.groups))
            .collect()
    }

    /// The same where all is collapsed and raced.
    fn plainly(challenges: &Challenges, text: &[u8]) -> Heard {
        let race = Arc::clone(challenges.race().expect("there are some"));
        let (mut matcher, mut won) = (Matcher::new(race), Vec::new());
        matcher.push(|window| *window = Collapse::whole(text), &mut won);
        matcher.settle(&mut won);
        won.into_iter()
            .map(|won| (won.pattern, won.groups))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_is_left_out_changes_nothing(
            parts in prop::collection::vec(prop_oneof![
                4 => select(vec![
                    "To", "To sign in, open", " https://", "x.y/z", " and\r\n   enter", " ABCD", "code", "xcode", " A1B2", "Press", " C:\\> ",
                    "to continue", "password", "Password for", " ada: ", ": ", " ", "\r\n", "\u{a0}", "\n", "device", "é", "x",
                ]).prop_map(str::to_owned),
                1 => "[a-z \r\n\u{a0}é]{0,400}",
                1 => "[ \n]{100,300}",
            ], 0..30),
            cuts in prop::collection::vec(any::<Index>(), 0..8),
        ) {
            let text = parts.concat();
            let challenges = challenges(&PATTERNS);
            prop_assert!(challenges.required().is_some());
            let all = plainly(&challenges, text.as_bytes());
            prop_assert_eq!(&hear(&challenges, &[text.as_bytes()]), &all);
            prop_assert_eq!(&hear(&challenges, &cut(text.as_bytes(), &cuts)), &all);
        }

        #[test]
        fn no_bytes_change_that(
            bytes in prop::collection::vec(prop_oneof![
                4 => select(b"code A1B2>\xc2\xa0\x80\xff\r\n ".to_vec()).prop_map(|byte| vec![byte]),
                1 => select(vec!["code", "password", "https://"]).prop_map(|word| word.as_bytes().to_vec()),
                1 => (1usize..90).prop_map(|count| b"\xc2\xa0\xa0".repeat(count)),
                1 => any::<u8>().prop_map(|byte| vec![byte]),
            ], 0..300),
            cuts in prop::collection::vec(any::<Index>(), 0..8),
        ) {
            let challenges = challenges(&PATTERNS);
            let bytes = bytes.concat();
            prop_assert_eq!(hear(&challenges, &cut(&bytes, &cuts)), plainly(&challenges, &bytes));
        }
    }

    #[test]
    fn a_prompt_far_behind_is_found_and_hardly_anything_is_raced() {
        let challenges = challenges(&PATTERNS);
        let (mut skim, mut won) = (Skim::new(&challenges).expect("there are some"), Vec::new());
        let text = format!(
            "{}the code\r\n  A1B2C3D4 is good",
            "a line of words, To and fro\r\n".repeat(5000)
        );
        for piece in text.as_bytes().chunks(4095) {
            skim.push(piece, &mut won);
        }
        assert_eq!(won[0].group("code").as_deref(), Some("A1B2C3D4"));
        let raced = skim.matcher.map_or(0, |matcher| matcher.raced());
        assert!(raced < 2 * FOUND as u64, "{raced}");
    }

    #[test]
    fn patterns_without_a_word_race_over_all() {
        let challenges = challenges(&["(?<code>[A-Z]{3}-[0-9]{3})"]);
        assert!(challenges.required().is_none());
        assert_eq!(
            hear(&challenges, &[b"the AB", b"C-123 ", b"and"]),
            [(0, vec![("code".to_owned(), b"ABC-123".to_vec())])]
        );
    }
}
