//! From a PowerShell text to what it runs, by way of the grammar. `sound.rs` says where the grammar is not to
//! be trusted; what it found is listed all the same.

use std::cell::RefCell;
use std::collections::BTreeSet;

use tree_sitter::{Node, Parser};

use super::parsed::{Command, Doubt, Parsed, Word};
use super::sound;
use super::written::Written;
use command::is_range;
use variables::settings;

mod command;
mod members;
mod shown;
mod values;
mod variables;

thread_local! {
    static PARSER: RefCell<Parser> = RefCell::new({
        let mut parser = Parser::new();
        parser
            .set_language(&tree_sitter_pwsh::LANGUAGE.into())
            .expect("the grammar is of a version that the library reads");
        parser
    });
}

/// What `text` runs. Total: a text that is no PowerShell is one that is not understood.
pub(crate) fn parse(text: &str) -> Parsed {
    let written = Written::new(text);
    let tree = PARSER.with_borrow_mut(|parser| parser.parse(written.plain(), None));
    let mut found = Parsed::default();
    match tree {
        Some(tree) => {
            let mut reader = Reader {
                written: &written,
                found: &mut found,
                others: BTreeSet::new(),
                made: Vec::new(),
                own: Vec::new(),
            };
            super::tree::each(tree.root_node(), |node| reader.read(node));
            let (others, own) = (reader.others, reader.own);
            let is_other = |name: &String| others.contains(name);
            found.collections.retain(|name| !is_other(name));
            let not_own = own.into_iter().filter(|(name, _)| is_other(name));
            found.assigns.extend(not_own.map(|(_, word)| word));
            found
                .doubts
                .extend(sound::doubts(&written, tree.root_node()));
            found.settings = settings(text);
        }
        None => found.doubts.push(Doubt {
            why: "the parser gave up",
            line: 1,
        }),
    }
    found
}

struct Reader<'r, 't> {
    written: &'r Written<'t>,
    found: &'r mut Parsed,
    /// Variables that become something that the text does not make, in lower case with their dollar.
    others: BTreeSet<String>,
    /// Variables that the text has set to something new so far, each with the block that it did so in.
    made: Vec<(String, usize)>,
    /// Properties of those that are set.
    own: Vec<(String, Word)>,
}

impl<'t> Reader<'_, 't> {
    fn text(&self, node: Node<'_>) -> &'t str {
        self.written.original(node.byte_range())
    }

    fn line(&self, node: Node<'_>) -> usize {
        self.written.line(node.start_byte())
    }

    fn word(&self, node: Node<'_>) -> Word {
        Word {
            text: self.text(node).to_owned(),
            line: self.line(node),
        }
    }

    fn read(&mut self, node: Node<'_>) {
        match node.kind() {
            "command" => {
                let command = self.command(node);
                let kept: Vec<String> = super::local::kept_in(&command).collect();
                self.others
                    .extend(kept.iter().map(|name| format!("${name}")));
                self.found.changed.extend(kept);
                if !is_range(&command.first) {
                    self.found.commands.push(command);
                }
            }
            "foreach_command" => {
                let command = Command {
                    name: Some("foreach".to_owned()),
                    first: "foreach".to_owned(),
                    line: self.line(node),
                    ..Command::default()
                };
                self.found.commands.push(command);
            }
            "invocation_expression" => {
                let member = self.member(node);
                self.found.members.extend(member);
            }
            "type_literal" | "attribute_name" | "comparison_operator" => self.named_type(node),
            "variable" => {
                self.drive(node);
                self.bound(node);
            }
            "post_increment_expression"
            | "post_decrement_expression"
            | "pre_increment_expression"
            | "pre_decrement_expression" => {
                let text = self.text(node);
                let text = text.trim_matches(|c: char| c.is_whitespace() || c == '+' || c == '-');
                let (text, line) = (text.to_owned(), self.line(node));
                self.found.assigns.push(Word { text, line });
            }
            "assignment_expression" => {
                self.collection(node);
                self.changed(node);
            }
            "comparison_expression" | "switch_clause_condition" => self.operands(node),
            "switch_filename" => {
                let word = self.word(node);
                self.found.files.push(word);
            }
            "expandable_string_literal" | "verbatim_string_characters" => self.code_by_name(node),
            "member_access" => self.handed_out(node),
            // A call in the place of an argument: the list of its arguments stands beside what is called.
            "argument_list" => {
                let called = node.prev_sibling().map(innermost).filter(|before| {
                    before.kind() == "member_access" && before.end_byte() == node.start_byte()
                });
                let member = called.and_then(|called| self.member(called));
                self.found.members.extend(member);
            }
            "file_redirection_operator" if self.text(node) != "<" => {
                let target = node.next_named_sibling().map_or_else(
                    || self.word(node),
                    |name| Word {
                        text: self.text(name).trim().to_owned(),
                        line: self.line(name),
                    },
                );
                self.found.redirects.push(target);
            }
            "function_statement" => {
                let name = super::tree::child(node, "function_name");
                self.found.functions.push(self.word(name.unwrap_or(node)));
            }
            "class_method_definition" => {
                let name = super::tree::child(node, "simple_name");
                self.found.functions.push(self.word(name.unwrap_or(node)));
            }
            "class_statement" | "enum_statement" => {
                let name = super::tree::child(node, "simple_name");
                self.found.types.push(self.word(name.unwrap_or(node)));
            }
            "using_statement" => {
                let word = self.word(node);
                self.found.usings.push(word);
            }
            "left_assignment_expression" => {
                let word = self.word(node);
                match self.own_property(node) {
                    Some(name) => self.own.push((name, word)),
                    None => self.found.assigns.push(word),
                }
            }
            "flow_control_statement"
                if node.child(0).is_some_and(|first| first.kind() == "exit") =>
            {
                let line = self.line(node);
                self.found.exits.push(line);
            }
            _ => {}
        }
    }
}

/// The node inside nodes that only wrap one other.
fn innermost(mut node: Node<'_>) -> Node<'_> {
    while matches!(
        node.kind(),
        "unary_expression"
            | "string_literal"
            | "integer_literal"
            | "command_name_expr"
            | "member_name"
            | "verbatim_string_literal"
            | "verbatim_here_string_literal"
    ) && node.child_count() == 1
    {
        match node.child(0) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}
