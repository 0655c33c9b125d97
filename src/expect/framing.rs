//! Frames out, markers in. [`frame`] writes a command as its shell wants it; [`Scanner`] finds the markers of one nonce
//! in raw bytes, whatever the chunks, each byte seen once. Markers are looked for before escapes are taken out, so that no
//! half control sequence can hide one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::event::Mode;
use crate::script::{ChunkEncoding, EndField, Part, Quoting, Shell};

/// The bytes that make a shell run `command`.
pub(crate) fn frame(shell: &Shell, command: &str, nonce: &str, mode: Mode, depth: u8) -> Vec<u8> {
    let framing = &shell.framing;
    // It may be a secret in another form.
    let encoded = Zeroizing::new(encode(framing.encoding, command));
    let length = encoded.len().to_string();
    let depth = depth.to_string();
    let value = |name: &str| match name {
        "nonce" => Some(nonce),
        "length" => Some(length.as_str()),
        "mode" => Some(match mode {
            Mode::Text => "text",
            Mode::Records => "records",
        }),
        "depth" => Some(depth.as_str()),
        "command" => Some(encoded.as_str()),
        _ => None,
    };
    let mut bytes = framing.open.render(Quoting::Plain, value).into_bytes();
    if let Some(chunk) = &framing.chunk {
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            // A plain text may hold characters of several bytes; the others are ASCII.
            let mut size = chunk.size.min(rest.len());
            while !rest.is_char_boundary(size) {
                size += 1;
            }
            let (piece, after) = rest.split_at(size);
            bytes.extend_from_slice(
                chunk
                    .line
                    .render(Quoting::Plain, |_| Some(piece))
                    .as_bytes(),
            );
            rest = after;
        }
    }
    bytes.extend_from_slice(framing.close.render(Quoting::Plain, value).as_bytes());
    bytes
}

fn encode(encoding: ChunkEncoding, text: &str) -> String {
    match encoding {
        ChunkEncoding::Plain => text.to_owned(),
        ChunkEncoding::Base64 => STANDARD.encode(text),
        ChunkEncoding::Octal => {
            use std::fmt::Write as _;
            let mut encoded = String::with_capacity(text.len() * 2);
            for byte in text.bytes() {
                if byte.is_ascii_alphanumeric()
                    || matches!(
                        byte,
                        b' ' | b'-' | b'.' | b'/' | b'_' | b',' | b':' | b'=' | b'@'
                    )
                {
                    encoded.push(char::from(byte));
                } else {
                    write!(encoded, "\\0{byte:03o}").expect("writing to a string does not fail");
                }
            }
            encoded
        }
    }
}

/// The text that was encoded; `None` if `encoded` is nothing that [`frame`] writes.
pub(crate) fn decode(encoding: ChunkEncoding, encoded: &str) -> Option<String> {
    let bytes = match encoding {
        ChunkEncoding::Plain => encoded.as_bytes().to_vec(),
        ChunkEncoding::Base64 => STANDARD.decode(encoded).ok()?,
        ChunkEncoding::Octal => {
            let (mut bytes, mut rest) = (Vec::with_capacity(encoded.len()), encoded.as_bytes());
            while let [first, after @ ..] = rest {
                rest = after;
                if *first == b'\\' {
                    let digits = std::str::from_utf8(after.get(..4)?).ok()?;
                    bytes.push(u8::from_str_radix(digits, 8).ok()?);
                    rest = &after[4..];
                } else {
                    bytes.push(*first);
                }
            }
            bytes
        }
    };
    String::from_utf8(bytes).ok()
}

/// A marker of the nonce that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marker {
    /// The command begins.
    Begin,
    /// Its output ends here, unless another such marker follows.
    Out,
    /// It is over.
    End {
        /// Empty where the shell's marker has no such field.
        state: String,
        exit: Option<i32>,
        /// Base64, perhaps empty.
        report: String,
    },
}

/// What stands at the front of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many bytes of data.
    Data(usize),
    /// A marker of so many bytes.
    Marker(Marker, usize),
    /// So many bytes of the line end that belongs to the marker before.
    LineEnd(usize),
    /// Nothing can be said before more bytes come: [`Scanner::keep`] them.
    Wait,
}

enum Parsed {
    Marker(Marker, usize),
    /// With the field that the bytes end in, where it may be of any length.
    Incomplete(Option<EndField>),
    No,
}

/// A marker longer than this is none. Only the report of errors can grow: a command that adds 256 of them, as many as
/// PowerShell keeps, reports some hundred KB.
const MARKER_AT_MOST: usize = 16 * 1024 * 1024;

/// Finds the markers of one nonce in a stream.
pub(crate) struct Scanner {
    shell: Arc<Shell>,
    nonce: Option<String>,
    /// Bytes that may be the beginning of a marker.
    kept: Vec<u8>,
    /// The field that they end in: what only makes it longer needs no second look at them.
    open: Option<EndField>,
    /// Whether the line end of a marker is still to come.
    after_marker: bool,
}

impl Scanner {
    /// A scanner that looks for nothing yet.
    pub(crate) fn new(shell: Arc<Shell>) -> Self {
        Self {
            shell,
            nonce: None,
            kept: Vec::new(),
            open: None,
            after_marker: false,
        }
    }

    /// Looks for the markers of `nonce` from here on.
    pub(crate) fn expect(&mut self, nonce: Option<&str>) {
        self.nonce = nonce.map(str::to_owned);
        self.open = None;
    }

    /// What is looked for.
    pub(crate) fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Whether `bytes` only make the field longer that the kept bytes end in. They are kept too then, and that is all.
    pub(crate) fn lengthens(&mut self, bytes: &[u8]) -> bool {
        let Some(field) = self.open else {
            return false;
        };
        let longer = self.kept.len() + bytes.len() <= MARKER_AT_MOST
            && bytes.iter().all(|byte| field_holds(field, *byte));
        if longer {
            self.kept.extend_from_slice(bytes);
        } else {
            self.open = None;
        }
        longer
    }

    /// Bytes kept from before, with `bytes` behind them; `None` where nothing was kept.
    pub(crate) fn join(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.kept.is_empty() {
            return None;
        }
        let mut joined = std::mem::take(&mut self.kept);
        joined.extend_from_slice(bytes);
        Some(joined)
    }

    /// Keeps bytes that [`Step::Wait`] was said of.
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
    }

    /// Takes back what was kept: it was data after all, because the stream is over.
    pub(crate) fn take_kept(&mut self) -> Vec<u8> {
        self.open = None;
        std::mem::take(&mut self.kept)
    }

    /// What stands at the front of `bytes`, which are not empty.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Step {
        if self.after_marker {
            match bytes {
                [b'\r'] => return Step::Wait,
                [b'\r', b'\n', ..] => {
                    self.after_marker = false;
                    return Step::LineEnd(2);
                }
                [b'\n', ..] => {
                    self.after_marker = false;
                    return Step::LineEnd(1);
                }
                _ => self.after_marker = false,
            }
        }
        let Some(nonce) = &self.nonce else {
            return Step::Data(bytes.len());
        };
        let Some(at) = self.shell.markers.lead.find(bytes) else {
            let data = bytes.len() - partial_suffix(bytes, self.shell.markers.lead.needle());
            return if data == 0 {
                Step::Wait
            } else {
                Step::Data(data)
            };
        };
        match self.parse(&bytes[at..], nonce) {
            Parsed::No => Step::Data(at + 1),
            Parsed::Incomplete(_) | Parsed::Marker(..) if at > 0 => Step::Data(at),
            Parsed::Incomplete(open) => {
                self.open = open;
                Step::Wait
            }
            Parsed::Marker(marker, length) => {
                self.after_marker = true;
                Step::Marker(marker, length)
            }
        }
    }

    fn parse(&self, bytes: &[u8], nonce: &str) -> Parsed {
        let markers = &self.shell.markers;
        let mut incomplete = false;
        for (texts, marker) in [(&markers.begin, Marker::Begin), (&markers.out, Marker::Out)] {
            let Some((before, after)) = texts else {
                continue;
            };
            match literal(bytes, &[before, nonce, after]) {
                Ok(length) => return Parsed::Marker(marker, length),
                Err(short) => incomplete |= short,
            }
        }
        match end(&markers.end.parts, bytes, nonce) {
            Parsed::No if incomplete => Parsed::Incomplete(None),
            parsed => parsed,
        }
    }
}

/// How many bytes at the end of `bytes` may begin `needle`.
fn partial_suffix(bytes: &[u8], needle: &[u8]) -> usize {
    (1..needle.len().min(bytes.len() + 1))
        .rev()
        .find(|length| bytes.ends_with(&needle[..*length]))
        .unwrap_or(0)
}

/// The length of `texts` one after the other at the front of `bytes`; else whether more bytes could make it so.
fn literal(bytes: &[u8], texts: &[&str]) -> Result<usize, bool> {
    let mut at = 0;
    for text in texts {
        let rest = &bytes[at..];
        let text = text.as_bytes();
        if rest.len() < text.len() {
            return Err(text.starts_with(rest));
        }
        if !rest.starts_with(text) {
            return Err(false);
        }
        at += text.len();
    }
    Ok(at)
}

fn field_holds(field: EndField, byte: u8) -> bool {
    match field {
        EndField::State => byte.is_ascii_lowercase() || byte == b'_',
        EndField::Exit => byte.is_ascii_digit() || byte == b'-',
        EndField::Nonce | EndField::Report => {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
        }
    }
}

fn end(parts: &[Part], bytes: &[u8], nonce: &str) -> Parsed {
    let mut at = 0;
    let (mut state, mut exit, mut report) = (String::new(), None, String::new());
    for part in parts {
        let rest = &bytes[at..];
        let field = match part {
            Part::Text(text) => {
                match literal(rest, &[text]) {
                    Ok(length) => at += length,
                    Err(short) => {
                        return if short {
                            Parsed::Incomplete(None)
                        } else {
                            Parsed::No
                        };
                    }
                }
                continue;
            }
            Part::Field(EndField::Nonce) => {
                match literal(rest, &[nonce]) {
                    Ok(length) => at += length,
                    Err(short) => {
                        return if short {
                            Parsed::Incomplete(None)
                        } else {
                            Parsed::No
                        };
                    }
                }
                continue;
            }
            Part::Field(field) => *field,
        };
        let length = rest.iter().position(|byte| !field_holds(field, *byte));
        let Some(length) = length else {
            return if bytes.len() > MARKER_AT_MOST {
                Parsed::No
            } else {
                Parsed::Incomplete(Some(field))
            };
        };
        let value = String::from_utf8_lossy(&rest[..length]).into_owned();
        match field {
            EndField::State => state = value,
            EndField::Exit if value.is_empty() => {}
            EndField::Exit => match value.parse() {
                Ok(code) => exit = Some(code),
                Err(_) => return Parsed::No,
            },
            EndField::Nonce | EndField::Report => report = value,
        }
        at += length;
    }
    Parsed::Marker(
        Marker::End {
            state,
            exit,
            report,
        },
        at,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expect::tests::pwsh;

    const NONCE: &str = "00112233445566aa";

    /// What a program would read out of a frame of the shell: its pieces put together, and the words of the last line.
    fn read_back(bytes: &[u8]) -> (String, Vec<String>) {
        let text = std::str::from_utf8(bytes).expect("a frame is text");
        let (mut encoded, mut close) = (String::new(), Vec::new());
        for line in text
            .strip_prefix('\n')
            .expect("its opening")
            .split_terminator('\n')
        {
            match line.split_at(1) {
                ("+", piece) => {
                    assert!(piece.len() <= 3000, "{}", piece.len());
                    encoded.push_str(piece);
                }
                ("!", words) => close = words.split(' ').map(str::to_owned).collect(),
                _ => panic!("`{line}` is no line of a frame"),
            }
        }
        (encoded, close)
    }

    fn comes_back(encoding: ChunkEncoding, command: &str, mode: Mode) {
        let mut shell = Shell::clone(&pwsh());
        shell.framing.encoding = encoding;
        let (encoded, close) = read_back(&frame(&shell, command, NONCE, mode, 3));
        let length = encoded.len().to_string();
        let mode = if mode == Mode::Text {
            "text"
        } else {
            "records"
        };
        assert_eq!(close, [NONCE, length.as_str(), mode, "3"]);
        assert_eq!(decode(encoding, &encoded).as_deref(), Some(command));
    }

    proptest! {
        #[test]
        fn any_command_comes_back(command: String, times in 1usize..200, records: bool) {
            let command = command.repeat(times);
            let mode = if records { Mode::Records } else { Mode::Text };
            comes_back(ChunkEncoding::Base64, &command, mode);
            comes_back(ChunkEncoding::Octal, &command, mode);
        }

        #[test]
        fn what_no_frame_holds_is_refused_or_read(encoded in "[\\\\0-9a-zA-Z+/=]{0,40}") {
            for encoding in [ChunkEncoding::Base64, ChunkEncoding::Octal] {
                if let Some(text) = decode(encoding, &encoded) {
                    prop_assert_eq!(decode(encoding, &encode(encoding, &text)), Some(text));
                }
            }
        }
    }

    #[test]
    fn awkward_commands_come_back() {
        let long = "Get-Mailbox 'ä' \"x\" ".repeat(75_000);
        for command in [
            "",
            "\0",
            "a\0b\r\n\u{1b}[6n\u{3}",
            "'\"`$(x)\\",
            "<<mm:end:00112233445566aa:ok::>>\n!00112233445566aa 0 text 2\n+",
            &long,
        ] {
            comes_back(ChunkEncoding::Base64, command, Mode::Text);
            comes_back(ChunkEncoding::Octal, command, Mode::Records);
        }
    }
}
