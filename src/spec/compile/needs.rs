//! What has to be installed, out of the `needs` of a module or a shell.

use super::text::pattern;
use crate::script::{BadVersions, Need, Needed, Pattern, Version, VersionSource};
use crate::spec::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::model::{BadVersionsSpec, NeedSpec, VersionSpec};
use crate::spec::parts::Written;
use crate::spec::source::{At, SourceFile, Span};
use crate::spec::suggest;
use crate::spec::value::{RegexText, VersionText};

/// The needs, or `None` with findings. `base` are those of the module's shell, to which a `with` may refer.
pub(super) fn needs(
    part: Written<'_, Vec<At<NeedSpec>>>,
    base: &[Need],
    findings: &mut Diagnostics,
) -> Option<Vec<Need>> {
    let mut made: Vec<Need> = Vec::new();
    let mut whole = true;
    for spec in part.value {
        let mut context = Context {
            file: part.file,
            findings,
        };
        match context.need(spec) {
            Some(need) if made.iter().any(|other| other.name() == need.name()) => {
                whole = false;
                context.fault(
                    spec.span,
                    format!("`{}` is needed already", need.name()),
                    "say all about it in one place",
                );
            }
            Some(need) => made.push(need),
            None => whole = false,
        }
    }
    let versioned = |need: &&Need| {
        matches!(
            need.what,
            Needed::Program {
                version: Some(_),
                ..
            }
        )
    };
    let all = made.iter().chain(base).filter(versioned);
    let known: Vec<&str> = all.map(Need::name).collect();
    let withs = part.value.iter().flat_map(|need| &need.bad);
    for with in withs.filter_map(|bad| bad.with.as_ref()) {
        let name = with.program.0.as_str();
        if !known.contains(&name) {
            whole = false;
            let message = format!("no program `{name}` is needed whose version is found");
            let help = suggest::help("the programs", name, &known);
            let finding = Diagnostic::error(part.file, with.program.span, message).help(help);
            findings.push(finding);
        }
    }
    whole.then_some(made)
}

/// The need that a failure's `missing` names.
pub(super) fn missing<'n>(
    name: &At<crate::spec::value::Text>,
    needs: &[&'n Need],
    file: &std::sync::Arc<SourceFile>,
    findings: &mut Diagnostics,
) -> Option<&'n Need> {
    let found = needs.iter().copied().find(|need| need.name() == name.0);
    if found.is_none() {
        let known: Vec<&str> = needs.iter().map(|need| need.name()).collect();
        let message = format!("nothing called `{}` is needed", name.0);
        let help = if known.is_empty() {
            "say under `needs` what has to be installed, or give `advice`".to_owned()
        } else {
            suggest::help("the needs", &name.0, &known)
        };
        findings.push(Diagnostic::error(file, name.span, message).help(help));
    }
    found
}

struct Context<'a> {
    file: &'a std::sync::Arc<SourceFile>,
    findings: &'a mut Diagnostics,
}

impl Context<'_> {
    fn fault(&mut self, span: Span, message: impl Into<String>, help: &str) {
        let finding = Diagnostic::error(self.file, span, message).help(help);
        self.findings.push(finding);
    }

    fn need(&mut self, spec: &At<NeedSpec>) -> Option<Need> {
        let what = self.what(spec);
        let mut sound = true;
        if let (Some(oldest), Some(tried)) = (&spec.at_least, &spec.tried)
            && tried.0 < oldest.0
        {
            sound = false;
            let message = "the version that was tried is older than the oldest that works";
            self.fault(tried.span, message, "correct `at_least`, or `tried`");
        }
        let bad: Vec<_> = spec.bad.iter().map(|bad| self.bad(bad, spec)).collect();
        let bad: Option<Vec<_>> = bad.into_iter().collect();
        let text =
            |text: &Option<At<crate::spec::value::Text>>| text.as_ref().map(|text| text.0.clone());
        Some(Need {
            what: what.filter(|_| sound)?,
            install: spec.install.0.clone(),
            update: text(&spec.update),
            at_least: version(spec.at_least.as_ref()),
            tried: version(spec.tried.as_ref()),
            bad: bad?,
            only_one: text(&spec.only_one),
        })
    }

    fn what(&mut self, spec: &At<NeedSpec>) -> Option<Needed> {
        match (&spec.program, &spec.powershell_module) {
            (Some(program), None) => {
                if let Some(only_one) = &spec.only_one {
                    self.fault(
                        only_one.span,
                        "of a program the first on the PATH is the only one",
                        "`only_one` is for PowerShell modules: leave it out",
                    );
                    return None;
                }
                let version = spec.version.as_ref().map(|version| self.version(version));
                let judged = spec.at_least.as_ref().map(|oldest| oldest.span);
                let judged = judged.or_else(|| spec.bad.first().map(|bad| bad.span));
                if let (Some(span), None) = (judged, &version) {
                    self.fault(
                        span,
                        "nothing says how the program's version is found",
                        "`version: {ask: [--version]}`, or `names` or `file` where starting it is too slow",
                    );
                    return None;
                }
                Some(Needed::Program {
                    name: program.0.clone(),
                    version: version.map_or(Some(None), |version| version.map(Some))?,
                })
            }
            (None, Some(module)) => {
                if let Some(version) = &spec.version {
                    self.fault(
                        version.span,
                        "the version of a PowerShell module is the name of its folder",
                        "leave `version` out",
                    );
                    return None;
                }
                Some(Needed::PowerShellModule(module.0.clone()))
            }
            _ => {
                self.fault(
                    spec.span,
                    "what is needed is either a `program` or a `powershell_module`",
                    "give one of the two",
                );
                None
            }
        }
    }

    fn version(&mut self, spec: &At<VersionSpec>) -> Option<VersionSource> {
        let pattern = spec.pattern.as_ref().map(|text| self.pattern(text));
        let pattern = pattern.map_or(Some(None), |pattern| pattern.map(Some))?;
        match (spec.names.as_slice(), &spec.file, &spec.ask) {
            (names @ [_, ..], None, None) => {
                if let Some(text) = &spec.pattern {
                    self.fault(
                        text.span,
                        "the version in a name is its first numbers with dots between them",
                        "leave `pattern` out: it is for `file` and `ask`",
                    );
                    return None;
                }
                let names = names.iter().map(|name| name.0.clone()).collect();
                Some(VersionSource::Names(names))
            }
            ([], Some(file), None) => Some(VersionSource::File {
                path: file.0.clone(),
                pattern,
            }),
            ([], None, Some(arguments)) => Some(VersionSource::Ask {
                arguments: arguments.iter().map(|one| one.value.clone()).collect(),
                pattern,
            }),
            _ => {
                self.fault(
                    spec.span,
                    "a version is found by `names`, by `file` or by `ask`",
                    "give one of the three",
                );
                None
            }
        }
    }

    fn pattern(&mut self, text: &At<RegexText>) -> Option<Pattern> {
        let written = Written {
            value: text,
            file: self.file,
        };
        let pattern = pattern(written, &["version"], self.findings)?;
        if pattern.groups().next().is_none() {
            self.fault(
                text.span,
                "a pattern without a version",
                "name the group that holds it: `(?<version>[0-9.]+)`",
            );
            return None;
        }
        Some(pattern)
    }

    fn bad(&mut self, spec: &At<BadVersionsSpec>, of: &NeedSpec) -> Option<BadVersions> {
        match (&spec.from, &spec.below) {
            (None, None) if spec.with.is_none() => {
                self.fault(
                    spec.span,
                    "these are all versions that there are",
                    "say which are bad: `from`, `below`, or both",
                );
                return None;
            }
            (Some(from), Some(below)) if from.0 >= below.0 => {
                let message = format!(
                    "no version is both {} or later and before {}",
                    from.0, below.0
                );
                self.fault(below.span, message, "`below` is the first that works again");
                return None;
            }
            _ => {}
        }
        let advice = spec.advice.as_ref().or(of.update.as_ref());
        let advice = advice.unwrap_or(&of.install);
        Some(BadVersions {
            from: version(spec.from.as_ref()),
            below: version(spec.below.as_ref()),
            with: spec
                .with
                .as_ref()
                .map(|with| (with.program.0.clone(), with.below.0.clone())),
            why: spec.why.0.clone(),
            advice: advice.0.clone(),
            doubt: spec.doubt,
        })
    }
}

fn version(text: Option<&At<VersionText>>) -> Option<Version> {
    text.map(|text| text.0.clone())
}
