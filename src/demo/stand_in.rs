//! The stand-in as a process: a scenario on this process's own terminal, until one of them ends.

use std::process::ExitCode;

use super::catalog::{Scenario, ScenarioError};
use super::console::Ending;
use super::host::Host;
use super::terminal::Terminal;

/// Plays `scenario` (a built-in name or a path, either with `?key=value&…`) on standard input and output, which should be a
/// terminal with `ECHO`, `ICANON` and `ICRNL` off and `ISIG` on. Blocks until the terminal ends, the program is told to
/// exit, or it kills itself with a signal; the code is what PowerShell would leave with. Takes over SIGINT, SIGQUIT and
/// SIGTSTP. Call it outside an async runtime.
pub(crate) fn stand_in(scenario: &str) -> Result<ExitCode, ScenarioError> {
    let scenario = Scenario::find(scenario)?;
    let terminal = Terminal::open().map_err(ScenarioError::Terminal)?;
    let columns = rustix::termios::tcgetwinsize(rustix::stdio::stdout())
        .map_or(0, |size| usize::from(size.ws_col));
    // A terminal that does not say its width gets what our shell file asks for.
    let columns = if columns == 0 { 240 } else { columns };
    match Host::new(terminal, columns, scenario).run() {
        Ending::Code(code) => Ok(ExitCode::from(code)),
        Ending::Signal(number) => Ok(die(number)),
    }
}

/// Ends this process by the signal; returns only if the signal does not end a process.
fn die(number: i32) -> ExitCode {
    use rustix::process::{Signal, getpid, kill_process};
    let signal = Signal::from_named_raw(number).unwrap_or(Signal::KILL);
    // Where the signal cannot be sent the process still has to end: with the code that a shell gives for it.
    let _ = kill_process(getpid(), signal);
    ExitCode::from(u8::try_from(number).unwrap_or(0).saturating_add(128))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant};

    use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

    const SCENARIO: &str = "MM_TEST_STAND_IN";

    /// Not a test of its own: what the tests below start in a terminal is this program, with a scenario's name.
    #[test]
    fn process() {
        use rustix::termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let Ok(scenario) = std::env::var(SCENARIO) else {
            return;
        };
        let input = rustix::stdio::stdin();
        let mut terminal = tcgetattr(input).expect("it is a terminal");
        terminal
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON);
        terminal.local_modes.insert(LocalModes::NOFLSH);
        terminal.input_modes.remove(InputModes::ICRNL);
        tcsetattr(input, OptionalActions::Now, &terminal).expect("its settings can be changed");
        let code = super::stand_in(&scenario).expect("it can be played");
        std::process::exit(i32::from(code == std::process::ExitCode::from(7)) * 7);
    }

    struct Peer {
        writer: Box<dyn std::io::Write + Send>,
        output: Receiver<Vec<u8>>,
        child: Box<dyn Child + Send + Sync>,
        seen: String,
    }

    impl Peer {
        fn start(scenario: &str) -> Self {
            let size = PtySize {
                rows: 50,
                cols: 240,
                ..PtySize::default()
            };
            let pair = native_pty_system()
                .openpty(size)
                .expect("there is a terminal");
            let program = std::env::current_exe().expect("it is known");
            let mut command = CommandBuilder::new(program);
            command.args(["--exact", "demo::stand_in::tests::process", "--nocapture"]);
            command.env(SCENARIO, scenario);
            let child = pair.slave.spawn_command(command).expect("it starts");
            let mut reader = pair.master.try_clone_reader().expect("it can be read");
            let writer = pair.master.take_writer().expect("it can be written");
            let (sender, output) = channel();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = reader.read(&mut buffer) {
                    if sender.send(buffer[..length].to_vec()).is_err() {
                        return;
                    }
                }
            });
            let mut peer = Self {
                writer,
                output,
                child,
                seen: String::new(),
            };
            peer.until("<<mm:end:boot:ok::>>\r\n");
            peer
        }

        fn send(&mut self, bytes: &str) {
            self.writer
                .write_all(bytes.as_bytes())
                .expect("it can be written");
            self.writer.flush().expect("it can be written");
        }

        fn run(&mut self, nonce: u8, command: &str) {
            use base64::Engine as _;
            let encoded = base64::engine::general_purpose::STANDARD.encode(command);
            self.send(&format!(
                "\n+{encoded}\n!{nonce:016x} {} text 2\n",
                encoded.len()
            ));
        }

        /// Reads, and answers queries, until `text` was seen; takes it and what was before it out.
        fn until(&mut self, text: &str) -> String {
            let deadline = Instant::now() + Duration::from_secs(30);
            loop {
                while let Some(at) = self.seen.find("\u{1b}[6n") {
                    self.seen.replace_range(at..at + 4, "");
                    self.send("\u{1b}[1;1R");
                }
                if let Some(at) = self.seen.find(text) {
                    return self.seen.drain(..at + text.len()).collect();
                }
                let left = deadline.saturating_duration_since(Instant::now());
                let Ok(bytes) = self.output.recv_timeout(left) else {
                    panic!("`{text}` did not come, but {:?}", self.seen);
                };
                self.seen.push_str(&String::from_utf8_lossy(&bytes));
            }
        }

        /// Waits for its end; a child that stays is killed and fails the test.
        fn end(&mut self) -> portable_pty::ExitStatus {
            let deadline = Instant::now() + Duration::from_secs(30);
            while Instant::now() < deadline {
                if let Some(status) = self.child.try_wait().expect("it is our child") {
                    return status;
                }
                // The output has to be read for the child to end, and says when it is over.
                let _ = self.output.recv_timeout(Duration::from_millis(20));
            }
            self.child.kill().expect("it is our child");
            panic!("it did not end");
        }
    }

    #[test]
    fn it_lives_on_a_real_terminal() {
        let mut peer = Peer::start("exo?approve=50ms");
        peer.run(
            1,
            "Connect-ExchangeOnline -Device; Get-Mailbox -ResultSize 1",
        );
        let output = peer.until("<<mm:end:0000000000000001:ok::>>\r\n");
        assert!(
            output.contains("enter the code C4NTS7K9Q to authenticate.\r\n"),
            "{output}"
        );
        assert!(output.contains("user1@contoso.com"), "{output}");
        peer.run(2, "Start-Sleep 600");
        peer.until("<<mm:begin:0000000000000002>>\r\n");
        peer.send("\u{3}");
        peer.until("<<mm:end:0000000000000002:aborted::>>\r\n");
        peer.run(3, "exit 7");
        assert_eq!(peer.end().exit_code(), 7);
    }

    #[test]
    fn a_deaf_command_ends_when_it_does() {
        let mut peer = Peer::start("deaf");
        peer.run(1, "Get-Deaf -Milliseconds 400");
        peer.until("asking the service\r\n");
        let asked = Instant::now();
        peer.send("\u{3}");
        let output = peer.until("<<mm:end:0000000000000001:aborted::>>\r\n");
        assert!(asked.elapsed() > Duration::from_millis(200));
        assert!(!output.contains("answered"), "{output}");
        peer.run(2, "exit");
        assert!(peer.end().success());
    }

    #[test]
    fn it_dies_by_the_signal_it_is_told() {
        let mut peer = Peer::start("crash");
        peer.run(1, "Stop-Stand -Signal 9");
        assert!(
            peer.child
                .wait()
                .expect("it is our child")
                .signal()
                .is_some()
        );
    }
}
