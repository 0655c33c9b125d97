//! Questions at the end of a command's output: a known pattern, after silence.

use super::event::Question;
use crate::script::Shell;

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
                .map(|text| choices(&text))
                .unwrap_or_default(),
        })
    })
}

impl Question {
    /// Whether an answer is one of the choices, by letter or by word; without choices every answer is. An empty one asks for
    /// the default, or to be asked again.
    pub(crate) fn takes(&self, answer: &str) -> bool {
        let answer = answer.trim().to_lowercase();
        let is = |text: &String| text.to_lowercase() == answer;
        answer.is_empty()
            || self.choices.is_empty()
            || self
                .choices
                .iter()
                .any(|(letter, word)| is(letter) || is(word))
    }
}

/// What PowerShell's own confirmations offer beside Suspend and Help.
const CONFIRMING: [&str; 4] = ["Yes", "Yes to All", "No", "No to All"];

/// `[Y] Yes  [N] No` as letters and words. The Suspend of a confirmation would leave the session in a nested prompt, so it is
/// not offered; one among other words is somebody's own.
fn choices(text: &str) -> Vec<(String, String)> {
    let letter_and_word = |part: &str| {
        let (letter, word) = part.split_once(']')?;
        Some((letter.trim().to_owned(), word.trim().to_owned()))
    };
    let all: Vec<(String, String)> = text
        .split('[')
        .skip(1)
        .filter_map(letter_and_word)
        .collect();
    let is_suspend = |(letter, word): &(String, String)| letter == "S" && word == "Suspend";
    let confirms = all.iter().all(|choice| {
        is_suspend(choice) || choice.0 == "?" || CONFIRMING.contains(&choice.1.as_str())
    });
    all.into_iter()
        .filter(|choice| !(confirms && is_suspend(choice)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::QuestionKind;

    fn letters(text: &str) -> Vec<String> {
        choices(text)
            .into_iter()
            .map(|(letter, _)| letter)
            .collect()
    }

    #[test]
    fn choices_are_read_and_suspend_is_not_offered() {
        let text = "[Y] Yes  [A] Yes to All  [S] Suspend  [?] Help ";
        assert_eq!(letters(text), ["Y", "A", "?"]);
        assert_eq!(choices(text)[1].1, "Yes to All");
        assert_eq!(
            letters("[S] Suspend  [R] Resume  [?] Help"),
            ["S", "R", "?"]
        );
    }

    #[test]
    fn only_what_is_offered_is_an_answer() {
        let question = Question {
            kind: QuestionKind::Confirm,
            text: "Are you sure?".to_owned(),
            default: Some("Y".to_owned()),
            choices: choices("[Y] Yes  [A] Yes to All  [N] No  [S] Suspend  [?] Help"),
        };
        for answer in ["y", "Y", " yes to all ", "NO", "?", "help", ""] {
            assert!(question.takes(answer), "{answer:?}");
        }
        for answer in ["S", "s", "Suspend", "x", "yes no"] {
            assert!(!question.takes(answer), "{answer:?}");
        }
        let open = Question {
            choices: Vec::new(),
            ..question
        };
        assert!(open.takes("S"));
    }
}
