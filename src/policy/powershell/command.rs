//! One call of a text: its name, and where it stands.

use tree_sitter::Node;

use super::super::parsed::{Command, Element, Operator, Value};
use super::super::{literal, tree};
use super::values::SPLAT;
use super::{Reader, innermost};

impl Reader<'_, '_> {
    pub(super) fn command(&self, node: Node<'_>) -> Command {
        let mut command = Command {
            line: self.line(node),
            in_filter: self.is_in_filter(node),
            fed_by: self.fed_by(node),
            is_fed: is_fed(node),
            shown: self.shown(node),
            ..Command::default()
        };
        let mut cursor = node.walk();
        for part in node.children(&mut cursor) {
            match part.kind() {
                "command_invocation_operator" => {
                    command.operator = if self.text(part).starts_with('&') {
                        Operator::Ampersand
                    } else {
                        Operator::Dot
                    };
                }
                "command_name" => {
                    self.text(part).clone_into(&mut command.first);
                    command.name_end = self.written.place(part.end_byte());
                    command.name = literal::word(&command.first);
                }
                "command_name_expr" => {
                    self.text(part).clone_into(&mut command.first);
                    command.name_end = self.written.place(part.end_byte());
                    let what = innermost(part);
                    command.block = what.kind() == "script_block_expression";
                    command.name = self.called(what);
                }
                "command_elements" => {
                    command.elements = self.elements(part);
                    command.splat = command.elements.iter().any(is_splat);
                }
                _ => {}
            }
        }
        command.elements.retain(|element| !is_splat(element));
        command.many =
            is_repeated(node) || command.values().any(is_many) || has_comma(self.text(node));
        command
    }

    /// The command before it in its pipeline.
    fn fed_by(&self, node: Node<'_>) -> Option<String> {
        let before = node.prev_named_sibling()?;
        let name = tree::child(before, "command_name")?;
        (before.kind() == "command").then(|| self.text(name).to_lowercase())
    }

    /// Whether the nearest script block around the node is the value of `-Filter`, of a command that begins with `Get-`.
    /// Only there: `Where-Object -Filter` is short for `-FilterScript`, which runs.
    fn is_in_filter(&self, node: Node<'_>) -> bool {
        let filter = enclosing_block(node).and_then(|block| {
            let mut argument = block;
            while argument
                .parent()
                .is_some_and(|parent| parent.kind() != "command_elements")
            {
                argument = argument.parent()?;
            }
            let mut before = argument.prev_sibling()?;
            while before.kind() == "command_argument_sep" {
                before = before.prev_sibling()?;
            }
            let is_filter = before.kind() == "command_parameter"
                && self.text(before).eq_ignore_ascii_case("-Filter");
            let command = argument.parent()?.parent()?;
            let name = tree::child(command, "command_name")?;
            let reads = self
                .text(name)
                .get(..4)
                .is_some_and(|verb| verb.eq_ignore_ascii_case("get-"));
            Some(is_filter && reads)
        });
        filter == Some(true)
    }

    /// The name that `&` or `.` calls, where it is a literal.
    pub(super) fn called(&self, what: Node<'_>) -> Option<String> {
        match what.kind() {
            "command_name" | "generic_token" => literal::word(self.text(what)),
            "path_command_name" => {
                let varies = tree::child(what, "variable").is_some();
                (!varies).then(|| literal::word(self.text(what))).flatten()
            }
            "verbatim_string_characters"
            | "expandable_string_literal"
            | "expandable_here_string_literal"
            | "verbatim_here_string_characters" => literal::string(self.text(what)),
            _ => None,
        }
    }
}

/// Whether it is `1..3`: an expression, which the grammar takes for a name where blanks follow.
pub(super) fn is_range(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once("..")
        .is_some_and(|(from, to)| is_number(from) && is_number(to))
}

fn is_splat(element: &Element) -> bool {
    match element {
        Element::Argument(value)
        | Element::Parameter {
            value: Some(value), ..
        } => value.as_text() == Some(SPLAT),
        Element::Parameter { value: None, .. } => false,
    }
}

/// Whether a command takes what a pipeline brings, or stands in a block that may run more than once.
fn is_repeated(command: Node<'_>) -> bool {
    tree::has_ancestor(command, |node, parent| match parent.kind() {
        "pipeline_chain" => node.prev_named_sibling().is_some(),
        "script_block_expression"
        | "foreach_statement"
        | "for_statement"
        | "while_statement"
        | "do_statement"
        | "function_statement"
        | "class_method_definition" => true,
        _ => false,
    })
}

/// Whether a pipeline brings the command something.
fn is_fed(command: Node<'_>) -> bool {
    let parent = command.parent();
    parent.is_some_and(|parent| parent.kind() == "pipeline_chain")
        && command.prev_named_sibling().is_some()
}

/// Whether a comma stands outside quotes: a list, wherever the grammar puts its members. Too much is taken for one rather than
/// too little.
fn has_comma(text: &str) -> bool {
    let mut quote = None;
    text.chars().any(|c| {
        match quote {
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(open) if open == c => quote = None,
            None | Some(_) => {}
        }
        quote.is_none() && c == ','
    })
}

/// Whether a value stands for several.
fn is_many(value: &Value) -> bool {
    matches!(value, Value::List(_)) || value.texts().iter().any(|text| text.contains('*'))
}

/// The script block whose only command, or first one of a pipeline, the node is.
fn enclosing_block(mut node: Node<'_>) -> Option<Node<'_>> {
    // At most five nodes lie between them.
    for _ in 0..8 {
        node = node.parent()?;
        match node.kind() {
            "script_block_expression" => return Some(node),
            "command" => return None,
            _ => {}
        }
    }
    None
}
