//! `mm disconnect`: signs out and ends a session.

use crate::api::DisconnectRequest;
use crate::cli::args::DisconnectArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::wiring;

/// Signs out, ends the session, and says so.
pub(crate) async fn disconnect(
    args: DisconnectArgs,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let client = wiring::running_client().await?;
    let request = DisconnectRequest {
        connection: args.session.connection,
        module: args.session.module,
        force: args.force,
        unless_used: false,
    };
    let key = client.disconnect(&request).await?;
    screen.text(&if args.force {
        format!("{key} has ended")
    } else {
        format!("{key} is signed out")
    })?;
    Ok(Exit::Done)
}
