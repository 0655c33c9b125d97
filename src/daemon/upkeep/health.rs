//! Whether a session's sign-in still stands: questions that are put to an idle session, and what their answers mean.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::expect::{
    Finish, Identity, SignInFailure, disowned, identity_of, objects_in, why_failed,
};
use crate::script::{EndState, IdentityRule, SignIn, Stream};
use crate::session::{RunEvent, RunListener, RunResult};

/// How long an answer may take.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What failures are called that tell of a sign-in which is over, whatever the network does: the service, or the program
/// that keeps it, names it.
const OVER: [&str; 3] = ["revoked", "sign-in-expired", "not-signed-in"];

/// The most text of an answer that is read.
const READ_AT_MOST: usize = 1 << 20;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// The program: who is signed in. It knows without the network, and may be mistaken.
    Identity,
    /// The service, through the program.
    Service,
}

impl Check {
    /// What was asked, for people.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Identity => "who is signed in",
            Self::Service => "the service",
        }
    }
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Well,
    /// It cannot be told now.
    Unknown,
    /// It is not as it should be, and may be again: a network that is away costs nobody a sign-in.
    Unwell(String),
    /// As [`Unwell`](Self::Unwell), and the failure is one that only a sign-in which is over has. That is told by its text
    /// alone, so it costs a sign-in only where somebody is there who wants to sign in.
    Over(SignInFailure),
    /// The sign-in is gone.
    SignedOut(SignInFailure),
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    objects: Vec<Value>,
    /// What a shell without records said.
    text: Vec<u8>,
    result: RunResult,
}

impl Answer {
    /// Whether there is anything in it.
    fn says_something(&self) -> bool {
        match serde_json::from_slice(&self.text) {
            Ok(Value::Array(values)) => !values.is_empty(),
            Ok(value) => !value.is_null(),
            Err(_) => !self.objects.is_empty() || !self.text.trim_ascii().is_empty(),
        }
    }

    /// Its objects, as `whom` reads them.
    fn into_objects(self, whom: &IdentityRule) -> Vec<Value> {
        if self.text.is_empty() {
            self.objects
        } else {
            objects_in(&self.text, whom.text.as_ref())
        }
    }
}

/// Listens to a question's run and hands over what came of it.
pub(super) struct Probe {
    objects: Vec<Value>,
    text: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

impl Probe {
    pub(super) fn new() -> (Self, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let probe = Self {
            objects: Vec::new(),
            text: Vec::new(),
            answer,
        };
        (probe, answered)
    }
}

impl RunListener for Probe {
    fn event(&mut self, event: RunEvent<'_>) {
        match event {
            RunEvent::Record(record) if record.stream == Stream::Output => {
                if let Ok(objects) = serde_json::from_str::<Vec<Value>>(record.value.get()) {
                    self.objects.extend(objects);
                }
            }
            RunEvent::Output(text) if self.text.len() + text.len() <= READ_AT_MOST => {
                self.text.extend_from_slice(text);
            }
            _ => {}
        }
    }

    fn ended(self: Box<Self>, result: RunResult) {
        let Self {
            objects,
            text,
            answer,
        } = *self;
        // Whoever asked may have gone with the session.
        let sent = answer.send(Answer {
            objects,
            text,
            result,
        });
        drop(sent);
    }
}

/// What `answer` to `check` means for a session that was proven to be `proven`, as `whom` reads it.
pub(super) fn judge(
    check: Check,
    answer: Answer,
    rules: &SignIn,
    whom: &IdentityRule,
    proven: &Identity,
) -> Verdict {
    let RunResult::Finished {
        finish:
            Finish::Ended {
                state: state @ (EndState::Ok | EndState::Failed),
                ..
            },
        errors,
        stopped: None,
    } = &answer.result
    else {
        // It was not asked, or did not come to its end.
        return Verdict::Unknown;
    };
    if *state == EndState::Ok && errors.is_empty() {
        return match check {
            Check::Service if answer.says_something() => Verdict::Well,
            Check::Service => Verdict::Unwell("it gave nothing".to_owned()),
            Check::Identity => match identity_of(whom, &answer.into_objects(whom)) {
                Ok(found) if same(&found, proven) => Verdict::Well,
                Ok(found) => Verdict::SignedOut(disowned(format!(
                    "it was signed in as `{}`, and is now `{}`, without a sign-in by mm",
                    proven.account, found.account
                ))),
                Err(why) => Verdict::SignedOut(disowned(why)),
            },
        };
    }
    // Whatever its name: a network that is away looks like a sign-in that is gone, and only that is dear.
    let failure = why_failed(rules, errors, &answer.text);
    if OVER.contains(&failure.failure.name.as_str()) {
        Verdict::Over(failure)
    } else {
        Verdict::Unwell(failure.message)
    }
}

fn same(a: &Identity, b: &Identity) -> bool {
    let fold = |text: &str| text.to_lowercase();
    fold(&a.account) == fold(&b.account) && fold(&a.tenant) == fold(&b.tenant)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expect::ReportedError;
    use crate::spec::Catalog;

    fn answer(state: EndState, objects: Vec<Value>, text: &str, errors: &[&str]) -> Answer {
        let error = |message: &&str| ReportedError {
            message: (*message).to_owned(),
            ..ReportedError::default()
        };
        Answer {
            objects,
            text: text.into(),
            result: RunResult::Finished {
                finish: Finish::Ended {
                    state,
                    exit: None,
                    began: true,
                    marked: true,
                },
                errors: errors.iter().map(error).collect(),
                stopped: None,
            },
        }
    }

    fn judged(module: &str, check: Check, answer: Answer) -> Verdict {
        let module = Catalog::load(&[]).module(module).expect("it is built in");
        let rules = module.sign_in.as_ref().expect("it signs in");
        let proven = Identity {
            account: "ada@contoso.com".to_owned(),
            tenant: "t".to_owned(),
            expires: None,
        };
        judge(check, answer, rules, &rules.identity, &proven)
    }

    fn whom(account: &str) -> Value {
        json!({"State": "Connected", "TokenStatus": "Active", "UserPrincipalName": account, "TenantID": "T"})
    }

    #[test]
    fn only_a_sign_in_that_is_gone_counts_as_one() {
        let identity = |objects| {
            let answer = answer(EndState::Ok, objects, "", &[]);
            judged("exo", Check::Identity, answer)
        };
        assert_eq!(identity(vec![whom("Ada@contoso.com")]), Verdict::Well);
        assert!(matches!(identity(vec![]), Verdict::SignedOut(_)));
        assert!(
            matches!(identity(vec![whom("eve@contoso.com")]), Verdict::SignedOut(failure)
                if failure.message.contains("eve@contoso.com"))
        );
        let service = |answer| judged("exo", Check::Service, answer);
        let ok = |objects| answer(EndState::Ok, objects, "", &[]);
        assert_eq!(service(ok(vec![json!({})])), Verdict::Well);
        assert!(matches!(service(ok(vec![])), Verdict::Unwell(_)));
        let away = answer(EndState::Failed, vec![], "", &["Name or service not known"]);
        assert_eq!(
            service(away),
            Verdict::Unwell("Name or service not known".to_owned())
        );
    }

    #[test]
    fn what_the_service_calls_over_is_told_from_a_network_that_is_away() {
        let said = "AADSTS700082: The refresh token has expired due to inactivity.";
        let over = answer(EndState::Failed, vec![], "", &[said]);
        assert!(
            matches!(judged("exo", Check::Service, over), Verdict::Over(failure)
                if failure.failure.name == "sign-in-expired")
        );
        let refused = answer(EndState::Failed, vec![], "", &["UnAuthorized"]);
        assert!(matches!(
            judged("exo", Check::Service, refused),
            Verdict::Unwell(_)
        ));
    }

    #[test]
    fn what_was_not_asked_tells_nothing() {
        let dropped = Answer {
            objects: Vec::new(),
            text: Vec::new(),
            result: RunResult::SessionEnded("it ended".to_owned()),
        };
        assert_eq!(judged("exo", Check::Identity, dropped), Verdict::Unknown);
    }

    #[test]
    fn text_is_read_as_the_module_says() {
        let rest = answer(EndState::Ok, Vec::new(), "three environments\n", &[]);
        assert_eq!(judged("powerplatform", Check::Service, rest), Verdict::Well);
    }
}
