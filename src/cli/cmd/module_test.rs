//! `mm modules test`: recordings of a module played against its file. What the machine made of each is compared with a text
//! beside it, which a person accepted once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::Regex;

use crate::cli::diff;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::expect::{Mode, identity_of, objects_in, why_failed};
use crate::recording::Recording;
use crate::replay::{self, Played};
use crate::script::{EndState, Module, SignIn, Template};
use crate::spec::{Catalog, Origin};

/// Tests one module, or all that have recordings: the files `NAME-*.cast` of `folder`, else of the folder `recordings`
/// beside the module's own file. `update` accepts what came out.
pub(crate) fn test(
    catalog: &Catalog,
    only: Option<&str>,
    folder: Option<&Path>,
    update: bool,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let only = only
        .map(|name| {
            catalog.module(name).map_err(|error| CliError::Spec {
                message: error.to_string(),
                help: Some(error.help()),
            })
        })
        .transpose()?;
    let (mut passed, mut failed) = (0, 0);
    for listing in catalog.modules() {
        let Some(module) = listing.value else {
            continue;
        };
        if only.as_ref().is_some_and(|only| only.name != module.name) {
            continue;
        }
        let beside = match listing.origin {
            Origin::Path(path) => path.parent().map(|folder| folder.join("recordings")),
            Origin::Builtin(_) => None,
        };
        let Some(folder) = folder.map(Path::to_owned).or(beside) else {
            continue;
        };
        for cast in recordings(&folder, module)? {
            if one(&cast, module, update, screen)? {
                passed += 1;
            } else {
                failed += 1;
            }
        }
    }
    if passed + failed == 0 {
        return Err(CliError::usage(
            "there is no recording to play",
            "put recordings into the folder `recordings` beside the module's file, each named MODULE-CASE.cast, or name their folder with --recordings",
        ));
    }
    screen.text(&format!("{passed} passed, {failed} failed"))?;
    Ok(if failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn io_error(path: &Path) -> impl Fn(std::io::Error) -> CliError {
    let what = path.display().to_string();
    move |source| CliError::Io {
        what: what.clone(),
        source,
    }
}

/// The module's recordings, by name.
fn recordings(folder: &Path, module: &Module) -> Result<Vec<PathBuf>, CliError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_error(folder))?,
    };
    let begin = format!("{}-", module.name);
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(&begin) && name.ends_with(".cast") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Plays one recording and says whether it is as it was accepted.
fn one(cast: &Path, module: &Module, update: bool, screen: &mut Screen) -> Result<bool, CliError> {
    let recording =
        Recording::open(cast).map_err(|error| CliError::usage(error.to_string(), error.help()))?;
    let now = transcript(&recording, module);
    let accepted = cast.with_extension("txt");
    let name = cast.file_stem().unwrap_or_default().to_string_lossy();
    let before = match std::fs::read_to_string(&accepted) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(io_error(&accepted)(error)),
    };
    if before.as_ref() == Some(&now) {
        screen.text(&format!("ok      {name}"))?;
        return Ok(true);
    }
    if update {
        std::fs::write(&accepted, &now).map_err(io_error(&accepted))?;
        screen.text(&format!("written {name}"))?;
        return Ok(true);
    }
    if let Some(before) = before {
        screen.text(&format!("FAILED  {name}"))?;
        screen.text(&diff::lines(&before, &now))?;
        screen.note("`-` was accepted, `+` came now; `mm modules test --update` accepts it");
    } else {
        screen.text(&format!("NEW     {name}"))?;
        screen.text(&now)?;
        screen.note("nobody has accepted this yet; `mm modules test --update` does");
    }
    Ok(false)
}

/// What the machine made of a recording, in words.
fn transcript(recording: &Recording, module: &Module) -> String {
    let rules = module.sign_in.as_ref().map(|rules| Arc::new(rules.clone()));
    let played = replay::play(recording, &module.shell, rules.as_ref());
    let mut lines = Vec::new();
    for command in &played {
        tell(command, rules.as_deref(), &mut lines);
    }
    lines.join("\n") + "\n"
}

fn tell(played: &Played, rules: Option<&SignIn>, lines: &mut Vec<String>) {
    let role = rules.and_then(|rules| role(&played.command, rules));
    let state = played.state.map_or("no end", EndState::name);
    let mode = match played.mode {
        Mode::Text => "text",
        Mode::Records => "records",
    };
    lines.push(format!("{}: {}", role.unwrap_or("run"), played.command));
    let exit = played
        .exit
        .map_or(String::new(), |exit| format!(", exit {exit}"));
    lines.push(format!("  {mode}, {state}{exit}"));
    if let Some(challenge) = &played.challenge {
        let page = &challenge.verification_uri;
        lines.push(format!("  code {} at {page}", challenge.user_code));
    }
    if let Some(question) = &played.question {
        lines.push(format!(
            "  asks: {}",
            question.text.replace(['\r', '\n'], " ")
        ));
    }
    match (role, rules) {
        (Some("connect"), Some(rules)) if played.state != Some(EndState::Ok) => {
            let failure = why_failed(rules, &played.errors, &played.output).failure;
            lines.push(format!("  failure {}: {}", failure.name, failure.advice));
        }
        (Some("identity"), Some(rules)) => {
            let objects = match played.mode {
                Mode::Records => played.objects(),
                Mode::Text => objects_in(&played.output, rules.identity.text.as_ref()),
            };
            lines.push(match identity_of(&rules.identity, &objects) {
                Ok(who) => {
                    let until = who
                        .expires
                        .map_or(String::new(), |at| format!(", until {at}"));
                    format!("  {} of {}{until}", who.account, who.tenant)
                }
                Err(why) => format!("  nobody: {why}"),
            });
        }
        _ => {}
    }
    for error in &played.errors {
        lines.push(format!(
            "  error: {}",
            error.message.replace(['\r', '\n'], " ")
        ));
    }
    let text = String::from_utf8_lossy(&played.output);
    lines.extend(
        text.lines()
            .map(|line| format!("  | {line}").trim_end().to_owned()),
    );
    lines.extend(
        played
            .objects()
            .iter()
            .map(|object| format!("  object {object}")),
    );
    lines.extend(
        played
            .console()
            .iter()
            .map(|line| format!("  console {line}").trim_end().to_owned()),
    );
}

/// What a recorded command is to the module. A recording need not quote values as the module does, and its connect command
/// may have other parameters.
fn role(command: &str, rules: &SignIn) -> Option<&'static str> {
    let is = |template: &Template| {
        let text = template.expression(|_| ".{0,100}?");
        Regex::new(&format!(r"(?s)\A{text}\z"))
            .is_ok_and(|text| text.is_match(command) || text.is_match(&command.replace('\'', "")))
    };
    // A cmdlet, or a program and its words.
    let words = |text: &str| -> Vec<String> {
        let words = text.split_whitespace();
        let words = words.take_while(|word| !word.starts_with('-'));
        words.map(str::to_lowercase).collect()
    };
    if is(&rules.identity.command) {
        return Some("identity");
    }
    if rules.proof.as_ref().is_some_and(is) {
        return Some("proof");
    }
    if rules.disconnect.as_ref().is_some_and(is) {
        return Some("disconnect");
    }
    if rules.restore.as_ref().is_some_and(is) {
        return Some("restore");
    }
    let connects = rules.ways.iter().any(|way| {
        let begin = way.connect.expression(|_| "");
        words(&begin.replace('\\', "")) == words(command)
    });
    (connects || rules.ways.iter().any(|way| is(&way.connect))).then_some("connect")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every recording that is named after a built-in module, against that module's file.
    #[test]
    fn the_built_in_modules_fit_their_recordings() {
        let catalog = Catalog::load(&[]);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings");
        let folders = ["pwsh", "az", "m365"].map(|name| root.join(name));
        let mut played = 0;
        for module in catalog.modules().filter_map(|listing| listing.value) {
            let casts = folders.iter().flat_map(|folder| {
                assert!(folder.is_dir(), "{}", folder.display());
                recordings(folder, module).expect("it can be read")
            });
            for cast in casts {
                let recording = Recording::open(&cast).expect("it is a recording");
                let name = cast
                    .file_stem()
                    .expect("it has a name")
                    .to_string_lossy()
                    .into_owned();
                insta::with_settings!({ snapshot_suffix => name, prepend_module_to_snapshot => false, omit_expression => true }, {
                    insta::assert_snapshot!("played", transcript(&recording, module));
                });
                played += 1;
            }
        }
        assert_eq!(played, 23);
    }
}
