//! A shell out of its parts.

use std::time::Duration;

use super::markers::markers;
use super::needs::needs;
use super::text::{pattern, require_hole, template};
use crate::script::{
    Absorb, Bootstrap, BootstrapEncoding, Chunk, ChunkEncoding, EndState, Environment, Framing,
    Interrupt, Query, QuestionKind, QuestionRule, Quoting, Ready, Records, Shell, Start, Stream,
    Template, TerminalSettings,
};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::model::{
    BootstrapEncodingName, BootstrapSpec, CommandEncodingName, EnvironmentSpec, FrameSpec,
    InterruptSpec, QuestionKindName, QuestionSpec, QuotingName, ReadySpec, StartSpec, StateName,
    StreamName, TerminalSpec,
};
use crate::spec::parts::{ShellParts, Written};
use crate::spec::source::At;
use crate::spec::value::Entries;

/// How long a program may take to be ready where its file does not say.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// When an interrupt is given up where the file does not say.
const GIVE_UP_AFTER: Duration = Duration::from_secs(2);

/// The shell, or `None` with findings. Reads the bootstrap's file, so it may block.
pub(in crate::spec) fn compile_shell(
    parts: &ShellParts<'_>,
    findings: &mut Diagnostics,
) -> Option<Shell> {
    let needs = needs(parts.needs, &[], findings);
    let start = start(parts.start, findings);
    let environment = environment(&parts.environment, findings);
    let bootstrap = parts.bootstrap.map(|part| bootstrap(part, findings));
    let framing = framing(parts.frame, findings);
    let markers = markers(parts.markers, findings);
    let questions = questions(parts.questions, findings);
    Some(Shell {
        name: parts.name.clone(),
        title: parts.title.to_owned(),
        needs: needs?,
        start: start?,
        environment: environment?,
        terminal: terminal(parts.terminal.map(|part| part.value)),
        bootstrap: bootstrap.map_or(Some(None), |bootstrap| bootstrap.map(Some))?,
        ready: ready(parts.ready.map(|part| part.value)),
        framing: framing?,
        markers: markers?,
        states: parts
            .states
            .map(|part| entries(part.value, state))
            .unwrap_or_default(),
        records: parts.records.map(|part| Records {
            tags: entries(part.value, stream),
        }),
        interrupt: interrupt(parts.interrupt.map(|part| part.value)),
        questions: questions?,
        queries: parts
            .queries
            .value
            .iter()
            .map(|query| Query {
                ask: query.ask.0.clone(),
                reply: query.reply.0.clone(),
            })
            .collect(),
        echoes_answers: parts.echoes_answers.is_some_and(|part| part.value.value),
        quoting: quoting(parts.quoting.value.value),
    })
}

fn start(part: Written<'_, StartSpec>, findings: &mut Diagnostics) -> Option<Start> {
    let arguments: Vec<Option<Template>> = part
        .value
        .arguments
        .iter()
        .map(|text| template(part.part(|_| text), &["bootstrap", "home"], findings))
        .collect();
    Some(Start {
        program: part.value.program.0.clone(),
        arguments: arguments.into_iter().collect::<Option<_>>()?,
    })
}

fn environment(
    parts: &[Written<'_, EnvironmentSpec>],
    findings: &mut Diagnostics,
) -> Option<Environment> {
    let mut set: Vec<(String, Template)> = Vec::new();
    let mut keep: Vec<String> = Vec::new();
    let mut private_home = true;
    let mut sound = true;
    for part in parts {
        private_home = part.value.private_home.unwrap_or(private_home);
        for (name, text) in &part.value.set.0 {
            let Some(value) = template(
                part.part(|_| text),
                &["bootstrap", "home", "real_home"],
                findings,
            ) else {
                sound = false;
                continue;
            };
            keep.retain(|kept| *kept != name.0);
            set.retain(|(known, _)| *known != name.0);
            set.push((name.0.clone(), value));
        }
        for name in &part.value.keep {
            set.retain(|(known, _)| *known != name.0);
            if !keep.contains(&name.0) {
                keep.push(name.0.clone());
            }
        }
    }
    sound.then_some(Environment {
        set,
        keep,
        private_home,
    })
}

fn bootstrap(
    part: Written<'_, At<BootstrapSpec>>,
    findings: &mut Diagnostics,
) -> Option<Bootstrap> {
    let spec = &part.value.value;
    let text = match (&spec.file, &spec.text) {
        (None, Some(text)) => text.value.clone(),
        (Some(name), None) => match part.file.read_beside(&name.0) {
            Ok(text) => text,
            Err(error) => {
                findings.push(
                    part.error(name.span, format!("the file `{}` cannot be read", name.0))
                        .label(error.to_string())
                        .help("it has to lie in the same folder as this file"),
                );
                return None;
            }
        },
        _ => {
            findings.push(
                part.error(
                    part.value.span,
                    "a bootstrap is either a `file` or a `text`",
                )
                .help("give one of the two"),
            );
            return None;
        }
    };
    let encoding = match spec.encoding {
        BootstrapEncodingName::Plain => BootstrapEncoding::Plain,
        BootstrapEncodingName::Utf16Base64 => BootstrapEncoding::Utf16Base64,
    };
    Some(Bootstrap { text, encoding })
}

fn terminal(spec: Option<&TerminalSpec>) -> TerminalSettings {
    TerminalSettings {
        columns: spec
            .and_then(|s| s.columns.as_ref())
            .map_or(240, |size| size.0),
        rows: spec.and_then(|s| s.rows.as_ref()).map_or(50, |size| size.0),
        echo: spec.is_some_and(|s| s.echo),
        canonical: spec.is_some_and(|s| s.canonical),
        map_cr_to_lf: spec.is_some_and(|s| s.map_cr_to_lf),
        signals: spec.and_then(|s| s.signals).unwrap_or(true),
        flush_on_signal: spec.is_some_and(|s| s.flush_on_signal),
        restore: spec.is_some_and(|s| s.restore),
    }
}

fn ready(spec: Option<&ReadySpec>) -> Ready {
    Ready {
        nonce: spec
            .and_then(|s| s.nonce.as_ref())
            .map(|nonce| nonce.0.clone()),
        within: spec
            .and_then(|s| s.within.as_ref())
            .map_or(READY_WITHIN, |within| within.0),
        advice: spec
            .and_then(|s| s.advice.as_ref())
            .map(|advice| advice.0.clone()),
    }
}

fn framing(part: Written<'_, FrameSpec>, findings: &mut Diagnostics) -> Option<Framing> {
    const HOLES: [&str; 5] = ["nonce", "length", "mode", "depth", "command"];
    let spec = part.value;
    let open = part
        .optional(|f| &f.open)
        .map(|text| template(text, &HOLES, findings));
    let close_text = part.part(|f| &f.close);
    let close = template(close_text, &HOLES, findings);
    let chunk = part.optional(|f| &f.chunk).map(|chunk| {
        let text = chunk.part(|c| &c.line);
        let line = template(text, &["chunk"], findings)?;
        require_hole(
            text,
            &line,
            "chunk",
            "it is where a piece of the command stands",
            findings,
        )
        .then(|| Chunk {
            size: usize::from(chunk.value.size.0),
            line,
        })
    });
    let open = match open {
        Some(open) => open?,
        None => Template::parse("", &[]).ok()?,
    };
    let close = close?;
    let has = |hole: &str| open.holes().chain(close.holes()).any(|name| name == hole);

    let mut sound = true;
    if !has("nonce") {
        sound = require_hole(
            close_text,
            &close,
            "nonce",
            "the program has to know which command it answers",
            findings,
        );
    }
    if spec.chunk.is_none() && !has("command") {
        sound = false;
        findings.push(
            part.error(spec.close.span, "the frame never carries the command")
                .help("give a `chunk`, or put `{command}` into `open` or `close`"),
        );
    }
    if spec.chunk.is_some() && has("command") {
        sound = false;
        findings.push(
            part.error(spec.close.span, "the frame carries the command twice")
                .help("with a `chunk`, leave `{command}` out"),
        );
    }
    let chunk = chunk.map_or(Some(None), |chunk| chunk.map(Some))?;
    let encoding = match spec.encoding {
        CommandEncodingName::Plain => ChunkEncoding::Plain,
        CommandEncodingName::Base64 => ChunkEncoding::Base64,
        CommandEncodingName::Octal => ChunkEncoding::Octal,
    };
    sound.then_some(Framing {
        open,
        encoding,
        chunk,
        close,
        nul: spec.nul,
    })
}

fn entries<N: Copy, M>(written: &Entries<String, N>, meaning: impl Fn(N) -> M) -> Vec<(String, M)> {
    written
        .0
        .iter()
        .map(|(key, value)| (key.value.clone(), meaning(value.value)))
        .collect()
}

fn interrupt(spec: Option<&InterruptSpec>) -> Interrupt {
    Interrupt {
        send: spec
            .and_then(|s| s.send.as_ref())
            .map_or_else(|| vec![3], |send| send.0.clone()),
        after_begin: spec
            .and_then(|s| s.after_begin.as_ref())
            .map(|after| after.0),
        again_after: spec
            .and_then(|s| s.again_after.as_ref())
            .map(|after| after.0),
        give_up_after: spec
            .and_then(|s| s.give_up_after.as_ref())
            .map_or(GIVE_UP_AFTER, |after| after.0),
        absorb: spec.and_then(|s| s.absorb.as_ref()).map(|absorb| Absorb {
            after: absorb.after.0,
            command: absorb.command.0.clone(),
        }),
    }
}

fn questions(
    part: Written<'_, Vec<QuestionSpec>>,
    findings: &mut Diagnostics,
) -> Option<Vec<QuestionRule>> {
    let rules: Vec<Option<QuestionRule>> = part
        .value
        .iter()
        .map(|question| {
            let pattern = pattern(
                part.part(|_| &question.pattern),
                &["text", "default", "choices"],
                findings,
            )?;
            Some(QuestionRule {
                kind: question_kind(question.kind),
                pattern,
            })
        })
        .collect();
    rules.into_iter().collect()
}

/// The quoting that a name means.
pub(super) fn quoting(name: QuotingName) -> Quoting {
    match name {
        QuotingName::Plain => Quoting::Plain,
        QuotingName::Powershell => Quoting::PowerShell,
        QuotingName::Posix => Quoting::Posix,
    }
}

fn question_kind(name: QuestionKindName) -> QuestionKind {
    match name {
        QuestionKindName::Confirm => QuestionKind::Confirm,
        QuestionKindName::Choice => QuestionKind::Choice,
        QuestionKindName::Text => QuestionKind::Text,
        QuestionKindName::Secret => QuestionKind::Secret,
        QuestionKindName::Parameter => QuestionKind::Parameter,
    }
}

fn state(name: StateName) -> EndState {
    match name {
        StateName::Ok => EndState::Ok,
        StateName::Failed => EndState::Failed,
        StateName::Aborted => EndState::Aborted,
        StateName::Parse => EndState::Parse,
        StateName::Garbled => EndState::Garbled,
        StateName::Unstarted => EndState::Unstarted,
    }
}

fn stream(name: StreamName) -> Stream {
    match name {
        StreamName::Output => Stream::Output,
        StreamName::Error => Stream::Error,
        StreamName::Warning => Stream::Warning,
        StreamName::Verbose => Stream::Verbose,
        StreamName::Debug => Stream::Debug,
        StreamName::Information => Stream::Information,
    }
}
