//! The one object that `mm run --json` prints. Objects of the command are kept byte for byte: numbers do not lose digits,
//! keys keep their order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::{CommandError, EndState, Outcome, Run, RunState};
use crate::name::{ConnectionName, ModuleName, RunId};

/// What `mm run --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    run: RunId,
    session: SessionName,
    /// Whom the session was proven to be.
    account: Option<String>,
    tenant: Option<String>,
    state: RunState,
    outcome: Option<Outcome>,
    /// What the program itself said at the end.
    end_state: Option<EndState>,
    exit: Option<i32>,
    /// The pipeline's objects.
    objects: Vec<Box<RawValue>>,
    warnings: Vec<Box<RawValue>>,
    verbose: Vec<Box<RawValue>>,
    debug: Vec<Box<RawValue>>,
    information: Vec<Box<RawValue>>,
    /// Text that went straight to the terminal, line by line.
    console: Vec<String>,
    errors: Vec<CommandError>,
    /// Why it ended so, where the outcome alone does not tell.
    reason: Option<String>,
    /// Whether output is missing.
    truncated: bool,
    timing: Timing,
}

#[derive(Debug, Serialize)]
struct SessionName {
    connection: ConnectionName,
    module: ModuleName,
}

#[derive(Debug, Serialize)]
struct Timing {
    submitted_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    /// From start to end.
    duration_ms: Option<u64>,
}

/// A line of the output of a run in records mode.
#[derive(Deserialize)]
struct Line<'a> {
    stream: Stream,
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stream {
    Output,
    Error,
    Warning,
    Verbose,
    Debug,
    Information,
    Console,
}

impl Report {
    /// The report of `run` with `output`, all of what was kept.
    pub(crate) fn new(run: Run, output: &[u8]) -> Self {
        let end = run.end;
        let (outcome, end_state, exit, errors, reason) = match end {
            Some(end) => (
                Some(end.outcome),
                end.state,
                end.exit,
                end.errors,
                end.reason,
            ),
            None => (None, None, None, Vec::new(), None),
        };
        let duration = run
            .started_at
            .zip(run.ended_at)
            .map(|(from, to)| to.duration_since(from).as_millis().max(0));
        let mut report = Self {
            run: run.id,
            session: SessionName {
                connection: run.connection,
                module: run.module,
            },
            account: run.account,
            tenant: run.tenant,
            state: run.state,
            outcome,
            end_state,
            exit,
            objects: Vec::new(),
            warnings: Vec::new(),
            verbose: Vec::new(),
            debug: Vec::new(),
            information: Vec::new(),
            console: Vec::new(),
            errors,
            reason,
            truncated: run.output_skipped > 0,
            timing: Timing {
                submitted_at: run.submitted_at,
                started_at: run.started_at,
                ended_at: run.ended_at,
                duration_ms: duration.and_then(|ms| u64::try_from(ms).ok()),
            },
        };
        let mut written = Vec::new();
        for line in output.split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                report.take(line, &mut written);
            }
        }
        if report.errors.is_empty() {
            report.errors = written;
        }
        report
    }

    /// Sorts one line into its stream. Half a line, at a gap in the output, is output that is missing.
    fn take(&mut self, line: &[u8], written: &mut Vec<CommandError>) {
        let Ok(Line { stream, value }) = serde_json::from_slice::<Line<'_>>(line) else {
            self.truncated = true;
            return;
        };
        match stream {
            Stream::Output => self.objects.push(value.to_owned()),
            Stream::Warning => self.warnings.push(value.to_owned()),
            Stream::Verbose => self.verbose.push(value.to_owned()),
            Stream::Debug => self.debug.push(value.to_owned()),
            Stream::Information => self.information.push(value.to_owned()),
            Stream::Error => written.extend(command_error(value)),
            Stream::Console => {
                let line = serde_json::from_str(value.get());
                self.console
                    .push(line.unwrap_or_else(|_not_a_string| value.get().to_owned()));
            }
        }
    }
}

/// An error record, for a run whose end came without a report of its errors.
fn command_error(value: &RawValue) -> Option<CommandError> {
    if let Ok(error) = serde_json::from_str(value.get()) {
        return Some(error);
    }
    let message = serde_json::from_str(value.get()).ok()?;
    Some(CommandError {
        message,
        ..CommandError::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(end: serde_json::Value) -> Run {
        serde_json::from_value(serde_json::json!({
            "id": "rabcdefghj", "connection": "Contoso", "module": "exo", "command": "x",
            "state": "ended", "submitted_at": "2026-01-02T03:04:05Z",
            "started_at": "2026-01-02T03:04:06Z", "ended_at": "2026-01-02T03:04:07.5Z",
            "account": "admin@contoso.com", "tenant": "6d5f1a3e-0000-4000-8000-000000000000",
            "end": end,
        }))
        .expect("it is a run")
    }

    #[test]
    fn the_object_has_documented_fields() {
        let run = run(serde_json::json!({
            "outcome": "succeeded", "state": "ok",
            "errors": [{"message": "no such mailbox", "id": "X,Y", "category": "ObjectNotFound", "line": 1, "column": 1}],
        }));
        let output = concat!(
            r#"{"stream":"output","value":{"z":1,"a":12345678901234567890.10}}"#,
            "\n",
            r#"{"stream":"output","value":1e2}"#,
            "\n",
            r#"{"stream":"warning","value":"careful"}"#,
            "\n",
            r#"{"stream":"information","value":{"message":"hello"}}"#,
            "\n",
            r#"{"stream":"verbose","value":"v"}"#,
            "\n",
            r#"{"stream":"debug","value":"d"}"#,
            "\n",
            r#"{"stream":"console","value":"typed"}"#,
            "\n",
        );
        let report = Report::new(run, output.as_bytes());
        let text = serde_json::to_string(&report).expect("it can be written");
        assert!(text.contains(r#"[{"z":1,"a":12345678901234567890.10},1e2]"#));
        insta::assert_snapshot!(serde_json::to_string_pretty(&report).expect("it can be written"));
    }

    #[test]
    fn half_a_line_is_missing_output() {
        let ended = serde_json::json!({"outcome": "succeeded"});
        let output = b"put\",\"value\":1}\n{\"stream\":\"output\",\"value\":2}\n";
        let report = Report::new(run(ended.clone()), output);
        assert!(report.truncated);
        assert_eq!(report.objects.len(), 1);
        assert!(!Report::new(run(ended), b"").truncated);
    }

    #[test]
    fn error_records_stand_in_for_a_missing_report() {
        let lost = serde_json::json!({"outcome": "lost", "reason": "the program ended"});
        let output = b"{\"stream\":\"error\",\"value\":{\"message\":\"m\",\"id\":\"i\",\"more\":1}}\n{\"stream\":\"error\",\"value\":\"plain\"}\n";
        let report = Report::new(run(lost), output);
        let messages: Vec<&str> = report.errors.iter().map(|e| e.message.as_str()).collect();
        assert_eq!(messages, ["m", "plain"]);
        assert_eq!(report.reason.as_deref(), Some("the program ended"));
    }
}
