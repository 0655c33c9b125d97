//! Rows of words in columns, as wide as the terminal.

/// `rows` under `head`, two spaces between columns. Each column is as wide as its widest cell, or narrower where the table would
/// be wider than `width` (`None`: no terminal cuts it): the widest columns then break their cells between words. No word is
/// broken or cut, because ids, paths and names are copied. The last column is not padded.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let widest = |measure: fn(&str) -> usize| -> Vec<usize> {
        let column = |index: usize| all.iter().filter_map(move |row| row.get(index));
        (0..head.len())
            .map(|index| column(index).map(|cell| measure(cell)).max().unwrap_or(0))
            .collect()
    };
    let mut widths = widest(cell_width);
    if let Some(width) = width {
        let least = least(&widths, &widest(longest_word));
        shrink(&mut widths, &least, width);
    }
    let mut text = String::new();
    for row in all {
        let cells: Vec<Vec<String>> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| broken(cell, *width))
            .collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..lines {
            let mut words = String::new();
            for (cell, width) in cells.iter().zip(&widths) {
                let part = cell.get(line).map_or("", String::as_str);
                words.push_str(part);
                let rest = width.saturating_sub(cell_width(part));
                words.extend(std::iter::repeat_n(' ', rest + GAP));
            }
            text.push_str(words.trim_end());
            text.push('\n');
        }
    }
    text
}

/// Spaces between two columns.
const GAP: usize = 2;

/// A column is not broken into less than this: a time and how long ago that is are two lines then, and not three.
const NARROW: usize = 12;
/// The last column, which has the commands and texts.
const NARROW_TEXT: usize = 20;

/// How narrow each column may become. A long word in the last one only makes its own line longer.
fn least(widths: &[usize], longest_words: &[usize]) -> Vec<usize> {
    let last = widths.len().saturating_sub(1);
    let columns = widths.iter().zip(longest_words).enumerate();
    columns
        .map(|(index, (width, word))| {
            if index == last {
                NARROW_TEXT.min(*width)
            } else {
                NARROW.min(*width).max(*word)
            }
        })
        .collect()
}

/// Makes the widest column narrower, again and again, until all fit into `width` or none can: a column is never narrower than
/// `least` says.
fn shrink(widths: &mut [usize], least: &[usize], width: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let shrinkable = (0..widths.len()).filter(|index| widths[*index] > least[*index]);
        let Some(widest) = shrinkable.max_by_key(|index| widths[*index]) else {
            return;
        };
        widths[widest] -= 1;
    }
}

/// The lines of a cell in a column. A word that is longer has a line of its own.
fn broken(cell: &str, width: usize) -> Vec<String> {
    if cell_width(cell) <= width {
        return vec![cell.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in words(cell) {
        match lines.last_mut() {
            Some(line) if cell_width(line) + 1 + cell_width(&word) <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

fn longest_word(cell: &str) -> usize {
    let words = words(cell);
    words.iter().map(|word| cell_width(word)).max().unwrap_or(0)
}

/// What a cell is broken between. A few words in brackets are one: `(40 min ago)`.
fn words(cell: &str) -> Vec<String> {
    const BRACKETS: usize = 16;
    let mut words: Vec<String> = Vec::new();
    for word in cell.split_whitespace() {
        let open = |last: &&mut String| {
            let whole = cell_width(last) + 1 + cell_width(word);
            last.starts_with('(') && !last.ends_with(')') && whole <= BRACKETS
        };
        match words.last_mut().filter(open) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => words.push(word.to_owned()),
        }
    }
    words
}

/// Characters count as one column each; names in wide scripts make a crooked table, not a wrong one.
fn cell_width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_line_up() {
        let rows = [row(&["Bäckerei/exo", "ready"]), row(&["A/b", ""])];
        assert_eq!(
            table(&["SESSION", "STATE"], &rows, None),
            "SESSION       STATE\nBäckerei/exo  ready\nA/b\n"
        );
    }

    #[test]
    fn the_widest_column_breaks_between_words() {
        let rows = [
            row(&[
                "rabcdefghj",
                "Get-Mailbox -ResultSize 3 | Select-Object Name",
                "ok",
            ]),
            row(&["r234567890", "1", "timed out"]),
        ];
        let head = ["ID", "COMMAND", "HOW"];
        assert_eq!(
            table(&head, &rows, Some(40)),
            "\
ID          COMMAND            HOW
rabcdefghj  Get-Mailbox        ok
            -ResultSize 3 |
            Select-Object
            Name
r234567890  1                  timed out
"
        );
        for width in [41, 60, 80] {
            let text = table(&head, &rows, Some(width));
            assert!(text.lines().all(|line| line.len() <= width), "{text}");
        }
    }

    #[test]
    fn short_cells_stay_whole_as_long_as_they_can() {
        let rows = [row(&[
            "rabcdefghj",
            "00:40:25 (40 min ago)",
            "13 ms",
            "Get-Mailbox -ResultSize 3",
        ])];
        let head = ["ID", "SUBMITTED", "TOOK", "COMMAND"];
        assert_eq!(
            table(&head, &rows, Some(53)),
            "\
ID          SUBMITTED     TOOK   COMMAND
rabcdefghj  00:40:25      13 ms  Get-Mailbox
            (40 min ago)         -ResultSize 3
"
        );
    }

    #[test]
    fn no_word_is_cut_however_narrow_it_is() {
        let path = "/home/ada/.config/mm/modules.d/notes.yaml";
        let rows = [row(&["notes", path])];
        let text = table(&["MODULE", "FROM"], &rows, Some(10));
        assert_eq!(text, format!("MODULE  FROM\nnotes   {path}\n"));
        assert_eq!(table(&["A", "B"], &[], Some(0)), "A  B\n");
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(cells in proptest::collection::vec("[a-z ]{0,30}", 1..6), width in 0usize..60) {
            let head: Vec<&str> = cells.iter().map(|_| "H").collect();
            let text = table(&head, std::slice::from_ref(&cells), Some(width));
            let letters = |text: &str| {
                let mut all: Vec<char> = text.chars().filter(char::is_ascii_lowercase).collect();
                all.sort_unstable();
                all
            };
            proptest::prop_assert_eq!(letters(&text), letters(&cells.concat()));
        }
    }
}
