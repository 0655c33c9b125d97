//! Rules about effects: patterns written out, and a finding for every rule that can never add anything.

use std::sync::Arc;

use crate::script::{Effect, EffectRule, Glob, Guard};
use crate::spec::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::model::EffectSpec;
use crate::spec::source::{At, SourceFile};
use crate::spec::value::Text;

/// The compiled rules of a file. `above` are the rules that hold whatever this file says; a rule that they or an earlier
/// one of the file cover is a fault.
pub(in crate::spec) fn effects(
    specs: &[At<EffectSpec>],
    file: &Arc<SourceFile>,
    above: &[EffectRule],
    findings: &mut Diagnostics,
) -> Vec<EffectRule> {
    let rules: Vec<EffectRule> = specs.iter().map(|spec| rule(&spec.value, file)).collect();
    for (at, (spec, rule)) in specs.iter().zip(&rules).enumerate() {
        let earlier = || above.iter().chain(&rules[..at]);
        // The rule of a verb does not count for a name that another rule takes from it. Asked last: all rules are looked at.
        let counts = |other: &EffectRule| {
            let mut all = above.iter().chain(&rules);
            !(other.is_about_verb() && all.any(|taker| takes(taker, rule)))
        };
        let name = &spec.value.name;
        if spec.value.effects.is_empty() {
            findings.push(Diagnostic::error(
                file,
                name.span,
                "this rule has no effects",
            ));
        }
        let without_parameter = spec
            .value
            .values
            .first()
            .or(spec.value.except_values.first());
        if let (true, Some(value)) = (spec.value.parameters.is_empty(), without_parameter) {
            findings.push(
                Diagnostic::error(file, value.span, "a value needs the parameter that has it")
                    .help("name it in `parameters`, or use `arguments` for values anywhere"),
            );
        }
        let fits = |value: &Glob| {
            let mut excepted = rule.except_values.iter();
            excepted.any(|glob| glob.fits(value.as_str()))
        };
        if !rule.values.is_empty() && rule.values.iter().all(fits) {
            findings.push(
                Diagnostic::error(file, name.span, "this rule can never hold")
                    .help("`except_values` takes out all of its `values`"),
            );
        }
        if let Some(other) = earlier().find(|other| outdoes(other, rule) && counts(other)) {
            findings.push(
                Diagnostic::error(file, name.span, "this rule can never add anything").help(
                    format!(
                        "reading counts only where nothing else is done, and `{}` at {} says more of these names; \
                         `instead_of_verb: true` puts the rule in its place",
                        other.name, other.place
                    ),
                ),
            );
        }
        if let Some(cover) = earlier().find(|other| covers(other, rule) && counts(other)) {
            findings.push(
                Diagnostic::error(file, name.span, "this rule can never add anything").help(
                    format!("`{}` at {} says it already", cover.name, cover.place),
                ),
            );
        }
    }
    rules
}

fn rule(spec: &EffectSpec, file: &Arc<SourceFile>) -> EffectRule {
    let globs = |texts: &[At<Text>]| texts.iter().map(|text| Glob::new(&text.value.0)).collect();
    let (line, _) = file.position(spec.name.span.start);
    EffectRule {
        name: spec.name.value.0.clone(),
        names: alternatives(&spec.name.value.0)
            .iter()
            .map(|name| Glob::new(name))
            .collect(),
        parameters: globs(&spec.parameters),
        values: globs(&spec.values),
        except_values: globs(&spec.except_values),
        arguments: globs(&spec.arguments),
        shows: globs(&spec.shows),
        effects: spec
            .effects
            .iter()
            .map(|effect| Effect::from(effect.value))
            .collect(),
        instead_of_verb: spec.instead_of_verb,
        ignores_what_if: spec.ignores_what_if,
        guard: spec.guard.map(Guard::from),
        reason: spec.reason.value.0.clone(),
        place: format!("{}:{line}", file.origin),
    }
}

/// `a{b,c}d` written out: `abd` and `acd`. Braces may stand inside braces; one that is not closed is a character.
fn alternatives(text: &str) -> Vec<String> {
    let Some((before, choices, after)) = first_braces(text) else {
        return vec![text.to_owned()];
    };
    let ends = alternatives(after);
    choices
        .into_iter()
        .flat_map(alternatives)
        .flat_map(|choice| {
            let whole = |end: &String| format!("{before}{choice}{end}");
            ends.iter().map(whole).collect::<Vec<_>>()
        })
        .collect()
}

/// What stands before the first braces, what is chosen from in them, and what stands behind them.
fn first_braces(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let open = text.find('{')?;
    let (mut depth, mut from, mut choices) = (0_usize, open + 1, Vec::new());
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                choices.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            choices.push(&text[from..at]);
            return Some((&text[..open], choices, &text[at + 1..]));
        }
    }
    None
}

/// Whether `taker` puts itself in the place of the verb's rule for a name that `rule` is about.
fn takes(taker: &EffectRule, rule: &EffectRule) -> bool {
    let same = |name: &Glob| {
        let mut names = taker.names.iter();
        names.any(|taken| taken.fits(name.as_str()) || name.fits(taken.as_str()))
    };
    taker.instead_of_verb && !rule.instead_of_verb && rule.names.iter().any(same)
}

/// Whether `other` says all that `rule` does, whenever `rule` would. A pattern is covered where it reads like a text that
/// the other one fits.
fn covers(other: &EffectRule, rule: &EffectRule) -> bool {
    let names = rule
        .names
        .iter()
        .all(|name| other.names.iter().any(|wide| wide.fits(name.as_str())));
    let same_conditions = other.is_unconditional()
        || (other.parameters == rule.parameters
            && other.values == rule.values
            && other.except_values == rule.except_values
            && other.arguments == rule.arguments
            && other.shows == rule.shows);
    let adds_nothing = rule
        .effects
        .iter()
        .all(|effect| other.effects.contains(effect))
        && (!rule.instead_of_verb || other.instead_of_verb)
        && (!rule.ignores_what_if || other.ignores_what_if)
        && (rule.guard.is_none() || rule.guard == other.guard);
    names && same_conditions && adds_nothing
}

/// Whether `rule` only says that commands read, while `other` always says more of the same commands.
fn outdoes(other: &EffectRule, rule: &EffectRule) -> bool {
    let covered = |name: &Glob| other.names.iter().any(|wide| wide.fits(name.as_str()));
    rule.effects == [Effect::Reads]
        && !rule.instead_of_verb
        && other.is_unconditional()
        && !other.effects.contains(&Effect::Reads)
        && rule.names.iter().all(covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_written_out() {
        assert_eq!(alternatives("a"), ["a"]);
        assert_eq!(
            alternatives("{New,Set}-X{,Y}"),
            ["New-X", "New-XY", "Set-X", "Set-XY"]
        );
        assert_eq!(alternatives("{a {b,c},d}"), ["a b", "a c", "d"]);
        assert_eq!(alternatives("{a"), ["{a"]);
    }

    #[test]
    fn a_rule_that_can_never_add_anything_is_found() {
        #[derive(serde::Deserialize)]
        struct Sample {
            effects: Vec<At<EffectSpec>>,
        }
        let text = "effects:\n\
            - { name: 'Remove-*', effects: [destroys], reason: it removes }\n\
            - { name: 'Remove-Zoo*', effects: [destroys], reason: it removes a zoo }\n\
            - { name: 'Remove-Key', effects: [destroys, changes_rights], reason: nobody gets in }\n\
            - { name: 'Get-Zoo', values: [x], effects: [writes], reason: it does }\n\
            - { name: 'Remove-Dust', effects: [reads], reason: nobody misses it }\n\
            - { name: 'Remove-View*', effects: [reads], instead_of_verb: true, reason: nothing is lost }\n\
            - { name: 'Remove-ViewOfAll', effects: [destroys], reason: but this one is }\n\
            - { name: 'Set-Zoo', parameters: [Mode], values: [x], except_values: ['*'], effects: [writes], reason: never }\n";
        let file = SourceFile::new("zoo.yaml", text);
        let sample: Sample = crate::spec::parse::load(&file).expect("it is sound YAML");
        let mut findings = Diagnostics::default();
        let rules = effects(&sample.effects, &file, &[], &mut findings);
        assert_eq!(rules.len(), 8);
        assert_eq!(rules[2].place, "zoo.yaml:4");
        let told: Vec<&str> = findings.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "this rule can never add anything",
                "a value needs the parameter that has it",
                "this rule can never add anything",
                "this rule can never hold",
            ]
        );
    }
}
