//! The parser against the real one, and the rules against the lists of what has to be guarded.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

mod attacks;
mod everyday;
mod hidden;
mod mutated;
mod rows;

use super::bash::parse as parse_bash;
use super::powershell::parse as parse_powershell;
use crate::script::{Effect, EffectRules};
use crate::spec::Catalog;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load(&[]));

/// A text, and what PowerShell's own parser says of it.
#[derive(Debug, Deserialize)]
struct Judged {
    text: String,
    errors: Vec<String>,
    commands: Vec<JudgedCommand>,
    members: Vec<serde_json::Value>,
    redirects: Vec<serde_json::Value>,
    functions: Vec<serde_json::Value>,
    assigns: Vec<serde_json::Value>,
    exits: usize,
}

#[derive(Debug, Deserialize)]
struct JudgedCommand {
    name: Option<String>,
    parameters: Vec<String>,
    splat: bool,
}

fn corpus() -> Vec<Judged> {
    include_str!("../../fixtures/policy/guard-corpus.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is one text"))
        .collect()
}

/// What of the real parser's commands is not in ours: by name, each as often as it is called.
fn missed(judged: &Judged) -> Vec<String> {
    let parsed = parse_powershell(&judged.text);
    let mut ours: Vec<_> = parsed
        .commands
        .iter()
        .map(|command| command.name.clone())
        .collect();
    let mut missed = Vec::new();
    for command in &judged.commands {
        match ours.iter().position(|name| *name == command.name) {
            Some(at) => drop(ours.swap_remove(at)),
            None => missed.push(
                command
                    .name
                    .clone()
                    .unwrap_or_else(|| "(dynamic)".to_owned()),
            ),
        }
    }
    missed
}

#[expect(clippy::print_stdout, reason = "the figures are what the test is for")]
#[test]
fn no_command_of_the_corpus_is_missed() {
    let (mut plain, mut lost, mut beyond) = (0_u32, Vec::new(), Vec::new());
    let texts = corpus();
    for judged in &texts {
        let understood = parse_powershell(&judged.text).is_understood();
        let is_plain = judged.errors.is_empty()
            && judged.commands.iter().all(|command| command.name.is_some())
            && !judged.text.trim_end().ends_with('&');
        plain += u32::from(is_plain);
        if is_plain && !understood {
            beyond.push(&judged.text);
        }
        let missed = missed(judged);
        if understood && !missed.is_empty() {
            lost.push((&judged.text, missed));
        }
    }
    let share = f64::from(u32::try_from(beyond.len()).expect("few")) * 100.0 / f64::from(plain);
    println!("{} texts, {plain} of them plain", texts.len());
    println!("missed: {} {lost:#?}", lost.len());
    println!(
        "plain and not understood: {} ({share:.1} %) {beyond:#?}",
        beyond.len()
    );
    assert!(texts.len() > 500 && plain > 400);
    assert!(lost.is_empty());
    assert!(share <= 2.0);
}

#[test]
fn parameters_and_the_rest_are_those_of_the_real_parser() {
    for judged in corpus() {
        let parsed = parse_powershell(&judged.text);
        if !parsed.is_understood() || !judged.errors.is_empty() {
            continue;
        }
        let text = &judged.text;
        let ours: Vec<(Vec<String>, bool)> = parsed
            .commands
            .iter()
            .map(|command| {
                let names = command.parameters().map(|(name, _)| name.to_owned());
                (names.collect(), command.splat)
            })
            .collect();
        let theirs: Vec<(Vec<String>, bool)> = judged
            .commands
            .into_iter()
            .map(|command| (command.parameters, command.splat))
            .collect();
        assert_eq!(ours, theirs, "{text}");
        assert_eq!(parsed.members.len(), judged.members.len(), "{text}");
        assert_eq!(parsed.redirects.len(), judged.redirects.len(), "{text}");
        assert_eq!(parsed.functions.len(), judged.functions.len(), "{text}");
        assert_eq!(parsed.assigns.len(), judged.assigns.len(), "{text}");
        assert_eq!(parsed.exits.len(), judged.exits, "{text}");
    }
}

/// Texts beyond the corpus where a token could be cut otherwise than PowerShell cuts it.
#[test]
fn what_could_be_cut_otherwise_is_seen_or_not_understood() {
    for text in [
        "a#b; Remove-X y",
        "echo $a#b; Remove-X y",
        "echo \"a\" \"b\"#; Remove-X y\nRemove-X",
        "Get-A -B x`\nRemove-X",
        "Get-A x ` \nRemove-X",
        "\u{2018}a\u{2019}; Remove-X",
        "Get-A \u{201c}a\u{201d}; Remove-X",
        "Get-A 'it\u{2019}; Remove-X",
        "Get-A\rRemove-X",
        "Get-A\u{a0};\u{a0}Remove-X y",
        "Get-A \u{200b}; Remove-X",
        "\"$(<# \" #> Remove-X)\"",
        "\"$('\"'; Remove-X)\"",
        "@'\n'; x '@\n'@; Remove-X",
        "@\"\n$(Remove-X)\n\"@",
        "${a`}b}; Remove-X",
        "<# <# #> Remove-X #> y",
        "Get-A --% ; Remove-X",
        "Get-A a>b; Remove-X",
        "[X((Remove-X))]$y = 1",
        "function f($a = (Remove-X)) { }",
        "& \"Remove-X\" y",
        "&'Remove-X'",
        ".\"Remove-X\"",
        "Rem`ove-X",
        "Remove\"-X\"",
    ] {
        let parsed = parse_powershell(text);
        let seen = parsed.commands.iter().any(|command| {
            command
                .name
                .as_deref()
                .is_some_and(|name| name.ends_with("move-X"))
        });
        assert!(seen || !parsed.is_understood(), "{text:?}: {parsed:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}|[-a-z:{}\\[\\]()'\"|;&$@#`<>%.\r\n\t \u{2018}\u{201d}\u{2013}]{0,80}") {
        for parsed in [parse_powershell(&text), parse_bash(&text)] {
            let judged = super::judge(&parsed, CATALOG.effects().iter());
            proptest::prop_assert!(!judged.effects().is_empty());
            proptest::prop_assert!(judged.understood || judged.effects().contains(&Effect::UnknownCode));
        }
    }
}

fn effects(text: &str) -> String {
    words(&judged(text).effects())
}

fn judged(text: &str) -> super::Judgement {
    super::judge(&parse_powershell(text), CATALOG.effects().iter())
}

fn bash_effects(text: &str) -> String {
    let judged = super::judge(&parse_bash(text), CATALOG.effects().iter());
    words(&judged.effects())
}

/// What a text does as a command of a module, by that module's rules, too.
fn effects_in(module: &str, text: &str) -> String {
    let module = CATALOG.module(module).expect("it is built in");
    let parsed = super::parse(text, Some(&module));
    let rules = EffectRules::new(CATALOG.effects(), Arc::clone(&module.effects));
    words(&super::judge(&parsed, rules.iter()).effects())
}

fn words(effects: &[Effect]) -> String {
    let words: Vec<&str> = effects.iter().map(|effect| effect.word()).collect();
    words.join(" ")
}

/// Every text has at least these effects.
fn have(table: &[(&str, &str)], effects: impl Fn(&str) -> String) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(text, wanted)| {
            let found = effects(text);
            let has = |word: &str| found.split(' ').any(|other| other == word);
            (!wanted.split(' ').all(has)).then(|| format!("{text}: {found}, not {wanted}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the old guard blocked and warned of, beside the rows of the modules.
static OLD: &[(&str, &str)] = &[
    ("Install-Module x", "unknown_code"),
    ("Uninstall-Module x", "destroys"),
    ("Update-Module x", "unknown_code"),
    ("Install-Package x", "unknown_code"),
    (
        "Invoke-RestMethod https://login.microsoftonline.com/x",
        "unknown_code",
    ),
    (
        "Invoke-WebRequest https://login.microsoftonline.com/x",
        "unknown_code",
    ),
    ("Send-MailMessage -To x", "sends"),
    ("Invoke-MgGraphRequest -Uri /v1.0/me @p", "unknown_code"),
];

#[test]
fn what_the_old_guard_knew_is_known() {
    have(OLD, effects);
}

#[test]
fn what_only_reads_is_not_asked_about() {
    for text in [
        "Get-Mailbox -ResultSize Unlimited | Select-Object DisplayName, PrimarySmtpAddress",
        "Get-MgUser -All | Where-Object { $_.Mail -match \"x\" } | Sort-Object Id",
        "Get-MessageTrace -SenderAddress a@b.c -StartDate (Get-Date).AddDays(-2)",
        "Get-Mailbox -Filter { Name -eq 'x' }",
        "foreach ($x in 1..3) { Get-Mailbox }",
        "$m = Get-Mailbox; $m.Count",
        "\"value: $(Get-Mailbox)\" | Out-String",
        "Get-PnPList | ConvertTo-Json -Depth 3",
        "Get-Mailbox 2>&1 | Out-Null",
        "& { Get-Mailbox }",
        "function f { Get-Mailbox }; f",
        "Get-Mailbox | % Name",
        "Get-Mailbox | Where-Object Alias -eq $x",
        "Invoke-MgGraphRequest -Method GET -Uri /v1.0/me",
        "Invoke-MgGraphRequest /v1.0/me",
        "Remove-Mailbox user -WhatIf",
        "Remove-Mailbox user -wi",
        "Remove-Mailbox user -WhatIf:$true",
        "Get-MgIdentityConditionalAccessPolicy",
        "Get-TransportRule",
        "'Remove-Mailbox user'",
        "# Remove-Mailbox user",
    ] {
        assert_eq!(effects(text), "reads", "{text}");
    }
    for text in [
        "az vm list -o json | jq '.[].name'",
        "pac env list",
        "m365 spo site list",
        "az group show -n x 2>/dev/null",
    ] {
        assert_eq!(bash_effects(text), "reads", "{text}");
    }
}

/// What hides what it does, or does more than its name says.
static HIDDEN: &[(&str, &str)] = &[
    ("& ('Rem' + 'ove-Mailbox') user", "unknown_code"),
    ("iex 'x'", "unknown_code"),
    ("& $x", "unknown_code"),
    ("./x.ps1", "unknown_code"),
    (". ./x.ps1", "unknown_code"),
    (". x.ps1", "unknown_code"),
    ("pwsh -EncodedCommand AAAA", "unknown_code"),
    ("[scriptblock]::Create('x').Invoke()", "unknown_code"),
    ("$x.$method()", "unknown_code"),
    ("[IO.File]::WriteAllText('/x', 'y')", "unknown_code"),
    (
        "Get-MgUser | ForEach-Object -MemberName Delete",
        "unknown_code",
    ),
    ("Get-MgUser | % Delete", "unknown_code"),
    ("function Get-Mailbox { 1 }", "unknown_code"),
    ("function iex { 1 }", "unknown_code"),
    ("Set-Alias x y", "unknown_code"),
    ("Set-Item function:Get-Mailbox { 1 }", "unknown_code"),
    ("$env:PATH = '/x'", "unknown_code"),
    ("${function:Get-X} = 1", "unknown_code"),
    ("$a, $env:X = 1, 2", "unknown_code"),
    ("Invoke-Command $x", "unknown_code"),
    ("Measure-Command -Expression $x", "unknown_code"),
    ("1 | ForEach-Object -Process $x", "unknown_code"),
    ("1 | Where-Object -FilterScript $x", "unknown_code"),
    ("1 | ? $x", "unknown_code"),
    (
        "$x = (Get-Command Remove-Mailbox).ScriptBlock",
        "unknown_code",
    ),
    ("$x = (Get-Command Remove-Mailbox).$y", "unknown_code"),
    (
        "Get-Command Remove-Mailbox | Select-Object -ExpandProperty ScriptBlock",
        "unknown_code",
    ),
    ("Get-Mailbox --% x", "unknown_code"),
    ("Get-Mailbox &", "unknown_code"),
    ("Get-X @p", "unknown_code"),
    ("Foo-Bar", "writes"),
    ("foo", "unknown_code"),
    ("Where-Object -Filter { foo -eq 1 }", "unknown_code"),
    ("Remove-Mailbox user -WhatIf:$false", "destroys"),
    ("Remove-Mailbox user -WhatIf:$x", "destroys"),
    ("Remove-ComplianceCase c -WhatIf", "destroys"),
    ("ExchangeOnlineManagement\\Remove-Mailbox user", "destroys"),
    ("Remove\u{2013}Mailbox user", "destroys"),
    ("Get-Mailbox > x.txt", "writes_local_files"),
    ("Get-Mailbox | Export-Csv x.csv", "writes_local_files"),
    ("Connect-MgGraph", "signs_in_or_out"),
    ("exit", "ends_session"),
    ("[Environment]::Exit(1)", "ends_session"),
    ("Stop-Process -Id $PID", "ends_session"),
    (
        "Get-Mailbox | Sort-Object { Remove-Mailbox $_ }",
        "destroys",
    ),
    ("\"$(Remove-Mailbox u)\"", "destroys"),
];

#[test]
fn what_is_not_known_is_never_reading() {
    for text in corpus().iter().map(|judged| judged.text.as_str()) {
        let writes = [
            "Remove-",
            "Set-Mailbox",
            "New-InboxRule",
            "Add-MailboxP",
            "DELETE",
            "Clear-Mobile",
            "Disable-T",
        ]
        .iter()
        .any(|part| text.contains(part));
        let only_named = [
            "# Remove",
            "'$(Remove",
            "`$(Remove",
            "-WhatIf",
            "\u{2018}Remove",
            "Get-Command Remove",
            "[Remove-",
        ]
        .iter()
        .any(|part| text.contains(part));
        assert!(!writes || only_named || effects(text) != "reads", "{text}");
    }
    have(HIDDEN, effects);
    have(
        &[
            ("eval \"$x\"", "unknown_code"),
            ("$cmd x", "unknown_code"),
            ("echo $(rm -rf x)", "unknown_code"),
            ("az vm $x list", "writes"),
            ("az --debug vm delete", "writes"),
            ("az vm delete --ids x", "destroys"),
            ("az account get-access-token", "reveals_secret"),
            ("az keyvault secret show -n x", "reveals_secret"),
            ("az login", "signs_in_or_out"),
            ("az vm list > x", "writes_local_files"),
            ("PATH=/x az vm list", "unknown_code"),
            ("az() { x; }; az vm list", "unknown_code"),
            ("bash -c 'x'", "unknown_code"),
            ("exit", "ends_session"),
            ("if true; then", "unknown_code"),
        ],
        bash_effects,
    );
}

/// What earlier servers of this kind blocked: refused to programs, whatever the connection's policy; people are asked.
static BLOCKED: &[&str] = &[
    "Install-Module x",
    "Uninstall-Module x",
    "Update-Module x",
    "Install-Package x",
    "New-AzRoleAssignment -ObjectId o",
    "Remove-AzRoleAssignment -ObjectId o",
    "Set-AzKeyVaultAccessPolicy v",
    "Remove-AzKeyVaultAccessPolicy v",
    "New-AzADApplication",
    "Remove-AzADApplication",
    "New-AzADServicePrincipal",
    "Remove-AzADServicePrincipal",
    "Invoke-RestMethod https://login.microsoftonline.com/x",
    "irm -Uri 'https://login.microsoftonline.com/x'",
    "Invoke-WebRequest https://login.microsoftonline.com/x",
];

/// What they warned of and ran: everybody is asked, unless the connection is open.
static WARNED: &[&str] = &[
    "Remove-AzVM x",
    "Remove-Mailbox x",
    "Remove-PnPList x",
    "Remove-Team -GroupId g",
    "Set-Mailbox x -ForwardingSmtpAddress a@b.c",
    "Set-InboxRule x -ForwardTo a@b.c",
    "Set-InboxRule x -ForwardAsAttachmentTo a@b.c",
];

/// What they did not send without a second word.
static SENDING: &[&str] = &[
    "Send-MailMessage -To x",
    "Send-MgUserMail -UserId u",
    "New-MgChatMessage",
    "New-MgTeamChannelMessage",
    "Submit-PnPTeamsChannelMessage x",
    "Invoke-MgGraphRequest -Method POST -Uri /v1.0/me/sendMail",
    "Invoke-MgGraphRequest -Method POST -Uri /v1.0/me/messages/1/reply",
    "Invoke-MgGraphRequest -Method POST -Uri /v1.0/me/messages/1/replyAll",
    "Invoke-MgGraphRequest -Method POST -Uri /v1.0/me/messages/1/forward",
    "Invoke-MgGraphRequest -Method POST -Uri /v1.0/me/messages/1/send",
    "Invoke-MgGraphRequest -Method POST -Uri /v1.0/teams/t/channels/c/messages",
    "Invoke-MgGraphRequest -Method POST -Uri /v1.0/chats/c/messages",
];

#[test]
fn nothing_that_earlier_servers_guarded_is_lost() {
    use crate::connection::Policy;
    use crate::policy::{Allowance, Verdict, Who};
    let decided = |policy, who, text: &str| {
        let allowance = Allowance {
            policy,
            ..Allowance::default()
        };
        allowance.decide(who, None, &judged(text)).verdict
    };
    for text in BLOCKED {
        for policy in [Policy::Ask, Policy::Open, Policy::ReadOnly] {
            assert_eq!(
                decided(policy, Who::Program, text),
                Verdict::Refuse,
                "{text}"
            );
        }
        assert_eq!(
            decided(Policy::Ask, Who::Person, text),
            Verdict::Ask,
            "{text}"
        );
    }
    for text in WARNED.iter().chain(SENDING) {
        assert_eq!(
            decided(Policy::Ask, Who::Program, text),
            Verdict::Ask,
            "{text}"
        );
        assert_eq!(
            decided(Policy::Ask, Who::Person, text),
            Verdict::Ask,
            "{text}"
        );
    }
}

#[test]
fn many_at_once_are_told_from_one() {
    for text in [
        "Get-Mailbox | Remove-Mailbox",
        "foreach ($x in $all) { Remove-Mailbox $x }",
        "1..9 | % { Remove-Mailbox $_ }",
        "Remove-Mailbox a, b",
        "Remove-PnPList 'x*'",
        "while ($true) { Remove-Team -GroupId g }",
    ] {
        assert!(judged(text).destroys_many(), "{text}");
    }
    for text in [
        "Remove-Mailbox a",
        "Remove-Mailbox a | Out-Null",
        "Get-Mailbox | Set-Mailbox",
    ] {
        assert!(!judged(text).destroys_many(), "{text}");
    }
}
