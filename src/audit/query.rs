//! [`Filter`]: which rows somebody wants to see.

use jiff::Timestamp;

use super::line::Line;
use crate::store::AuditRow;

/// Which rows. What is absent lets everything through; words are compared without case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) connection: Option<String>,
    pub(crate) module: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) effect: Option<String>,
    pub(crate) outcome: Option<String>,
    /// At this time or later.
    pub(crate) since: Option<Timestamp>,
    /// Before this time.
    pub(crate) until: Option<Timestamp>,
    /// Somewhere in the text or the reason.
    pub(crate) text: Option<String>,
    /// At most so many.
    pub(crate) limit: usize,
}

/// Where to begin, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// After this row, the oldest first.
    After(u64),
    /// Before this row, the newest first.
    Before(u64),
}

impl Place {
    /// The same direction, past this row.
    pub(super) fn past(self, number: u64) -> Self {
        match self {
            Self::After(_) => Self::After(number),
            Self::Before(_) => Self::Before(number),
        }
    }
}

/// Some rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) rows: Vec<AuditRow>,
    /// Where to go on; absent at the end.
    pub(crate) next: Option<Place>,
}

impl Filter {
    /// Whether nothing was asked for in particular.
    fn takes_all(&self) -> bool {
        let limit = self.limit;
        *self
            == Self {
                limit,
                ..Self::default()
            }
    }

    /// Whether it lets this row through. A row that was bent until it cannot be read goes through a filter that takes all.
    pub(crate) fn matches(&self, row: &AuditRow) -> bool {
        if self.takes_all() {
            return true;
        }
        let Some(line) = Line::read(&row.line) else {
            return false;
        };
        let is = |key: &str, wanted: &Option<String>| {
            let found = line.text(key).unwrap_or_default();
            wanted.as_ref().is_none_or(|wanted| same(found, wanted))
        };
        let fields = [
            ("connection", &self.connection),
            ("module", &self.module),
            ("account", &self.account),
            ("run", &self.run),
            ("kind", &self.kind),
            ("outcome", &self.outcome),
        ];
        let at = || line.text("at")?.parse::<Timestamp>().ok();
        fields.into_iter().all(|(key, wanted)| is(key, wanted))
            && self.client.as_ref().is_none_or(|wanted| {
                let found = line.text("client").unwrap_or_default();
                // `cli` is both a person and a program; see the format.
                same(found, wanted) || same(found, &format!("{wanted} (program)"))
            })
            && self
                .effect
                .as_ref()
                .is_none_or(|wanted| line.effects().any(|effect| same(effect, wanted)))
            && self
                .since
                .is_none_or(|since| at().is_some_and(|at| at >= since))
            && self
                .until
                .is_none_or(|until| at().is_some_and(|at| at < until))
            && self.text.as_ref().is_none_or(|wanted| {
                let wanted = wanted.to_lowercase();
                let texts = [line.text("text"), line.text("reason")];
                texts
                    .into_iter()
                    .flatten()
                    .any(|text| text.to_lowercase().contains(&wanted))
            })
    }
}

fn same(found: &str, wanted: &str) -> bool {
    found.to_lowercase() == wanted.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Entry, Kind, Who};
    use super::super::line::{TextKey, link};
    use super::*;

    #[test]
    fn every_field_lets_through_what_it_names_and_nothing_else() {
        let entry = Entry::new(Kind::RunStarted)
            .by(Who::client("cli"))
            .text("Get-Mailbox Ada")
            .effects(["reads".to_owned()])
            .outcome("succeeded");
        let row = link(None, &entry, "ada", &TextKey([0; 32]));
        let text = |text: &str| Some(text.to_owned());
        let time = |text: &str| Some(text.parse::<Timestamp>().expect("it is a time"));
        let cases = [
            (Filter::default(), true),
            (
                Filter {
                    kind: text("run_started"),
                    ..Filter::default()
                },
                true,
            ),
            (
                Filter {
                    kind: text("run_ended"),
                    ..Filter::default()
                },
                false,
            ),
            (
                Filter {
                    client: text("CLI"),
                    ..Filter::default()
                },
                true,
            ),
            (
                Filter {
                    connection: text("Contoso"),
                    ..Filter::default()
                },
                false,
            ),
            (
                Filter {
                    effect: text("reads"),
                    ..Filter::default()
                },
                true,
            ),
            (
                Filter {
                    effect: text("writes"),
                    ..Filter::default()
                },
                false,
            ),
            (
                Filter {
                    outcome: text("succeeded"),
                    ..Filter::default()
                },
                true,
            ),
            (
                Filter {
                    text: text("mailbox ada"),
                    ..Filter::default()
                },
                true,
            ),
            (
                Filter {
                    text: text("mailbox bob"),
                    ..Filter::default()
                },
                false,
            ),
            (
                Filter {
                    since: time("2000-01-01T00:00:00Z"),
                    ..Filter::default()
                },
                true,
            ),
            (
                Filter {
                    until: time("2000-01-01T00:00:00Z"),
                    ..Filter::default()
                },
                false,
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(filter.matches(&row), expected, "{filter:?}");
        }
    }
}
