//! From what a text runs to what it does, by the rules. What no rule knows is never taken for reading.

use super::parsed::{Command, Operator, Parsed};
use super::places::Place;
use super::{local, places, request, tools};
use crate::script::{Effect, EffectRule, Guard};
use names::{is_file, makes_plain_object, plain_name, runs_given_code};

mod language;
mod names;
mod rules;

pub(super) use names::{is_comparison, is_told_by_alias};

/// One effect, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) effect: Effect,
    /// What in the text has it: a command's name, a method, a redirection.
    pub(crate) what: String,
    /// Whether that may act on many things at once.
    pub(crate) many: bool,
    /// The text's line, counted from 1.
    pub(crate) line: usize,
    /// Why, for people.
    pub(crate) reason: String,
    /// The file and line of the rule. `None`: it follows from the language.
    pub(crate) rule: Option<String>,
    /// What is decided at least, by that rule.
    pub(crate) guard: Option<Guard>,
}

impl Finding {
    /// Code that cannot be known, wherever it stands.
    pub(super) fn of_unknown_code() -> Self {
        Self {
            effect: Effect::UnknownCode,
            what: String::new(),
            many: false,
            line: 1,
            reason: String::new(),
            rule: None,
            guard: None,
        }
    }

    pub(crate) fn is_reading(&self) -> bool {
        self.effect == Effect::Reads
    }
}

/// What a text does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) findings: Vec<Finding>,
    /// Whether the parser followed all of it.
    pub(crate) understood: bool,
    /// Commands that only tell what they would do, if each of them knows `-WhatIf` in its session: the text cannot tell.
    pub(crate) told: Vec<String>,
}

impl Judgement {
    /// Whether all of it was understood and none of it does more than look.
    pub(crate) fn only_reads(&self) -> bool {
        self.understood && self.effects() == [Effect::Reads]
    }

    /// Adds what another judgement of the same text has found; of a command that it is only told about, too.
    pub(crate) fn also(&mut self, other: Self) {
        for finding in other.findings {
            let same = |known: &Finding| {
                known.effect == finding.effect
                    && known.what == finding.what
                    && known.line == finding.line
                    && known.guard == finding.guard
            };
            if !self.findings.iter().any(same) {
                self.findings.push(finding);
            }
        }
        self.understood &= other.understood;
    }

    /// Whether it may take away many things at once.
    pub(crate) fn destroys_many(&self) -> bool {
        self.findings
            .iter()
            .any(|found| found.effect == Effect::Destroys && found.many)
    }

    /// Each effect once, in the order of [`Effect::ALL`]. `reads` only where there is no other.
    pub(crate) fn effects(&self) -> Vec<Effect> {
        let has = |effect: &Effect| self.findings.iter().any(|found| found.effect == *effect);
        let mut effects: Vec<Effect> = Effect::ALL.into_iter().filter(has).collect();
        if effects.len() > 1 || effects.is_empty() {
            effects.retain(|effect| *effect != Effect::Reads);
        }
        if effects.is_empty() {
            effects.push(Effect::Reads);
        }
        effects
    }
}

/// Why a value in one of the [`places`] is no reading.
const MAY_BE_CODE: &str = "a value that it is given may be code, which then runs under no name";

/// Judges a text by rules that hold for every module and by those of its own.
pub(crate) fn judge<'r>(
    parsed: &Parsed,
    rules: impl Iterator<Item = &'r EffectRule> + Clone,
) -> Judgement {
    let mut judge = Judge {
        rules,
        findings: Vec::new(),
        held: Vec::new(),
    };
    for doubt in &parsed.doubts {
        judge.language(Effect::UnknownCode, "the text", doubt.line, doubt.why);
    }
    for command in &parsed.commands {
        judge.command(command, parsed);
    }
    judge.rest(parsed);
    judge.own_files(parsed);
    let told = judge.told(parsed.is_understood());
    Judgement {
        findings: judge.findings,
        understood: parsed.is_understood(),
        told,
    }
}

struct Judge<R> {
    rules: R,
    findings: Vec<Finding>,
    /// Findings that `-WhatIf` made reading, by their place, each as it is without.
    held: Vec<(usize, Finding)>,
}

impl<'r, R: Iterator<Item = &'r EffectRule> + Clone> Judge<R> {
    fn language(&mut self, effect: Effect, what: &str, line: usize, reason: &str) {
        self.findings.push(Finding {
            effect,
            what: what.to_owned(),
            many: false,
            line,
            reason: reason.to_owned(),
            rule: None,
            guard: None,
        });
    }

    fn command(&mut self, command: &Command, parsed: &Parsed) {
        let Some(name) = &command.name else {
            if !command.block {
                let why = "its name is only known when it runs";
                self.language(Effect::UnknownCode, &command.first, command.line, why);
            }
            return;
        };
        if command.in_filter && is_comparison(command) {
            return;
        }
        let full = plain_name(name);
        if is_file(&full) || (command.operator == Operator::Dot && full.contains('.')) {
            let why = "what the file holds is not known";
            self.language(Effect::UnknownCode, name, command.line, why);
            return;
        }
        // The name without its module.
        let short = full
            .rsplit_once('\\')
            .map_or(full.as_str(), |(_, name)| name);
        let defined = parsed
            .functions
            .iter()
            .any(|function| plain_name(&function.text) == short);
        let before = self.findings.len();
        let known = if command.is_program
            && let Some(found) = tools::effects(short, command)
        {
            for (effect, why) in found {
                self.language(effect, name, command.line, why);
            }
            true
        } else {
            !(command.is_program && tools::is_elsewhere(short))
                && self.by_rules(command, name, short)
        };
        if !known && !defined {
            if short.contains('-') && !short.contains(' ') && !command.is_program {
                let why = "no rule knows its verb";
                self.language(Effect::Writes, name, command.line, why);
            } else {
                let why = "another program, or a name that no rule knows";
                self.language(Effect::UnknownCode, name, command.line, why);
            }
        }
        // These show their words whatever they are.
        let shows = command.is_program && matches!(short, "echo" | ":" | "true" | "false");
        if command.splat && !shows {
            let why = "its parameters come out of a variable";
            self.language(Effect::UnknownCode, name, command.line, why);
        }
        if matches!(short, "foreach-object" | "foreach" | "%") {
            self.members_by_name(command);
        }
        if runs_given_code(short, command) {
            let why = "the code that it is given is only known when it runs";
            self.language(Effect::UnknownCode, name, command.line, why);
        }
        if command.is_program {
            for (effect, why) in tools::of_service(short, command) {
                self.language(effect, name, command.line, why);
            }
        } else {
            self.cmdlet(command, name, short);
            if places::of_command(short, command, parsed) == Place::Unknown {
                self.language(Effect::UnknownCode, name, command.line, MAY_BE_CODE);
            }
        }
        if self.findings.len() == before {
            self.language(
                Effect::Reads,
                name,
                command.line,
                "what it holds is judged by itself",
            );
        }
    }

    /// What follows from the values of a `PowerShell` command.
    fn cmdlet(&mut self, command: &Command, name: &str, short: &str) {
        if short == "new-object" && !makes_plain_object(command) {
            let why = "making an object runs its class's code";
            self.language(Effect::UnknownCode, name, command.line, why);
        }
        if let Some((effect, why)) = local::shown(short, command) {
            self.language(effect, name, command.line, why);
        }
        if local::keeps_elsewhere(command) {
            let why = "it may set something other than a variable";
            self.language(Effect::UnknownCode, name, command.line, why);
        }
        for (effect, why) in request::doubts(short, command) {
            self.language(effect, name, command.line, why);
        }
    }

    /// What does more than look, and names a file in which people say what is allowed, may change that.
    fn own_files(&mut self, parsed: &Parsed) {
        let looks =
            |found: &Finding| found.effect.only_looks() || found.effect == Effect::RevealsSecret;
        if self.findings.iter().all(looks) {
            return;
        }
        for word in &parsed.own_files {
            let why = "it may change what mm itself allows, or its record of what was done";
            self.language(Effect::ChangesRights, &word.text, word.line, why);
            if let Some(found) = self.findings.last_mut() {
                found.guard = Some(Guard::Refuse);
            }
        }
    }

    /// Commands that `-WhatIf` holds back. It counts only where all else looks, too; otherwise they count in full.
    fn told(&mut self, understood: bool) -> Vec<String> {
        let looks = self.findings.iter().all(|found| found.effect.only_looks());
        let held = std::mem::take(&mut self.held);
        if looks && understood {
            let mut names: Vec<String> = held.into_iter().map(|(_, found)| found.what).collect();
            names.dedup();
            return names;
        }
        for (at, found) in held {
            self.findings[at] = found;
        }
        Vec::new()
    }
}
