//! Rules that need more than one value: what contradicts, what can never be reached, what is missing its other half.
//! Every finding is added, none stops the next. Nothing here reads a pattern or a template; `compile` does.

use std::collections::HashMap;
use std::hash::Hash;

use super::diagnostic::Diagnostics;
use super::model::{
    ChallengeSpec, FailureSpec, IncludeSpec, ModuleSpec, QuestionSpec, SignInSpec, StateName,
    StreamName,
};
use super::parts::{ShellParts, Written};
use super::source::{At, Span};
use super::value::Name;

/// A terminal that edits lines keeps this many bytes of one and drops the rest silently (Linux, `N_TTY_BUF_SIZE`).
const CANONICAL_LINE: usize = 4095;

/// A file's declared name against the file's own.
pub(super) fn file_name(declared: Written<'_, At<Name>>, findings: &mut Diagnostics) {
    let stem = declared.file.origin.stem();
    let name = declared.value.0.as_str();
    if stem != name {
        findings.push(
            declared
                .error(
                    declared.value.span,
                    format!("this file is called `{stem}`, and says that it is `{name}`"),
                )
                .help(format!(
                    "call the file `{name}.yaml`, or write `{stem}` here"
                )),
        );
    }
}

/// A shell's parts among each other.
pub(super) fn shell(parts: &ShellParts<'_>, findings: &mut Diagnostics) {
    states(parts, findings);
    records(parts, findings);
    bootstrap(parts, findings);
    environment(parts, findings);
    interrupt(parts, findings);
    canonical(parts, findings);
    questions(parts.questions, findings);
    queries(parts, findings);
}

fn states(parts: &ShellParts<'_>, findings: &mut Diagnostics) {
    let end = parts.markers.part(|m| &m.end);
    let has_field = end.value.contains("{state}");
    match parts.states {
        None if has_field => findings.push(
            end.error(
                end.value.span,
                "the end marker has a `{state}`, but there are no `states`",
            )
            .help("say what each means: `states: {ok: ok, failed: failed}`"),
        ),
        Some(states) if !has_field => findings.push(
            states
                .error(
                    states.value.span,
                    "the end marker has no `{state}`: these are never read",
                )
                .help("put `{state}` into `markers.end`, or leave `states` out"),
        ),
        Some(states)
            if !states
                .value
                .0
                .iter()
                .any(|(_, meaning)| meaning.value == StateName::Ok) =>
        {
            findings.push(
                states
                    .error(states.value.span, "no state means `ok`")
                    .help("no command could ever succeed"),
            );
        }
        _ => {}
    }
}

fn records(parts: &ShellParts<'_>, findings: &mut Diagnostics) {
    let marker = parts.markers.optional(|m| &m.record);
    match (parts.records, marker) {
        (Some(records), None) => findings.push(
            records
                .error(
                    records.value.span,
                    "there are tags, but no `markers.record` to find them by",
                )
                .help("give it: `record: \"<<mm:{tag}:{nonce}>>\"`"),
        ),
        (None, Some(marker)) => findings.push(
            marker
                .error(
                    marker.value.span,
                    "there is a marker for records, but there are no `records`",
                )
                .help("say which tag is which stream: `records: {o: output, e: error}`"),
        ),
        _ => {}
    }
    let Some(records) = parts.records else { return };
    let entries = &records.value.0;
    if !entries
        .iter()
        .any(|(_, stream)| stream.value == StreamName::Output)
    {
        findings.push(
            records
                .error(records.value.span, "no tag is the stream `output`")
                .help("objects come in it"),
        );
    }
    for (tag, _) in entries {
        if tag.is_empty() || !tag.chars().all(|c| c.is_ascii_alphanumeric()) {
            findings.push(
                records
                    .error(tag.span, "a tag is letters and digits")
                    .help("it stands in a marker, where other signs may end it"),
            );
        }
    }
    let frame = parts.frame.value;
    let asks = |text: &At<String>| text.contains("{mode}");
    if !asks(&frame.close) && !frame.open.as_ref().is_some_and(asks) {
        findings.push(
            parts
                .frame
                .error(frame.close.span, "the hole `{mode}` is missing")
                .help("the shell has `records`: the program has to be told when they are wanted"),
        );
    }
}

fn bootstrap(parts: &ShellParts<'_>, findings: &mut Diagnostics) {
    let user = parts
        .start
        .value
        .arguments
        .iter()
        .find(|text| text.contains("{bootstrap}"));
    let in_environment = parts.environment.iter().any(|part| {
        part.value
            .set
            .0
            .iter()
            .any(|(_, text)| text.contains("{bootstrap}"))
    });
    match (parts.bootstrap, user) {
        (Some(bootstrap), None) if !in_environment => findings.push(
            bootstrap
                .error(
                    bootstrap.value.span,
                    "neither an argument nor a variable has the hole `{bootstrap}`: the program never sees it",
                )
                .help("put `\"{bootstrap}\"` among `start.arguments` or in `environment.set`"),
        ),
        (None, Some(argument)) => findings.push(
            parts
                .start
                .error(argument.span, "there is no `bootstrap` to put here")
                .help("give one: `bootstrap: {file: …, encoding: plain}`"),
        ),
        _ => {}
    }
}

fn environment(parts: &ShellParts<'_>, findings: &mut Diagnostics) {
    for part in &parts.environment {
        let spec = part.value;
        for (name, _) in &spec.set.0 {
            if let Some(kept) = spec.keep.iter().find(|kept| kept.value == name.value) {
                findings.push(
                    part.error(name.span, format!("`{}` is both set and kept", name.0))
                        .other(kept.span, "kept here")
                        .help("keep one of the two"),
                );
            }
        }
        repeated(
            spec.keep.iter().map(|name| (&name.value, name.span)),
            |first, again, name| {
                findings.push(
                    part.warning(again, format!("`{}` is kept twice", name.0))
                        .other(first, "the first time"),
                );
            },
        );
    }
}

fn interrupt(parts: &ShellParts<'_>, findings: &mut Diagnostics) {
    let Some(part) = parts.interrupt else { return };
    if let (Some(again), Some(give_up)) = (&part.value.again_after, &part.value.give_up_after)
        && again.0 >= give_up.0
    {
        findings.push(
            part.error(
                again.span,
                "the interrupt is never typed again: it is given up before",
            )
            .other(give_up.span, "given up here")
            .help("let `again_after` be the shorter one"),
        );
    }
}

fn canonical(parts: &ShellParts<'_>, findings: &mut Diagnostics) {
    let canonical = parts
        .terminal
        .is_some_and(|terminal| terminal.value.canonical);
    let Some(chunk) = parts.frame.optional(|f| &f.chunk).filter(|_| canonical) else {
        return;
    };
    let around = chunk.value.line.len().saturating_sub("{chunk}".len());
    if usize::from(chunk.value.size.0) + around > CANONICAL_LINE {
        findings.push(
            chunk
                .error(chunk.value.size.span, "the terminal would cut these lines")
                .label(format!(
                    "a line of a `canonical` terminal holds {CANONICAL_LINE} bytes"
                ))
                .help("make the pieces smaller, or turn `canonical` off"),
        );
    }
}

fn questions(part: Written<'_, Vec<QuestionSpec>>, findings: &mut Diagnostics) {
    let patterns = part.value.iter().map(|question| &question.pattern);
    let patterns = patterns.map(|pattern| (&pattern.value.0, pattern.span));
    never_reached(part, patterns, "question", findings);
}

fn queries(parts: &ShellParts<'_>, findings: &mut Diagnostics) {
    let part = parts.queries;
    for query in part.value {
        if query.ask.0.first() != Some(&0x1b) || query.ask.0.len() < 2 {
            findings.push(
                part.error(
                    query.ask.span,
                    "a query is a control sequence, and begins with an escape",
                )
                .help("`\"\\e[6n\"`, in double quotes"),
            );
        }
    }
    repeated(
        part.value
            .iter()
            .map(|query| (&query.ask.0, query.ask.span)),
        |first, again, _| {
            findings.push(
                part.error(
                    again,
                    "this query is never reached: it stands above already",
                )
                .other(first, "this one is taken"),
            );
        },
    );
}

/// A module by itself, without its shell.
pub(super) fn module(part: Written<'_, ModuleSpec>, findings: &mut Diagnostics) {
    let spec = part.value;
    for alias in &spec.aliases {
        if alias.value == spec.module.value {
            findings.push(
                part.error(
                    alias.span,
                    format!("`{}` is the module's name already", alias.0),
                )
                .help("an alias is another name"),
            );
        }
    }
    repeated(
        spec.aliases.iter().map(|alias| (&alias.value, alias.span)),
        |first, again, name| {
            findings.push(
                part.error(again, format!("the alias `{}` is given twice", name.0))
                    .other(first, "the first time"),
            );
        },
    );
    if let Some(sign_in) = part.optional(|m| &m.sign_in) {
        self::sign_in(sign_in, findings);
    }
}

fn sign_in(part: Written<'_, SignInSpec>, findings: &mut Diagnostics) {
    let spec = part.value;
    if spec.ways.is_empty() {
        findings.push(
            part.error(spec.ways.span, "there is no way in")
                .help("give one: `{name: …, connect: …, within: …}`"),
        );
    }
    repeated(
        spec.ways.iter().map(|way| (&way.name.value, way.name.span)),
        |first, again, name| {
            findings.push(
                part.error(again, format!("two ways in are called `{}`", name.0))
                    .other(first, "the other one"),
            );
        },
    );
    if spec.include.is_empty()
        && spec.challenges.is_empty()
        && let Some(way) = spec.ways.iter().find(|way| way.name.0 == "device_code")
    {
        findings.push(
            part.error(
                way.name.span,
                "nothing says what the device code's prompt looks like",
            )
            .help("give `challenges`, or `include: [microsoft]`"),
        );
    }
    for way in &spec.ways.value {
        if way.unattended && way.name.0 == "device_code" {
            findings.push(
                part.error(
                    way.name.span,
                    "a device code needs somebody who enters it: it cannot be `unattended`",
                )
                .help("leave `unattended` out"),
            );
        }
    }
    repeated(
        spec.include.iter().map(|name| (&name.value, name.span)),
        |first, again, name| {
            findings.push(
                part.error(again, format!("`{}` is included twice", name.0))
                    .other(first, "the first time"),
            );
        },
    );
    challenges(part.part(|s| &s.challenges), findings);
    failures(part.part(|s| &s.failures), findings);
}

/// A file of shared rules.
pub(super) fn include(part: Written<'_, IncludeSpec>, findings: &mut Diagnostics) {
    challenges(part.part(|i| &i.challenges), findings);
    failures(part.part(|i| &i.failures), findings);
}

fn challenges(part: Written<'_, Vec<ChallengeSpec>>, findings: &mut Diagnostics) {
    let patterns = part.value.iter().map(|challenge| &challenge.pattern);
    let patterns = patterns.map(|pattern| (&pattern.value.0, pattern.span));
    never_reached(part, patterns, "challenge", findings);
}

fn failures(part: Written<'_, Vec<At<FailureSpec>>>, findings: &mut Diagnostics) {
    let patterns = part
        .value
        .iter()
        .filter_map(|failure| failure.pattern.as_ref());
    let patterns = patterns.map(|pattern| (&pattern.value.0, pattern.span));
    never_reached(part, patterns, "failure", findings);
    let mut taken = HashMap::new();
    for numbers in part
        .value
        .iter()
        .filter_map(|failure| failure.aadsts.as_ref())
    {
        let earlier: Vec<Option<Span>> = numbers
            .iter()
            .map(|number| taken.insert(number.value, number.span))
            .collect();
        if !numbers.is_empty() && earlier.iter().all(Option::is_some) {
            let mut finding = part.error(
                numbers.first().map_or(numbers.span, |number| number.span),
                "this failure is never reached: rules above take all its numbers",
            );
            if let Some(first) = earlier.into_iter().flatten().next() {
                finding = finding.other(first, "taken here");
            }
            findings.push(finding);
            continue;
        }
        for (number, first) in numbers.iter().zip(earlier) {
            if let Some(first) = first {
                findings.push(
                    part.warning(
                        number.span,
                        format!("the number {} is never reached here", number.0),
                    )
                    .other(first, "taken here"),
                );
            }
        }
    }
}

/// Finds what has a pattern that stands above already; it is called `what`.
fn never_reached<'v, T, P: Eq + Hash + 'v>(
    part: Written<'_, T>,
    patterns: impl Iterator<Item = (&'v P, Span)>,
    what: &str,
    findings: &mut Diagnostics,
) {
    repeated(patterns, |first, again, _| {
        let why = format!("this {what} is never reached: its pattern stands above already");
        findings.push(part.error(again, why).other(first, "this one is taken"));
    });
}

/// Calls `found` with the first place, the later place and the value, for every value that comes again.
fn repeated<'v, T: Eq + Hash + 'v>(
    values: impl IntoIterator<Item = (&'v T, Span)>,
    mut found: impl FnMut(Span, Span, &'v T),
) {
    let mut seen = HashMap::new();
    for (value, span) in values {
        if let Some(first) = seen.get(value) {
            found(*first, span, value);
        } else {
            seen.insert(value, span);
        }
    }
}
