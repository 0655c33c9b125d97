//! From a Bash text to what it runs, by way of the grammar.

use std::cell::RefCell;

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
        }
        None => found.doubts.push(Doubt {
            why: "the parser gave up",
            line: 1,
        }),
    }
    found
}

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
            "declaration_command" | "unset_command" => {
                let name = node.child(0).map(|word| self.slice(word).to_owned());
                self.found.commands.push(Command {
                    first: name.clone().unwrap_or_default(),
                    name,
                    line: line(node),
                    ..Command::default()
                });
            }
            // An index in a variable's name, or in its value, is arithmetic, and arithmetic runs the commands in it.
            "arithmetic_expansion" | "test_command" | "subscript" | "c_style_for_statement" => {
                let names = |c: char| c.is_alphabetic() || c == '$';
                if self.slice(node).contains(names) {
                    self.doubt("arithmetic and tests may run what a variable holds", node);
                }
            }
            "file_redirect" => {
                let reads = super::tree::child(node, "<").is_some();
                let last = node.child_count().checked_sub(1);
                let target = last.and_then(|at| node.child(at));
                if let (false, Some(target)) = (reads, target) {
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
                if text.chars().any(|c| c.is_ascii_uppercase()) {
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

    fn command(&self, node: Node<'_>) -> Command {
        let mut command = Command {
            line: line(node),
            operator: Operator::Plain,
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
                let value = value.map_or(Value::Unknown, Value::Text);
                command.elements.push(Element::Argument(value));
            }
        }
        command.many = is_repeated(node);
        command
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
