//! From what a text runs to what it does, by the rules. What no rule knows is never taken for reading.

use super::parsed::{Command, Element, Operator, Parsed, Value};
use super::{dotnet, local, request, tools};
use crate::script::{Effect, EffectRule, Glob, Guard};

/// One effect, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) effect: Effect,
    /// What in the text has it: a command's name, a method, a redirection.
    pub(crate) what: String,
    /// Whether that may act on many things at once.
    pub(crate) many: bool,
    /// The text's line, counted from 1.
    pub(crate) line: usize,
    /// Why, for people.
    pub(crate) reason: String,
    /// The file and line of the rule. `None`: it follows from the language.
    pub(crate) rule: Option<String>,
    /// What is decided at least, by that rule.
    pub(crate) guard: Option<Guard>,
}

impl Finding {
    pub(crate) fn is_reading(&self) -> bool {
        self.effect == Effect::Reads
    }
}

/// What a text does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) findings: Vec<Finding>,
    /// Whether the parser followed all of it.
    pub(crate) understood: bool,
    /// Commands that only tell what they would do, if each of them knows `-WhatIf` in its session: the text cannot tell.
    pub(crate) told: Vec<String>,
}

impl Judgement {
    /// Whether all of it was understood and none of it does more than look.
    pub(crate) fn only_reads(&self) -> bool {
        self.understood && self.effects() == [Effect::Reads]
    }

    /// Whether it may take away many things at once.
    pub(crate) fn destroys_many(&self) -> bool {
        self.findings
            .iter()
            .any(|found| found.effect == Effect::Destroys && found.many)
    }

    /// Each effect once, in the order of [`Effect::ALL`]. `reads` only where there is no other.
    pub(crate) fn effects(&self) -> Vec<Effect> {
        let has = |effect: &Effect| self.findings.iter().any(|found| found.effect == *effect);
        let mut effects: Vec<Effect> = Effect::ALL.into_iter().filter(has).collect();
        if effects.len() > 1 || effects.is_empty() {
            effects.retain(|effect| *effect != Effect::Reads);
        }
        if effects.is_empty() {
            effects.push(Effect::Reads);
        }
        effects
    }
}

/// Judges a text by rules that hold for every module and by those of its own.
pub(crate) fn judge<'r>(
    parsed: &Parsed,
    rules: impl Iterator<Item = &'r EffectRule> + Clone,
) -> Judgement {
    let mut judge = Judge {
        rules,
        findings: Vec::new(),
        held: Vec::new(),
    };
    for doubt in &parsed.doubts {
        judge.language(Effect::UnknownCode, "the text", doubt.line, doubt.why);
    }
    for command in &parsed.commands {
        judge.command(command, parsed);
    }
    judge.rest(parsed);
    let told = judge.told(parsed.is_understood());
    Judgement {
        findings: judge.findings,
        understood: parsed.is_understood(),
        told,
    }
}

struct Judge<R> {
    rules: R,
    findings: Vec<Finding>,
    /// Findings that `-WhatIf` made reading, by their place, each as it is without.
    held: Vec<(usize, Finding)>,
}

impl<'r, R: Iterator<Item = &'r EffectRule> + Clone> Judge<R> {
    fn language(&mut self, effect: Effect, what: &str, line: usize, reason: &str) {
        self.findings.push(Finding {
            effect,
            what: what.to_owned(),
            many: false,
            line,
            reason: reason.to_owned(),
            rule: None,
            guard: None,
        });
    }

    fn command(&mut self, command: &Command, parsed: &Parsed) {
        let Some(name) = &command.name else {
            if !command.block {
                let why = "its name is only known when it runs";
                self.language(Effect::UnknownCode, &command.first, command.line, why);
            }
            return;
        };
        if command.in_filter && is_comparison(command) {
            return;
        }
        let full = plain_name(name);
        if is_file(&full) || (command.operator == Operator::Dot && full.contains('.')) {
            let why = "what the file holds is not known";
            self.language(Effect::UnknownCode, name, command.line, why);
            return;
        }
        // The name without its module.
        let short = full
            .rsplit_once('\\')
            .map_or(full.as_str(), |(_, name)| name);
        let defined = parsed
            .functions
            .iter()
            .any(|function| plain_name(&function.text) == short);
        let before = self.findings.len();
        let known = if command.is_program
            && let Some(found) = tools::effects(short, command)
        {
            for (effect, why) in found {
                self.language(effect, name, command.line, why);
            }
            true
        } else {
            !(command.is_program && tools::is_elsewhere(short))
                && self.by_rules(command, name, short)
        };
        if !known && !defined {
            if short.contains('-') && !short.contains(' ') && !command.is_program {
                let why = "no rule knows its verb";
                self.language(Effect::Writes, name, command.line, why);
            } else {
                let why = "another program, or a name that no rule knows";
                self.language(Effect::UnknownCode, name, command.line, why);
            }
        }
        // These show their words whatever they are.
        let shows = command.is_program && matches!(short, "echo" | ":" | "true" | "false");
        if command.splat && !shows {
            let why = "its parameters come out of a variable";
            self.language(Effect::UnknownCode, name, command.line, why);
        }
        if matches!(short, "foreach-object" | "foreach" | "%") {
            self.members_by_name(command);
        }
        if runs_given_code(short, command) {
            let why = "the code that it is given is only known when it runs";
            self.language(Effect::UnknownCode, name, command.line, why);
        }
        if command.is_program {
            for (effect, why) in tools::of_service(short, command) {
                self.language(effect, name, command.line, why);
            }
        } else {
            self.cmdlet(command, name, short);
        }
        if self.findings.len() == before {
            self.language(
                Effect::Reads,
                name,
                command.line,
                "what it holds is judged by itself",
            );
        }
    }

    /// What follows from the values of a `PowerShell` command.
    fn cmdlet(&mut self, command: &Command, name: &str, short: &str) {
        if short == "new-object" && !makes_plain_object(command) {
            let why = "making an object runs its class's code";
            self.language(Effect::UnknownCode, name, command.line, why);
        }
        if let Some((effect, why)) = local::shown(short, command) {
            self.language(effect, name, command.line, why);
        }
        if local::keeps_elsewhere(command) {
            let why = "it may set something other than a variable";
            self.language(Effect::UnknownCode, name, command.line, why);
        }
        for (effect, why) in request::doubts(short, command) {
            self.language(effect, name, command.line, why);
        }
    }

    /// Commands that `-WhatIf` holds back. It counts only where all else looks, too; otherwise they count in full.
    fn told(&mut self, understood: bool) -> Vec<String> {
        let looks = self.findings.iter().all(|found| found.effect.only_looks());
        let held = std::mem::take(&mut self.held);
        if looks && understood {
            let mut names: Vec<String> = held.into_iter().map(|(_, found)| found.what).collect();
            names.dedup();
            return names;
        }
        for (at, found) in held {
            self.findings[at] = found;
        }
        Vec::new()
    }

    /// Adds what the rules say. Returns whether one knew the name.
    fn by_rules(&mut self, command: &Command, name: &str, short: &str) -> bool {
        let subject = if command.words.is_empty() {
            short.to_owned()
        } else {
            format!("{short} {}", command.words.join(" ").to_lowercase())
        };
        let fitting: Vec<&EffectRule> = self
            .rules
            .clone()
            .filter(|rule| {
                // A name with words is a program's; both shells have commands of one word.
                rule.names.iter().any(|glob| {
                    let with_words = glob.as_str().contains(' ');
                    glob.fits(if with_words { &subject } else { short })
                })
            })
            .collect();
        let instead = fitting.iter().any(|rule| rule.instead_of_verb);
        let what_if = is_what_if(command) && !fitting.iter().any(|rule| rule.ignores_what_if);
        let fitting: Vec<&EffectRule> = fitting
            .into_iter()
            .filter(|rule| !(instead && rule.is_about_verb()))
            .collect();
        // Of a command that changes something, what the text does not tell may be anything.
        let changes = |rule: &&EffectRule| {
            holds(rule, command, false) && rule.effects.iter().any(|effect| !effect.only_looks())
        };
        let strict = fitting.iter().any(changes);
        let mut known = false;
        for rule in fitting {
            if !holds(rule, command, strict) {
                continue;
            }
            known = true;
            for effect in &rule.effects {
                let found = Finding {
                    effect: *effect,
                    what: name.to_owned(),
                    many: command.many,
                    line: command.line,
                    reason: rule.reason.clone(),
                    rule: Some(rule.place.clone()),
                    guard: rule.guard.filter(|_| *effect != Effect::Reads),
                };
                if what_if && is_kept_back(*effect) {
                    self.held.push((self.findings.len(), found.clone()));
                    self.findings.push(Finding {
                        effect: Effect::Reads,
                        reason: format!("with -WhatIf it only tells: {}", rule.reason),
                        guard: None,
                        ..found
                    });
                } else {
                    self.findings.push(found);
                }
            }
        }
        known
    }

    /// `ForEach-Object Delete` calls a method by its name.
    fn members_by_name(&mut self, command: &Command) {
        let given = command
            .parameters()
            .filter(|(name, _)| Glob::new("MemberName").fits_parameter(&name.to_lowercase()))
            .filter_map(|(_, value)| value);
        let names: Vec<Value> = given.chain(command.positional()).cloned().collect();
        for value in names {
            let harmless = match &value {
                Value::Text(name) => dotnet::is_harmless_name(name),
                Value::Block => true,
                Value::List(values) => values.iter().all(|value| *value == Value::Block),
                Value::Flag(_) | Value::Pattern(_) | Value::Unknown => false,
            };
            if !harmless {
                let what = value.as_text().unwrap_or(&command.first).to_owned();
                let why = "it may call a method of this name";
                self.language(Effect::UnknownCode, &what, command.line, why);
            }
        }
    }

    fn rest(&mut self, parsed: &Parsed) {
        for setting in &parsed.settings {
            self.language(
                Effect::UnknownCode,
                &setting.text,
                setting.line,
                "it can change what later commands do",
            );
        }
        for member in parsed
            .members
            .iter()
            .filter(|member| !dotnet::is_harmless(member, &parsed.collections))
        {
            let what = member.name.as_deref().unwrap_or(&member.on);
            let is_exit = member.is_static && what.eq_ignore_ascii_case("exit");
            if is_exit {
                self.language(
                    Effect::EndsSession,
                    what,
                    member.line,
                    "it ends the program",
                );
            }
            let why = "what the method does is not known";
            self.language(Effect::UnknownCode, what, member.line, why);
        }
        self.types(parsed);
        for word in &parsed.drives {
            if let Some((effect, why)) = local::drive(&word.text) {
                self.language(effect, &word.text, word.line, why);
            }
        }
        for word in &parsed.files {
            let (effect, why) = local::file(Some(&word.text));
            self.language(effect, &word.text, word.line, why);
        }
        for word in &parsed.code {
            let why = "it may be the code of a command, which then runs under no name";
            self.language(Effect::UnknownCode, &word.text, word.line, why);
        }
        for target in &parsed.redirects {
            if !matches!(target.text.to_lowercase().as_str(), "$null" | "/dev/null") {
                let why = "output is written to a file";
                self.language(Effect::WritesLocalFiles, &target.text, target.line, why);
                if target.text.contains(':') || target.text.contains("/dev/") {
                    let why = "it may be no file, but a command, a setting or another machine";
                    self.language(Effect::UnknownCode, &target.text, target.line, why);
                }
            }
        }
        for function in &parsed.functions {
            let name = plain_name(&function.text);
            let shadows = name.contains(['-', ':', '%', '?'])
                || matches!(
                    name.as_str(),
                    "prompt" | "tabexpansion2" | "psconsolehostreadline"
                )
                || self
                    .rules
                    .clone()
                    .any(|rule| rule.names.iter().any(|glob| glob.fits(&name)));
            if shadows {
                let why = "it takes the place of a command of this name";
                self.language(Effect::UnknownCode, &function.text, function.line, why);
            }
        }
        for using in &parsed.usings {
            let words = using.text.to_lowercase();
            let mut words = words.split_whitespace().skip(1);
            let is_name = words.next() == Some("namespace")
                && words.next().is_some_and(|name| name.starts_with("system"));
            if !is_name {
                let why = "it loads code";
                self.language(Effect::UnknownCode, &using.text, using.line, why);
            }
        }
        for assign in &parsed.assigns {
            if let Some((effect, why)) = assigned(&assign.text) {
                self.language(effect, &assign.text, assign.line, why);
            }
        }
        for line in &parsed.exits {
            self.language(Effect::EndsSession, "exit", *line, "it ends the program");
        }
    }
}

impl<'r, R: Iterator<Item = &'r EffectRule> + Clone> Judge<R> {
    /// Types that are defined or named: turning a value into one can do anything that its class does.
    fn types(&mut self, parsed: &Parsed) {
        for word in &parsed.types {
            let why = "a class runs its code where no command is seen";
            self.language(Effect::UnknownCode, &word.text, word.line, why);
        }
        for word in &parsed.named_types {
            if !dotnet::is_plain_type(&word.text) {
                let why = "what becomes of a value that is turned into this type is not known";
                self.language(Effect::UnknownCode, &word.text, word.line, why);
            }
        }
    }
}

/// Whether `New-Object` makes a mere list, table or record.
fn makes_plain_object(command: &Command) -> bool {
    let name = |name: &str| {
        let name = name.to_lowercase();
        ["typename", "property", "argumentlist"]
            .iter()
            .any(|full| full.starts_with(&name))
    };
    let typed = command
        .parameters()
        .find(|(name, _)| "typename".starts_with(&name.to_lowercase()))
        .and_then(|(_, value)| value)
        .or_else(|| command.positional().next());
    command.parameters().all(|(given, _)| name(given))
        && typed
            .and_then(Value::as_text)
            .is_some_and(|typed| dotnet::is_plain_type(&format!("[{typed}]")))
}

/// Whether it is a command that runs what it is given, and that is no literal block.
fn runs_given_code(name: &str, command: &Command) -> bool {
    let unknown = |value: &Value| matches!(value, Value::Pattern(_) | Value::Unknown);
    let positional = command.positional().any(unknown);
    let named = |wanted: &[&str]| {
        command.parameters().any(|(name, value)| {
            let name = name.to_lowercase();
            let is_wanted = wanted.iter().any(|one| one.starts_with(&name));
            is_wanted && value.is_some_and(unknown)
        })
    };
    match name {
        "invoke-command" | "icm" | "start-job" | "sajb" | "measure-command" => {
            positional || named(&["scriptblock", "expression"])
        }
        "foreach-object" | "foreach" | "%" => {
            positional || named(&["process", "begin", "end", "remainingscripts", "parallel"])
        }
        "where-object" | "where" | "?" => positional || named(&["filterscript"]),
        _ => false,
    }
}

/// In lower case, with plain dashes: PowerShell takes long ones in the names of cmdlets, too.
fn plain_name(name: &str) -> String {
    name.chars()
        .map(|c| if super::written::is_dash(c) { '-' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_file(name: &str) -> bool {
    name.starts_with(['.', '~', '/', '\\'])
        || name.contains(['/', ':'])
        || [".ps1", ".exe", ".cmd", ".bat", ".sh", ".com"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Whether it reads like `Name -eq 'x'`.
pub(super) fn is_comparison(command: &Command) -> bool {
    let is_word = command.name.as_deref().is_some_and(|name| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
    });
    let compares = command.parameters().next().is_some_and(|(name, _)| {
        [
            "eq", "ne", "like", "notlike", "gt", "ge", "lt", "le", "match", "contains",
        ]
        .contains(&name.to_lowercase().as_str())
    });
    is_word && compares
}

/// Whether the command is told to say only what it would do. Only a bare switch and `-WhatIf:$true` count.
fn is_what_if(command: &Command) -> bool {
    let mut given = command
        .elements
        .iter()
        .filter_map(|element| match element {
            Element::Parameter { name, value } if is_what_if_name(name) => Some(value),
            Element::Parameter { .. } | Element::Argument(_) => None,
        })
        .peekable();
    given.peek().is_some()
        && !command.splat
        && given.all(|value| matches!(value, None | Some(Value::Flag(true))))
}

/// Whether a parameter's name is, or is short for, `WhatIf`.
fn is_what_if_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name == "wi" || (name.len() > 1 && "whatif".starts_with(&name))
}

/// Whether it is told by the other name of `-WhatIf`, which only commands have that support it in full.
pub(super) fn is_told_by_alias(command: &Command) -> bool {
    command
        .parameters()
        .any(|(name, _)| name.eq_ignore_ascii_case("wi"))
}

/// Whether `-WhatIf` keeps a command from this.
fn is_kept_back(effect: Effect) -> bool {
    match effect {
        Effect::Writes
        | Effect::Destroys
        | Effect::Sends
        | Effect::ChangesRights
        | Effect::ForwardsMail => true,
        Effect::Reads
        | Effect::RevealsSecret
        | Effect::ReadsLocalFiles
        | Effect::WritesLocalFiles
        | Effect::SignsInOrOut
        | Effect::EndsSession
        | Effect::UnknownCode => false,
    }
}

/// Whether a rule's conditions on parameters and values hold, as far as the text tells. What it does not tell may hold; of
/// values anywhere that is so with `strict`.
fn holds(rule: &EffectRule, command: &Command, strict: bool) -> bool {
    let parameters = rule.parameters.is_empty()
        || command.parameters().any(|(name, value)| {
            let name = name.to_lowercase();
            rule.parameters
                .iter()
                .any(|glob| glob.fits_parameter(&name))
                && value_holds(rule, value)
        });
    let arguments = rule.arguments.is_empty()
        || command
            .values()
            .any(|value| any_fits(&rule.arguments, value))
        || (strict && says_little(command));
    parameters && arguments
}

fn value_holds(rule: &EffectRule, value: Option<&Value>) -> bool {
    let Some(value) = value else {
        return true;
    };
    let text = match value {
        Value::Text(text) => text.to_lowercase(),
        Value::Flag(flag) => flag.to_string(),
        Value::Pattern(text) => {
            // What fits a pattern fits every text of it.
            let text = text.to_lowercase();
            return !rule.except_values.iter().any(|glob| glob.fits(&text));
        }
        Value::Block | Value::List(_) | Value::Unknown => return true,
    };
    let among = |globs: &[Glob]| globs.iter().any(|glob| glob.fits(&text));
    (rule.values.is_empty() || among(&rule.values)) && !among(&rule.except_values)
}

/// Whether one of the texts in a value fits.
fn any_fits(globs: &[Glob], value: &Value) -> bool {
    match value {
        Value::Text(text) | Value::Pattern(text) => {
            let text = text.to_lowercase();
            globs.iter().any(|glob| glob.fits(&text))
        }
        Value::List(values) => values.iter().any(|value| any_fits(globs, value)),
        Value::Flag(_) | Value::Block | Value::Unknown => false,
    }
}

/// Whether it is only known when the text runs what a command is about. What a request carries is no matter.
fn says_little(command: &Command) -> bool {
    fn is_open(value: &Value) -> bool {
        match value {
            Value::List(values) => values.iter().any(is_open),
            Value::Unknown => true,
            Value::Text(_) | Value::Pattern(_) | Value::Flag(_) | Value::Block => false,
        }
    }
    let carries = |name: &str| {
        let name = name.to_lowercase();
        ["body", "headers", "content", "value", "payload"]
            .iter()
            .any(|carried| name.starts_with(carried))
    };
    command.positional().any(is_open)
        || command
            .parameters()
            .any(|(name, value)| !carries(name) && value.is_some_and(is_open))
}

/// Whether an assignment sets a property: of a file it may be its mode, of a process its priority. An index is none.
fn sets_property(target: &str) -> bool {
    let mut quote = None;
    let mut unquoted = String::with_capacity(target.len());
    for c in target.chars() {
        if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && matches!(c, '\'' | '"') {
            quote = Some(c);
        } else if quote.is_none() {
            unquoted.push(c);
        }
    }
    unquoted
        .split_once('$')
        .is_some_and(|(_, rest)| rest.contains('.') && !rest.trim_end().ends_with(']'))
}

/// What an assignment does beyond giving a variable of the session a value.
fn assigned(target: &str) -> Option<(Effect, &'static str)> {
    let target = target.to_lowercase();
    let mut found = None;
    if sets_property(&target) {
        found = Some((
            Effect::UnknownCode,
            "it sets a property of an object that the text has not made",
        ));
    }
    let root = target
        .rsplit_once(']')
        .map_or(target.as_str(), |(_, rest)| rest);
    if target.contains("::")
        || !(target.contains('$') || root.starts_with('@'))
        || target.starts_with('(')
    {
        found = Some((
            Effect::UnknownCode,
            "it changes an object that lasts longer than the text",
        ));
    }
    for part in target.split('$').skip(1) {
        let name: String = part
            .trim_start_matches('{')
            .chars()
            .take_while(|c| !matches!(c, '}' | ',' | ' ' | '.' | '['))
            .collect();
        let (drive, name) = name.split_once(':').unwrap_or(("", &name));
        found = found.or(match (drive, name) {
            ("" | "global" | "script" | "local" | "private" | "variable", name) => match name {
                "psdefaultparametervalues"
                | "executioncontext"
                | "psmoduleautoloadingpreference" => {
                    Some((Effect::UnknownCode, "it changes what later commands do"))
                }
                "confirmpreference" | "whatifpreference" => {
                    Some((Effect::Writes, "it changes whether later commands ask"))
                }
                _ => None,
            },
            ("env", _) => Some((
                Effect::UnknownCode,
                "it changes what programs are found and how they behave",
            )),
            ("function" | "alias", _) => Some((Effect::UnknownCode, "it redefines a command")),
            _ => Some((Effect::WritesLocalFiles, "it writes to a drive")),
        });
    }
    found
}
