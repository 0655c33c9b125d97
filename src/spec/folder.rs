//! A folder of modules, with its `shells/` and `include/`: which files are in it, their texts, and whether it has changed.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::builtin;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::library::Text;
use super::source::{Origin, SourceFile};

/// The texts of a folder by the files' names without `.yaml`.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) modules: BTreeMap<String, Text>,
    pub(super) shells: BTreeMap<String, Text>,
    pub(super) includes: BTreeMap<String, Text>,
    /// What belongs to no file of these.
    pub(super) problems: Diagnostics,
}

impl Folder {
    /// The files that are part of the program.
    pub(super) fn builtin() -> Self {
        let mut folder = Self::default();
        for (inside, text) in builtin::FILES {
            let Some(path) = inside.strip_suffix(".yaml") else {
                continue;
            };
            let origin = Origin::Builtin((*inside).to_owned());
            let file = Ok(Arc::new(SourceFile {
                origin,
                text: (*text).to_owned(),
            }));
            match path.split_once('/') {
                None => folder.modules.insert(path.to_owned(), file),
                Some(("shells", name)) => folder.shells.insert(name.to_owned(), file),
                Some((_, name)) => folder.includes.insert(name.to_owned(), file),
            };
        }
        folder
    }

    /// Reads the folder at `path`. One that is not there is empty. Blocks.
    pub(super) fn read(path: &Path) -> Self {
        let mut problems = Diagnostics::default();
        let mut texts = |folder: PathBuf| read_texts(&folder, &mut problems);
        let [modules, shells, includes] = places(path).map(&mut texts);
        Self {
            modules,
            shells,
            includes,
            problems,
        }
    }
}

/// The three folders that files are read from.
fn places(path: &Path) -> [PathBuf; 3] {
    [path.to_owned(), path.join("shells"), path.join("include")]
}

fn read_texts(folder: &Path, problems: &mut Diagnostics) -> BTreeMap<String, Text> {
    let mut texts = BTreeMap::new();
    let paths = match list(folder) {
        Ok(paths) => paths,
        Err(error) => {
            problems.push(unreadable(folder, &error));
            return texts;
        }
    };
    for path in paths {
        let extension = path.extension().unwrap_or_default();
        if extension == "yml" {
            let file = SourceFile::new(path, "");
            problems.push(
                Diagnostic::whole(&file, "this file is not read")
                    .help("let its name end in `.yaml`"),
            );
        } else if extension == "yaml" {
            let text = SourceFile::read(&path).map_err(|error| unreadable(&path, &error));
            let stem = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            texts.insert(stem, text);
        }
    }
    texts
}

/// The finding about something that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::whole(
        &SourceFile::new(path, ""),
        format!("cannot be read: {error}"),
    )
}

/// The entries of a folder, hidden ones left out: editors keep their locks and drafts there. None if it is not there.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// What folders looked like: enough to notice that a file was written, replaced, added or removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stamp(BTreeMap<PathBuf, Option<Mark>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    size: u64,
    inode: u64,
    modified: (i64, i64),
    /// Set by the kernel at every write, also where a tool puts the time of modification back.
    changed: (i64, i64),
}

impl Stamp {
    /// Looks at all files of `folders`, whatever their names: a bootstrap counts too. Blocks, but reads no file.
    pub(super) fn of(folders: &[PathBuf]) -> Self {
        let mut marks = BTreeMap::new();
        for folder in folders.iter().flat_map(|folder| places(folder)) {
            // A folder that cannot be listed is marked by its absence, and noticed when it can be.
            for path in list(&folder).unwrap_or_default() {
                let mark = std::fs::metadata(&path).ok().map(|about| Mark {
                    size: about.size(),
                    inode: about.ino(),
                    modified: (about.mtime(), about.mtime_nsec()),
                    changed: (about.ctime(), about.ctime_nsec()),
                });
                marks.insert(path, mark);
            }
        }
        Self(marks)
    }
}
