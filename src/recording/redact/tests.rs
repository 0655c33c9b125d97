//! The redactor on whole recordings: every kind of secret, in every encoding, at every split.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use regex::Regex;

use super::finding::Finding;
use super::*;
use crate::recording::event::{Event, EventKind, Header, Recording};
use crate::redact::FindingKind;
use crate::secret::Secret;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn event(kind: EventKind, data: &str) -> Event {
    Event {
        at: Duration::ZERO,
        kind,
        data: data.to_owned(),
    }
}

fn recording(events: Vec<Event>) -> Recording {
    let header = Header {
        width: 240,
        height: 50,
        ..Header::default()
    };
    Recording { header, events }
}

fn frame(command: &str, nonce: &str) -> String {
    let base64 = STANDARD.encode(command);
    let lines: String = base64
        .as_bytes()
        .chunks(60)
        .fold(String::new(), |lines, line| {
            lines + "+" + std::str::from_utf8(line).expect("base64 is ASCII") + "\n"
        });
    format!("\n{lines}!{nonce} {} text 2\n", base64.len())
}

/// A frame of a shell that takes octal, with lines of so many characters.
fn octal_frame(command: &str, nonce: &str, length: usize) -> String {
    let octal: String = command
        .bytes()
        .map(|byte| match byte {
            b' ' | b'-' | b'.' | b'/' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("\\0{byte:03o}"),
        })
        .collect();
    let lines: String = octal
        .as_bytes()
        .chunks(length)
        .fold(String::new(), |lines, line| {
            lines + "+" + std::str::from_utf8(line).expect("octal is ASCII") + "\n"
        });
    format!("\n{lines}!{nonce} {} text 2\n", octal.len())
}

#[test]
fn a_secret_that_is_split_over_the_lines_of_an_octal_frame_leaves_it() {
    let command = "az login -u 'ada' --password 'hunter2 x'; id";
    for length in 1..=60 {
        let frame = octal_frame(command, "0a0b", length);
        let events = vec![event(EventKind::Input, &frame)];
        let redacted = Redactor::new([], []).recording(&recording(events));
        let said = said(&redacted, &EventKind::Input);
        let (lines, close) = said.rsplit_once('!').expect("it is closed");
        let octal: String = lines
            .lines()
            .filter_map(|line| line.strip_prefix('+'))
            .collect();
        let text = crate::redact::encoded::octal_text(&octal).expect("it is text");
        assert_eq!(
            text, "az login -u 'ada' --password '********'; id",
            "{length}"
        );
        assert_eq!(close, format!("0a0b {} text 2\n", octal.len()), "{length}");
    }
    for word in ["id", "date", "ls -l /tmp"] {
        let events = vec![event(EventKind::Input, &octal_frame(word, "0a0b", 60))];
        let before = recording(events);
        let redacted = Redactor::new([], []).recording(&before);
        assert_eq!(
            said(&redacted, &EventKind::Input),
            said(&before, &EventKind::Input)
        );
    }
}

fn report(json: &str, nonce: &str) -> String {
    format!(
        "<<mm:out:{nonce}>>\r\n<<mm:end:{nonce}:failed:1:{}>>\r\n",
        STANDARD.encode(json)
    )
}

fn said(recording: &Recording, kind: &EventKind) -> String {
    let events = recording.events.iter().filter(|event| event.kind == *kind);
    events.map(|event| event.data.as_str()).collect()
}

/// Everything a curious reader could get out of a recording: its text, its texts without escapes and blanks, and what any
/// base64 in them says, lines of a frame put together.
fn readable(recording: &Recording) -> Vec<String> {
    let mut texts = vec![recording.to_text()];
    for kind in [EventKind::Output, EventKind::Input] {
        texts.push(said(recording, &kind));
    }
    let base64 = Regex::new(r"[A-Za-z0-9+/_-]{4,}").expect("it is a pattern");
    let mut at = 0;
    while at < texts.len() && texts.len() < 10_000 {
        let text = texts[at].clone();
        let joined = text.replace("\n+", "");
        for run in base64.find_iter(&text).chain(base64.find_iter(&joined)) {
            for skip in 0..4.min(run.len()) {
                let run = run.as_str()[skip..].replace('-', "+").replace('_', "/");
                let run = &run[..run.len() - usize::from(run.len() % 4 == 1)];
                if let Ok(bytes) = LENIENT.decode(run) {
                    let text = String::from_utf8_lossy(&bytes).replace('\0', "");
                    if text.len() >= 4 && !texts.contains(&text) && at < 100 {
                        texts.push(text);
                    }
                }
            }
        }
        at += 1;
    }
    texts
}

fn markers(recording: &Recording) -> Vec<String> {
    let marker = Regex::new(r"<<mm:(?:begin|out|end|[a-z]):[0-9a-f]+(?::[a-z]+:-?[0-9]*)?")
        .expect("it is a pattern");
    let output = said(recording, &EventKind::Output);
    marker
        .find_iter(&output)
        .map(|found| found.as_str().to_owned())
        .collect()
}

fn assert_frames_are_whole(recording: &Recording) {
    let input = said(recording, &EventKind::Input);
    for segment in segments::input(&input) {
        if let segments::Segment::Frame {
            pieces,
            length: Some(length),
        } = segment
        {
            let base64: String = pieces.into_iter().map(|piece| &input[piece]).collect();
            assert_eq!(input[length].parse(), Ok(base64.len()));
            assert!(STANDARD.decode(base64).is_ok());
        }
    }
}

fn redacted(recording: &Recording) -> Recording {
    Redactor::new([], []).recording(recording)
}

#[test]
fn a_code_leaves_output_and_what_is_said_about_it_later() {
    let original = recording(vec![
        event(EventKind::Output, "and enter the code \u{1b}[4mB6WB"),
        event(EventKind::Output, "2UHX4\u{1b}[0m to authenticate.\r\n"),
        event(EventKind::Input, &frame("'B6WB2UHX4'", "0a0a0a0a0a0a0a0a")),
    ]);
    let redacted = redacted(&original);
    assert_eq!(redacted.events[0].data, "and enter the code \u{1b}[4mCODE");
    assert_eq!(
        redacted.events[1].data,
        "00001\u{1b}[0m to authenticate.\r\n"
    );
    assert_eq!(
        redacted.events[2].data,
        frame("'CODE00001'", "0a0a0a0a0a0a0a0a")
    );
}

#[test]
fn a_frame_s_length_follows_its_command() {
    let original = recording(vec![event(
        EventKind::Input,
        &frame(
            "Get-Mailbox ada@woodgrove-bank.example.edu -Verbose",
            "0a0a0a0a0a0a0a0a",
        ),
    )]);
    let redacted = redacted(&original);
    assert_eq!(
        said(&redacted, &EventKind::Input)
            .replace("\n+", "")
            .replace('+', ""),
        frame("Get-Mailbox user1@example.com -Verbose", "0a0a0a0a0a0a0a0a").replace("\n+", "")
    );
    assert_frames_are_whole(&redacted);
}

#[test]
fn a_garbled_frame_stays_garbled() {
    let base64 = STANDARD.encode("Get-Mailbox ada@woodgrove.net");
    let input = format!(
        "\n+{base64}\n!0a0a0a0a0a0a0a0a {} text 2\n",
        base64.len() + 4
    );
    let redacted_one = redacted(&recording(vec![event(EventKind::Input, &input)]));
    let expected = STANDARD.encode("Get-Mailbox user1@example.com");
    let expected = format!(
        "\n+{expected}\n!0a0a0a0a0a0a0a0a {} text 2\n",
        expected.len() + 4
    );
    assert_eq!(redacted_one.events[0].data, expected);
    let input = "\n+AAECwygAAQLDKA==\n!0a0a0a0a0a0a0a0a 16 text 2\n";
    let redacted_one = redacted(&recording(vec![event(EventKind::Input, input)]));
    assert_eq!(
        redacted_one.events[0].data,
        input.replace("AAECwygAAQLDKA==", "AAAAAAAAAAAAAAAA")
    );
}

#[test]
fn records_and_reports_stay_json() {
    let json = r#"[{"Upn":"ada@woodgrove.net","TenantId":"0f0e1d2c-1111-4222-8333-444455556666","access_token":"q1w2e3r4t5y6u7i8o9p0q1w2","Password":"a\"b","Count":1.0}]"#;
    let output = format!(
        "<<mm:o:0a0a0a0a0a0a0a0a>>{json}\r\n{}",
        report(json, "0a0a0a0a0a0a0a0a")
    );
    let redacted = redacted(&recording(vec![event(EventKind::Output, &output)]));
    let expected = r#"[{"Upn":"user1@example.com","TenantId":"00000000-0000-0000-0000-000000000001","access_token":"redacted-token-1","Password":"********","Count":1.0}]"#;
    let expected = format!(
        "<<mm:o:0a0a0a0a0a0a0a0a>>{expected}\r\n{}",
        report(expected, "0a0a0a0a0a0a0a0a")
    );
    assert_eq!(redacted.events[0].data, expected);
}

#[test]
fn what_is_known_of_a_connection_leaves_and_examples_stay() {
    let text = "acme-industries.de ACME-Industries.de/x acmeind-my.sharepoint.com acmeind x-acmeind acmeindex \
                0f0e1d2c111142228333444455556666 contoso.com ada@contoso.com\r\n";
    let known = [
        Known::Domain("acme-industries.de".to_owned()),
        Known::Host("acmeind".to_owned()),
        Known::Guid("0f0e1d2c-1111-4222-8333-444455556666".to_owned()),
        Known::Domain("contoso.com".to_owned()),
        Known::Email("ada@contoso.com".to_owned()),
    ];
    let redacted =
        Redactor::new(known, []).recording(&recording(vec![event(EventKind::Output, text)]));
    assert_eq!(
        redacted.events[0].data,
        "tenant1.example.com tenant1.example.com/x tenant2-my.sharepoint.com tenant2 x-tenant2 acmeindex \
         00000000000000000000000000000001 contoso.com ada@contoso.com\r\n"
    );
}

#[test]
fn a_header_and_markers_are_redacted_too() {
    let mut original = recording(vec![event(
        EventKind::Marker,
        "sign in as ada@woodgrove.net",
    )]);
    original.header.title = Some("ada@woodgrove.net".to_owned());
    original.header.env = vec![("TOKEN".to_owned(), "hunter2hunter2".to_owned())];
    original
        .header
        .other
        .insert("note".to_owned(), "bob@woodgrove.net".into());
    let secret = Secret::new("hunter2hunter2".to_owned());
    let redacted = Redactor::new([], [secret]).recording(&original);
    assert_eq!(redacted.header.title.as_deref(), Some("user1@example.com"));
    assert_eq!(redacted.header.env[0].1, "********");
    assert_eq!(redacted.header.other["note"], "user2@example.com");
    assert_eq!(redacted.events[0].data, "sign in as user1@example.com");
}

#[test]
fn a_secret_in_base64_that_is_no_text_leaves_it_base64() {
    let secret = "hunter2hunter2hunter2";
    let bytes = [
        &[0xff, 0xfe, 0x01, 0x80][..],
        secret.as_bytes(),
        &[0xff, 0xc0],
    ]
    .concat();
    let original = recording(vec![event(EventKind::Output, &STANDARD.encode(&bytes))]);
    let redacted = Redactor::new([], [Secret::new(secret.to_owned())]).recording(&original);
    let decoded = STANDARD
        .decode(&redacted.events[0].data)
        .expect("it is still base64");
    assert_eq!(decoded.len(), bytes.len());
    assert!(!String::from_utf8_lossy(&decoded).contains("unter"));
}

#[test]
fn a_named_secret_after_a_broken_sequence_leaves_too() {
    let original = recording(vec![event(EventKind::Output, "\u{1b}hunter2hunter2\r\n")]);
    let secret = Secret::new("hunter2hunter2".to_owned());
    let redacted = Redactor::new([], [secret]).recording(&original);
    assert_eq!(redacted.events[0].data, "\u{1b}********\r\n");
}

#[test]
fn what_looks_secret_is_found_with_its_event_and_nothing_is_once_redacted() {
    let original = recording(vec![
        event(EventKind::Output, "ada@woodg"),
        event(
            EventKind::Input,
            &frame("Connect -Password 'x1'", "0a0a0a0a0a0a0a0a"),
        ),
        event(EventKind::Output, "rove.net\r\n"),
        event(EventKind::Output, "nothing, ada@contoso.com\r\n"),
    ]);
    let findings = looks_secret(&original);
    let expected = [(0, FindingKind::Email), (1, FindingKind::Password)];
    assert_eq!(
        findings,
        expected.map(|(event, kind)| Finding {
            event: Some(event),
            kind
        })
    );
    assert_eq!(looks_secret(&redacted(&original)), []);
}

#[test]
fn a_secret_across_the_pieces_of_another_shells_frame_leaves_too() {
    // The password lies on both sides of the border after 3,000 characters of base64, which are 2,250 bytes.
    let command = format!("select '{}', password='hunter2hunter2';", "x".repeat(2222));
    assert!(command[..2250].ends_with("hunter2"), "it has to be split");
    let mut typed = "\n.output .mm/frame\n".to_owned();
    for piece in STANDARD.encode(&command).as_bytes().chunks(3000) {
        typed += ".print ";
        typed += std::str::from_utf8(piece).expect("base64 is ASCII");
        typed += "\n";
    }
    typed += ".output\n.shell sh .mm/take 0a0a0a0a0a0a0a0a 3048\n";
    let original = recording(vec![event(EventKind::Input, &typed)]);
    assert_eq!(looks_secret(&original).len(), 1);
    let redacted = redacted(&original);
    let encoded: String = redacted.events[0]
        .data
        .lines()
        .filter_map(|line| line.strip_prefix(".print "))
        .collect();
    let said = STANDARD.decode(encoded).expect("it is still base64");
    let said = String::from_utf8(said).expect("it is still text");
    assert!(!said.contains("hunter2"), "{said}");
    assert!(said.ends_with("password='********';"), "{said}");
}

#[test]
fn a_private_key_leaves_line_by_line_too() {
    let lines = [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz",
        "AAAEBq3",
        "-----END OPENSSH PRIVATE KEY-----",
    ];
    let record = |line: &&str| {
        let text = format!("<<mm:o:0a>>[{{\"Line\":\"{line}\",\"Read\":\"yes\"}}]\r\n");
        event(EventKind::Output, &text)
    };
    let original = recording(lines.iter().map(record).collect());
    assert!(!looks_secret(&original).is_empty());
    let redacted = redacted(&original);
    let said: String = redacted.events.iter().map(|one| &*one.data).collect();
    for line in lines {
        assert!(!said.contains(line), "{said}");
    }
    assert_eq!(said.matches("\"Line\"").count(), 4, "{said}");
    assert_eq!(looks_secret(&redacted), []);
    // A first line alone is one too, and OpenPGP's are others.
    for begins in [
        "-----BEGIN EC PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    ] {
        let alone = recording(vec![event(EventKind::Output, begins)]);
        assert_eq!(looks_secret(&alone).len(), 1, "{begins}");
    }
}

/// Secrets of every kind, made up anew for each case.
#[derive(Debug, Clone)]
struct Planted {
    code: String,
    guid: String,
    email: String,
    domain: String,
    host: String,
    jwt: String,
    token: String,
    password: String,
    named: String,
}

impl Planted {
    fn all(&self) -> [&str; 9] {
        [
            &self.code,
            &self.guid,
            &self.email,
            &self.domain,
            &self.host,
            &self.jwt,
            &self.token,
            &self.password,
            &self.named,
        ]
    }
}

prop_compose! {
    fn planted()(
        code in "[A-Z][0-9][A-Z0-9]{7}",
        guid in "[0-9a-f]{7}1-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{11}7",
        user in "[a-z][a-z.]{2,8}[a-z]",
        domain in "q[a-z]{5,9}[0-9]\\.(de|co\\.uk|net)",
        host in "q[a-z]{5,9}[0-9]z",
        payload in "[ -~]{20,60}",
        token in "[A-Za-z0-9_-]{30}9[A-Za-z]{12}",
        password in "[a-z]{6}[0-9][A-Za-z0-9]{3}",
        named in "[!-~]{1}[ -~]{10,18}[0-9]{4}",
    ) -> Planted {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Planted {
            jwt: format!("{}.{}.{}", part("{\"alg\":\"RS256\"}"), part(&payload), part(&token)),
            email: format!("{user}@q{domain}"),
            code, guid, domain, host, token, password, named,
        }
    }
}

/// A session that says all of them, in every place.
fn session(p: &Planted) -> (String, String) {
    let json = |text: &str| serde_json::to_string(text).expect("text can be JSON");
    let command = format!(
        "Connect -Tenant {} -ClientId {} -Password '{}' -Url https://{}-admin.sharepoint.com; # {} {}",
        p.domain, p.guid, p.password, p.host, p.email, p.named
    );
    let wide: Vec<u8> = p.named.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let output = format!(
        "\u{1b}[6n<<mm:begin:{n}>>\r\nTo sign in, open https://microsoft.com/devicelogin and enter the code {code} to authenticate.\r\n\
         {email} {domain}\t{guid} Bearer {jwt}\r\nrefresh_token: {token}\r\n{named}\r\n\
         base64 {b64} {b64named} {b64wide}\r\n\
         <<mm:o:{n}>>[{{\"Upn\":{jemail},\"user_code\":\"{code}\",\"x\":{jnamed},\"Password\":{jpassword}}}]\r\n\
         <<mm:w:{n}>>{jtext}\r\n{report}",
        n = "0123456789abcdef",
        code = p.code,
        email = p.email,
        domain = p.domain,
        guid = p.guid,
        jwt = p.jwt,
        token = p.token,
        named = p.named,
        b64 = STANDARD.encode(format!("x={}&email={}&", p.guid, p.email)),
        b64named = STANDARD.encode(&p.named),
        b64wide = STANDARD.encode(wide),
        jemail = json(&p.email),
        jnamed = json(&p.named),
        jpassword = json(&p.password),
        jtext = json(&format!("{} at {}", p.token, p.host)),
        report = report(
            &format!(
                "[{{\"message\":{},\"id\":{}}}]",
                json(&command),
                json(&p.jwt)
            ),
            "0123456789abcdef"
        ),
    );
    (frame(&command, "0123456789abcdef"), output)
}

/// `text` in pieces that end at `cuts`, as far as characters allow.
fn split(text: &str, cuts: &BTreeSet<usize>, kind: &EventKind) -> Vec<Event> {
    let mut events = Vec::new();
    let mut from = 0;
    for cut in cuts
        .iter()
        .map(|cut| text.floor_char_boundary(*cut))
        .chain([text.len()])
    {
        if cut > from {
            events.push(event(kind.clone(), &text[from..cut]));
            from = cut;
        }
    }
    events
}

fn interleaved(input: Vec<Event>, output: Vec<Event>) -> Vec<Event> {
    let (mut input, mut output) = (input.into_iter(), output.into_iter());
    let mut events = Vec::new();
    loop {
        let (one, other) = (input.next(), output.next());
        if one.is_none() && other.is_none() {
            return events;
        }
        events.extend(one);
        events.extend(other);
    }
}

/// The recording of a session with everything planted, cut anywhere, and a redactor that knows what a daemon would know.
pub(in crate::recording) fn case() -> impl Strategy<Value = (Vec<String>, Recording, Redactor)> {
    let cuts = || prop::collection::btree_set(0_usize..3000, 0..60);
    (planted(), cuts(), cuts()).prop_map(|(planted, input_cuts, output_cuts)| {
        let (input, output) = session(&planted);
        let events = interleaved(
            split(&input, &input_cuts, &EventKind::Input),
            split(&output, &output_cuts, &EventKind::Output),
        );
        let known = [
            Known::Domain(planted.domain.clone()),
            Known::Host(planted.host.clone()),
        ];
        let redactor = Redactor::new(known, [Secret::new(planted.named.clone())]);
        let all = planted
            .all()
            .into_iter()
            .map(|secret| secret.trim().to_owned())
            .collect();
        (all, recording(events), redactor)
    })
}

pub(in crate::recording) fn assert_clean(secrets: &[String], recording: &Recording) {
    for text in readable(recording) {
        for secret in secrets {
            assert!(!text.contains(secret.as_str()), "{secret:?} is in {text:?}");
        }
    }
}

#[test]
fn the_reader_of_these_tests_finds_what_is_planted() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tree = case().new_tree(&mut runner).expect("a case can be made");
    let (secrets, original, _) = tree.current();
    let texts = readable(&original);
    for secret in secrets {
        assert!(texts.iter().any(|text| text.contains(&secret)), "{secret}");
    }
    let base64 = recording(vec![event(
        EventKind::Output,
        &STANDARD.encode("my hunter2"),
    )]);
    assert!(
        readable(&base64)
            .iter()
            .any(|text| text.contains("hunter2"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_planted_is_left_however_it_is_split((secrets, original, mut redactor) in case()) {
        let redacted = redactor.recording(&original);
        assert_clean(&secrets, &redacted);
        prop_assert_eq!(looks_secret(&redacted), []);
        prop_assert_eq!(redacted.events.len(), original.events.len());
        prop_assert_eq!(markers(&redacted), markers(&original));
        assert_frames_are_whole(&redacted);
    }

    #[test]
    fn redacting_twice_changes_nothing((_, original, mut redactor) in case()) {
        let once = redactor.recording(&original);
        prop_assert_eq!(&Redactor::new([], []).recording(&once), &once);
        prop_assert_eq!(redactor.recording(&once), once);
    }

    #[test]
    fn any_text_is_redacted_without_losing_its_events(
        texts in prop::collection::vec(("[oim]", "(\\PC|[\r\n\u{1b}\u{3}\"=+!]|<<mm:(end|o|begin):|password|@a\\.bc){0,30}"), 0..20)
    ) {
        let events = texts.iter().map(|(code, data)| event(EventKind::of(code), data)).collect();
        let original = recording(events);
        let once = redacted(&original);
        prop_assert_eq!(once.events.len(), original.events.len());
        prop_assert_eq!(&redacted(&once), &once);
    }
}
