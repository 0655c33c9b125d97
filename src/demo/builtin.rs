//! The forms of PowerShell that every scenario knows, each as the steps that it means: a table, not an interpreter.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexBuilder};
use serde_json::Value;

use super::holes::literal;
use super::output::Filter;
use super::scenario::{Ask, AskKind, ErrorSpec, Rows, Step};

type Variables = BTreeMap<String, Value>;
type Meaning = fn(&Captures<'_>, &Variables) -> Vec<Step>;

/// One argument: quoted or a bare word.
const ARGUMENT: &str = r#"("(?:[^"`]|`.|"")*"|'(?:[^']|'')*'|[^\s"'-]\S*)"#;

/// Patterns with their meanings; `{a}` is [`ARGUMENT`].
const FORMS: &[(&str, Meaning)] = &[
    (r"Start-Sleep(?: -Seconds)? (\d+)", |c, _| {
        vec![Step::Delay(format!("{}s", &c[1]))]
    }),
    (r"Start-Sleep -(?:Milliseconds|m) (\d+)", |c, _| {
        vec![Step::Delay(format!("{}ms", &c[1]))]
    }),
    (
        r"\[(?:System\.)?Threading\.Thread\]::Sleep\((\d+)\)",
        |c, _| vec![Step::Deaf(format!("{}ms", &c[1]))],
    ),
    (r"while ?\(\$true\) ?\{\s*\}", |_, _| vec![Step::Forever]),
    (
        r"Read-Host(?: -Prompt)? {a}(?: -(AsSecureString|MaskInput))?",
        read_host,
    ),
    (r"Read-Host", |_, _| {
        vec![Step::Ask(Ask {
            emit: true,
            ..Ask::default()
        })]
    }),
    (r"Get-Credential", |_, _| {
        vec![question(AskKind::Credential, String::new())]
    }),
    (
        r"\$Host\.UI\.PromptForChoice\({a}, ?{a}, ?@\(([^()]*)\), ?(\d)\)",
        choice,
    ),
    (r"Write-Host(?: -Object)? {a}", |c, v| {
        vec![Step::Information(literal(&text(&c[1], v)))]
    }),
    (r"Write-Warning(?: -Message)? {a}", |c, v| {
        vec![Step::Warning(literal(&text(&c[1], v)))]
    }),
    (r"Write-Verbose(?: -Message)? {a}( -Verbose)?", |c, v| {
        shown(c, Step::Verbose(literal(&text(&c[1], v))))
    }),
    (r"Write-Debug(?: -Message)? {a}( -Debug)?", |c, v| {
        shown(c, Step::Debug(literal(&text(&c[1], v))))
    }),
    (
        r"Write-Information(?: -MessageData)? {a}( -InformationAction Continue)?",
        |c, v| {
            let step = Step::Information(literal(&text(&c[1], v)));
            if c.get(2).is_some() {
                vec![step]
            } else {
                vec![Step::InRecords(vec![step])]
            }
        },
    ),
    (r"Write-Error(?: -Message)? {a}", |c, v| {
        vec![write_error(&text(&c[1], v)), Step::Failed(true)]
    }),
    (r"throw {a}", |c, v| vec![throw(&text(&c[1], v))]),
    (r"\[Console\]::WriteLine\({a}\)", |c, v| {
        vec![Step::Console(literal(&text(&c[1], v)) + "\n")]
    }),
    (r"\[Console\]::Write\({a}\)", |c, v| {
        vec![Step::Console(literal(&text(&c[1], v)))]
    }),
    (r"\$Host\.EnterNestedPrompt\(\)", |_, _| {
        vec![Step::Console(" ".to_owned()), Step::Native(left_by_exit())]
    }),
    (r"Wait-Debugger", |_, _| Vec::new()),
    (r"Set-StrictMode -Version \S+", |_, _| {
        vec![Step::Strict(true)]
    }),
    (r"Set-StrictMode -Off", |_, _| vec![Step::Strict(false)]),
    (
        r"(?:exit|\[Environment\]::Exit)[ (]*(\d{0,3})\)?",
        |c, _| vec![Step::Exit(c[1].parse().unwrap_or(0))],
    ),
    (r"\$PSVersionTable\.PSVersion", |_, _| {
        vec![Step::Objects(vec![
            serde_json::json!({"Major": 7, "Minor": 6, "Patch": 5, "PreReleaseLabel": null, "BuildLabel": null}),
        ])]
    }),
    (
        r#"(?:\$PSVersionTable\.PSVersion\.ToString\(\)|"\$\(?\$PSVersionTable\.PSVersion\)?")"#,
        |_, _| vec![Step::Objects(vec!["7.6.5".into()])],
    ),
    (r"(-?\d{1,6})\.\.(-?\d{1,6})", range),
    (
        r"& \{ foreach \(\$__mmn in (\S+)\) \{ \$__mmc = \$ExecutionContext\.InvokeCommand\.GetCommand.*?; foreach \(\$__mmv in (\S+)\) .*",
        meanings,
    ),
];

/// The aliases that a session is born with, as far as texts for the stand-in use them.
const ALIASES: [(&str, &str); 6] = [
    ("?", "Where-Object"),
    ("%", "ForEach-Object"),
    ("foreach", "ForEach-Object"),
    ("select", "Select-Object"),
    ("sort", "Sort-Object"),
    ("where", "Where-Object"),
];

/// What the session's lookup says about names and variables: `Get-Own…` is a function that somebody has defined in the session,
/// every other name with a verb a module's function; and in `$own…` somebody has left a block.
fn meanings(c: &Captures<'_>, _: &Variables) -> Vec<Step> {
    let list = |at: usize| {
        let names = c.get(at).map_or("", |names| names.as_str()).split(',');
        names
            .filter(|name| *name != "@()")
            .map(|name| name.trim_matches('\''))
    };
    let meaning = |name: &str| {
        let alias = ALIASES
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(name));
        let (kind, target, resolved, module) = match alias {
            Some((_, target)) => ("Alias", *target, "Cmdlet", "Microsoft.PowerShell.Core"),
            None if name.starts_with("Get-Own") => ("Function", name, "Function", ""),
            None if name.contains('-') => ("Function", name, "Function", "StandIn"),
            None => ("", "", "", ""),
        };
        let what_if = !name.ends_with("Everything");
        serde_json::json!({"name": name, "kind": kind, "target": target, "resolved": resolved, "module": module, "what_if": what_if, "holds_back": what_if})
    };
    let held =
        |name: &str| serde_json::json!({"variable": name, "plain": !name.starts_with("own")});
    let mut said: Vec<_> = list(1).map(meaning).chain(list(2).map(held)).collect();
    said.push(serde_json::json!({"defaults": false, "hooks": false}));
    vec![Step::Objects(said)]
}

static TABLE: LazyLock<Vec<(Regex, Meaning)>> = LazyLock::new(|| {
    FORMS
        .iter()
        .map(|(pattern, meaning)| (anchored(&pattern.replace("{a}", ARGUMENT)), *meaning))
        .collect()
});

static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| anchored(r"\$(\w+) ?= ?(.+)"));

static BY_ZERO: LazyLock<Regex> = LazyLock::new(|| anchored(r"\d+ ?/ ?0"));

static SELECT: LazyLock<Regex> = LazyLock::new(|| {
    anchored(
        r"(?:-First (?P<first>\d{1,9}) ?)?(?:-ExpandProperty (?P<expand>\w+)|(?:-Property )?(?P<fields>\w+(?: ?, ?\w+)*))?(?: ?-First (?P<then>\d{1,9}))?",
    )
});

static VARIABLE: LazyLock<Regex> = LazyLock::new(|| anchored(r"\$(\w+)"));

fn anchored(pattern: &str) -> Regex {
    RegexBuilder::new(&format!("^(?s:{pattern})$"))
        .case_insensitive(true)
        .build()
        .expect("the table's patterns are patterns")
}

/// What `statement` means, if it is one of the forms.
pub(super) fn steps(statement: &str, variables: &Variables, strict: bool) -> Option<Vec<Step>> {
    if let Some(rest) = word(statement, "return") {
        let mut steps = if rest.is_empty() {
            Vec::new()
        } else {
            self::steps(rest, variables, strict)?
        };
        steps.push(Step::Return);
        return Some(steps);
    }
    if let Some(rest) = word(statement, "Write-Output") {
        let rest = if rest.starts_with(['"', '\'', '$', '(', '@'])
            || rest.starts_with(|c: char| c.is_ascii_digit())
        {
            rest.to_owned()
        } else {
            format!("'{}'", rest.replace('\'', "''"))
        };
        return self::steps(&rest, variables, strict);
    }
    if let Some((meaning, captures)) = TABLE.iter().find_map(|(pattern, meaning)| {
        pattern
            .captures(statement)
            .map(|captures| (meaning, captures))
    }) {
        return Some(meaning(&captures, variables));
    }
    if let Some(captures) = ASSIGNMENT.captures(statement) {
        let value = expression(captures.get(2)?.as_str(), variables)?;
        let name = captures[1].to_lowercase();
        return Some(vec![Step::Assign(BTreeMap::from([(name, value)]))]);
    }
    if let Some(captures) = VARIABLE.captures(statement)
        && strict
        && variable(&captures[1], variables).is_none()
    {
        return Some(vec![unset(&captures[1]), Step::Failed(true)]);
    }
    if BY_ZERO.is_match(statement) {
        return Some(vec![by_zero(), Step::Failed(true)]);
    }
    let value = expression(statement, variables)?;
    Some(vec![Step::Objects(match escaped(value) {
        Value::Array(items) => items,
        value => vec![value],
    })])
}

/// What follows the word, if `statement` begins with it.
fn word<'t>(statement: &'t str, word: &str) -> Option<&'t str> {
    let (begin, rest) = statement.split_at_checked(word.len())?;
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (begin.eq_ignore_ascii_case(word) && ends).then(|| rest.trim())
}

/// The value of a literal, a variable, a list, or a sum of whole numbers.
fn expression(text: &str, variables: &Variables) -> Option<Value> {
    static STRING: LazyLock<Regex> = LazyLock::new(|| {
        anchored(r#"("(?:[^"`]|`.|"")*"|'(?:[^']|'')*'|@"\n.*\n"@|@'\n.*\n'@)(?: ?\* ?(\d{1,5}))?"#)
    });
    let trimmed = text.trim();
    if let Some(captures) = STRING.captures(trimmed) {
        let times = captures
            .get(2)
            .map_or(Ok(1), |group| group.as_str().parse());
        return Some(Value::String(
            self::text(&captures[1], variables).repeat(times.ok()?),
        ));
    }
    if let Some(captures) = VARIABLE.captures(trimmed) {
        return Some(variable(&captures[1], variables).unwrap_or(Value::Null));
    }
    if let Some(inner) = trimmed
        .strip_prefix("@(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let inner = inner.trim();
        return match inner {
            "" => Some(Value::Array(Vec::new())),
            _ => match expression(inner, variables)? {
                Value::Array(items) => Some(Value::Array(items)),
                value => Some(Value::Array(vec![value])),
            },
        };
    }
    if let Some(sum) = sum(trimmed) {
        return Some(sum);
    }
    let items: Vec<&str> = trimmed.split(',').collect();
    if items.len() < 2 {
        return None;
    }
    items
        .into_iter()
        .map(|item| expression(item, variables))
        .collect::<Option<Vec<_>>>()
        .map(Value::Array)
}

fn variable(name: &str, variables: &Variables) -> Option<Value> {
    match name.to_lowercase().as_str() {
        "null" => Some(Value::Null),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        name => variables.get(name).cloned(),
    }
}

/// Whole numbers with `+`, `-` and `*`. What does not fit is not known.
fn sum(text: &str) -> Option<Value> {
    static NUMBERS: LazyLock<Regex> =
        LazyLock::new(|| anchored(r"-?\d{1,15}(?:\s*[-+*]\s*\d{1,15})*"));
    static TERM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"([-+*]?)\s*(\d+)").expect("it is a pattern"));
    if !NUMBERS.is_match(text) {
        return None;
    }
    let (mut total, mut term) = (0i64, 0i64);
    for captures in TERM.captures_iter(text) {
        let number: i64 = captures[2].parse().ok()?;
        match &captures[1] {
            "*" => term = term.checked_mul(number)?,
            sign => {
                total = total.checked_add(term)?;
                term = if sign == "-" { -number } else { number };
            }
        }
    }
    Some(total.checked_add(term)?.into())
}

/// The text of an argument: quotes off, escapes and the variables that are known in.
fn text(argument: &str, variables: &Variables) -> String {
    let inner = |open: &str, close: &str| {
        argument
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .filter(|_| argument.len() > open.len())
    };
    if let Some(inner) = inner("@'\n", "\n'@") {
        return inner.to_owned();
    }
    if let Some(inner) = inner("'", "'") {
        return inner.replace("''", "'");
    }
    let Some(inner) = inner("@\"\n", "\n\"@")
        .map(str::to_owned)
        .or_else(|| inner("\"", "\"").map(|inner| inner.replace("\"\"", "\"")))
    else {
        return argument.to_owned();
    };
    let mut text = String::new();
    let mut rest = inner.as_str();
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let name = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .map_or(rest, |end| &rest[..end]);
        match c {
            '`' => {
                if let Some(escaped) = rest.chars().next() {
                    rest = &rest[escaped.len_utf8()..];
                    text.push(match escaped {
                        'e' => '\u{1b}',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        '0' => '\0',
                        other => other,
                    });
                }
            }
            '$' if !name.is_empty() => {
                rest = &rest[name.len()..];
                text.push_str(
                    &variable(name, variables)
                        .map(|value| super::format::display(&value))
                        .unwrap_or_default(),
                );
            }
            c => text.push(c),
        }
    }
    text
}

/// A value whose texts are no templates.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(literal(&text)),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        other => other,
    }
}

fn shown(captures: &Captures<'_>, step: Step) -> Vec<Step> {
    if captures.get(2).is_some() {
        vec![step]
    } else {
        Vec::new()
    }
}

fn question(kind: AskKind, prompt: String) -> Step {
    Step::Ask(Ask {
        kind,
        prompt,
        emit: true,
        ..Ask::default()
    })
}

fn read_host(captures: &Captures<'_>, variables: &Variables) -> Vec<Step> {
    let prompt = literal(&text(&captures[1], variables));
    let kind = if captures.get(2).is_some() {
        AskKind::Secret
    } else {
        AskKind::Text
    };
    vec![question(kind, prompt)]
}

fn choice(captures: &Captures<'_>, variables: &Variables) -> Vec<Step> {
    let argument = |number: usize| literal(&text(&captures[number], variables));
    let choices = captures[3]
        .split(',')
        .map(|label| literal(&text(label.trim(), variables)))
        .collect();
    vec![Step::Ask(Ask {
        kind: AskKind::Choice,
        title: argument(1),
        message: argument(2),
        choices,
        default: captures[4].parse().unwrap_or(0),
        emit: true,
        ..Ask::default()
    })]
}

fn range(captures: &Captures<'_>, _: &Variables) -> Vec<Step> {
    let end = |number: usize| captures[number].parse::<i64>().unwrap_or(0);
    match (end(1), end(2)) {
        (1, last) if last >= 1 => vec![Step::Rows(Rows {
            count: last.to_string(),
            object: "{i}".into(),
            every: String::new(),
        })],
        (first, last) if first <= last => {
            vec![Step::Objects((first..=last).map(Value::from).collect())]
        }
        (first, last) => vec![Step::Objects(
            (last..=first).rev().map(Value::from).collect(),
        )],
    }
}

/// A nested prompt is left by `exit`, which sets the exit code.
fn left_by_exit() -> super::scenario::Native {
    super::scenario::Native {
        runs_for: String::new(),
        exit_code: 0,
        hears: true,
    }
}

fn write_error(message: &str) -> Step {
    Step::Error(ErrorSpec {
        message: literal(message),
        id: "Microsoft.PowerShell.Commands.WriteErrorException".to_owned(),
        kind: "Microsoft.PowerShell.Commands.WriteErrorException".to_owned(),
        command: "Write-Error".to_owned(),
        ..ErrorSpec::default()
    })
}

fn throw(message: &str) -> Step {
    let message = literal(message);
    Step::Throw(vec![ErrorSpec {
        message: message.clone(),
        prefix: Some("Exception".to_owned()),
        id: message.clone(),
        category: Some("OperationStopped".to_owned()),
        target: message,
        kind: "System.Management.Automation.RuntimeException".to_owned(),
        ..ErrorSpec::default()
    }])
}

fn by_zero() -> Step {
    Step::Error(ErrorSpec {
        message: "Attempted to divide by zero.".to_owned(),
        prefix: Some("RuntimeException".to_owned()),
        id: "RuntimeException".to_owned(),
        kind: "System.Management.Automation.RuntimeException".to_owned(),
        ..ErrorSpec::default()
    })
}

fn unset(name: &str) -> Step {
    Step::Error(ErrorSpec {
        message: format!("The variable '${name}' cannot be retrieved because it has not been set."),
        prefix: Some("InvalidOperation".to_owned()),
        id: "VariableIsUndefined".to_owned(),
        category: Some("InvalidOperation".to_owned()),
        target: name.to_owned(),
        kind: "System.Management.Automation.RuntimeException".to_owned(),
        ..ErrorSpec::default()
    })
}

/// What a later stage of a pipeline does, if it is one of those that are known.
pub(super) fn filters(stage: &str) -> Option<Vec<Filter>> {
    static WHERE: LazyLock<Regex> =
        LazyLock::new(|| anchored(r"(?:Where-Object|where|\?) ?\{ ?(-not )?\$_\.(\w+) ?\}"));
    if let Some(captures) = WHERE.captures(stage) {
        return Some(vec![Filter::Where(
            captures[2].to_owned(),
            captures.get(1).is_none(),
        )]);
    }
    let is = |names: &[&str]| names.iter().find_map(|name| word(stage, name));
    if is(&["Out-Null"]) == Some("") {
        return Some(vec![Filter::Nothing]);
    }
    if is(&["Format-List", "fl"]) == Some("") {
        return Some(vec![Filter::Shape(true)]);
    }
    if is(&["Format-Table", "ft"]) == Some("") {
        return Some(vec![Filter::Shape(false)]);
    }
    let captures = SELECT.captures(is(&["Select-Object", "select"])?)?;
    let mut filters = Vec::new();
    for name in ["first", "then"] {
        if let Some(number) = captures.name(name) {
            filters.push(Filter::First(number.as_str().parse().ok()?));
        }
    }
    if let Some(field) = captures.name("expand") {
        filters.push(Filter::Expand(field.as_str().to_owned()));
    }
    if let Some(fields) = captures.name("fields") {
        filters.push(Filter::Fields(
            fields
                .as_str()
                .split(',')
                .map(|field| field.trim().to_owned())
                .collect(),
        ));
    }
    Some(filters)
}
