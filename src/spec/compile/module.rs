//! A module out of its file, its shell and the shared rules that it includes.

use std::sync::Arc;

use super::effects::effects;
use super::needs::needs;
use super::quotes::outside_quotes;
use super::shell::{compile_shell, quoting};
use super::sign_in::{Rules, sign_in};
use super::text::{require_hole, template};
use crate::script::{EffectRule, Module, Need, Quoting, Shell};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::model::{ModuleSpec, ShellSpec};
use crate::spec::parts::{ShellParts, Written};
use crate::spec::source::SourceFile;
use crate::spec::validate;

/// A sound shell: compiled, and as it was written, because a module may override parts of it.
#[derive(Debug, Clone)]
pub(in crate::spec) struct ShellFile {
    pub(in crate::spec) file: Arc<SourceFile>,
    pub(in crate::spec) spec: Arc<ShellSpec>,
    pub(in crate::spec) shell: Arc<Shell>,
}

/// The module, or `None` with findings. Where `base` is `None` the reason is among the findings already; the rest of the
/// file is looked at all the same. `base_effects` are the rules about commands that hold for every module.
pub(in crate::spec) fn compile_module(
    written: Written<'_, ModuleSpec>,
    base: Option<&ShellFile>,
    shared: &[Arc<Rules>],
    base_effects: &[EffectRule],
    findings: &mut Diagnostics,
) -> Option<Module> {
    let spec = written.value;
    let shell = base.and_then(|base| overridden_shell(written, base, findings));
    let own_quoting = spec
        .overrides
        .as_ref()
        .and_then(|o| o.quoting.as_ref())
        .map(|name| quoting(name.value));
    let quoting = own_quoting.or_else(|| base.map(|base| base.shell.quoting));
    let quoted = quoting != Some(Quoting::Plain);

    let run = written.optional(|m| &m.run).map(|text| {
        let run = template(text, &["command"], findings)?;
        let sound = require_hole(
            text,
            &run,
            "command",
            "it is where a person's command stands",
            findings,
        );
        if !quoted {
            findings.push(
                text.error(
                    text.value.span,
                    "a person's command would stand here unquoted",
                )
                .help("the shell's `quoting` is `plain`: override it, or leave `run` out"),
            );
        }
        let outside = quoting.is_none_or(|quoting| outside_quotes(text, &run, quoting, findings));
        (sound && quoted && outside).then_some(run)
    });
    let base_needs = base.map_or(&[][..], |base| base.shell.needs.as_slice());
    let needs = needs(written.part(|m| &m.needs), base_needs, findings);
    let all_needs: Option<Vec<&Need>> = needs
        .as_ref()
        .map(|own| own.iter().chain(base_needs).collect());
    let sign_in = written
        .optional(|m| &m.sign_in)
        .map(|part| sign_in(part, quoting, shared, all_needs.as_deref(), findings));

    let effects = effects(&spec.effects, written.file, base_effects, findings);

    let shell_notes = base
        .map(|base| base.spec.notes.as_slice())
        .unwrap_or_default();
    Some(Module {
        name: spec.module.0.clone(),
        title: spec.title.0.clone(),
        aliases: spec.aliases.iter().map(|alias| alias.0.clone()).collect(),
        shell: shell?,
        needs: needs?,
        run: run.map_or(Some(None), |run| run.map(Some))?,
        sign_in: sign_in.map_or(Some(None), |sign_in| sign_in.map(Some))?,
        effects: effects.into(),
        notes: spec
            .notes
            .iter()
            .chain(shell_notes)
            .map(|note| note.0.clone())
            .collect(),
    })
}

/// The shell with the module's overrides in it; the shell itself where there are none.
fn overridden_shell(
    written: Written<'_, ModuleSpec>,
    base: &ShellFile,
    findings: &mut Diagnostics,
) -> Option<Arc<Shell>> {
    let Some(overrides) = written.optional(|m| &m.overrides) else {
        return Some(Arc::clone(&base.shell));
    };
    let parts = ShellParts::of(Written {
        value: &base.spec,
        file: &base.file,
    })
    .overridden(overrides.part(|o| &o.value));
    let mut own = Diagnostics::default();
    validate::shell(&parts, &mut own);
    let shell = compile_shell(&parts, &mut own);
    let sound = !own.has_errors();
    for finding in own.iter() {
        if Arc::ptr_eq(&finding.file, written.file) {
            findings.push(finding.clone());
        } else if finding.is_error() {
            // The shell alone is sound, so these overrides are what it does not go with. Its warnings are its own.
            let place = finding.span.unwrap_or_default();
            let (line, _) = finding.file.position(place.start);
            findings.push(
                overrides
                    .error(
                        overrides.value.span,
                        "the shell is not sound with these overrides",
                    )
                    .help(format!(
                        "{}, line {line}: {}",
                        finding.file.origin, finding.message
                    )),
            );
        }
    }
    shell.filter(|_| sound).map(Arc::new)
}
