//! Device-code prompts in a command's text: the module's patterns over what is left when white space is collapsed, because
//! terminals wrap and pad (see `pnp-narrow.cast`).

use std::sync::Arc;

use super::event::Challenge;
use super::matcher::Won;
use super::skim::Skim;
use crate::script::SignIn;

/// Watches one command's text for device-code prompts.
pub(crate) struct ChallengeWatch {
    rules: Arc<SignIn>,
    skim: Skim,
    won: Vec<Won>,
}

impl ChallengeWatch {
    /// `None` where the module has no such patterns.
    pub(crate) fn new(rules: &Arc<SignIn>) -> Option<Self> {
        Some(Self {
            rules: Arc::clone(rules),
            skim: Skim::new(&rules.challenges)?,
            won: Vec::new(),
        })
    }

    /// Takes the next text; a prompt that is whole comes back.
    pub(crate) fn push(&mut self, text: &[u8]) -> Option<Challenge> {
        self.skim.push(text, &mut self.won);
        self.take()
    }

    /// Whether a prompt stands that may still grow.
    pub(crate) fn is_provisional(&mut self) -> bool {
        self.skim.is_provisional()
    }

    /// Nothing more comes for now.
    pub(crate) fn settle(&mut self) -> Option<Challenge> {
        self.skim.settle(&mut self.won);
        self.take()
    }

    /// The newest prompt: an older code is worth nothing any more.
    fn take(&mut self) -> Option<Challenge> {
        let won = self.won.drain(..).next_back()?;
        let rule = &self.rules.challenges.rules()[won.pattern];
        let url = won.group("url");
        Some(Challenge {
            user_code: won.group("code")?,
            uri_assumed: url.is_none(),
            verification_uri: url.or_else(|| rule.assumed_url.clone()).unwrap_or_default(),
        })
    }
}
