//! [`Parsed`]: what a text runs, in the words that both shells share. Knows no grammar, no rule and no effect.

/// What a text says it runs, and what of it could not be followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// Commands in the order of their first characters, those inside arguments, script blocks and strings included.
    pub(crate) commands: Vec<Command>,
    /// Methods that are called.
    pub(crate) members: Vec<Member>,
    /// Properties that hand out a command's code, or whose name is only known when the text runs.
    pub(crate) code: Vec<Word>,
    /// What output is redirected to.
    pub(crate) redirects: Vec<Word>,
    /// Files that the shell itself reads.
    pub(crate) files: Vec<Word>,
    /// Types that are named: what a value is turned into, made of, or asked for.
    pub(crate) named_types: Vec<Word>,
    /// Variables of a drive that are named (`env:NAME`), without dollar and braces.
    pub(crate) drives: Vec<Word>,
    /// Variables that the text itself sets to a new list, table or record, and to nothing else, in lower case with their dollar.
    pub(crate) collections: Vec<String>,
    /// Variables that the text sets to what it does not make itself, in lower case and without their dollar.
    pub(crate) changed: Vec<String>,
    /// What stands where the language itself runs a block: behind `-replace` and `-split`, as a case of `switch`.
    pub(crate) operands: Vec<Operand>,
    /// Functions that are defined.
    pub(crate) functions: Vec<Word>,
    /// Classes and enumerations that are defined.
    pub(crate) types: Vec<Word>,
    /// `using` directives.
    pub(crate) usings: Vec<Word>,
    /// What is assigned to, counted up or down, or bound by a loop or as a parameter.
    pub(crate) assigns: Vec<Word>,
    /// Variables that are named and change what later commands do, however the text goes about it.
    pub(crate) settings: Vec<Word>,
    /// Files of `mm`'s own that are named.
    pub(crate) own_files: Vec<Word>,
    /// The lines in which the program is told to end.
    pub(crate) exits: Vec<usize>,
    /// Why the text as a whole is not understood. Empty: it is.
    pub(crate) doubts: Vec<Doubt>,
}

impl Parsed {
    /// Whether nothing in the text was beyond the parser. Where it is not, commands may be missing from the list.
    pub(crate) fn is_understood(&self) -> bool {
        self.doubts.is_empty()
    }
}

/// A part of the text as it is written, and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A value in such a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) value: Value,
    /// The place as it is written.
    pub(crate) word: Word,
}

/// Something that the parser does not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) why: &'static str,
    pub(crate) line: usize,
}

/// How a command is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Operator {
    /// By its name alone.
    #[default]
    Plain,
    /// With `&`.
    Ampersand,
    /// With `.`, in the scope of the caller.
    Dot,
}

/// One call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// The name with its escapes and quotes resolved. `None`: it is only known when the text runs.
    pub(crate) name: Option<String>,
    /// What stands in the place of the name, as it is written.
    pub(crate) first: String,
    pub(crate) operator: Operator,
    /// Parameters and arguments in their order.
    pub(crate) elements: Vec<Element>,
    /// Whether parameters come out of a variable (`@name`).
    pub(crate) splat: bool,
    /// Whether a script block stands in the place of the name.
    pub(crate) block: bool,
    /// Whether it stands in the script block of a `-Filter` of a reading command, which is a text in disguise.
    pub(crate) in_filter: bool,
    /// Whether it is called in a shell whose commands are programs. Their parameters' names keep their dashes.
    pub(crate) is_program: bool,
    /// The words that follow a program's name, up to the first option. Only of shells that have no parameters.
    pub(crate) words: Vec<String>,
    /// Whether it may act on many things at once: it takes what a pipeline brings, stands in a block that may run often, or
    /// is given a list or a wildcard.
    pub(crate) many: bool,
    /// Whether a pipeline brings it something.
    pub(crate) is_fed: bool,
    /// The name of the command that a pipeline brings it the output of, in lower case, where that is no block or value.
    pub(crate) fed_by: Option<String>,
    /// The properties of what it hands out that are all that the text does something with, in lower case. `None`: the whole
    /// objects go on, or it is not known.
    pub(crate) shown: Option<Vec<String>>,
    /// Where its name ends, in bytes of the text.
    pub(crate) name_end: usize,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl Command {
    /// Parameters by name, each with the value that follows it, if one does.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, Option<&Value>)> {
        self.elements
            .iter()
            .enumerate()
            .filter_map(|(at, element)| {
                let Element::Parameter { name, value } = element else {
                    return None;
                };
                let next = || match self.elements.get(at + 1) {
                    Some(Element::Argument(value)) => Some(value),
                    _ => None,
                };
                Some((name.as_str(), value.as_ref().or_else(next)))
            })
    }

    /// Every value, of parameters and of positions.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.elements.iter().filter_map(|element| match element {
            Element::Parameter { value, .. } => value.as_ref(),
            Element::Argument(value) => Some(value),
        })
    }

    /// Arguments that directly follow neither a parameter's name nor stand with it. A switch's neighbour is not among them.
    pub(crate) fn positional(&self) -> impl Iterator<Item = &Value> {
        self.elements
            .iter()
            .enumerate()
            .filter_map(|(at, element)| {
                let after_name = at > 0
                    && matches!(
                        self.elements.get(at - 1),
                        Some(Element::Parameter { value: None, .. })
                    );
                match element {
                    Element::Argument(value) if !after_name => Some(value),
                    _ => None,
                }
            })
    }
}

/// A part of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    Parameter {
        /// Without its dash.
        name: String,
        /// What stands behind its colon.
        value: Option<Value>,
    },
    Argument(Value),
}

/// A value, as far as the text alone tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A literal, its quotes and escapes resolved.
    Text(String),
    /// `$true` or `$false`.
    Flag(bool),
    /// A script block; what it runs is in the list of commands.
    Block,
    /// Several values, where each is known.
    List(Vec<Value>),
    /// A text of which only parts are known: [`VARIES`](super::literal::VARIES) stands for each other one.
    Pattern(String),
    /// A table, whatever its keys are.
    Table(Vec<Value>),
    /// What this variable holds, in lower case and without its dollar.
    Variable(String),
    /// What comes of variables in some other way.
    Expression,
    /// Only known when the text runs.
    Unknown,
}

impl Value {
    /// Whether it is only known when the text runs.
    pub(crate) fn is_unknown(&self) -> bool {
        match self {
            Self::Table(_) | Self::Variable(_) | Self::Expression | Self::Unknown => true,
            Self::Text(_) | Self::Flag(_) | Self::Block | Self::List(_) | Self::Pattern(_) => false,
        }
    }

    /// The texts in it, those of a list's members too, as far as they are known.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) | Self::Pattern(text) => vec![text],
            Self::List(values) => values.iter().flat_map(Self::texts).collect(),
            Self::Flag(_)
            | Self::Block
            | Self::Table(_)
            | Self::Variable(_)
            | Self::Expression
            | Self::Unknown => Vec::new(),
        }
    }

    /// Its text, where it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A method that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// What it is called on, as it is written.
    pub(crate) on: String,
    /// Its name. `None`: it is only known when the text runs.
    pub(crate) name: Option<String>,
    /// Whether all that it is given is known to be a script block of the text.
    pub(crate) given_block: bool,
    /// Whether all that it is given are literals, and none of them is the path of a file.
    pub(crate) given_plain: bool,
    /// Whether it is called on a type (`::`).
    pub(crate) is_static: bool,
    /// Counted from 1.
    pub(crate) line: usize,
}
