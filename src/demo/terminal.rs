//! The stand-in's real [`World`]: standard input and output, SIGINT, and the monotonic clock. A thread each for input and
//! signals; both end with the process.

use std::io::{Read as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::world::{Gone, Happening, World};

/// The process's own terminal.
pub(crate) struct Terminal {
    start: Instant,
    happenings: Receiver<Happening>,
}

impl Terminal {
    /// Takes over SIGINT, and SIGQUIT and SIGTSTP, which do nothing in PowerShell (`pwsh-pty.md`); then begins to read.
    pub(crate) fn open() -> std::io::Result<Self> {
        let (sender, happenings) = channel();
        let (installed, is_installed) = channel();
        let signals = sender.clone();
        std::thread::spawn(move || hear_signals(&signals, &installed));
        is_installed
            .recv()
            .map_err(|_| std::io::Error::other("the signal thread has ended"))??;
        std::thread::spawn(move || read_input(&sender));
        Ok(Self {
            start: Instant::now(),
            happenings,
        })
    }
}

fn hear_signals(sender: &Sender<Happening>, installed: &Sender<std::io::Result<()>>) {
    let heard = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .and_then(|runtime| {
            runtime.block_on(async {
                let mut interrupt = signal(SignalKind::interrupt())?;
                let _quit = signal(SignalKind::quit())?;
                let _stop = signal(SignalKind::from_raw(libc::SIGTSTP))?;
                if installed.send(Ok(())).is_ok() {
                    while interrupt.recv().await.is_some()
                        && sender.send(Happening::Interrupt).is_ok()
                    {}
                }
                Ok(())
            })
        });
    if let Err(error) = heard {
        // Nobody listens any more once `open` has returned, and then there was no error.
        let _ = installed.send(Err(error));
    }
}

fn read_input(sender: &Sender<Happening>) {
    let mut input = std::io::stdin().lock();
    let mut buffer = vec![0; 65536];
    loop {
        let happening = match input.read(&mut buffer) {
            Ok(0) => Happening::Gone,
            Ok(length) => Happening::Typed(buffer[..length].to_vec()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            // EIO: the terminal's other side is closed.
            Err(_) => Happening::Gone,
        };
        let last = happening == Happening::Gone;
        if sender.send(happening).is_err() || last {
            return;
        }
    }
}

impl World for Terminal {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let mut output = std::io::stdout().lock();
        output
            .write_all(bytes)
            .and_then(|()| output.flush())
            .map_err(|_| Gone)
    }

    fn next(&mut self, until: Option<Duration>) -> Happening {
        let Some(until) = until else {
            return self.happenings.recv().unwrap_or(Happening::Gone);
        };
        match self
            .happenings
            .recv_timeout(until.saturating_sub(self.now()))
        {
            Ok(happening) => happening,
            Err(RecvTimeoutError::Timeout) => Happening::TimeUp,
            // The reader has ended after it said so: the end is known, so only the time remains to be kept.
            Err(RecvTimeoutError::Disconnected) => Happening::Gone,
        }
    }
}
