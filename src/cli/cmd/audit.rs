//! `mm audit`: what was done, and whether the record of it is as it was written.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::api::{AuditHead, AuditReport};
use crate::cli::approval::YES;
use crate::cli::args::{AuditArgs, AuditListArgs, AuditVerb, ExportFormat};
use crate::cli::csv;
use crate::cli::ending::Message;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::harmless::one_line;
use crate::cli::output::Screen;
use crate::cli::prompt::Prompt;
use crate::cli::table::table;
use crate::cli::when::clock;
use crate::cli::wiring;
use crate::client::{AuditQuery, Client};

/// Characters of a row's text in a list.
const TEXT_WIDTH: usize = 60;

/// Rows that are asked for at once.
const PAGE: usize = 1000;

/// Lists, shows, checks, exports or accepts the record.
pub(crate) async fn audit(args: AuditArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let client = wiring::client().await?;
    match args
        .verb
        .unwrap_or_else(|| AuditVerb::List(Box::new(args.list)))
    {
        AuditVerb::List(args) => list(&client, *args, screen).await,
        AuditVerb::Show { number, json } => show(&client, number, json, screen).await,
        AuditVerb::Verify { head, json } => verify(&client, head, json, screen).await,
        AuditVerb::Export { format, after } => export(&client, format, after, screen).await,
        AuditVerb::Accept { reason } => accept(&client, &reason, screen).await,
    }
}

async fn list(client: &Client, args: AuditListArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let fields = [
        ("connection", args.connection),
        ("module", args.module),
        ("account", args.account),
        ("client", args.client),
        ("run", args.run),
        ("kind", args.kind),
        ("effect", args.effect),
        ("outcome", args.outcome),
        ("since", time(args.since)),
        ("until", time(args.until)),
        ("text", args.text),
    ];
    let fields = fields.into_iter();
    let mut query = AuditQuery {
        fields: fields
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        limit: args.limit.clamp(1, PAGE),
    };
    let mut rows = Vec::new();
    let mut place = None;
    while rows.len() < args.limit {
        query.limit = (args.limit - rows.len()).clamp(1, PAGE);
        let page = client.audit_page(&query, place).await?;
        rows.extend(page.rows);
        match page.next {
            Some(next) => place = Some(("before", next)),
            None => break,
        }
    }
    if args.json {
        for row in &rows {
            screen.text(row.get())?;
        }
    } else if rows.is_empty() {
        screen.text("no rows")?;
    } else {
        let rows: Vec<Row> = rows.iter().map(|row| Row::read(row.get())).collect();
        let text = listed(&rows, Timestamp::now(), &TimeZone::system(), screen.width());
        screen.text(&text)?;
    }
    Ok(Exit::Done)
}

async fn show(
    client: &Client,
    number: u64,
    json: bool,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let row = client.audit_row(number).await?;
    if json {
        screen.text(row.get())?;
    } else {
        screen.text(&shown(&Row::read(row.get())))?;
    }
    Ok(Exit::Done)
}

async fn verify(
    client: &Client,
    heads: Vec<AuditHead>,
    json: bool,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let report = client.verify_audit(heads).await?;
    if json {
        screen.json(&report)?;
    } else if report.sound {
        screen.text(&sound(&report))?;
    } else {
        tell(&report, screen);
    }
    Ok(if report.sound {
        Exit::Done
    } else {
        Exit::Failed
    })
}

async fn export(
    client: &Client,
    format: ExportFormat,
    mut after: u64,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let query = AuditQuery {
        fields: Vec::new(),
        limit: PAGE,
    };
    if format == ExportFormat::Csv {
        screen.output(csv::line(csv::COLUMNS).as_bytes())?;
    }
    loop {
        let page = client.audit_page(&query, Some(("after", after))).await?;
        let mut text = String::new();
        for row in &page.rows {
            match format {
                ExportFormat::Jsonl => {
                    text.push_str(row.get());
                    text.push('\n');
                }
                ExportFormat::Csv => text.push_str(&csv::row(row.get())),
            }
        }
        screen.output(text.as_bytes())?;
        match page.next {
            Some(next) => after = next,
            None => return Ok(Exit::Done),
        }
    }
}

/// Only a person may say that a record which was changed is good enough, and only after having read what was found.
async fn accept(client: &Client, reason: &str, screen: &mut Screen) -> Result<Exit, CliError> {
    if !screen.asks_people() {
        let message = "a record that was changed is accepted by a person at a terminal";
        return Err(CliError::usage(
            message,
            "run this in a terminal of your own",
        ));
    }
    let report = client.verify_audit(Vec::new()).await?;
    if report.faults.is_empty() && report.found_before.iter().all(|found| found.accepted) {
        screen.text("there is nothing to accept")?;
        return Ok(Exit::Done);
    }
    tell(&report, screen);
    screen.ask(&format!(
        "What was found stays in the record. Type {YES} to go on: "
    ));
    let typed = async { Prompt::open(false)?.line().await };
    let typed = typed.await.map_err(|source| CliError::Io {
        what: "the terminal cannot be read".to_owned(),
        source,
    })?;
    if typed.is_none_or(|typed| typed.expose().trim() != YES) {
        screen.text("nothing was accepted")?;
        return Ok(Exit::Refused);
    }
    let accepted = client.accept_audit(reason).await?.accepted;
    screen.text(if accepted {
        "accepted; the record says so"
    } else {
        "there was nothing to accept any more"
    })?;
    Ok(Exit::Done)
}

fn sound(report: &AuditReport) -> String {
    match &report.head {
        Some(head) => format!(
            "sound: {} rows\nnewest: {}:{}\nA note of it, kept elsewhere, shows later that nothing before it was changed: mm audit verify --head",
            report.rows, head.number, head.hash
        ),
        None => "sound: no rows".to_owned(),
    }
}

fn tell(report: &AuditReport, screen: &mut Screen) {
    for fault in &report.faults {
        screen.tell(&Message::error(fault));
    }
    for found in &report.found_before {
        let accepted = if found.accepted {
            "accepted by a person"
        } else {
            "accepted by nobody"
        };
        screen.note(&format!(
            "found at an earlier check, {accepted}: {}",
            found.what
        ));
    }
}

/// A row, read as far as it can be.
struct Row(Map<String, Value>);

impl Row {
    fn read(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Self(fields),
            Ok(other) => Self(Map::from_iter([("unreadable".to_owned(), other)])),
            Err(_) => Self(Map::new()),
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// What is most telling about it, in a few words.
    fn gist(&self) -> String {
        let words = [
            self.text("outcome").map(str::to_owned),
            self.text("text").map(one_line),
            self.text("reason").map(one_line),
        ];
        let line = words.into_iter().flatten().collect::<Vec<_>>().join("; ");
        match line.char_indices().nth(TEXT_WIDTH) {
            Some((cut, _)) => format!("{}…", &line[..cut]),
            None => line,
        }
    }
}

fn listed(rows: &[Row], now: Timestamp, zone: &TimeZone, width: Option<usize>) -> String {
    let head = ["ROW", "AT", "WHAT", "SESSION", "BY", "SAYS"];
    let cells = |row: &Row| {
        let cell = |key: &str| one_line(row.text(key).unwrap_or_default());
        let number = row.0.get("number").map(ToString::to_string);
        let at = row.text("at").and_then(|at| at.parse().ok());
        let session = match (row.text("connection"), row.text("module")) {
            (Some(connection), Some(module)) => one_line(&format!("{connection}/{module}")),
            _ => "-".to_owned(),
        };
        vec![
            number.unwrap_or_else(|| "?".to_owned()),
            at.map_or_else(|| "-".to_owned(), |at| clock(at, now, zone)),
            cell("kind"),
            session,
            Some(cell("client"))
                .filter(|by| !by.is_empty())
                .unwrap_or_else(|| "-".to_owned()),
            row.gist(),
        ]
    };
    table(&head, &rows.iter().map(cells).collect::<Vec<_>>(), width)
}

/// What it says, a field a line; what it does not say is left out.
fn shown(row: &Row) -> String {
    let mut text = String::new();
    for (key, value) in &row.0 {
        let value = match value {
            Value::Null => continue,
            Value::String(value) if value.is_empty() => continue,
            Value::String(value) => value.clone(),
            Value::Array(values) if values.is_empty() => continue,
            Value::Array(values) => values
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        };
        let indented = value.replace('\n', &format!("\n{:14}", ""));
        writeln!(text, "{key:<13} {indented}").expect("a String takes any text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"v":1,"number":7,"previous":"00","at":"2026-11-23T01:02:03.004Z","kind":"run_started","user":"ada","client":"mcp","token":null,"connection":"Contoso","module":"exo","run":"rabc","approval":null,"account":"ada@contoso.com","tenant":null,"text":"Get-Mailbox |\n  Select-Object Name","text_bytes":34,"text_hash":"sha256:00","effects":["reads"],"decision":null,"rule":null,"outcome":null,"duration_ms":null,"reason":null,"hash":"11"}"#;

    #[test]
    fn a_row_is_shown_field_by_field() {
        insta::assert_snapshot!(shown(&Row::read(ROW)));
    }

    #[test]
    fn rows_are_listed_a_line_each() {
        let now = "2026-11-23T02:00:00Z".parse().expect("a time");
        let rows = [Row::read(ROW), Row::read("\"{bent\"")];
        insta::assert_snapshot!(listed(&rows, now, &TimeZone::UTC, None));
    }
}
