//! What gives a secret away by its looks or by what stands before it, and what only looks like one: the documentation's own
//! examples, which stay so that demonstrations stay readable.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::kind::FindingKind;
use super::names;

/// Something that looks secret, in bytes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) range: Range<usize>,
    /// The range and what gave it away.
    pub(crate) context: Range<usize>,
    pub(crate) kind: FindingKind,
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is well formed"));
    };
}

pattern!(
    EMAIL,
    r"[\p{L}\p{N}._%+#-][\p{L}\p{N}._%+'#-]*@(?P<domain>[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,})"
);
pattern!(
    GUID,
    r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
);
pattern!(JWT, r"\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){1,4}");
// Microsoft's refresh tokens, which need no key to be known.
pattern!(
    REFRESH,
    r"\b[01]\.A[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]{10,})+"
);
pattern!(
    TENANT,
    r"(?ix)\b(?P<label>[a-z0-9][a-z0-9-]*?)(?:-my|-admin)?\.
      (?:sharepoint\.(?:com|us|cn|de) | (?:mail\.)?onmicrosoft\.(?:com|us|cn|de) | mail\.protection\.outlook\.com)"
);
// `enter the code X`, `user_code": "X"`, `Code: X`; blanks may be line breaks and padding of a narrow terminal.
pattern!(
    CODE,
    r#"(?:[Cc]ode|CODE)(?i:\s+(?:is|below))?[\s:*"'=`>]{1,200}(?P<code>[A-Z0-9]{4}-[A-Z0-9]{4}|[A-Z0-9]{8,9})\b"#
);
// Where the text is in another language, the page is what gives the code away.
pattern!(
    DEVICE_PAGE,
    r"microsoft\.com/devicelogin|login\.microsoft(?:online)?\.(?:com|us|cn)/(?:common/oauth2/)?device|aka\.ms/devicelogin"
);
pattern!(LONE_CODE, r"\b[A-Z0-9]{9}\b");
pattern!(
    TOKEN,
    r#"(?ix)(?:bearer|token|authorization|api[\ _-]?key|assertion|device_?code|code_?verifier|client_info|cookie|\bsig)
       ["']?[\s:=]{1,8}["']?(?:bearer\s+)?(?P<token>[a-z0-9._~+/!*$%-]{20,}={0,2})"#
);
const SECRET_WORD: &str = "(?:password|passwd|passphrase|pwd|secret|account[_-]?key|api[_-]?key|access[_-]?key|shared[_-]?key)";
const VALUE: &str = r#"(?:'(?P<single>(?:[^'\r\n]|'')*)'|"(?P<double>[^"\r\n]*)"|(?P<bare>[^\s'"&;,<>()|\[\]{}]+))"#;
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r#"(?i){SECRET_WORD}["']?[ \t]*[:=][ \t]*{VALUE}"#))
        .expect("the pattern is well formed")
});
static ARGUMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r#"(?i)(?:^|[\s"'(])--?[\w-]*{SECRET_WORD}[ \t]+{VALUE}"#
    ))
    .expect("the pattern is well formed")
});
static CONVERTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?i)ConvertTo-SecureString[ \t]+(?:-(?:String|AsPlainText|Force)[ \t]+){{0,3}}{VALUE}"
    ))
    .expect("the pattern is well formed")
});
// Short options that mean a password only to these programs; `-p` of others may be a path.
static PROGRAM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?i)\b(?:login|auth|az|m365|pac|docker|sqlcmd|sshpass)\b[^\r\n;|&]*?[ \t](?:-p|-cs|-pw)(?:[ \t]+|=){VALUE}"
    ))
    .expect("the pattern is well formed")
});
static TOKEN_ARGUMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r#"(?i)(?:^|[\s"'(])--?[\w-]*(?:token|assertion)(?:[ \t]+|[ \t]*[:=][ \t]*){VALUE}"#
    ))
    .expect("the pattern is well formed")
});
// `user:password` before a host (RFC 3986, section 3.2.1), as basic authentication, and as curl takes it.
pattern!(
    IN_ADDRESS,
    r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@'"]*:(?P<single>[^\s/@'"]+)@"#
);
pattern!(
    BASIC,
    r#"(?i)authorization["']?[\s:=]{1,8}["']?basic\s+(?P<single>[a-z0-9+/]{4,}={0,2})"#
);
pattern!(
    CURL_USER,
    r#"\bcurl\b[^\r\n;|&]*?[ \t](?:-u|--user)[ \t=]+["']?[^\s:"']+:(?P<single>[^\s"']+)"#
);
// RFC 7468, and OpenPGP's (RFC 9580, section 6.2). One that is cut off is a key all the same, and so is a first line alone: the
// others may stand in texts of their own.
pattern!(
    PRIVATE_KEY,
    r"(?s)-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\z)"
);
pattern!(
    KEY_BEGINS,
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
);
pattern!(
    KEY_ENDS,
    r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
);
// Keys that say what they are: Entra's client secrets, GitHub's, GitLab's, Slack's and AWS's.
pattern!(
    KNOWN_KEY,
    r"(?x)\b(?: [A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}
      | gh[pousr]_[A-Za-z0-9]{36,} | github_pat_[A-Za-z0-9_]{22,} | glpat-[A-Za-z0-9_-]{20,}
      | xox[abprs]-[A-Za-z0-9-]{10,} | (?:AKIA|ASIA)[A-Z0-9]{16} )"
);
pattern!(
    SECRET_KEY,
    r"(?ix)(?:password|passwd|passphrase|pwd|secret|secret_?text|token|(?:api|access|account|shared|private)_?key|assertion
      |authorization|device_?code|code_?verifier|cookie)$"
);
pattern!(CODE_KEY, r"(?i)user_?code$");

/// What looks secret in `text`: names of ours and the documentation's examples included, in no order.
pub(crate) fn scan(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    // Most texts are short strings of records: a pattern that cannot fit into one is not tried.
    let length = text.len();
    let mut plain = |shortest: usize, pattern: &Regex, kind| {
        if length < shortest {
            return;
        }
        hits.extend(pattern.find_iter(text).map(|found| Hit {
            range: found.range(),
            context: found.range(),
            kind,
        }));
    };
    plain(
        if text.contains('@') { 6 } else { usize::MAX },
        &EMAIL,
        FindingKind::Email,
    );
    plain(36, &GUID, FindingKind::Guid);
    plain(14, &JWT, FindingKind::Token);
    plain(30, &REFRESH, FindingKind::Token);
    plain(20, &KNOWN_KEY, FindingKind::Token);
    plain(
        if text.contains("PRIVATE KEY") {
            27
        } else {
            usize::MAX
        },
        &PRIVATE_KEY,
        FindingKind::Password,
    );
    let mut grouped =
        |shortest: usize, pattern: &Regex, groups: &[&str], kind, keep: fn(&str) -> bool| {
            if length < shortest {
                return;
            }
            for found in pattern.captures_iter(text) {
                let whole = found.get(0).expect("a match has a range");
                let value = groups.iter().find_map(|group| found.name(group));
                if let Some(value) = value.filter(|value| keep(value.as_str())) {
                    hits.push(Hit {
                        range: value.range(),
                        context: whole.range(),
                        kind,
                    });
                }
            }
        };
    grouped(15, &TENANT, &["label"], FindingKind::Tenant, |_| true);
    grouped(13, &CODE, &["code"], FindingKind::UserCode, is_code);
    grouped(24, &TOKEN, &["token"], FindingKind::Token, is_token);
    for (shortest, pattern) in [
        (5, &ASSIGNED),
        (6, &ARGUMENT),
        (24, &CONVERTED),
        (8, &PROGRAM),
        (8, &TOKEN_ARGUMENT),
    ] {
        let kind = FindingKind::Password;
        grouped(shortest, pattern, &["single"], kind, |value| {
            !value.is_empty()
        });
        grouped(shortest, pattern, &["double", "bare"], kind, is_password);
    }
    for (shortest, pattern) in [(8, &IN_ADDRESS), (20, &BASIC), (10, &CURL_USER)] {
        grouped(
            shortest,
            pattern,
            &["single"],
            FindingKind::Password,
            is_password,
        );
    }
    if length < 20 {
        return hits;
    }
    for page in DEVICE_PAGE.find_iter(text) {
        let near = |at: usize| {
            (0..=at)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0)
        };
        let from = near(page.start().saturating_sub(200));
        let to = near((page.end() + 200).min(text.len()));
        let codes = LONE_CODE.find_iter(&text[from..to]);
        for code in codes.filter(|code| is_code(code.as_str()) && code.as_str() != "MICROSOFT") {
            let range = from + code.start()..from + code.end();
            hits.push(Hit {
                context: range.start.min(page.start())..range.end.max(page.end()),
                range,
                kind: FindingKind::UserCode,
            });
        }
    }
    hits
}

/// What the value of a JSON key is, by the key's name.
pub(crate) fn by_key(key: &str, value: &str) -> Option<FindingKind> {
    if CODE_KEY.is_match(key) {
        (matches!(value.len(), 8 | 9) && is_code(value)).then_some(FindingKind::UserCode)
    } else if SECRET_KEY.is_match(key) && !value.trim().is_empty() {
        let token = value.len() >= 20 && !value.contains(char::is_whitespace);
        Some(if token {
            FindingKind::Token
        } else {
            FindingKind::Password
        })
    } else {
        None
    }
}

/// Whether a private key is open after `text`: it begins there and does not end, or it was open before and did not end.
pub(crate) fn key_is_open(text: &str, before: bool) -> bool {
    if !text.contains("PRIVATE KEY") {
        return before;
    }
    let last = |pattern: &Regex| pattern.find_iter(text).last().map(|found| found.start());
    match (last(&KEY_BEGINS), last(&KEY_ENDS)) {
        (None, None) => before,
        (begins, ends) => begins > ends,
    }
}

/// Whether `text` may be a line of a private key.
pub(crate) fn is_key_line(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && (text.bytes().all(super::encoded::is_base64) || KEY_ENDS.is_match(text))
}

/// Whether `text` is a JWT, as far as its looks go.
pub(crate) fn is_jwt(text: &str) -> bool {
    JWT.find(text)
        .is_some_and(|found| found.range() == (0..text.len()))
}

/// Whether a secret that was given away by what stood before it is long and odd enough to be looked for everywhere.
pub(crate) fn is_distinct(kind: FindingKind, text: &str) -> bool {
    match kind {
        FindingKind::UserCode | FindingKind::Token => true,
        FindingKind::Password => {
            text.len() >= 8
                && text.chars().any(|c| !c.is_alphabetic())
                && text.chars().any(char::is_alphabetic)
        }
        _ => false,
    }
}

/// Whether it is an example of the documentation's, or already a name: both say nothing about anyone.
pub(crate) fn is_harmless(kind: FindingKind, text: &str) -> bool {
    names::is_name(text)
        || match kind {
            FindingKind::Guid => is_example_guid(text),
            FindingKind::Email => text.rsplit_once('@').is_some_and(|(user, domain)| {
                // A guest's name holds the address that the guest has at home.
                is_example_domain(domain) && !user.contains("#EXT#")
            }),
            FindingKind::Tenant => is_example_label(text),
            _ => false,
        }
}

/// Whether a domain is one that documentation uses (RFC 2606, and Microsoft's style guide).
pub(crate) fn is_example_domain(domain: &str) -> bool {
    let domain = domain.to_lowercase();
    let reserved = [
        "example.com",
        "example.org",
        "example.net",
        "contoso.com",
        "fabrikam.com",
        "adatum.com",
    ];
    let below = |name: &str| {
        domain
            .strip_suffix(name)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let hosted = [".onmicrosoft.com", ".sharepoint.com"];
    reserved.into_iter().any(below)
        || hosted
            .iter()
            .any(|host| domain.strip_suffix(host).is_some_and(is_example_label))
}

/// Whether a tenant's label is one that documentation uses.
pub(crate) fn is_example_label(label: &str) -> bool {
    let label = label.to_lowercase();
    names::is_name(&label)
        || ["contoso", "fabrikam", "adatum"]
            .iter()
            .any(|name| label.starts_with(name))
        || label == "example"
}

/// Whether a GUID is one that documentation uses: `aaaabbbb-0000-cccc-1111-dddd2222eeee`, each digit four times.
pub(crate) fn is_example_guid(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let (groups, rest) = digits.as_chunks::<4>();
    rest.is_empty()
        && groups.len() == 8
        && groups
            .iter()
            .all(|group| group.iter().all(|digit| *digit == group[0]))
}

/// A number is no code: `code 80070005` is an error's.
fn is_code(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_token(text: &str) -> bool {
    let odd = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    odd || text.len() >= 40
}

/// A variable, an option or a word that says that there is none is no password.
fn is_password(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    !text.is_empty()
        && !text.starts_with(['$', '-', '@'])
        && !matches!(
            word.as_str(),
            "true" | "false" | "null" | "none" | "yes" | "no"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(FindingKind, &str)> {
        let mut hits = scan(text);
        hits.retain(|hit| !is_harmless(hit.kind, &text[hit.range.clone()]));
        hits.sort_by_key(|hit| hit.range.start);
        hits.dedup_by(|one, other| one.range == other.range && one.kind == other.kind);
        hits.into_iter()
            .map(|hit| (hit.kind, &text[hit.range]))
            .collect()
    }

    #[test]
    fn codes_are_known_by_what_stands_around_them() {
        for text in [
            "open the page https://microsoft.com/devicelogin and enter the code B6WB2UHX4 to authenticate.",
            "page \u{a0}  \r\n https://login.microsoft.com/device and enter the code      \r\n B6WB2UHX4 to",
            "Melden Sie sich auf https://microsoft.com/devicelogin mit B6WB2UHX4 an.",
            "**DEVICE CODE: B6WB2UHX4**",
            "{\"user_code\": \"B6WB2UHX4\"}",
            "Code B6WB2UHX4 has been copied to your clipboard",
        ] {
            assert_eq!(
                found(text),
                [(FindingKind::UserCode, "B6WB2UHX4")],
                "{text}"
            );
        }
        for text in [
            "error code 80070005 from the server",
            "exit code: 0",
            "device code flow is BLOCKED",
            "enter the code CODE00001 to authenticate",
            "Microsoft.PowerShell.Commands.WriteErrorException",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn passwords_are_known_by_their_key() {
        for (text, password) in [
            ("Connect -Password hunter2 -Force", "hunter2"),
            ("az login --password 'it''s' -u x", "it''s"),
            ("Server=x;Password=hunter2;Encrypt=true", "hunter2"),
            ("{\"client_secret\": \"abc\"}", "abc"),
            ("ConvertTo-SecureString 'P@ss' -AsPlainText", "P@ss"),
            ("ConvertTo-SecureString -AsPlainText -Force 'P@ss'", "P@ss"),
            ("az login -u ada -p hunter2", "hunter2"),
            ("auth create -cs hunter2 --name x", "hunter2"),
            ("Connect-PnPOnline -AccessToken abc1234", "abc1234"),
            ("git clone https://ada:hunter2@host/x", "hunter2"),
            ("Authorization: Basic YWRhOng=", "YWRhOng="),
            ("curl -s -u ada:hunter2 https://x", "hunter2"),
        ] {
            assert!(
                found(text).contains(&(FindingKind::Password, password)),
                "{text}: {:?}",
                found(text)
            );
        }
        for text in [
            "Connect -Password $secret -Force",
            "Get-AzKeyVaultSecret -Name x",
            "Read-Host \"Secret\" -AsSecureString",
            "Secret: ",
            "password=********",
            "-PasswordNeverExpires $true",
            "Get-ChildItem -p C:/x",
            "https://login.microsoftonline.com:443/x",
            "Connect-PnPOnline -AccessToken $token",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn examples_of_the_documentation_are_harmless() {
        let text = "ada@contoso.com aaaabbbb-0000-cccc-1111-dddd2222eeee contoso-my.sharepoint.com \
                    contoso.onmicrosoft.com x@example.org 11111111-2222-3333-4444-555555555555";
        assert_eq!(found(text), []);
        // A quote before it is the text's, one inside is the name's.
        for text in ["eve@woodgrove.net", "o'brien@woodgrove.net"] {
            assert_eq!(
                found(&format!("select '{text}'")),
                [(FindingKind::Email, text)]
            );
        }
        let text = "bob_woodgrove.net#EXT#@contoso.onmicrosoft.com";
        assert_eq!(found(text), [(FindingKind::Email, text)]);
    }

    #[test]
    fn tenants_and_tokens_are_known_by_their_looks() {
        assert_eq!(
            found("https://woodgrove-my.sharepoint.com"),
            [(FindingKind::Tenant, "woodgrove")]
        );
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
        assert_eq!(found(jwt), [(FindingKind::Token, jwt)]);
        let token = "q1w2e3r4t5y6u7i8o9p0a1";
        assert_eq!(
            found(&format!("refresh_token={token}&x")),
            [(FindingKind::Token, token)]
        );
    }
}
