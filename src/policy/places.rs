//! Places where a value that is code is run without a name of its own: what things are sorted or selected by, the second half
//! of `-replace`, a case of `switch`, an argument of a command that a pipeline feeds. A block that stands there is
//! judged like every other; a variable may hold one that an earlier run has left in the session.
//!
//! What a text makes by itself is known. What it does not make has to be a plain value, which only the session can tell
//! (see `lookup.rs`); of anything else nobody can.

use std::collections::BTreeSet;

use super::parsed::{Command, Element, Parsed, Value};

/// Commands that hand on, or show, the properties that they are given the names of; a block may stand for one.
pub(super) const PICKERS: [&str; 12] = [
    "select-object",
    "select",
    "measure-object",
    "measure",
    "group-object",
    "group",
    "format-table",
    "ft",
    "format-list",
    "fl",
    "format-wide",
    "fw",
];

/// What may stand in such a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place<'p> {
    /// Nothing that could be code.
    Plain,
    /// Whatever these variables, in lower case and without their dollar, hold in the session.
    Held(BTreeSet<&'p str>),
    /// Something that is only known when the text runs.
    Unknown,
}

/// Other commands than [`PICKERS`] that take a block for what they sort, show or join by.
const BY_PROPERTY: [&str; 6] = [
    "sort-object",
    "sort",
    "format-custom",
    "fc",
    "join-string",
    "convertto-html",
];

/// Parameters of both that take no block.
const NO_PROPERTY: [&str; 21] = [
    "first",
    "last",
    "skip",
    "skiplast",
    "skipindex",
    "index",
    "top",
    "bottom",
    "width",
    "depth",
    "view",
    "expand",
    "expandproperty",
    "excludeproperty",
    "culture",
    "inputobject",
    "column",
    "separator",
    "title",
    "precontent",
    "postcontent",
];

/// Commands to which a pipeline brings nothing but the objects themselves: no argument of theirs is worked out anew for each.
const TAKE_OBJECTS: [&str; 21] = [
    "where-object",
    "where",
    "?",
    "foreach-object",
    "foreach",
    "%",
    "get-member",
    "gm",
    "get-unique",
    "gu",
    "out-string",
    "out-null",
    "out-host",
    "out-default",
    "oh",
    "convertto-json",
    "convertto-csv",
    "convertto-xml",
    "write-output",
    "echo",
    "tee-object",
];

/// What stands in the places of a command of this name, in lower case and without its module.
pub(super) fn of_command<'p>(name: &str, command: &'p Command, parsed: &'p Parsed) -> Place<'p> {
    let all = |strict, is_place: &dyn Fn(Option<&str>) -> bool| {
        let mut before = None;
        let mut found = Place::Plain;
        for element in &command.elements {
            let (name, value) = match element {
                Element::Parameter { name, value } => (Some(name.as_str()), value.as_ref()),
                Element::Argument(value) => (before, Some(value)),
            };
            before = name.filter(|_| value.is_none());
            if let Some(value) = value.filter(|_| is_place(name)) {
                found = found.and(of_value(value, parsed, strict));
            }
        }
        found
    };
    let is_one = |known: &[&str], name: &str| {
        let name = name.to_lowercase();
        known.iter().any(|full| full.starts_with(&name))
    };
    if PICKERS.contains(&name) || BY_PROPERTY.contains(&name) {
        // Behind a switch stands what the command sorts or selects by.
        all(true, &|name| {
            name.is_none_or(|name| !is_one(&NO_PROPERTY, name))
        })
    } else if name == "compare-object" {
        all(true, &|name| {
            name.is_some_and(|name| is_one(&["property"], name))
        })
    } else if command.is_fed && !TAKE_OBJECTS.contains(&name) {
        all(false, &|_| true)
    } else {
        Place::Plain
    }
}

/// What stands where the language itself runs a block.
pub(super) fn of_operand<'p>(value: &'p Value, parsed: &'p Parsed) -> Place<'p> {
    of_value(value, parsed, false)
}

/// The variables of all such places that have to hold plain values.
pub(super) fn held(parsed: &Parsed) -> BTreeSet<&str> {
    let commands = parsed.commands.iter().filter_map(|command| {
        let name = command.name.as_deref()?.to_lowercase();
        let name = name
            .rsplit_once('\\')
            .map_or(name.as_str(), |(_, name)| name);
        Some(of_command(name, command, parsed))
    });
    let operands = parsed.operands.iter();
    let operands = operands.map(|operand| of_operand(&operand.value, parsed));
    let mut held = BTreeSet::new();
    for place in commands.chain(operands) {
        if let Place::Held(names) = place {
            held.extend(names);
        }
    }
    held
}

impl Place<'_> {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Plain, place) | (place, Self::Plain) => place,
            (Self::Held(mut names), Self::Held(more)) => {
                names.extend(more);
                Self::Held(names)
            }
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }
}

/// With `strict` what a command or a call gives is not taken for plain either.
fn of_value<'p>(value: &'p Value, parsed: &Parsed, strict: bool) -> Place<'p> {
    match value {
        Value::Text(_) | Value::Pattern(_) | Value::Flag(_) | Value::Block => Place::Plain,
        Value::List(values) | Value::Table(values) => values
            .iter()
            .map(|value| of_value(value, parsed, strict))
            .fold(Place::Plain, Place::and),
        Value::Variable(name) if name == "null" => Place::Plain,
        Value::Variable(name) if !parsed.changed.contains(name) => {
            Place::Held(BTreeSet::from([name.as_str()]))
        }
        Value::Unknown if !strict => Place::Plain,
        Value::Variable(_) | Value::Expression | Value::Unknown => Place::Unknown,
    }
}
