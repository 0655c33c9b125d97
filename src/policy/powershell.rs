//! From a PowerShell text to what it runs, by way of the grammar. `sound.rs` says where the grammar is not to
//! be trusted; what it found is listed all the same.

use std::cell::RefCell;
use std::collections::BTreeSet;

use tree_sitter::{Node, Parser};

use super::literal;
use super::parsed::{Command, Doubt, Element, Member, Operator, Parsed, Value, Word};
use super::sound;
use super::written::Written;

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
fn settings(text: &str) -> Vec<Word> {
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
                let kept = super::local::kept_in(&command);
                self.others.extend(kept.map(|name| format!("${name}")));
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
            "assignment_expression" => self.collection(node),
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

    /// Remembers a type that a value may be turned into, and an attribute.
    fn named_type(&mut self, node: Node<'_>) {
        let word = match node.kind() {
            "type_literal" => {
                let parent = node
                    .parent()
                    .filter(|parent| parent.kind() == "member_access");
                let property = parent
                    .and_then(|parent| super::tree::child(parent, "member_name"))
                    .map(|name| self.text(name));
                let is_plain = property
                    .is_some_and(|name| super::dotnet::is_plain_property(self.text(node), name));
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

    /// Remembers a variable of a drive, unless it is set: what that does is the assignment's.
    fn drive(&mut self, node: Node<'_>) {
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

    /// Remembers a string that may name the property that hands out a command's code.
    fn code_by_name(&mut self, node: Node<'_>) {
        if self.text(node).to_lowercase().contains("scriptb") {
            let word = self.word(node);
            self.found.code.push(word);
        }
    }

    /// Remembers a property that hands out a command's code or a module's own variables, or may.
    fn handed_out(&mut self, node: Node<'_>) {
        let name = super::tree::child(node, "member_name").map(innermost);
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

    /// The variable whose property is set, where the text has made it, before and in the same block or one around.
    fn own_property(&self, node: Node<'_>) -> Option<String> {
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
    fn bound(&mut self, node: Node<'_>) {
        let parent = node.parent().map_or("", |parent| parent.kind());
        if matches!(
            parent,
            "foreach_statement" | "script_parameter" | "class_method_parameter"
        ) {
            let word = self.word(node);
            self.others.insert(word.text.to_lowercase());
            if word.text.contains(':') {
                self.found.assigns.push(word);
            }
        }
    }

    /// Remembers a variable that becomes a new list, table or record, and every other that becomes anything else.
    fn collection(&mut self, node: Node<'_>) {
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

    fn command(&self, node: Node<'_>) -> Command {
        let mut command = Command {
            line: self.line(node),
            in_filter: self.is_in_filter(node),
            fed_by: self.fed_by(node),
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
        let name = super::tree::child(before, "command_name")?;
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
            let name = super::tree::child(command, "command_name")?;
            let reads = self
                .text(name)
                .get(..4)
                .is_some_and(|verb| verb.eq_ignore_ascii_case("get-"));
            Some(is_filter && reads)
        });
        filter == Some(true)
    }

    /// The name that `&` or `.` calls, where it is a literal.
    fn called(&self, what: Node<'_>) -> Option<String> {
        match what.kind() {
            "command_name" | "generic_token" => literal::word(self.text(what)),
            "path_command_name" => {
                let varies = super::tree::child(what, "variable").is_some();
                (!varies).then(|| literal::word(self.text(what))).flatten()
            }
            "verbatim_string_characters"
            | "expandable_string_literal"
            | "expandable_here_string_literal"
            | "verbatim_here_string_characters" => literal::string(self.text(what)),
            _ => None,
        }
    }

    fn elements(&self, node: Node<'_>) -> Vec<Element> {
        let mut elements: Vec<Element> = Vec::new();
        let mut colon = false;
        let mut cursor = node.walk();
        for part in node.children(&mut cursor) {
            match part.kind() {
                "command_argument_sep" => {
                    colon |= self.text(part).trim() == ":";
                }
                "command_parameter" => {
                    let name = self.text(part).trim_start_matches(super::written::is_dash);
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

    fn value(&self, node: Node<'_>) -> Value {
        let node = innermost(node);
        self.pattern(node, self.exact(node))
    }

    /// A value that does not vary.
    fn exact(&self, node: Node<'_>) -> Value {
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
            "array_literal_expression" => {
                let mut cursor = node.walk();
                Value::List(
                    node.named_children(&mut cursor)
                        .map(|part| self.flat_value(part))
                        .collect(),
                )
            }
            _ => Value::Unknown,
        }
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
            Value::Unknown if varies => {
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

    /// A value inside a list: lists of lists are not followed.
    fn flat_value(&self, node: Node<'_>) -> Value {
        match innermost(node).kind() {
            "array_literal_expression" => Value::Unknown,
            _ => self.value(node),
        }
    }

    fn member(&self, node: Node<'_>) -> Option<Member> {
        let on = node.child(0)?;
        // The two that take a block without parentheses have nodes of their own.
        let own = match on.kind() {
            "invocation_where_expression" => Some("where"),
            "invocation_foreach_expression" => Some("foreach"),
            _ => None,
        };
        let name = super::tree::child(node, "member_name").map(innermost);
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
        let list = super::tree::child(node, "argument_list").or_else(|| {
            node.next_sibling()
                .filter(|next| next.kind() == "argument_list")
        });
        let given = list.and_then(|list| super::tree::child(list, "argument_expression_list"));
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

/// Variables that `PowerShell` sets by itself.
const AUTOMATIC: [&str; 9] = [
    "$_", "$psitem", "$this", "$args", "$input", "$matches", "$error", "$switch", "$foreach",
];

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

/// Whether the first thing that `.Where` or `.ForEach` is given is a script block of the text.
fn is_given_block(on: Node<'_>) -> bool {
    if super::tree::child(on, "script_block_expression").is_some() {
        return true;
    }
    let first = super::tree::child(on, "argument_list")
        .and_then(|list| super::tree::child(list, "argument_expression_list"))
        .and_then(|list| list.named_child(0))
        .and_then(|first| first.named_child(0));
    first.is_some_and(|first| innermost(first).kind() == "script_block_expression")
}

/// Whether it is the operator that turns a value into a type. Its name may be any expression.
fn is_conversion(operator: &str) -> bool {
    operator
        .trim_start_matches(super::written::is_dash)
        .eq_ignore_ascii_case("as")
}

/// Whether it is `1..3`: an expression, which the grammar takes for a name where blanks follow.
fn is_range(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once("..")
        .is_some_and(|(from, to)| is_number(from) && is_number(to))
}

/// Stands for a splatted variable until the command is whole: no literal has this text.
const SPLAT: &str = "\0splat";

fn is_splat(element: &Element) -> bool {
    match element {
        Element::Argument(value)
        | Element::Parameter {
            value: Some(value), ..
        } => value.as_text() == Some(SPLAT),
        Element::Parameter { value: None, .. } => false,
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
            "pipeline_chain" => node.prev_named_sibling().is_some(),
            "script_block_expression"
            | "foreach_statement"
            | "for_statement"
            | "while_statement"
            | "do_statement"
            | "function_statement"
            | "class_method_definition" => true,
            _ => false,
        };
        if repeats {
            return true;
        }
        node = parent;
    }
    true
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
    match value {
        Value::Text(text) | Value::Pattern(text) => text.contains('*'),
        Value::List(_) => true,
        Value::Flag(_) | Value::Block | Value::Unknown => false,
    }
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
