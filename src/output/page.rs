//! Pages: pieces of an output, by offset.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::layout::Layout;

/// A piece of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// Offset of the first byte: later than what was asked for where bytes are gone.
    pub(crate) from: u64,
    pub(crate) bytes: Vec<u8>,
    /// Where to go on.
    pub(crate) next: u64,
    /// Bytes of output so far, those that are gone included.
    pub(crate) end: u64,
}

/// Reads a page of an output of which `kept` is there. `fetch` reads at an offset, at most so many bytes, at least one.
pub(super) fn read(
    kept: &[Range<u64>],
    end: u64,
    from: u64,
    max: usize,
    mut fetch: impl FnMut(u64, usize) -> io::Result<Vec<u8>>,
) -> io::Result<Page> {
    let start = kept
        .iter()
        .filter(|range| from < range.end && range.start < range.end)
        .map(|range| from.max(range.start))
        .min();
    let Some(start) = start else {
        let from = from.min(end);
        return Ok(Page {
            from,
            bytes: Vec::new(),
            next: end.max(from),
            end,
        });
    };
    let mut bytes = Vec::new();
    let mut next = start;
    while bytes.len() < max
        && let Some(range) = kept.iter().find(|range| range.contains(&next))
    {
        let left = usize::try_from(range.end - next)
            .unwrap_or(usize::MAX)
            .min(max - bytes.len());
        let piece = fetch(next, left)?;
        next += piece.len() as u64;
        bytes.extend_from_slice(&piece);
    }
    Ok(Page {
        from: start,
        bytes,
        next,
        end,
    })
}

/// Reads where a layout keeps things in a file.
pub(super) fn fetch(file: &File, layout: Layout, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    let (place, run) = layout.place(offset);
    let mut bytes = vec![0; most.min(usize::try_from(run).unwrap_or(usize::MAX))];
    file.read_exact_at(&mut bytes, place)?;
    Ok(bytes)
}

/// Reads a page of an output that was persisted: its file, its length, and how much of that is gone.
pub(crate) fn read_file(
    path: &Path,
    length: u64,
    skipped: u64,
    from: u64,
    max: usize,
) -> io::Result<Page> {
    let file = File::open(path)?;
    // Nothing is gone: any limit that holds it all has it in one piece.
    let layout = Layout::new(if skipped == 0 {
        2 * length
    } else {
        length - skipped
    });
    read(&layout.kept(length), length, from, max, |offset, most| {
        fetch(&file, layout, offset, most)
    })
}
