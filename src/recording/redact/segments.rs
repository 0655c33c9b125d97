//! The parts of a stream that hide text in an encoding: the session protocol's frames, reports and records. Everything
//! between them is text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A part of a stream, in bytes of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// As it is.
    Text(Range<usize>),
    /// JSON: a record's line after its tag.
    Json(Range<usize>),
    /// Base64 of JSON: the report of an `end` marker.
    Report(Range<usize>),
    /// A command in base64 or octal, in lines. What stands around the pieces is the shell's own, and text.
    Frame {
        /// What each line holds.
        pieces: Vec<Range<usize>>,
        /// The digits that say how long all of it is. Absent where the frame is not whole.
        length: Option<Range<usize>>,
    },
}

static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)<<mm:(?:
            (?:begin|out):[0-9A-Za-z]+>>
            | end:[0-9A-Za-z]+:[a-z]+:-?[0-9]*:(?P<report>[A-Za-z0-9+/=]*)>>
            | [a-z]:[0-9A-Za-z]+>>(?P<record>[^\r\n]*)
        )",
    )
    .expect("the pattern is well formed")
});

static CLOSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^![0-9A-Za-z]+ (?P<length>[0-9]{1,9}) [a-z]+ [0-9]{1,2}$")
        .expect("the pattern is well formed")
});

/// What a program said.
pub(super) fn output(text: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut from = 0;
    for found in MARKER.captures_iter(text) {
        let whole = found.get(0).expect("a match has a range");
        push_text(&mut segments, from..whole.start());
        from = whole.end();
        if let Some(report) = found.name("report").filter(|report| !report.is_empty()) {
            segments.push(Segment::Report(report.range()));
        } else if let Some(record) = found.name("record").filter(|record| !record.is_empty()) {
            segments.push(Segment::Json(record.range()));
        }
    }
    push_text(&mut segments, from..text.len());
    segments
}

// A piece of a command in the lines of another shell, such as `.print {chunk}`. A short last piece is known by the one before.
static PIECE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9+/]{64,}={0,2}").expect("the pattern is well formed"));

/// What a program was told.
pub(super) fn input(text: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while from < text.len() {
        if let Some((whole, found)) = pieces_of_another_shell(text, from) {
            push_open(&mut segments, &mut pieces);
            let mut between = from;
            for piece in &found {
                push_text(&mut segments, between..piece.start);
                between = piece.end;
            }
            segments.push(Segment::Frame {
                pieces: found,
                length: None,
            });
            push_text(&mut segments, between..whole);
            from = whole + 1;
            continue;
        }
        let end = end_of_line(text, from);
        // A Ctrl-C before a frame is not part of its line.
        let start = end - text[from..end].trim_start_matches('\u{3}').len();
        let line = &text[start..end];
        if let Some(found) = CLOSE.captures(line).and_then(|found| found.name("length")) {
            let length = start + found.start()..start + found.end();
            segments.push(Segment::Frame {
                pieces: std::mem::take(&mut pieces),
                length: Some(length),
            });
        } else if line.starts_with('+') && line[1..].bytes().all(is_encoded) {
            pieces.push(start + 1..end);
        } else {
            // An empty line begins a frame: what came before it is never closed.
            push_open(&mut segments, &mut pieces);
            push_text(&mut segments, start..end);
        }
        from = end + 1;
    }
    push_open(&mut segments, &mut pieces);
    segments
}

fn end_of_line(text: &str, from: usize) -> usize {
    text[from..]
        .find(['\n', '\r'])
        .map_or(text.len(), |at| from + at)
}

/// The pieces of a command in base64 that the lines from `from` on hold, and where the last of these lines ends: at least
/// two, with the same text around each piece, all as long as the first but the last. `None` where there are none, or where
/// together they are no text.
fn pieces_of_another_shell(text: &str, from: usize) -> Option<(usize, Vec<Range<usize>>)> {
    let mut end = end_of_line(text, from);
    let line = &text[from..end];
    let first = PIECE.find(line).filter(|_| !line.starts_with('+'))?;
    let (before, after) = (&line[..first.start()], &line[first.end()..]);
    let mut pieces: Vec<Range<usize>> =
        std::iter::once(from + first.start()..from + first.end()).collect();
    while pieces.last().is_some_and(|last| last.len() == first.len()) {
        // Lines end in one character, or in two.
        let next = end + text[end..].len().min(1);
        let next = next + usize::from(text[end..].starts_with("\r\n"));
        let next_end = end_of_line(text, next);
        let piece = text[next..next_end]
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .filter(|piece| !piece.is_empty() && piece.len() <= first.len())
            .filter(|piece| piece.bytes().all(crate::redact::encoded::is_base64));
        let Some(piece) = piece else { break };
        let start = next + before.len();
        pieces.push(start..start + piece.len());
        end = next_end;
    }
    let encoded: String = pieces.iter().map(|piece| &text[piece.clone()]).collect();
    let is_one = pieces.len() > 1 && crate::redact::encoded::decode(&encoded).is_some();
    is_one.then_some((end, pieces))
}

fn push_text(segments: &mut Vec<Segment>, range: Range<usize>) {
    if !range.is_empty() {
        segments.push(Segment::Text(range));
    }
}

fn push_open(segments: &mut Vec<Segment>, pieces: &mut Vec<Range<usize>>) {
    if !pieces.is_empty() {
        segments.push(Segment::Frame {
            pieces: std::mem::take(pieces),
            length: None,
        });
    }
}

/// Base64, or octal as `printf %b` reads it.
fn is_encoded(byte: u8) -> bool {
    crate::redact::encoded::is_base64(byte)
        || matches!(byte, b'\\' | b' ' | b'-' | b'.' | b'_' | b',' | b':' | b'@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_text_reports_and_records() {
        let text = "hi<<mm:begin:0a>>\r\n<<mm:o:0a>>[1]\r\nx<<mm:out:0a>>\r\n<<mm:end:0a:failed:-1:W10=>>\r\n";
        let segments = output(text);
        let shown: Vec<_> = segments
            .iter()
            .map(|segment| match segment {
                Segment::Text(range) => ("text", &text[range.clone()]),
                Segment::Json(range) => ("json", &text[range.clone()]),
                Segment::Report(range) => ("report", &text[range.clone()]),
                Segment::Frame { .. } => ("frame", ""),
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("text", "hi"),
                ("text", "\r\n"),
                ("json", "[1]"),
                ("text", "\r\nx"),
                ("text", "\r\n"),
                ("report", "W10="),
                ("text", "\r\n"),
            ]
        );
    }

    #[test]
    fn the_pieces_of_another_shell_are_one_command() {
        let encoded = crate::redact::encoded::encode(&"select 1; ".repeat(20));
        let mut text = "\n.output x\n".to_owned();
        for piece in encoded.as_bytes().chunks(100) {
            text += ".print ";
            text += std::str::from_utf8(piece).expect("base64 is ASCII");
            text += "\n";
        }
        text += ".output\n";
        let segments = input(&text);
        let frames: Vec<String> = segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Frame { pieces, .. } => {
                    Some(pieces.iter().map(|piece| &text[piece.clone()]).collect())
                }
                _ => None,
            })
            .collect();
        assert_eq!(frames, [encoded]);
        assert_eq!(
            segments.last(),
            Some(&Segment::Text(text.len() - 8..text.len() - 1))
        );
    }

    #[test]
    fn input_is_text_and_frames() {
        let text = "bob\n\u{3}\n+YW\n+Jj\n!0a 4 text 2\n\n+YWJj\n\n!0b 0 text 2\n";
        assert_eq!(
            input(text),
            [
                Segment::Text(0..3),
                Segment::Frame {
                    pieces: vec![7..9, 11..13],
                    length: Some(18..19)
                },
                Segment::Frame {
                    pieces: std::iter::once(29..33).collect(),
                    length: None
                },
                Segment::Frame {
                    pieces: vec![],
                    length: Some(39..40)
                },
            ]
        );
    }
}
