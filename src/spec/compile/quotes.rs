//! Holes that stand inside quotes. A hole is filled as one quoted text; inside other quotes its own would be part of the text,
//! and what it holds would be code.

use std::ops::Range;

use crate::script::{Quoting, Template};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::parts::Written;
use crate::spec::source::At;

/// Reports the first hole of `template`, made of `text`, that stands inside quotes. True where there is none.
pub(super) fn outside_quotes(
    text: Written<'_, At<String>>,
    template: &Template,
    quoting: Quoting,
    findings: &mut Diagnostics,
) -> bool {
    let Some(place) = first_inside(&text.value.value, template, quoting) else {
        return true;
    };
    let hole = &text.value.value[place.clone()];
    let message = format!("`{hole}` stands inside quotes, and is filled as a quoted text itself");
    let at = text.file.within(text.value.span, &text.value.value, place);
    findings.push(
        text.error(at, message)
            .help("leave the quotes around it out; beside other text it is one word with it"),
    );
    false
}

/// What the reading is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Round brackets: what is in them is read as at the beginning.
    Brackets,
    /// Double quotes. What is in `$(…)` there is read as at the beginning, too.
    Quotes,
}

fn first_inside(text: &str, template: &Template, quoting: Quoting) -> Option<Range<usize>> {
    let escape = match quoting {
        Quoting::Plain => return None,
        Quoting::PowerShell => '`',
        Quoting::Posix => '\\',
    };
    let hole_at = |at: usize| {
        let rest = &text[at..];
        let mut holes = template.holes().map(|hole| format!("{{{hole}}}"));
        let hole = holes.find(|hole| rest.starts_with(hole.as_str()))?;
        Some(at..at + hole.len())
    };
    let mut inside: Vec<Inside> = Vec::new();
    let mut single = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let quotes = inside.last() == Some(&Inside::Quotes);
        match c {
            '{' if single || quotes => {
                if let Some(place) = hole_at(at) {
                    return Some(place);
                }
            }
            '\'' if !quotes => single = !single,
            _ if single => {}
            '"' if quotes => drop(inside.pop()),
            '"' => inside.push(Inside::Quotes),
            '$' if quotes && chars.peek().is_some_and(|(_, next)| *next == '(') => {
                chars.next();
                inside.push(Inside::Brackets);
            }
            '(' if !quotes => inside.push(Inside::Brackets),
            ')' if inside.last() == Some(&Inside::Brackets) => drop(inside.pop()),
            c if c == escape => drop(chars.next()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(text: &str, quoting: Quoting) -> Option<String> {
        let template = Template::parse(text, &["a", "b"]).expect("the holes are known");
        first_inside(text, &template, quoting).map(|place| text[place].to_owned())
    }

    #[test]
    fn holes_inside_quotes_are_found() {
        for (text, quoting, hole) in [
            ("x \"{a}\"", Quoting::Posix, Some("{a}")),
            ("x '{a}'", Quoting::Posix, Some("{a}")),
            ("x {a} \"is {b}\"", Quoting::Posix, Some("{b}")),
            ("x \"$HOME\" {a}", Quoting::Posix, None),
            ("x --n={a} 'y' {b}", Quoting::Posix, None),
            ("x \"\\\"{a}\"", Quoting::Posix, Some("{a}")),
            ("x \\\"{a}", Quoting::Posix, None),
            ("x \"$(y {a})\"", Quoting::Posix, None),
            ("x \"$(y '{a}')\"", Quoting::Posix, Some("{a}")),
            ("x \"$(y) {a}\"", Quoting::Posix, Some("{a}")),
            ("x @<(printf %s {a})", Quoting::Posix, None),
            ("x '{' {a}", Quoting::Posix, None),
            ("X \"`\"{a}\"", Quoting::PowerShell, Some("{a}")),
            ("X 'it''s' {a}", Quoting::PowerShell, None),
            ("X 'it''s {a}'", Quoting::PowerShell, Some("{a}")),
            ("X ('y', (Z {a}))", Quoting::PowerShell, None),
            ("x \"{a}\"", Quoting::Plain, None),
        ] {
            assert_eq!(inside(text, quoting).as_deref(), hole, "{text}");
        }
    }
}
