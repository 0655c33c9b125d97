//! A recording of one run, made where the caller wants it and redacted by what is known of the connection.

use std::path::Path;
use std::time::Instant;

use super::ServiceError;
use super::registry::Entry;
use crate::recording::{Existing, Header, Known, Redactor, Writer};

/// Makes the file, which must not exist yet.
pub(super) fn open(path: &Path, entry: &Entry) -> Result<Writer, ServiceError> {
    let (connection, shell) = (&entry.connection, &entry.module.shell);
    let header = Header {
        width: shell.terminal.columns,
        height: shell.terminal.rows,
        timestamp: Some(jiff::Timestamp::now().as_second()),
        title: Some(entry.module.title.clone()),
        command: Some(shell.start.program.clone()),
        ..Header::default()
    };
    let text =
        |text: Option<&str>, kind: fn(String) -> Known| text.map(|text| kind(text.to_owned()));
    let known = [
        text(Some(connection.tenant()), Known::Domain),
        text(connection.expected_tenant_id(), Known::Guid),
        text(connection.app_id(&entry.module.name), Known::Guid),
        text(connection.expected_email(), Known::Email),
        text(Some(connection.sharepoint_host()), Known::Host),
    ];
    let refused = |message: String, help: &str| ServiceError::Refused {
        message,
        help: Some(help.to_owned()),
    };
    if !path.is_absolute() {
        return Err(refused(
            format!("`{}` is not an absolute path", path.display()),
            "name the recording's file with its whole path",
        ));
    }
    Writer::create(
        path,
        header,
        Redactor::new(known.into_iter().flatten(), []),
        Instant::now(),
        Existing::Refuse,
    )
    .map_err(|error| refused(error.to_string(), error.help()))
}
