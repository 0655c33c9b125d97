//! What the grammar does not show: commands in what it takes for a text, arithmetic, and expansions that run what they hold.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::super::tree;
use super::Reader;

impl Reader<'_> {
    /// Every command that stands in a text has to be a node of the tree: the grammar takes what stands in the pattern of an
    /// expansion, or in backticks in a here-document, for a mere text.
    pub(super) fn unseen(&mut self, root: Node<'_>) {
        let mut known = BTreeSet::new();
        let (mut plain, mut in_backticks) = (Vec::<std::ops::Range<usize>>::new(), false);
        tree::each(root, |node| {
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
            .and_then(|parent| tree::child(parent, "heredoc_start"));
        start.is_some_and(|start| self.slice(start).contains(['\'', '"', '\\']))
    }

    /// An index in a variable's name, or in its value, is arithmetic, and arithmetic runs the commands in it.
    pub(super) fn arithmetic(&mut self, node: Node<'_>) {
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
}

/// Whether `${…}` only gives what a variable holds, whole, in part or changed. `${x@P}`, `${!x}` and `${x:y}` run what is in it.
pub(super) fn is_plain_expansion(text: &str) -> bool {
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
