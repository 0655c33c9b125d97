//! What a command reads of this machine: files, the environment, and the session's own variables. Reading the tenant is what
//! a session is for; what lies on the machine beside it is somebody's, and may be a key.

use super::literal::VARIES;
use super::parsed::{Command, Element, Value};
use crate::script::{Effect, Glob};

/// Commands that show what is in a file, in lower case.
const READERS: [&str; 20] = [
    "select-xml",
    "convertfrom-markdown",
    "show-markdown",
    "get-pnptracelog",
    "get-content",
    "gc",
    "type",
    "cat",
    "import-csv",
    "ipcsv",
    "import-clixml",
    "import-powershelldatafile",
    "import-localizeddata",
    "get-filehash",
    "format-hex",
    "fhx",
    "get-pfxcertificate",
    "read-pnpsitetemplate",
    "read-pnptenanttemplate",
    "get-clipboard",
];

/// Commands that list a place, whatever kind of place it is.
const LISTERS: [&str; 10] = [
    "get-childitem",
    "gci",
    "dir",
    "ls",
    "get-item",
    "gi",
    "get-itemproperty",
    "gp",
    "get-itempropertyvalue",
    "gpv",
];

/// Commands that go to a place, so that later names are looked for there.
const MOVERS: [&str; 6] = [
    "set-location",
    "cd",
    "sl",
    "chdir",
    "push-location",
    "pushd",
];

/// Parts of the paths of files that hold keys, tokens or passwords, in lower case.
const KEYS: [&str; 31] = [
    ".ssh",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    ".pem",
    ".pfx",
    ".p12",
    ".key",
    ".kdbx",
    ".azure",
    "/.mg",
    "msal",
    "token",
    "secret",
    "passw",
    "credential",
    "/etc/shadow",
    "/proc/",
    "m365-connections",
    ".gnupg",
    ".aws",
    ".kube",
    ".docker",
    ".netrc",
    ".pgpass",
    ".env",
    ".cli-m365",
    "audit.key",
    "mm.db",
    "_history",
    "powershell/psreadline",
];

/// Variables of the environment that hold no secret, in lower case.
const PLAIN_ENVIRONMENT: [&str; 22] = [
    "path",
    "home",
    "user",
    "username",
    "userprofile",
    "logname",
    "temp",
    "tmp",
    "tmpdir",
    "computername",
    "hostname",
    "userdomain",
    "os",
    "lang",
    "lc_all",
    "tz",
    "term",
    "shell",
    "pwd",
    "psmodulepath",
    "homedrive",
    "homepath",
];

/// Reading a file, and why that is said.
const FILE: (Effect, &str) = (
    Effect::ReadsLocalFiles,
    "it shows what is in a file of this machine",
);
const KEY_FILE: (Effect, &str) = (
    Effect::RevealsSecret,
    "the file's name is one that keys, tokens or passwords have",
);
const ENVIRONMENT: (Effect, &str) = (
    Effect::RevealsSecret,
    "the environment may hold secrets of programs",
);
const VARIABLES: (Effect, &str) = (
    Effect::UnknownCode,
    "it hands out the session's own settings, which can then be changed",
);

/// What follows from reading the file of this name. `None`: the name is only known when the text runs.
pub(super) fn file(path: Option<&str>) -> (Effect, &'static str) {
    let path = path.map(|path| path.to_lowercase().replace('\\', "/"));
    match path {
        Some(path) if KEYS.iter().any(|key| path.contains(key)) => KEY_FILE,
        Some(_) | None => FILE,
    }
}

/// What follows from naming a variable of a drive (`$env:NAME`, `${c:/file}`), without its dollar and braces.
pub(super) fn drive(variable: &str) -> Option<(Effect, &'static str)> {
    let (drive, name) = variable.split_once(':')?;
    match drive.to_lowercase().as_str() {
        "global" | "script" | "local" | "private" | "using" | "variable" => None,
        "env" if PLAIN_ENVIRONMENT.contains(&name.to_lowercase().as_str()) => None,
        "env" => Some(ENVIRONMENT),
        "function" | "alias" => Some((
            Effect::UnknownCode,
            "it is the code of a command, which then runs under no name",
        )),
        _ => Some(file(Some(name))),
    }
}

/// What a `PowerShell` command of this name, in lower case and without its module, shows of this machine.
pub(super) fn shown(name: &str, command: &Command) -> Option<(Effect, &'static str)> {
    let texts: Vec<&str> = command.values().flat_map(Value::texts).collect();
    let has_unknown = || {
        let is = |value: &Value| match value {
            Value::Block => true,
            Value::Pattern(text) => text.starts_with(VARIES),
            other => other.is_unknown(),
        };
        command.values().any(|value| match value {
            Value::List(values) => values.iter().any(is),
            other => is(other),
        })
    };
    let reads = READERS.contains(&name) || is_search_in_files(name, command);
    if reads || LISTERS.contains(&name) {
        if texts.iter().any(|text| is_in(text, "env", "environment")) {
            return Some(ENVIRONMENT);
        }
        if texts.iter().any(|text| is_in(text, "variable", "variable")) {
            return Some(VARIABLES);
        }
    }
    if reads {
        let secret = texts.iter().map(|text| file(Some(text)));
        return secret
            .filter(|(effect, _)| *effect == Effect::RevealsSecret)
            .chain([FILE])
            .next();
    }
    if LISTERS.contains(&name) && has_unknown() {
        let why = "the place that it lists is only known when it runs";
        return Some((Effect::ReadsLocalFiles, why));
    }
    if MOVERS.contains(&name) && (has_unknown() || texts.iter().any(|text| is_other_drive(text))) {
        let why = "later names may be those of commands or settings instead of files";
        return Some((Effect::UnknownCode, why));
    }
    if matches!(name, "get-variable" | "gv") {
        let named = |text: &&str| !text.contains(['*', '?', '[']);
        let is_plain = !texts.is_empty() && texts.iter().all(named) && !has_unknown();
        return (!is_plain).then_some(VARIABLES);
    }
    if matches!(name, "get-command" | "gcm" | "get-help" | "help") {
        let is_path = |text: &&str| text.contains(['/', '\\']) && text.contains('.');
        return texts.iter().any(is_path).then_some(FILE);
    }
    None
}

/// Parameters that keep something in a variable.
const KEEPERS: [&str; 9] = [
    "ResponseHeadersVariable",
    "SessionVariable",
    "StatusCodeVariable",
    "OutVariable",
    "ErrorVariable",
    "WarningVariable",
    "InformationVariable",
    "PipelineVariable",
    "Variable",
];

/// Their aliases, and what is short for `PipelineVariable` alone.
const SHORT_KEEPERS: [&str; 8] = ["ov", "ev", "wv", "iv", "pv", "pi", "pip", "rhv"];

/// The values of such parameters.
fn keepers(command: &Command) -> impl Iterator<Item = Option<&Value>> {
    command.parameters().filter_map(|(name, value)| {
        let name = name.to_lowercase();
        let is_long = name.len() > 3
            && KEEPERS
                .iter()
                .any(|full| Glob::new(full).fits_parameter(&name));
        (is_long || SHORT_KEEPERS.contains(&name.as_str())).then_some(value)
    })
}

/// The variables, in lower case, that parameters of a command set.
pub(super) fn kept_in(command: &Command) -> impl Iterator<Item = String> {
    keepers(command)
        .flatten()
        .filter_map(Value::as_text)
        .map(|name| name.trim_start_matches('+').to_lowercase())
}

/// Whether a parameter that keeps output in a variable may keep it elsewhere: the name of a variable can be that of a drive.
pub(super) fn keeps_elsewhere(command: &Command) -> bool {
    keepers(command).any(|value| match value {
        Some(Value::Text(text)) => text.contains(':'),
        Some(_) => true,
        None => false,
    })
}

/// `Select-String` with anything but texts that `Out-String` brings it: it opens files that are named, and those that a
/// pipeline brings.
fn is_search_in_files(name: &str, command: &Command) -> bool {
    if !matches!(name, "select-string" | "sls") {
        return false;
    }
    let texts = matches!(command.fed_by.as_deref(), Some("out-string"));
    let is_file = |element: &Element| match element {
        Element::Argument(_) => true,
        Element::Parameter { name, .. } => {
            let name = name.to_lowercase();
            let files = ["path", "literalpath", "pspath", "lp"];
            files.iter().any(|full| full.starts_with(&name))
        }
    };
    let only_pattern = match command.elements.as_slice() {
        [Element::Argument(_), rest @ ..] => !rest.iter().any(is_file),
        [
            Element::Parameter { name, value: None },
            Element::Argument(_),
        ] => name.len() > 3 && "pattern".starts_with(&name.to_lowercase()),
        _ => false,
    };
    !(texts && only_pattern)
}

/// Whether a path lies in a drive, or in the provider of such drives.
fn is_in(path: &str, drive: &str, provider: &str) -> bool {
    let path = path.to_lowercase();
    path.strip_prefix(drive)
        .is_some_and(|rest| rest.starts_with(':'))
        || path.contains(&format!("{provider}::"))
}

/// Whether a path is that of a drive which holds no files. A letter is a drive of files.
fn is_other_drive(path: &str) -> bool {
    path.split_once(':').is_some_and(|(drive, rest)| {
        (drive.len() > 1 && !drive.eq_ignore_ascii_case("temp")) || rest.starts_with(':')
    })
}
