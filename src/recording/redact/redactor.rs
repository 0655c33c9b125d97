//! [`Redactor`]: takes out of events what must not be in a file, through the encodings it hides in, and puts names in its
//! place.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::finding::Found;
use super::segments::{self, Segment};
use super::stream::{Edit, Stream, apply};
use super::text::Part;
use crate::recording::event::{Event, EventKind, Header, Recording};
use crate::redact::{Explicit, FindingKind, Names, encoded, is_name, rules};
use crate::secret::Secret;

/// Shorter frames that cannot be decoded stay as they are.
const SHORTEST_UNREADABLE: usize = 12;

/// How often a text is read again because of what was put in.
const MOST_ROUNDS: usize = 6;

static JSON_STRING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?s)"(?:[^"\\]|\\.)*""#).expect("the pattern is well formed"));

/// A value of a connection that says whose recording it is. The documentation's examples (`contoso.com`) say nothing and stay.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// The tenant's domain.
    Domain(String),
    /// The tenant's or an application's id.
    Guid(String),
    /// The expected account.
    Email(String),
    /// The first label of the tenant's `sharepoint.com` host.
    Host(String),
}

/// A text that is looked for everywhere, because of where it was seen once or because it is known.
pub(super) struct Literal {
    pub(super) text: Secret,
    pub(super) kind: FindingKind,
    /// Whether case counts.
    pub(super) exact: bool,
}

/// Redacts recordings. It remembers which name stands for what, so that one redactor gives one recording's secrets the same
/// names throughout. It cannot be turned off.
pub(crate) struct Redactor {
    pub(super) explicit: Explicit,
    pub(super) literals: Vec<Literal>,
    pub(super) names: Names,
    /// First everything is read to learn what is secret, then it is read again and redacted.
    pub(super) learning: bool,
    /// Whether a private key has begun in a text before and has not ended: its lines come in texts of their own.
    in_key: bool,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(…)")
    }
}

pub(super) type Edits = Vec<Edit<FindingKind>>;

impl Redactor {
    /// A redactor that knows these values of a connection and these secrets, besides what it finds by itself. A secret of
    /// less than four characters cannot be told from chance and is not looked for.
    pub(crate) fn new(
        known: impl IntoIterator<Item = Known>,
        secrets: impl IntoIterator<Item = Secret>,
    ) -> Self {
        let mut redactor = Self {
            explicit: Explicit::default(),
            literals: Vec::new(),
            names: Names::default(),
            learning: false,
            in_key: false,
        };
        for known in known {
            redactor.know(known);
        }
        for secret in secrets {
            redactor.add_secret(&secret);
        }
        redactor
    }

    /// Adds a secret that must not appear from now on.
    pub(crate) fn add_secret(&mut self, secret: &Secret) {
        self.explicit.add(secret);
    }

    /// A recording without its secrets.
    pub(crate) fn recording(&mut self, recording: &Recording) -> Recording {
        let mut copy = recording.clone();
        self.header(&mut copy.header);
        self.redact(&mut copy.events);
        copy
    }

    fn know(&mut self, known: Known) {
        let (text, kind) = match known {
            Known::Domain(text) if !rules::is_example_domain(&text) => (text, FindingKind::Tenant),
            Known::Host(text) if !rules::is_example_label(&text) => (text, FindingKind::Tenant),
            Known::Email(text) if !rules::is_harmless(FindingKind::Email, &text) => {
                (text, FindingKind::Email)
            }
            Known::Guid(text) if !rules::is_example_guid(&text) => {
                let bare = text.replace('-', "");
                self.look_for(&bare.to_lowercase(), FindingKind::Guid, false);
                (text, FindingKind::Guid)
            }
            _ => return,
        };
        // A shorter one would take words apart; in a domain it is found by its looks.
        if text.chars().count() >= 4 {
            self.look_for(&text.to_ascii_lowercase(), kind, false);
        }
    }

    pub(super) fn look_for(&mut self, text: &str, kind: FindingKind, exact: bool) {
        let known = self
            .literals
            .iter()
            .any(|other| other.text.expose() == text);
        if !text.is_empty() && !known && !is_name(text) {
            self.literals.push(Literal {
                text: Secret::new(text.to_owned()),
                kind,
                exact,
            });
        }
    }

    /// Redacts a header, and says what was in it.
    pub(in crate::recording) fn header(&mut self, header: &mut Header) -> Vec<FindingKind> {
        let mut kinds = Vec::new();
        for learning in [true, false] {
            self.learning = learning;
            let values = header.env.iter_mut().map(|(_, value)| value);
            for text in header
                .title
                .iter_mut()
                .chain(header.command.iter_mut())
                .chain(values)
            {
                let edits = self.text(text, 0);
                if !learning {
                    *text = apply(text, &edits);
                    kinds.extend(edits.iter().map(|edit| edit.kind));
                }
            }
            let other = serde_json::to_string(&header.other).expect("JSON can be written");
            let edits = self.json(&other, 0);
            if !learning && !edits.is_empty() {
                // Two keys that differed may have the same name now; one of them stays.
                header.other =
                    serde_json::from_str(&apply(&other, &edits)).expect("only texts were replaced");
                kinds.extend(edits.iter().map(|edit| edit.kind));
            }
        }
        kinds
    }

    /// Redacts events in place and says what was found where. They have to be whole: what is split between two calls is not
    /// found.
    pub(in crate::recording) fn redact(&mut self, events: &mut [Event]) -> Vec<Found> {
        self.learning = true;
        self.round(events);
        self.learning = false;
        let mut all = Vec::new();
        // What was put in may look like something together with what stands beside it; a text of people's or programs' never
        // needed a third round.
        for _ in 0..MOST_ROUNDS {
            let found = self.round(events);
            if found.is_empty() {
                break;
            }
            all.extend(found);
        }
        all
    }

    /// Reads everything once. Unless it is to learn, it redacts what it finds.
    fn round(&mut self, events: &mut [Event]) -> Vec<Found> {
        let mut found = Vec::new();
        for kind in [EventKind::Output, EventKind::Input] {
            let stream = Stream::of(events, &kind);
            let segments = match kind {
                EventKind::Input => segments::input(&stream.text),
                _ => segments::output(&stream.text),
            };
            let edits = self.segments(&stream.text, &segments);
            if self.learning {
                continue;
            }
            stream.apply(&edits, events);
            found.extend(edits.iter().filter_map(|edit| found_in(&stream, edit)));
            // A sequence that is broken off hides the character after it; a named secret is looked for there too.
            let stream = Stream::raw(events, &kind);
            let places = self.explicit.find(&stream.text);
            let edits = self.merge(&stream.text, places.into_iter().map(Part::of).collect());
            stream.apply(&edits, events);
            found.extend(edits.iter().filter_map(|edit| found_in(&stream, edit)));
        }
        for (at, event) in events.iter_mut().enumerate() {
            if matches!(event.kind, EventKind::Output | EventKind::Input) {
                continue;
            }
            let edits = self.text(&event.data, 0);
            if !self.learning {
                event.data = apply(&event.data, &edits);
                found.extend(edits.iter().map(|edit| Found {
                    kind: edit.kind,
                    first: at,
                    last: at,
                }));
            }
        }
        found
    }

    fn segments(&mut self, text: &str, segments: &[Segment]) -> Edits {
        let mut edits = Vec::new();
        self.in_key = false;
        for segment in segments {
            match segment {
                Segment::Text(range) => {
                    let found = self.text(&text[range.clone()], 0);
                    edits.extend(shifted(found, range.start));
                }
                Segment::Json(range) => {
                    let found = self.json(&text[range.clone()], 0);
                    edits.extend(shifted(found, range.start));
                }
                Segment::Report(range) => {
                    // A command's end is the end of what it showed.
                    self.in_key = false;
                    let found = self.report(&text[range.clone()]);
                    edits.extend(found.map(|(text, kind)| whole(range.clone(), text, kind)));
                }
                Segment::Frame { pieces, length } => {
                    edits.extend(self.frame(text, pieces, length.as_ref()));
                }
            }
        }
        edits
    }

    /// A report's new base64, if it changes.
    fn report(&mut self, base64: &str) -> Option<(String, FindingKind)> {
        let Some(json) = encoded::decode(base64) else {
            return unreadable(base64);
        };
        let edits = self.json(&json, 0);
        let kind = edits.first()?.kind;
        Some((encoded::encode(&apply(&json, &edits)), kind))
    }

    /// A frame's new lines and length, if its command changes. Each line keeps its length, the last takes what is more; a
    /// length that was wrong stays wrong by as much, so that a garbled frame stays one.
    fn frame(
        &mut self,
        text: &str,
        pieces: &[Range<usize>],
        length: Option<&Range<usize>>,
    ) -> Edits {
        let pieces: Vec<&Range<usize>> = pieces.iter().filter(|piece| !piece.is_empty()).collect();
        let encoded: String = pieces.iter().map(|piece| &text[(*piece).clone()]).collect();
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
            return Vec::new();
        };
        let octal = !encoded.bytes().all(encoded::is_base64);
        let command = if octal {
            encoded::octal_text(&encoded)
        } else {
            encoded::decode(&encoded)
        };
        let changed = match command {
            Some(command) => {
                let edits = self.text(&command, 0);
                let kind = edits.first().map(|edit| edit.kind);
                kind.map(|kind| {
                    let new = apply(&command, &edits);
                    let new = if octal {
                        encoded::octal(&new)
                    } else {
                        encoded::encode(&new)
                    };
                    (new, kind)
                })
            }
            // A word of a shell that takes octal, or what is left of a frame: too short to hold a secret and its name.
            None if encoded.len() < SHORTEST_UNREADABLE => None,
            None => unreadable(&encoded),
        };
        let Some((new, kind)) = changed else {
            return Vec::new();
        };
        let context = first.start..length.map_or(last.end, |length| length.end);
        let edit = |range: &Range<usize>, text: String| Edit {
            range: range.clone(),
            text,
            kind,
            context: context.clone(),
        };
        let mut edits = Vec::new();
        let mut rest = new.as_str();
        for piece in &pieces {
            let share = if piece == last {
                rest.len()
            } else {
                piece.len().min(rest.len())
            };
            let (here, later) = rest.split_at(share);
            rest = later;
            edits.push(edit(piece, here.to_owned()));
        }
        if let Some(length) = length {
            let said: usize = text[length.clone()].parse().expect("at most nine digits");
            let now = (said + new.len()).saturating_sub(encoded.len());
            edits.push(edit(length, now.to_string()));
        }
        edits
    }

    /// The edits of JSON text. Only strings change, so it stays JSON; what is not JSON is looked at as text.
    fn json(&mut self, text: &str, depth: u8) -> Edits {
        let mut edits = Vec::new();
        let mut key: Option<String> = None;
        let mut from = 0;
        for string in JSON_STRING.find_iter(text) {
            let between = &text[from..string.start()];
            edits.extend(shifted(self.text(between, depth), from));
            from = string.end();
            let Ok(value) = serde_json::from_str::<String>(string.as_str()) else {
                edits.extend(shifted(self.text(string.as_str(), depth), string.start()));
                continue;
            };
            let is_key = text[from..].trim_start().starts_with(':');
            let of = key.take().filter(|_| !is_key && between.trim() == ":");
            let new = if !is_key && self.is_of_private_key(&value) {
                let kind = FindingKind::Password;
                Some((self.name(kind, &value), kind))
            } else {
                self.value(of.as_deref(), &value, depth)
            };
            if let Some((new, kind)) = new {
                let new = serde_json::to_string(&new).expect("text can be JSON");
                edits.push(whole(string.range(), new, kind));
            }
            key = is_key.then_some(value);
        }
        edits.extend(shifted(self.text(&text[from..], depth), from));
        edits
    }

    /// Whether a text is a line of the private key that began in a text before it. A file's lines come one by one.
    fn is_of_private_key(&mut self, text: &str) -> bool {
        let was_open = self.in_key;
        self.in_key = rules::key_is_open(text, was_open);
        was_open && rules::is_key_line(text)
    }

    /// A JSON string's new value, if it changes.
    fn value(
        &mut self,
        key: Option<&str>,
        value: &str,
        depth: u8,
    ) -> Option<(String, FindingKind)> {
        if let Some(kind) = key.and_then(|key| rules::by_key(key, value)) {
            if is_name(value) {
                self.names.reserve(value);
                return None;
            }
            self.learn(kind, value);
            return Some((self.name(kind, value), kind));
        }
        let edits = self.text(value, depth);
        let kind = edits.first()?.kind;
        Some((apply(value, &edits), kind))
    }
}

fn found_in(stream: &Stream, edit: &Edit<FindingKind>) -> Option<Found> {
    let (first, last) = stream.events(&edit.context)?;
    Some(Found {
        kind: edit.kind,
        first,
        last,
    })
}

fn whole(range: Range<usize>, text: String, kind: FindingKind) -> Edit<FindingKind> {
    Edit {
        context: range.clone(),
        range,
        text,
        kind,
    }
}

fn shifted(edits: Edits, by: usize) -> impl Iterator<Item = Edit<FindingKind>> {
    edits.into_iter().map(move |edit| Edit {
        range: edit.range.start + by..edit.range.end + by,
        context: edit.context.start + by..edit.context.end + by,
        ..edit
    })
}

/// What comes in the place of base64 that is none: as long, and as unreadable.
fn unreadable(base64: &str) -> Option<(String, FindingKind)> {
    let new = "A".repeat(base64.len());
    (new != base64).then_some((new, FindingKind::Unreadable))
}
