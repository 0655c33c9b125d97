//! What PowerShell's quotes and escapes mean. Works on what was written, curly quotes included.

use super::written::{is_double_quote, is_single_quote};

/// The value of a word outside quotes, parts in quotes included. `None`: a variable or an expression stands in it.
pub(super) fn word(written: &str) -> Option<String> {
    let mut value = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '`' => rest = escape(rest, &mut value),
            '$' if begins_variable(rest) => return None,
            c if is_single_quote(c) => rest = verbatim(rest, &mut value),
            c if is_double_quote(c) => rest = expandable(rest, &mut value)?,
            c => value.push(c),
        }
    }
    Some(value)
}

/// The value of a whole string token: `'…'`, `"…"` or a here-string of either kind.
pub(super) fn string(written: &str) -> Option<String> {
    let here = written.strip_prefix('@');
    let quoted = here.unwrap_or(written);
    let quote = quoted.chars().next()?;
    if here.is_some() {
        // Between the end of the first line and the end of the line before the last.
        let (_, inner) = quoted.split_once('\n')?;
        let inner = inner.rsplit_once('\n').map_or("", |(inner, _)| inner);
        if is_single_quote(quote) {
            return Some(inner.to_owned());
        }
        let mut value = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '`' => rest = escape(rest, &mut value),
                '$' if begins_variable(rest) => return None,
                c => value.push(c),
            }
        }
        return Some(value);
    }
    word(written)
}

/// Stands for a part of a text that is only known when it runs.
pub(super) const VARIES: char = '\0';

/// The value of a word or of a string in double quotes with [`VARIES`] for each variable in it, up to the first expression.
pub(super) fn pattern(written: &str) -> String {
    let mut value = String::new();
    let mut rest = written.strip_prefix(is_double_quote).unwrap_or(written);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '`' => rest = escape(rest, &mut value),
            '$' if begins_variable(rest) => {
                value.push(VARIES);
                let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
                match rest.strip_prefix('{') {
                    Some(braced) => rest = braced.split_once('}').map_or("", |(_, rest)| rest),
                    None if rest.starts_with(is_name) => rest = rest.trim_start_matches(is_name),
                    None => break,
                }
            }
            c if is_single_quote(c) || is_double_quote(c) || matches!(c, '(' | '@') => break,
            c => value.push(c),
        }
    }
    value
}

/// What follows the closing quote; `rest` begins behind the opening one.
fn verbatim<'t>(mut rest: &'t str, value: &mut String) -> &'t str {
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if is_single_quote(c) {
            match rest.chars().next().filter(|next| is_single_quote(*next)) {
                Some(doubled) => rest = &rest[doubled.len_utf8()..],
                None => return rest,
            }
        }
        value.push(c);
    }
    rest
}

fn expandable<'t>(mut rest: &'t str, value: &mut String) -> Option<&'t str> {
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '`' => rest = escape(rest, value),
            '$' if begins_variable(rest) => return None,
            c if is_double_quote(c) => {
                match rest.chars().next().filter(|next| is_double_quote(*next)) {
                    Some(doubled) => {
                        rest = &rest[doubled.len_utf8()..];
                        value.push(c);
                    }
                    None => return Some(rest),
                }
            }
            c => value.push(c),
        }
    }
    Some(rest)
}

/// Reads what stands behind a backtick and returns what follows it.
fn escape<'t>(rest: &'t str, value: &mut String) -> &'t str {
    let Some(c) = rest.chars().next() else {
        return rest;
    };
    let after = &rest[c.len_utf8()..];
    value.push(match c {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'e' => '\u{1b}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'u' if after.starts_with('{') => {
            let digits = after[1..].split('}').next().unwrap_or_default();
            let named = u32::from_str_radix(digits, 16)
                .ok()
                .and_then(char::from_u32);
            if let (Some(named), Some(after)) = (named, after.get(digits.len() + 2..)) {
                value.push(named);
                return after;
            }
            'u'
        }
        other => other,
    });
    after
}

/// Whether `$` before `rest` begins a variable or an expression.
pub(super) fn begins_variable(rest: &str) -> bool {
    rest.chars().next().is_some_and(|c| {
        c.is_alphanumeric() || matches!(c, '_' | '{' | '(' | '?' | '^' | '$' | ':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_quotes_are_resolved() {
        let word = |text| word(text).expect("nothing in it varies");
        assert_eq!(word("Re`move-Mail`Box"), "Remove-MailBox");
        assert_eq!(word("Mail`box"), "Mail\u{8}ox");
        assert_eq!(word("Get-\"Mail\"'box'"), "Get-Mailbox");
        assert_eq!(word("`u{41}b`u{"), "Abu{");
        assert_eq!(word("a$"), "a$");
        assert_eq!(super::word("a$b"), None);
        assert_eq!(super::word("\"a$(b)\""), None);
    }

    #[test]
    fn a_text_is_known_but_for_its_variables() {
        assert_eq!(
            pattern("\"https://a/`$b/$c/d${e}f\""),
            "https://a/$b/\0/d\0f"
        );
        assert_eq!(pattern("/v1.0/$x"), "/v1.0/\0");
        assert_eq!(pattern("\"a/$(b) c\""), "a/\0");
    }

    #[test]
    fn strings_of_every_kind_have_a_value() {
        let string = |text| string(text).expect("nothing in it varies");
        assert_eq!(string("'it''s $x'"), "it's $x");
        assert_eq!(string("\u{2018}a\u{2019}"), "a");
        assert_eq!(string("\"a\"\"b`\"c`$d\""), "a\"b\"c$d");
        assert_eq!(string("@'\na 'b'\n'@"), "a 'b'");
        assert_eq!(string("@\"\na \"b\"\n\"@"), "a \"b\"");
        assert_eq!(string("@'\n'@"), "");
        assert_eq!(super::string("@\"\n$x\n\"@"), None);
    }
}
