//! The real bash with its bootstrap, spoken to by hand in the frames of `modules.d/shells/bash.yaml`.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};

use super::{Child, Ended, Master, Pty, TerminalFlags, command, in_time, write_all};

const BOOTSTRAP: &str = include_str!("../../../modules.d/shells/bash-bootstrap.sh");
const SHELL: &str = include_str!("../../../modules.d/shells/bash.yaml");

struct Shell {
    master: Master,
    child: Child,
    unread: Vec<u8>,
    frames: u64,
}

/// How a command ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    begun: bool,
    output: Vec<u8>,
    state: String,
    exit: String,
}

fn outcome(output: &str, state: &str, exit: &str) -> Outcome {
    Outcome {
        begun: true,
        output: output.as_bytes().to_vec(),
        state: state.to_owned(),
        exit: exit.to_owned(),
    }
}

/// How long after the begin marker bash is ready for an interrupt.
fn ready_after_begin() -> Duration {
    let shell: serde_json::Value = serde_yaml::from_str(SHELL).expect("it is YAML");
    let text = shell["interrupt"]["after_begin"].as_str().expect("a text");
    let milliseconds = text.strip_suffix("ms").map(str::parse);
    Duration::from_millis(milliseconds.expect("milliseconds").expect("a number"))
}

impl Shell {
    async fn start() -> Self {
        let shell: serde_json::Value = serde_yaml::from_str(SHELL).expect("it is YAML");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let flag = |name: &str| shell["terminal"][name].as_bool().expect("a flag");
        let size = |name: &str| {
            shell["terminal"][name]
                .as_u64()
                .and_then(|size| u16::try_from(size).ok())
                .expect("a size")
        };
        let arguments = shell["start"]["arguments"].as_array().expect("a list");
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| text(argument).replace("{bootstrap}", BOOTSTRAP))
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = command(&text(&shell["start"]["program"]), &arguments);
        for (name, value) in shell["environment"]["set"].as_object().expect("a map") {
            command.environment.push((name.clone(), text(value).into()));
        }
        command.terminal = TerminalFlags {
            columns: size("columns"),
            rows: size("rows"),
            echo: flag("echo"),
            canonical: flag("canonical"),
            map_cr_to_lf: flag("map_cr_to_lf"),
            signals: flag("signals"),
            flush_on_signal: flag("flush_on_signal"),
        };
        let (master, child) = Pty::spawn(&command).expect("bash starts");
        let mut shell = Self {
            master,
            child,
            unread: Vec::new(),
            frames: 0,
        };
        let boot = shell.end("boot").await;
        assert_eq!(
            (boot.state.as_str(), boot.output.as_slice()),
            ("ok", &b""[..])
        );
        shell
    }

    fn frame(&mut self, text: &[u8]) -> (String, Vec<u8>) {
        self.frames += 1;
        let nonce = format!("{:016x}", self.frames.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut encoded = String::new();
        for &byte in text {
            if byte.is_ascii_alphanumeric() || b" ./_-".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                write!(encoded, "\\0{byte:03o}").expect("a String takes it");
            }
        }
        let mut frame = String::from("\n");
        for piece in encoded.as_bytes().chunks(3000) {
            writeln!(frame, "+{}", std::str::from_utf8(piece).expect("ASCII")).expect("as above");
        }
        writeln!(frame, "!{nonce} {} text 2", encoded.len()).expect("as above");
        (nonce, frame.into_bytes())
    }

    async fn send(&mut self, text: &[u8]) -> String {
        let (nonce, frame) = self.frame(text);
        write_all(&self.master, &frame).await;
        nonce
    }

    /// What follows up to a text; both are taken.
    async fn take(&mut self, text: &str) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memmem::find(&self.unread[searched..], text.as_bytes()) {
                let rest = self.unread.split_off(searched + at + text.len());
                let mut taken = std::mem::replace(&mut self.unread, rest);
                taken.truncate(searched + at);
                return taken;
            }
            searched = self.unread.len().saturating_sub(text.len());
            let count = in_time(self.master.read(&mut buffer))
                .await
                .expect("it reads");
            assert_ne!(
                count,
                0,
                "ended without {text:?}: {:?}",
                String::from_utf8_lossy(&self.unread)
            );
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }

    async fn begin(&mut self, nonce: &str) {
        self.take(&format!("<<mm:begin:{nonce}>>\r\n")).await;
    }

    async fn end(&mut self, nonce: &str) -> Outcome {
        let before = self.take(&format!("<<mm:end:{nonce}:")).await;
        let fields = self.take(":>>\r\n").await;
        let fields = String::from_utf8(fields).expect("ASCII");
        let (state, exit) = fields.split_once(':').expect("two fields");
        let out = format!("<<mm:out:{nonce}>>\r\n");
        let out = memchr::memmem::rfind(&before, out.as_bytes()).expect("`out` comes before `end`");
        let begin = format!("<<mm:begin:{nonce}>>\r\n");
        let begin = memchr::memmem::find(&before, begin.as_bytes()).map(|at| at + begin.len());
        Outcome {
            begun: begin.is_some(),
            output: before[begin.unwrap_or(0)..out].to_vec(),
            state: state.to_owned(),
            exit: exit.to_owned(),
        }
    }

    /// One frame, one answer.
    async fn run(&mut self, text: impl AsRef<[u8]>) -> Outcome {
        let nonce = self.send(text.as_ref()).await;
        self.end(&nonce).await
    }

    /// As a session does: what did not start is sent again.
    async fn run_again(&mut self, text: &str) -> Outcome {
        loop {
            let outcome = self.run(text).await;
            if outcome.state != "unstarted" && outcome.state != "garbled" {
                return outcome;
            }
            assert!(!outcome.begun);
        }
    }

    async fn interrupt(&mut self) {
        write_all(&self.master, b"\x03").await;
    }

    /// The end of a command that was interrupted; interrupted again each second, as a session does.
    async fn end_interrupted(&mut self, nonce: &str) -> Outcome {
        let marker = format!("<<mm:end:{nonce}:");
        for _ in 0..20 {
            let arrived = async {
                let mut buffer = [0; 4096];
                while memchr::memmem::find(&self.unread, marker.as_bytes()).is_none() {
                    match self.master.read(&mut buffer).await.expect("it reads") {
                        0 => panic!("ended: {:?}", String::from_utf8_lossy(&self.unread)),
                        count => self.unread.extend_from_slice(&buffer[..count]),
                    }
                }
            };
            if tokio::time::timeout(Duration::from_secs(1), arrived)
                .await
                .is_ok()
            {
                return self.end(nonce).await;
            }
            self.interrupt().await;
        }
        panic!("no end: {:?}", String::from_utf8_lossy(&self.unread));
    }
}

#[tokio::test]
async fn commands_end_as_they_do() {
    let mut shell = Shell::start().await;
    for (text, expected) in [
        ("", outcome("", "ok", "0")),
        ("echo hi", outcome("hi\r\n", "ok", "0")),
        ("printf 'no line end'", outcome("no line end", "ok", "0")),
        ("(exit 7)", outcome("", "failed", "7")),
        ("echo $?", outcome("7\r\n", "ok", "0")),
        ("false; true", outcome("", "ok", "0")),
        (
            "f() {\n  local inside=1\n  echo \"in f $1\"\n}\nf 1; declare outside=2",
            outcome("in f 1\r\n", "ok", "0"),
        ),
        ("f $outside$inside", outcome("in f 2\r\n", "ok", "0")),
        (
            "cat <<E\n$outside\nE\ncat <<'E'\n$outside\nE",
            outcome("2\r\n$outside\r\n", "ok", "0"),
        ),
        (
            "if then",
            outcome(
                "bash: eval: line 1: syntax error near unexpected token `then'\r\nbash: eval: line 1: `if then'\r\n",
                "parse",
                "2",
            ),
        ),
        (
            "echo ran\n)",
            outcome(
                "ran\r\nbash: eval: line 2: syntax error near unexpected token `)'\r\nbash: eval: line 2: `)'\r\n",
                "failed",
                "2",
            ),
        ),
        ("(exit 2)", outcome("", "failed", "2")),
        ("break", outcome("", "ok", "0")),
        (
            "while :; do break 99; done; echo no",
            outcome("", "ok", "0"),
        ),
        ("continue; echo no", outcome("", "ok", "0")),
        (
            "nosuch-command",
            outcome(
                "bash: nosuch-command: command not found\r\n",
                "failed",
                "127",
            ),
        ),
        (
            "tty -s && echo terminal",
            outcome("terminal\r\n", "ok", "0"),
        ),
        (
            "env | grep -c -e __mm -e PROMPT_COMMAND",
            outcome("0\r\n", "failed", "1"),
        ),
        (
            "ls /proc/self/fd | tr '\\n' ' '",
            outcome("0 1 2 3 ", "ok", "0"),
        ),
        (
            "echo \"<<mm:out:0000000000000000>>\"",
            outcome("<<mm:out:0000000000000000>>\r\n", "ok", "0"),
        ),
    ] {
        assert_eq!(shell.run(text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_command_arrives_as_it_was_sent() {
    let mut shell = Shell::start().await;
    let mut check = async |text: &[u8]| {
        let mut quoted = b"printf %s '".to_vec();
        for &byte in text {
            match byte {
                b'\'' => quoted.extend_from_slice(b"'\\''"),
                byte => quoted.push(byte),
            }
        }
        quoted.extend_from_slice(b"' | od -An -v -tx1 | tr -d ' \\n'");
        let outcome = shell.run(&quoted).await;
        let hexadecimal = text
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        outcome.state == "ok" && outcome.output == hexadecimal.as_bytes()
    };
    let big: Vec<u8> = (0..100_000_u32)
        .map(|at| u8::try_from(at % 255 + 1).expect("below 256"))
        .collect();
    assert!(check(&big).await);
    for text in [
        &b"a\r\nb\rc"[..],
        b"\x1b[31mred\x1b[0m\x03\x04\x1a\x11\x13",
        b"<<mm:end:0:ok:0:>>\n!0 0 text 2\n+x",
        b"'\"\\$(`!%b\\0101",
        "äöü € 😀".as_bytes(),
        b"\xff\xfe\x80",
    ] {
        assert!(check(text).await, "{text:?}");
    }
    // The runner of `proptest!` is synchronous, and a bash for each case would be slow.
    let texts = proptest::collection::vec(1..=u8::MAX, 0..200);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::default()
    });
    for _ in 0..64 {
        let text = texts
            .new_tree(&mut runner)
            .expect("bytes can be made")
            .current();
        assert!(check(&text).await, "{text:?}");
    }
}

#[tokio::test]
async fn what_a_command_changes_does_not_reach_the_protocol() {
    let root = tempfile::tempdir().expect("a temp dir");
    let file = root.path().join("out");
    let file = file.to_str().expect("plain");
    let mut shell = Shell::start().await;
    for text in [
        "set -u -x -f -C",
        "PS1='> '; PS2='> '; PROMPT_COMMAND='echo no'; PROMPT_COMMAND+=(false)",
        "unset PROMPT_COMMAND; unset __mm_text",
        "IFS=0123456789abcdef; LC_ALL=C; TMOUT=1; GLOBIGNORE='*'",
        "printf() { echo no; }; read() { echo no; }; eval() { echo no; }; trap() { :; }; local() { :; }; set() { :; }",
        "alias printf='echo no' builtin=false eval=false; shopt -s nocasematch extglob failglob nullglob",
        "trap 'echo err' ERR; trap 'echo int' INT; trap '' QUIT TSTP",
        "exec </dev/null",
        "readonly IFS TMOUT",
        "umask 777",
    ] {
        assert_eq!(shell.run(text).await.state, "ok", "{text}");
    }
    // The clean-up of a command's own wishes is not ours: what is left here must only not spoil the next one.
    let after = shell
        .run("\\unalias -a; \\unset -f printf read eval trap local set; echo next")
        .await;
    assert_eq!(after.state, "ok");
    assert!(after.output.ends_with(b"next\r\n"), "{after:?}");
    assert_eq!(shell.run("set -o posix").await.state, "ok");
    assert_eq!(shell.run("set +o posix").await.state, "ok");
    // Output that was sent elsewhere stays there.
    assert_eq!(
        shell.run(format!("umask 077; exec >|{file} 2>&1")).await,
        outcome("", "ok", "0")
    );
    assert_eq!(shell.run("echo hidden").await, outcome("", "ok", "0"));
    assert_eq!(
        shell.run("exec >/dev/tty 2>&1").await,
        outcome("", "ok", "0")
    );
    assert_eq!(
        shell.run(format!("cat {file}")).await,
        outcome("hidden\r\n", "ok", "0")
    );
    // What would end the session at the next failure ends with its command.
    assert_eq!(shell.run("set -e").await.state, "ok");
    assert_eq!(shell.run("false").await.state, "failed");
    // Exported by `set -a`, the text of a big command would be too big for every program's environment.
    assert_eq!(shell.run("set -a").await.state, "ok");
    let big = format!(": {}; true", "x".repeat(200_000));
    assert_eq!(shell.run(&big).await.state, "ok");
    assert_eq!(shell.run("/bin/true").await, outcome("", "ok", "0"));
    // A background job's start and end are told to nobody, and it is not kept once it has ended.
    assert_eq!(shell.run("sleep 0.01 &").await, outcome("", "ok", "0"));
    assert_eq!(shell.run("wait").await.state, "ok");
    assert_eq!(shell.run("jobs").await, outcome("", "ok", "0"));
}

#[tokio::test]
async fn what_is_no_frame_is_never_executed() {
    let root = tempfile::tempdir().expect("a temp dir");
    let file = root.path().join("touched");
    let mut shell = Shell::start().await;
    for stray in [
        "touch",
        "+touch",
        "!touch",
        "!0123456789abcdef 5 text 2 touch",
        "!0123456789ABCDEF 0 text 2 touch",
        "!0123456789abcdef x text touch",
    ] {
        let line = format!("{stray} {0}\n\n: ; touch {0}\n half a line", file.display());
        write_all(&shell.master, line.as_bytes()).await;
        let outcome = shell.run_again("echo next").await;
        assert_eq!(outcome.output, b"next\r\n", "{stray}");
    }
    // Nothing runs of a frame that is too short or too long, and the next one does.
    let (nonce, frame) = shell.frame(b"echo lost");
    let cut = [&frame[..5], &frame[6..]].concat();
    write_all(&shell.master, &cut).await;
    assert_eq!(
        shell.end(&nonce).await,
        Outcome {
            begun: false,
            output: Vec::new(),
            state: "garbled".to_owned(),
            exit: String::new()
        }
    );
    assert_eq!(shell.run("echo next").await, outcome("next\r\n", "ok", "0"));
    assert!(!file.exists());
}

#[tokio::test]
async fn an_interrupt_ends_what_runs() {
    let mut shell = Shell::start().await;
    // What is to be interrupted says `up`: a signal that comes while bash starts it may find only a part of it.
    for text in [
        "sh -c 'echo up; exec sleep 60'; echo no",
        "echo up; while :; do :; done",
        "for i in 1 2 3; do sh -c 'echo up; exec sleep 60'; done; echo no",
        "read -p $'up\\n' answer; echo no",
        "f() { sh -c 'echo up; exec sleep 60'; echo no; }; f; echo no",
        "sleep 60 | sh -c 'echo up; exec cat'; echo no",
        "x=$(echo up >/dev/tty; sleep 60); echo no",
        "(echo up; sleep 60; echo no); echo no",
        "sleep 60 & echo up; wait; echo no",
        "sh -c 'echo up; exec sleep 60' || echo no && break",
    ] {
        let nonce = shell.send(text.as_bytes()).await;
        shell.take("up\r\n").await;
        shell.interrupt().await;
        let end = shell.end_interrupted(&nonce).await;
        assert_eq!(
            (end.state.as_str(), end.exit.as_str()),
            ("aborted", "130"),
            "{text}"
        );
        assert!(
            memchr::memmem::find(&end.output, b"no\r\n").is_none(),
            "{text}: {end:?}"
        );
        assert_eq!(
            shell.run_again("echo next $?").await,
            outcome("next 130\r\n", "ok", "0"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_interrupt_before_the_begin_leaves_the_command_unstarted() {
    let mut shell = Shell::start().await;
    // While idle: nothing of the next command is lost.
    shell.interrupt().await;
    assert_eq!(
        shell.run_again("echo idle").await,
        outcome("idle\r\n", "ok", "0")
    );
    // In the middle of a frame, once bash waits for one: what comes as the end is told belongs to what has ended.
    let id = shell.child.id();
    super::eventually("bash waits", || super::state(id) == Some('S')).await;
    let (nonce, frame) = shell.frame(b"echo no");
    let (head, tail) = frame.split_at(frame.len() - 4);
    write_all(&shell.master, &[head, b"\x03", tail].concat()).await;
    let end = shell.end(&nonce).await;
    assert_eq!(
        (end.begun, end.state.as_str(), end.exit.as_str()),
        (false, "unstarted", "")
    );
    assert_eq!(shell.run("echo next").await, outcome("next\r\n", "ok", "0"));
}

#[tokio::test]
async fn no_end_is_lost_around_an_interrupt() {
    let mut shell = Shell::start().await;
    let ready = ready_after_begin();
    let commands = [
        "true",
        "sleep 0.012",
        "sleep 0.011; /bin/true | cat",
        "x=$(sleep 0.011; echo a)",
        "cat <(sleep 0.01; echo b)",
        "(sleep 0.011; exit 2)",
    ];
    for trial in 0..200_u32 {
        let command = commands[trial as usize % commands.len()];
        let nonce = shell.send(command.as_bytes()).await;
        // No sooner than a session does, then spread over the command's end.
        shell.begin(&nonce).await;
        let pause = ready + Duration::from_micros(u64::from(trial * 7919 % 8000));
        let from = Instant::now();
        while from.elapsed() < pause {
            std::hint::spin_loop();
        }
        shell.interrupt().await;
        let end = shell.end_interrupted(&nonce).await;
        assert!(
            ["ok", "failed", "aborted", "unstarted", "garbled"].contains(&end.state.as_str()),
            "{end:?}"
        );
        let next = shell.run_again("echo \"$BASHPID $$\"").await;
        let id = shell.child.id();
        assert!(
            next.output.ends_with(format!("{id} {id}\r\n").as_bytes()),
            "{command}, {pause:?}: {next:?}"
        );
    }
}

#[tokio::test]
async fn programs_can_ask() {
    let mut shell = Shell::start().await;
    for (text, prompt, expected) in [
        ("read -p 'Name: ' x; echo \"[$x]\"", "Name: ", "[a b]\r\n"),
        (
            "python3 -c 'print([input(\"Name: \")])'",
            "Name: ",
            "['a b']\r\n",
        ),
        (
            "python3 -c 'import getpass; print([getpass.getpass()])'",
            "Password: ",
            "\r\n['a b']\r\n",
        ),
        ("sed -u 's/^/> /;q'; echo done", "", "> a b\r\ndone\r\n"),
    ] {
        let nonce = shell.send(text.as_bytes()).await;
        shell.begin(&nonce).await;
        shell.take(prompt).await;
        write_all(&shell.master, b"a b\n").await;
        let end = shell.end(&nonce).await;
        assert_eq!(
            (
                String::from_utf8_lossy(&end.output).as_ref(),
                end.state.as_str()
            ),
            (expected, "ok"),
            "{text}"
        );
        assert_eq!(shell.run("echo next").await, outcome("next\r\n", "ok", "0"));
    }
}

#[tokio::test]
async fn exit_ends_the_session() {
    for (text, code) in [("exit 4", 4), ("set -e; (exit 5); echo no", 5)] {
        let mut shell = Shell::start().await;
        let nonce = shell.send(text.as_bytes()).await;
        shell.begin(&nonce).await;
        let output = super::drain(&shell.master).await;
        assert!(memchr::memmem::find(&output, b"no").is_none());
        match in_time(shell.child.wait()).await.expect("it ends") {
            Ended::With(status) => assert_eq!(status.exit_code(), code),
            Ended::Unknown => panic!("a child of ours has a status"),
        }
    }
}
