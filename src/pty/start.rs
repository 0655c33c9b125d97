//! The one call that starts a process: `posix_spawn` with the terminal opened by path in the child.
//!
//! It does not copy our page tables as `fork` does, runs nothing of ours in the child, and returns what `exec` said.

#![expect(
    unsafe_code,
    reason = "posix_spawn has no safe binding; rustix and std do not offer SETSID with file actions"
)]

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use rustix::process::Pid;

/// What to start. All of it is passed on as it is; nothing is inherited.
pub(super) struct Plan<'a> {
    /// The file to execute, already looked up.
    pub(super) path: &'a CStr,
    /// Entry 0 is the program's own name.
    pub(super) arguments: &'a [CString],
    /// `NAME=value`.
    pub(super) environment: &'a [CString],
    /// Where to start.
    pub(super) directory: &'a CStr,
    /// The terminal's slave.
    pub(super) terminal: &'a CStr,
}

/// Starts it as the leader of a new session whose controlling terminal, standard input, output and error are the
/// terminal, with an empty signal mask, default signal actions and no other descriptor. Blocks until `exec` was done, for
/// well under a millisecond. The error is what the first failing step gave.
pub(super) fn start(plan: &Plan<'_>) -> io::Result<Pid> {
    let actions = Actions::new()?;
    let attributes = Attributes::new()?;
    actions.directory(plan.directory)?;
    // The leader of a session that has no terminal gets the first one it opens (Linux, tty_ioctl(4)): that is why 0 is
    // opened by path, here, and not passed on.
    actions.open(0, plan.terminal)?;
    actions.duplicate(0, 1)?;
    actions.duplicate(0, 2)?;
    // Ours are CLOEXEC; what our own starter left open without it ends here.
    actions.close_from(3)?;

    let arguments = pointers(plan.arguments);
    let environment = pointers(plan.environment);
    let mut pid: libc::pid_t = 0;
    // SAFETY: every pointer is to an initialised value that outlives the call, both arrays end with a null pointer, and
    // the call keeps none of them.
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            plan.path.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            arguments.as_ptr(),
            environment.as_ptr(),
        )
    })?;
    Ok(Pid::from_raw(pid).expect("a started process has a positive id"))
}

fn pointers(texts: &[CString]) -> Vec<*mut libc::c_char> {
    // The C signature lacks a `const`; nothing writes through them.
    let pointers = texts.iter().map(|text| text.as_ptr().cast_mut());
    pointers.chain([ptr::null_mut()]).collect()
}

/// The calls return an errno instead of setting it.
fn check(errno: libc::c_int) -> io::Result<()> {
    match errno {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// What the child does to its descriptors before `exec`, in order.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the call initialises what the pointer is to.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: it did. glibc and musl keep a pointer to a list of their own in it and none to itself, so it may move.
        Ok(Self(unsafe { actions.assume_init() }))
    }

    fn raw(&self) -> *mut libc::posix_spawn_file_actions_t {
        (&raw const self.0).cast_mut()
    }

    fn directory(&self, path: &CStr) -> io::Result<()> {
        // SAFETY: initialised, and the path is copied.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(self.raw(), path.as_ptr()) })
    }

    fn open(&self, descriptor: libc::c_int, path: &CStr) -> io::Result<()> {
        // SAFETY: initialised, and the path is copied.
        check(unsafe {
            libc::posix_spawn_file_actions_addopen(
                self.raw(),
                descriptor,
                path.as_ptr(),
                libc::O_RDWR,
                0,
            )
        })
    }

    fn duplicate(&self, from: libc::c_int, to: libc::c_int) -> io::Result<()> {
        // SAFETY: initialised.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(self.raw(), from, to) })
    }

    fn close_from(&self, first: libc::c_int) -> io::Result<()> {
        // SAFETY: initialised.
        check(unsafe { libc::posix_spawn_file_actions_addclosefrom_np(self.raw(), first) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed only here. The call cannot fail.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// A session of its own, no signal blocked, every signal's default action: Rust ignores SIGPIPE, and `exec` keeps that.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the call initialises what the pointer is to.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: it did. It holds no pointer to itself (glibc and musl), so it may move.
        let mut attributes = Self(unsafe { attributes.assume_init() });
        let flags = libc::c_int::from(libc::POSIX_SPAWN_SETSID)
            | libc::POSIX_SPAWN_SETSIGMASK
            | libc::POSIX_SPAWN_SETSIGDEF;
        let flags = libc::c_short::try_from(flags).expect("the flags are below 0x100");
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the sets are initialised by sigemptyset and sigfillset, which cannot fail on valid pointers, before they are
        // read; the attributes are initialised, and the sets are copied.
        unsafe {
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigfillset(all.as_mut_ptr());
            libc::sigdelset(all.as_mut_ptr(), libc::SIGKILL);
            libc::sigdelset(all.as_mut_ptr(), libc::SIGSTOP);
            check(libc::posix_spawnattr_setsigmask(
                &raw mut attributes.0,
                none.as_ptr(),
            ))?;
            check(libc::posix_spawnattr_setsigdefault(
                &raw mut attributes.0,
                all.as_ptr(),
            ))?;
            check(libc::posix_spawnattr_setflags(&raw mut attributes.0, flags))?;
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed only here. The call cannot fail.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}
