//! The start: a terminal whose flags are set before anything runs on it, and `posix_spawn`.

use std::ffi::{CStr, CString, OsStr};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, Winsize, tcgetattr, tcsetattr,
    tcsetwinsize,
};

use super::{Child, Command, Master, SpawnError};

/// Starts a program on a new terminal of its own, as the leader of a new session. Needs a tokio runtime.
pub(crate) fn spawn(command: &Command) -> Result<(Master, Child), SpawnError> {
    let program = find(command)?;
    let (master, slave, path) =
        terminal(command).map_err(|source| SpawnError::Terminal { source })?;
    let pid = start(command, &program, &path)?;
    // Kept until here so that the flags hold: a terminal that nobody has open forgets them.
    drop(slave);
    let master = Master::new(master).map_err(|source| SpawnError::Terminal { source })?;
    let child = Child::new(pid).map_err(|source| SpawnError::Terminal { source })?;
    Ok((master, child))
}

/// Looks the program up on the search path of its own environment.
fn find(command: &Command) -> Result<PathBuf, SpawnError> {
    let program = Path::new(&command.program);
    if command.program.as_bytes().contains(&b'/') {
        return Ok(program.to_owned());
    }
    let path = command
        .environment
        .iter()
        .find(|(name, _)| name == "PATH")
        .map(|(_, value)| value.as_os_str());
    let folders: Vec<PathBuf> = std::env::split_paths(path.unwrap_or_default())
        .filter(|folder| folder.is_absolute())
        .collect();
    let is_file = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.is_file());
    let candidates: Vec<PathBuf> = folders
        .iter()
        .map(|folder| folder.join(program))
        .filter(is_file)
        .collect();
    let executable = |path: &&PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
    };
    match candidates
        .iter()
        .find(executable)
        .or_else(|| candidates.first())
    {
        Some(found) => Ok(found.clone()),
        None => Err(SpawnError::NotFound {
            program: command.program.to_string_lossy().into_owned(),
        }),
    }
}

/// The master, the slave, and the slave's path. Both are close-on-exec from their first moment.
fn terminal(command: &Command) -> io::Result<(OwnedFd, OwnedFd, CString)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = ptsname(&master, Vec::new())?;
    let slave = rustix::fs::open(
        &path,
        OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    set_flags(command, slave.as_fd())?;
    let size = command.size;
    tcsetwinsize(
        &slave,
        Winsize {
            ws_row: size.rows,
            ws_col: size.cols,
            ws_xpixel: size.pixel_width,
            ws_ypixel: size.pixel_height,
        },
    )?;
    Ok((master, slave, path))
}

fn set_flags(command: &Command, slave: impl AsFd) -> io::Result<()> {
    let flags = command.flags;
    let mut termios = tcgetattr(&slave)?;
    let local = &mut termios.local_modes;
    local.set(
        LocalModes::ECHO
            | LocalModes::ECHOE
            | LocalModes::ECHOK
            | LocalModes::ECHOCTL
            | LocalModes::ECHOKE,
        flags.echo,
    );
    local.set(LocalModes::ICANON, flags.canonical);
    local.set(LocalModes::ISIG, flags.signals);
    local.set(LocalModes::NOFLSH, !flags.flush_on_signal);
    termios
        .input_modes
        .set(InputModes::ICRNL, flags.map_cr_to_lf);
    // Byte 19 in a command's text must not stop the output.
    termios
        .input_modes
        .remove(InputModes::IXON | InputModes::IXOFF);
    termios.input_modes.insert(InputModes::IUTF8);
    termios
        .output_modes
        .insert(OutputModes::OPOST | OutputModes::ONLCR);
    tcsetattr(&slave, OptionalActions::Now, &termios)?;
    Ok(())
}

fn text(text: &OsStr) -> Result<CString, SpawnError> {
    CString::new(text.as_bytes()).map_err(|_| SpawnError::Nul)
}

/// Runs `posix_spawn`. Its child is the leader of a new session, and opening the slave makes that its controlling terminal.
fn start(
    command: &Command,
    program: &Path,
    slave: &CStr,
) -> Result<rustix::process::Pid, SpawnError> {
    let path = text(program.as_os_str())?;
    let folder = text(command.folder.as_os_str())?;
    fs::read_dir(&command.folder).map_err(|source| SpawnError::Folder {
        path: command.folder.clone(),
        source,
    })?;
    let mut arguments = vec![text(&command.program)?];
    for argument in &command.arguments {
        arguments.push(text(argument)?);
    }
    let mut environment = Vec::new();
    for (name, value) in &command.environment {
        let mut pair = name.clone();
        pair.push("=");
        pair.push(value);
        environment.push(text(&pair)?);
    }
    let not_executable = |source| SpawnError::NotExecutable {
        path: program.to_owned(),
        source,
    };
    let pid =
        posix_spawn(&path, &arguments, &environment, &folder, slave).map_err(not_executable)?;
    rustix::process::Pid::from_raw(pid)
        .ok_or_else(|| not_executable(io::Error::other("the system gave no pid")))
}

#[expect(
    unsafe_code,
    reason = "libc's posix_spawn has no safe form that sets session, folder and descriptors at once"
)]
fn posix_spawn(
    path: &CStr,
    arguments: &[CString],
    environment: &[CString],
    folder: &CStr,
    slave: &CStr,
) -> io::Result<libc::pid_t> {
    let pointers = |texts: &[CString]| {
        let mut pointers: Vec<*mut libc::c_char> =
            texts.iter().map(|text| text.as_ptr().cast_mut()).collect();
        pointers.push(std::ptr::null_mut());
        pointers
    };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    let check = |errno: libc::c_int| {
        if errno == 0 {
            Ok(())
        } else {
            Err(io::Error::from_raw_os_error(errno))
        }
    };
    let mut attributes = MaybeUninit::<libc::posix_spawnattr_t>::uninit();
    let mut actions = MaybeUninit::<libc::posix_spawn_file_actions_t>::uninit();
    let mut signals = MaybeUninit::<libc::sigset_t>::uninit();
    let mut pid = 0;
    // SAFETY: each of the three values is initialised by its own `init` or `empty` function before it is used, and the two that
    // own memory are destroyed on every way out. The strings and the arrays of pointers, each ended by a null, outlive the
    // call. `posix_spawn` itself runs nothing of ours in the child.
    unsafe {
        check(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
        let attributes = attributes.as_mut_ptr();
        if let Err(error) = check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr())) {
            libc::posix_spawnattr_destroy(attributes);
            return Err(error);
        }
        let actions = actions.as_mut_ptr();
        let spawned = (|| {
            // What the daemon blocks or ignores is nothing to its children.
            libc::sigemptyset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigmask(
                attributes,
                signals.as_ptr(),
            ))?;
            libc::sigfillset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigdefault(
                attributes,
                signals.as_ptr(),
            ))?;
            let flags = libc::POSIX_SPAWN_SETSID as libc::c_int
                | libc::POSIX_SPAWN_SETSIGMASK
                | libc::POSIX_SPAWN_SETSIGDEF;
            check(libc::posix_spawnattr_setflags(
                attributes,
                flags as libc::c_short,
            ))?;
            check(libc::posix_spawn_file_actions_addchdir_np(
                actions,
                folder.as_ptr(),
            ))?;
            check(libc::posix_spawn_file_actions_addopen(
                actions,
                0,
                slave.as_ptr(),
                libc::O_RDWR,
                0,
            ))?;
            check(libc::posix_spawn_file_actions_adddup2(actions, 0, 1))?;
            check(libc::posix_spawn_file_actions_adddup2(actions, 0, 2))?;
            check(libc::posix_spawn(
                &raw mut pid,
                path.as_ptr(),
                actions,
                attributes,
                arguments.as_ptr(),
                environment.as_ptr(),
            ))
        })();
        libc::posix_spawn_file_actions_destroy(actions);
        libc::posix_spawnattr_destroy(attributes);
        spawned?;
    }
    Ok(pid)
}
