//! What a call is given: its parameters and arguments, and what of each the text alone tells.

use tree_sitter::Node;

use super::super::parsed::{Element, Value};
use super::super::{literal, tree, written};
use super::{Reader, innermost};

/// Stands for a splatted variable until the command is whole: no literal has this text.
pub(super) const SPLAT: &str = "\0splat";

impl Reader<'_, '_> {
    pub(super) fn elements(&self, node: Node<'_>) -> Vec<Element> {
        let mut elements: Vec<Element> = Vec::new();
        let mut colon = false;
        let mut cursor = node.walk();
        for part in node.children(&mut cursor) {
            match part.kind() {
                "command_argument_sep" => {
                    colon |= self.text(part).trim() == ":";
                }
                "command_parameter" => {
                    let name = self.text(part).trim_start_matches(written::is_dash);
                    let (name, with_colon) = match name.strip_suffix(':') {
                        Some(name) => (name, true),
                        None => (name, false),
                    };
                    elements.push(Element::Parameter {
                        name: name.to_owned(),
                        value: None,
                    });
                    colon = with_colon;
                }
                "redirection" | "comment" => {}
                _ => {
                    let value = self.value(part);
                    match elements.last_mut() {
                        Some(Element::Parameter { value: absent, .. }) if colon => {
                            *absent = Some(value);
                        }
                        _ => elements.push(Element::Argument(value)),
                    }
                    colon = false;
                }
            }
        }
        elements
    }

    pub(super) fn value(&self, node: Node<'_>) -> Value {
        let node = innermost(node);
        self.pattern(node, self.exact(node))
    }

    /// A value that does not vary.
    pub(super) fn exact(&self, node: Node<'_>) -> Value {
        let text = self.text(node);
        let of = |text: Option<String>| text.map_or(Value::Unknown, Value::Text);
        match node.kind() {
            "generic_token" | "command_parameter" => of(literal::word(text)),
            "verbatim_string_characters"
            | "expandable_string_literal"
            | "expandable_here_string_literal"
            | "verbatim_here_string_characters" => of(literal::string(text)),
            "decimal_integer_literal" | "hexadecimal_integer_literal" | "real_literal" => {
                Value::Text(text.to_owned())
            }
            "script_block_expression" => Value::Block,
            "variable" if text.eq_ignore_ascii_case("$true") => Value::Flag(true),
            "variable" if text.eq_ignore_ascii_case("$false") => Value::Flag(false),
            "variable" if text.starts_with('@') => Value::Text(SPLAT.to_owned()),
            "variable" => super::variables::name(text).map_or(Value::Expression, Value::Variable),
            "hash_literal_expression" => Value::Table(self.of_table(node)),
            "array_literal_expression" | "bareword_argument_list" => {
                let mut cursor = node.walk();
                Value::List(
                    node.named_children(&mut cursor)
                        .map(|part| self.flat_value(part))
                        .collect(),
                )
            }
            _ => self.of_deep(node),
        }
    }

    /// The values of a table. One that the text makes is as plain as a block that it shows.
    fn of_table(&self, table: Node<'_>) -> Vec<Value> {
        let mut cursor = table.walk();
        let bodies: Vec<Node<'_>> = table.named_children(&mut cursor).collect();
        let mut values = Vec::new();
        for body in bodies {
            let mut cursor = body.walk();
            for entry in body.named_children(&mut cursor) {
                let mut value = tree::last(entry).unwrap_or(entry);
                while value.kind().starts_with("pipeline") && value.child_count() == 1 {
                    match value.child(0) {
                        Some(inner) => value = inner,
                        None => break,
                    }
                }
                values.push(match value.kind() {
                    _ if self.is_made(value) => Value::Block,
                    "hash_literal_expression" => Value::Expression,
                    _ => self.flat_value(innermost(value)),
                });
            }
        }
        values
    }

    /// Of a text that varies it is known what does not.
    fn pattern(&self, node: Node<'_>, value: Value) -> Value {
        let varies = matches!(
            node.kind(),
            "generic_token"
                | "expandable_bareword"
                | "concatenated_command_argument"
                | "expandable_string_literal"
        );
        match value {
            Value::Unknown | Value::Expression if varies => {
                let text = literal::pattern(self.text(node));
                if text.chars().all(|c| c == literal::VARIES) {
                    Value::Unknown
                } else {
                    Value::Pattern(text)
                }
            }
            value => value,
        }
    }

    /// What is too deep to be followed.
    fn of_deep(&self, node: Node<'_>) -> Value {
        if self.has_variables(node) {
            Value::Expression
        } else {
            Value::Unknown
        }
    }

    /// A value inside a list: lists of lists are not followed.
    fn flat_value(&self, node: Node<'_>) -> Value {
        match innermost(node).kind() {
            "array_literal_expression" => self.of_deep(node),
            _ => self.value(node),
        }
    }
}
