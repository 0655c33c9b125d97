//! Holes in a scenario's texts, and durations. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// What fills holes.
pub(crate) type Values = BTreeMap<String, String>;

/// Fills `{name}` in `text`; `{{` is a brace. What is no hole stays.
pub(crate) fn fill(text: &str, values: &Values) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            filled.push('{');
            rest = after;
        } else if let Some((name, after)) = hole(rest)
            && let Some(value) = values.get(name)
        {
            filled.push_str(&moment(value).unwrap_or_else(|| value.clone()));
            rest = after;
        } else {
            filled.push('{');
        }
    }
    filled.push_str(rest);
    filled
}

/// Fills every text in `value`. A text that is a hole, digits may follow, and a number once filled becomes that number.
pub(crate) fn fill_value(value: &Value, values: &Values) -> Value {
    match value {
        Value::String(text) => {
            let filled = fill(text, values);
            let is_number = |after: &str| after.bytes().all(|b| b.is_ascii_digit());
            let is_hole = text
                .strip_prefix('{')
                .and_then(hole)
                .is_some_and(|(_, after)| is_number(after));
            match filled.parse::<i64>() {
                Ok(number) if is_hole => number.into(),
                _ => Value::String(filled),
            }
        }
        Value::Array(items) => items.iter().map(|item| fill_value(item, values)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), fill_value(value, values)))
            .collect(),
        other => other.clone(),
    }
}

/// `text` so that [`fill`] gives it back as it is.
pub(crate) fn literal(text: &str) -> String {
    text.replace('{', "{{")
}

/// The holes that `text` names.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('{')
        .filter(|&(at, _)| !text[..at].ends_with('{'))
        .filter_map(|(at, _)| hole(&text[at + 1..]).map(|(name, _)| name))
}

/// A hole's name and what follows it, from behind its brace.
fn hole(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.split_once('}')?;
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, after))
}

/// `50ms`, `3s`, `15m`, `24h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let milliseconds = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

/// The time that `now+65m` means when it is used: a token that is refreshed is never near its end.
fn moment(value: &str) -> Option<String> {
    let ahead = duration(value.strip_prefix("now+")?)?;
    let now = jiff::Timestamp::now();
    let moment = now
        .checked_add(jiff::SignedDuration::try_from(ahead).ok()?)
        .ok()?;
    Some(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn holes_are_filled_and_braces_stay() {
        let values = Values::from([("n".to_owned(), "3".to_owned())]);
        assert_eq!(fill("a{n}b {{n} {N} {m} {", &values), "a3b {n} {N} {m} {");
        assert_eq!(
            fill_value(&json!({"a": "{n}", "b": "x{n}"}), &values),
            json!({"a": 3, "b": "x3"})
        );
        assert_eq!(
            names("{a} {{b} {N} {2} {c_d}").collect::<Vec<_>>(),
            ["a", "c_d"]
        );
    }

    proptest::proptest! {
        #[test]
        fn a_literal_is_never_a_hole(text in "[{}a-c]{0,12}") {
            let values = Values::from([("a".to_owned(), "X".to_owned())]);
            proptest::prop_assert_eq!(fill(&literal(&text), &values), text);
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(duration("2h"), Some(Duration::from_hours(2)));
        for bad in ["", "5", "s", "-1s", "5 s", "99999999999999999999h"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
