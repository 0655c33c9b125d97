//! [`Names`]: what stands for what was taken out. The same text gets the same name for as long as the redactor lives, and a
//! name is never taken for a secret, so that redacting twice changes nothing.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

/// What stands for a secret that must not even be recognised again.
pub(crate) const MASK: &str = "********";

/// The header and payload that every JWT of ours begins with: `{"alg":"none"}`.
const JWT_HEADER: &str = "eyJhbGciOiJub25lIn0";

static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?:
            \*+
            | CODE(?P<code>[0-9]{4,5}) | CODE-(?P<dashed>[0-9]{4})
            | 00000000-0000-0000-0000-(?P<guid>[0-9]{12}) | 0{20}(?P<bare>[0-9]{12})
            | user(?P<user>[0-9]+)@example\.com
            | tenant(?P<tenant>[0-9]+)(?:\.example\.com)?
            | redacted-token-(?P<token>[0-9]+)
            | eyJhbGciOiJub25lIn0\.[A-Za-z0-9_-]{1,40}\.
        )$",
    )
    .expect("the pattern is well formed")
});

/// Whether `text` is a name that stands for something taken out.
pub(crate) fn is_name(text: &str) -> bool {
    NAME.is_match(text)
}

/// The families of names; each counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family {
    Code,
    Guid,
    User,
    Tenant,
    Token,
    Jwt,
}

/// The names given so far. Holds what they stand for, so it never leaves the process.
#[derive(Default)]
pub(crate) struct Names {
    given: HashMap<(Family, String), usize>,
    counts: HashMap<Family, usize>,
}

impl Names {
    fn number(&mut self, family: Family, text: String) -> usize {
        let count = self.counts.entry(family).or_default();
        *self.given.entry((family, text)).or_insert_with(|| {
            *count += 1;
            *count
        })
    }

    /// Keeps the number of a name that a recording came with from being given again.
    pub(crate) fn reserve(&mut self, name: &str) {
        let Some(found) = NAME.captures(name) else {
            return;
        };
        for (group, family) in [
            ("code", Family::Code),
            ("dashed", Family::Code),
            ("guid", Family::Guid),
            ("bare", Family::Guid),
            ("user", Family::User),
            ("tenant", Family::Tenant),
            ("token", Family::Token),
        ] {
            let number = found
                .name(group)
                .and_then(|digits| digits.as_str().parse::<usize>().ok());
            // A number beyond what is ever given needs no keeping.
            if let Some(number) = number.filter(|number| *number < 1_000_000) {
                let count = self.counts.entry(family).or_default();
                *count = (*count).max(number);
            }
        }
    }

    /// A user code of the same length and shape.
    pub(crate) fn code(&mut self, text: &str) -> String {
        let number = self.number(Family::Code, text.to_owned());
        match text.len() {
            8 => format!("CODE{:04}", number % 10_000),
            9 if text.contains('-') => format!("CODE-{:04}", number % 10_000),
            _ => format!("CODE{:05}", number % 100_000),
        }
    }

    /// A GUID, with or without its dashes as `text` is.
    pub(crate) fn guid(&mut self, text: &str) -> String {
        let digits = text.replace('-', "").to_ascii_lowercase();
        let number = self.number(Family::Guid, digits);
        if text.contains('-') {
            format!("00000000-0000-0000-0000-{number:012}")
        } else {
            format!("{number:032}")
        }
    }

    /// An e-mail address.
    pub(crate) fn email(&mut self, text: &str) -> String {
        format!(
            "user{}@example.com",
            self.number(Family::User, text.to_lowercase())
        )
    }

    /// The first label of a tenant's domains.
    pub(crate) fn tenant(&mut self, label: &str) -> String {
        format!(
            "tenant{}",
            self.number(Family::Tenant, label.to_lowercase())
        )
    }

    /// A token, too short to be one.
    pub(crate) fn token(&mut self, text: &str) -> String {
        format!(
            "redacted-token-{}",
            self.number(Family::Token, text.to_owned())
        )
    }

    /// An unsigned JWT that says nothing but its number.
    pub(crate) fn jwt(&mut self, text: &str) -> String {
        use base64::Engine as _;
        let number = self.number(Family::Jwt, text.to_owned());
        let payload =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{{\"n\":{number}}}"));
        format!("{JWT_HEADER}.{payload}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_as_one() {
        let mut names = Names::default();
        let given = [
            names.code("C4NTS7K9Q"),
            names.code("C4NTS7K9"),
            names.code("C4NT-S7K9"),
            names.guid("0a0a0a0a-1111-4222-8333-444455556666"),
            names.guid("0a0a0a0a111142228333444455556667"),
            names.email("ada@woodgrove.net"),
            names.tenant("woodgrove"),
            names.token("abc"),
            names.jwt("eyJ"),
            MASK.to_owned(),
        ];
        assert_eq!(given[0], "CODE00001");
        assert_eq!(given[3], "00000000-0000-0000-0000-000000000001");
        assert_eq!(given[5], "user1@example.com");
        for name in given {
            assert!(is_name(&name), "{name}");
        }
    }

    #[test]
    fn the_same_text_has_the_same_name_and_others_do_not() {
        let mut names = Names::default();
        names.reserve("user4@example.com");
        assert_eq!(names.email("Ada@woodgrove.net"), "user5@example.com");
        assert_eq!(names.email("bob@woodgrove.net"), "user6@example.com");
        assert_eq!(names.email("ada@WOODGROVE.net"), "user5@example.com");
    }
}
