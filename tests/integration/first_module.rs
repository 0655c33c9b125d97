//! The page `modules.d/FIRST-MODULE.md`, followed word by word: its files are written where they say, its commands run in a
//! new home, and what they print is what the page shows.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{TestDaemon, finish};

const PAGE: &str = include_str!("../../modules.d/FIRST-MODULE.md");

/// What a block between fences asks a reader to do.
enum Part {
    /// Write this file.
    File { path: String, text: String },
    /// Type this, and see that.
    Command { typed: String, shown: Vec<String> },
}

fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        // In an item of a list, a block is indented.
        let indent = &line[..line.len() - line.trim_start().len()];
        let Some(kind) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let inside = |line: &'static str| line.strip_prefix(indent).unwrap_or(line);
        let block: Vec<&str> = lines
            .by_ref()
            .map(inside)
            .take_while(|line| *line != "```")
            .collect();
        if kind != "console" {
            let path = block[0].strip_prefix("# ~/");
            parts.push(Part::File {
                path: path.expect("a file's first line names it").to_owned(),
                text: block.join("\n") + "\n",
            });
            continue;
        }
        for line in block {
            match (line.strip_prefix("$ "), parts.last_mut()) {
                (Some(typed), _) => parts.push(Part::Command {
                    typed: typed.to_owned(),
                    shown: Vec::new(),
                }),
                (None, Some(Part::Command { shown, .. })) => shown.push(line.to_owned()),
                (None, _) => panic!("output of no command: {line}"),
            }
        }
    }
    parts
}

/// Whether `text` is as the page shows it; `…` stands for anything, and alone for any lines.
fn fits(shown: &[String], text: &str) -> bool {
    let mut pattern = String::from("(?s)\\A");
    for line in shown {
        if line == "…" {
            pattern += ".*";
        } else {
            pattern += &regex::escape(line).replace('…', "[^\\n]*");
            pattern += "\\n";
        }
    }
    regex::Regex::new(&(pattern + "\\z")).is_ok_and(|pattern| pattern.is_match(text))
}

#[test]
fn the_page_works_word_by_word() {
    let daemon = TestDaemon::new();
    std::fs::remove_file(daemon.path("connections.json")).expect("a reader has none");
    let bin = Path::new(env!("CARGO_BIN_EXE_mm")).parent();
    let bin = bin.expect("it lies in a folder").display();
    let system = std::env::var("PATH").expect("there is one");
    let path = format!("{}:{bin}:{system}", daemon.path(".local/bin").display());
    let mut commands = 0;
    for part in parts() {
        match part {
            Part::File { path, text } => {
                let file = daemon.path(&path);
                std::fs::create_dir_all(file.parent().expect("it lies in a folder"))
                    .expect("the home is ours");
                std::fs::write(file, text).expect("the home is ours");
            }
            Part::Command { typed, shown } => {
                let mut shell = daemon.mm(&[]);
                shell.env("PATH", &path);
                let shell = daemon.shell(&shell, &format!("exec 2>&1\n{typed}"));
                let said = finish(shell, b"");
                assert!(
                    fits(&shown, &said.stdout),
                    "$ {typed}\n{}\nThe page shows:\n{}",
                    said.stdout,
                    shown.join("\n")
                );
                commands += 1;
            }
        }
    }
    assert!(commands > 20, "{commands}");
    let vault = std::fs::metadata(daemon.path(".local/bin/vault")).expect("it was written");
    assert_eq!(vault.permissions().mode() & 0o111, 0o111);
}

#[test]
fn the_program_prints_the_page_and_explains_each_key() {
    let daemon = TestDaemon::new();
    assert_eq!(daemon.run(&["modules", "guide"]).stdout, PAGE);
    let all = daemon.run(&["modules", "keys"]);
    assert_eq!(all.code, 0, "{all:?}");
    for key in [
        "sign_in.ways.connect",
        "frame.chunk.size",
        "failures.aadsts",
    ] {
        assert!(all.stdout.contains(key), "{key}: {}", all.stdout);
    }
    let one = daemon.run(&["modules", "keys", "ways.as"]);
    for says in ["a person, compared", "application: ", "    as: application"] {
        let told = one.stdout.to_lowercase();
        assert!(told.contains(&says.to_lowercase()), "{says}: {one:?}");
    }
    let none = daemon.run(&["modules", "keys", "nope"]);
    assert!(
        none.code == 2 && none.stderr.contains("no key `nope`"),
        "{none:?}"
    );
}
