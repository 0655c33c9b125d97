//! Runs that wait for their session, in order and bounded.

use std::collections::VecDeque;

use super::mail::{Order, RunEvent, RunResult};

/// Eight may wait; then the session is busy.
pub(crate) const AT_MOST: usize = 8;

/// Orders in the order they came.
#[derive(Default)]
pub(super) struct Queue {
    orders: VecDeque<Box<Order>>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.orders.len()
    }

    /// How many of them are somebody's runs.
    pub(super) fn runs(&self) -> usize {
        let somebodys = self.orders.iter().filter(|order| !order.quiet);
        somebodys.count()
    }

    pub(super) fn is_full(&self) -> bool {
        self.orders.len() >= AT_MOST
    }

    pub(super) fn push(&mut self, order: Box<Order>) {
        self.orders.push_back(order);
    }

    /// Puts one back where it was taken from.
    pub(super) fn push_first(&mut self, order: Box<Order>) {
        self.orders.push_front(order);
    }

    pub(super) fn pop(&mut self) -> Option<Box<Order>> {
        self.orders.pop_front()
    }

    /// Takes one out of the line.
    pub(super) fn remove(&mut self, tag: u64) -> Option<Box<Order>> {
        let at = self.orders.iter().position(|order| order.tag == tag)?;
        self.orders.remove(at)
    }

    /// Tells everyone where they stand: `busy` runs go before the first of them, or the session is not ready.
    pub(super) fn announce(&mut self, ready: bool, busy: usize) {
        for (place, order) in self.orders.iter_mut().enumerate() {
            order.listener.event(if ready {
                RunEvent::Queued(place + busy)
            } else {
                RunEvent::Waiting
            });
        }
    }

    /// Ends them all.
    pub(super) fn end_all(&mut self, result: &RunResult) {
        for order in self.orders.drain(..) {
            order.listener.ended(result.clone());
        }
    }
}
