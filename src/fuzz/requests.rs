//! Anything that can happen to a session, in any order: the machine ends what it was given, once each, lets nobody in who
//! was not expected, and never spins.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use super::{BASH, PWSH};
use crate::expect::{
    AnswerLine, CloseReason, Effect, Engine, Expected, Habits, Input, Mode, Nonce, RunRequest,
    SignInRequest, State,
};
use crate::script::{Shell, SignIn};
use crate::secret::Secret;

static RULES: LazyLock<Arc<SignIn>> = LazyLock::new(|| {
    let module = super::CATALOG.module("exo").expect("it is built in");
    Arc::new(module.sign_in.clone().expect("it signs in"))
});

const ACCOUNT: &str = "ada@contoso.com";

struct Machine {
    engine: Engine,
    now: Instant,
    tags: u64,
    /// How often each run ended.
    ends: Vec<u32>,
    /// Sign-ins that were asked for, and those that ended.
    sign_ins: [usize; 2],
}

/// The program and whether it signs in by the first byte, then one thing after the other: a byte says what, and what it
/// needs follows.
pub fn requests(data: &[u8]) {
    let Some((how, mut data)) = data.split_first() else {
        return;
    };
    let shell = if how & 1 == 0 { &PWSH } else { &BASH };
    let mut machine = Machine::new(shell, how & 2 != 0);
    while let Some((what, rest)) = data.split_first() {
        data = machine.happens(*what, rest);
    }
    machine.ends();
}

impl Machine {
    fn new(shell: &Arc<Shell>, signs_in: bool) -> Self {
        let now = Instant::now();
        Self {
            engine: Engine::new(Arc::clone(shell), signs_in, Habits::LIVE, now),
            now,
            tags: 0,
            ends: Vec::new(),
            sign_ins: [0, 0],
        }
    }

    /// One thing; gives what follows it.
    fn happens<'d>(&mut self, what: u8, rest: &'d [u8]) -> &'d [u8] {
        let (first, after) = rest.split_first().unwrap_or((&0, &[]));
        match what % 12 {
            0 => {
                let (said, after) = after.split_at(usize::from(*first).min(after.len()));
                self.says(said);
                return after;
            }
            // The words of a program that does as it is told.
            1 => self.says(b"<<mm:begin:NONCE>>\r\n"),
            2 => {
                let state = ["ok", "failed", "aborted", "unstarted", "garbled", "parse"];
                let state = state[usize::from(*first) % state.len()];
                let end = format!("<<mm:out:NONCE>>\r\n<<mm:end:NONCE:{state}::>>\r\n");
                self.says(end.as_bytes());
                return after;
            }
            3 => {
                let account = if first % 2 == 0 {
                    ACCOUNT
                } else {
                    "eve@contoso.com"
                };
                let record = format!(
                    "<<mm:o:NONCE>>[{{\"State\":\"Connected\",\"TokenStatus\":\"Active\",\"UserPrincipalName\":\"{account}\",\"TenantID\":\"t\"}}]\r\n"
                );
                self.says(record.as_bytes());
                return after;
            }
            4 => {
                self.now += Duration::from_millis(1 << (first % 21));
                self.feed(Input::Tick);
                return after;
            }
            5 => self.run(),
            6 => self.sign_in(),
            7 => self.feed(Input::Interrupt),
            8 => self.feed(Input::Answer(AnswerLine {
                text: Secret::new("ada".to_owned()),
                secret: *first % 2 == 1,
            })),
            9 => self.feed(Input::Written),
            10 => {
                let disconnect = (first % 2 == 0).then(|| "Disconnect-Thing".to_owned());
                let nonces = nonces(200);
                self.feed(Input::Close {
                    disconnect,
                    nonces,
                    why: CloseReason::Asked,
                });
                return after;
            }
            _ => self.feed(Input::Disown(crate::expect::disowned(
                "it is gone".to_owned(),
            ))),
        }
        rest
    }

    fn says(&mut self, said: &[u8]) {
        // The program knows its nonce, whatever that is.
        let nonce = self.engine.nonce().unwrap_or("0000000000000000").to_owned();
        let mut words = Vec::with_capacity(said.len() + 32);
        let mut from = 0;
        for at in memchr::memmem::find_iter(said, "NONCE") {
            words.extend_from_slice(&said[from..at]);
            words.extend_from_slice(nonce.as_bytes());
            from = at + 5;
        }
        words.extend_from_slice(&said[from..]);
        self.feed(Input::Output(&words));
    }

    fn run(&mut self) {
        self.ends.push(0);
        let request = RunRequest {
            tag: self.tags,
            command: "Get-Thing".to_owned(),
            mode: if self.tags.is_multiple_of(2) {
                Mode::Text
            } else {
                Mode::Records
            },
            depth: 2,
            nonces: nonces(6),
            watch: Some(Arc::clone(&RULES)),
        };
        self.tags += 1;
        self.feed(Input::Run(Box::new(request)));
    }

    fn sign_in(&mut self) {
        self.sign_ins[0] += 1;
        let request = SignInRequest {
            way: "device_code".to_owned(),
            restore: None,
            attended: true,
            connect: "Connect-Thing".to_owned().into(),
            secrets: Vec::new(),
            identity: "Get-Thing".to_owned(),
            proof: Some("Test-Thing".to_owned()),
            disconnect: Some("Disconnect-Thing".to_owned()),
            expected: Expected {
                account: Some(ACCOUNT.to_owned()),
                ..Expected::default()
            },
            rules: Arc::clone(&RULES),
            within: Duration::from_secs(900),
            nonces: nonces(15),
        };
        self.feed(Input::SignIn(Box::new(request)));
    }

    fn feed(&mut self, input: Input<'_>) {
        let tick = matches!(input, Input::Tick);
        let was_closed = matches!(self.engine.state(), State::Closed(_));
        let effects = self.engine.handle(input, self.now);
        for effect in effects {
            match effect {
                Effect::Finished(finished) => {
                    let tag = usize::try_from(finished.tag).expect("there are few");
                    self.ends[tag] += 1;
                    assert_eq!(self.ends[tag], 1, "run {tag} ends once");
                }
                Effect::SignedIn(identity) => {
                    assert_eq!(identity.account, ACCOUNT, "nobody else is let in");
                    self.sign_ins[1] += 1;
                }
                // A sign-in that is disowned ended well before, and fails later.
                Effect::SignInFailed(_) => self.sign_ins[1] += 1,
                Effect::Write(_)
                | Effect::Began
                | Effect::Output(_)
                | Effect::Echo(_)
                | Effect::Record(_)
                | Effect::Challenged(_)
                | Effect::Asked(_)
                | Effect::HangUp
                | Effect::Kill => assert!(!was_closed, "{effect:?} after the end"),
            }
        }
        if tick {
            let now = self.now;
            assert!(
                self.engine.deadline().is_none_or(|next| next > now),
                "it spins"
            );
        }
        if self.engine.is_free() {
            assert!(matches!(
                self.engine.state(),
                State::SignedOut | State::Ready
            ));
        }
    }

    /// The program ends, and with it everything.
    fn ends(mut self) {
        self.feed(Input::Ended(CloseReason::Exited(0)));
        assert!(matches!(self.engine.state(), State::Closed(_)));
        assert_eq!(self.engine.deadline(), None);
        for (tag, ends) in self.ends.iter().enumerate() {
            assert_eq!(*ends, 1, "run {tag} ends once");
        }
        assert!(self.sign_ins[1] >= self.sign_ins[0], "a sign-in has an end");
        self.run();
        assert_eq!(self.ends.last(), Some(&1), "nothing runs any more");
    }
}

fn nonces(count: u8) -> Vec<Nonce> {
    (0..count)
        .map(|number| Nonce::from_random([number; 8]))
        .collect()
}
