//! The part of the machine that asks and answers: a question after silence, one line back.

use std::time::Instant;

use super::Engine;
use crate::expect::event::{AnswerLine, Effect, Typed};
use crate::expect::question;
use crate::expect::state::State;

impl Engine {
    /// The output has been silent: is its end a question?
    pub(super) fn ask_if_asked(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let Some(exchange) = &self.exchange else {
            return;
        };
        if self.state == State::Running
            && let Some(question) = question::find(&self.shell, exchange.tail.as_bytes())
        {
            effects.push(Effect::Asked(question.clone()));
            self.go(State::Asking(question), now);
        }
    }

    pub(super) fn answer(&mut self, line: &AnswerLine, now: Instant, effects: &mut Vec<Effect>) {
        // Without a question an answer would become the next frame's beginning; a recording holds some that had none.
        let asked = matches!(self.state, State::Asking(_));
        if !asked && self.habits.gives_up {
            return;
        }
        let mut bytes = line.text.expose().as_bytes().to_vec();
        bytes.push(b'\n');
        effects.push(Effect::Write(Typed {
            bytes,
            secret: line.secret,
        }));
        if let Some(exchange) = &mut self.exchange
            && self.habits.hides_echo
            && self.shell.echoes_answers
        {
            exchange.answered(line);
        }
        if asked {
            self.go(State::Running, now);
        }
    }
}
