//! [`Version`]: the numbers of a program's version, found in a text and compared by number.

use std::cmp::Ordering;
use std::fmt;

/// A version's numbers: `7.6.5`. What is missing at the end counts as zero: `7.6` is `7.6.0`.
#[derive(Debug, Clone)]
pub(crate) struct Version(Vec<u32>);

impl Version {
    /// Reads a text that is a version and nothing else: numbers with dots between them, one at least.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        numbers.map(Self)
    }

    /// The first version in `text`: numbers with dots, two at least. What follows, such as `-preview`, does not count.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
        words
            .map(|word| word.trim_matches('.'))
            .filter(|word| word.contains('.'))
            .find_map(Self::parse)
    }

    /// Its numbers without the zeros at the end, which do not count.
    fn counting(&self) -> &[u32] {
        let length = self.0.iter().rposition(|number| *number != 0);
        &self.0[..length.map_or(0, |last| last + 1)]
    }
}

/// Only digits: `parse` would take a sign, too.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.counting() == other.counting()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.counting().cmp(other.counting())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::find(text).expect("it is a version")
    }

    #[test]
    fn versions_are_found_and_compared_by_number() {
        assert_eq!(version("PowerShell 7.6.5\n").to_string(), "7.6.5");
        assert_eq!(version("3.10.1-preview2").to_string(), "3.10.1");
        assert_eq!(version("azure_cli-2.91.0.dist-info").to_string(), "2.91.0");
        assert_eq!(version("v20.11.0").to_string(), "20.11.0");
        assert!(version("7.10.0") > version("7.9"));
        assert_eq!(Version::find("no version 7 here."), None);
    }

    #[test]
    fn zeros_at_the_end_do_not_count() {
        let parse = |text| Version::parse(text).expect("it is a version");
        assert_eq!(parse("3.10"), parse("3.10.0"));
        assert!(parse("2") < parse("2.0.1") && parse("0") < parse("0.1"));
        for bad in ["", "x", "2.", ".2", "+2", "2.x", "99999999999"] {
            assert_eq!(Version::parse(bad), None, "{bad:?}");
        }
    }
}
