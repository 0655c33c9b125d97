//! Text with named holes. A template is checked against the holes its place offers when it is made, so rendering it
//! cannot fail; values are quoted for the shell they go to, so a connection's text can never become code.

/// How a value is written into a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// As it is: for markers, frames, paths and the environment.
    Plain,
    /// A PowerShell single-quoted string. PowerShell takes `‘ ’ ‚ ‛` for `'`, so each of them is doubled too.
    PowerShell,
    /// A POSIX shell single-quoted string.
    Posix,
}

impl Quoting {
    /// `value` as one literal.
    pub(crate) fn quote(self, value: &str) -> String {
        match self {
            Self::Plain => value.to_owned(),
            Self::PowerShell => {
                let mut text = String::with_capacity(value.len() + 2);
                text.push('\'');
                for c in value.chars() {
                    if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
                        text.push(c);
                    }
                    text.push(c);
                }
                text.push('\'');
                text
            }
            Self::Posix => format!("'{}'", value.replace('\'', r"'\''")),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(&'static str),
}

/// What is wrong with a template's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// The hole is not one that this place fills.
    #[error("there is no hole `{{{name}}}` here")]
    UnknownHole {
        /// What stands between the braces.
        name: String,
        /// Where the hole begins, in bytes from the start of the text.
        at: usize,
    },
}

/// Text with named holes such as `{tenant}`. A brace that does not enclose a lower-case word is text: PowerShell's script
/// blocks need no escaping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

impl Template {
    /// Reads `text`; every `{word}` must be one of `holes`.
    pub(crate) fn parse(text: &str, holes: &[&'static str]) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let inside = &rest[open + 1..];
            let word = inside
                .find('}')
                .map(|close| &inside[..close])
                .filter(|word| is_word(word));
            let Some(word) = word else {
                plain.push_str(&rest[..=open]);
                rest = inside;
                continue;
            };
            let Some(hole) = holes.iter().find(|hole| **hole == word) else {
                return Err(TemplateError::UnknownHole {
                    name: word.to_owned(),
                    at: text.len() - rest.len() + open,
                });
            };
            plain.push_str(&rest[..open]);
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Hole(hole));
            rest = &inside[word.len() + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// As it was written.
    pub(crate) fn source(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(plain) => plain.clone(),
            Piece::Hole(name) => format!("{{{name}}}"),
        };
        self.0.iter().map(piece).collect()
    }

    /// A regular expression for what it renders to, to read it back. `group` says what a hole's value looks like; a hole that
    /// comes again has no name there.
    pub(crate) fn expression(&self, group: impl Fn(&str) -> &'static str) -> String {
        let mut named = Vec::new();
        let mut expression = |piece: &Piece| match piece {
            Piece::Text(plain) => regex::escape(plain),
            Piece::Hole(name) if named.contains(name) => format!("(?:{})", group(name)),
            Piece::Hole(name) => {
                named.push(*name);
                format!("(?<{name}>{})", group(name))
            }
        };
        self.0.iter().map(&mut expression).collect()
    }

    /// The holes it has, in order, repeats included.
    pub(crate) fn holes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(name) => Some(*name),
            Piece::Text(_) => None,
        })
    }

    /// The text with its holes filled. `value` is asked for each hole and its answer is quoted; what it has no answer for
    /// is filled with the empty text, quoted.
    pub(crate) fn render<'v>(
        &self,
        quoting: Quoting,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> String {
        self.render_with(|name| quoting.quote(value(name).unwrap_or_default()))
    }

    /// The text with its holes filled by `fill` as they are: what it gives has to be quoted already.
    pub(crate) fn render_with(&self, fill: impl Fn(&'static str) -> String) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Hole(name) => text.push_str(&fill(name)),
            }
        }
        text
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_quoted() {
        let template = Template::parse("Connect -Tenant {tenant} | % { $_ } {}", &["tenant"])
            .expect("the hole is known");
        let text = template.render(Quoting::PowerShell, |name| {
            (name == "tenant").then_some("o'hara’s")
        });
        assert_eq!(text, "Connect -Tenant 'o''hara’’s' | % { $_ } {}");
        assert_eq!(template.holes().collect::<Vec<_>>(), ["tenant"]);
    }

    #[test]
    fn an_unknown_hole_is_found_with_its_place() {
        let error = Template::parse("a {{tenant}", &["nonce"]);
        assert_eq!(
            error,
            Err(TemplateError::UnknownHole {
                name: "tenant".to_owned(),
                at: 3
            })
        );
    }

    #[test]
    fn a_posix_literal_survives_quotes() {
        assert_eq!(Quoting::Posix.quote("it's"), r"'it'\''s'");
    }
}
