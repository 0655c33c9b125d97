//! [`TestDaemon`]: an `mm` with a state folder, a socket and a connections file of its own.

pub(crate) mod door;

use std::io::{Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use expectrl::{Eof, Expect as _};
use serde_json::{Value, json};

/// How long anything may take. Generous: a busy machine is no failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A daemon's world. The daemon itself starts when a verb needs it, and is gone when this is dropped.
pub(crate) struct TestDaemon {
    folder: tempfile::TempDir,
}

/// What a program left when it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// -1 where a signal ended it.
    pub(crate) code: i32,
}

impl TestDaemon {
    /// With the connection `Contoso`, whose user approves at once.
    pub(crate) fn new() -> Self {
        Self::with_scenario("exo?approve=200ms")
    }

    /// With the connection `Contoso`, which this scenario stands in for.
    pub(crate) fn with_scenario(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700))
            .expect("the folder is ours");
        let daemon = Self { folder };
        let connections = json!({"connections": {"Contoso": {
            "tenant": "contoso.com",
            "tenantId": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
            "expectedEmail": "ada@contoso.com",
            "stand_in": scenario,
            "policy": "open",
        }}});
        std::fs::write(daemon.path("connections.json"), connections.to_string())
            .expect("the folder can be written");
        daemon
    }

    /// Changes a key of the connection `Contoso`.
    pub(crate) fn set_entry(&self, key: &str, value: &Value) {
        let path = self.path("connections.json");
        let text = std::fs::read_to_string(&path).expect("it was written");
        let mut file: Value = serde_json::from_str(&text).expect("it is JSON");
        file["connections"]["Contoso"][key] = value.clone();
        std::fs::write(&path, file.to_string()).expect("the folder can be written");
    }

    /// Writes the settings file, which the daemon reads again when it next needs it.
    pub(crate) fn configure(&self, settings: &str) {
        let folder = self.path(".config/mm");
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::write(folder.join("config.yaml"), settings).expect("the folder can be written");
    }

    /// A path in the daemon's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("run/mm.sock")
    }

    /// `mm` with these arguments and only what it needs of the environment.
    pub(crate) fn mm(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mm"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TERM", "xterm")
            .env("MM_STATE_DIR", self.path("state"))
            .env("MM_SOCKET", self.socket())
            .env("MM_CONNECTIONS", self.path("connections.json"))
            .stdin(Stdio::null());
        command
    }

    /// A shell that runs `text` with the environment of `like`.
    pub(crate) fn shell(&self, like: &Command, text: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", text]).env_clear();
        for (name, value) in like.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.current_dir(self.folder.path());
        command
    }

    /// Runs `mm` to its end, with nothing on standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        finish(self.mm(arguments), b"")
    }

    /// Runs `mm` to its end, with this on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Finished {
        finish(self.mm(arguments), input)
    }

    /// Starts `mm` and lets it go on, with its output thrown away.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.mm(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mm was built")
    }

    /// `mm` on a terminal of its own.
    pub(crate) fn terminal(&self, arguments: &[&str]) -> expectrl::session::OsSession {
        Self::on_terminal(self.mm(arguments))
    }

    /// This command on a terminal of its own.
    pub(crate) fn on_terminal(mut command: Command) -> expectrl::session::OsSession {
        // The terminal is what the session has; the null device would hide it.
        command.stdin(Stdio::inherit());
        let mut session = expectrl::Session::spawn(command).expect("mm was built");
        session.set_expect_timeout(Some(DEADLINE));
        // It comes without, and then a hidden prompt could not be told from an open one.
        session
            .get_process_mut()
            .set_echo(true, None)
            .expect("it is a terminal");
        session
    }

    /// Signs in to `Contoso/exo`.
    pub(crate) fn sign_in(&self) {
        let login = self.run(&["login", "-c", "Contoso", "-m", "exo"]);
        assert_eq!(login.code, 0, "{login:?}");
    }

    /// Signs in to `Contoso/exo`, as a person who takes whoever it is now.
    pub(crate) fn accept_identity(&self) -> String {
        let words = ["login", "-c", "Contoso", "-m", "exo", "--accept-identity"];
        let mut session = self.terminal(&words);
        session.expect("type yes to go on: ").expect("it asks");
        session.send_line("yes").expect("the terminal is open");
        let end = session.expect(Eof).expect("it ends");
        String::from_utf8_lossy(end.as_bytes()).into_owned()
    }

    /// The only session.
    pub(crate) fn session(&self) -> Value {
        let status = self.run(&["status", "--json"]);
        let report: Value = serde_json::from_str(&status.stdout).expect("it is JSON");
        report["sessions"][0].clone()
    }

    /// The newest run.
    pub(crate) fn newest_run(&self) -> Value {
        let list = self.run(&["runs", "list", "--json"]);
        let report: Value = serde_json::from_str(&list.stdout).expect("it is JSON");
        report["runs"][0].clone()
    }

    /// Waits until the newest run is in this state, and returns it.
    pub(crate) fn wait_for_run(&self, state: &str) -> Value {
        wait_for(&format!("a run that is {state}"), || {
            let run = self.newest_run();
            (run["state"] == state).then_some(run)
        })
    }

    /// Waits until the newest run asks something with this text, and returns it.
    pub(crate) fn wait_for_question(&self, text: &str) -> Value {
        wait_for(&format!("a question about `{text}`"), || {
            let run = self.newest_run();
            let asked = run["question"]["text"].as_str()?;
            asked.contains(text).then_some(run)
        })
    }

    /// The daemon's process, from its lock file.
    pub(crate) fn pid(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.path("state/daemon.lock")).ok()?;
        text.trim().parse().ok()
    }
}

impl Drop for TestDaemon {
    fn drop(&mut self) {
        let Some(pid) = self.pid().filter(|pid| is_daemon(*pid, self.folder.path())) else {
            return;
        };
        let _ = self
            .mm(&["daemon", "stop", "--force"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if is_daemon(pid, self.folder.path()) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}

/// Whether `pid` is a daemon with its state in `folder`; a number alone may have been given to another process.
fn is_daemon(pid: u32, folder: &Path) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let folder = folder.as_os_str().as_encoded_bytes();
    environment
        .windows(folder.len())
        .any(|window| window == folder)
}

/// Whether a process has ended, reaped or not: with every thread of it, because the last one closes what is open.
pub(crate) fn is_gone(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state stands behind the name, which may hold anything (proc(5)).
    let first_has_ended = stat
        .rsplit(") ")
        .next()
        .is_none_or(|fields| fields.is_empty() || fields.starts_with(['Z', 'X']));
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    first_has_ended && threads.map_or(0, Iterator::count) <= 1
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, input: &[u8]) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program exists");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_vec();
    // The program may end without reading it all.
    thread::spawn(move || drop(stdin.write_all(&input)));
    let stdout = collect(child.stdout.take().expect("it is piped"));
    let stderr = collect(child.stderr.take().expect("it is piped"));
    let status = wait_for("the program's end", || {
        child.try_wait().expect("it is our child")
    });
    let text = |bytes: &mpsc::Receiver<Vec<u8>>| {
        let bytes = bytes
            .recv_timeout(DEADLINE)
            .expect("nobody else holds the pipe");
        String::from_utf8(bytes).expect("it is UTF-8")
    };
    Finished {
        stdout: text(&stdout),
        stderr: text(&stderr),
        code: status.code().unwrap_or(-1),
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        drop(sender.send(bytes));
    });
    receiver
}

/// Asks until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "there was never {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The library that sets a program's clock, where it is installed (Debian: `faketime`).
pub(crate) fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
}

/// Says that a test could not look at what it is for.
#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests has to know that one did not"
)]
pub(crate) fn told(why: &str) {
    eprintln!("skipped: {why}");
}
