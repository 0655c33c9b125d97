//! The race of patterns: whatever the pieces, what it finds is what one plain search after the other finds in the whole. The
//! same over collapsed text, where most of it is left out.

use std::sync::Arc;

use super::cut;
use crate::expect::{Collapse, Matcher, Skim};
use crate::script::{ChallengeRule, Challenges, Pattern, Race};

/// A longer text is no other work, only more of it.
const AT_MOST: usize = 4096;

/// Patterns, a line each, up to a NUL; then a text, in pieces that it begins with.
pub fn patterns(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == 0) else {
        return;
    };
    let Ok(texts) = std::str::from_utf8(&data[..end]) else {
        return;
    };
    let parsed: Vec<Pattern> = texts
        .lines()
        .take(8)
        .filter_map(|text| Pattern::parse(text).ok())
        .collect();
    let (whole, pieces) = cut(&data[end + 1..]);
    if parsed.is_empty() || whole.len() > AT_MOST {
        return;
    }
    let rule = |pattern: &Pattern| ChallengeRule {
        pattern: pattern.clone(),
        assumed_url: None,
    };
    let Ok(challenges) = Challenges::new(parsed.iter().map(rule).collect()) else {
        return;
    };
    let Some(race) = challenges.race().cloned() else {
        return;
    };
    let should = plain(&race, whole);
    assert_eq!(raced(&race, &[whole]), should, "whole");
    assert_eq!(raced(&race, &pieces), should, "{pieces:?}");

    let lengths = |(number, start, end)| (number, end - start);
    let should: Vec<(usize, u64)> = plain(&race, &Collapse::whole(whole))
        .into_iter()
        .map(lengths)
        .collect();
    assert_eq!(skimmed(&challenges, &pieces), should, "{pieces:?}");
}

/// Which patterns won, and the lengths of their matches: their places do not count what was left out.
fn skimmed(challenges: &Challenges, pieces: &[&[u8]]) -> Vec<(usize, u64)> {
    let Some(mut skim) = Skim::new(challenges) else {
        return Vec::new();
    };
    let mut won = Vec::new();
    for piece in pieces {
        skim.push(piece, &mut won);
    }
    skim.settle(&mut won);
    won.into_iter()
        .map(|won| (won.pattern, won.end - won.start))
        .collect()
}

fn raced(race: &Arc<Race>, pieces: &[&[u8]]) -> Vec<(usize, u64, u64)> {
    let (mut matcher, mut won) = (Matcher::new(Arc::clone(race)), Vec::new());
    for piece in pieces {
        matcher.push(|window| window.extend_from_slice(piece), &mut won);
    }
    matcher.settle(&mut won);
    won.into_iter()
        .map(|won| (won.pattern, won.start, won.end))
        .collect()
}

/// The earliest match of any pattern, then the next behind it.
fn plain(race: &Race, text: &[u8]) -> Vec<(usize, u64, u64)> {
    let (mut at, mut all) = (0, Vec::new());
    loop {
        let found = race.patterns.iter().enumerate();
        let best = found.filter_map(|(index, pattern)| {
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
