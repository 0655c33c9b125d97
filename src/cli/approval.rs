//! What a person is shown before saying yes to a run, and the line that says it.

use std::time::Duration;

use super::harmless::{harmless, one_line};
use super::when::left;
use crate::api::{Approval, ApproveRequest, AskedBy, Run};

/// What a person types for a yes, where nothing more is asked for.
pub(crate) const YES: &str = "yes";

/// Everything that a person needs to decide about `run`.
pub(crate) fn shown(run: &Run, approval: &Approval) -> String {
    let whom = whom(run, approval);
    let who = match approval.asked_by {
        AskedBy::Person => "a person",
        AskedBy::Program => "a program",
    };
    let mut lines = vec![
        field("run", run.id.as_str()),
        field("session", &format!("{}/{}", run.connection, run.module)),
        field("as", &whom),
        field(
            "asked by",
            &format!("{who} ({})", one_line(&approval.client)),
        ),
    ];
    let given = [("why", &approval.reason), ("ticket", &approval.ticket)];
    lines.extend(given.into_iter().filter_map(|(name, text)| {
        let text = text.as_deref()?;
        Some(field(name, &one_line(text)))
    }));
    lines.push(field("does", &approval.effects.join(", ")));
    lines.extend(approval.findings.iter().map(|finding| {
        format!(
            "  line {:<4} {}: {} ({})",
            finding.line,
            one_line(&finding.what),
            finding.reason,
            finding.effect
        )
    }));
    lines.push(field("rule", &one_line(&approval.rule)));
    lines.push("command".to_owned());
    lines.extend(indented(&run.command));
    if run.command_truncated {
        lines.push(format!("  … (mm approvals show {} shows all)", run.id));
    }
    if approval.hides_something {
        lines.push(
            "  (******** stands for what looks like a secret; a yes is for what is there, unseen)"
                .to_owned(),
        );
    }
    if let Some(preview) = &approval.preview {
        lines.push("with -WhatIf it says".to_owned());
        lines.extend(indented(preview));
    }
    lines.push(field(
        "expires",
        &left(Duration::from_secs(approval.expires_in)),
    ));
    lines.join("\n")
}

/// As whom, and in which tenant, it would run.
fn whom(run: &Run, approval: &Approval) -> String {
    match (&run.account, &run.tenant) {
        (Some(account), Some(tenant)) => format!(
            "{} in {} ({})",
            one_line(account),
            one_line(&approval.tenant_name),
            one_line(tenant)
        ),
        _ => one_line(&approval.tenant_name),
    }
}

/// What the person is to type, behind what they decide about: a long command has scrolled that away.
pub(crate) fn question(run: &Run, approval: &Approval) -> String {
    let about = format!(
        "{}, as {}",
        approval.effects.join(", "),
        whom(run, approval)
    );
    if approval.type_tenant {
        format!(
            "{about}\nit may take away many things at once; type the tenant's name ({}) to run it: ",
            one_line(&approval.tenant_name)
        )
    } else {
        format!("{about}\ntype {YES} to run it: ")
    }
}

/// The yes that was typed; `None` where it was something else.
pub(crate) fn yes(approval: &Approval, typed: &str) -> Option<ApproveRequest> {
    let typed = typed.trim();
    let meant = if approval.type_tenant {
        typed.eq_ignore_ascii_case(&approval.tenant_name)
    } else {
        typed.eq_ignore_ascii_case(YES)
    };
    meant.then(|| ApproveRequest {
        digest: approval.digest.clone(),
        tenant: approval.type_tenant.then(|| typed.to_owned()),
        client: "cli".to_owned(),
        form: None,
    })
}

fn field(name: &str, value: &str) -> String {
    format!("{name:<10} {value}")
}

fn indented(text: &str) -> Vec<String> {
    harmless(text)
        .lines()
        .map(|line| format!("  {line}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_run(type_tenant: bool) -> (Run, Approval) {
        let run: Run = serde_json::from_value(serde_json::json!({
            "id": "rabcdefghj", "connection": "Contoso", "module": "exo", "client": "mcp",
            "command": "Get-Mailbox |\n  Remove-Mailbox \u{1b}[2K", "state": "waiting_for_approval",
            "submitted_at": "2026-01-02T03:04:05Z", "account": "ada@contoso.com", "tenant": "t-1",
            "approval": {
                "effects": ["destroys"], "rule": "programs ask for what does more than read",
                "findings": [{"effect": "destroys", "what": "Remove-Mailbox", "line": 2, "reason": "its verb takes something away"}],
                "asked_by": "program", "client": "mcp", "reason": "they left", "ticket": "INC-7",
                "preview": "What if: Removing mailbox x", "hides_something": true, "type_tenant": type_tenant, "tenant_name": "contoso.com",
                "asked_at": "2026-01-02T03:04:05Z", "expires_in": 540, "digest": "00ff",
            },
        }))
        .expect("it is a run");
        let approval = run.approval.clone().expect("it has one");
        (run, approval)
    }

    #[test]
    fn a_person_sees_what_there_is_to_decide() {
        let (run, approval) = a_run(true);
        insta::assert_snapshot!(format!(
            "{}\n{}",
            shown(&run, &approval),
            question(&run, &approval)
        ));
    }

    #[test]
    fn only_the_right_words_say_yes() {
        let (_, few) = a_run(false);
        assert!(
            yes(&few, " Yes\n").is_some_and(|yes| yes.digest == "00ff" && yes.tenant.is_none())
        );
        let (_, many) = a_run(true);
        assert!(yes(&many, "Contoso.com").is_some_and(|yes| yes.tenant.is_some()));
        for no in ["", "y", "no", "yes please", "contoso"] {
            assert_eq!(yes(&few, no).map(|yes| yes.digest), None, "{no}");
            assert_eq!(yes(&many, no).map(|yes| yes.digest), None, "{no}");
        }
        assert!(yes(&many, "yes").is_none());
    }
}
