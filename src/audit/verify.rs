//! [`Verifier`]: reads rows in order and finds what is not as it was written.

use std::fmt;

use super::entry::Kind;
use super::head::Head;
use super::line::{Line, NOTHING_BEFORE, hash};
use crate::store::AuditRow;

/// So many faults are named in one sentence.
const NAMED: usize = 5;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its content and its hash do not belong together.
    Altered { number: u64 },
    /// It says that it is another row.
    Misplaced { number: u64, says: Option<u64> },
    /// It names another row before it than the one that is there.
    Unlinked { number: u64 },
    /// Rows that were there are not.
    Missing { from: u64, to: u64 },
    /// It is not the row that is known to have had this number.
    Replaced { number: u64 },
    /// The file that names the newest row is gone, or names none.
    NoHead { why: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { number } => {
                write!(f, "row {number}: its content is not what its hash says")
            }
            Self::Misplaced { number, says } => match says {
                Some(says) => write!(f, "row {number}: it was written as row {says}"),
                None => write!(f, "row {number}: it is no row of this record"),
            },
            Self::Unlinked { number } => {
                write!(
                    f,
                    "row {number}: it does not follow the row that is before it"
                )
            }
            Self::Missing { from, to } if from == to => write!(f, "row {from} is missing"),
            Self::Missing { from, to } => write!(f, "rows {from} to {to} are missing"),
            Self::Replaced { number } => {
                write!(f, "row {number}: it is another one than was written")
            }
            Self::NoHead { why } => write!(f, "the newest row is not known: {why}"),
        }
    }
}

/// Faults as one sentence; `None` where there are none.
pub(super) fn sentence(faults: &[Fault]) -> Option<String> {
    let named: Vec<String> = faults.iter().take(NAMED).map(Fault::to_string).collect();
    let more = faults.len().saturating_sub(NAMED);
    match (named.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(named.join("; ")),
        (false, more) => Some(format!("{}; and {more} more", named.join("; "))),
    }
}

/// What was found in a whole record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Rows that were read.
    pub(crate) rows: u64,
    /// The last of them.
    pub(crate) head: Option<Head>,
    pub(crate) faults: Vec<Fault>,
    /// What earlier checks found, as the record itself says, and whether a person has accepted it.
    pub(crate) found_before: Vec<(String, bool)>,
}

impl Report {
    /// Whether every row is as it was written, and always was.
    pub(crate) fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.found_before.is_empty()
    }

    /// The faults in one sentence.
    pub(crate) fn sentence(&self) -> Option<String> {
        sentence(&self.faults)
    }

    /// What nobody has accepted: of now, or of an earlier check.
    pub(super) fn open(&self) -> Option<String> {
        let accepted = |what: &String| {
            let known = |(text, accepted): &(String, bool)| text == what && *accepted;
            self.found_before.iter().any(known)
        };
        let now = self.sentence().filter(|what| !accepted(what));
        let before = self.found_before.iter().find(|(_, accepted)| !accepted);
        now.or_else(|| before.map(|(what, _)| what.clone()))
    }
}

/// Reads rows in order, one by one.
pub(super) struct Verifier {
    /// Rows that are known from elsewhere.
    known: Vec<Head>,
    /// The row before, with the hash that its content really has.
    last: Option<(Head, String)>,
    report: Report,
}

impl Verifier {
    /// One that compares with rows that are known from elsewhere: the head's file, the daemon's memory, a person's notes.
    pub(super) fn new(known: Vec<Head>) -> Self {
        Self {
            known,
            last: None,
            report: Report::default(),
        }
    }

    /// The next row.
    pub(super) fn read(&mut self, row: &AuditRow) {
        let number = row.number;
        let content = hash(&row.line);
        let line = Line::read(&row.line);
        let faults = &mut self.report.faults;
        let expected = self
            .last
            .as_ref()
            .map_or(1, |(last, _)| last.number.saturating_add(1));
        if number > expected {
            faults.push(Fault::Missing {
                from: expected,
                to: number - 1,
            });
        }
        let says = line.as_ref().and_then(|line| line.number("number"));
        let previous = line.as_ref().and_then(|line| line.text("previous"));
        if content != row.hash {
            faults.push(Fault::Altered { number });
        } else if says != Some(number) {
            faults.push(Fault::Misplaced { number, says });
        } else if number == expected {
            let follows = match &self.last {
                None => previous == Some(NOTHING_BEFORE),
                // Where only the hash of the row before was bent, that is its fault and not this one's.
                Some((last, content)) => {
                    previous == Some(last.hash.as_str()) || previous == Some(content.as_str())
                }
            };
            if !follows {
                faults.push(Fault::Unlinked { number });
            }
        }
        let replaced = |known: &Head| known.number == number && known.hash != row.hash;
        if self.known.iter().any(replaced) && content == row.hash {
            faults.push(Fault::Replaced { number });
        }
        if let Some(line) = &line {
            self.heed(line);
        }
        self.report.rows += 1;
        let head = Head {
            number,
            hash: row.hash.clone(),
        };
        self.last = Some((head, content));
    }

    /// What the record says about itself.
    fn heed(&mut self, line: &Line) {
        let (Some(kind), Some(text)) = (line.text("kind"), line.text("text")) else {
            return;
        };
        let before = &mut self.report.found_before;
        if kind == Kind::RecordBroken.word() {
            before.push((text.to_owned(), false));
        } else if kind == Kind::RecordAccepted.word() {
            for (known, accepted) in before.iter_mut() {
                *accepted |= known == text;
            }
        }
    }

    /// What was found.
    pub(super) fn finish(mut self) -> Report {
        let last = self.last.map(|(head, _)| head);
        let end = last.as_ref().map_or(0, |head| head.number);
        if let Some(newest) = self.known.iter().map(|known| known.number).max()
            && newest > end
        {
            self.report.faults.push(Fault::Missing {
                from: end + 1,
                to: newest,
            });
        }
        self.report.head = last;
        self.report
    }
}
