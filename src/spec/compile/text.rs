//! Patterns and templates out of scalars, with findings that point into the scalar's text.

use std::ops::Range;

use crate::script::{Pattern, PatternError, Template, TemplateError};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::parts::Written;
use crate::spec::source::At;
use crate::spec::suggest;
use crate::spec::value::RegexText;

/// Compiles a pattern whose groups may only be `groups`; empty for any.
pub(super) fn pattern(
    text: Written<'_, At<RegexText>>,
    groups: &[&str],
    findings: &mut Diagnostics,
) -> Option<Pattern> {
    let At {
        value: RegexText(regex),
        span,
    } = text.value;
    let pattern = match Pattern::parse(regex) {
        Ok(pattern) => pattern,
        Err(PatternError::MatchesEmpty) => {
            findings.push(
                text.error(*span, "the pattern matches the empty text")
                    .help("it would match everywhere: let it require something"),
            );
            return None;
        }
        Err(PatternError::Syntax { message }) => {
            let place =
                syntax_place(regex).map_or(*span, |part| text.file.within(*span, regex, part));
            let mut finding = text
                .error(place, "this is not a regular expression")
                .label(message.as_str());
            if message.contains("look-around") {
                finding =
                    finding.help("there is no look-around: write out what stands before and after");
            }
            findings.push(finding);
            return None;
        }
    };
    let unknown = pattern
        .groups()
        .find(|group| !groups.is_empty() && !groups.contains(group))
        .map(str::to_owned);
    if let Some(group) = unknown {
        let place = regex.find(&format!("<{group}>")).map_or(*span, |at| {
            text.file.within(*span, regex, at + 1..at + 1 + group.len())
        });
        findings.push(
            text.error(place, format!("nothing reads the group `{group}`"))
                .help(suggest::help("the groups here", &group, groups)),
        );
        return None;
    }
    Some(pattern)
}

/// Where the parser's own rendering puts its carets, as bytes of the pattern. Only a pattern of one line is rendered so.
fn syntax_place(regex: &str) -> Option<Range<usize>> {
    const INDENT: usize = 4;
    let error = regex::bytes::Regex::new(regex).err()?.to_string();
    let mut lines = error
        .lines()
        .skip_while(|line| line.get(INDENT..) != Some(regex));
    lines.next()?;
    let carets = lines
        .next()
        .filter(|line| line.contains('^') && line.trim_matches([' ', '^']).is_empty())?;
    // Of two places, as for a group named twice, the later one is the fault. Carets stand under characters.
    let last = carets.rfind('^')?;
    let first = carets[..last].rfind(' ').map_or(0, |space| space + 1);
    let byte = |column: usize| {
        let index = column.checked_sub(INDENT)?;
        regex
            .char_indices()
            .map(|(at, _)| at)
            .chain([regex.len()])
            .nth(index)
    };
    Some(byte(first)?..byte(last + 1).unwrap_or(regex.len()))
}

/// Makes a template whose holes may only be `holes`.
pub(super) fn template(
    text: Written<'_, At<String>>,
    holes: &[&'static str],
    findings: &mut Diagnostics,
) -> Option<Template> {
    let At { value, span } = text.value;
    match Template::parse(value, holes) {
        Ok(template) => Some(template),
        Err(TemplateError::UnknownHole { name, at }) => {
            let place = text.file.within(*span, value, at..at + name.len() + 2);
            findings.push(
                text.error(place, format!("there is no hole `{{{name}}}` here"))
                    .help(match suggest::closest(&name, holes.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!(
                            "{}; braces that are no hole have a blank inside: `{{ {name} }}`",
                            suggest::help("the holes here", &name, holes)
                        ),
                    }),
            );
            None
        }
    }
}

/// Reports the scalar unless its template has `hole`.
pub(super) fn require_hole(
    text: Written<'_, At<String>>,
    template: &Template,
    hole: &str,
    why: &str,
    findings: &mut Diagnostics,
) -> bool {
    let there = template.holes().any(|name| name == hole);
    if !there {
        findings.push(
            text.error(text.value.span, format!("the hole `{{{hole}}}` is missing"))
                .help(why),
        );
    }
    there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_syntax_error_is_taken_from_the_parser() {
        for (regex, part) in [
            ("a(b", "("),
            ("é[z-a]", "z-a"),
            ("(?P<n>x)(?P<n>y)", "n"),
            ("*a", "*"),
            (r"\q", r"\q"),
        ] {
            let place = syntax_place(regex);
            let found = place.clone().map(|place| &regex[place]);
            assert_eq!(found, Some(part), "{regex} {place:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_makes_it_panic(regex in "\\PC{0,30}|[-a-z(){}\\[\\]*+?|\\\\^$<>=!: é\n]{0,30}") {
            if let Some(place) = syntax_place(&regex) {
                proptest::prop_assert!(regex.get(place).is_some());
            }
        }
    }
}
