//! `mm policy accept`: a person lets programs have what a connection's entry allows, or a module's rules say, by now.

use crate::cli::approval::YES;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::harmless::one_line;
use crate::cli::output::Screen;
use crate::cli::prompt::Prompt;
use crate::cli::wiring;

/// Shows what programs may more, and asks.
pub(super) async fn accept(
    connection: Option<&str>,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let client = wiring::client().await?;
    let waits = client.accept_policy(connection, None).await?;
    let of = waits.connection.as_deref().map_or_else(
        || "what modules say of commands".to_owned(),
        |name| format!("the policy of {}", one_line(name)),
    );
    if waits.changes.is_empty() {
        screen.text(&format!("nothing waits: {of} holds for programs"))?;
        return Ok(Exit::Done);
    }
    let mut prompt = Prompt::for_a_yes("run this in a terminal of your own")?;
    screen.note(&format!("{of} was changed; for programs that means:"));
    for change in &waits.changes {
        screen.note(&format!("  {}", one_line(change)));
    }
    let question = format!("type {YES} to let it hold for them: ");
    let typed = prompt.ask(&question, screen).await?;
    if typed.is_none_or(|typed| !typed.expose().trim().eq_ignore_ascii_case(YES)) {
        screen.note("nothing was changed: for programs it does not hold");
        return Ok(Exit::Refused);
    }
    client
        .accept_policy(connection, Some(&waits.digest))
        .await?;
    screen.note(&format!("{of} holds for programs now"));
    Ok(Exit::Done)
}
