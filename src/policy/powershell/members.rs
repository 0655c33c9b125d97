//! Methods that are called, properties that hand out code, and types that a text names.

use tree_sitter::Node;

use super::super::parsed::{Member, Operand, Value};
use super::super::{dotnet, tree, written};
use super::{Reader, innermost};

impl Reader<'_, '_> {
    /// Remembers a type that a value may be turned into, and an attribute.
    pub(super) fn named_type(&mut self, node: Node<'_>) {
        let word = match node.kind() {
            "type_literal" => {
                let parent = node
                    .parent()
                    .filter(|parent| parent.kind() == "member_access");
                let property = parent
                    .and_then(|parent| tree::child(parent, "member_name"))
                    .map(|name| self.text(name));
                let is_plain =
                    property.is_some_and(|name| dotnet::is_plain_property(self.text(node), name));
                (!is_plain).then(|| self.word(node))
            }
            "comparison_operator" => {
                // A type that is written out is looked at by itself.
                let to = node.next_named_sibling();
                let is_type = to.is_some_and(|to| innermost(to).kind() == "type_literal");
                (is_conversion(self.text(node)) && !is_type).then(|| self.word(to.unwrap_or(node)))
            }
            _ => Some(self.word(node)),
        };
        self.found.named_types.extend(word);
    }

    /// Remembers what the language runs where it is a block: what `-replace` puts in, what `-split` parts at, a case of `switch`.
    pub(super) fn operands(&mut self, node: Node<'_>) {
        if node.kind() == "switch_clause_condition" {
            let value = node.child(0).map(|case| self.value(case));
            let word = self.word(node);
            self.found
                .operands
                .extend(value.map(|value| Operand { value, word }));
            return;
        }
        let mut cursor = node.walk();
        let parts: Vec<Node<'_>> = node.children(&mut cursor).collect();
        for pair in parts.windows(2) {
            let operator = self
                .text(pair[0])
                .trim_start_matches(written::is_dash)
                .to_lowercase();
            let code = match operator.as_str() {
                "replace" | "ireplace" | "creplace" => 1,
                "split" | "isplit" | "csplit" => 0,
                _ => continue,
            };
            let value = match self.value(pair[1]) {
                // The pattern is text; what stands for it may be a block. So may what a text is parted at.
                Value::List(values) => values.get(code).cloned().unwrap_or(Value::Unknown),
                other => other,
            };
            let word = self.word(node);
            self.found.operands.push(Operand { value, word });
        }
    }

    /// Remembers a string that may name the property that hands out a command's code.
    pub(super) fn code_by_name(&mut self, node: Node<'_>) {
        if self.text(node).to_lowercase().contains("scriptb") {
            let word = self.word(node);
            self.found.code.push(word);
        }
    }

    /// Remembers a property that hands out a command's code or a module's own variables, or may.
    pub(super) fn handed_out(&mut self, node: Node<'_>) {
        let name = tree::child(node, "member_name").map(innermost);
        let is_one = |name: &str| {
            let names = ["scriptblock", "sessionstate", "sessionstateproxy"];
            names.contains(&name.to_lowercase().as_str())
        };
        let hands_out = name.is_none_or(|name| match name.kind() {
            "simple_name" => is_one(self.text(name)),
            _ => self.called(name).is_none_or(|name| is_one(&name)),
        });
        if hands_out {
            let word = self.word(node);
            self.found.code.push(word);
        }
    }

    pub(super) fn member(&self, node: Node<'_>) -> Option<Member> {
        let on = node.child(0)?;
        // The two that take a block without parentheses have nodes of their own.
        let own = match on.kind() {
            "invocation_where_expression" => Some("where"),
            "invocation_foreach_expression" => Some("foreach"),
            _ => None,
        };
        let name = tree::child(node, "member_name").map(innermost);
        let mut cursor = node.walk();
        let is_static = node.children(&mut cursor).any(|part| part.kind() == "::");
        Some(Member {
            on: self.text(on).to_owned(),
            name: own.map(str::to_owned).or_else(|| {
                name.and_then(|name| match name.kind() {
                    "simple_name" => Some(self.text(name).to_owned()),
                    _ => self.called(name),
                })
            }),
            is_static,
            given_block: own.is_some() && is_given_block(on),
            given_plain: self.is_given_plain(node),
            line: self.line(node),
        })
    }

    /// Whether a call's arguments are literals that name no file. None at all are, too.
    fn is_given_plain(&self, node: Node<'_>) -> bool {
        let list = tree::child(node, "argument_list").or_else(|| {
            node.next_sibling()
                .filter(|next| next.kind() == "argument_list")
        });
        let given = list.and_then(|list| tree::child(list, "argument_expression_list"));
        let Some(given) = given else { return true };
        let mut cursor = given.walk();
        given.named_children(&mut cursor).all(|argument| {
            let mut value = argument;
            while value.named_child_count() == 1 && value.child_count() == 1 {
                match value.named_child(0) {
                    Some(inner) => value = inner,
                    None => break,
                }
            }
            match self.exact(value) {
                Value::Text(text) => text.len() < 3 || !text.contains(['/', '\\']),
                Value::Flag(_) => true,
                _ => false,
            }
        })
    }
}

/// Whether the first thing that `.Where` or `.ForEach` is given is a script block of the text.
fn is_given_block(on: Node<'_>) -> bool {
    if tree::child(on, "script_block_expression").is_some() {
        return true;
    }
    let first = tree::child(on, "argument_list")
        .and_then(|list| tree::child(list, "argument_expression_list"))
        .and_then(|list| list.named_child(0))
        .and_then(|first| first.named_child(0));
    first.is_some_and(|first| innermost(first).kind() == "script_block_expression")
}

/// Whether it is the operator that turns a value into a type. Its name may be any expression.
fn is_conversion(operator: &str) -> bool {
    operator
        .trim_start_matches(written::is_dash)
        .eq_ignore_ascii_case("as")
}
