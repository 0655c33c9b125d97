//! Small programs of a Bash session that look at what a pipeline brings, and at a file where they are given one. Which of
//! their words are files is known here; an option that is not known here may do anything.

use super::local;
use super::parsed::{Command, Element, Value};
use crate::script::Effect;

/// How the words of a program are read.
struct Tool {
    name: &'static str,
    /// Words before the first one that names a file.
    before_files: usize,
    /// Short options that take a value.
    takes: &'static str,
    /// Short options that make it read a file, or all files below a folder.
    reads: &'static str,
    /// Short options that make it write, set or run something.
    acts: &'static str,
    /// The file, counted from 1, that it writes.
    writes: usize,
}

const fn tool(name: &'static str, before_files: usize, takes: &'static str) -> Tool {
    Tool {
        name,
        before_files,
        takes,
        reads: "",
        acts: "",
        writes: usize::MAX,
    }
}

/// None of a program's words is a file.
const NO_FILES: usize = usize::MAX;

static TOOLS: [Tool; 29] = [
    tool("head", 0, "nc"),
    tool("tail", 0, "ncs"),
    tool("cat", 0, ""),
    tool("tac", 0, "s"),
    tool("wc", 0, ""),
    tool("cut", 0, "bcdf"),
    tool("tr", NO_FILES, ""),
    tool("nl", 0, "bdfhilnsvw"),
    tool("rev", 0, ""),
    tool("paste", 0, "d"),
    tool("comm", 0, ""),
    tool("fold", 0, "w"),
    tool("od", 0, "AjNStw"),
    tool("strings", 0, "nte"),
    tool("sha256sum", 0, ""),
    tool("md5sum", 0, ""),
    tool("base64", 0, "w"),
    tool("column", 0, "csoN"),
    tool("diff", 0, "U"),
    tool("seq", NO_FILES, "fs"),
    tool("basename", NO_FILES, "s"),
    tool("dirname", NO_FILES, ""),
    tool("ls", NO_FILES, "Iw"),
    Tool {
        reads: "frR",
        ..tool("grep", 1, "eABCm")
    },
    Tool {
        acts: "oT",
        ..tool("sort", 0, "kSt")
    },
    Tool {
        writes: 2,
        ..tool("uniq", 0, "fsw")
    },
    Tool {
        writes: 2,
        ..tool("xxd", 0, "clgs")
    },
    Tool {
        reads: "X",
        ..tool("du", NO_FILES, "dtBX")
    },
    Tool {
        acts: "v",
        ..tool("printf", NO_FILES, "")
    },
];

/// Long options that only change how something is shown.
const LONG: [&str; 44] = [
    "--lines",
    "--bytes",
    "--chars",
    "--words",
    "--color",
    "--ignore-case",
    "--count",
    "--reverse",
    "--unique",
    "--numeric-sort",
    "--key",
    "--field-separator",
    "--delimiter",
    "--fields",
    "--characters",
    "--invert-match",
    "--only-matching",
    "--extended-regexp",
    "--perl-regexp",
    "--fixed-strings",
    "--word-regexp",
    "--line-regexp",
    "--line-number",
    "--regexp",
    "--max-count",
    "--after-context",
    "--before-context",
    "--context",
    "--quiet",
    "--decode",
    "--wrap",
    "--table",
    "--separator",
    "--version",
    "--help",
    "--unified",
    "--repeated",
    "--all",
    "--long",
    "--delete",
    "--squeeze-repeats",
    "--complement",
    "--human-readable",
    "--version-sort",
];

/// Names that are a command of `PowerShell` or an alias there, and another program, or a builtin that runs what it is given, here.
const ELSEWHERE: [&str; 40] = [
    "fc", "write", "select", "where", "foreach", "group", "measure", "ft", "fl", "fw", "gm", "oh",
    "gcm", "gi", "gci", "gc", "gl", "gv", "gal", "gps", "gsv", "gjb", "rvpa", "cvpa", "sls",
    "rcjb", "wjb", "sl", "sc", "si", "sp", "ni", "md", "r", "start", "clear", "cls", "%", "?",
    "ac",
];

/// Whether a rule about this name, in lower case, would be about another command of that name.
pub(super) fn is_elsewhere(name: &str) -> bool {
    ELSEWHERE.contains(&name)
        || name.split_once('-').is_some_and(|(verb, _)| {
            [
                "get", "search", "find", "test", "show", "select", "read", "sort", "split", "join",
            ]
            .contains(&verb)
        })
}

/// What a program of this name does. `None`: it is not one of these.
pub(super) fn effects(name: &str, command: &Command) -> Option<Vec<(Effect, &'static str)>> {
    if name == "jq" {
        return Some(jq(command));
    }
    let tool = TOOLS.iter().find(|tool| tool.name == name)?;
    let mut found = Vec::new();
    let (mut operands, mut skip, mut ended, mut has_pattern) = (Vec::new(), false, false, false);
    for element in &command.elements {
        match element {
            // Even one that begins with a dash is the value of the option before it.
            _ if skip => skip = false,
            Element::Argument(value) => operands.push(value),
            Element::Parameter { name, .. } if name == "--" => ended = true,
            Element::Parameter { name, .. } if ended => {
                // Behind `--` even this is a file.
                found.push(local::file(Some(name)));
            }
            Element::Parameter { name, .. } if name.starts_with("--") => {
                has_pattern |= name == "--regexp";
                if !LONG.contains(&name.as_str()) {
                    found.push((Effect::UnknownCode, UNKNOWN_OPTION));
                }
            }
            Element::Parameter { name, value } => {
                let attached = value.as_ref().and_then(Value::as_text).unwrap_or_default();
                let letters: Vec<char> = name.chars().skip(1).chain(attached.chars()).collect();
                for (at, letter) in letters.iter().enumerate() {
                    if tool.acts.contains(*letter) {
                        found.push((Effect::WritesLocalFiles, "the option makes it write"));
                    }
                    if tool.reads.contains(*letter) {
                        found.push(local::file(None));
                    }
                    if tool.takes.contains(*letter) {
                        has_pattern |= tool.name == "grep" && *letter == 'e';
                        skip = at + 1 == letters.len();
                        break;
                    }
                }
            }
        }
    }
    let before = tool.before_files - usize::from(has_pattern && tool.before_files == 1);
    for (at, operand) in operands.into_iter().skip(before).enumerate() {
        if at + 1 >= tool.writes {
            found.push((Effect::WritesLocalFiles, "it writes the file of this name"));
        } else if *operand != Value::Block && operand.as_text() != Some("-") {
            found.push(local::file(known(operand)));
        }
    }
    if found.is_empty() {
        found.push((Effect::Reads, "it only looks"));
    }
    Some(found)
}

/// What is known of a file's name.
fn known(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) | Value::Pattern(text) => Some(text),
        Value::Flag(_)
        | Value::Block
        | Value::List(_)
        | Value::Table(_)
        | Value::Variable(_)
        | Value::Expression
        | Value::Unknown => None,
    }
}

const UNKNOWN_OPTION: &str = "an option of it is not known";

/// What the words of a service's program do beside what the rules say: `@FILE` is a file's content wherever it stands, and a
/// request goes with the sign-in's token to the address that it names.
pub(super) fn of_service(name: &str, command: &Command) -> Vec<(Effect, &'static str)> {
    let mut found = Vec::new();
    if !matches!(name, "az" | "m365") {
        return found;
    }
    for value in command.values() {
        match value {
            Value::Text(text) if text.len() > 1 && text.starts_with('@') => {
                found.push(local::file(Some(text)));
            }
            Value::Pattern(text) if text.starts_with('@') => found.push(local::file(Some(text))),
            Value::Unknown => found.push((
                Effect::ReadsLocalFiles,
                "a value that begins with `@` is a file's content",
            )),
            _ => {}
        }
    }
    let sends = matches!(
        (name, command.words.first().map(String::as_str)),
        ("az", Some("rest")) | ("m365", Some("request"))
    );
    if sends {
        let mut addresses = command
            .parameters()
            .filter(|(name, _)| {
                *name == "-u"
                    || (name.len() > 3
                        && ["--url", "--uri"].iter().any(|full| full.starts_with(name)))
            })
            .map(|(_, value)| value)
            .peekable();
        let is_home = addresses.peek().is_some()
            && addresses.all(|value| value.is_some_and(super::request::stays_home));
        if !is_home {
            found.push((
                Effect::UnknownCode,
                "the request, and the sign-in's token with it, may go to an address that is not the service's",
            ));
        }
        if command
            .values()
            .filter_map(Value::as_text)
            .any(super::request::is_secret)
        {
            found.push((Effect::RevealsSecret, "the answer is a secret"));
        }
    }
    found
}

/// `jq FILTER [FILE…]`: its language can read files and the environment.
fn jq(command: &Command) -> Vec<(Effect, &'static str)> {
    let mut found = Vec::new();
    let (mut operands, mut skip) = (Vec::new(), 0);
    for element in &command.elements {
        match element {
            _ if skip > 0 => skip -= 1,
            Element::Argument(value) => operands.push(value),
            Element::Parameter { name, value } => match name.as_str() {
                "--arg" | "--argjson" => skip = 2,
                "--indent" => skip = 1,
                "--raw-output"
                | "--compact-output"
                | "--slurp"
                | "--null-input"
                | "--exit-status"
                | "--join-output"
                | "--tab"
                | "--sort-keys"
                | "--ascii-output"
                | "--raw-input"
                | "--monochrome-output"
                | "--color-output"
                | "--help"
                | "--version" => {}
                short if !short.starts_with("--") => {
                    let attached = value.as_ref().and_then(Value::as_text).unwrap_or_default();
                    if short.contains(['f', 'L']) || attached.contains(['f', 'L']) {
                        found.push(local::file(None));
                    }
                }
                _ => found.push((Effect::UnknownCode, UNKNOWN_OPTION)),
            },
        }
    }
    let mut operands = operands.into_iter();
    match operands.next() {
        Some(Value::Text(filter)) => {
            // Blanks and comments may part the dollar from the name.
            if has_word(filter, "env") || has_word(filter, "ENV") {
                found.push((
                    Effect::RevealsSecret,
                    "the filter shows the environment, which may hold secrets",
                ));
            }
            if has_word(filter, "import") || has_word(filter, "include") {
                found.push(local::file(None));
            }
        }
        Some(_) => found.push((Effect::UnknownCode, "its filter is only known when it runs")),
        None => {}
    }
    for operand in operands {
        if *operand != Value::Block {
            found.push(local::file(known(operand)));
        }
    }
    if found.is_empty() {
        found.push((Effect::Reads, "it only looks"));
    }
    found
}

/// Whether a name stands in a filter as itself, not as a field (`.env`) or a part of another word.
fn has_word(filter: &str, word: &str) -> bool {
    filter.match_indices(word).any(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let before = filter[..at].chars().next_back();
        let after = filter[at + word.len()..].chars().next();
        !before.is_some_and(|c| is_part(c) || c == '.') && !after.is_some_and(is_part)
    })
}
