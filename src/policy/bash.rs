//! From a Bash text to what it runs, by way of the grammar.

use std::cell::RefCell;
use std::collections::BTreeSet;

use tree_sitter::{Node, Parser};

use super::parsed::{Command, Doubt, Element, Operator, Parsed, Value, Word};

thread_local! {
    static PARSER: RefCell<Parser> = RefCell::new({
        let mut parser = Parser::new();
        parser
            .set_language(&tree_sitter_bash::LANGUAGE.into())
            .expect("the grammar is of a version that the library reads");
        parser
    });
}

/// Programs that run the words after them, or a text, as a command.
const RUNNERS: [&str; 24] = [
    "eval", "exec", "source", ".", "bash", "sh", "zsh", "dash", "env", "sudo", "su", "xargs",
    "nohup", "time", "timeout", "nice", "command", "builtin", "trap", "alias", "find", "parallel",
    "ssh", "enable",
];

/// Names in upper case that people give to variables of their own, and that no program has for a setting.
const OWN_NAMES: [&str; 24] = [
    "RG",
    "RESOURCE_GROUP",
    "SUB",
    "SUBS",
    "SUBSCRIPTION",
    "SUBSCRIPTION_ID",
    "VM",
    "VMS",
    "NAME",
    "NAMES",
    "ID",
    "IDS",
    "LOCATION",
    "APP_ID",
    "VAULT",
    "TENANT_ID",
    "USER_ID",
    "GROUP_ID",
    "RESULT",
    "RESULTS",
    "COUNT",
    "OUTPUT",
    "SITE",
    "URL",
];

/// What `text` runs. Total: a text that is no Bash is one that is not understood.
pub(crate) fn parse(text: &str) -> Parsed {
    let tree = PARSER.with_borrow_mut(|parser| parser.parse(text, None));
    let mut found = Parsed::default();
    match tree {
        Some(tree) => {
            let mut reader = Reader {
                text,
                found: &mut found,
            };
            if text
                .chars()
                .any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
            {
                reader.doubt("it holds control characters", tree.root_node());
            }
            super::tree::each(tree.root_node(), |node| reader.read(node));
            reader.unseen(tree.root_node());
        }
        None => found.doubts.push(Doubt {
            why: "the parser gave up",
            line: 1,
        }),
    }
    found
}

/// Stands for the part of a text that is not known.
const VARIES: &str = "\0";

/// Stands for a word that is not known: no rule has it, and no literal can be it.
const UNKNOWN_WORD: &str = "\0";

struct Reader<'r> {
    text: &'r str,
    found: &'r mut Parsed,
}

impl Reader<'_> {
    fn slice(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    fn word(&self, node: Node<'_>) -> Word {
        Word {
            text: self.slice(node).to_owned(),
            line: line(node),
        }
    }

    fn doubt(&mut self, why: &'static str, node: Node<'_>) {
        if self.found.doubts.iter().all(|doubt| doubt.why != why) {
            self.found.doubts.push(Doubt {
                why,
                line: line(node),
            });
        }
    }

    fn read(&mut self, node: Node<'_>) {
        if node.is_error() || node.is_missing() {
            self.doubt("syntax error", node);
            return;
        }
        match node.kind() {
            "command" => {
                let command = self.command(node);
                let name = command.name.as_deref().unwrap_or_default();
                if matches!(name, "exit" | "logout") {
                    self.found.exits.push(command.line);
                }
                // `sort -o FILE` writes it.
                let is_output = |word: &str| {
                    word.starts_with("--o")
                        || (!word.starts_with("--") && word.starts_with('-') && word.contains('o'))
                };
                if name == "sort" && self.slice(node).split_whitespace().any(is_output) {
                    let word = self.word(node);
                    self.found.redirects.push(word);
                }
                if RUNNERS.contains(&name) {
                    self.doubt("it runs its words, or a text, as a command", node);
                }
                self.found.commands.push(command);
            }
            "simple_expansion" | "expansion" if is_proxy(self.slice(node)) => {
                let text = "env:PROXY".to_owned();
                let line = line(node);
                self.found.drives.push(Word { text, line });
            }
            "expansion" if !is_plain_expansion(self.slice(node)) => {
                self.doubt(
                    "an expansion that sets a variable, or runs what one holds",
                    node,
                );
            }
            "heredoc_start" => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '\'' | '"');
                if !self.slice(node).chars().all(plain) {
                    self.doubt("the end of a text in the text is not plain", node);
                }
            }
            "declaration_command" | "unset_command" => {
                let name = node.child(0).map(|word| self.slice(word).to_owned());
                self.found.commands.push(Command {
                    first: name.clone().unwrap_or_default(),
                    name,
                    line: line(node),
                    ..Command::default()
                });
            }
            "arithmetic_expansion"
            | "test_command"
            | "subscript"
            | "c_style_for_statement"
            | "compound_statement" => self.arithmetic(node),
            "file_redirect" => self.redirect(node),
            "function_definition" => {
                let name = super::tree::child(node, "word").unwrap_or(node);
                let word = self.word(name);
                self.found.functions.push(word);
                self.doubt("a function may take the place of a program", node);
            }
            "variable_assignment" => {
                let name = super::tree::child(node, "variable_name").unwrap_or(node);
                let text = self.slice(name);
                // Lower case by custom: the programs' own settings are in upper case, and change what they do.
                let is_setting = text.chars().any(|c| c.is_ascii_uppercase())
                    || text.to_lowercase().ends_with("_proxy");
                if is_setting && !OWN_NAMES.contains(&text) {
                    let text = format!("$env:{text}");
                    self.found.assigns.push(Word {
                        text,
                        line: line(node),
                    });
                }
            }
            _ => {}
        }
    }

    /// Every command that stands in a text has to be a node of the tree: the grammar takes what stands in the pattern of an
    /// expansion, or in backticks in a here-document, for a mere text.
    fn unseen(&mut self, root: Node<'_>) {
        let mut known = BTreeSet::new();
        let (mut plain, mut in_backticks) = (Vec::<std::ops::Range<usize>>::new(), false);
        super::tree::each(root, |node| {
            let text = self.slice(node);
            match node.kind() {
                "command_substitution" | "arithmetic_expansion" => {
                    known.insert(node.start_byte());
                    if text.starts_with('`') {
                        in_backticks = true;
                        known.insert(node.end_byte() - 1);
                    }
                }
                "raw_string" | "ansi_c_string" | "comment" => plain.push(node.byte_range()),
                "heredoc_body" if self.is_quoted_body(node) => plain.push(node.byte_range()),
                _ => {}
            }
        });
        let escaped = |at: usize| {
            let before = self.text[..at].bytes().rev();
            !in_backticks && before.take_while(|byte| *byte == b'\\').count() % 2 == 1
        };
        let begins = self
            .text
            .match_indices('`')
            .chain(self.text.match_indices("$("));
        // In the order of their beginnings; none lies in another.
        let is_plain = |at: usize| {
            let next = plain.partition_point(|range| range.start <= at);
            next > 0 && plain[next - 1].contains(&at)
        };
        let is_unseen = begins
            .map(|(at, _)| at)
            .any(|at| !known.contains(&at) && !escaped(at) && !is_plain(at));
        if is_unseen {
            self.doubt("a command stands where the parser sees only a text", root);
        }
    }

    /// Whether nothing is expanded in a here-document: its end is named in quotes.
    fn is_quoted_body(&self, body: Node<'_>) -> bool {
        let start = body
            .parent()
            .and_then(|parent| super::tree::child(parent, "heredoc_start"));
        start.is_some_and(|start| self.slice(start).contains(['\'', '"', '\\']))
    }

    /// An index in a variable's name, or in its value, is arithmetic, and arithmetic runs the commands in it.
    fn arithmetic(&mut self, node: Node<'_>) {
        let text = self.slice(node);
        let counts = match node.kind() {
            "test_command" => {
                let tests = ["-v", "-R", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "(("];
                tests.iter().any(|test| text.contains(test))
            }
            "compound_statement" => text.starts_with("(("),
            _ => true,
        };
        if counts && text.contains(|c: char| c.is_alphabetic() || c == '$') {
            self.doubt("arithmetic and tests may run what a variable holds", node);
        }
    }

    fn redirect(&mut self, node: Node<'_>) {
        let reads = super::tree::child(node, "<").is_some();
        let last = node.child_count().checked_sub(1);
        let target = last.and_then(|at| node.child(at));
        if let (true, Some(target)) = (reads, target) {
            if self.slice(target) != "/dev/null" {
                let word = self.word(target);
                self.found.files.push(word);
            }
        } else if let Some(target) = target {
            let is_descriptor = self
                .slice(target)
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
            if !is_descriptor {
                let word = self.word(target);
                self.found.redirects.push(word);
            }
        }
    }

    fn command(&self, node: Node<'_>) -> Command {
        let mut command = Command {
            line: line(node),
            operator: Operator::Plain,
            is_program: true,
            ..Command::default()
        };
        let (mut named, mut options) = (false, false);
        let mut cursor = node.walk();
        for part in node.named_children(&mut cursor) {
            if part.kind() == "command_name" {
                self.slice(part).clone_into(&mut command.first);
                command.name = part.named_child(0).and_then(|name| self.literal(name));
                named = true;
            } else if named && !part.kind().ends_with("_redirect") {
                let value = self.literal(part);
                match &value {
                    Some(text) if text.starts_with('-') => {
                        let asks = matches!(text.as_str(), "--help" | "-h" | "--version");
                        if command.words.is_empty() && !options && !asks {
                            command.words.push(UNKNOWN_WORD.to_owned());
                        }
                        options = true;
                    }
                    Some(text) if !options => command.words.push(text.clone()),
                    // It might be the word that says what is done.
                    None if !options => {
                        command.words.push(UNKNOWN_WORD.to_owned());
                        options = true;
                    }
                    Some(_) | None => {}
                }
                command.splat |= self.may_be_several(part);
                let element = match value {
                    Some(text) => element(text),
                    None => Element::Argument(self.value(part)),
                };
                command.elements.push(element);
            }
        }
        command.many = is_repeated(node);
        command
    }

    /// Whether a word may become several, or an option: outside quotes, what a variable holds is parted at its blanks.
    fn may_be_several(&self, node: Node<'_>) -> bool {
        let text = self.slice(node);
        match node.kind() {
            "simple_expansion"
            | "expansion"
            | "command_substitution"
            | "brace_expression"
            | "ansi_c_string" => true,
            "word" => {
                (text.contains('{') && (text.contains(',') || text.contains("..")))
                    || (text.starts_with('-') && text.contains(['*', '?', '[', '{']))
            }
            "concatenation" => {
                let mut cursor = node.walk();
                let parts: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
                let is_braced = text.contains('{') && text.contains(',');
                is_braced || parts.into_iter().any(|part| self.may_be_several(part))
            }
            _ => false,
        }
    }

    /// What is known of a word that varies: how it begins, or how it is written.
    fn value(&self, node: Node<'_>) -> Value {
        let begins = |text: &str| match text {
            "" => Value::Unknown,
            text => Value::Pattern(text.to_owned() + VARIES),
        };
        match node.kind() {
            "word" => begins(self.slice(node)),
            // A descriptor of what a command writes.
            "process_substitution" => Value::Block,
            "string" => match node.named_child(0) {
                Some(first) if first.kind() == "string_content" => begins(self.slice(first)),
                Some(_) | None => Value::Unknown,
            },
            "concatenation" => match node.named_child(0) {
                Some(first) => match self.literal(first) {
                    Some(text) => begins(&text),
                    None => self.value(first),
                },
                None => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    /// A word's value, where nothing in it varies.
    fn literal(&self, node: Node<'_>) -> Option<String> {
        let text = self.slice(node);
        match node.kind() {
            "word" | "number" if !text.contains(['*', '?', '[', '{', '~']) => Some(unescaped(text)),
            "raw_string" => Some(text.trim_matches('\'').to_owned()),
            "string" => {
                let mut cursor = node.walk();
                let varies = node
                    .named_children(&mut cursor)
                    .any(|part| part.kind() != "string_content");
                (!varies).then(|| unescaped(text.trim_matches('"')))
            }
            "concatenation" => {
                let mut cursor = node.walk();
                node.named_children(&mut cursor)
                    .map(|part| self.literal(part))
                    .collect()
            }
            _ => None,
        }
    }
}

/// An option, or an argument. A short option has its value behind it, or is several in one.
fn element(text: String) -> Element {
    let value = |text: &str| (!text.is_empty()).then(|| Value::Text(text.to_owned()));
    if text.starts_with("--") {
        return match text.split_once('=') {
            Some((name, after)) => Element::Parameter {
                name: name.to_owned(),
                value: Some(Value::Text(after.to_owned())),
            },
            None => Element::Parameter {
                name: text,
                value: None,
            },
        };
    }
    let end = text.char_indices().nth(2).map_or(text.len(), |(at, _)| at);
    match text.strip_prefix('-') {
        Some(rest) if !rest.is_empty() => Element::Parameter {
            name: text[..end].to_owned(),
            value: value(&text[end..]),
        },
        Some(_) | None => Element::Argument(Value::Text(text)),
    }
}

/// Whether it gives the address of a proxy: all of the environment that a session has and that may hold a password.
fn is_proxy(text: &str) -> bool {
    text.to_lowercase().contains("_proxy")
}

/// Whether `${…}` only gives what a variable holds, whole, in part or changed. `${x@P}`, `${!x}` and `${x:y}` run what is in it.
fn is_plain_expansion(text: &str) -> bool {
    let Some(inner) = text
        .strip_prefix("${")
        .and_then(|text| text.strip_suffix('}'))
    else {
        return false;
    };
    // What stands in its other half is a text of its own, with quotes of its own.
    if inner.contains(['`', '<', '>']) || inner.contains("$(") {
        return false;
    }
    let inner = inner.strip_prefix('#').unwrap_or(inner);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let rest = inner.trim_start_matches(is_name);
    let length = inner.len() - rest.len();
    if length == 0 {
        return matches!(rest, "@" | "*" | "?" | "$" | "#");
    }
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (None | Some('-' | '+' | '?' | '#' | '%' | '/' | '^' | ','), _)
        | (Some(':'), Some('-' | '+' | '?')) => true,
        (Some(':'), Some(c)) => {
            c.is_ascii_digit() && rest[1..].chars().all(|c| c.is_ascii_digit() || c == ':')
        }
        _ => false,
    }
}

/// Ancestors that are looked at; a text that nests deeper may repeat anything.
const DEPTH: usize = 64;

/// Whether a command takes what a pipeline brings, or stands in a block that may run more than once.
fn is_repeated(command: Node<'_>) -> bool {
    let mut node = command;
    for _ in 0..DEPTH {
        let Some(parent) = node.parent() else {
            return false;
        };
        let repeats = match parent.kind() {
            "pipeline" => node.prev_named_sibling().is_some(),
            "do_group" | "function_definition" => true,
            _ => false,
        };
        if repeats {
            return true;
        }
        node = parent;
    }
    true
}

fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut value = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        value.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    value
}

fn line(node: Node<'_>) -> usize {
    node.start_position().row + 1
}
