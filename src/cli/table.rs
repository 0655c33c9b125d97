//! Rows of words in columns.

/// `rows` under `head`, each column as wide as its widest cell, two spaces between. The last column is not padded.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| width(cell)).collect();
    for row in rows {
        for (width_of, cell) in widths.iter_mut().zip(row) {
            *width_of = (*width_of).max(width(cell));
        }
    }
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (cell, width_of) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width_of - width(cell) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Characters count as one column each; names in wide scripts make a crooked table, not a wrong one.
fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![
            vec!["Bäckerei/exo".to_owned(), "ready".to_owned()],
            vec!["A/b".to_owned(), String::new()],
        ];
        assert_eq!(
            table(&["SESSION", "STATE"], &rows),
            "SESSION       STATE\nBäckerei/exo  ready\nA/b\n"
        );
    }
}
