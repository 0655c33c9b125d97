//! The form on which a person approves a run, and what was said on it. A model never sees it: the client shows it, and the
//! daemon's configuration says whether that client's word counts.

use std::fmt::Write as _;

use rmcp::model::{ElicitResult, ElicitationAction, ElicitationSchema};
use serde_json::Value;

use super::clean;
use super::tell;
use crate::api::{Approval, Run};

/// Longer commands are read at a terminal: what is approved has to be seen whole.
const COMMAND_CHARS: usize = 4_000;

/// What a person said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Yes, and the tenant's name where it had to be typed.
    Yes {
        tenant: Option<String>,
    },
    No,
    /// Nothing: the run waits on.
    Nothing,
}

/// Everything that a person needs to decide about `run`; `None` where a form cannot show exactly what would run.
pub(super) fn shown(run: &Run, approval: &Approval) -> Option<String> {
    let command = run.command.trim_end_matches('\n');
    if run.command_truncated || command.chars().count() > COMMAND_CHARS || !is_plain(command) {
        return None;
    }
    let line = |text: &str| clean::line(text, 300);
    let mut text = format!(
        "{}/{} ({}), signed in{}, is to run:\n\n{command}\n",
        run.connection,
        run.module,
        line(&approval.tenant_name),
        tell::who(run.account.as_deref(), run.tenant.as_deref()),
    );
    if approval.hides_something {
        text.push_str(
            "\n******** stands for what looks like a secret; a yes is for what is there, unseen.",
        );
    }
    for finding in &approval.findings {
        write!(
            text,
            "\nLine {}, {}: {} ({})",
            finding.line,
            line(&finding.what),
            line(&finding.reason),
            line(&finding.effect)
        )
        .expect("a string takes everything");
    }
    let effects = approval.effects.join(", ");
    write!(
        text,
        "\nIt does: {}\nRule: {}",
        line(&effects),
        line(&approval.rule)
    )
    .expect("a string takes everything");
    let given = [
        ("Why, as the assistant says", &approval.reason),
        ("Ticket", &approval.ticket),
        ("With -WhatIf it says", &approval.preview),
    ];
    for (name, given) in given {
        if let Some(given) = given {
            write!(text, "\n{name}: {}", line(given)).expect("a string takes everything");
        }
    }
    Some(text)
}

/// What the person fills in.
pub(super) fn fields(approval: &Approval) -> ElicitationSchema {
    let fields = ElicitationSchema::builder().required_bool_property("approve", |field| {
        field
            .title("Run it")
            .description("Runs exactly this command, once.")
            .with_default(false)
    });
    let fields = if approval.type_tenant {
        let wanted = format!(
            "It may take away many things at once: type the tenant's name, {}.",
            clean::line(&approval.tenant_name, 300)
        );
        fields.required_string_property("tenant", |field| field.title("Tenant").description(wanted))
    } else {
        fields
    };
    fields.build_unchecked()
}

/// What was said on the form. Only an unmistakable yes is one.
pub(super) fn decision(result: &ElicitResult) -> Decision {
    let field = |name: &str| {
        result
            .content
            .as_ref()
            .and_then(|content| content.get(name))
    };
    match result.action {
        ElicitationAction::Accept if field("approve") == Some(&Value::Bool(true)) => {
            let tenant = field("tenant").and_then(Value::as_str);
            Decision::Yes {
                tenant: tenant.map(str::to_owned),
            }
        }
        ElicitationAction::Accept | ElicitationAction::Decline => Decision::No,
        _ => Decision::Nothing,
    }
}

/// Whether a text looks on a form as it is: nothing in it moves, hides or reorders what stands around it.
fn is_plain(text: &str) -> bool {
    let is_format = |c: char| {
        matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    !text
        .chars()
        .any(|c| (c.is_control() && !matches!(c, '\n' | '\t')) || is_format(c))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(command: &str, type_tenant: bool) -> (Run, Approval) {
        let approval = json!({
            "effects": ["destroys"],
            "findings": [{"effect": "destroys", "what": "Remove-Mailbox", "line": 1, "reason": "it removes"}],
            "rule": "programs ask for what does more than read", "asked_by": "program",
            "client": "mcp", "reason": "they\nleft", "type_tenant": type_tenant,
            "tenant_name": "contoso.com", "asked_at": "2026-01-02T03:04:05Z", "expires_in": 600,
            "digest": "ab",
        });
        let run = serde_json::from_value(json!({
            "id": "rabcdefghj", "connection": "Contoso", "module": "exo", "command": command,
            "state": "waiting_for_approval", "submitted_at": "2026-01-02T03:04:05Z",
            "account": "ada@contoso.com", "tenant": "aaaabbbb", "approval": approval,
        }));
        let run: Run = run.expect("it is a run");
        let approval = run.approval.clone().expect("it waits for one");
        (run, approval)
    }

    #[test]
    fn a_form_shows_what_runs_where_and_why() {
        let (run, approval) = run("Remove-Mailbox user3@contoso.com\n", true);
        let shown = shown(&run, &approval).expect("it can be shown");
        let fields = serde_json::to_string_pretty(&fields(&approval)).expect("it is JSON");
        insta::assert_snapshot!(format!("{shown}\n{fields}"));
    }

    #[test]
    fn what_cannot_be_shown_as_it_is_is_not_shown() {
        for command in [
            "Get-Mailbox\u{1b}[2K",
            "Remove-Mailbox a\r",
            "\u{202e}xoblaiM-evomeR",
            "Remove\u{200b}-Mailbox",
            &"x".repeat(4_001),
        ] {
            let (run, approval) = run(command, false);
            assert_eq!(shown(&run, &approval), None, "{command:?}");
        }
    }

    #[test]
    fn only_an_unmistakable_yes_is_one() {
        let result = |action, content: Option<Value>| {
            let mut result = ElicitResult::new(action);
            result.content = content;
            decision(&result)
        };
        let accept = |content| result(ElicitationAction::Accept, content);
        assert_eq!(
            accept(Some(json!({"approve": true, "tenant": "contoso.com"}))),
            Decision::Yes {
                tenant: Some("contoso.com".to_owned())
            }
        );
        for content in [
            None,
            Some(json!({})),
            Some(json!({"approve": false})),
            Some(json!({"approve": "true"})),
            Some(json!("yes")),
        ] {
            assert_eq!(accept(content), Decision::No);
        }
        assert_eq!(result(ElicitationAction::Decline, None), Decision::No);
        assert_eq!(result(ElicitationAction::Cancel, None), Decision::Nothing);
    }
}
