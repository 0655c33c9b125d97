//! Commands, as the policy reads them: whatever the text, the parsers (C code, from elsewhere) come back, something is found
//! that it does, and what was not followed never passes as known.

use super::CATALOG;
use crate::policy::{judge, parse};
use crate::script::{Effect, EffectRules};

/// Which shell it is for by the first byte; the rest is its text.
pub fn commands(data: &[u8]) {
    let Some((shell, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let module = ["exo", "az"][usize::from(*shell) % 2];
    let module = CATALOG.module(module).expect("it is part of the program");
    let rules = EffectRules::new(CATALOG.effects(), module.effects.clone());
    let judged = judge(&parse(text, Some(&module)), rules.iter());
    let effects = judged.effects();
    assert!(!effects.is_empty(), "it does nothing at all");
    assert!(
        judged.understood || effects.contains(&Effect::UnknownCode),
        "what was not followed passes as known"
    );
}
