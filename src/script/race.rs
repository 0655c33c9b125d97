//! [`Race`]: patterns compiled to be raced over a stream, byte after byte; `expect/matcher.rs` runs it.

use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson;

use super::Pattern;
use super::pattern::syntax;

/// Why patterns cannot race.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the patterns cannot be raced: {0}")]
pub(crate) struct RaceError(String);

/// Patterns as one lazy automaton. Immutable: every stream that it runs over has a cache of its own.
#[derive(Debug)]
pub(crate) struct Race {
    /// Tells its start states from others: where it is in one, nothing that came can be part of a match.
    pub(crate) dfa: DFA,
    /// In the order of the automaton's numbers.
    pub(crate) patterns: Vec<Pattern>,
}

impl Race {
    /// Compiles `patterns`, of which there is at least one: about a millisecond for twenty.
    pub(crate) fn new(patterns: Vec<Pattern>) -> Result<Self, RaceError> {
        let texts: Vec<&str> = patterns.iter().map(Pattern::as_str).collect();
        let dfa = DFA::builder()
            .configure(
                DFA::config()
                    .skip_cache_capacity_check(true)
                    .specialize_start_states(true),
            )
            .syntax(syntax())
            .thompson(thompson::Config::new().utf8(false))
            .build_many(&texts)
            .map_err(|error| RaceError(error.to_string()))?;
        Ok(Self { dfa, patterns })
    }
}
