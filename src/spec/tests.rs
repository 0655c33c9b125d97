//! The files of `modules.d/` against what was recorded, and faulty files against what their writers get to read.

use std::path::Path;

use regex::bytes::Regex;

use super::*;
use crate::script::{FailureTest, Module, QuestionKind, Quoting, Shell, Template};

fn builtin() -> Catalog {
    Catalog::load(&[])
}

fn exo() -> std::sync::Arc<Module> {
    builtin().module("exo").expect("it is built in")
}

fn pwsh() -> std::sync::Arc<Shell> {
    builtin().shell("pwsh").expect("it is built in")
}

#[test]
fn all_built_in_files_are_sound() {
    let catalog = builtin();
    for listing in catalog.modules() {
        assert!(
            listing.value.is_some() && listing.findings.iter().next().is_none(),
            "{}",
            listing.findings.render(false)
        );
    }
    for listing in catalog.shells() {
        assert!(
            listing.value.is_some() && listing.findings.iter().next().is_none(),
            "{}",
            listing.findings.render(false)
        );
    }
    assert!(
        catalog.problems().iter().next().is_none(),
        "{}",
        catalog.problems().render(false)
    );
}

#[test]
fn a_fault_is_shown_as_its_writer_reads_it() {
    let catalog = builtin();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    insta::glob!(root, "fixtures/specs/invalid/*.yaml", |path| {
        // Relative, so that no path of this machine gets into the snapshot; tests run in the crate's folder.
        let path = path.strip_prefix(root).expect("it lies in the crate");
        let text = match check_file(path, &catalog) {
            Ok(checked) => {
                assert!(
                    checked.warnings.iter().next().is_some(),
                    "{} has no fault",
                    path.display()
                );
                checked.warnings.render(false)
            }
            Err(findings) => {
                assert_eq!(findings.iter().count(), 1, "{}", findings.render(false));
                findings.render(false)
            }
        };
        let fault = path
            .file_stem()
            .expect("it has a name")
            .to_string_lossy()
            .into_owned();
        insta::with_settings!({ snapshot_suffix => fault, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("invalid", text);
        });
    });
}

#[test]
fn every_fault_of_a_file_is_reported_at_once() {
    let path = Path::new("fixtures/specs/several-faults.yaml");
    let findings = check_file(path, &builtin()).expect_err("it has faults");
    insta::assert_snapshot!(findings.render(false));
    insta::assert_json_snapshot!(findings.to_json());
}

#[test]
fn a_module_is_explained() {
    insta::assert_snapshot!(explain(&exo()));
}

#[test]
fn every_module_explains_itself() {
    for listing in builtin().modules().filter(|one| one.name != "exo") {
        let module = listing.value.expect("it is sound");
        let own = explain(module);
        // The shared table is in the snapshot of `exo`; what is told here is the module's own.
        let shared = own
            .find("  pending (AADSTS")
            .expect("every module includes the table");
        let notes = own.find("\nNotes").expect("every module has notes");
        insta::with_settings!({ snapshot_suffix => listing.name.to_owned(), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("module", format!("{}{}", &own[..shared], &own[notes..]));
        });
    }
}

#[test]
fn a_missing_module_is_told_by_each() {
    for (name, cmdlet) in [
        ("azure", "Update-AzConfig"),
        ("azure", "Connect-AzAccount"),
        ("teams", "Connect-MicrosoftTeams"),
        ("pnp", "Connect-PnPOnline"),
        ("graph", "Connect-MgGraph"),
        ("ipps", "Connect-IPPSSession"),
    ] {
        let text = format!(
            "The term '{cmdlet}' is not recognized as a name of a cmdlet, function, script file, or executable program."
        );
        assert_eq!(failure_of(name, &text).as_deref(), Some("module-missing"));
    }
    for (name, text, failure) in [
        (
            "graph",
            "Authentication timed out after 120 seconds due to inactivity. Please try again.",
            "code-expired",
        ),
        (
            "graph",
            "DeviceCodeCredential authentication failed: Object reference not set to an instance of an object.",
            "module-bad",
        ),
        (
            "pnp",
            "Unable to open a web page using xdg-open, gnome-open, kfmclient or wslview tools.",
            "module-too-old",
        ),
        (
            "pnp",
            "Please specify a valid client id for an Entra ID App Registration.",
            "app-missing",
        ),
        (
            "ipps",
            "Connect-IPPSSession is not available in PowerShell 7 on Linux and macOS.",
            "not-on-this-system",
        ),
        (
            "teams",
            "Run Connect-MicrosoftTeams before running cmdlets.",
            "not-signed-in",
        ),
        (
            "pnp",
            "There is currently no connection yet. Use Connect-PnPOnline to connect or provide a valid connection using -Connection.",
            "not-signed-in",
        ),
        (
            "pnp",
            "The remote server returned an error: (401) Unauthorized.",
            "sign-in-expired",
        ),
        (
            "graph",
            "The provided access token has expired. Set a valid access token to `-AccessToken`",
            "token-expired",
        ),
        (
            "graph",
            "[Authorization_RequestDenied] : Insufficient privileges to complete the operation.",
            "permission-missing",
        ),
        (
            "exo",
            "You must call the Connect-ExchangeOnline cmdlet before calling any other cmdlets.",
            "not-signed-in",
        ),
        (
            "azure",
            "SharedTokenCacheCredential authentication unavailable. Token acquisition failed for user ada@contoso.com.",
            "not-signed-in",
        ),
        (
            "az",
            "Fail to create device flow. Err: {}",
            "no-device-code",
        ),
        (
            "graph",
            "Unable to load shared library 'libsecret-1.so.0' or one of its dependencies.",
            "keyring-missing",
        ),
        ("teams", "A task was canceled.", "no-network"),
        (
            "teams",
            "Session is not established, run Connect-MicrosoftTeams before requesting access token",
            "not-signed-in",
        ),
    ] {
        assert_eq!(failure_of(name, text).as_deref(), Some(failure), "{text}");
    }
}

/// What a challenge is matched against: escapes out, white space collapsed.
fn window(text: &str) -> String {
    let escape = Regex::new(r"\x1b\[[0-9;]*m").expect("it is a pattern");
    let plain = escape.replace_all(text.as_bytes(), &b""[..]).into_owned();
    let text = String::from_utf8(plain).expect("it was UTF-8");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The code, and the page or else the assumed one.
fn challenge(text: &str) -> Option<(String, String)> {
    let module = exo();
    let rules = module.sign_in.as_ref().expect("it signs in");
    let window = window(text);
    rules.challenges.rules().iter().find_map(|rule| {
        let captures = rule.pattern.captures(window.as_bytes())?;
        let group = |name| {
            captures
                .name(name)
                .map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned())
        };
        Some((
            group("code")?,
            group("url").or_else(|| rule.assumed_url.clone())?,
        ))
    })
}

#[test]
fn device_code_prompts_are_read() {
    let page = "https://microsoft.com/devicelogin";
    let short = "https://login.microsoft.com/device";
    for (text, code, url) in [
        (
            "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code B6WB2UHX4 to authenticate.",
            "B6WB2UHX4",
            page,
        ),
        (
            "WARNING: To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code QX563W3CX to authenticate.",
            "QX563W3CX",
            page,
        ),
        (
            "\u{1b}[1m\u{1b}[44m[Login to Azure]\u{1b}[0m To sign in, use a web browser to open the page https://login.microsoft.com/device and enter the code \u{1b}[4mH3K9CBPDE\u{1b}[0m to authenticate.",
            "H3K9CBPDE",
            short,
        ),
        (
            "WARNING: \u{1b}[7mOpen a browser, navigate to https://microsoft.com/devicelogin and authenticate using code BSDTBDKC4 to proceed.   \u{1b}[0m",
            "BSDTBDKC4",
            page,
        ),
        (
            "WARNING: \u{1b}[7mCode LPEFAVQ94 has been copied to your clipboard and a new tab in the browser has been opened. Please paste this code in there and proceed.   \u{1b}[0m",
            "LPEFAVQ94",
            page,
        ),
        // PnP in a terminal of 80 columns.
        (
            "WARNING: \r\n          \r\n To sign in, use a web browser to open the page                          \r\n https://login.microsoft.com/device and enter the code C4NTS7K9Q to      \r\n authenticate.       \r\n",
            "C4NTS7K9Q",
            short,
        ),
        (
            "…open the page \nhttps://login.microsoft.com/device\nand enter the code H3K9CBPDE to authenticate.",
            "H3K9CBPDE",
            short,
        ),
        (
            "https://login.microsoftonline.us/common/oauth2/deviceauth: Code H3K9CBPDE",
            "H3K9CBPDE",
            "https://login.microsoftonline.us/common/oauth2/deviceauth",
        ),
        (
            "Um sich anzumelden, öffnen Sie die Seite https://microsoft.com/devicelogin, und geben Sie den Code B6WB2UHX4 ein.",
            "B6WB2UHX4",
            page,
        ),
        (
            "コード B6WB2UHX4 を https://microsoft.com/devicelogin に入力してください。",
            "B6WB2UHX4",
            page,
        ),
    ] {
        assert_eq!(
            challenge(text),
            Some((code.to_owned(), url.to_owned())),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_prompt_gives_no_code() {
    for text in [
        "Use device code authentication to proceed",
        "enter the code authentication to authenticate.",
        "Error code AADSTS50076: Due to a configuration change made by your administrator",
        "AADSTS53003: Access has been blocked by Conditional Access policies. Trace ID: 6f0c1c1e-0000-4000-8000-0123456789ab",
        "Code review has been copied to your clipboard",
        "Operation code 123456789ABC was logged",
        "See https://microsoft.com/devices for CONTOSO-LAPTOP",
        "https://microsoft.com/devicelogin is the page; no code follows it here",
        "Retrieving subscriptions for the selection...",
        "The sign-in at https://login.microsoft.com/device of ada@contoso.com was EXPIREDTWICE",
    ] {
        assert_eq!(challenge(text), None, "{text}");
    }
}

/// The name of the failure that a message means.
fn failure(text: &str) -> Option<String> {
    failure_of("exo", text)
}

/// The same, in the words of one module.
fn failure_of(name: &str, text: &str) -> Option<String> {
    let module = builtin().module(name).expect("it is built in");
    let window = window(text);
    let rules = &module.sign_in.as_ref().expect("it signs in").failures;
    let rule = rules.iter().find(|rule| match &rule.test {
        FailureTest::Aadsts(numbers) => numbers
            .iter()
            .any(|number| window.contains(&format!("AADSTS{number}:"))),
        FailureTest::Pattern(pattern) => pattern.is_match(window.as_bytes()),
    })?;
    Some(rule.failure.name.clone())
}

#[test]
fn failures_are_named() {
    for (text, name) in [
        (
            "Connect-Fake: AADSTS70018: User declined to authorize the device. Trace ID: 6f0c1c1e-0000-4000-8000-0123456789ab",
            "declined",
        ),
        (
            "AADSTS70020: The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
            "code-expired",
        ),
        (
            "AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
            "blocked-by-policy",
        ),
        (
            "AADSTS700016: Application with identifier '11111111-2222-3333-4444-555555555555' was not found in the directory 'Contoso'.",
            "app-not-found",
        ),
        (
            "Verification code expired before contacting the server",
            "code-expired",
        ),
        (
            "The term 'Connect-ExchangeOnline' is not recognized as a name\r\nof a cmdlet, function, script file, or executable program.",
            "module-missing",
        ),
        (
            "The 'Connect-ExchangeOnline' command was found in the module 'ExchangeOnlineManagement', but the module could not be loaded.",
            "module-broken",
        ),
        (
            "Name or service not known (login.microsoftonline.com:443)",
            "no-network",
        ),
        (
            "The proxy tunnel request to proxy 'http://p:8080/' failed with status code '407'\".",
            "proxy-refused",
        ),
    ] {
        assert_eq!(failure(text).as_deref(), Some(name), "{text}");
    }
    assert_eq!(failure("UnAuthorized"), None);
    assert_eq!(
        failure("The term 'Get-Mailbox' is not recognized as a name of a cmdlet"),
        None
    );
}

#[test]
fn every_failure_has_a_way_on() {
    let module = exo();
    let rules = &module.sign_in.as_ref().expect("it signs in").failures;
    let mut numbers: Vec<u32> = Vec::new();
    for rule in rules {
        assert!(
            rule.failure.advice.ends_with('.'),
            "{}",
            rule.failure.advice
        );
        if let FailureTest::Aadsts(of_rule) = &rule.test {
            numbers.extend(of_rule);
        }
    }
    // The table of known numbers is long; a row lost in an edit would not show otherwise.
    assert_eq!(numbers.len(), 69);
}

/// The first question that fits the end of the output: kind, text, choices, default.
fn question(text: &str) -> Option<(QuestionKind, String, String, String)> {
    pwsh().questions.iter().find_map(|rule| {
        let captures = rule.pattern.captures(text.as_bytes())?;
        let group = |name| {
            let group = captures
                .name(name)
                .map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned());
            group.unwrap_or_default()
        };
        Some((rule.kind, group("text"), group("choices"), group("default")))
    })
}

#[test]
fn recorded_questions_are_read() {
    use QuestionKind::{Choice, Confirm, Parameter, Secret, Text};
    let confirm = "[Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help";
    let asks = |text: &str| format!("{text}\r\n{confirm} (default is \"Y\"): ");
    for (output, kind, text, choices, default) in [
        ("Your name: ".to_owned(), Text, "Your name", "", ""),
        ("out\r\nSecret: ".to_owned(), Secret, "Secret", "", ""),
        ("Shared secret of the app: ".to_owned(), Secret, "Shared secret of the app", "", ""),
        ("\r\ncmdlet f at command pipeline position 1\r\nSupply values for the following parameters:\r\nName: ".to_owned(), Parameter, "Name", "", ""),
        ("\r\ncmdlet Set-DistributionGroup at command pipeline position 1\r\nSupply values for the following parameters:\r\nIdentity: aab\r\nMembers[0]: x\r\nMembers[1]: ".to_owned(), Parameter, "Members[1]", "", ""),
        ("\r\nTitle\r\nMessage\r\n[Y] Yes  [N] No  [?] Help (default is \"Y\"): ".to_owned(), Choice, "Title\r\nMessage", "[Y] Yes  [N] No  [?] Help", "Y"),
        ("[Y] Yes  [N] No  [?] Help: ".to_owned(), Choice, "", "[Y] Yes  [N] No  [?] Help", ""),
        (
            asks("\r\nConfirm\r\nAre you sure you want to perform this action?\r\nPerforming the operation \"Removing mailbox\" on target \"user1@contoso.com\"."),
            Confirm,
            "Are you sure you want to perform this action?\r\nPerforming the operation \"Removing mailbox\" on target \"user1@contoso.com\".",
            confirm,
            "Y",
        ),
        (
            asks("\r\nUntrusted repository\r\nYou are installing the modules from an untrusted repository."),
            Choice,
            "Untrusted repository\r\nYou are installing the modules from an untrusted repository.",
            confirm,
            "Y",
        ),
        ("\r\nPowerShell credential request\r\nEnter your credentials.\r\nUser: ".to_owned(), Text, "User", "", ""),
        ("User: ada\r\nPassword for user ada: ".to_owned(), Secret, "Password for user ada", "", ""),
    ] {
        assert_eq!(question(&output), Some((kind, text.to_owned(), choices.to_owned(), default.to_owned())), "{output}");
    }
}

#[test]
fn questions_are_read_over_collapsed_white_space_too() {
    use QuestionKind::{Choice, Confirm, Parameter, Secret};
    for (output, kind, found) in [
        (
            "out Confirm Are you sure you want to perform this action? Performing the operation \"Remove\" on target \"a\". \
             [Y] Yes [A] Yes to All [N] No [L] No to All [S] Suspend [?] Help (default is \"Y\"): ",
            Confirm,
            "Are you sure you want to perform this action? Performing the operation \"Remove\" on target \"a\".",
        ),
        (
            "Title Message [Y] Yes [N] No [?] Help (default is \"Y\"): ",
            Choice,
            "Title Message",
        ),
        (
            "User: ada Password for user ada: ",
            Secret,
            "Password for user ada",
        ),
        (
            "cmdlet f at command pipeline position 1 Supply values for the following parameters: Name: ",
            Parameter,
            "Name",
        ),
    ] {
        let (as_kind, text, ..) = question(output).expect("it asks");
        assert_eq!((as_kind, text.as_str()), (kind, found));
    }
}

#[test]
fn an_answered_question_is_not_the_next_one() {
    let confirm = |target: &str| {
        format!(
            "\r\nConfirm\r\nAre you sure you want to perform this action?\r\nPerforming the operation \"Remove\" on target \"{target}\".\r\n\
             [Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is \"Y\"): "
        )
    };
    let two = format!("{}y\r\nremoved a\r\n{}", confirm("a"), confirm("b"));
    let (_, text, ..) = question(&two).expect("it asks");
    assert!(
        text.ends_with("on target \"b\".") && !text.contains("\"a\""),
        "{text}"
    );
}

#[test]
fn output_that_only_looks_like_a_question_is_none() {
    for output in [
        "Name: alice\r\n",
        "Name : ",
        "done",
        "\r\n",
        ": ",
        "Progress: 50%",
        "key:value",
        "a line:\r\n",
    ] {
        assert_eq!(question(output), None, "{output:?}");
    }
}

fn render(template: &Template, values: &[(&str, &str)]) -> String {
    template.render(Quoting::Plain, |name| {
        values
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    })
}

#[test]
fn a_frame_is_the_one_that_was_recorded() {
    let shell = pwsh();
    let framing = &shell.framing;
    let chunk = framing.chunk.as_ref().expect("it sends pieces");
    let values = [
        ("nonce", "8e6d987182b5a742"),
        ("length", "28"),
        ("mode", "text"),
        ("depth", "2"),
        ("chunk", "UmVhZC1Ib3N0ICJZb3VyIG5hbWUi"),
    ];
    let frame = [&framing.open, &chunk.line, &framing.close]
        .map(|template| render(template, &values))
        .concat();
    assert_eq!(
        frame,
        "\n+UmVhZC1Ib3N0ICJZb3VyIG5hbWUi\n!8e6d987182b5a742 28 text 2\n"
    );
    assert_eq!(chunk.size, 3000);
    assert_eq!(shell.markers.lead.needle(), b"<<mm:");
    assert_eq!(shell.interrupt.send, [3]);
    assert_eq!(shell.queries[0].ask, b"\x1b[6n");
    assert_eq!(shell.queries[0].reply, b"\x1b[1;1R");
}

#[test]
fn the_bootstrap_reaches_the_program_whole() {
    let bootstrap = pwsh().bootstrap.clone().expect("there is one");
    assert_eq!(
        bootstrap.text.as_bytes(),
        include_bytes!("../../modules.d/shells/pwsh-bootstrap.ps1")
    );
    // Linux refuses a single argument of 128 KiB or more (MAX_ARG_STRLEN).
    assert!(bootstrap.argument().len() < 128 * 1024);
}

#[test]
fn the_commands_are_the_recorded_ones() {
    let module = exo();
    let rules = module.sign_in.as_ref().expect("it signs in");
    assert_eq!(
        render(&rules.ways[0].connect, &[]),
        "Connect-ExchangeOnline -Device -ShowBanner:$false"
    );
    assert_eq!(
        render(&rules.identity.command, &[]),
        "Get-ConnectionInformation | Where-Object { -not $_.IsEopSession } | Select-Object State, TokenStatus, UserPrincipalName, \
         TenantID, TokenExpiryTimeUTC, Organization, DelegatedOrganization"
    );
    let proof = rules.proof.as_ref().expect("there is one");
    assert_eq!(
        render(proof, &[]),
        "Get-AcceptedDomain | Select-Object DomainName, Default"
    );
    let disconnect = rules.disconnect.as_ref().expect("there is one");
    assert_eq!(
        render(disconnect, &[]),
        "Disconnect-ExchangeOnline -Confirm:$false"
    );
}

proptest::proptest! {
    /// Whatever an editor leaves behind is compiled or refused, never a panic, and every finding can be shown.
    #[test]
    fn a_damaged_file_is_refused_in_peace(
        which in 0..3_usize, at in 0.0..1.0_f64, length in 0..40_usize, instead in "\\PC{0,6}|[\n :{}\\[\\]\"'\\\\-]{0,6}",
    ) {
        let name = ["exo.yaml", "shells/pwsh.yaml", "include/microsoft.yaml"][which];
        let mut text = builtin::text(name).expect("it is built in").to_owned();
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "any place will do")]
        let mut start = (at * text.len() as f64) as usize;
        while !text.is_char_boundary(start) { start -= 1; }
        let mut end = (start + length).min(text.len());
        while !text.is_char_boundary(end) { end += 1; }
        text.replace_range(start..end, &instead);
        let origin = Origin::Builtin(name.to_owned());
        let file = Ok(std::sync::Arc::new(SourceFile { origin, text }));
        let findings = match which {
            0 => library::Library::default().module(file).findings,
            1 => library::shell(file).findings,
            _ => library::include(file).findings,
        };
        proptest::prop_assert_eq!(findings.render(true).is_empty(), findings.iter().next().is_none());
        proptest::prop_assert_eq!(findings.to_json().len(), findings.iter().count());
    }
}
