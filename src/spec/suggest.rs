//! "Did you mean": the known word that a mistyped one was most likely meant to be.

/// The one of `known` that is nearest to `word`, if it is near enough: one slip in three letters.
pub(crate) fn closest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let limit = word.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A help line: the nearest of `known`, or all of them, called `what`.
pub(crate) fn help(what: &str, word: &str, known: &[&str]) -> String {
    match closest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("there are no {what}"),
        None => format!("{what}: {}", list(known)),
    }
}

/// Words in backticks, with commas.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_does_not() {
        let known = ["within", "advice", "nonce"];
        assert_eq!(closest("whitin", known), Some("within"));
        assert_eq!(closest("Advise", known), Some("advice"));
        assert_eq!(closest("colour", known), None);
        assert_eq!(
            help("keys", "colour", &known),
            "keys: `within`, `advice`, `nonce`"
        );
    }
}
