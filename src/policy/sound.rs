//! Whether PowerShell would cut the text into the same tokens as the grammar did. The grammar is a good one, but what a
//! guard reads must be what runs: every string, comment and bare word is measured again by PowerShell's own rules, and no
//! character may lie outside the tree. What does not agree is a doubt.

use tree_sitter::Node;

use super::parsed::Doubt;
use super::written::Written;

/// What in this tree is not to be trusted.
pub(super) fn doubts(written: &Written<'_>, root: Node<'_>) -> Vec<Doubt> {
    let mut check = Check {
        text: written.plain(),
        written,
        doubts: Vec::new(),
    };
    if written.is_odd {
        check.add("it holds characters that cannot be seen", 0);
    }
    check.outside(0..root.start_byte());
    check.outside(root.end_byte()..check.text.len());
    super::tree::each(root, |node| check.node(node));
    check.escaped_line_ends(root);
    check.doubts
}

/// Tokens that leave no node: between bare words of a list, and in classes.
const SILENT: [&str; 5] = [",", "class", "enum", "static", "hidden"];

struct Check<'c, 't> {
    text: &'c str,
    written: &'c Written<'t>,
    doubts: Vec<Doubt>,
}

impl Check<'_, '_> {
    /// Keeps the first doubt of each kind: one is enough.
    fn add(&mut self, why: &'static str, at: usize) {
        if self.doubts.iter().all(|doubt| doubt.why != why) {
            let line = self.written.line(at);
            self.doubts.push(Doubt { why, line });
        }
    }

    fn node(&mut self, node: Node<'_>) {
        let at = node.start_byte();
        if node.is_error() || node.is_missing() {
            self.add("syntax error", at);
            return;
        }
        let agrees = match node.kind() {
            "stop_parsing" => {
                self.add("what stands behind `--%` is not PowerShell", at);
                true
            }
            "comment" => self.comment(node),
            "verbatim_string_characters" => self.verbatim(node),
            "verbatim_here_string_characters" => self.here(node, "\n'@"),
            "expandable_string_literal" => self.expandable(node),
            "expandable_here_string_literal" => self.here(node, "\n\"@"),
            "braced_variable" => self.braced(node),
            _ if node.child_count() > 0 => {
                self.children(node);
                true
            }
            _ if node.is_named() => self.bare(node),
            _ => true,
        };
        if !agrees {
            self.add(
                "strings, comments or names end where PowerShell may see no end",
                at,
            );
        }
    }

    /// No character between the children of a node may be left out of the tree.
    fn children(&mut self, node: Node<'_>) {
        if node.kind() == "command_name" {
            // Parts in quotes, as in `Get-"Mailbox"`; its own text is the name.
            if !self.bare(node) {
                self.add(
                    "strings, comments or names end where PowerShell may see no end",
                    node.start_byte(),
                );
            }
            return;
        }
        let mut from = node.start_byte();
        // The name of these two methods is no node of its own.
        let method = match node.kind() {
            "invocation_where_expression" => ".where",
            "invocation_foreach_expression" => ".foreach",
            _ => "",
        };
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            let between = &self.text[from..child.start_byte()];
            if method.is_empty() || !between.eq_ignore_ascii_case(method) {
                self.outside(from..child.start_byte());
            }
            from = child.end_byte();
        }
        self.outside(from..node.end_byte());
    }

    /// Nothing but blanks, and the few words that the grammar reads without a node of their own.
    fn outside(&mut self, range: std::ops::Range<usize>) {
        let word = self.text[range.clone()].trim();
        if SILENT
            .iter()
            .any(|silent| word.eq_ignore_ascii_case(silent))
        {
            return;
        }
        let mut chars = self.text[range.clone()].chars().peekable();
        while let Some(c) = chars.next() {
            let continues = c == '`' && chars.next_if_eq(&'\n').is_some();
            if !(continues || matches!(c, ' ' | '\t' | '\n')) {
                self.add("a part of it is in no statement", range.start);
                return;
            }
        }
    }

    fn comment(&self, node: Node<'_>) -> bool {
        let text = &self.text[node.byte_range()];
        let before = self.text[..node.start_byte()].chars().next_back();
        let begins = before.is_none_or(|c| " \t\n;{}()|,".contains(c));
        let ends = if let Some(inner) = text.strip_prefix("<#") {
            inner.find("#>").is_some_and(|at| at + 2 == inner.len())
        } else {
            let after = self.text[node.end_byte()..].chars().next();
            text.starts_with('#') && !text.contains('\n') && after.is_none_or(|c| c == '\n')
        };
        begins && ends
    }

    fn verbatim(&self, node: Node<'_>) -> bool {
        let text = &self.text[node.byte_range()];
        end_of_verbatim(text) == Some(text.len())
    }

    /// A here-string ends at the first line that begins with its closing mark.
    fn here(&self, node: Node<'_>, end: &str) -> bool {
        let text = &self.text[node.byte_range()];
        let first_line = text.find('\n');
        let Some(start) = first_line else {
            return false;
        };
        let header = &text[2..start];
        header.chars().all(|c| matches!(c, ' ' | '\t'))
            && text[start..].find(end).map(|at| start + at + end.len()) == Some(text.len())
            && (end.contains('\'') || self.expressions(node, start))
    }

    fn expandable(&self, node: Node<'_>) -> bool {
        self.text[node.start_byte()..].starts_with('"') && self.expressions(node, 1)
    }

    /// Follows an expandable string from `from` bytes behind its beginning: every `$(` has to be an expression of the
    /// tree, and the string has to end with the node.
    fn expressions(&self, node: Node<'_>, from: usize) -> bool {
        let is_here = self.text[node.start_byte()..].starts_with('@');
        let end = node.end_byte() - if is_here { 3 } else { 0 };
        let mut cursor = node.walk();
        let inner: Vec<Node<'_>> = node
            .named_children(&mut cursor)
            .filter(|child| matches!(child.kind(), "sub_expression" | "variable"))
            .collect();
        let starts_at = |at: usize| inner.iter().find(|child| child.start_byte() == at);
        let bytes = self.text.as_bytes();
        let mut at = node.start_byte() + from;
        while at < end {
            match bytes[at] {
                b'`' => at += 2,
                b'$' if matches!(bytes.get(at + 1), Some(b'(' | b'{')) => match starts_at(at) {
                    Some(child) => at = child.end_byte(),
                    None => return false,
                },
                b'"' if !is_here => {
                    if bytes.get(at + 1) == Some(&b'"') {
                        at += 2;
                    } else {
                        return at + 1 == end;
                    }
                }
                _ => at += 1,
            }
        }
        is_here && at == end
    }

    fn braced(&self, node: Node<'_>) -> bool {
        let text = &self.text[node.byte_range()];
        let mut chars = text.char_indices().skip(2);
        while let Some((at, c)) = chars.next() {
            match c {
                '`' => {
                    chars.next();
                }
                '}' => return at + 1 == text.len(),
                '{' => return false,
                _ => {}
            }
        }
        false
    }

    /// A token without parts: nothing in it may begin another one.
    fn bare(&self, node: Node<'_>) -> bool {
        let text = &self.text[node.byte_range()];
        if matches!(node.kind(), "command_argument_sep" | "empty_statement") {
            return true;
        }
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'`' if at + 1 == bytes.len() => return false,
                b'`' if bytes[at + 1] == b'\n' => return false,
                b'`' => at += 2,
                b'\'' => match end_of_verbatim(&text[at..]) {
                    Some(length) => at += length,
                    None => return false,
                },
                b'"' => match end_of_plain_expandable(&text[at..]) {
                    Some(length) => at += length,
                    None => return false,
                },
                b' ' | b'\t' | b'\n' | b';' | b'|' | b'&' | b'(' | b')' | b'{' | b'}' | b'<'
                | b'>' => {
                    // `$(` and the like are no part of a word; `2>&1` and `&&` are tokens without a name of their own.
                    return is_operator(node.kind());
                }
                _ => at += 1,
            }
        }
        true
    }

    /// A backtick before a line end continues the line only where a new token could begin; behind a word it belongs to it.
    fn escaped_line_ends(&mut self, root: Node<'_>) {
        let found: Vec<usize> = self.text.match_indices('`').map(|(at, _)| at).collect();
        for at in found {
            let after = self.text[at + 1..].chars().next();
            let before = self.text[..at].chars().next_back();
            let parts = |c: char| " \t\n;{}()[]|,\"'".contains(c);
            let suspect = match after {
                None => true,
                Some('\n') => !before.is_none_or(parts),
                Some(' ' | '\t') => before.is_none_or(|c| " \t\n".contains(c)),
                Some(_) => false,
            };
            if suspect && !is_quoted(root, at) {
                self.add(
                    "a backtick that is neither in a word nor at the end of a line",
                    at,
                );
            }
        }
    }
}

fn is_operator(kind: &str) -> bool {
    kind.ends_with("_operator") || kind.contains("redirection")
}

/// Whether the character lies in a string or a comment.
fn is_quoted(root: Node<'_>, at: usize) -> bool {
    root.descendant_for_byte_range(at, at + 1)
        .is_some_and(|node| node.kind().contains("string") || node.kind() == "comment")
}

/// The length of the verbatim string that `text` begins with.
fn end_of_verbatim(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] != b'\'' {
            at += 1;
        } else if bytes.get(at + 1) == Some(&b'\'') {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
    None
}

/// The length of the expandable string that `text` begins with. `None`, too, where an expression stands in it.
fn end_of_plain_expandable(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'`' => at += 2,
            b'$' if bytes.get(at + 1) == Some(&b'(') => return None,
            b'"' if bytes.get(at + 1) == Some(&b'"') => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}
