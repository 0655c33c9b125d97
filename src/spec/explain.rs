//! What a module does, in plain words, for `mm modules show`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::name::ModuleName;
use crate::script::{FailureTest, Holder, Module, SignIn, Template, WayIn, hole};

/// The module in plain words: lines of text, the last one ended.
pub(crate) fn explain(module: &Module) -> String {
    let mut text = String::new();
    line(
        &mut text,
        format_args!("{} — {}", module.name, module.title),
    );
    if !module.aliases.is_empty() {
        let aliases: Vec<&str> = module.aliases.iter().map(ModuleName::as_str).collect();
        line(
            &mut text,
            format_args!("Also called: {}", aliases.join(", ")),
        );
    }
    let shell = &module.shell;
    line(
        &mut text,
        format_args!(
            "Runs in: {} ({}, started as `{}`)",
            shell.title, shell.name, shell.start.program
        ),
    );
    if let Some(run) = &module.run {
        line(
            &mut text,
            format_args!("A command is put into: {}", run.source()),
        );
    }
    if shell.environment.private_home {
        line(
            &mut text,
            format_args!("Every session has a home folder of its own."),
        );
    }
    needs(&mut text, module);
    match &module.sign_in {
        Some(rules) => sign_in(&mut text, rules),
        None => line(&mut text, format_args!("\nNeeds no sign-in.")),
    }
    if !module.notes.is_empty() {
        line(&mut text, format_args!("\nNotes"));
        for note in &module.notes {
            line(&mut text, format_args!("  - {note}"));
        }
    }
    text
}

/// What has to be installed: the module's own needs, then its shell's.
fn needs(text: &mut String, module: &Module) {
    let all = module.needs.iter().chain(&module.shell.needs);
    for (index, need) in all.enumerate() {
        if index == 0 {
            line(text, format_args!("\nWhat has to be installed"));
        }
        let oldest = need.at_least.as_ref();
        let oldest = oldest.map_or(String::new(), |version| format!(", {version} or later"));
        let tried = need.tried.as_ref();
        let tried = tried.map_or(String::new(), |version| format!(", tried with {version}"));
        line(
            text,
            format_args!("  {} {}{oldest}{tried}", need.kind(), need.name()),
        );
        line(
            text,
            format_args!("    where it is missing: {}", need.install),
        );
        if let Some(update) = &need.update {
            line(text, format_args!("    where it is too old: {update}"));
        }
        for bad in &need.bad {
            let word = if bad.doubt { "doubtful" } else { "bad" };
            let own = Some(&bad.advice) != need.update.as_ref() && bad.advice != need.install;
            let advice = if own {
                format!("; {}", bad.advice)
            } else {
                String::new()
            };
            line(
                text,
                format_args!("    {word}: {}: it {}{advice}", bad.range(), bad.why),
            );
        }
        if let Some(why) = &need.only_one {
            line(text, format_args!("    one version only: {why}"));
        }
    }
}

fn sign_in(text: &mut String, rules: &SignIn) {
    line(text, format_args!("\nWays in"));
    for way in &rules.ways {
        self::way(text, way);
    }
    if !rules.clouds.is_empty() {
        let clouds: Vec<&str> = rules.clouds.iter().map(|(cloud, _)| cloud.word()).collect();
        line(
            text,
            format_args!("  national clouds: {}", clouds.join(", ")),
        );
    }
    if rules.partner.is_some() {
        line(
            text,
            format_args!("  for partners: a connection's `delegatedOrganization`"),
        );
    }

    if rules.restore.is_some() {
        line(
            text,
            format_args!(
                "  kept in the session's home: a new session asks for no code while the old sign-in is good"
            ),
        );
    }

    line(text, format_args!("\nIdentity"));
    let identity = &rules.identity;
    line(
        text,
        format_args!(
            "  account from `{}`, tenant from `{}`",
            identity.account, identity.tenant
        ),
    );
    if let Some(expires) = &identity.expires {
        line(text, format_args!("  ends when `{expires}` says"));
    }
    for (path, value) in &identity.require {
        line(text, format_args!("  `{path}` has to be `{value}`"));
    }
    match rules.proof {
        Some(_) => line(
            text,
            format_args!("  proven by a command that the service has to answer"),
        ),
        None => line(
            text,
            format_args!("  as the module itself tells; nothing asks the service"),
        ),
    }
    if rules.disconnect.is_none() {
        line(
            text,
            format_args!("  there is no command that ends the sign-in"),
        );
    }

    if rules.failures.is_empty() {
        return;
    }
    line(text, format_args!("\nFailures it knows"));
    let mut known: Vec<(&str, &str, Vec<u32>)> = Vec::new();
    for rule in &rules.failures {
        let (name, advice) = (rule.failure.name.as_str(), rule.failure.advice.as_str());
        let numbers: &[u32] = match &rule.test {
            FailureTest::Aadsts(numbers) => numbers,
            FailureTest::Pattern(_) => &[],
        };
        match known
            .iter_mut()
            .find(|(other, same, _)| (*other, *same) == (name, advice))
        {
            Some((_, _, all)) => all.extend(numbers),
            None => known.push((name, advice, numbers.to_vec())),
        }
    }
    for (name, advice, numbers) in known {
        let codes: Vec<String> = numbers.iter().map(u32::to_string).collect();
        let codes = if codes.is_empty() {
            String::new()
        } else {
            format!(" (AADSTS {})", codes.join(", "))
        };
        line(text, format_args!("  {name}{codes}: {advice}"));
    }
}

/// A way in: how long, who, and which keys of a connection it reads.
fn way(text: &mut String, way: &WayIn) {
    let who = match way.holder {
        Holder::User => "",
        Holder::Application => ", as an application",
        Holder::ManagedIdentity => ", as a managed identity",
    };
    let attended = if way.unattended {
        ", with nobody there"
    } else {
        ""
    };
    line(
        text,
        format_args!(
            "  {}, within {}{who}{attended}",
            way.name.replace('_', " "),
            interval(way.within)
        ),
    );
    let keys = |templates: &[&Template]| {
        let mut keys: Vec<String> = Vec::new();
        for hole in templates.iter().flat_map(|template| template.holes()) {
            let key = format!("`{}`", hole::key_of(hole));
            if hole != "sharepoint_domain" && !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys.join(", ")
    };
    let needs = keys(&[&way.connect]);
    if !needs.is_empty() {
        line(text, format_args!("    reads {needs}"));
    }
    let may = keys(&way.options.iter().collect::<Vec<_>>());
    if !may.is_empty() {
        line(text, format_args!("    takes {may}, where there is one"));
    }
}

fn interval(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0 => format!("{} ms", length.as_millis()),
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    writeln!(text, "{words}").expect("a string takes any text");
}
