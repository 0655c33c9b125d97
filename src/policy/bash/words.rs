//! One call of a text, and its words, as far as the text alone tells them.

use tree_sitter::Node;

use super::super::parsed::{Command, Element, Operator, Value};
use super::super::tree;
use super::{Reader, line};

/// Stands for the part of a text that is not known.
const VARIES: &str = "\0";

/// Stands for a word that is not known: no rule has it, and no literal can be it.
const UNKNOWN_WORD: &str = "\0";

impl Reader<'_> {
    pub(super) fn command(&self, node: Node<'_>) -> Command {
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

/// Whether a command takes what a pipeline brings, or stands in a block that may run more than once.
fn is_repeated(command: Node<'_>) -> bool {
    tree::has_ancestor(command, |node, parent| match parent.kind() {
        "pipeline" => node.prev_named_sibling().is_some(),
        "do_group" | "function_definition" => true,
        _ => false,
    })
}

fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut value = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        value.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    value
}
