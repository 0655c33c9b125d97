//! What is still to be typed into the terminal: written as the terminal takes it, so that a program that does not read
//! never blocks the reading of what it says. What was written is wiped: it may have been a secret.

use std::collections::VecDeque;

use zeroize::Zeroizing;

/// Bytes on their way into a terminal.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<Zeroizing<Vec<u8>>>,
    /// How much of the first was written.
    written: usize,
}

impl Outbox {
    /// Adds bytes behind what waits.
    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.queue.push_back(Zeroizing::new(bytes));
        }
    }

    /// Puts bytes before what waits: an interrupt does not stand in line behind a command that is still being typed.
    pub(super) fn overtake(&mut self, bytes: Vec<u8>) {
        if let Some(front) = self.queue.front_mut() {
            front.drain(..self.written);
        }
        self.written = 0;
        self.queue.push_front(Zeroizing::new(bytes));
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// What is to be written next.
    pub(super) fn front(&self) -> &[u8] {
        self.queue
            .front()
            .map_or(&[], |bytes| &bytes[self.written..])
    }

    /// So many bytes of the front were written.
    pub(super) fn advance(&mut self, count: usize) {
        self.written += count;
        if self
            .queue
            .front()
            .is_some_and(|bytes| bytes.len() <= self.written)
        {
            self.queue.pop_front();
            self.written = 0;
            if self.queue.is_empty() {
                // No room is kept: it would be there a thousand times.
                self.queue = VecDeque::new();
            }
        }
    }
}
