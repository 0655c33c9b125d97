//! What of a command's objects goes on: all of them, or only properties that the text names.

use tree_sitter::Node;

use super::super::parsed::{Command, Element, Value};
use super::super::places::PICKERS;
use super::super::{local, tree};
use super::values::SPLAT;
use super::{Reader, innermost};

/// Commands of a pipeline that are followed: a long one hands on what it likes.
const AT_MOST: usize = 8;

/// Commands that hand on what they get, or less of it.
const SIEVES: [&str; 5] = ["where-object", "where", "?", "sort-object", "sort"];

/// Parameters of [`PICKERS`] that are about how many, or in which form.
const ASIDE: [&str; 12] = [
    "-first",
    "-last",
    "-skip",
    "-unique",
    "-autosize",
    "-wrap",
    "-sum",
    "-average",
    "-minimum",
    "-maximum",
    "-noelement",
    "-hidetableheaders",
];

impl Reader<'_, '_> {
    /// The properties that are all that goes on, in lower case, each with those of its own that are asked for behind a dot.
    /// `None`: the whole objects do, or it is not known.
    pub(super) fn shown(&self, command: Node<'_>) -> Option<Vec<String>> {
        if self.keeps(command) {
            return None;
        }
        let mut last = command;
        for _ in 0..AT_MOST {
            let Some(next) = last.next_named_sibling() else {
                return self.asked_for(last);
            };
            if next.kind() != "command" {
                return None;
            }
            let name = tree::child(next, "command_name")?;
            let name = self.text(name).to_lowercase();
            if PICKERS.contains(&name.as_str()) {
                let counts = name.starts_with("measure");
                return self
                    .picked(next, name.starts_with("group"))
                    .filter(|names| counts || !names.is_empty());
            }
            if !SIEVES.contains(&name.as_str()) || self.keeps(next) || !self.only_asks(next) {
                return None;
            }
            last = next;
        }
        None
    }

    /// Whether a command keeps what it hands on in a variable, too.
    fn keeps(&self, command: Node<'_>) -> bool {
        let elements = tree::child(command, "command_elements");
        let given = Command {
            elements: elements.map(|node| self.elements(node)).unwrap_or_default(),
            ..Command::default()
        };
        local::kept_in(&given).next().is_some()
    }

    /// Whether the blocks that a sieve is given do nothing with an object but look at it.
    fn only_asks(&self, sieve: Node<'_>) -> bool {
        let mut acts = false;
        tree::each(sieve, |node| {
            acts |= match node.kind() {
                "command" => node != sieve,
                "argument_list" => self.has_variables(node),
                kind => kind.starts_with("assignment") || kind == "foreach_command",
            };
        });
        !acts
    }

    /// The names that a command is given, where they are all that it is given. A group holds its members, unless it is told not to.
    fn picked(&self, command: Node<'_>, is_group: bool) -> Option<Vec<String>> {
        let Some(elements) = tree::child(command, "command_elements") else {
            return Some(Vec::new());
        };
        let mut names = Vec::new();
        let (mut is_aside, mut holds) = (false, is_group);
        for element in self.elements(elements) {
            let value = match element {
                Element::Parameter { name, value } => {
                    let name = format!("-{}", name.to_lowercase());
                    let is_property = ["-property", "-expandproperty"]
                        .iter()
                        .any(|full| name.len() > 2 && full.starts_with(&name));
                    is_aside = !is_property;
                    holds &= name.len() < 3 || !"-noelement".starts_with(&name);
                    let is_known = ASIDE.iter().any(|full| full.starts_with(&name));
                    if is_aside && !is_known {
                        return None;
                    }
                    value
                }
                Element::Argument(value) => Some(value),
            };
            let values = match value {
                None => continue,
                Some(Value::List(values)) => values,
                Some(value) => vec![value],
            };
            for value in values {
                let name = value.as_text()?.to_lowercase();
                let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
                if name.contains(['*', '?', '[']) || name == SPLAT {
                    return None;
                }
                if !(is_aside && is_number) {
                    names.push(name);
                }
            }
        }
        (!holds).then_some(names)
    }

    /// The property that is asked for of what a pipeline in parentheses gives.
    fn asked_for(&self, last: Node<'_>) -> Option<Vec<String>> {
        let mut node = last;
        while node.kind() != "parenthesized_expression" {
            node = node.parent()?;
            let goes_on = ["pipeline", "pipeline_chain", "parenthesized_expression"];
            if !goes_on.contains(&node.kind())
                || (node.named_child_count() > 1 && node.kind() != "pipeline_chain")
            {
                return None;
            }
        }
        let mut names = Vec::new();
        while let Some(parent) = node
            .parent()
            .filter(|parent| parent.kind() == "member_access")
        {
            let name = tree::child(parent, "member_name").map(innermost)?;
            if parent.child(0) != Some(node) || name.kind() != "simple_name" {
                return None;
            }
            names.push(self.text(name).to_lowercase());
            node = parent;
        }
        (!names.is_empty()).then(|| vec![names.join(".")])
    }
}
