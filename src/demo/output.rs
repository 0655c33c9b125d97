//! [`Output`]: what one command writes, as text or as tagged records in the batches of the bootstrap.

use std::time::Duration;

use serde_json::{Map, Value};

use super::console::{Console, Flow};
use super::format;
use super::record::ErrorRecord;
use super::world::World;

/// How a command's output travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As PowerShell formats it.
    Text,
    /// As JSON, with this depth for objects.
    Records(usize),
}

/// What later stages of a pipeline do to objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// `Select-Object A, B`.
    Fields(Vec<String>),
    /// `Select-Object -ExpandProperty A`.
    Expand(String),
    /// `Select-Object -First N`; what is left of it.
    First(usize),
    /// `Where-Object { $_.A }`, or its opposite.
    Where(String, bool),
    /// `Out-Null`.
    Nothing,
    /// `Format-List` (true) or `Format-Table`.
    Shape(bool),
}

/// A batch's size and age in the bootstrap.
const BATCH: usize = 256;
const BATCH_AGE: Duration = Duration::from_millis(250);

/// The output of one command.
pub(crate) struct Output<'a, W> {
    pub(crate) console: &'a mut Console<W>,
    pub(crate) mode: Mode,
    pub(crate) filters: Vec<Filter>,
    nonce: &'a str,
    /// In records mode what waits for its line, in text mode the rows of a table that goes on.
    batch: Vec<Value>,
    first: bool,
    flushed: Duration,
    list: Option<bool>,
}

impl<'a, W: World> Output<'a, W> {
    /// Output that goes to `console` under `nonce`.
    pub(crate) fn new(console: &'a mut Console<W>, mode: Mode, nonce: &'a str) -> Self {
        let flushed = console.world.now();
        Self {
            console,
            mode,
            filters: Vec::new(),
            nonce,
            batch: Vec::new(),
            first: true,
            flushed,
            list: None,
        }
    }

    /// An object of the output stream; an array is its items.
    pub(crate) fn object(&mut self, value: Value) -> Flow {
        let mut value = value;
        let mut list = None;
        for filter in &mut self.filters {
            match filter {
                Filter::Nothing | Filter::First(0) => return Ok(()),
                Filter::First(left) => *left -= 1,
                Filter::Where(field, wanted) => {
                    let is = value.get(&*field).is_some_and(truth);
                    if is != *wanted {
                        return Ok(());
                    }
                }
                Filter::Fields(fields) => {
                    value = fields
                        .iter()
                        .map(|field| (field.clone(), field_of(&value, field)))
                        .collect();
                }
                Filter::Expand(field) => value = field_of(&value, field),
                Filter::Shape(as_list) => list = Some(*as_list),
            }
        }
        match self.mode {
            Mode::Records(_) => self.batched(value),
            Mode::Text => self.shown(value, list),
        }
    }

    fn batched(&mut self, value: Value) -> Flow {
        self.batch.push(value);
        let age = self.console.world.now().saturating_sub(self.flushed);
        if self.first || self.batch.len() >= BATCH || age >= BATCH_AGE {
            self.flush()?;
            self.first = false;
        }
        Ok(())
    }

    fn shown(&mut self, value: Value, list: Option<bool>) -> Flow {
        let Value::Object(fields) = &value else {
            self.flush()?;
            return match &value {
                Value::Null => Ok(()),
                Value::Array(items) => items
                    .iter()
                    .try_for_each(|item| self.shown(item.clone(), list)),
                scalar => {
                    let line = format!("{}\n", format::plain(&format::display(scalar)));
                    self.console.print(&line)
                }
            };
        };
        let same = self.batch.first().and_then(Value::as_object);
        if same.is_some_and(|first| !first.keys().eq(fields.keys())) {
            self.flush()?;
        }
        self.list = list;
        self.batch.push(value);
        Ok(())
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> Flow {
        let batch = std::mem::take(&mut self.batch);
        self.flushed = self.console.world.now();
        if batch.is_empty() {
            return Ok(());
        }
        match self.mode {
            Mode::Records(depth) => {
                let batch = format::cut(&Value::Array(batch), depth + 2);
                self.tagged('o', &batch.to_string())
            }
            Mode::Text => {
                let rows: Vec<Map<String, Value>> = batch
                    .into_iter()
                    .filter_map(|row| match row {
                        Value::Object(fields) => Some(fields),
                        _ => None,
                    })
                    .collect();
                self.console.print(&format::objects(&rows, self.list))
            }
        }
    }

    /// Drops what a table still waited for: a stopped pipeline shows nothing more. Records are written.
    pub(crate) fn stop(&mut self) -> Flow {
        if self.mode == Mode::Text {
            self.batch.clear();
        }
        self.flush()
    }

    /// A warning (`w`), verbose (`v`), debug (`d`) or information (`i`) record.
    pub(crate) fn stream(&mut self, tag: char, text: &str) -> Flow {
        self.flush()?;
        if self.mode != Mode::Text {
            return self.tagged(tag, &Value::String(text.to_owned()).to_string());
        }
        let text = format::plain(text);
        let line = match tag {
            'w' => format!("WARNING: {text}"),
            'v' => format!("VERBOSE: {text}"),
            'd' => format!("DEBUG: {text}"),
            _ => return self.console.print(&format!("{text}\n")),
        };
        let line = format::wrap(&line, self.console.width());
        self.console.print(&format!("{line}\n"))
    }

    /// An error that lets the command go on.
    pub(crate) fn error(&mut self, error: &ErrorRecord) -> Flow {
        self.flush()?;
        if self.mode == Mode::Text {
            self.thrown(error)
        } else {
            self.tagged('e', &error.json())
        }
    }

    /// A terminating error, which the host itself shows, in both modes.
    pub(crate) fn thrown(&mut self, error: &ErrorRecord) -> Flow {
        let text = error.text(self.console.width());
        self.console.print(&text)
    }

    fn tagged(&mut self, tag: char, json: &str) -> Flow {
        let line = format!("<<mm:{tag}:{}>>{json}\n", self.nonce);
        self.console.print(&line)
    }
}

/// A property; names ignore case.
fn field_of(value: &Value, field: &str) -> Value {
    value
        .as_object()
        .and_then(|fields| {
            fields
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(field))
        })
        .map_or(Value::Null, |(_, value)| value.clone())
}

/// PowerShell's truth.
fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}
