//! In which lines of the file an entry's rules stand, so that a refusal can point at one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The line of each of an entry's `policyRules`, counted from 1, by the entry's name.
pub(super) type RuleLines = BTreeMap<String, Vec<usize>>;

#[derive(Deserialize)]
struct File<'t> {
    #[serde(borrow, default)]
    connections: BTreeMap<String, &'t RawValue>,
}

#[derive(Deserialize)]
struct Entry<'t> {
    #[serde(borrow, default, rename = "policyRules")]
    policy_rules: Vec<&'t RawValue>,
}

/// The lines in `text`. Where its shape is another there are none: what is wrong is told by whoever reads the entries.
pub(super) fn rule_lines(text: &str) -> RuleLines {
    let Ok(file) = serde_json::from_str::<File<'_>>(text) else {
        return RuleLines::new();
    };
    let lines = |entry: &RawValue| {
        let entry = serde_json::from_str::<Entry<'_>>(entry.get()).ok()?;
        let rules = entry.policy_rules.iter();
        Some(rules.map(|rule| line(text, rule.get())).collect())
    };
    file.connections
        .into_iter()
        .filter_map(|(name, entry)| Some((name, lines(entry)?)))
        .collect()
}

/// The line in which `part`, a slice of `text`, begins.
fn line(text: &str, part: &str) -> usize {
    let at = part.as_ptr().addr() - text.as_ptr().addr();
    1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_found_in_its_line() {
        let text = "{\"connections\": {\n\"A\": {\"tenant\": \"t\"},\n\"B\": {\"policyRules\": [\n  {},\n\n  {\"decide\": \"ask\"}]},\n\"C\": 1}}";
        let lines = rule_lines(text);
        assert_eq!(lines["A"], [0_usize; 0]);
        assert_eq!(lines["B"], [4, 6]);
        assert!(!lines.contains_key("C"));
        assert!(rule_lines("[").is_empty());
    }
}
