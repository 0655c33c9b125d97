//! `mm answer`: answers what a run asks. A secret never travels in an argument: other users see those.

use std::io::{IsTerminal as _, Read as _};

use zeroize::Zeroizing;

use crate::api::{AnswerRequest, QuestionKind, RunState};
use crate::cli::args::AnswerArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::prompt::Prompt;
use crate::cli::wiring;
use crate::secret::Secret;

/// More than any answer may have; the daemon's own limit is 4 KB.
const READ_LIMIT: u64 = 64 * 1024;

/// Reads the answer where it may be read, and sends it.
pub(crate) async fn answer(args: AnswerArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let client = wiring::client().await?;
    let run = client.show(&args.id).await?;
    let is_secret = run
        .question
        .as_ref()
        .is_some_and(|question| question.kind == QuestionKind::Secret);
    let text = match args.text {
        Some(_) if is_secret => {
            return Err(CliError::usage(
                "this is a secret, and arguments are seen by every program on this machine",
                format!(
                    "`mm answer {}` asks for it at a hidden prompt, or reads it from standard input",
                    run.id
                ),
            ));
        }
        Some(text) => Secret::new(text),
        None if std::io::stdin().is_terminal() && run.state == RunState::Asking => {
            let question = run.question.as_ref();
            let text = question.map_or("answer", |question| question.text.as_str());
            screen.ask(&format!("{} (hidden) ", text.trim_end()));
            typed().await?
        }
        // Nothing is asked; the daemon says so better.
        None if std::io::stdin().is_terminal() => Secret::new(String::new()),
        None => piped()?,
    };
    let request = AnswerRequest {
        text,
        secret: is_secret,
    };
    client.answer(&args.id, &request).await?;
    screen.note(&format!(
        "answered; `mm runs output {} --follow` shows what comes of it",
        run.id
    ));
    Ok(Exit::Done)
}

async fn typed() -> Result<Secret, CliError> {
    let unreadable = |source| CliError::Io {
        what: "the terminal cannot be read".to_owned(),
        source,
    };
    let mut interrupts = crate::cli::interrupt::Interrupts::listen()?;
    let mut prompt = Prompt::open(true).map_err(unreadable)?;
    let line = tokio::select! {
        line = prompt.line() => line.map_err(unreadable)?,
        // Leaving this way gives the terminal its echo back.
        () = interrupts.next() => None,
    };
    line.ok_or_else(|| CliError::Usage {
        message: "no answer given; the question stands".to_owned(),
        help: None,
    })
}

/// Standard input up to its end, without the line end that most programs write.
fn piped() -> Result<Secret, CliError> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .take(READ_LIMIT)
        .read_to_string(&mut text)
        .map_err(|source| CliError::Io {
            what: "the answer cannot be read from standard input".to_owned(),
            source,
        })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Secret::new(line.to_owned()))
}
