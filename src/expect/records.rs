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
            lead: shell.markers.lead.clone(),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expect::tests::{cut, pwsh};

    const NONCE: &str = "00112233445566aa";

    fn read(pieces: &[&[u8]]) -> Vec<(Stream, String)> {
        let (mut lines, mut records) = (RecordLines::new(&pwsh(), NONCE), Vec::new());
        for piece in pieces {
            lines.push(piece, &mut records);
        }
        lines.finish(&mut records);
        records
            .into_iter()
            .map(|record| (record.stream, record.value.get().to_owned()))
            .collect()
    }

    proptest! {
        #[test]
        fn records_survive_any_split(
            lines in prop::collection::vec((
                "[a-z<é ]{0,6}",
                prop_oneof![
                    Just((Some(Stream::Output), "o", "[{\"Name\":\"ä\",\"Size\":[1,2]}]")),
                    Just((Some(Stream::Error), "e", "{\"Message\":\"<<mm:o:no>>\"}")),
                    Just((Some(Stream::Warning), "w", "\"careful\"")),
                    Just((None, "", "plain text")),
                ],
            ), 0..12),
            ended: bool,
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let (mut whole, mut should) = (String::new(), Vec::new());
            for (before, (stream, tag, rest)) in &lines {
                whole.push_str(before);
                if let Some(stream) = stream {
                    whole.extend(["<<mm:", tag, ":", NONCE, ">>"]);
                    if !before.is_empty() {
                        should.push((Stream::Console, serde_json::json!(before).to_string()));
                    }
                    should.push((*stream, (*rest).to_owned()));
                } else {
                    should.push((Stream::Console, serde_json::json!(format!("{before}{rest}")).to_string()));
                }
                whole.push_str(rest);
                whole.push('\n');
            }
            if !ended {
                whole.truncate(whole.trim_end_matches('\n').len());
            }
            prop_assert_eq!(read(&cut(whole.as_bytes(), &cuts)), should);
        }

        #[test]
        fn no_other_nonce_makes_a_record(nonce in "[0-9a-f]{0,17}", tag in "[oewvdi]") {
            prop_assume!(nonce != NONCE);
            let line = format!("<<mm:{tag}:{nonce}>>[1]");
            prop_assert_eq!(
                read(&[line.as_bytes()]),
                [(Stream::Console, serde_json::json!(line).to_string())]
            );
        }
    }

    /// A search that began anew with each piece would take minutes.
    #[test]
    fn a_long_record_in_small_pieces_is_read_once() {
        let long = format!("[\"{}\"]", "x".repeat(8 << 20));
        let line = format!("<<mm:o:{NONCE}>>{long}\n");
        let pieces: Vec<&[u8]> = line.as_bytes().chunks(64).collect();
        assert!(read(&pieces) == [(Stream::Output, long)]);
    }

    #[test]
    fn a_record_that_is_cut_stays_as_text() {
        let line = format!("<<mm:o:{NONCE}>>[{{\"Name\":");
        assert_eq!(
            read(&[line.as_bytes()]),
            [(Stream::Console, serde_json::json!(line).to_string())]
        );
    }
}
