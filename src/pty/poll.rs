//! Waiting for a descriptor without blocking a thread.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a non-blocking descriptor with the runtime of this thread.
#[expect(
    unsafe_code,
    reason = "tokio asks for a promise that the type of the descriptor already makes"
)]
pub(crate) fn poll(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open until it is dropped, always gives the same number, and cannot be taken out of the
    // `AsyncFd` without being deregistered.
    unsafe { AsyncFd::register_with_interest(descriptor, interest) }.map_err(io::Error::from)
}
