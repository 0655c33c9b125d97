//! [`Events`]: a stream that the daemon sends, line by line.

use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::Incoming;

use super::ClientError;
use crate::api::Event;

/// A stream of events. Dropping it closes the connection, which tells the daemon that nobody reads any longer.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    lines: Lines,
}

impl Events {
    pub(super) fn new(response: Response<Incoming>) -> Self {
        Self {
            body: response.into_body(),
            lines: Lines::default(),
        }
    }

    /// The next event; `None` after the last one. Events of a newer daemon that this client has no use for are skipped;
    /// an `error` line is an [`ClientError::Api`]. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            while let Some(line) = self.lines.take() {
                match serde_json::from_slice(&line) {
                    Ok(Event::Unknown) => {}
                    Ok(Event::Error(error)) => return Err(ClientError::Api(error)),
                    Ok(event) => return Ok(Some(event)),
                    Err(error) => {
                        let why = error.to_string();
                        return Err(ClientError::Garbled { why });
                    }
                }
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.lines.push(data);
                    }
                }
                None if self.lines.is_empty() => return Ok(None),
                Some(Err(_)) | None => return Err(ClientError::Gone),
            }
        }
    }
}

/// Bytes that come in any pieces, as lines.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where there is no line end after `start`.
    searched: usize,
}

impl Lines {
    fn push(&mut self, data: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(data);
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let Some(end) = memchr::memchr(b'\n', &self.bytes[self.searched..]) else {
            self.searched = self.bytes.len();
            return None;
        };
        let end = self.searched + end;
        let line = self.bytes[self.start..end].to_vec();
        self.start = end + 1;
        self.searched = self.start;
        Some(line)
    }

    fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_do_not_depend_on_the_pieces(
            lines in prop::collection::vec("[^\n]{0,12}", 0..12),
            size in 1_usize..9,
        ) {
            let mut whole = lines.join("\n");
            if !lines.is_empty() {
                whole.push('\n');
            }
            let mut reader = Lines::default();
            let mut read = Vec::new();
            for piece in whole.as_bytes().chunks(size) {
                reader.push(piece);
                while let Some(line) = reader.take() {
                    read.push(String::from_utf8(line).expect("lines are cut at line ends only"));
                }
            }
            prop_assert!(reader.is_empty());
            prop_assert_eq!(read, lines);
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_one() {
        let mut lines = Lines::default();
        lines.push(b"{\"run\"");
        assert_eq!(lines.take(), None);
        assert!(!lines.is_empty());
    }
}
