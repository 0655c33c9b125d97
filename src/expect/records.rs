//! Tagged lines to records. A line without a tag is console text, and so is what stands before a tag: text may have been
//! written without a line end.

use std::sync::Arc;

use memchr::memchr;
use memchr::memmem::Finder;
use serde_json::value::RawValue;

use super::event::Record;
use crate::script::{Shell, Stream};

/// Splits a command's text into records, whatever the chunks.
pub(crate) struct RecordLines {
    /// What each tag looks like with this command's nonce, and its stream.
    tags: Vec<(Vec<u8>, Stream)>,
    lead: Finder<'static>,
    /// A line that has no end yet.
    line: Vec<u8>,
}

impl RecordLines {
    /// For the command with this nonce.
    pub(crate) fn new(shell: &Arc<Shell>, nonce: &str) -> Self {
        let tags = match (&shell.markers.record, &shell.records) {
            (Some((before, between, after)), Some(records)) => records
                .tags
                .iter()
                .map(|(tag, stream)| {
                    (
                        format!("{before}{tag}{between}{nonce}{after}").into_bytes(),
                        *stream,
                    )
                })
                .collect(),
            _ => Vec::new(),
        };
        Self {
            tags,
            lead: Finder::new(shell.markers.lead.as_bytes()).into_owned(),
            line: Vec::new(),
        }
    }

    /// Takes the next text, whose lines end with LF.
    pub(crate) fn push(&mut self, text: &[u8], records: &mut Vec<Record>) {
        let mut rest = text;
        while let Some(end) = memchr(b'\n', rest) {
            if self.line.is_empty() {
                self.read(&rest[..end], records);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&rest[..end]);
                self.read(&line, records);
            }
            rest = &rest[end + 1..];
        }
        self.line.extend_from_slice(rest);
    }

    /// The text ends here.
    pub(crate) fn finish(&mut self, records: &mut Vec<Record>) {
        let line = std::mem::take(&mut self.line);
        self.read(&line, records);
    }

    fn read(&self, line: &[u8], records: &mut Vec<Record>) {
        for at in self.lead.find_iter(line) {
            let tagged = self.tags.iter().find_map(|(tag, stream)| {
                Some((*stream, line[at..].strip_prefix(tag.as_slice())?))
            });
            let Some((stream, json)) = tagged else {
                continue;
            };
            let json = String::from_utf8_lossy(json).into_owned();
            // What is tagged but is not JSON was cut by something that wrote between: it stays as console text.
            let Ok(value) = RawValue::from_string(json) else {
                break;
            };
            console(&line[..at], records);
            records.push(Record { stream, value });
            return;
        }
        console(line, records);
    }
}

fn console(text: &[u8], records: &mut Vec<Record>) {
    if !text.is_empty() {
        let value = serde_json::value::to_raw_value(&String::from_utf8_lossy(text))
            .expect("a string is JSON");
        records.push(Record {
            stream: Stream::Console,
            value,
        });
    }
}
