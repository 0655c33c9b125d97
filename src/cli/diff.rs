//! What differs between two texts, line by line, for a person to read.

/// Lines around a difference that are shown too.
const AROUND: usize = 2;

/// The differing lines with `-` and `+`, those around them, and `…` where lines are left out.
pub(crate) fn lines(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let rows = compare(&old, &new);
    let near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        rows[from..rows.len().min(at + AROUND + 1)]
            .iter()
            .any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    let mut left_out = false;
    for (at, (mark, line)) in rows.iter().enumerate() {
        if near(at) {
            text.push(*mark);
            text.push(' ');
            text.push_str(line);
            text.push('\n');
            left_out = false;
        } else if !left_out {
            text.push_str("…\n");
            left_out = true;
        }
    }
    text
}

/// Every line of both with its mark, by the longest common subsequence.
fn compare<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    // `common[i][j]`: how many lines the rests from `i` and `j` share.
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut rows = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            rows.push((' ', old[i]));
            i += 1;
            j += 1;
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            rows.push(('-', old[i]));
            i += 1;
        } else {
            rows.push(('+', new[j]));
            j += 1;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_with_its_surroundings() {
        let old = "a\nb\nc\nd\ne\nf\n";
        assert_eq!(
            lines(old, "a\nb\nc\nd\nE\nf\ng\n"),
            "…\n  c\n  d\n- e\n+ E\n  f\n+ g\n"
        );
        assert_eq!(lines("", "a\n"), "+ a\n");
    }
}
