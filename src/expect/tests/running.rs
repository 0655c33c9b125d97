//! A run that is stopped, cut, slow to begin, or asks: what comes back, and that no byte of it is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pwsh;
use crate::expect::{
    AnswerLine, CloseReason, Effect, Engine, Finish, Habits, Input, Mode, Nonce, RunRequest, State,
    StopCause,
};
use crate::script::Shell;
use crate::secret::Secret;

/// A machine with one run, and its clock.
struct Running {
    engine: Engine,
    now: Instant,
    output: Vec<u8>,
    finished: Vec<Finish>,
    typed: Vec<Vec<u8>>,
}

impl Running {
    /// The frame is typed; nothing answered yet.
    fn sent() -> Self {
        Self::sent_to(pwsh())
    }

    fn sent_to(shell: Arc<Shell>) -> Self {
        let now = Instant::now();
        let mut engine = Engine::new(shell, false, Habits::LIVE, now);
        let boot = b"<<mm:out:boot>>\r\n<<mm:end:boot:ok::>>\r\n";
        assert!(engine.handle(Input::Output(boot), now).is_empty());
        let mut machine = Self {
            engine,
            now,
            output: Vec::new(),
            finished: Vec::new(),
            typed: Vec::new(),
        };
        machine.feed(Input::Run(Box::new(RunRequest {
            tag: 1,
            command: "Get-Thing".to_owned(),
            mode: Mode::Text,
            depth: 2,
            nonces: (1..=6u8)
                .map(|number| Nonce::from_random([number; 8]))
                .collect(),
            watch: None,
        })));
        assert_eq!(machine.typed.len(), 1);
        machine.typed.clear();
        machine
    }

    fn begun() -> Self {
        let mut machine = Self::sent();
        machine.says("<<mm:begin:NONCE>>\r\n");
        machine
    }

    fn feed(&mut self, input: Input<'_>) {
        for effect in self.engine.handle(input, self.now) {
            match effect {
                Effect::Output(text) => self.output.extend_from_slice(&text),
                Effect::Finished(finished) => self.finished.push(finished.finish),
                Effect::Write(typed) => self.typed.push(typed.bytes),
                Effect::Began | Effect::Asked(_) | Effect::Echo(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn says(&mut self, text: &str) {
        let nonce = self.engine.nonce().expect("something runs").to_owned();
        let text = text.replace("NONCE", &nonce);
        self.feed(Input::Output(text.as_bytes()));
    }

    fn ends(&mut self, state: &str) {
        self.says(&format!(
            "<<mm:out:NONCE>>\r\n<<mm:end:NONCE:{state}::>>\r\n"
        ));
    }

    fn waits(&mut self, so_long: Duration) {
        let until = self.now + so_long;
        while let Some(due) = self.engine.deadline().filter(|due| *due <= until) {
            self.now = due;
            self.feed(Input::Tick);
        }
        self.now = until;
    }

    /// It asks for a name, and is answered.
    fn answered(text: &str) -> Self {
        let mut machine = Self::begun();
        machine.says("Name: ");
        machine.waits(Duration::from_secs(1));
        assert!(matches!(machine.engine.state(), State::Asking(_)));
        machine.feed(Input::Answer(AnswerLine {
            text: Secret::new(text.to_owned()),
            secret: false,
        }));
        machine.output.clear();
        machine
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

#[test]
fn a_frame_that_the_terminal_still_takes_is_not_unanswered() {
    let mut machine = Running::sent();
    for _ in 0..10 {
        machine.waits(Duration::from_secs(29));
        machine.feed(Input::Written);
    }
    assert!(machine.finished.is_empty());
    machine.waits(Duration::from_secs(31));
    assert_eq!(machine.finished, [Finish::Unanswered]);
    // What is late is still heard, and the session goes on.
    machine.says("<<mm:begin:NONCE>>\r\nlate\r\n");
    machine.ends("ok");
    assert_eq!(*machine.engine.state(), State::Ready);
    assert_eq!((machine.output().as_str(), machine.finished.len()), ("", 1));
}

#[test]
fn what_came_after_an_out_marker_is_output_where_no_end_follows() {
    for lost in [true, false] {
        let mut machine = Running::begun();
        machine.says("one\r\n<<mm:out:NONCE>>\r\ntwo\r\n");
        assert_eq!(machine.output(), "one\n");
        if lost {
            machine.feed(Input::Ended(CloseReason::Exited(1)));
            assert_eq!(machine.finished, [Finish::Lost(CloseReason::Exited(1))]);
        } else {
            machine.feed(Input::Interrupt);
            machine.waits(Duration::from_secs(3));
            assert_eq!(machine.finished, [Finish::GaveUp]);
        }
        assert_eq!(machine.output(), "one\ntwo\n");
    }
}

#[test]
fn an_absorbing_command_that_hangs_is_noticed_and_forgiven() {
    let mut machine = Running::begun();
    machine.feed(Input::Interrupt);
    machine.ends("aborted");
    machine.waits(Duration::from_millis(40));
    assert_eq!(machine.typed.len(), 2, "the interrupt, the absorbing frame");
    machine.says("<<mm:begin:NONCE>>\r\n");
    machine.waits(Duration::from_secs(29));
    assert!(!machine.engine.is_stuck());
    machine.waits(Duration::from_secs(2));
    assert!(machine.engine.is_stuck());
    assert_eq!(
        *machine.engine.state(),
        State::Stopping(StopCause::Unanswered)
    );
    machine.ends("ok");
    assert_eq!(*machine.engine.state(), State::Ready);
    assert_eq!(machine.engine.deadline(), None);
}

#[test]
fn an_answer_loses_its_echo_and_nothing_else() {
    // PowerShell's own prompt.
    let mut machine = Running::answered("bob");
    machine.says("bbobob\r\nhello bob\r\n");
    machine.ends("ok");
    assert_eq!(machine.output(), "hello bob\n");
    // A native program's: no echo, and it repeats the answer.
    let mut machine = Running::answered("bob");
    machine.says("bob\r\nbbobob\r\n");
    machine.ends("ok");
    assert_eq!(machine.output(), "bob\nbbobob\n");
    // It ends in the middle of what might have been one.
    let mut machine = Running::answered("bob");
    machine.says("bbo");
    machine.ends("ok");
    assert_eq!(machine.output(), "bbo");
}

#[test]
fn a_marker_of_any_length_is_found_in_small_pieces() {
    use base64::Engine as _;
    let errors = serde_json::json!([{"message": "x".repeat(1_000_000)}]).to_string();
    let report = base64::engine::general_purpose::STANDARD.encode(errors);
    let mut machine = Running::begun();
    let nonce = machine.engine.nonce().expect("it runs").to_owned();
    let whole = format!("<<mm:out:{nonce}>>\r\n<<mm:end:{nonce}:failed::{report}>>\r\n");
    for piece in whole.as_bytes().chunks(100) {
        machine.feed(Input::Output(piece));
    }
    assert!(matches!(machine.finished[..], [Finish::Ended { .. }]));
    assert_eq!(machine.output(), "");
}

#[test]
fn two_interrupts_are_one() {
    let mut machine = Running::begun();
    machine.feed(Input::Interrupt);
    machine.feed(Input::Interrupt);
    assert_eq!(machine.typed, [b"\x03".to_vec()]);
    machine.waits(Duration::from_millis(1500));
    assert_eq!(machine.typed.len(), 2, "once more, by itself");
}

#[test]
fn an_interrupt_waits_until_the_program_is_ready_for_it() {
    let mut shell = Shell::clone(&pwsh());
    shell.interrupt.after_begin = Some(Duration::from_millis(10));
    let shell = Arc::new(shell);
    // Before the begin marker, and soon after it.
    for early in [true, false] {
        let mut machine = Running::sent_to(Arc::clone(&shell));
        if early {
            machine.feed(Input::Interrupt);
            machine.waits(Duration::from_millis(100));
        }
        machine.says("<<mm:begin:NONCE>>\r\n");
        machine.feed(Input::Interrupt);
        machine.waits(Duration::from_millis(9));
        assert!(machine.typed.is_empty());
        machine.waits(Duration::from_millis(1));
        assert_eq!(machine.typed, [b"\x03".to_vec()]);
        machine.ends("aborted");
        assert!(matches!(machine.finished[..], [Finish::Ended { .. }]));
    }
    // What began long ago is interrupted at once, and what never begins all the same.
    let mut machine = Running::sent_to(Arc::clone(&shell));
    machine.says("<<mm:begin:NONCE>>\r\n");
    machine.waits(Duration::from_millis(20));
    machine.feed(Input::Interrupt);
    assert_eq!(machine.typed.len(), 1);
    let mut machine = Running::sent_to(shell);
    machine.feed(Input::Interrupt);
    machine.waits(Duration::from_secs(1));
    assert_eq!(machine.typed.len(), 1);
}
