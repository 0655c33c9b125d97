//! What a sign-in proves: reading the identity, comparing it, and naming what failed. Pure functions over what the
//! commands gave.

use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::Value;

use super::event::{Expected, Identity, ReportedError, SignInFailure};
use super::text::Collapse;
use crate::script::{Failure, FailureTest, IdentityRule, SignIn};
use crate::secret::Secret;

impl SignInFailure {
    /// Takes secrets out of the message: a service may repeat what it was given.
    pub(crate) fn hide(&mut self, secrets: &[Secret]) {
        for secret in secrets.iter().filter(|one| !one.expose().is_empty()) {
            self.message = self.message.replace(secret.expose(), "…");
        }
    }
}

fn failed(name: &str, message: String, advice: &str, retry: bool) -> SignInFailure {
    let failure = Failure {
        name: name.to_owned(),
        advice: advice.to_owned(),
        retry,
    };
    SignInFailure {
        failure: Arc::new(failure),
        message,
    }
}

/// Somebody cancelled it.
pub(crate) fn cancelled() -> SignInFailure {
    failed(
        "cancelled",
        "the sign-in was cancelled".to_owned(),
        "start it again when you are ready",
        true,
    )
}

/// It took longer than it may: `proving` the identity, or what a person does before that.
pub(crate) fn timed_out(proving: bool) -> SignInFailure {
    let (message, advice) = if proving {
        (
            "the service did not say in time who signed in",
            "sign in again; if it stays so, the service is slow or cannot be reached from here",
        )
    } else {
        (
            "nobody finished the sign-in in time",
            "start it again, and enter the new code in time",
        )
    };
    failed("timed-out", message.to_owned(), advice, true)
}

/// The program ended, or did not answer, in the middle of it.
pub(crate) fn lost(reason: String) -> SignInFailure {
    failed(
        "session-lost",
        reason,
        "start it again; `mm status` and the daemon's log say more",
        true,
    )
}

/// The proof command did not prove anything.
pub(crate) fn unproven(errors: &[ReportedError]) -> SignInFailure {
    let message = match errors.first() {
        Some(error) => format!(
            "the service does not answer to this sign-in: {}",
            first_line(&error.message)
        ),
        None => "the service gave nothing to this sign-in".to_owned(),
    };
    failed(
        "unproven",
        message,
        "check that the account has a role in this service, then sign in again",
        true,
    )
}

/// The sign-in that was proven once is not there any longer.
pub(crate) fn disowned(why: String) -> SignInFailure {
    failed("signed-out", why, "sign in again with `mm login`", true)
}

/// Somebody was proven, and is not let in.
pub(crate) fn not_admitted(why: &str) -> SignInFailure {
    failed(
        "not-recorded",
        format!(
            "who signed in cannot be written down, so a later sign-in could not be compared with it: {why}"
        ),
        "see `mm daemon status`; when the database can be written again, sign in again",
        true,
    )
}

/// The connect command said that all is well, and nobody is signed in.
pub(crate) fn unknown_identity(why: String) -> SignInFailure {
    failed(
        "no-identity",
        why,
        "sign in again; if it stays so, look at the module's identity command",
        true,
    )
}

/// Reads who is signed in. The error says why that cannot be told.
pub(crate) fn identity(rule: &IdentityRule, objects: &[Value]) -> Result<Identity, String> {
    let [object] = objects else {
        return Err(match objects.len() {
            0 => "the connect command ended well, but nobody is signed in".to_owned(),
            count => format!(
                "{count} sign-ins are active at once, so whose commands would run cannot be told"
            ),
        });
    };
    for (property, wanted) in &rule.require {
        let found = read(object, property).unwrap_or_default();
        if !found.eq_ignore_ascii_case(wanted) {
            return Err(format!(
                "the sign-in is not usable: `{property}` is `{found}`, not `{wanted}`"
            ));
        }
    }
    let need = |property: &str| {
        read(object, property)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| format!("the sign-in has no `{property}`"))
    };
    Ok(Identity {
        account: need(&rule.account)?,
        tenant: need(&rule.tenant)?,
        expires: rule
            .expires
            .as_deref()
            .and_then(|property| read(object, property)),
    })
}

/// A property by its path, as text.
fn read(object: &Value, path: &str) -> Option<String> {
    let value = path
        .split('.')
        .try_fold(object, |value, key| value.get(key))?;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Refuses an identity that is not the expected one.
pub(crate) fn compare(expected: &Expected, identity: &Identity) -> Result<(), SignInFailure> {
    let differs = |wanted: &Option<String>, found: &str| {
        wanted.as_ref().is_some_and(|wanted| !same(wanted, found))
    };
    let account = differs(&expected.account, &identity.account);
    let tenant = differs(&expected.tenant, &identity.tenant);
    if !account && !tenant {
        return Ok(());
    }
    let (name, wanted, pinned) = if account {
        (
            "wrong-account",
            expected.account.as_deref(),
            expected.pinned_account,
        )
    } else {
        (
            "wrong-tenant",
            expected.tenant.as_deref(),
            expected.pinned_tenant,
        )
    };
    let message = format!(
        "signed in as `{}` in tenant `{}`, but `{}` is expected",
        identity.account,
        identity.tenant,
        wanted.unwrap_or_default()
    );
    let advice = if pinned {
        "the first sign-in of this connection was somebody else; if the new one is right, use `mm login --accept-identity`"
    } else {
        "sign in again with the expected account, in a private browser window if another one is remembered"
    };
    Err(failed(name, message, advice, true))
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Names why a connect command failed, from its errors and the end of its output.
pub(crate) fn failure(rules: &SignIn, errors: &[ReportedError], output: &[u8]) -> SignInFailure {
    known_failure(rules, errors, output).unwrap_or_else(|| {
        failed(
            "sign-in-failed",
            message(rules, errors, output),
            "see the message; `mm modules show` lists the failures that are known",
            true,
        )
    })
}

/// The failure that one of the module's rules names, if any.
pub(crate) fn known_failure(
    rules: &SignIn,
    errors: &[ReportedError],
    output: &[u8],
) -> Option<SignInFailure> {
    static AADSTS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"AADSTS(\d{4,7})").expect("the pattern is sound"));
    let mut said: String = errors
        .iter()
        .map(|error| error.message.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    said.push('\n');
    said.push_str(&String::from_utf8_lossy(output));
    let collapsed = Collapse::whole(said.as_bytes());
    let text = String::from_utf8_lossy(&collapsed);
    let numbers: Vec<u32> = AADSTS
        .captures_iter(&text)
        .filter_map(|captures| captures[1].parse().ok())
        .collect();
    let fits = |test: &FailureTest| match test {
        FailureTest::Aadsts(known) => known.iter().any(|number| numbers.contains(number)),
        FailureTest::Pattern(pattern) => pattern.is_match(&collapsed),
    };
    let rule = rules.failures.iter().find(|rule| fits(&rule.test))?;
    Some(SignInFailure {
        failure: Arc::clone(&rule.failure),
        message: message(rules, errors, output),
    })
}

/// What the program said of a failure: its first error, or, where the shell reports none, the line of its output that
/// speaks of one, else the last line. A line with a code is none: it would stand in logs.
fn message(rules: &SignIn, errors: &[ReportedError], output: &[u8]) -> String {
    if let Some(error) = errors.first() {
        return first_line(&error.message);
    }
    let text = String::from_utf8_lossy(output);
    let is_code = |line: &str| {
        let mut challenges = rules.challenges.rules().iter();
        challenges.any(|rule| rule.pattern.is_match(line.as_bytes()))
    };
    let mut said: Vec<String> = text.lines().map(first_line).collect();
    said.retain(|line| !line.is_empty() && !is_code(line));
    let speaks = |line: &&String| line.contains("AADSTS") || line.to_lowercase().contains("error");
    match said.iter().rev().find(speaks).or(said.last()) {
        Some(line) => line.clone(),
        None => "the connect command failed without saying why".to_owned(),
    }
}

fn first_line(text: &str) -> String {
    String::from_utf8_lossy(&Collapse::whole(text.as_bytes()))
        .trim()
        .chars()
        .take(1000)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::Template;

    fn rule() -> IdentityRule {
        IdentityRule {
            command: Template::parse("x", &[]).expect("it has no holes"),
            text: None,
            account: "Account.Id".to_owned(),
            tenant: "TenantID".to_owned(),
            expires: None,
            require: vec![("State".to_owned(), "Connected".to_owned())],
        }
    }

    #[test]
    fn an_identity_is_one_connected_object_with_account_and_tenant() {
        let good =
            json!({"Account": {"Id": "ada@contoso.com"}, "TenantID": "t", "State": "Connected"});
        let read = identity(&rule(), std::slice::from_ref(&good)).expect("it is whole");
        assert_eq!(
            (read.account.as_str(), read.tenant.as_str()),
            ("ada@contoso.com", "t")
        );
        for bad in [
            vec![],
            vec![good.clone(), good],
            vec![json!({"Account": {"Id": "ada"}, "TenantID": "t", "State": "Expired"})],
            vec![json!({"Account": {"Id": null}, "TenantID": "t", "State": "Connected"})],
            vec![json!({"Account": {"Id": "ada"}, "TenantID": "", "State": "Connected"})],
        ] {
            assert!(identity(&rule(), &bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_shell_without_error_records_says_what_its_program_said() {
        let module = crate::spec::Catalog::load(&[])
            .module("az")
            .expect("it is part of the program");
        let rules = module.sign_in.as_ref().expect("it signs in");
        let prompt = "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code ABCDEFGHJ to authenticate.\n";
        let said = |text: &str| failure(rules, &[], text.as_bytes());
        let declined = said(&format!(
            "{prompt}ERROR: AADSTS70018: The end user denied it.\nRun the command below:\naz login\n"
        ));
        assert_eq!(declined.failure.name, "declined");
        assert_eq!(
            declined.message,
            "ERROR: AADSTS70018: The end user denied it."
        );
        let unknown = said("Traceback:\n  it broke\n\n");
        assert_eq!(
            (unknown.failure.name.as_str(), unknown.message.as_str()),
            ("sign-in-failed", "it broke")
        );
        assert!(!said(prompt).message.contains("ABCDEFGHJ"));
        // A proof that fails for a known reason is named by it, and no other is made up.
        assert!(known_failure(rules, &[], b"nothing known").is_none());
    }

    #[test]
    fn case_does_not_matter_and_a_mismatch_says_both_names() {
        let identity = Identity {
            account: "Ada@Contoso.com".to_owned(),
            tenant: "AAAA".to_owned(),
            expires: None,
        };
        let expected = |account: &str, tenant: &str| Expected {
            account: Some(account.to_owned()),
            tenant: Some(tenant.to_owned()),
            ..Expected::default()
        };
        assert_eq!(
            compare(&expected("ada@contoso.com", "aaaa"), &identity),
            Ok(())
        );
        let wrong =
            compare(&expected("eve@contoso.com", "aaaa"), &identity).expect_err("it is Ada");
        assert_eq!(wrong.failure.name, "wrong-account");
        assert!(
            wrong.message.contains("eve@contoso.com") && wrong.message.contains("Ada@Contoso.com")
        );
        assert_eq!(
            compare(&expected("ada@contoso.com", "bbbb"), &identity)
                .expect_err("other tenant")
                .failure
                .name,
            "wrong-tenant"
        );
    }
}
