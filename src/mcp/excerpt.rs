//! [`Excerpt`]: as much of a run's output as fits on a page, and where the rest is. Places are numbers that only an earlier
//! answer gives: bytes of what was kept, or of the text that objects were made into.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::args::Part;
use super::clean;
use super::reply::Refusal;
use crate::api::Run;
use crate::client::Client;

/// Bytes of output that are looked at for a search, an export or objects: what a run keeps at most.
const ALL: u64 = 64 << 20;

/// What is shown.
pub(super) enum Source<'s> {
    /// Output as it was kept.
    Kept { client: &'s Client, run: &'s Run },
    /// What was made of it.
    Made(&'s str),
}

/// A page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// Clean text.
    pub(super) body: String,
    /// Where what is missing begins.
    pub(super) next: Option<u64>,
    /// How many bytes are missing after the head.
    pub(super) missing: u64,
    /// How many bytes are before a tail.
    pub(super) before: u64,
}

impl Source<'_> {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Kept { run, .. } => run.output_length,
            Self::Made(text) => text.len() as u64,
        }
    }

    /// At most `max` bytes from `from` on, and where they begin: later where bytes were not kept.
    async fn read(&self, from: u64, max: usize) -> Result<(u64, Vec<u8>), Refusal> {
        match self {
            Self::Kept { client, run } => {
                let page = client.output(run.id.as_str(), from).await?;
                let bytes = &page.bytes[..max.min(page.bytes.len())];
                Ok((page.from, bytes.to_vec()))
            }
            Self::Made(text) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(text.len());
                let to = from.saturating_add(max).min(text.len());
                Ok((from as u64, text.as_bytes()[from..to].to_vec()))
            }
        }
    }
}

/// A page of `source` with at most `max` characters: from `from` on, or the part that is asked for.
pub(super) async fn excerpt(
    source: &Source<'_>,
    from: Option<u64>,
    part: Part,
    max: usize,
) -> Result<Excerpt, Refusal> {
    let length = source.length();
    if let Some(from) = from {
        return head(source, from, length, max).await;
    }
    if length <= max as u64 {
        return head(source, 0, length, max).await;
    }
    match part {
        Part::Head => head(source, 0, length, max).await,
        Part::Tail => {
            let (before, body) = tail(source, length, max).await?;
            Ok(Excerpt {
                body,
                before,
                ..Excerpt::default()
            })
        }
        Part::HeadAndTail => {
            let mut page = head(source, 0, length, max * 3 / 5).await?;
            let (begins, end) = tail(source, length, max * 2 / 5).await?;
            let next = page.next.unwrap_or(length);
            page.missing = begins.saturating_sub(next);
            write!(
                page.body,
                "[... {} bytes are left out here, from {next} on ...]\n{end}",
                page.missing
            )
            .expect("a string takes everything");
            Ok(page)
        }
    }
}

async fn head(source: &Source<'_>, from: u64, length: u64, max: usize) -> Result<Excerpt, Refusal> {
    // A byte more than fits shows whether there is more.
    let (begins, bytes) = source.read(from, max + 1).await?;
    let take = if bytes.len() > max {
        cut(&bytes, max)
    } else {
        bytes.len()
    };
    let next = begins + take as u64;
    let mut body = clean::text(&bytes[..take]);
    if begins > from {
        body.insert_str(
            0,
            &format!("[... {} bytes were not kept ...]\n", begins - from),
        );
    }
    let more = next < length;
    Ok(Excerpt {
        body,
        next: more.then_some(next),
        missing: if more { length - next } else { 0 },
        before: 0,
    })
}

/// The last characters, from the beginning of a line on where there is one, and where they begin.
async fn tail(source: &Source<'_>, length: u64, max: usize) -> Result<(u64, String), Refusal> {
    let (begins, bytes) = source.read(length.saturating_sub(max as u64), max).await?;
    let line = memchr::memchr(b'\n', &bytes).filter(|at| *at < bytes.len() / 2);
    let skip = match line {
        Some(at) => at + 1,
        // Not in the middle of a character: those that go on begin with 10 (RFC 3629).
        None => bytes
            .iter()
            .position(|byte| byte & 0xc0 != 0x80)
            .unwrap_or(0),
    };
    Ok((begins + skip as u64, clean::text(&bytes[skip..])))
}

/// Where to cut `bytes`, at `max` at the latest: after a line where one ends in the last quarter, never inside a
/// character.
fn cut(bytes: &[u8], max: usize) -> usize {
    if let Some(at) = memchr::memrchr(b'\n', &bytes[..max])
        && at >= max * 3 / 4
    {
        return at + 1;
    }
    (1..=max)
        .rev()
        .find(|at| bytes[*at] & 0xc0 != 0x80)
        .unwrap_or(max)
}

/// Everything that was kept of a run's output, up to the most that a run keeps.
pub(super) async fn all(client: &Client, run: &Run) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut from = 0;
    while from < run.output_length && (bytes.len() as u64) < ALL {
        let page = client.output(run.id.as_str(), from).await?;
        bytes.extend_from_slice(&page.bytes);
        if page.last || page.next <= from || page.bytes.is_empty() {
            break;
        }
        from = page.next;
    }
    Ok(bytes)
}

/// What a search found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The lines, with their numbers. A tenant's words.
    pub(super) lines: String,
    /// How many of them are there.
    pub(super) shown: usize,
    /// How many have the text.
    pub(super) count: usize,
}

/// The lines of `text` that have `wanted` in them; about `max` characters of them. Of a line that is longer than a quarter
/// of that, what is around the first place that has it.
pub(super) fn search(text: &str, wanted: &str, max: usize) -> Found {
    let wanted = wanted.to_lowercase();
    let mut found = Found::default();
    for (number, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        let Some(at) = lower.find(&wanted) else {
            continue;
        };
        found.count += 1;
        // Lower case letters may be of another length; the place is then a little beside.
        let line = around(line, at, max / 4);
        if found.shown + 1 == found.count && found.lines.len() + line.len() < max {
            writeln!(found.lines, "{}: {line}", number + 1).expect("a string takes everything");
            found.shown += 1;
        }
    }
    found
}

/// `line`, or no more than `max` bytes of it that have the place `at` among them.
fn around(line: &str, at: usize, max: usize) -> Cow<'_, str> {
    if line.len() <= max {
        return line.into();
    }
    let boundary = |at: usize| (0..=at).rev().find(|at| line.is_char_boundary(*at));
    let from = boundary(at.min(line.len()).saturating_sub(max / 4)).unwrap_or(0);
    let to = boundary((from + max).min(line.len())).unwrap_or(0);
    let cut = |is: bool| if is { "…" } else { "" };
    format!(
        "{}{}{}",
        cut(from > 0),
        &line[from..to],
        cut(to < line.len())
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn made(text: &str, from: Option<u64>, part: Part, max: usize) -> Excerpt {
        excerpt(&Source::Made(text), from, part, max)
            .await
            .expect("nobody is asked")
    }

    #[tokio::test]
    async fn what_fits_is_whole() {
        let page = made("a\nb\n", None, Part::HeadAndTail, 4).await;
        assert_eq!((page.body.as_str(), page.next), ("a\nb\n", None));
    }

    #[tokio::test]
    async fn pages_put_together_are_the_whole() {
        let lines: Vec<String> = (0..200).map(|n| format!("line {n} é\n")).collect();
        let text = lines.concat();
        let (mut whole, mut from) = (String::new(), Some(0));
        while let Some(at) = from {
            let page = made(&text, Some(at), Part::Head, 97).await;
            assert!(page.body.len() <= 97);
            whole.push_str(&page.body);
            from = page.next;
        }
        assert_eq!(whole, text);
    }

    #[tokio::test]
    async fn head_and_tail_say_what_is_missing() {
        let lines: Vec<String> = (0..1000).map(|n| format!("{n}\n")).collect();
        let text = lines.concat();
        let page = made(&text, None, Part::HeadAndTail, 100).await;
        assert!(page.body.starts_with("0\n1\n") && page.body.ends_with("999\n"));
        let next = page.next.expect("there is more");
        assert!(page.body.contains(&format!("from {next} on")), "{page:?}");
        let tail = made(&text, None, Part::Tail, 100).await;
        assert!(tail.body.len() <= 100 && tail.body.ends_with("999\n"));
        assert_eq!(tail.before + tail.body.len() as u64, text.len() as u64);
    }

    #[test]
    fn a_search_counts_all_and_shows_what_fits() {
        let found = search("Ada\nBob\nada\n", "ADA", 10);
        assert_eq!(
            (found.lines.as_str(), found.shown, found.count),
            ("1: Ad…\n", 1, 2)
        );
        let found = search("Ada\nBob\nada\n", "ADA", 400);
        assert_eq!(
            (found.lines.as_str(), found.shown, found.count),
            ("1: Ada\n3: ada\n", 2, 2)
        );
        assert_eq!(search("Ada\n", "Bob", 400), Found::default());
    }

    #[test]
    fn of_a_long_line_a_search_shows_what_is_around_the_text() {
        let text = format!("{}needle{}\n", "é".repeat(5_000), "ö".repeat(5_000));
        for wanted in ["needle", "éneedleö"] {
            let found = search(&text, wanted, 400);
            assert_eq!((found.shown, found.count), (1, 1));
            assert!(found.lines.len() < 120, "{}", found.lines);
            assert!(found.lines.contains("éneedleö"), "{}", found.lines);
        }
    }
}
