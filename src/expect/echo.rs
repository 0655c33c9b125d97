//! [`EchoFilter`]: the echo of one typed answer, told from the output it stands before.

use zeroize::Zeroizing;

/// Takes out the echo of one typed answer. PowerShell's line editor writes every prefix of it (`bbobob`), or a `*` for each
/// character of a masked one, and then a line end (`pwsh-pty.md`, "What asks"); nothing else is an echo. A native program
/// reads its answer without one, so whatever differs from both forms by a byte is output, the answer's own text included.
/// Only an answer of one character cannot be told from a line of output that is the same character.
pub(crate) struct EchoFilter {
    answer: Zeroizing<Vec<u8>>,
    /// Where the answer's characters end, in bytes.
    ends: Vec<usize>,
    /// The forms that what came may still be.
    forms: [Option<Form>; 2],
    /// What came, as long as it may be the echo.
    held: Zeroizing<Vec<u8>>,
    secret: bool,
}

/// What an [`EchoFilter`] says of the bytes so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EchoVerdict {
    /// They may still be the echo.
    Undecided,
    /// The echo is whole: so much of it, and how many of the last bytes come after it.
    Echo { echo: Vec<u8>, after: usize },
    /// There is none; this came instead.
    Output(Vec<u8>),
}

/// How far one form of the echo has come.
#[derive(Clone, Copy)]
struct Form {
    masked: bool,
    /// Prefixes, or stars, that are whole.
    whole: usize,
    /// Bytes of the prefix after those.
    at: usize,
    /// Whether the carriage return of the line end came.
    returned: bool,
}

enum Step {
    Next(Form),
    Done,
    Differs,
}

impl EchoFilter {
    /// Waits for the echo of `answer`, which has no control characters. An echo of a `secret` that is cut is not given out.
    pub(crate) fn new(answer: &str, secret: bool) -> Self {
        let form = |masked| Form {
            masked,
            whole: 0,
            at: 0,
            returned: false,
        };
        Self {
            answer: Zeroizing::new(answer.as_bytes().to_vec()),
            ends: answer
                .char_indices()
                .map(|(at, c)| at + c.len_utf8())
                .collect(),
            forms: [Some(form(false)), Some(form(true))],
            held: Zeroizing::default(),
            secret,
        }
    }

    /// Takes the next bytes, each of which is looked at once.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> EchoVerdict {
        for (at, byte) in bytes.iter().enumerate() {
            let mut done = false;
            for place in 0..self.forms.len() {
                let Some(form) = self.forms[place] else {
                    continue;
                };
                self.forms[place] = match self.step(form, *byte) {
                    Step::Next(form) => Some(form),
                    Step::Done => {
                        done = true;
                        None
                    }
                    Step::Differs => None,
                };
            }
            if done {
                self.held.extend_from_slice(&bytes[..=at]);
                return EchoVerdict::Echo {
                    echo: std::mem::take(&mut self.held),
                    after: bytes.len() - at - 1,
                };
            }
            if self.forms.iter().all(Option::is_none) {
                self.held.extend_from_slice(bytes);
                return EchoVerdict::Output(std::mem::take(&mut self.held));
            }
        }
        self.held.extend_from_slice(bytes);
        EchoVerdict::Undecided
    }

    /// What came when no more comes: output after all, unless it is a part of a secret.
    pub(crate) fn into_held(mut self) -> Vec<u8> {
        if self.secret {
            Vec::new()
        } else {
            std::mem::take(&mut self.held)
        }
    }

    fn step(&self, form: Form, byte: u8) -> Step {
        let Some(end) = self.ends.get(form.whole) else {
            return match byte {
                b'\n' => Step::Done,
                b'\r' if !form.returned => Step::Next(Form {
                    returned: true,
                    ..form
                }),
                _ => Step::Differs,
            };
        };
        let wanted = if form.masked {
            b'*'
        } else {
            self.answer[form.at]
        };
        if byte != wanted {
            Step::Differs
        } else if form.masked || form.at + 1 == *end {
            Step::Next(Form {
                whole: form.whole + 1,
                at: 0,
                ..form
            })
        } else {
            Step::Next(Form {
                at: form.at + 1,
                ..form
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The verdict over `whole`, fed up to `cut` and then on, and what of it was neither echo nor held.
    fn verdict(answer: &str, whole: &[u8], cut: usize) -> (EchoVerdict, Vec<u8>) {
        let cut = cut.min(whole.len());
        let mut filter = EchoFilter::new(answer, false);
        for (from, to) in [(0, cut), (cut, whole.len())] {
            match filter.push(&whole[from..to]) {
                EchoVerdict::Undecided => {}
                EchoVerdict::Echo { echo, after } => {
                    return (
                        EchoVerdict::Echo { echo, after: 0 },
                        whole[to - after..].to_vec(),
                    );
                }
                EchoVerdict::Output(text) => {
                    return (EchoVerdict::Output(text), whole[to..].to_vec());
                }
            }
        }
        (EchoVerdict::Undecided, filter.into_held())
    }

    proptest! {
        #[test]
        fn an_echo_is_taken_out_whatever_the_chunks(answer in "[a-cé]{0,6}", masked: bool, cut in 0usize..40) {
            let echo: String = if masked {
                "*".repeat(answer.chars().count())
            } else {
                answer.char_indices().map(|(at, c)| &answer[..at + c.len_utf8()]).collect()
            };
            let (verdict, rest) = verdict(&answer, format!("{echo}\r\nnext").as_bytes(), cut);
            prop_assert_eq!(verdict, EchoVerdict::Echo { echo: format!("{echo}\r\n").into_bytes(), after: 0 });
            prop_assert_eq!(rest, b"next");
        }

        #[test]
        fn no_byte_of_anything_else_is_lost(answer in "[a-b*]{0,4}", text in "[ab*\r\n]{0,14}", cut in 0usize..14) {
            let (verdict, rest) = verdict(&answer, text.as_bytes(), cut);
            let mut all = match verdict {
                EchoVerdict::Echo { echo, .. } => echo,
                EchoVerdict::Output(text) => text,
                EchoVerdict::Undecided => Vec::new(),
            };
            all.extend_from_slice(&rest);
            prop_assert_eq!(all, text.into_bytes());
        }
    }

    #[test]
    fn what_is_no_echo_is_output() {
        for (answer, text) in [
            ("alice", "aalX"),
            ("y", "got y\r\n"),
            // What `read name; echo "$name"` writes: the answer, and no echo before it.
            ("bob", "bob\r\n"),
            ("bob", "\r\n"),
            ("bob", "**\r\n"),
            ("bob", "****\r\n"),
            ("", "*\r\n"),
        ] {
            let (verdict, rest) = verdict(answer, text.as_bytes(), text.len());
            assert_eq!(
                (verdict, rest),
                (EchoVerdict::Output(text.as_bytes().to_vec()), Vec::new()),
                "{answer:?}"
            );
        }
    }

    #[test]
    fn a_cut_echo_of_a_secret_is_not_given_out() {
        let mut filter = EchoFilter::new("hunter2", true);
        assert_eq!(filter.push(b"hhu"), EchoVerdict::Undecided);
        assert!(filter.into_held().is_empty());
    }

    #[test]
    fn a_long_answer_costs_each_byte_of_its_echo_once() {
        let answer = "a".repeat(2000);
        let mut filter = EchoFilter::new(&answer, false);
        let echo: Vec<u8> = (1..=2000).flat_map(|length| vec![b'a'; length]).collect();
        for piece in echo.chunks(1000) {
            assert_eq!(filter.push(piece), EchoVerdict::Undecided);
        }
        assert!(matches!(filter.push(b"\r\n"), EchoVerdict::Echo { .. }));
    }
}
