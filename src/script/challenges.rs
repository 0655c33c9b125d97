//! [`Challenges`]: what device-code prompts look like.

use std::sync::Arc;

use super::race::{Race, RaceError};
use super::{Pattern, Required};

/// What a device-code prompt looks like, over text whose escapes are out and whose white space is collapsed to single
/// spaces.
#[derive(Debug, Clone)]
pub(crate) struct ChallengeRule {
    /// Groups: `code` (required) and `url`.
    pub(crate) pattern: Pattern,
    /// The page, where the prompt does not name one; the challenge then says that it is assumed.
    pub(crate) assumed_url: Option<String>,
}

/// The rules of one module, and their patterns as one race: compiled here, once, because every run is watched by it.
#[derive(Debug, Clone)]
pub(crate) struct Challenges {
    rules: Vec<ChallengeRule>,
    race: Option<Arc<Race>>,
    required: Option<Arc<Required>>,
}

impl Challenges {
    /// Compiles the race of `rules`, of which there may be none.
    pub(crate) fn new(rules: Vec<ChallengeRule>) -> Result<Self, RaceError> {
        let patterns: Vec<Pattern> = rules.iter().map(|rule| rule.pattern.clone()).collect();
        let required = Required::new(&patterns).map(Arc::new);
        let race = if patterns.is_empty() {
            None
        } else {
            Some(Arc::new(Race::new(patterns)?))
        };
        Ok(Self {
            rules,
            race,
            required,
        })
    }

    /// In the order of the file, the module's own before those it includes.
    pub(crate) fn rules(&self) -> &[ChallengeRule] {
        &self.rules
    }

    /// The race of the rules' patterns, numbered as they are; `None` where there are no rules.
    pub(crate) fn race(&self) -> Option<&Arc<Race>> {
        self.race.as_ref()
    }

    /// What each prompt holds, in text that is not collapsed; `None` where there is no such thing.
    pub(crate) fn required(&self) -> Option<&Arc<Required>> {
        self.required.as_ref()
    }
}
