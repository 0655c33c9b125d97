//! The mailbox of a session's task: any number of senders, one reader. A session that rests holds next to nothing for it, where
//! a channel of tokio's holds room for 32 letters and its ends on cache lines of their own.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker, ready};

use tokio::task::coop;

use super::mail::Mail;

/// A mailbox's two sides.
pub(super) fn mailbox() -> (Sender, Inbox) {
    let shared = Arc::new(Mutex::new(Shared {
        mail: VecDeque::new(),
        reader: None,
        closed: false,
    }));
    (Sender(Arc::clone(&shared)), Inbox(shared))
}

struct Shared {
    /// Boxed, so that the room which is left for the next few is small.
    mail: VecDeque<Box<Mail>>,
    /// Who waits for mail.
    reader: Option<Waker>,
    /// Nobody reads any more.
    closed: bool,
}

/// The side that writes. Clones write to the same mailbox; dropping the last tells the reader nothing.
#[derive(Clone)]
pub(super) struct Sender(Arc<Mutex<Shared>>);

impl Sender {
    /// Adds a letter behind those that are there. It comes back where nobody reads any more.
    pub(super) fn send(&self, mail: Box<Mail>) -> Result<(), Box<Mail>> {
        let mut shared = lock(&self.0);
        if shared.closed {
            return Err(mail);
        }
        shared.mail.push_back(mail);
        let reader = shared.reader.take();
        drop(shared);
        if let Some(reader) = reader {
            reader.wake();
        }
        Ok(())
    }
}

/// The side that reads. Dropping it closes the mailbox, and what is left in it is dropped too.
pub(super) struct Inbox(Arc<Mutex<Shared>>);

impl Inbox {
    /// The next letter, in the order in which they were sent; waits for ever where none comes. Cancel safe: a letter that is not
    /// given out stays.
    pub(super) async fn recv(&mut self) -> Box<Mail> {
        poll_fn(|cx| {
            // So that a flood of letters leaves the thread to others now and then.
            let coop = ready!(coop::poll_proceed(cx));
            let mut shared = lock(&self.0);
            if let Some(mail) = shared.mail.pop_front() {
                coop.made_progress();
                return Poll::Ready(mail);
            }
            let waits = shared.reader.as_ref();
            if !waits.is_some_and(|reader| reader.will_wake(cx.waker())) {
                shared.reader = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// Closes the mailbox; gives what is left in it.
    pub(super) fn close(&mut self) -> VecDeque<Box<Mail>> {
        let mut shared = lock(&self.0);
        shared.closed = true;
        shared.reader = None;
        std::mem::take(&mut shared.mail)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Nothing that can panic happens under the lock.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::StopWhy;

    fn send(sender: &Sender, tag: u64) -> Result<(), Box<Mail>> {
        let why = StopWhy::Asked;
        sender.send(Box::new(Mail::Stop { tag, why }))
    }

    fn tag(mail: &Mail) -> u64 {
        match *mail {
            Mail::Stop { tag, .. } => tag,
            _ => panic!("another letter was sent"),
        }
    }

    #[tokio::test]
    async fn letters_come_in_order_from_any_thread_and_none_is_lost() {
        let (sender, mut inbox) = mailbox();
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    for number in 0..1000 {
                        assert!(send(&sender, writer * 1000 + number).is_ok());
                    }
                })
            })
            .collect();
        let mut next = [0, 1000, 2000, 3000];
        for _ in 0..4000 {
            let mail = inbox.recv().await;
            let tag = tag(&mail);
            let expected = next.iter_mut().find(|next| **next == tag);
            *expected.expect("the next one of its writer") += 1;
        }
        for writer in writers {
            writer.join().expect("it wrote");
        }
    }

    #[tokio::test]
    async fn a_reader_that_gave_up_waiting_loses_nothing() {
        let (sender, mut inbox) = mailbox();
        tokio::select! {
            biased;
            _ = inbox.recv() => panic!("nothing was sent"),
            () = std::future::ready(()) => {}
        }
        assert!(send(&sender, 7).is_ok());
        let mail = inbox.recv().await;
        assert_eq!(tag(&mail), 7);
    }

    #[tokio::test]
    async fn a_closed_mailbox_gives_back_what_is_sent_and_what_was_left() {
        let (sender, mut inbox) = mailbox();
        assert!(send(&sender, 1).is_ok());
        let left: Vec<u64> = inbox.close().iter().map(|mail| tag(mail)).collect();
        assert_eq!(left, [1]);
        assert!(send(&sender, 2).is_err_and(|mail| tag(&mail) == 2));
        drop(inbox);
        assert!(send(&sender, 3).is_err());
    }
}
