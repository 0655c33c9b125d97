//! The stand-in against the real thing: each recording's input is played to it on a made-up clock, and it has to write the
//! same bytes. Cursor queries are left out on both sides: when .NET asks is not ours to foretell.

use std::time::Duration;

use super::catalog::Scenario;
use super::console::Ending;
use super::host::Host;
use super::world::{Gone, Happening, World};

const QUERY: &str = "\u{1b}[6n";
const REPLY: &[u8] = b"\x1b[1;1R";

/// What a recording types.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Input {
    /// A frame or an answer: typed when the program waits for it.
    Line(Vec<u8>),
    /// Ctrl-C, so long after the last line.
    Interrupt(Duration),
}

/// A terminal that types what a script says and answers cursor queries. Its time passes only while the program waits.
struct Script {
    inputs: std::collections::VecDeque<Input>,
    now: Duration,
    line_at: Duration,
    written: String,
    /// Queries that were answered, and answers that are not delivered yet.
    replies: usize,
}

impl Script {
    fn new(inputs: impl IntoIterator<Item = Input>) -> Self {
        Self {
            inputs: inputs.into_iter().collect(),
            now: Duration::ZERO,
            line_at: Duration::ZERO,
            written: String::new(),
            replies: 0,
        }
    }
}

impl World for Script {
    fn now(&self) -> Duration {
        self.now
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let text = str::from_utf8(bytes).expect("it writes whole characters");
        self.replies += text.matches(QUERY).count();
        self.written.push_str(&text.replace('\n', "\r\n"));
        Ok(())
    }

    fn next(&mut self, until: Option<Duration>) -> Happening {
        if self.replies > 0 {
            self.replies -= 1;
            return Happening::Typed(REPLY.to_vec());
        }
        match self.inputs.front() {
            Some(Input::Interrupt(after)) => {
                let at = self.line_at + *after;
                if until.is_none_or(|until| at <= until) {
                    self.inputs.pop_front();
                    self.now = self.now.max(at);
                    return Happening::Interrupt;
                }
            }
            Some(Input::Line(_)) if until.is_none() => {
                let Some(Input::Line(bytes)) = self.inputs.pop_front() else {
                    unreachable!("it was there a line ago");
                };
                self.line_at = self.now;
                return Happening::Typed(bytes);
            }
            _ => {}
        }
        match until {
            Some(until) => {
                self.now = self.now.max(until);
                Happening::TimeUp
            }
            None => Happening::Gone,
        }
    }
}

/// What was typed and what was written in a recording, and each command's text by its nonce.
fn recording(name: &str) -> (Vec<Input>, String) {
    let path = format!(
        "{}/fixtures/recordings/pwsh/{name}.cast",
        env!("CARGO_MANIFEST_DIR")
    );
    let cast = std::fs::read_to_string(&path).expect("the recording can be read");
    let (mut inputs, mut written, mut line_at) = (Vec::new(), String::new(), 0.0);
    for line in cast.lines().skip(1) {
        let (time, kind, text): (f64, String, String) =
            serde_json::from_str(line).expect("an event is a time, a kind and a text");
        match (kind.as_str(), text.as_str()) {
            ("o", text) => written.push_str(text),
            ("i", "\u{3}") => {
                inputs.push(Input::Interrupt(Duration::from_secs_f64(time - line_at)));
            }
            ("i", text) if text.as_bytes() != REPLY => {
                line_at = time;
                inputs.push(Input::Line(text.as_bytes().to_vec()));
            }
            _ => {}
        }
    }
    (inputs, written.replace(QUERY, ""))
}

/// Plays `inputs` to a scenario; what it wrote, without cursor queries.
fn play(scenario: &str, inputs: Vec<Input>) -> (Ending, String) {
    let scenario = Scenario::find(scenario).expect("there is such a scenario");
    let (ending, script) = Host::new(Script::new(inputs), 240, scenario).run_and_return();
    (ending, script.written.replace(QUERY, ""))
}

fn compare(name: &str, scenario: &str) {
    let (inputs, recorded) = recording(name);
    let (ending, written) = play(scenario, inputs);
    let lines = |text: &str| text.split("\r\n").map(str::to_owned).collect::<Vec<_>>();
    for (number, (is, should)) in lines(&written).iter().zip(lines(&recorded)).enumerate() {
        assert_eq!(*is, should, "{name}: line {number}");
    }
    assert_eq!(written, recorded, "{name}");
    assert_eq!(ending, Ending::Code(0), "{name}");
}

const EXPIRES: &str = "expires=2026-11-22T22:00:00Z";

#[test]
fn exchange_is_as_recorded() {
    compare("exo-session", &format!("exo?{EXPIRES}"));
    compare("exo-declined", "declined");
    compare("exo-expired-code", "expired-code");
    compare("exo-blocked", "blocked");
    compare("exo-bad-app", "bad-app");
    compare("exo-deaf-to-interrupt", "exo?approve=5s");
    compare("exo-token-dies", &format!("token-dies?{EXPIRES}"));
}

#[test]
fn the_other_modules_are_as_recorded() {
    for (recording, scenario) in [
        ("azure-session", "azure"),
        ("azure-interrupted", "azure"),
        ("teams-session", "teams"),
        ("pnp-session", "pnp"),
        ("graph-session", "graph"),
    ] {
        compare(recording, scenario);
        compare(recording, "tenant");
    }
}

#[test]
fn powershell_is_as_recorded() {
    for name in [
        "commands-text",
        "commands-records",
        "prompts",
        "interrupts",
        "idle",
        "nested",
    ] {
        compare(name, "exo");
    }
}

/// A frame, as the machine sends it.
fn frame(nonce: u8, command: &str, mode: &str) -> Input {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(command);
    let length = encoded.len();
    Input::Line(format!("\n+{encoded}\n!{nonce:016x} {length} {mode} 2\n").into_bytes())
}

fn typed(text: &str) -> Input {
    Input::Line(text.as_bytes().to_vec())
}

/// What followed the boot.
fn after_boot(scenario: &str, inputs: Vec<Input>) -> (Ending, String) {
    let (ending, written) = play(scenario, inputs);
    let boot = "<<mm:out:boot>>\r\n<<mm:end:boot:ok::>>\r\n";
    let rest = written.strip_prefix(boot).expect("it boots").to_owned();
    (ending, rest.replace("\r\n", "\n"))
}

#[test]
fn a_frame_of_the_wrong_length_did_not_run() {
    let (_, written) = after_boot("exo", vec![typed("\n+MQ==\n!0000000000000001 5 text 2\n")]);
    assert_eq!(
        written,
        "<<mm:out:0000000000000001>>\n<<mm:end:0000000000000001:garbled::>>\n"
    );
}

#[test]
fn strays_are_ignored() {
    let strays = "\u{1b}[1;1R\nhello\n!0000000000000001 0 TEXT 2\n!000000000000000A 0 text 2\n";
    let (_, written) = after_boot("exo", vec![typed(strays), frame(2, "1", "text")]);
    assert_eq!(
        written,
        "<<mm:begin:0000000000000002>>\n1\n<<mm:out:0000000000000002>>\n<<mm:end:0000000000000002:ok::>>\n"
    );
}

#[test]
fn an_interrupt_at_the_prompt_takes_the_next_command_once() {
    let (_, written) = after_boot(
        "exo",
        vec![
            frame(1, "1", "text"),
            Input::Interrupt(Duration::from_secs(1)),
            frame(2, "2", "text"),
            frame(3, "3", "text"),
        ],
    );
    let rest = written
        .split_once("<<mm:end:0000000000000001:ok::>>\n")
        .expect("the first one ends")
        .1;
    assert_eq!(
        rest,
        "<<mm:out:0000000000000002>>\n<<mm:end:0000000000000002:unstarted::>>\n<<mm:begin:0000000000000003>>\n3\n<<mm:out:0000000000000003>>\n<<mm:end:0000000000000003:ok::>>\n"
    );
}

#[test]
fn a_late_cancel_strikes_what_comes_then() {
    let (_, written) = after_boot(
        "late-cancel",
        vec![
            frame(1, "Start-Sleep 30", "text"),
            Input::Interrupt(Duration::from_secs(1)),
            frame(2, "Start-Sleep -Milliseconds 50", "text"),
            frame(3, "Start-Sleep -Milliseconds 50", "text"),
        ],
    );
    for end in ["1:aborted::", "2:unstarted::", "3:ok::"] {
        assert!(
            written.contains(&format!("<<mm:end:000000000000000{end}>>")),
            "{end}: {written}"
        );
    }
}

#[test]
fn what_was_typed_and_not_read_is_dropped() {
    let (_, written) = after_boot(
        "exo",
        vec![
            frame(1, "Read-Host", "text"),
            typed("a\n+Zm9v\n!x"),
            frame(2, "2", "text"),
        ],
    );
    assert!(
        written.contains("<<mm:end:0000000000000002:ok::>>"),
        "{written}"
    );
    assert!(
        written.contains("<<mm:begin:0000000000000001>>\na\na\n"),
        "{written}"
    );
}

#[test]
fn a_wrong_answer_is_asked_again_and_help_is_given() {
    let (_, written) = after_boot(
        "question",
        vec![
            frame(1, "Select-Color", "text"),
            typed("x\n"),
            typed("?\n"),
            typed("blue\n"),
            frame(2, "Select-Color", "text"),
            typed("\n"),
        ],
    );
    let prompt = "[R] Red  [G] Green  [B] Blue  [?] Help (default is \"G\"): ";
    assert_eq!(
        written,
        format!(
            "<<mm:begin:0000000000000001>>\n\nColor\nWhich one?\n{prompt}x\n{prompt}?\nR - \nG - \nB - \n{prompt}bblblublue\nblue\n<<mm:out:0000000000000001>>\n<<mm:end:0000000000000001:ok::>>\n\
             <<mm:begin:0000000000000002>>\n\nColor\nWhich one?\n{prompt}\ngreen\n<<mm:out:0000000000000002>>\n<<mm:end:0000000000000002:ok::>>\n"
        )
    );
}

#[test]
fn a_credential_is_asked_for_in_two_lines_and_its_password_is_not_shown() {
    let (_, written) = after_boot(
        "exo",
        vec![
            frame(1, "Get-Credential | Select-Object UserName", "records"),
            typed("ada\n"),
            typed("pw\n"),
        ],
    );
    assert_eq!(
        written,
        "<<mm:begin:0000000000000001>>\n\nPowerShell credential request\nEnter your credentials.\nUser: aadada\nPassword for user ada: **\n\
         <<mm:o:0000000000000001>>[{\"UserName\":\"ada\"}]\n<<mm:out:0000000000000001>>\n<<mm:end:0000000000000001:ok::>>\n"
    );
}

#[test]
fn suspending_a_question_asks_it_again() {
    let (_, written) = after_boot(
        "question",
        vec![
            frame(1, "Remove-Thing x", "text"),
            typed("s\n"),
            typed("\n"),
        ],
    );
    assert_eq!(written.matches("(default is \"Y\"): ").count(), 2);
    assert!(
        written.ends_with(
            "\nremoved x\n<<mm:out:0000000000000001>>\n<<mm:end:0000000000000001:ok:0:>>\n"
        ),
        "{written}"
    );
}

#[test]
fn every_way_to_die_ends_it() {
    for (command, ending) in [
        ("exit", Ending::Code(0)),
        ("exit 7", Ending::Code(7)),
        ("[Environment]::Exit(3)", Ending::Code(3)),
        ("Stop-Stand -Code 134", Ending::Code(134)),
        ("Stop-Stand -Signal 11", Ending::Signal(11)),
        ("Stop-Stand -Midway", Ending::Signal(9)),
        ("Stop-Stand -After 50ms", Ending::Code(134)),
    ] {
        let (is, written) = after_boot(
            "crash",
            vec![frame(1, command, "text"), frame(2, "1", "text")],
        );
        assert_eq!(is, ending, "{command}");
        assert!(!written.contains("<<mm:end"), "{command}");
    }
    let (is, _) = after_boot(
        "exo?outcome=crashed",
        vec![frame(1, "Connect-ExchangeOnline -Device", "text")],
    );
    assert_eq!(is, Ending::Code(134));
}

#[test]
fn an_eaten_frame_gets_no_answer() {
    let (_, written) = after_boot(
        "eats-frames",
        vec![
            frame(1, "Start-Eater", "text"),
            frame(2, "2", "text"),
            frame(3, "3", "text"),
        ],
    );
    assert!(written.contains("<<mm:end:0000000000000001:ok::>>"));
    assert!(!written.contains("0000000000000002"));
    assert!(written.contains("<<mm:end:0000000000000003:ok::>>"));
}

#[test]
fn what_never_gets_ready_says_nothing_more() {
    let (_, written) = play("never-ready", vec![frame(1, "1", "text")]);
    assert!(!written.contains("<<mm:"), "{written}");
}

#[test]
fn a_flood_has_its_size() {
    let (_, written) = after_boot(
        "flood",
        vec![
            frame(1, "Get-Flood -Megabytes 2", "text"),
            frame(2, "Get-Flood -Objects 600", "records"),
        ],
    );
    assert!(written.len() > 2 * 1024 * 1024 - 80, "{}", written.len());
    assert_eq!(written.matches("<<mm:o:0000000000000002>>").count(), 4);
}

#[test]
fn somebody_else_signs_in() {
    let (_, written) = after_boot(
        "wrong-account?approve=50ms",
        vec![
            frame(1, "Connect-ExchangeOnline -Device", "text"),
            frame(
                2,
                "Get-ConnectionInformation | Select-Object UserPrincipalName",
                "records",
            ),
        ],
    );
    assert!(
        written.contains("[{\"UserPrincipalName\":\"mallory@fabrikam.com\"}]"),
        "{written}"
    );
}

#[test]
fn without_the_module_nothing_is_recognized() {
    let (_, written) = after_boot(
        "not-installed",
        vec![frame(1, "Connect-ExchangeOnline -Device", "text")],
    );
    assert!(
        written.contains("The term 'Connect-ExchangeOnline' is not recognized"),
        "{written}"
    );
    assert!(
        written.contains("<<mm:end:0000000000000001:failed::"),
        "{written}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_before_a_frame_are_survived(bytes in proptest::collection::vec(0u8..=255, 0..64)) {
        let (_, written) = after_boot("exo", vec![Input::Line(bytes), frame(2, "'alive'", "text")]);
        proptest::prop_assert!(
            written.ends_with("<<mm:end:0000000000000002:ok::>>\n") || written.ends_with("<<mm:end:0000000000000002:garbled::>>\n")
        );
    }

    #[test]
    fn any_command_gets_an_end(command in "\\PC{0,30}") {
        let (ending, written) = after_boot("exo", vec![frame(2, &command, "records")]);
        proptest::prop_assert!(written.contains("<<mm:end:0000000000000002:") || ending != Ending::Code(0) || command.trim_start().to_lowercase().starts_with("exit"));
    }
}
