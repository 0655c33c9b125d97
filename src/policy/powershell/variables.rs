//! Variables of a text: which it sets, to what, and which change what later commands do.

use tree_sitter::Node;

use super::super::parsed::Word;
use super::super::tree;
use super::Reader;

/// Variables and properties that decide what later commands of a session do. Their value can be changed in more ways than by an
/// assignment: by reference, through `Get-Variable`, as a loop's variable, by `-OutVariable`.
const SETTINGS: [&str; 7] = [
    // What the protocol of the session keeps in it.
    "__mm",
    "psdefaultparametervalues",
    "executioncontext",
    "confirmpreference",
    "precommandlookupaction",
    "postcommandlookupaction",
    "commandnotfoundaction",
];

/// Where one of [`SETTINGS`] is named, once a line, in whatever way: a string can hold the name of a variable.
pub(super) fn settings(text: &str) -> Vec<Word> {
    let lines = text.lines().zip(1..);
    lines
        .flat_map(|(content, line)| {
            let content = content.replace('`', "").to_lowercase();
            SETTINGS
                .iter()
                .filter(move |name| content.contains(**name))
                .map(move |name| Word {
                    text: (*name).to_owned(),
                    line,
                })
        })
        .collect()
}

/// Variables that `PowerShell` sets by itself.
const AUTOMATIC: [&str; 9] = [
    "$_", "$psitem", "$this", "$args", "$input", "$matches", "$error", "$switch", "$foreach",
];

/// The name of a plain variable of the session, in lower case. `None` where it is one that `PowerShell` sets by itself, or is
/// written in some other way.
pub(super) fn name(written: &str) -> Option<String> {
    let name = written.strip_prefix('$')?.to_lowercase();
    let inner = name
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'));
    let name = inner.unwrap_or(&name);
    let scopes = ["global", "script", "local", "private", "using", "variable"];
    let name = match name.split_once(':') {
        Some((scope, name)) if scopes.contains(&scope) => name,
        Some(_) => return None,
        None => name,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_own = !name.is_empty() && name.chars().all(is_plain);
    (is_own && !AUTOMATIC.contains(&format!("${name}").as_str())).then(|| name.to_owned())
}

fn is_constant(variable: &str) -> bool {
    let constants = ["$true", "$false", "$null"];
    constants
        .iter()
        .any(|constant| variable.eq_ignore_ascii_case(constant))
}

/// What runs, or comes from elsewhere, in the value of an assignment.
const NOT_MADE: [&str; 6] = [
    "command",
    "foreach_command",
    "invocation_expression",
    "member_access",
    "element_access",
    "argument_list",
];

impl Reader<'_, '_> {
    /// Whether the text itself makes all of it: nothing in it is a variable's, a command's or a property's. A block is what it
    /// is, and a string nothing but a string.
    pub(super) fn is_made(&self, node: Node<'_>) -> bool {
        !self.has(node, &NOT_MADE) && !self.has_variables(node)
    }

    /// Whether a variable stands in it, outside of blocks and strings.
    pub(super) fn has_variables(&self, node: Node<'_>) -> bool {
        self.has(node, &["variable"])
    }

    fn has(&self, node: Node<'_>, kinds: &[&str]) -> bool {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match node.kind() {
                "script_block_expression"
                | "expandable_string_literal"
                | "expandable_here_string_literal" => {}
                "variable" if is_constant(self.text(node)) => {}
                kind if kinds.contains(&kind) => return true,
                _ => {
                    let mut cursor = node.walk();
                    open.extend(node.named_children(&mut cursor));
                }
            }
        }
        false
    }

    /// Remembers the variables that an assignment sets to what the text does not make.
    pub(super) fn changed(&mut self, assignment: Node<'_>) {
        let value = tree::last(assignment);
        if value.is_some_and(|value| self.is_made(value)) {
            return;
        }
        let Some(target) = tree::child(assignment, "left_assignment_expression") else {
            return;
        };
        tree::each(target, |node| {
            if node.kind() == "variable" {
                self.found.changed.extend(name(self.text(node)));
            }
        });
    }

    /// Remembers a variable of a drive, unless it is set: what that does is the assignment's.
    pub(super) fn drive(&mut self, node: Node<'_>) {
        let name = self.text(node).trim_start_matches(['$', '@']);
        let name = name.trim_start_matches('{').trim_end_matches('}');
        let parent = node.parent();
        let is_set = [parent, parent.and_then(|node| node.parent())]
            .into_iter()
            .flatten()
            .any(|parent| parent.kind() == "left_assignment_expression");
        if name.contains(':') && !is_set {
            let (text, line) = (name.replace('`', ""), self.line(node));
            self.found.drives.push(Word { text, line });
        }
    }

    /// The variable whose property is set, where the text has made it, before and in the same block or one around.
    pub(super) fn own_property(&self, node: Node<'_>) -> Option<String> {
        let text = self.text(node).to_lowercase();
        let (name, property) = text.split_once('.')?;
        let is_name = property.chars().all(|c| c.is_alphanumeric() || c == '_');
        let mut around = Some(node);
        while let Some(block) = around.filter(|_| is_name) {
            let made = |(known, id): &(String, usize)| known == name && *id == block.id();
            if self.made.iter().any(made) {
                return Some(name.to_owned());
            }
            around = block.parent();
        }
        None
    }

    /// Remembers a variable that a loop or a parameter sets.
    pub(super) fn bound(&mut self, node: Node<'_>) {
        let parent = node.parent().map_or("", |parent| parent.kind());
        if matches!(
            parent,
            "foreach_statement" | "script_parameter" | "class_method_parameter"
        ) {
            let word = self.word(node);
            self.others.insert(word.text.to_lowercase());
            self.found.changed.extend(name(&word.text));
            if word.text.contains(':') {
                self.found.assigns.push(word);
            }
        }
    }

    /// Remembers a variable that becomes a new list, table or record, and every other that becomes anything else.
    pub(super) fn collection(&mut self, node: Node<'_>) {
        let text = self.text(node).to_lowercase();
        let Some((name, value)) = text.split_once('=') else {
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let is_plain = name.strip_prefix('$').is_some_and(is_name);
        let starts = [
            "@(",
            "@{",
            "[ordered]@{",
            "[pscustomobject]@{",
            "[collections.",
            "[system.collections.",
        ];
        let is_new = starts.iter().any(|start| value.starts_with(start))
            || (value.starts_with("new-object")
                && ["collections.", "psobject"]
                    .iter()
                    .any(|made| value.contains(made)));
        if is_plain && is_new && !AUTOMATIC.contains(&name) {
            self.found.collections.push(name.to_owned());
            // Only as a statement of its own is it surely done.
            if let Some(block) = node.parent().and_then(own_block) {
                self.made.push((name.to_owned(), block.id()));
            }
            return;
        }
        // `+=` adds to what it is; `$x.y` and `$x[0]` leave it what it is.
        let operator = name.chars().next_back();
        if matches!(operator, Some('+')) || (name.contains(['.', '[']) && !name.contains(',')) {
            let is_typed = name.starts_with('[');
            if !is_typed {
                return;
            }
        }
        for part in name.split('$').skip(1) {
            let part: String = part
                .chars()
                .take_while(|c| is_name(&c.to_string()))
                .collect();
            self.others.insert(format!("${part}"));
        }
    }
}

/// The block that a pipeline is a statement of.
fn own_block(pipeline: Node<'_>) -> Option<Node<'_>> {
    let block = pipeline.parent()?;
    let holds = [
        "statement_list",
        "statement_block",
        "program",
        "script_block_body",
    ];
    (pipeline.kind().starts_with("pipeline") && holds.contains(&block.kind())).then_some(block)
}
