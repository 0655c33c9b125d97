//! From a Bash text to what it runs, by way of the grammar.

use std::borrow::Cow;
use std::cell::RefCell;

use tree_sitter::{Node, Parser};

use super::parsed::{Command, Doubt, Parsed, Word};
use hidden::is_plain_expansion;

mod hidden;
mod words;

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
    let tree = PARSER.with_borrow_mut(|parser| parser.parse(&*harmless(text), None));
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

/// `text` as the grammar may have it: with an `é`, and an `x` behind it where three bytes stood, for each character beyond ASCII,
/// so that every place stays the same. To Bash they are all the same, a letter of a word. The grammar takes some for blanks;
/// and its scanner asks `isdigit` of whatever follows a `{`, which reads far outside of a table and brings the process down.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c.len_utf8() {
            1 => plain.push(c),
            2 => plain.push('é'),
            3 => plain.push_str("éx"),
            _ => plain.push_str("éé"),
        }
    }
    Cow::Owned(plain)
}

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
}

/// Whether it gives the address of a proxy: all of the environment that a session has and that may hold a password.
fn is_proxy(text: &str) -> bool {
    text.to_lowercase().contains("_proxy")
}

fn line(node: Node<'_>) -> usize {
    node.start_position().row + 1
}
