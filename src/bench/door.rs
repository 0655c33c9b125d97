//! [`Door`]: a daemon that is running, reached as the command line and the MCP server reach it.

use std::path::PathBuf;

use super::Fault;
use crate::api::{Event, RunRequest};
use crate::client::{Client, Place};

/// The way through the socket, for the time that a whole run takes.
pub struct Door(Client);

impl Door {
    /// Finds the daemon of this socket; it is not started.
    pub async fn find(socket: PathBuf, state_dir: PathBuf) -> Result<Self, Fault> {
        Ok(Self(Client::find(Place { socket, state_dir }).await?))
    }

    /// Runs `command` to its end; gives its output.
    pub async fn run(
        &self,
        connection: &str,
        module: &str,
        command: &str,
    ) -> Result<Vec<u8>, Fault> {
        let request = RunRequest::new(connection, module, command);
        let (mut events, mut output) = (self.0.run(&request).await?, Vec::new());
        while let Some(event) = events.next().await? {
            if let Event::Output(more) = event {
                output.extend_from_slice(&more.bytes);
            }
        }
        Ok(output)
    }
}
