//! `mm modules keys`: the keys that module files may have, for people; `mm modules schema` is the same for editors.

use crate::cli::error::CliError;
use crate::cli::table::table;
use crate::spec::{Key, keys};

/// All keys in short, in a table as wide as `width`, or those that are called so, or stand in a place that is, in full.
pub(crate) fn told(wanted: Option<&str>, width: Option<usize>) -> Result<String, CliError> {
    let Some(wanted) = wanted else {
        return Ok(overview(width));
    };
    let is_meant = |key: &Key| {
        let end = key.path.strip_suffix(wanted);
        end.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let mut parts = Vec::new();
    for kind in keys() {
        for key in kind.keys.iter().filter(|key| is_meant(key)) {
            let inside: Vec<&str> = kind
                .keys
                .iter()
                .filter_map(|other| other.path.strip_prefix(&key.path)?.strip_prefix('.'))
                .filter(|path| !path.contains('.'))
                .collect();
            parts.push(whole(key, kind.place, &inside));
        }
    }
    if parts.is_empty() {
        return Err(CliError::usage(
            format!("there is no key `{wanted}`"),
            "`mm modules keys` lists them",
        ));
    }
    Ok(parts.join("\n"))
}

fn overview(width: Option<usize>) -> String {
    let mut text = String::new();
    for kind in keys() {
        let rows: Vec<Vec<String>> = kind
            .keys
            .iter()
            .map(|key| {
                let needed = if key.required { "yes" } else { "" };
                let end = key.about.find(". ").map_or(key.about.len(), |at| at + 1);
                vec![
                    key.path.clone(),
                    needed.to_owned(),
                    key.about[..end].to_owned(),
                ]
            })
            .collect();
        text += kind.place;
        text += "\n";
        text += &table(&["KEY", "NEEDED", "WHAT IT IS FOR"], &rows, width);
        text += "\n";
    }
    text + "`mm modules keys KEY` tells one in full, with an example.\n"
}

fn whole(key: &Key, place: &str, inside: &[&str]) -> String {
    let needed = if key.required {
        ", needed in its part"
    } else {
        ""
    };
    let mut text = format!("{} ({place}{needed})\n  {}\n", key.path, key.about);
    let words = key.words.iter();
    text.extend(words.map(|(word, about)| format!("  {word}: {about}\n")));
    if !inside.is_empty() {
        text.extend(["  inside: ", &inside.join(", "), "\n"]);
    }
    text += "\n";
    let lines = key.example.lines();
    text.extend(lines.map(|line| format!("    {line}\n")));
    text
}
