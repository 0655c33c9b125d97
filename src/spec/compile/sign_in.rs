//! Signing in: commands, challenges, failures, identity. Shared rules come from `include` files in the same form.

use std::sync::Arc;

use super::effects::effects;
use super::text::{pattern, template};
use crate::script::{
    ChallengeRule, Challenges, EffectRule, Failure, FailureRule, FailureTest, IdentityRule, SignIn,
    Template, WayIn,
};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::model::{ChallengeSpec, FailureSpec, IncludeSpec, SignInSpec};
use crate::spec::parts::Written;
use crate::spec::source::{At, SourceFile};

/// What a connection fills into a command.
const HOLES: [&str; 5] = [
    "tenant",
    "tenant_id",
    "sharepoint_host",
    "app_id",
    "expected_email",
];

/// Challenges and failures: a module's own, or those of a file of shared rules, which may hold rules about commands, too.
#[derive(Debug, Clone, Default)]
pub(in crate::spec) struct Rules {
    pub(in crate::spec) challenges: Vec<ChallengeRule>,
    pub(in crate::spec) failures: Vec<FailureRule>,
    pub(in crate::spec) effects: Vec<EffectRule>,
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
        findings,
    );
    let effects = effects(&spec.effects, file, &[], findings);
    sign_in.map(|rules| Rules { effects, ..rules })
}

/// How a module signs in, or `None` with findings. `quoted` is false where the shell writes values as they are; `shared`
/// are the rules of the included files, in order.
pub(super) fn sign_in(
    part: Written<'_, SignInSpec>,
    quoted: bool,
    shared: &[Arc<Rules>],
    findings: &mut Diagnostics,
) -> Option<SignIn> {
    let own = rules(
        part.part(|s| &s.challenges),
        part.part(|s| &s.failures),
        findings,
    );
    let mut command = |text: &At<String>| {
        command(
            Written {
                value: text,
                file: part.file,
            },
            quoted,
            findings,
        )
    };
    let spec = part.value;
    let ways: Vec<Option<WayIn>> = spec
        .ways
        .iter()
        .map(|way| {
            let connect = command(&way.connect)?;
            Some(WayIn {
                name: way.name.0.clone(),
                connect,
                within: way.within.0,
            })
        })
        .collect();
    let restore = spec.restore.as_ref().map(&mut command);
    let identity = command(&spec.identity.command);
    let proof = spec.proof.as_ref().map(&mut command);
    let disconnect = spec.disconnect.as_ref().map(&mut command);

    let text = spec
        .identity
        .text
        .as_ref()
        .map(|text| pattern(part.part(|_| text), &[], findings));

    let mut rules = own?;
    for included in shared {
        rules.challenges.extend(included.challenges.iter().cloned());
        rules.failures.extend(included.failures.iter().cloned());
    }
    let identity = IdentityRule {
        command: identity?,
        text: text.map_or(Some(None), |text| text.map(Some))?,
        account: spec.identity.account.0.clone(),
        tenant: spec.identity.tenant.0.clone(),
        expires: spec.identity.expires.as_ref().map(|path| path.0.clone()),
        require: spec
            .identity
            .require
            .0
            .iter()
            .map(|(path, value)| (path.0.clone(), value.value.clone()))
            .collect(),
    };
    let challenges = Challenges::new(rules.challenges)
        .map_err(|error| {
            let at = &spec.identity.command;
            findings.push(
                Written {
                    value: at,
                    file: part.file,
                }
                .error(at.span, error.to_string()),
            );
        })
        .ok()?;
    Some(SignIn {
        ways: ways.into_iter().collect::<Option<_>>()?,
        challenges,
        failures: rules.failures,
        restore: restore.map_or(Some(None), |restore| restore.map(Some))?,
        identity,
        proof: proof.map_or(Some(None), |proof| proof.map(Some))?,
        disconnect: disconnect.map_or(Some(None), |disconnect| disconnect.map(Some))?,
    })
}

fn command(
    text: Written<'_, At<String>>,
    quoted: bool,
    findings: &mut Diagnostics,
) -> Option<Template> {
    let span = text.value.span;
    if text.value.trim().is_empty() {
        findings.push(text.error(span, "the command is empty"));
        return None;
    }
    let template = template(text, &HOLES, findings)?;
    if !quoted && template.holes().next().is_some() {
        findings.push(
            text.error(
                span,
                "a value of the connection would stand in the command unquoted",
            )
            .help("the shell's `quoting` is `plain`: override it, or leave the holes out"),
        );
        return None;
    }
    Some(template)
}

fn rules(
    challenges: Written<'_, Vec<ChallengeSpec>>,
    failures: Written<'_, Vec<At<FailureSpec>>>,
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
                findings,
            )
        })
        .collect();
    Some(Rules {
        challenges: challenges.into_iter().collect::<Option<_>>()?,
        failures: failures.into_iter().collect::<Option<_>>()?,
        effects: Vec::new(),
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

fn failure(part: Written<'_, At<FailureSpec>>, findings: &mut Diagnostics) -> Option<FailureRule> {
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
    let failure = Failure {
        name: spec.name.0.clone(),
        advice: spec.advice.0.clone(),
        retry: spec.retry,
    };
    Some(FailureRule {
        test,
        failure: Arc::new(failure),
    })
}
