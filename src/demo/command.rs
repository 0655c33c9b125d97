//! A command's text cut into statements and the stages of their pipelines, and the parse errors that PowerShell finds
//! before anything runs. It knows quotes and brackets, not the language.

/// A statement with its place, both from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// The pipeline, at least one stage.
    pub(crate) stages: Vec<Stage>,
}

/// One command of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// What PowerShell's parser says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParseError {
    pub(crate) message: String,
    pub(crate) id: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) incomplete: bool,
}

/// Cuts `text` at `;` and line ends, and statements at `|`, outside quotes, brackets and comments.
pub(crate) fn read(text: &str) -> Result<Vec<Statement>, ParseError> {
    let mut reader = Reader::new(text);
    reader.read()?;
    Ok(reader.statements)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: u32,
    column: u32,
    open: Vec<(char, u32, u32)>,
    stages: Vec<Stage>,
    /// The stage that is being read, from its first character that is no space.
    stage: Option<Stage>,
    /// The statement so far, with its pipes.
    whole: String,
    statements: Vec<Statement>,
}

impl Reader {
    fn new(text: &str) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
            line: 1,
            column: 1,
            open: Vec::new(),
            stages: Vec::new(),
            stage: None,
            whole: String::new(),
            statements: Vec::new(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Takes the next character without keeping it.
    fn skip(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    /// Takes the next character into the statement.
    fn keep(&mut self) -> Option<char> {
        let (line, column) = (self.line, self.column);
        let c = self.skip()?;
        if self.stage.is_some() || !c.is_whitespace() {
            let stage = self.stage.get_or_insert_with(|| Stage {
                text: String::new(),
                line,
                column,
            });
            stage.text.push(c);
        }
        self.whole.push(c);
        Some(c)
    }

    fn error(
        message: impl Into<String>,
        id: &'static str,
        place: (u32, u32),
        incomplete: bool,
    ) -> ParseError {
        ParseError {
            message: message.into(),
            id,
            line: place.0,
            column: place.1,
            incomplete,
        }
    }

    fn read(&mut self) -> Result<(), ParseError> {
        while let Some(c) = self.peek(0) {
            let before_is_space = self.at == 0 || !self.chars[self.at - 1].is_alphanumeric();
            match c {
                '#' if before_is_space => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.skip();
                    }
                }
                '@' if matches!(self.peek(1), Some('"' | '\'')) && self.peek(2) == Some('\n') => {
                    self.here_string()?;
                }
                '"' | '\'' => self.string(c)?,
                '`' => {
                    self.keep();
                    self.keep();
                }
                '(' | '{' | '[' => {
                    self.open.push((c, self.line, self.column));
                    self.keep();
                }
                ')' | '}' | ']' => self.close(c)?,
                ';' | '\n' if self.open.is_empty() => {
                    let goes_on = c == '\n' && self.stage.is_none() && !self.stages.is_empty();
                    self.skip();
                    if !goes_on {
                        self.end_statement();
                    }
                }
                '|' if self.open.is_empty() => {
                    self.skip();
                    self.end_stage();
                    self.whole.push('|');
                }
                _ => {
                    self.keep();
                }
            }
        }
        self.end()
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let end = (self.line, self.column);
        match self.open.last() {
            Some(('{', line, column)) => Err(Self::error(
                "Missing closing '}' in statement block or type definition.",
                "MissingEndCurlyBrace",
                (*line, *column),
                true,
            )),
            Some(_) if self.is_open_if() => Err(Self::error(
                "Missing condition in if statement after 'if ('.",
                "IfStatementMissingCondition",
                end,
                true,
            )),
            Some(_) => Err(Self::error(
                "Missing closing ')' in expression.",
                "MissingEndParenthesisInExpression",
                end,
                true,
            )),
            None => {
                self.end_statement();
                Ok(())
            }
        }
    }

    fn is_open_if(&self) -> bool {
        let open = self.whole.trim().strip_suffix('(').unwrap_or_default();
        open.trim_end().eq_ignore_ascii_case("if")
    }

    fn close(&mut self, c: char) -> Result<(), ParseError> {
        let opens = match c {
            ')' => '(',
            '}' => '{',
            _ => '[',
        };
        if self.open.pop().is_none_or(|(open, _, _)| open != opens) {
            return Err(Self::error(
                format!("Unexpected token '{c}' in expression or statement."),
                "UnexpectedToken",
                (self.line, self.column),
                false,
            ));
        }
        self.keep();
        Ok(())
    }

    fn string(&mut self, quote: char) -> Result<(), ParseError> {
        let place = (self.line, self.column);
        self.keep();
        loop {
            match self.keep() {
                None => return Err(Self::unterminated(&quote.to_string(), place)),
                Some('`') if quote == '"' => {
                    self.keep();
                }
                Some(c) if c == quote => {
                    // Doubled, it stands for itself.
                    if self.peek(0) != Some(quote) {
                        return Ok(());
                    }
                    self.keep();
                }
                Some(_) => {}
            }
        }
    }

    fn here_string(&mut self) -> Result<(), ParseError> {
        let place = (self.line, self.column);
        self.keep();
        let quote = self.keep().expect("the caller has seen the quote");
        loop {
            match self.keep() {
                None => return Err(Self::unterminated(&format!("{quote}@"), place)),
                Some('\n') if self.peek(0) == Some(quote) && self.peek(1) == Some('@') => {
                    self.keep();
                    self.keep();
                    return Ok(());
                }
                Some(_) => {}
            }
        }
    }

    fn unterminated(terminator: &str, place: (u32, u32)) -> ParseError {
        Self::error(
            format!("The string is missing the terminator: {terminator}."),
            "TerminatorExpectedAtEndOfString",
            place,
            true,
        )
    }

    fn end_stage(&mut self) {
        if let Some(mut stage) = self.stage.take() {
            stage.text.truncate(stage.text.trim_end().len());
            self.stages.push(stage);
        }
    }

    fn end_statement(&mut self) {
        self.end_stage();
        let stages = std::mem::take(&mut self.stages);
        let whole = std::mem::take(&mut self.whole);
        if let Some(first) = stages.first() {
            self.statements.push(Statement {
                text: whole.trim().to_owned(),
                line: first.line,
                column: first.column,
                stages,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let statements = read(text).expect("it can be parsed");
        statements
            .into_iter()
            .map(|statement| statement.text)
            .collect()
    }

    #[test]
    fn statements_end_outside_quotes_and_brackets() {
        assert_eq!(
            texts("a; \"b;c\" ; & { d; e }\nf"),
            ["a", "\"b;c\"", "& { d; e }", "f"]
        );
        assert_eq!(texts("# nothing"), [] as [String; 0]);
        assert_eq!(texts("@\"\nx; y\n\"@"), ["@\"\nx; y\n\"@"]);
        assert_eq!(texts("'it''s; one'"), ["'it''s; one'"]);
        assert_eq!(texts("a |\nb"), ["a |b"]);
    }

    #[test]
    fn stages_and_places_are_known() {
        let statements = read("/bin/echo native; /bin/ls | b 'x|y'").expect("it can be parsed");
        assert_eq!(statements[1].column, 19);
        let stages: Vec<&str> = statements[1]
            .stages
            .iter()
            .map(|stage| stage.text.as_str())
            .collect();
        assert_eq!(stages, ["/bin/ls", "b 'x|y'"]);
    }

    #[test]
    fn what_is_not_closed_is_a_parse_error() {
        for (text, id, line, column) in [
            ("if(", "IfStatementMissingCondition", 1, 4),
            ("\"unclosed", "TerminatorExpectedAtEndOfString", 1, 1),
            ("1\n & {", "MissingEndCurlyBrace", 2, 4),
            ("(1", "MissingEndParenthesisInExpression", 1, 3),
            ("1 }", "UnexpectedToken", 1, 3),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!(
                (error.id, error.line, error.column),
                (id, line, column),
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a-c\"'`@{}()\\[\\];|#\n é]{0,40}") {
            if let Ok(statements) = read(&text) {
                proptest::prop_assert!(statements.iter().all(|statement| !statement.stages.is_empty()));
            }
        }
    }
}
