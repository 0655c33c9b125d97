//! The table in `src/lib.rs` says who may import whom; this reads every `crate::` path against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The table in the crate's documentation: a room and what it may import.
fn table(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lines = text
        .lines()
        .skip_while(|line| !line.contains("may import") || !line.contains("room"));
    let rows = lines
        .skip(1)
        .map_while(|line| line.strip_prefix("//! "))
        .take_while(|line| !line.starts_with("```"));
    rows.map(|row| {
        let mut words = row.split_whitespace().map(str::to_owned);
        let room = words.next().expect("a row names its room");
        (room, words.filter(|word| word != "-").collect())
    })
    .collect()
}

/// A file without its tests, which may use anything.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// The rooms that a text names after `crate::`.
fn imports(text: &str) -> BTreeSet<String> {
    let paths = text.split("crate::").skip(1);
    paths
        .flat_map(|path| match path.strip_prefix('{') {
            Some(group) => group
                .split('}')
                .next()
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .collect(),
            None => vec![path],
        })
        .map(|path| {
            path.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|room| room.starts_with(|c: char| c.is_lowercase()))
        .collect()
}

#[test]
fn every_import_is_in_the_table() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed_in =
        table(&fs::read_to_string(crate_root.join("lib.rs")).expect("the crate's crate_root"));
    let mut files = Vec::new();
    sources(&crate_root, &mut files);
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for file in files {
        let below = file.strip_prefix(&crate_root).expect("it lies below");
        let room = below
            .components()
            .next()
            .expect("it has a name")
            .as_os_str()
            .to_string_lossy()
            .replace(".rs", "");
        let is_test =
            below.to_string_lossy().contains("test") || below.ends_with("demo/recordings.rs");
        if is_test || matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("it can be read");
        let allowed = allowed_in
            .get(&room)
            .unwrap_or_else(|| panic!("`{room}` is not in the table of src/lib.rs"));
        for import in imports(without_tests(&text)) {
            if import != room && !allowed.contains(&import) {
                wrong.push(format!("{} imports `{import}`", below.display()));
            }
        }
        seen.insert(room);
    }
    assert_eq!(
        wrong,
        Vec::<String>::new(),
        "the table in src/lib.rs does not allow these"
    );
    let rooms: BTreeSet<String> = allowed_in.into_keys().collect();
    assert_eq!(seen, rooms, "the table and the tree name the same rooms");
}
