//! [`Policy`]: how much a connection allows, in one word of its entry.

/// How much a connection allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Nothing but reading, whoever asks.
    ReadOnly,
    /// What an entry without the key has: much of what changes something is to be asked about.
    #[default]
    Ask,
    /// Nothing is to be asked about.
    Open,
}

impl Policy {
    /// What an entry may say.
    pub(super) const EXPECTED: &str = "`read-only`, `ask` or `open`";

    /// The policy of a word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word {
            "read-only" => Some(Self::ReadOnly),
            "ask" => Some(Self::Ask),
            "open" => Some(Self::Open),
            _ => None,
        }
    }
}
