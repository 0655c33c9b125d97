//! The markers: text with holes, taken apart into what the machine looks for.

use memchr::memmem::Finder;

use super::text::{require_hole, template};
use crate::script::{EndField, EndMarker, Markers, Part};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::model::MarkersSpec;
use crate::spec::parts::Written;
use crate::spec::source::At;

/// Shortest text that every marker begins with: what the machine looks for in every byte of output.
const SHORTEST_LEAD: usize = 2;

/// The markers, or `None` with findings.
pub(super) fn markers(
    spec: Written<'_, MarkersSpec>,
    findings: &mut Diagnostics,
) -> Option<Markers> {
    let begin = spec
        .optional(|m| &m.begin)
        .map(|text| around_nonce(text, findings));
    let out = spec
        .optional(|m| &m.out)
        .map(|text| around_nonce(text, findings));
    let record = spec
        .optional(|m| &m.record)
        .map(|text| record(text, findings));
    let end = end(spec.part(|m| &m.end), findings);
    let all_told_apart = told_apart(spec, findings);
    // Before anything is made of them: each may have had findings of its own, and none hides the others.
    let begin = begin.map_or(Some(None), |marker| marker.map(Some))?;
    let out = out.map_or(Some(None), |marker| marker.map(Some))?;
    let record = record.map_or(Some(None), |marker| marker.map(Some))?;
    let end = end?;
    let Some(Part::Text(end_lead)) = end.parts.first() else {
        findings.push(no_lead(spec, &spec.value.end));
        return None;
    };

    let mut lead = end_lead.as_str();
    for (text, marker) in [
        (&spec.value.begin, begin.as_ref().map(|(before, _)| before)),
        (&spec.value.out, out.as_ref().map(|(before, _)| before)),
        (
            &spec.value.record,
            record.as_ref().map(|(before, _, _)| before),
        ),
    ] {
        let (Some(text), Some(before)) = (text, marker) else {
            continue;
        };
        lead = common(lead, before);
        if lead.len() < SHORTEST_LEAD {
            findings.push(no_lead(spec, text));
            return None;
        }
    }
    if lead.len() < SHORTEST_LEAD {
        findings.push(no_lead(spec, &spec.value.end));
        return None;
    }
    let lead = Finder::new(lead.as_bytes()).into_owned();
    all_told_apart.then_some(Markers {
        lead,
        begin,
        out,
        end,
        record,
    })
}

fn no_lead(
    spec: Written<'_, MarkersSpec>,
    text: &At<String>,
) -> crate::spec::diagnostic::Diagnostic {
    let finding = spec
        .error(text.span, "the markers do not begin with one common text")
        .help(format!(
            "all of them, up to their first hole, begin with the same {SHORTEST_LEAD} bytes or more"
        ));
    if text.span == spec.value.end.span {
        finding
    } else {
        finding.other(spec.value.end.span, "the end marker")
    }
}

fn common<'t>(one: &'t str, other: &str) -> &'t str {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    &one[..same.map(|(c, _)| c.len_utf8()).sum()]
}

/// Whether the text is one that a line of output can hold.
fn printable(text: Written<'_, At<String>>, findings: &mut Diagnostics) -> bool {
    let control = text.value.chars().any(char::is_control);
    if control {
        findings.push(
            text.error(text.value.span, "a marker holds a control character")
                .help("a terminal may change or remove it: use printable text"),
        );
    }
    !control
}

/// Text before and after the nonce.
fn around_nonce(
    text: Written<'_, At<String>>,
    findings: &mut Diagnostics,
) -> Option<(String, String)> {
    let printable = printable(text, findings);
    let template = template(text, &["nonce"], findings)?;
    if !require_hole(
        text,
        &template,
        "nonce",
        "without it, output could forge the marker",
        findings,
    ) {
        return None;
    }
    let (before, after) = text.value.split_once("{nonce}")?;
    if after.contains("{nonce}") {
        findings.push(
            text.error(text.value.span, "the hole `{nonce}` stands here twice")
                .help("once is enough"),
        );
        return None;
    }
    printable.then(|| (before.to_owned(), after.to_owned()))
}

/// Text before the tag, between tag and nonce, and after the nonce.
fn record(
    text: Written<'_, At<String>>,
    findings: &mut Diagnostics,
) -> Option<(String, String, String)> {
    let printable = printable(text, findings);
    let template = template(text, &["tag", "nonce"], findings)?;
    let nonce = require_hole(
        text,
        &template,
        "nonce",
        "without it, output could forge a record",
        findings,
    );
    let tag = require_hole(
        text,
        &template,
        "tag",
        "it tells the streams apart",
        findings,
    );
    if !(nonce && tag) {
        return None;
    }
    let holes: Vec<_> = template.holes().collect();
    let parts = text.value.split_once("{tag}").and_then(|(before, rest)| {
        let (between, after) = rest.split_once("{nonce}")?;
        Some((before.to_owned(), between.to_owned(), after.to_owned()))
    });
    match parts {
        Some(parts) if holes.len() == 2 && !parts.1.is_empty() && !parts.2.is_empty() => {
            printable.then_some(parts)
        }
        _ => {
            findings.push(
                text.error(
                    text.value.span,
                    "a record begins with its tag, then its nonce",
                )
                .help("once each, in this order, with text after each: `<<mm:{tag}:{nonce}>>`"),
            );
            None
        }
    }
}

/// The end marker, in parts.
fn end(text: Written<'_, At<String>>, findings: &mut Diagnostics) -> Option<EndMarker> {
    const FIELDS: [(&str, EndField); 4] = [
        ("nonce", EndField::Nonce),
        ("state", EndField::State),
        ("exit", EndField::Exit),
        ("report", EndField::Report),
    ];
    let printable = printable(text, findings);
    let template = template(text, &FIELDS.map(|(name, _)| name), findings)?;
    if !require_hole(
        text,
        &template,
        "nonce",
        "without it, output could forge the marker",
        findings,
    ) {
        return None;
    }
    if template.holes().next() != Some("nonce") {
        findings.push(
            text.error(
                text.value.span,
                "the hole `{nonce}` is not the first one of the end marker",
            )
            .help("what comes before it could be anything's: put it before every other hole"),
        );
        return None;
    }

    let mut parts = Vec::new();
    let mut rest = text.value.as_str();
    // The template knows its holes and their order; the text between them is what is left.
    for name in template.holes() {
        let (before, after) = rest.split_once(&format!("{{{name}}}"))?;
        let field = FIELDS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, field)| *field)?;
        if parts.contains(&Part::Field(field)) {
            let message = format!("the hole `{{{name}}}` stands here twice");
            findings.push(text.error(text.value.span, message).help("once is enough"));
            return None;
        }
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        } else if !parts.is_empty() {
            findings.push(undelimited(text, name));
            return None;
        }
        parts.push(Part::Field(field));
        rest = after;
    }
    if rest.is_empty() {
        findings.push(undelimited(
            text,
            template.holes().last().unwrap_or("nonce"),
        ));
        return None;
    }
    parts.push(Part::Text(rest.to_owned()));
    printable.then_some(EndMarker { parts })
}

fn undelimited(text: Written<'_, At<String>>, hole: &str) -> crate::spec::diagnostic::Diagnostic {
    text.error(
        text.value.span,
        format!("nothing tells where a hole of the end marker ends, near `{{{hole}}}`"),
    )
    .help("put text after every hole: `<<mm:end:{nonce}:{state}>>`")
}

/// Reports markers whose texts are the same.
fn told_apart(spec: Written<'_, MarkersSpec>, findings: &mut Diagnostics) -> bool {
    let MarkersSpec {
        begin, out, end, ..
    } = spec.value;
    let pairs = [
        (begin.as_ref(), out.as_ref()),
        (begin.as_ref(), Some(end)),
        (out.as_ref(), Some(end)),
    ];
    let mut apart = true;
    for (one, other) in pairs {
        let (Some(one), Some(other)) = (one, other) else {
            continue;
        };
        if one.value == other.value {
            apart = false;
            findings.push(
                spec.error(other.span, "two markers have the same text")
                    .other(one.span, "the other one")
                    .help("the machine could not tell them apart"),
            );
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_lead_ends_at_a_character() {
        assert_eq!(common("<<mm:end:", "<<mm:begin:"), "<<mm:");
        assert_eq!(common("«é", "«è"), "«");
        assert_eq!(common("a", "b"), "");
    }
}
