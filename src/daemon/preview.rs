//! A command's own account of what it would do: its text with `-WhatIf` behind everything that acts, run in its session
//! before a person is asked. Only where the session itself says that each of these commands knows `-WhatIf`.

use std::time::Duration;

use tokio::sync::oneshot;

use super::bind;
use super::registry::Entry;
use super::service::Service;
use super::view::RunOrder;
use crate::expect::{Finish, Mode};
use crate::redact::mask;
use crate::script::EndState;
use crate::session::{Order, RunEvent, RunListener, RunResult};

/// Longer than this nobody is kept waiting for a preview; a session that is busy has none.
const WITHIN: Duration = Duration::from_secs(10);

/// Bytes of a preview: what a person reads before deciding.
const LIMIT: usize = 4 * 1024;

/// Bytes that are read for it, so that a secret on its border is seen whole before it is cut.
const READ: usize = 2 * LIMIT;

/// What the command says that it would do. `None`: it cannot be asked, or did not answer well and in time.
pub(super) async fn preview(service: &Service, entry: &Entry, wanted: &RunOrder) -> Option<String> {
    let (text, lookup) = service.trial(wanted, &entry.module).await?;
    let (done, said) = oneshot::channel();
    let tag = service.next_tag();
    let order = Order {
        tag,
        command: bind::command(&entry.module, &text),
        mode: Mode::Text,
        depth: 2,
        deadline: Some(WITHIN),
        fails_on_question: true,
        watch: None,
        recorder: None,
        condition: None,
        quiet: false,
        inquiry: Some(bind::inquiry(lookup, &entry.module).ok()?),
        listener: Box::new(Ear {
            text: Vec::new(),
            done,
        }),
    };
    entry.session.run(order).await.ok()?;
    if let Ok(said) = tokio::time::timeout(WITHIN, said).await {
        return said.ok().flatten();
    }
    entry.session.stop(tag, crate::session::StopWhy::Deadline);
    None
}

/// Hears what is said, and hands it over if it ended well.
struct Ear {
    text: Vec<u8>,
    done: oneshot::Sender<Option<String>>,
}

impl RunListener for Ear {
    fn event(&mut self, event: RunEvent<'_>) {
        if let RunEvent::Output(text) = event {
            let room = READ - self.text.len();
            self.text.extend_from_slice(&text[..text.len().min(room)]);
        }
    }

    fn ended(self: Box<Self>, result: RunResult) {
        let well = matches!(
            result,
            RunResult::Finished {
                finish: Finish::Ended {
                    state: EndState::Ok,
                    ..
                },
                stopped: None,
                ..
            }
        );
        // It is shown in more places than a run's output is.
        let text = mask(String::from_utf8_lossy(&self.text).trim()).cut(LIMIT);
        let text: String = text.into();
        // Whoever asked may have given up.
        self.done
            .send((well && !text.is_empty()).then_some(text))
            .unwrap_or_default();
    }
}
