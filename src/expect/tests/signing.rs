//! A sign-in that is stopped, refused, slow or lost: what it is called, and what is left in the program.

use std::time::{Duration, Instant};

use super::pwsh;
use crate::expect::{
    CloseReason, Effect, Engine, Expected, Habits, Input, Nonce, SignInFailure, SignInRequest,
    State,
};
use crate::script::{ChallengeRule, Challenges, IdentityRule, Pattern, SignIn, Template};

const LIFE: Duration = Duration::from_secs(900);

/// A machine that signs in, and its clock.
struct SigningIn {
    engine: Engine,
    now: Instant,
}

impl SigningIn {
    /// The connect command has begun.
    fn new() -> Self {
        Self::with_disconnect(Some("Disconnect-Thing"))
    }

    fn with_disconnect(disconnect: Option<&str>) -> Self {
        let now = Instant::now();
        let mut engine = Engine::new(pwsh(), true, Habits::LIVE, now);
        let boot = b"<<mm:out:boot>>\r\n<<mm:end:boot:ok::>>\r\n";
        let effects = engine.handle(Input::Output(boot), now);
        assert!(effects.is_empty() && *engine.state() == State::SignedOut);
        let rules = SignIn {
            ways: Vec::new(),
            challenges: Challenges::new(vec![ChallengeRule {
                pattern: Pattern::parse("enter the code (?<code>[A-Z]+) ").expect("a pattern"),
                assumed_url: None,
            }])
            .expect("one pattern races"),
            failures: Vec::new(),
            restore: None,
            identity: IdentityRule {
                text: None,
                command: Template::parse("Get-Thing", &[]).expect("it has no holes"),
                account: "Account".to_owned(),
                tenant: "Tenant".to_owned(),
                expires: None,
                require: Vec::new(),
            },
            proof: None,
            disconnect: None,
            clouds: Vec::new(),
            partner: None,
        };
        let request = SignInRequest {
            attended: true,
            restore: None,
            way: "device_code".to_owned(),
            connect: "Connect-Thing".to_owned().into(),
            secrets: Vec::new(),
            identity: "Get-Thing".to_owned(),
            proof: Some("Test-Thing".to_owned()),
            disconnect: disconnect.map(str::to_owned),
            expected: Expected {
                account: Some("ada@contoso.com".to_owned()),
                ..Expected::default()
            },
            rules: rules.into(),
            within: LIFE,
            nonces: (1..=12u8)
                .map(|number| Nonce::from_random([number; 8]))
                .collect(),
        };
        let mut machine = Self { engine, now };
        let effects = machine.feed(Input::SignIn(Box::new(request)));
        assert_eq!(effects.len(), 1, "the frame is typed");
        machine.begins();
        machine
    }

    fn feed(&mut self, input: Input<'_>) -> Vec<Effect> {
        self.engine.handle(input, self.now)
    }

    fn says(&mut self, text: &str) -> Vec<Effect> {
        let nonce = self.engine.nonce().expect("something runs").to_owned();
        let text = text.replace("NONCE", &nonce);
        self.feed(Input::Output(text.as_bytes()))
    }

    fn begins(&mut self) {
        assert!(self.says("<<mm:begin:NONCE>>\r\n").is_empty());
    }

    /// What runs says this, and ends.
    fn ends(&mut self, said: &str, state: &str) -> Vec<Effect> {
        self.says(&format!(
            "{said}<<mm:out:NONCE>>\r\n<<mm:end:NONCE:{state}::>>\r\n"
        ))
    }

    /// The connect command ends well; the identity is asked for.
    fn connects(&mut self) {
        let effects = self.ends("", "ok");
        assert_eq!(effects.len(), 1, "{effects:?}");
        assert_eq!(*self.engine.state(), State::Proving);
        self.begins();
    }

    fn is_somebody(&mut self, account: &str) -> Vec<Effect> {
        let record = format!(r#"[{{"Account":"{account}","Tenant":"t"}}]"#);
        self.ends(&format!("<<mm:o:NONCE>>{record}\r\n"), "ok")
    }

    /// Everything that time alone brings within so long.
    fn waits(&mut self, so_long: Duration) -> Vec<Effect> {
        let until = self.now + so_long;
        let mut effects = Vec::new();
        while let Some(due) = self.engine.deadline().filter(|due| *due <= until) {
            self.now = due;
            effects.extend(self.feed(Input::Tick));
        }
        self.now = until;
        effects
    }

    /// The program has been killed, and why the sign-in failed.
    fn lost(&mut self) -> (SignInFailure, CloseReason) {
        let effects = self.feed(Input::Ended(CloseReason::Signalled("SIGKILL".to_owned())));
        let State::Closed(reason) = self.engine.state().clone() else {
            panic!("{:?}", self.engine.state());
        };
        (failure(effects), reason)
    }
}

fn failure(effects: Vec<Effect>) -> SignInFailure {
    effects
        .into_iter()
        .find_map(|effect| match effect {
            Effect::SignInFailed(failure) => Some(failure),
            _ => None,
        })
        .expect("the sign-in failed")
}

fn kills(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Kill))
}

fn types(effects: &[Effect], bytes: &[u8]) -> bool {
    let typed = |effect: &Effect| matches!(effect, Effect::Write(typed) if typed.bytes == bytes);
    effects.iter().any(typed)
}

#[test]
fn a_code_has_its_whole_life_from_when_it_is_shown() {
    let mut machine = SigningIn::new();
    assert!(machine.waits(LIFE).is_empty());
    let effects = machine.says("enter the code ABCD now\r\n");
    assert!(matches!(&effects[..], [Effect::Challenged(_)]));
    assert!(machine.waits(LIFE).is_empty());
    let effects = machine.waits(Duration::from_secs(40));
    assert!(types(&effects, b"\x03") && kills(&effects), "{effects:?}");
    let (failure, reason) = machine.lost();
    assert_eq!(failure.failure.name, "timed-out");
    assert!(failure.message.contains("nobody finished"), "{failure:?}");
    assert_eq!(reason, CloseReason::SignInCancelled);
}

#[test]
fn proving_has_a_time_of_its_own() {
    let mut machine = SigningIn::new();
    assert!(machine.waits(LIFE).is_empty());
    machine.connects();
    assert!(machine.waits(Duration::from_secs(60)).is_empty());
    let effects = machine.waits(LIFE);
    assert!(types(&effects, b"\x03") && kills(&effects), "{effects:?}");
    let (failure, _) = machine.lost();
    assert_eq!(failure.failure.name, "timed-out");
    assert!(
        failure.message.contains("the service did not say"),
        "{failure:?}"
    );
}

#[test]
fn a_refused_sign_in_keeps_its_name_whatever_becomes_of_signing_out() {
    // It ends well.
    let mut machine = SigningIn::new();
    machine.connects();
    machine.is_somebody("eve@contoso.com");
    machine.begins();
    assert!(
        machine.feed(Input::Interrupt).is_empty(),
        "it is not stopped half-way"
    );
    let failed = failure(machine.ends("", "ok"));
    assert_eq!(failed.failure.name, "wrong-account");
    assert_eq!(*machine.engine.state(), State::SignedOut);
    // It fails: the identity may still be there, so the program goes.
    let mut machine = SigningIn::new();
    machine.connects();
    machine.is_somebody("eve@contoso.com");
    machine.begins();
    assert!(kills(&machine.ends("", "aborted")));
    let (failed, reason) = machine.lost();
    assert_eq!(failed.failure.name, "wrong-account");
    assert_eq!(reason, CloseReason::NotSignedOut);
    // It never ends.
    let mut machine = SigningIn::new();
    machine.connects();
    machine.is_somebody("eve@contoso.com");
    machine.begins();
    assert!(kills(&machine.waits(Duration::from_secs(15))));
    assert_eq!(machine.lost().0.failure.name, "wrong-account");
    // There is no such command.
    let mut machine = SigningIn::with_disconnect(None);
    machine.connects();
    assert!(kills(&machine.is_somebody("eve@contoso.com")));
    assert_eq!(machine.lost().0.failure.name, "wrong-account");
}

#[test]
fn a_cancelled_sign_in_is_called_so_wherever_it_ends() {
    // It hears the interrupt.
    let mut machine = SigningIn::new();
    assert!(types(&machine.feed(Input::Interrupt), b"\x03"));
    assert!(machine.feed(Input::Interrupt).is_empty(), "once is enough");
    let failed = failure(machine.ends("", "aborted"));
    assert_eq!(failed.failure.name, "cancelled");
    // It had succeeded before the interrupt reached it: that is undone.
    let mut machine = SigningIn::new();
    machine.feed(Input::Interrupt);
    assert_eq!(machine.ends("", "ok").len(), 1);
    machine.begins();
    assert_eq!(failure(machine.ends("", "ok")).failure.name, "cancelled");
    // It does not hear it.
    let mut machine = SigningIn::new();
    machine.feed(Input::Interrupt);
    assert!(kills(&machine.waits(Duration::from_secs(2))));
    assert_eq!(machine.lost().0.failure.name, "cancelled");
    // The program ends by itself.
    let mut machine = SigningIn::new();
    let (failed, _) = machine.lost();
    assert_eq!(failed.failure.name, "session-lost");
}

#[test]
fn a_sign_in_that_is_proven_ends_its_timers() {
    let mut machine = SigningIn::new();
    machine.connects();
    machine.is_somebody("ada@contoso.com");
    machine.begins();
    let effects = machine.ends("<<mm:o:NONCE>>[1]\r\n", "ok");
    assert!(matches!(&effects[..], [Effect::SignedIn(_)]), "{effects:?}");
    assert_eq!(machine.engine.deadline(), None);
    assert_eq!(*machine.engine.state(), State::Ready);
}
