//! Which bytes of a long output are kept, and where: the head stays, and the tail goes round in the rest.

use std::ops::Range;

/// Head and tail of at most `limit` bytes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    head: u64,
    tail: u64,
}

impl Layout {
    /// Half of `limit` for the head, the rest for the tail. A limit below two bytes is two.
    pub(super) fn new(limit: u64) -> Self {
        let limit = limit.max(2);
        Self {
            head: limit / 2,
            tail: limit - limit / 2,
        }
    }

    /// What of `total` bytes is still there: the head, and the tail where that is not one with it.
    pub(super) fn kept(self, total: u64) -> [Range<u64>; 2] {
        let head = 0..total.min(self.head);
        let tail = total.saturating_sub(self.tail).max(head.end)..total;
        [head, tail]
    }

    /// Where the byte at `offset` is kept, and how many follow it there.
    pub(super) fn place(self, offset: u64) -> (u64, u64) {
        if offset < self.head {
            return (offset, self.head - offset);
        }
        let round = (offset - self.head) % self.tail;
        (self.head + round, self.tail - round)
    }
}
