//! What a server that waits for its client holds in memory.

use std::ffi::c_void;
use std::ptr::from_ref;

use rustix::mm::{Advice, madvise};

#[expect(unsafe_code, reason = "the linker's symbols have no other declaration")]
unsafe extern "C" {
    /// Where the program begins in memory, by the linker.
    static __executable_start: u8;
    /// Where its text ends.
    static etext: u8;
}

/// Gives back the pages of the program's own file that were needed to start, and are not any more. The kernel maps sixteen of
/// them around each that is touched, and counts them all as this process's; what is used again is mapped again. A machine
/// that does not know this advice keeps them, which is no harm.
#[expect(
    unsafe_code,
    reason = "there is no safe call for a part of one's own program"
)]
pub(super) fn give_back() {
    // SAFETY: only the addresses of the symbols are taken.
    let (start, end) = unsafe { (from_ref(&__executable_start), from_ref(&etext)) };
    let length = (end.addr() - start.addr()) & !(rustix::param::page_size() - 1);
    // SAFETY: the range begins with a page and ends with one; it holds the parts of the program that are only read, privately
    // mapped from its file, which cannot be written while it runs (ETXTBSY). A page that is dropped is read again from there.
    let given = unsafe {
        madvise(
            start.cast_mut().cast::<c_void>(),
            length,
            Advice::LinuxDontNeed,
        )
    };
    if let Err(error) = given {
        tracing::debug!(%error, "the pages of the start stay");
    }
}
