//! A command made to say only what it would do: `-WhatIf` behind the name of everything in it that does more than read.

use super::judge::{Finding, Judgement, judge};
use super::parsed::Parsed;
use super::read::parse;
use crate::script::{Effect, EffectRule, Module};

/// A text with `-WhatIf` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WhatIf {
    pub(crate) text: String,
    /// The commands that got it. It holds them back only if each has such a parameter: a function without one simply acts.
    pub(crate) commands: Vec<String>,
}

/// Why a text cannot be made to say only what it would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoWhatIf {
    /// The parser did not follow all of it, or its shell has no such thing.
    #[error("the command is not understood well enough to be told only to say what it would do")]
    NotUnderstood,
    /// It only reads.
    #[error("the command only reads: there is nothing that it would do")]
    OnlyReads,
    /// Something in it acts all the same.
    #[error("`{what}` acts with `-WhatIf`, too: {reason}")]
    Acts {
        /// What in the text.
        what: String,
        /// Why, for people.
        reason: String,
    },
}

/// Adds `-WhatIf` to everything in `text` that does more than read, and proves by judging it again that reading is all
/// that is left.
pub(crate) fn what_if<'r>(
    text: &str,
    module: Option<&Module>,
    rules: impl Iterator<Item = &'r EffectRule> + Clone,
) -> Result<WhatIf, NoWhatIf> {
    let parsed = parse(text, module);
    let speaks_powershell = module.is_none_or(|module| module.shell.name.as_str() == "pwsh");
    if !parsed.is_understood() || !speaks_powershell {
        return Err(NoWhatIf::NotUnderstood);
    }
    let mut changed = text.to_owned();
    let mut commands = Vec::new();
    // From the end, so that the places before stay what they are.
    for command in parsed.commands.iter().rev() {
        let alone = Parsed {
            commands: vec![command.clone()],
            functions: parsed.functions.clone(),
            ..Parsed::default()
        };
        let Some(name) = &command.name else { continue };
        let acts = acts(&judge(&alone, rules.clone())).is_some();
        if acts {
            changed.insert_str(command.name_end, " -WhatIf");
            commands.push(name.clone());
        }
    }
    commands.reverse();
    let again = parse(&changed, module);
    let judged = judge(&again, rules);
    // What was told to hold back counts in full beside something that acts; the fault is that something's.
    let besides = |finding: &&Finding| {
        acts_at_all(finding)
            && (finding.effect == Effect::UnknownCode || !commands.contains(&finding.what))
    };
    let other = judged.findings.iter().find(besides);
    match other.map(words).or_else(|| acts(&judged)) {
        Some((what, reason)) => Err(NoWhatIf::Acts { what, reason }),
        None if !judged.understood => Err(NoWhatIf::NotUnderstood),
        None if commands.is_empty() => Err(NoWhatIf::OnlyReads),
        None => Ok(WhatIf {
            text: changed,
            commands,
        }),
    }
}

/// The first thing that does more than read.
fn acts(judged: &Judgement) -> Option<(String, String)> {
    judged
        .findings
        .iter()
        .find(|finding| acts_at_all(finding))
        .map(words)
}

fn acts_at_all(finding: &Finding) -> bool {
    !finding.effect.only_looks()
}

fn words(finding: &Finding) -> (String, String) {
    (finding.what.clone(), finding.reason.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Catalog;

    fn told(text: &str) -> Result<WhatIf, NoWhatIf> {
        let catalog = Catalog::load(&[]);
        what_if(text, None, catalog.effects().iter())
    }

    #[test]
    fn everything_that_acts_is_held_back() {
        for (text, expected) in [
            ("Remove-Mailbox x", "Remove-Mailbox -WhatIf x"),
            (
                "Get-Mailbox | Remove-Mailbox -Confirm:$false",
                "Get-Mailbox | Remove-Mailbox -WhatIf -Confirm:$false",
            ),
            (
                "1..3 | % { Set-Mailbox $_ -Name é; Remove-Mailbox \u{2018}x\u{2019} }",
                "1..3 | % { Set-Mailbox -WhatIf $_ -Name é; Remove-Mailbox -WhatIf \u{2018}x\u{2019} }",
            ),
            ("& 'Remove-Mailbox' x", "& 'Remove-Mailbox' -WhatIf x"),
        ] {
            assert_eq!(told(text).map(|told| told.text), Ok(expected.to_owned()));
        }
        let told = told("Set-Mailbox a | Remove-Mailbox").expect("both can be held back");
        assert_eq!(told.commands, ["Set-Mailbox", "Remove-Mailbox"]);
    }

    #[test]
    fn what_would_act_all_the_same_is_refused() {
        for text in [
            "Invoke-MgGraphRequest -Method DELETE -Uri /v1.0/users/x",
            "Remove-Mailbox x; [IO.File]::Delete('x')",
            "Remove-Mailbox x > file",
            "Get-AzAccessToken",
            "& $x",
            "pwsh -c x",
        ] {
            assert!(matches!(told(text), Err(NoWhatIf::Acts { .. })), "{text}");
        }
        assert_eq!(told("Remove-Mailbox --% x"), Err(NoWhatIf::NotUnderstood));
        assert_eq!(told("Get-Mailbox"), Err(NoWhatIf::OnlyReads));
        assert_eq!(told("Remove-Mailbox x -WhatIf"), Err(NoWhatIf::OnlyReads));
    }
}
