//! Questions at the end of a command's output: a known pattern, after silence.

use super::event::Question;
use crate::script::{QuestionKind, Shell};

/// The question at the end of `tail`, if a rule of the shell knows it.
pub(crate) fn find(shell: &Shell, tail: &[u8]) -> Option<Question> {
    shell.questions.iter().find_map(|rule| {
        let captures = rule.pattern.captures(tail)?;
        let group = |name: &str| {
            captures
                .name(name)
                .map(|group| String::from_utf8_lossy(group.as_bytes()).trim().to_owned())
        };
        let whole = || String::from_utf8_lossy(&captures[0]).trim().to_owned();
        Some(Question {
            kind: rule.kind,
            text: group("text").unwrap_or_else(whole),
            default: group("default"),
            choices: group("choices")
                .map(|text| choices(rule.kind, &text))
                .unwrap_or_default(),
        })
    })
}

/// `[Y] Yes  [N] No` as letters and words. Suspend would leave the session in a nested prompt, so it is not offered.
fn choices(kind: QuestionKind, text: &str) -> Vec<(String, String)> {
    let letter_and_word = |part: &str| {
        let (letter, word) = part.split_once(']')?;
        Some((letter.trim().to_owned(), word.trim().to_owned()))
    };
    text.split('[')
        .skip(1)
        .filter_map(letter_and_word)
        .filter(|(letter, word)| {
            !(kind == QuestionKind::Confirm && letter == "S" && word == "Suspend")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_and_suspend_is_not_offered() {
        let text = "[Y] Yes  [A] Yes to All  [S] Suspend  [?] Help ";
        let all = choices(QuestionKind::Confirm, text);
        assert_eq!(
            all.iter()
                .map(|(letter, _)| letter.as_str())
                .collect::<Vec<_>>(),
            ["Y", "A", "?"]
        );
        assert_eq!(all[1].1, "Yes to All");
    }
}
