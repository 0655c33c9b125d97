//! Tagged lines: whatever the pieces, the same records, and they are those of a plain look at each line.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{NONCE, PWSH, cut};
use crate::expect::RecordLines;
use crate::script::Stream;

/// Text of a command, in pieces that `data` begins with.
pub fn records(data: &[u8]) {
    let (whole, pieces) = cut(data);
    let should = plain(whole);
    assert_eq!(read(&[whole]), should, "whole");
    assert_eq!(read(&pieces), should, "{pieces:?}");
}

fn read(pieces: &[&[u8]]) -> Vec<(Stream, String)> {
    let (mut lines, mut records) = (RecordLines::new(&PWSH, NONCE), Vec::new());
    for piece in pieces {
        lines.push(piece, &mut records);
    }
    lines.finish(&mut records);
    let record = |record: crate::expect::Record| (record.stream, record.value.get().to_owned());
    records.into_iter().map(record).collect()
}

fn plain(whole: &[u8]) -> Vec<(Stream, String)> {
    let tags = Arc::clone(&PWSH).records.as_ref().map(|records| {
        let tag = |(tag, stream): &(String, Stream)| (format!("<<mm:{tag}:{NONCE}>>"), *stream);
        records.tags.iter().map(tag).collect::<Vec<_>>()
    });
    let tags = tags.expect("PowerShell has records");
    let mut all = Vec::new();
    for line in whole.split(|byte| *byte == b'\n') {
        let first = tags
            .iter()
            .filter_map(|(tag, stream)| {
                let at = memchr::memmem::find(line, tag.as_bytes())?;
                Some((at, at + tag.len(), *stream))
            })
            .min_by_key(|(at, ..)| *at);
        let tagged = first.and_then(|(at, end, stream)| {
            let json = String::from_utf8_lossy(&line[end..]).into_owned();
            let value = RawValue::from_string(json).ok()?;
            Some((at, stream, value.get().to_owned()))
        });
        let text = tagged.as_ref().map_or(line, |(at, ..)| &line[..*at]);
        if !text.is_empty() {
            let text = serde_json::Value::from(String::from_utf8_lossy(text));
            all.push((Stream::Console, text.to_string()));
        }
        all.extend(tagged.map(|(_, stream, value)| (stream, value)));
    }
    all
}
