//! [`Stream`]: what one side said, as one text without control sequences, and the way back into the events it came from.

use std::ops::Range;

use crate::recording::event::{Event, EventKind};

/// A replacement in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit<K> {
    /// In bytes; never empty.
    pub(super) range: Range<usize>,
    pub(super) text: String,
    /// What was found there.
    pub(super) kind: K,
    /// The range and what made it a finding, such as the key before a password.
    pub(super) context: Range<usize>,
}

/// `text` with its edits done. They are in order and do not overlap.
pub(super) fn apply<K>(text: &str, edits: &[Edit<K>]) -> String {
    let mut done = String::with_capacity(text.len());
    let mut from = 0;
    for edit in edits {
        done.push_str(&text[from..edit.range.start]);
        done.push_str(&edit.text);
        from = edit.range.end;
    }
    done.push_str(&text[from..]);
    done
}

/// The text of all events of one kind. Control sequences are usually no part of it: they may stand inside a word. The
/// content of a window title is.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) text: String,
    runs: Vec<Run>,
}

/// A piece of the text and where it comes from.
#[derive(Debug)]
struct Run {
    start: usize,
    event: usize,
    offset: usize,
    length: usize,
}

#[derive(Clone, Copy)]
enum Sequence {
    None,
    /// After ESC.
    Escape,
    /// After ESC `[`, up to its final byte (ECMA-48 §5.4).
    Control,
}

impl Stream {
    /// The text of the events of `kind`, without control sequences.
    pub(super) fn of(events: &[Event], kind: &EventKind) -> Self {
        Self::build(events, kind, step)
    }

    /// The text of the events of `kind`, character for character.
    pub(super) fn raw(events: &[Event], kind: &EventKind) -> Self {
        Self::build(events, kind, |sequence, _| (sequence, true))
    }

    fn build(
        events: &[Event],
        kind: &EventKind,
        step: fn(Sequence, char) -> (Sequence, bool),
    ) -> Self {
        let mut stream = Self {
            text: String::new(),
            runs: Vec::new(),
        };
        let mut sequence = Sequence::None;
        for (event, one) in events.iter().enumerate() {
            if one.kind != *kind {
                continue;
            }
            let mut visible: Option<usize> = None;
            for (offset, c) in one.data.char_indices() {
                let (next, shown) = step(sequence, c);
                sequence = next;
                match (shown, visible) {
                    (true, None) => visible = Some(offset),
                    (false, Some(from)) => {
                        stream.push(event, from, &one.data[from..offset]);
                        visible = None;
                    }
                    _ => {}
                }
            }
            if let Some(from) = visible {
                stream.push(event, from, &one.data[from..]);
            }
        }
        stream
    }

    fn push(&mut self, event: usize, offset: usize, text: &str) {
        self.runs.push(Run {
            start: self.text.len(),
            event,
            offset,
            length: text.len(),
        });
        self.text.push_str(text);
    }

    /// The runs that `range` touches, in order.
    fn touched(&self, range: &Range<usize>) -> &[Run] {
        let first = self
            .runs
            .partition_point(|run| run.start + run.length <= range.start);
        let end = self.runs.partition_point(|run| run.start < range.end);
        self.runs.get(first..end).unwrap_or_default()
    }

    /// The first and the last event that `range` touches.
    pub(super) fn events(&self, range: &Range<usize>) -> Option<(usize, usize)> {
        let runs = self.touched(range);
        Some((runs.first()?.event, runs.last()?.event))
    }

    /// Does the edits in the events that the text came from. What is replaced across events is spread over the same
    /// events: each keeps its number of characters as far as the new text reaches, the last takes the rest.
    pub(super) fn apply<K>(&self, edits: &[Edit<K>], events: &mut [Event]) {
        let mut changes: Vec<(usize, Range<usize>, &str)> = Vec::new();
        for edit in edits {
            let runs = self.touched(&edit.range);
            let mut rest = edit.text.as_str();
            for (at, run) in runs.iter().enumerate() {
                let from = edit.range.start.max(run.start);
                let to = edit.range.end.min(run.start + run.length);
                let share = if at + 1 == runs.len() {
                    rest.len()
                } else {
                    let characters = self.text[from..to].chars().count();
                    rest.char_indices()
                        .nth(characters)
                        .map_or(rest.len(), |(end, _)| end)
                };
                let (here, later) = rest.split_at(share);
                rest = later;
                let offset = run.offset + (from - run.start);
                changes.push((run.event, offset..offset + (to - from), here));
            }
        }
        let mut changes = changes.as_slice();
        while let Some((event, ..)) = changes.first() {
            let count = changes
                .iter()
                .take_while(|change| change.0 == *event)
                .count();
            let (here, later) = changes.split_at(count);
            let old = &events[*event].data;
            let mut data = String::with_capacity(old.len());
            let mut from = 0;
            for (_, range, text) in here {
                data.push_str(&old[from..range.start]);
                data.push_str(text);
                from = range.end;
            }
            data.push_str(&old[from..]);
            events[*event].data = data;
            changes = later;
        }
    }
}

/// What follows `c`, and whether `c` is part of the text. As terminals do it: a control character inside a sequence counts
/// and the sequence goes on.
fn step(sequence: Sequence, c: char) -> (Sequence, bool) {
    match (sequence, c) {
        (_, '\u{1b}') | (Sequence::Escape, ' '..='/') => (Sequence::Escape, false),
        (Sequence::None, _) => (Sequence::None, true),
        (_, '\0'..='\u{1f}') => (sequence, true),
        (Sequence::Escape, '[') | (Sequence::Control, ' '..='?') => (Sequence::Control, false),
        (Sequence::Escape | Sequence::Control, _) => (Sequence::None, false),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn output(texts: &[&str]) -> Vec<Event> {
        let event = |text: &&str| Event {
            at: Duration::ZERO,
            kind: EventKind::Output,
            data: (*text).to_owned(),
        };
        texts.iter().map(event).collect()
    }

    fn replace(texts: &[&str], range: Range<usize>, text: &str) -> Vec<String> {
        let mut events = output(texts);
        let stream = Stream::of(&events, &EventKind::Output);
        let edit = Edit {
            context: range.clone(),
            range,
            text: text.to_owned(),
            kind: (),
        };
        stream.apply(&[edit], &mut events);
        events.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn control_sequences_are_no_part_of_the_text_even_when_split() {
        let events = output(&["a\u{1b}[4", "mb\u{1b}", "[0mc\u{1b}]0;title\u{7}d\u{1b}[\n"]);
        let stream = Stream::of(&events, &EventKind::Output);
        assert_eq!(stream.text, "abc0;title\u{7}d\n");
        assert_eq!(Stream::raw(&events, &EventKind::Output).text.len(), 25);
    }

    #[test]
    fn a_replacement_is_spread_over_the_events_it_covers() {
        assert_eq!(
            replace(&["xab", "cd", "ey"], 1..6, "12345"),
            ["x12", "34", "5y"]
        );
        assert_eq!(
            replace(&["xab", "cd", "ey"], 1..6, "1234567"),
            ["x12", "34", "567y"]
        );
        assert_eq!(replace(&["xab", "cd", "ey"], 1..6, "1"), ["x1", "", "y"]);
    }

    #[test]
    fn control_sequences_inside_a_replaced_word_stay() {
        assert_eq!(
            replace(&["a\u{1b}[6nb", "c"], 0..3, "xyz"),
            ["x\u{1b}[6ny", "z"]
        );
    }
}
