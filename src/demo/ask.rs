//! Questions: their texts, the echo of answers, defaults, help and wrong answers, as PowerShell's console asks them with
//! `TERM=dumb` (`pwsh-pty.md`, "What asks"). What follows from an answer is the player's business.

use super::console::{Console, Flow, Halt};
use super::world::World;

/// How an answer is echoed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// All that was typed so far, at every key: `bob` is shown as `bbobob`.
    Prefixes,
    /// A star for a key.
    Stars,
}

/// A choice with its help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    label: String,
    letter: String,
    help: String,
}

impl Choice {
    /// From a label that marks its letter with `&`.
    pub(crate) fn new(label: &str, help: &str) -> Self {
        let letter = label
            .split_once('&')
            .and_then(|(_, after)| after.chars().next())
            .map(|c| c.to_uppercase().to_string());
        let label = label.replace('&', "");
        Self {
            letter: letter.unwrap_or_else(|| label.clone()),
            label,
            help: help.to_owned(),
        }
    }

    fn is_meant_by(&self, answer: &str) -> bool {
        [&self.letter, &self.label]
            .iter()
            .any(|name| name.to_lowercase() == answer.to_lowercase())
    }
}

/// `ShouldProcess`' choices, in their order.
pub(crate) fn confirmation() -> Vec<Choice> {
    [
        ("&Yes", "Continue with only the next step of the operation."),
        ("Yes to &All", "Continue with all the steps of the operation."),
        ("&No", "Skip this operation and proceed with the next operation."),
        ("No to A&ll", "Skip this operation and all subsequent operations."),
        (
            "&Suspend",
            "Pause the current pipeline and return to the command prompt. Type \"exit\" to resume the pipeline.",
        ),
    ]
    .map(|(label, help)| Choice::new(label, help))
    .to_vec()
}

/// Asks for a line. Ctrl-C ends the question's line and the command.
pub(crate) fn line<W: World>(console: &mut Console<W>, prompt: &str, echo: Echo) -> Flow<String> {
    console.print(prompt)?;
    let mut typed = Vec::new();
    loop {
        let key = match console.key() {
            Ok(key) => key,
            Err(Halt::Interrupt) => {
                console.print("\n")?;
                return Err(Halt::Interrupt);
            }
            Err(halt) => return Err(halt),
        };
        if matches!(key, b'\n' | b'\r') {
            console.print("\n")?;
            return Ok(String::from_utf8_lossy(&typed).into_owned());
        }
        typed.push(key);
        // Inside a character there is nothing to show yet.
        if let Ok(text) = str::from_utf8(&typed) {
            console.print(match echo {
                Echo::Prefixes => text,
                Echo::Stars => "*",
            })?;
        }
    }
}

/// Asks for a user's name and password; gives the name.
pub(crate) fn credential<W: World>(console: &mut Console<W>) -> Flow<String> {
    console.print("\nPowerShell credential request\nEnter your credentials.\n")?;
    let user = line(console, "User: ", Echo::Prefixes)?;
    let question = format!("Password for user {user}: ");
    line(console, &question, Echo::Stars)?;
    Ok(user)
}

/// Asks for one of `choices`, again and again until one is meant; an empty line is the one numbered `default`.
pub(crate) fn choice<W: World>(
    console: &mut Console<W>,
    title: &str,
    message: &str,
    choices: &[Choice],
    default: usize,
) -> Flow<usize> {
    let mut heading = "\n".to_owned();
    for line in [title, message].iter().filter(|line| !line.is_empty()) {
        heading.push_str(line);
        heading.push('\n');
    }
    console.print(&heading)?;
    let offers: String = choices
        .iter()
        .map(|choice| ["[", &choice.letter, "] ", &choice.label, "  "].concat())
        .collect();
    let letter = choices.get(default).map_or("", |choice| &choice.letter);
    let prompt = format!("{offers}[?] Help (default is \"{letter}\"): ");
    loop {
        let answer = line(console, &prompt, Echo::Prefixes)?;
        let answer = answer.trim();
        if answer.is_empty() {
            return Ok(default);
        }
        if let Some(number) = choices.iter().position(|choice| choice.is_meant_by(answer)) {
            return Ok(number);
        }
        if answer == "?" {
            for choice in choices {
                console.print(&format!("{} - {}\n", choice.letter, choice.help))?;
            }
        }
    }
}
