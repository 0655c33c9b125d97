//! The race of patterns over a stream, each byte seen once. The match that begins first wins, then the pattern that was
//! listed first, and the winner is named. A match that could still grow waits until it cannot, or until somebody says that
//! no more will come ([`Matcher::settle`]): a device code cut by a read is never reported short.
//!
//! The patterns run as one lazy DFA. It reports a match one byte late, so the end of the data is probed without moving it.

use std::sync::Arc;

use regex_automata::Input;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::Cache;

use crate::script::Race;

/// A match longer than this is not found; memory stays bounded whatever comes.
const WINDOW: usize = 64 * 1024;

/// The cache starts anew as often as it is full, and without Unicode word boundaries no byte stops the automaton.
const NO_FAILURE: &str = "the automaton has no way to fail";

/// Who won, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Won {
    /// The pattern's place in the list.
    pub(crate) pattern: usize,
    /// From the start of what the matcher was given, in bytes.
    pub(crate) start: u64,
    /// From there too.
    pub(crate) end: u64,
    /// Named groups that took part, in the pattern's order.
    pub(crate) groups: Vec<(String, Vec<u8>)>,
}

impl Won {
    /// The text of a named group, where it took part.
    pub(crate) fn group(&self, name: &str) -> Option<String> {
        let (_, bytes) = self.groups.iter().find(|(group, _)| group == name)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// One stream that a [`Race`] watches.
pub(crate) struct Matcher {
    race: Arc<Race>,
    cache: Cache,
    state: Option<LazyStateID>,
    /// The stream from where the search for the next match began, or the byte before that.
    window: Vec<u8>,
    /// Where the next match begins at the earliest, in the window.
    from: usize,
    /// Where the window begins in the stream.
    base: u64,
    /// How much of the window the automaton has seen.
    seen: usize,
    /// The best match so far: pattern and end in the window. It may still grow.
    candidate: Option<(usize, usize)>,
}

impl Matcher {
    /// A matcher at the start of a stream.
    pub(crate) fn new(race: Arc<Race>) -> Self {
        let cache = race.dfa.create_cache();
        Self {
            race,
            cache,
            state: None,
            window: Vec::new(),
            from: 0,
            base: 0,
            seen: 0,
            candidate: None,
        }
    }

    /// Takes the next bytes, which `append` adds to the end of what it is given and leaves alone otherwise; adds the matches
    /// that are decided to `won`.
    pub(crate) fn push(&mut self, append: impl FnOnce(&mut Vec<u8>), won: &mut Vec<Won>) {
        append(&mut self.window);
        while self.scan() {
            self.decide(won);
        }
        self.forget();
        if self.window.len() > WINDOW {
            // Nothing that long is a match: the search begins anew in the younger half.
            self.restart(self.window.len() - WINDOW / 2);
            while self.scan() {
                self.decide(won);
            }
        }
    }

    /// Whether nothing that came so far can be part of a match.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.candidate.is_none()
            && self.seen == self.window.len()
            && self.state.is_none_or(|state| state.is_start())
    }

    /// Goes on behind text that was left out, of which `before` is the last byte. Only at rest. The places of matches do not
    /// count what was left out.
    pub(crate) fn skip(&mut self, before: u8) {
        self.base += (self.window.len() as u64).saturating_sub(1);
        self.window.clear();
        self.window.push(before);
        (self.from, self.seen) = (1, 1);
        let input = Input::new(&self.window).span(1..1);
        let state = self.race.dfa.start_state_forward(&mut self.cache, &input);
        self.state = Some(state.expect(NO_FAILURE));
    }

    /// How many bytes it was given.
    #[cfg(test)]
    pub(super) fn raced(&self) -> u64 {
        self.base + self.window.len() as u64
    }

    /// Whether a match stands that would be decided by the end of the stream.
    pub(crate) fn is_provisional(&mut self) -> bool {
        self.probe().is_some()
    }

    /// No more bytes will come for now: decides the match that stands.
    pub(crate) fn settle(&mut self, won: &mut Vec<Won>) {
        while let Some(candidate) = self.probe() {
            self.candidate = Some(candidate);
            self.decide(won);
            while self.scan() {
                self.decide(won);
            }
        }
    }

    /// Runs the automaton over what it has not seen. True: a match is decided and stands in `candidate`.
    fn scan(&mut self) -> bool {
        let (dfa, cache) = (&self.race.dfa, &mut self.cache);
        let mut state = match self.state {
            Some(state) => state,
            None => dfa
                .start_state_forward(cache, &Input::new(&self.window))
                .expect(NO_FAILURE),
        };
        while self.seen < self.window.len() {
            state = dfa
                .next_state(cache, state, self.window[self.seen])
                .expect(NO_FAILURE);
            if state.is_match() {
                self.candidate = Some((dfa.match_pattern(cache, state, 0).as_usize(), self.seen));
            } else if state.is_dead() {
                self.state = Some(state);
                return self.candidate.is_some();
            }
            self.seen += 1;
        }
        self.state = Some(state);
        false
    }

    /// Lets go of what no match can begin in. The last byte stays, because patterns may look at what stands before them.
    fn forget(&mut self) {
        if self.candidate.is_none()
            && self.seen > 1
            && self.state.is_some_and(|state| state.is_start())
        {
            let gone = self.seen - 1;
            self.window.drain(..gone);
            self.base += gone as u64;
            (self.from, self.seen) = (1, 1);
        }
    }

    /// The match that the end of the data would decide. Moves nothing.
    fn probe(&mut self) -> Option<(usize, usize)> {
        let state = self
            .race
            .dfa
            .next_eoi_state(&mut self.cache, self.state?)
            .expect(NO_FAILURE);
        if state.is_match() {
            let pattern = self.race.dfa.match_pattern(&self.cache, state, 0);
            return Some((pattern.as_usize(), self.window.len()));
        }
        self.candidate
    }

    /// Reports the candidate and goes on behind it.
    fn decide(&mut self, won: &mut Vec<Won>) {
        let Some((pattern, end)) = self.candidate.take() else {
            return;
        };
        if let Some(captures) = self.race.patterns[pattern].captures_from(&self.window, self.from) {
            let whole = captures.get(0).expect("a match has a whole");
            let groups = self.race.patterns[pattern]
                .groups()
                .filter_map(|name| {
                    Some((name.to_owned(), captures.name(name)?.as_bytes().to_vec()))
                })
                .collect();
            won.push(Won {
                pattern,
                start: self.base + whole.start() as u64,
                end: self.base + whole.end() as u64,
                groups,
            });
        }
        self.restart(end);
    }

    fn restart(&mut self, at: usize) {
        self.window.drain(..at);
        self.base += at as u64;
        (self.from, self.seen) = (0, 0);
        self.state = None;
        self.candidate = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::script::Pattern;

    fn race(texts: &[&str]) -> Arc<Race> {
        let patterns = texts
            .iter()
            .map(|text| Pattern::parse(text).expect("a pattern"))
            .collect();
        Arc::new(Race::new(patterns).expect("they race"))
    }

    fn push(matcher: &mut Matcher, bytes: &[u8], won: &mut Vec<Won>) {
        matcher.push(|window| window.extend_from_slice(bytes), won);
    }

    fn any_split(race: &Arc<Race>, text: &str, cuts: Vec<usize>) {
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts
            .windows(2)
            .map(|pair| &bytes[pair[0]..pair[1]])
            .collect();
        assert_eq!(run(race, &chunks), oracle(race, bytes), "{chunks:?}");
    }

    fn run(race: &Arc<Race>, chunks: &[&[u8]]) -> Vec<(usize, u64, u64)> {
        let mut matcher = Matcher::new(Arc::clone(race));
        let mut won = Vec::new();
        for chunk in chunks {
            push(&mut matcher, chunk, &mut won);
        }
        matcher.settle(&mut won);
        won.into_iter()
            .map(|won| (won.pattern, won.start, won.end))
            .collect()
    }

    #[test]
    fn the_first_place_wins_then_the_first_pattern() {
        let race = race(&["Logged in", "error: .*\n", "error"]);
        assert_eq!(
            run(&race, &[b"error: bad password\nLogged in"]),
            [(1, 0, 20), (0, 20, 29)]
        );
    }

    #[test]
    fn a_match_that_can_grow_waits() {
        let race = race(&[r"code (?<code>\w+)"]);
        let mut matcher = Matcher::new(race);
        let mut won = Vec::new();
        push(&mut matcher, b"the code AB", &mut won);
        assert!(won.is_empty() && matcher.is_provisional());
        push(&mut matcher, b"CD12", &mut won);
        assert!(won.is_empty());
        push(&mut matcher, b" to", &mut won);
        assert_eq!(won[0].group("code").as_deref(), Some("ABCD12"));
    }

    #[test]
    fn the_end_of_the_data_decides() {
        let race = race(&["Password: "]);
        let mut matcher = Matcher::new(race);
        let mut won = Vec::new();
        push(&mut matcher, b"Password: ", &mut won);
        assert!(won.is_empty() && matcher.is_provisional());
        matcher.settle(&mut won);
        assert_eq!(won.len(), 1);
        assert!(!matcher.is_provisional());
    }

    #[test]
    fn a_word_boundary_works_beside_other_letters() {
        let race = race(&[r"\bcode ([A-Z]+)\b"]);
        assert_eq!(
            run(&race, &["für den code ABC – über".as_bytes()]),
            [(0, 9, 17)]
        );
    }

    #[test]
    fn a_long_match_that_is_cut_goes_before_a_short_one_that_is_whole() {
        let race = race(&["[Pp]assword( for [^:]{1,8})?: ", "a|bc"]);
        assert_eq!(
            run(&race, &[b"the password for", b" ", b"x: "]),
            [(0, 4, 20)]
        );
    }

    #[test]
    fn the_window_is_bounded() {
        let race = race(&["a[^z]*z"]);
        let mut matcher = Matcher::new(race);
        let mut won = Vec::new();
        for _ in 0..64 {
            push(&mut matcher, &[b'a'; 4096], &mut won);
            assert!(matcher.window.len() <= WINDOW);
        }
        push(&mut matcher, b"z", &mut won);
        matcher.settle(&mut won);
        assert_eq!(won.len(), 1);
    }

    /// One search after the other over the whole text: what the race must equal.
    fn oracle(race: &Race, text: &[u8]) -> Vec<(usize, u64, u64)> {
        let (mut at, mut all) = (0, Vec::new());
        loop {
            let best = race
                .patterns
                .iter()
                .enumerate()
                .filter_map(|(index, pattern)| {
                    let whole = pattern.captures(&text[at..])?.get(0)?;
                    Some((whole.start(), index, whole.end()))
                });
            let Some((start, index, end)) = best.min() else {
                return all;
            };
            all.push((index, (at + start) as u64, (at + end) as u64));
            at += end;
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_what_the_whole_text_gives(text in "[abc é\r\n]{0,60}", cuts in prop::collection::vec(0usize..70, 0..8)) {
            any_split(&race(&["ab+", "a|bc", r"c\b", r"(?m)a$", "é[^b]b"]), &text, cuts);
        }

        #[test]
        fn any_split_of_a_prompt_gives_what_the_whole_gives(
            parts in prop::collection::vec(prop::sample::select(vec![
                "code ABC", "code ", "co", "de", "xcode A", "Password", " for x: ", ": ", "\r\n", "\n", "PS C> ", " ", "x", "é",
            ]), 0..40),
            cuts in prop::collection::vec(0usize..200, 0..12),
        ) {
            let race = race(&[r"\bcode ([A-Z]+)\b", r"[Pp]assword( for [^:]{1,8})?: ", r"(?m)^PS [^>\r\n]{1,9}> $", r"\r\n\r\n"]);
            any_split(&race, &parts.concat(), cuts);
        }
    }
}
