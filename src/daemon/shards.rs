//! The threads that sessions live on. A session stays on its thread: a stream of output that hopped between workers would
//! cost up to twice the time (see `performance.md`, "8 sessions streaming at once").

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Handle};

/// One runtime a thread. The threads live as long as the process.
pub(super) struct Shards {
    handles: Vec<Handle>,
    next: AtomicUsize,
}

impl Shards {
    /// As many as there are processors, four at most: terminals are the limit before processors are.
    pub(super) fn start() -> io::Result<Self> {
        let count = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(4);
        let mut handles = Vec::with_capacity(count);
        for number in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            handles.push(runtime.handle().clone());
            std::thread::Builder::new()
                .name(format!("sessions-{number}"))
                .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        }
        Ok(Self {
            handles,
            next: AtomicUsize::new(0),
        })
    }

    /// The next one in turn.
    pub(super) fn pick(&self) -> &Handle {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        &self.handles[turn % self.handles.len()]
    }
}
