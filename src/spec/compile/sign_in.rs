//! Signing in: commands, challenges, failures, identity. Shared rules come from `include` files in the same form.

use std::sync::Arc;

use super::command::Commands;
use super::effects::effects;
use super::needs::missing;
use super::text::pattern;
use crate::script::{
    ChallengeRule, Challenges, EffectRule, Failure, FailureRule, FailureTest, Holder, IdentityRule,
    Need, Partner, Pattern, Quoting, SignIn, WayIn,
};
use crate::spec::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::model::{
    ChallengeSpec, FailureSpec, HolderName, IdentitySpec, IncludeSpec, PartnerSpec, SignInSpec,
    WaySpec,
};
use crate::spec::parts::Written;
use crate::spec::source::{At, SourceFile};
use crate::spec::suggest;
use crate::spec::value::RegexText;

/// Challenges and failures: a module's own, or those of a file of shared rules, which may hold rules about commands, too.
#[derive(Debug, Clone, Default)]
pub(in crate::spec) struct Rules {
    pub(in crate::spec) challenges: Vec<ChallengeRule>,
    pub(in crate::spec) failures: Vec<FailureRule>,
    pub(in crate::spec) effects: Arc<[EffectRule]>,
}

/// The rules of a file of shared rules, or `None` with findings.
pub(in crate::spec) fn compile_include(
    spec: &IncludeSpec,
    file: &Arc<SourceFile>,
    findings: &mut Diagnostics,
) -> Option<Rules> {
    let sign_in = rules(
        Written {
            value: &spec.challenges,
            file,
        },
        Written {
            value: &spec.failures,
            file,
        },
        Some(&[]),
        findings,
    );
    let effects = effects(&spec.effects, file, &[], findings);
    sign_in.map(|rules| Rules {
        effects: effects.into(),
        ..rules
    })
}

/// How a module signs in, or `None` with findings. `quoting` is the shell's, where that is known; `shared` are the rules of the included files, in order. `needs` are all that the module and its shell have; `None` where they
/// are faulty, which is among the findings already.
pub(super) fn sign_in(
    part: Written<'_, SignInSpec>,
    quoting: Option<Quoting>,
    shared: &[Arc<Rules>],
    needs: Option<&[&Need]>,
    findings: &mut Diagnostics,
) -> Option<SignIn> {
    let own = rules(
        part.part(|s| &s.challenges),
        part.part(|s| &s.failures),
        needs,
        findings,
    );
    let spec = part.value;
    let mut commands = Commands {
        file: part.file,
        quoting,
        findings,
    };
    let ways: Vec<Option<WayIn>> = spec
        .ways
        .iter()
        .map(|spec| way(spec, &mut commands))
        .collect();
    let restore = spec.restore.as_ref().map(|text| commands.command(text));
    let identity = identity(&spec.identity, &mut commands);
    let proof = spec.proof.as_ref().map(|text| commands.command(text));
    let disconnect = spec.disconnect.as_ref().map(|text| commands.command(text));
    let clouds: Vec<_> = spec
        .clouds
        .0
        .iter()
        .map(|(cloud, text)| Some((cloud.value.0, commands.command(text)?)))
        .collect();
    let partner = spec
        .partner
        .as_ref()
        .map(|spec| partner(spec, &mut commands));

    let mut rules = own?;
    for included in shared {
        rules.challenges.extend(included.challenges.iter().cloned());
        rules.failures.extend(included.failures.iter().cloned());
    }
    let challenges = match Challenges::new(rules.challenges) {
        Ok(challenges) => challenges,
        Err(error) => {
            commands
                .findings
                .push(commands.error(&spec.identity.command, &error.to_string()));
            return None;
        }
    };
    Some(SignIn {
        ways: ways.into_iter().collect::<Option<_>>()?,
        challenges,
        failures: rules.failures,
        restore: optional(restore)?,
        identity: identity?,
        proof: optional(proof)?,
        disconnect: optional(disconnect)?,
        clouds: clouds.into_iter().collect::<Option<_>>()?,
        partner: optional(partner)?,
    })
}

/// What was not written is no fault; what was written and is faulty takes the whole with it.
#[expect(
    clippy::option_option,
    reason = "absent and faulty are two things, and each is an `Option`"
)]
fn optional<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    written.map_or(Some(None), |part| part.map(Some))
}

fn way(spec: &WaySpec, commands: &mut Commands<'_>) -> Option<WayIn> {
    let connect = commands.connect(&spec.connect);
    let options: Vec<_> = spec
        .options
        .iter()
        .map(|text| commands.option(text))
        .collect();
    let identity = spec.identity.as_ref().map(|spec| identity(spec, commands));
    let connect = connect?;
    if spec.holder == HolderName::Application && connect.holes().all(|hole| hole != "app_id") {
        commands.findings.push(
            commands
                .error(
                    &spec.connect,
                    "an application signs in, and nothing says which",
                )
                .help("name it: `{app_id}`; the identity is compared with it"),
        );
        return None;
    }
    Some(WayIn {
        name: spec.name.0.clone(),
        connect,
        options: options.into_iter().collect::<Option<_>>()?,
        within: spec.within.0,
        holder: match spec.holder {
            HolderName::User => Holder::User,
            HolderName::Application => Holder::Application,
            HolderName::ManagedIdentity => Holder::ManagedIdentity,
        },
        unattended: spec.unattended,
        identity: optional(identity)?,
    })
}

fn identity(spec: &IdentitySpec, commands: &mut Commands<'_>) -> Option<IdentityRule> {
    let text = spec
        .text
        .as_ref()
        .map(|text| identity_text(spec, text, commands));
    Some(IdentityRule {
        command: commands.command(&spec.command)?,
        text: optional(text)?,
        account: spec.account.0.clone(),
        tenant: spec.tenant.0.clone(),
        expires: spec.expires.as_ref().map(|path| path.0.clone()),
        require: spec
            .require
            .0
            .iter()
            .map(|(path, value)| (path.0.clone(), value.value.clone()))
            .collect(),
    })
}

/// The pattern that makes an object of an identity command's text. The properties that are asked for are its groups.
fn identity_text(
    spec: &IdentitySpec,
    text: &At<RegexText>,
    commands: &mut Commands<'_>,
) -> Option<Pattern> {
    let part = |value| Written {
        value,
        file: commands.file,
    };
    let pattern = pattern(part(text), &[], commands.findings)?;
    let groups: Vec<&str> = pattern.groups().collect();
    let asked = [
        Some(&spec.account),
        Some(&spec.tenant),
        spec.expires.as_ref(),
    ];
    let mut whole = true;
    for path in asked.into_iter().flatten() {
        if !groups.contains(&path.0.as_str()) {
            let message = format!("the pattern of `text` has no group `{}`", path.0);
            let help = suggest::help("groups", &path.0, &groups);
            let finding = Diagnostic::error(commands.file, path.span, message).help(help);
            commands.findings.push(finding);
            whole = false;
        }
    }
    whole.then_some(pattern)
}

fn partner(spec: &PartnerSpec, commands: &mut Commands<'_>) -> Option<Partner> {
    let add = commands.command(&spec.add);
    let proof = spec.proof.as_ref().map(|text| commands.command(text));
    let add = add?;
    if add.holes().all(|hole| hole != "delegated_organization") {
        commands.findings.push(
            commands
                .error(&spec.add, "nothing here says whose tenant it is")
                .help("name the customer: `{delegated_organization}`"),
        );
        return None;
    }
    Some(Partner {
        add,
        proof: optional(proof)?,
    })
}

fn rules(
    challenges: Written<'_, Vec<ChallengeSpec>>,
    failures: Written<'_, Vec<At<FailureSpec>>>,
    needs: Option<&[&Need]>,
    findings: &mut Diagnostics,
) -> Option<Rules> {
    let challenges: Vec<_> = challenges
        .value
        .iter()
        .map(|spec| {
            challenge(
                Written {
                    value: spec,
                    file: challenges.file,
                },
                findings,
            )
        })
        .collect();
    let failures: Vec<_> = failures
        .value
        .iter()
        .map(|spec| {
            failure(
                Written {
                    value: spec,
                    file: failures.file,
                },
                needs,
                findings,
            )
        })
        .collect();
    Some(Rules {
        challenges: challenges.into_iter().collect::<Option<_>>()?,
        failures: failures.into_iter().collect::<Option<_>>()?,
        effects: Arc::default(),
    })
}

fn challenge(
    part: Written<'_, ChallengeSpec>,
    findings: &mut Diagnostics,
) -> Option<ChallengeRule> {
    let text = part.part(|c| &c.pattern);
    let pattern = pattern(text, &["code", "url"], findings)?;
    let has = |group: &str| pattern.groups().any(|name| name == group);
    if !has("code") {
        findings.push(
            text.error(text.value.span, "a challenge without a code")
                .help("name the group that holds it: `(?<code>[A-Z0-9]{9})`"),
        );
        return None;
    }
    if !has("url") && part.value.assumed_url.is_none() {
        findings.push(
            text.error(text.value.span, "a challenge without a page")
                .help("name the group that holds it, `(?<url>https://\\S+)`, or give an `assumed_url`"),
        );
        return None;
    }
    let assumed_url = part.value.assumed_url.as_ref().map(|url| url.0.clone());
    Some(ChallengeRule {
        pattern,
        assumed_url,
    })
}

fn failure(
    part: Written<'_, At<FailureSpec>>,
    needs: Option<&[&Need]>,
    findings: &mut Diagnostics,
) -> Option<FailureRule> {
    let spec = &part.value.value;
    let test = match (&spec.aadsts, &spec.pattern) {
        (Some(numbers), None) if !numbers.is_empty() => {
            FailureTest::Aadsts(numbers.iter().map(|number| number.0).collect())
        }
        (None, Some(text)) => FailureTest::Pattern(pattern(part.part(|_| text), &[], findings)?),
        (Some(numbers), None) => {
            findings.push(
                part.error(numbers.span, "a failure without a number")
                    .help("name one number at least"),
            );
            return None;
        }
        _ => {
            findings.push(
                part.error(
                    part.value.span,
                    "a failure is recognised either by `aadsts` or by `pattern`",
                )
                .help("give one of the two"),
            );
            return None;
        }
    };
    let advice = match (&spec.advice, &spec.missing) {
        (Some(advice), None) => advice.0.clone(),
        (None, Some(name)) => missing(name, needs?, part.file, findings)?.missing_advice(),
        _ => {
            findings.push(
                part.error(
                    part.value.span,
                    "a failure says what to do either by `advice` or by `missing`",
                )
                .help("give one of the two"),
            );
            return None;
        }
    };
    let failure = Failure {
        name: spec.name.0.clone(),
        advice,
        retry: spec.retry,
    };
    Some(FailureRule {
        test,
        failure: Arc::new(failure),
    })
}
