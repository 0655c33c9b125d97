//! [`Skim`]: patterns raced over collapsed text. Text in which none can begin is neither collapsed nor raced, which is most of
//! what a program says.

use std::sync::Arc;

use super::matcher::{Matcher, Won};
use super::text::Collapse;
use crate::script::{Beginnings, Race};

/// As much is raced before it is looked whether text can be left out again: about a prompt.
const PIECE: usize = 256;

/// One stream of text that is not collapsed yet, and the race over it. The places of its matches do not count what was left
/// out.
pub(crate) struct Skim {
    beginnings: Option<Arc<Beginnings>>,
    collapse: Collapse,
    matcher: Matcher,
}

impl Skim {
    /// At the start of a stream. Without `beginnings` all of it is raced.
    pub(crate) fn new(race: Arc<Race>, beginnings: Option<Arc<Beginnings>>) -> Self {
        Self {
            beginnings,
            collapse: Collapse::default(),
            matcher: Matcher::new(race),
        }
    }

    /// Takes the next text; adds the matches that are decided to `won`.
    pub(crate) fn push(&mut self, text: &[u8], won: &mut Vec<Won>) {
        let most = self.beginnings.as_ref().map_or(text.len(), |_| PIECE);
        let mut rest = text;
        while !rest.is_empty() {
            rest = &rest[self.leave_out(rest)..];
            let (piece, later) = rest.split_at(rest.len().min(most));
            let collapse = &mut self.collapse;
            self.matcher
                .push(|window| collapse.push(piece, window), won);
            rest = later;
        }
    }

    /// Leaves out the front of `text` where no match can begin; gives its length, which is less than all.
    fn leave_out(&mut self, text: &[u8]) -> usize {
        let Some(beginnings) = &self.beginnings else {
            return 0;
        };
        if !self.matcher.is_at_rest() {
            return 0;
        }
        let clear = beginnings.clear(text);
        if clear > 0 {
            let before = self.collapse.skip(&text[..clear]);
            self.matcher.skip(before);
        }
        clear
    }

    /// Whether a match stands that would be decided by the end of the stream.
    pub(crate) fn is_provisional(&mut self) -> bool {
        self.matcher.is_provisional()
    }

    /// No more comes for now: decides the match that stands.
    pub(crate) fn settle(&mut self, won: &mut Vec<Won>) {
        self.matcher.settle(won);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;
    use crate::expect::tests::cut;
    use crate::script::{ChallengeRule, Challenges, Pattern};

    const PATTERNS: [&str; 5] = [
        r"To sign in, open (?<url>https://\S+) and enter (?<code>[A-Z]{4})",
        r"\bcode (?<code>[A-Z0-9]{4,9})\b",
        r"(?m)^PS (?<code>[^>]{1,9})> ",
        r"[Pp]assword( for (?<code>[^:]{1,8}))?: ",
        r"\ndevice (?<code>\w+)",
    ];

    fn challenges() -> Challenges {
        let rule = |text: &&str| ChallengeRule {
            pattern: Pattern::parse(text).expect("a pattern"),
            assumed_url: None,
        };
        Challenges::new(PATTERNS.iter().map(rule).collect()).expect("they race")
    }

    /// Which patterns won, and with what.
    fn hear(
        beginnings: Option<&Arc<Beginnings>>,
        pieces: &[&[u8]],
    ) -> Vec<(usize, Vec<(String, Vec<u8>)>)> {
        let challenges = challenges();
        let race = Arc::clone(challenges.race().expect("there are some"));
        let (mut skim, mut won) = (Skim::new(race, beginnings.cloned()), Vec::new());
        for piece in pieces {
            skim.push(piece, &mut won);
        }
        skim.settle(&mut won);
        won.into_iter()
            .map(|won| (won.pattern, won.groups))
            .collect()
    }

    proptest! {
        #[test]
        fn what_is_left_out_changes_nothing(
            parts in prop::collection::vec(prop_oneof![
                4 => select(vec![
                    "To", "To sign in, open", " https://x.y/z", " and\r\n   enter", " ABCD", "code", "xcode", " A1B2C3", "PS", " C:\\> ",
                    "password", "Password for", " ada: ", ": ", " ", "\r\n", "\u{a0}", "\n", "device", "é", "x",
                ]).prop_map(str::to_owned),
                1 => "[a-z \r\n\u{a0}é]{0,400}",
            ], 0..30),
            cuts in prop::collection::vec(any::<Index>(), 0..8),
        ) {
            let text = parts.concat();
            let challenges = challenges();
            let beginnings = challenges.beginnings().expect("they are listed");
            let all = hear(None, &[text.as_bytes()]);
            prop_assert_eq!(&hear(Some(beginnings), &[text.as_bytes()]), &all);
            prop_assert_eq!(&hear(Some(beginnings), &cut(text.as_bytes(), &cuts)), &all);
        }

        #[test]
        fn no_bytes_change_that(
            bytes in prop::collection::vec(prop_oneof![
                select(b"To sign in, code A1PS>\xc2\xa0\x80\xff\r\n ".to_vec()),
                any::<u8>(),
            ], 0..200),
            cuts in prop::collection::vec(any::<Index>(), 0..8),
        ) {
            let challenges = challenges();
            let beginnings = challenges.beginnings().expect("they are listed");
            prop_assert_eq!(hear(Some(beginnings), &cut(&bytes, &cuts)), hear(None, &[&bytes]));
        }
    }

    #[test]
    fn a_prompt_far_behind_is_found_and_hardly_anything_is_raced() {
        let challenges = challenges();
        let race = Arc::clone(challenges.race().expect("there are some"));
        let (mut skim, mut won) = (
            Skim::new(race, challenges.beginnings().cloned()),
            Vec::new(),
        );
        let text = format!(
            "{}the code A1B2C3D4 is good",
            "a line of words, To and fro\r\n".repeat(5000)
        );
        for piece in text.as_bytes().chunks(4095) {
            skim.push(piece, &mut won);
        }
        assert_eq!(won[0].group("code").as_deref(), Some("A1B2C3D4"));
        assert!(skim.matcher.raced() < 10_000, "{}", skim.matcher.raced());
    }
}
