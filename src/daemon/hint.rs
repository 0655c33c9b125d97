//! "Blocked" and "waiting" look alike: where Conditional Access blocks device codes, mostly only the browser says so, and the
//! program goes on asking until the code has expired. A code that nobody has entered for a while therefore says what that may
//! mean. The words are made here, once, for every door.

use std::time::Duration;

use crate::name::SessionKey;
use crate::script::SignIn;

/// How long a code stands before it says so: most people need less than this.
const AFTER: Duration = Duration::from_secs(3 * 60);

/// When a code that lives so long says so. One of a short life does when half of it is over.
pub(super) fn due_after(lives: Duration) -> Duration {
    AFTER.min(lives / 2)
}

/// What a code that was shown for `age`, of a life of `lives`, has to say besides itself. `way` is the way in that shows it.
pub(super) fn hint(
    session: &SessionKey,
    rules: &SignIn,
    way: Option<&str>,
    age: Duration,
    lives: Duration,
) -> Option<String> {
    if age < due_after(lives) {
        return None;
    }
    let others: Vec<&str> = rules
        .ways
        .iter()
        .map(|other| other.name.as_str())
        .filter(|name| Some(*name) != way && *name != "device_code")
        .collect();
    let instead = if others.is_empty() {
        "this module has no other way in".to_owned()
    } else {
        format!(
            "ways in without a code: {} (mm login -c '{}' -m {} --way NAME)",
            others.join(", "),
            session.connection,
            session.module
        )
    };
    Some(format!(
        "nobody has entered this code yet. If the browser refused it (error 53003, 530033 or \"blocked\"), Conditional Access blocks \
         device codes in this tenant: the program is not told, and waiting longer does not help; {instead}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Catalog;

    #[test]
    fn a_code_that_nobody_enters_says_what_that_may_mean() {
        let module = Catalog::load(&[]).module("exo").expect("it is built in");
        let rules = module.sign_in.as_ref().expect("it signs in");
        let key = SessionKey {
            connection: "Contoso".parse().expect("a connection name"),
            module: module.name.clone(),
        };
        let quarter = Duration::from_secs(15 * 60);
        let at = |seconds, lives| {
            let age = Duration::from_secs(seconds);
            hint(&key, rules, Some("device_code"), age, lives)
        };
        assert_eq!(at(179, quarter), None);
        let told = at(180, quarter).expect("it is time");
        assert!(
            told.contains("53003") && told.contains("certificate, managed_identity, access_token"),
            "{told}"
        );
        assert!(
            told.contains("mm login -c 'Contoso' -m exo --way"),
            "{told}"
        );
        // Graph's code lives for two minutes.
        let short = Duration::from_secs(120);
        assert_eq!(at(59, short), None);
        assert!(at(60, short).is_some());
    }
}
