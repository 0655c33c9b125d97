//! What the rules of the module files say of one command.

use super::super::parsed::{Command, Element, Value};
use super::{Finding, Judge};
use crate::script::{Effect, EffectRule, Glob};

impl<'r, R: Iterator<Item = &'r EffectRule> + Clone> Judge<R> {
    /// Adds what the rules say. Returns whether one knew the name.
    pub(super) fn by_rules(&mut self, command: &Command, name: &str, short: &str) -> bool {
        let subject = if command.words.is_empty() {
            short.to_owned()
        } else {
            format!("{short} {}", command.words.join(" ").to_lowercase())
        };
        let fitting: Vec<&EffectRule> = self
            .rules
            .clone()
            .filter(|rule| {
                // A name with words is a program's; both shells have commands of one word.
                rule.names.iter().any(|glob| {
                    let with_words = glob.as_str().contains(' ');
                    glob.fits(if with_words { &subject } else { short })
                })
            })
            .collect();
        let instead = fitting.iter().any(|rule| rule.instead_of_verb);
        let what_if = is_what_if(command) && !fitting.iter().any(|rule| rule.ignores_what_if);
        let fitting: Vec<&EffectRule> = fitting
            .into_iter()
            .filter(|rule| !(instead && rule.is_about_verb()))
            .collect();
        // Of a command that changes something, what the text does not tell may be anything.
        let changes = |rule: &&EffectRule| {
            holds(rule, command, false) && rule.effects.iter().any(|effect| !effect.only_looks())
        };
        let strict = fitting.iter().any(changes);
        let mut known = false;
        for rule in fitting {
            if !holds(rule, command, strict) {
                continue;
            }
            known = true;
            for effect in &rule.effects {
                let found = Finding {
                    effect: *effect,
                    what: name.to_owned(),
                    many: command.many,
                    line: command.line,
                    reason: rule.reason.clone(),
                    rule: Some(rule.place.clone()),
                    guard: rule.guard.filter(|_| *effect != Effect::Reads),
                };
                if what_if && is_kept_back(*effect) {
                    self.held.push((self.findings.len(), found.clone()));
                    self.findings.push(Finding {
                        effect: Effect::Reads,
                        reason: format!("with -WhatIf it only tells: {}", rule.reason),
                        guard: None,
                        ..found
                    });
                } else {
                    self.findings.push(found);
                }
            }
        }
        known
    }
}

/// Whether the command is told to say only what it would do. Only a bare switch and `-WhatIf:$true` count.
fn is_what_if(command: &Command) -> bool {
    let mut given = command
        .elements
        .iter()
        .filter_map(|element| match element {
            Element::Parameter { name, value } if is_what_if_name(name) => Some(value),
            Element::Parameter { .. } | Element::Argument(_) => None,
        })
        .peekable();
    given.peek().is_some()
        && !command.splat
        && given.all(|value| matches!(value, None | Some(Value::Flag(true))))
}

/// Whether a parameter's name is, or is short for, `WhatIf`.
fn is_what_if_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name == "wi" || (name.len() > 1 && "whatif".starts_with(&name))
}

/// Whether `-WhatIf` keeps a command from this.
fn is_kept_back(effect: Effect) -> bool {
    match effect {
        Effect::Writes
        | Effect::Destroys
        | Effect::Sends
        | Effect::ChangesRights
        | Effect::ForwardsMail => true,
        Effect::Reads
        | Effect::RevealsSecret
        | Effect::ReadsLocalFiles
        | Effect::WritesLocalFiles
        | Effect::SignsInOrOut
        | Effect::EndsSession
        | Effect::UnknownCode => false,
    }
}

/// Whether a rule's conditions on parameters and values hold, as far as the text tells. What it does not tell may hold; of
/// values anywhere that is so with `strict`.
fn holds(rule: &EffectRule, command: &Command, strict: bool) -> bool {
    let parameters = rule.parameters.is_empty()
        || command.parameters().any(|(name, value)| {
            let name = name.to_lowercase();
            rule.parameters
                .iter()
                .any(|glob| glob.fits_parameter(&name))
                && value_holds(rule, value)
        });
    let arguments = rule.arguments.is_empty()
        || command
            .values()
            .any(|value| any_fits(&rule.arguments, value))
        || (strict && says_little(command));
    let properties = rule.shows.is_empty()
        || command.shown.as_ref().is_none_or(|shown| {
            let is_among = |name: &String| rule.shows.iter().any(|glob| glob.fits(name));
            shown.iter().any(is_among)
        });
    parameters && arguments && properties
}

fn value_holds(rule: &EffectRule, value: Option<&Value>) -> bool {
    let Some(value) = value else {
        return true;
    };
    let text = match value {
        Value::Text(text) => text.to_lowercase(),
        Value::Flag(flag) => flag.to_string(),
        Value::Pattern(text) => {
            // What fits a pattern fits every text of it.
            let text = text.to_lowercase();
            return !rule.except_values.iter().any(|glob| glob.fits(&text));
        }
        Value::Block
        | Value::List(_)
        | Value::Table(_)
        | Value::Variable(_)
        | Value::Expression
        | Value::Unknown => return true,
    };
    let among = |globs: &[Glob]| globs.iter().any(|glob| glob.fits(&text));
    (rule.values.is_empty() || among(&rule.values)) && !among(&rule.except_values)
}

/// Whether one of the texts in a value fits.
fn any_fits(globs: &[Glob], value: &Value) -> bool {
    value.texts().iter().any(|text| {
        let text = text.to_lowercase();
        globs.iter().any(|glob| glob.fits(&text))
    })
}

/// Whether it is only known when the text runs what a command is about. What a request carries is no matter.
fn says_little(command: &Command) -> bool {
    fn is_open(value: &Value) -> bool {
        match value {
            Value::List(values) => values.iter().any(is_open),
            other => other.is_unknown(),
        }
    }
    let carries = |name: &str| {
        let name = name.to_lowercase();
        ["body", "headers", "content", "value", "payload"]
            .iter()
            .any(|carried| name.starts_with(carried))
    };
    command.positional().any(is_open)
        || command
            .parameters()
            .any(|(name, value)| !carries(name) && value.is_some_and(is_open))
}
