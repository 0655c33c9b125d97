//! What can be typed after `mm audit`.

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::api::AuditHead;

#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) list: AuditListArgs,
    #[command(subcommand)]
    pub(crate) verb: Option<AuditVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AuditVerb {
    /// The newest rows, of these connections, kinds and times
    List(Box<AuditListArgs>),
    /// One row, with everything it says
    Show {
        /// The row's number
        number: u64,
        /// Print the row as it is exported
        #[arg(long)]
        json: bool,
    },
    /// Check that every row is as it was written; exits with 1 where one is not
    Verify {
        /// A row that was noted elsewhere, and has to be in the record
        #[arg(long, value_name = "NUMBER:HASH", value_parser = head)]
        head: Vec<AuditHead>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The whole record, the oldest row first, for another machine or another program
    Export {
        /// Its form
        #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
        format: ExportFormat,
        /// Begin after this row
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        after: u64,
    },
    /// Take a record that was changed as it is, so that work goes on; needs a terminal
    Accept {
        /// Why; it goes into the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct AuditListArgs {
    /// Of this connection
    #[arg(short, long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Of this module
    #[arg(short, long, value_name = "NAME")]
    pub(crate) module: Option<String>,
    /// As this account
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) account: Option<String>,
    /// Asked for by this client: cli, mcp, http
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
    /// Of this run
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// Of this kind: `run_started`, `signed_in`, `refused`, …
    #[arg(long, value_name = "WORD")]
    pub(crate) kind: Option<String>,
    /// With this effect: writes, destroys, …
    #[arg(long, value_name = "WORD")]
    pub(crate) effect: Option<String>,
    /// With this outcome: succeeded, failed, refused, …
    #[arg(long, value_name = "WORD")]
    pub(crate) outcome: Option<String>,
    /// Since this time: `2h`, `7d`, 2026-11-23, 2026-11-23T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<Timestamp>,
    /// With this in the text or the reason
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Print rows as they are exported, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A JSON object a line
    Jsonl,
    /// A table; its last column is the line that is hashed
    Csv,
}

/// `17:ab…`: a row's number and its hash.
fn head(text: &str) -> Result<AuditHead, String> {
    let read = || {
        let (number, hash) = text.split_once(':')?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(AuditHead {
            number: number.parse().ok()?,
            hash: is_hash.then(|| hash.to_ascii_lowercase())?,
        })
    };
    read().ok_or_else(|| "it is not a row's number, a colon and its hash of 64 digits".to_owned())
}

/// A point in time, a day in the local time zone, or how long ago.
fn time(text: &str) -> Result<Timestamp, String> {
    let ago = || -> Option<Timestamp> {
        let span = text.parse::<jiff::SignedDuration>().ok();
        let days = || {
            Some(jiff::SignedDuration::from_hours(
                text.strip_suffix('d')?
                    .parse::<i64>()
                    .ok()?
                    .checked_mul(24)?,
            ))
        };
        Timestamp::now().checked_sub(span.or_else(days)?).ok()
    };
    let day = || -> Option<Timestamp> {
        let zoned = text.parse::<Date>().ok()?.to_zoned(TimeZone::system());
        Some(zoned.ok()?.timestamp())
    };
    // A date alone is a timestamp to no parser, and a timestamp is a date to one.
    text.parse::<Timestamp>()
        .ok()
        .or_else(day)
        .or_else(ago)
        .ok_or_else(|| "it is neither a time (2026-11-23T08:00:00Z), a day (2026-11-23) nor a span (`2h`, `7d`)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_points_days_and_spans() {
        let point = "2026-11-23T08:00:00Z";
        assert_eq!(
            time(point).map(|time| time.to_string()).as_deref(),
            Ok(point)
        );
        let now = Timestamp::now();
        for (text, hours) in [("2h", 2), ("7d", 168), ("90m", 1)] {
            let found = time(text).expect("it is a span");
            let hours_ago = now.duration_since(found).as_hours();
            assert!(
                hours_ago == hours || hours_ago == hours - 1,
                "{text}: {hours_ago}"
            );
        }
        assert!(time("2026-11-23").is_ok());
        assert!(time("yesterday").is_err());
    }

    #[test]
    fn a_head_is_a_number_and_a_hash() {
        let hash = "AB".repeat(32);
        let found = head(&format!("17:{hash}")).expect("it is one");
        assert_eq!((found.number, found.hash), (17, "ab".repeat(32)));
        assert!(head("17:ab").is_err());
        assert!(head(&hash).is_err());
    }
}
