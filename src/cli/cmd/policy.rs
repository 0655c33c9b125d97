//! `mm policy explain`: what a command would do. Needs no daemon: texts and rules speak for themselves.

use std::io::BufRead as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cli::args::{PolicyArgs, PolicyVerb};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::harmless::one_line;
use crate::cli::output::Screen;
use crate::cli::wiring;
use crate::connection::Connection;
use crate::name::ModuleName;
use crate::policy::{Allowance, Finding, Judgement, Parsed, Verdict, Who, judge, parse};
use crate::script::{EffectRules, Module};
use crate::spec::Catalog;

/// Explains one command, or many; or has a person take on a policy.
pub(crate) async fn policy(args: PolicyArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let (connection, module, command, json, jsonl) = match args.verb {
        PolicyVerb::Accept { connection } => {
            return super::policy_accept::accept(connection.as_deref(), screen).await;
        }
        PolicyVerb::Explain {
            connection,
            module,
            command,
            json,
            jsonl,
        } => (connection, module, command, json, jsonl),
    };
    let catalog = wiring::catalog(&args.modules)?;
    let module = module
        .map(|name| {
            catalog.module(&name).map_err(|error| CliError::Spec {
                message: error.to_string(),
                help: Some(error.help()),
            })
        })
        .transpose()?;
    let reader = Reader {
        catalog: &catalog,
        module: module.as_deref(),
    };
    if jsonl {
        return many(&reader, screen);
    }
    let connection = connection.map(|name| entry(&name)).transpose()?;
    let shut = match (&connection, &module) {
        (Some(connection), Some(module))
            if wiring::settings()?.enforce_mcps && !connection.is_for(module) =>
        {
            Some(format!(
                "`enforce_mcps`: {}",
                connection.why_not_for(module)
            ))
        }
        _ => None,
    };
    let (parsed, judged) = reader.read(&command.unwrap_or_default());
    let allows = Allows {
        allowance: connection.as_ref().map(Allowance::of).unwrap_or_default(),
        module: module.as_deref().map(|module| &module.name),
        shut,
    };
    if json {
        screen.json(&Explained::new(&parsed, &judged, &allows))?;
    } else {
        screen.text(&told(&parsed, &judged, &allows))?;
    }
    Ok(Exit::Done)
}

/// The entry of this name; the built-in connection where the file has none.
fn entry(name: &str) -> Result<Connection, CliError> {
    let built_in = Connection::demo("");
    match wiring::connection(name) {
        Err(_) if built_in.name().as_str() == name => Ok(built_in),
        found => found,
    }
}

/// What decides.
struct Allows<'m> {
    allowance: Allowance,
    module: Option<&'m ModuleName>,
    /// Why nobody may use the module with the connection, whatever the command does.
    shut: Option<String>,
}

/// What texts are read with.
struct Reader<'c> {
    catalog: &'c Catalog,
    module: Option<&'c Module>,
}

impl Reader<'_> {
    fn read(&self, text: &str) -> (Parsed, Judgement) {
        let parsed = parse(text, self.module);
        let own = self.module.map(|module| Arc::clone(&module.effects));
        let rules = EffectRules::new(self.catalog.effects(), own.unwrap_or_default());
        let judged = judge(&parsed, rules.iter());
        (parsed, judged)
    }
}

/// A line of standard input. Other keys are the caller's own.
#[derive(Debug, Deserialize)]
struct Line {
    text: String,
}

/// One line in, one line out, until there are no more.
fn many(reader: &Reader<'_>, screen: &mut Screen) -> Result<Exit, CliError> {
    for (at, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|source| CliError::Io {
            what: "standard input cannot be read".to_owned(),
            source,
        })?;
        if line.trim().is_empty() {
            continue;
        }
        let Line { text } = serde_json::from_str(&line).map_err(|error| {
            CliError::usage(
                format!("line {} of standard input is no text: {error}", at + 1),
                "write one object a line: {\"text\": \"Get-Mailbox\"}",
            )
        })?;
        let (parsed, judged) = reader.read(&text);
        let mut answer = serde_json::to_string(&Short::new(&parsed, &judged))
            .expect("texts and words are always JSON");
        answer.push('\n');
        screen.output(answer.as_bytes())?;
    }
    screen.output_ended()?;
    Ok(Exit::Done)
}

/// The answer to one of many.
#[derive(Debug, Serialize)]
struct Short<'p> {
    /// Names as they are called, in their order. Those that are only known when the text runs are not among them.
    commands: Vec<&'p str>,
    effects: Vec<&'static str>,
    /// Whether all of the text was followed; where not, commands may be missing.
    understood: bool,
}

impl<'p> Short<'p> {
    fn new(parsed: &'p Parsed, judged: &Judgement) -> Self {
        Self {
            commands: parsed
                .commands
                .iter()
                .filter_map(|command| command.name.as_deref())
                .collect(),
            effects: judged
                .effects()
                .iter()
                .map(|effect| effect.word())
                .collect(),
            understood: judged.understood,
        }
    }
}

/// The answer to a single one.
#[derive(Debug, Serialize)]
struct Explained<'p> {
    #[serde(flatten)]
    short: Short<'p>,
    findings: Vec<Found<'p>>,
    /// What would be decided: for a person at a terminal, and for a program.
    decisions: [Decided; 2],
}

/// What would be decided for somebody.
#[derive(Debug, Serialize)]
struct Decided {
    who: &'static str,
    decision: &'static str,
    /// The effect that it is for.
    effect: &'static str,
    /// What in the command has it. Empty: nothing does more than read.
    what: String,
    rule: String,
}

fn decided(judged: &Judgement, allows: &Allows<'_>) -> [Decided; 2] {
    [Who::Person, Who::Program].map(|who| {
        let decision = allows.allowance.decide(who, allows.module, judged);
        let (verdict, rule) = match &allows.shut {
            Some(why) => (Verdict::Refuse, why.clone()),
            None => (decision.verdict, decision.rule),
        };
        Decided {
            who: who.word(),
            decision: verdict.word(),
            effect: decision.effect.word(),
            what: decision.what,
            rule,
        }
    })
}

/// One effect, and where it comes from.
#[derive(Debug, Serialize)]
struct Found<'p> {
    effect: &'static str,
    /// What in the text has it.
    what: &'p str,
    /// The text's line, counted from 1.
    line: usize,
    reason: &'p str,
    /// The rule's file and line. Absent: it follows from the language.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'p str>,
}

impl<'p> Explained<'p> {
    fn new(parsed: &'p Parsed, judged: &'p Judgement, allows: &Allows<'_>) -> Self {
        let found = |finding: &'p Finding| Found {
            effect: finding.effect.word(),
            what: &finding.what,
            line: finding.line,
            reason: &finding.reason,
            rule: finding.rule.as_deref(),
        };
        Self {
            short: Short::new(parsed, judged),
            findings: judged.findings.iter().map(found).collect(),
            decisions: decided(judged, allows),
        }
    }
}

fn told(parsed: &Parsed, judged: &Judgement, allows: &Allows<'_>) -> String {
    let words: Vec<&str> = judged
        .effects()
        .iter()
        .map(|effect| effect.word())
        .collect();
    let mut lines = vec![format!("effects     {}", words.join(", "))];
    if !judged.understood {
        lines.push("understood  no: commands may be missing below".to_owned());
    }
    if parsed.commands.is_empty() {
        lines.push("commands    none".to_owned());
    }
    for finding in &judged.findings {
        let place = match &finding.rule {
            Some(rule) => format!("  ({})", one_line(rule)),
            None => String::new(),
        };
        lines.push(format!(
            "line {:<6} {}: {}, {}{place}",
            finding.line,
            one_line(&finding.what),
            finding.effect.word(),
            finding.reason,
        ));
    }
    for decided in decided(judged, allows) {
        let what = match decided.what.as_str() {
            "" => decided.effect.to_owned(),
            what => format!("{}, {}", decided.effect, one_line(what)),
        };
        lines.push(format!(
            "{:<11} {} ({what}): {}",
            decided.who,
            decided.decision,
            one_line(&decided.rule)
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_is_explained() {
        let catalog = Catalog::load(&[]);
        let reader = Reader {
            catalog: &catalog,
            module: None,
        };
        let (parsed, judged) =
            reader.read("Get-Mailbox |\n  Set-Mailbox -ForwardingSmtpAddress e@x.y; & $x");
        let allows = Allows {
            allowance: Allowance::default(),
            module: None,
            shut: None,
        };
        let mut text = told(&parsed, &judged, &allows);
        let whole = serde_json::to_string_pretty(&Explained::new(&parsed, &judged, &allows));
        text.push_str(&whole.expect("it is JSON"));
        insta::with_settings!({filters => vec![(r"effects\.yaml:\d+", "effects.yaml:N")]}, {
            insta::assert_snapshot!(text);
        });
    }
}
