//! Which file a program's name means: the search that `execvp` does, on the `PATH` of the environment that the program
//! gets, and with an answer when it fails.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::SpawnError;

/// Finds the file to execute. A name without `/` is looked up in `search`; a relative path begins at `directory`.
pub(super) fn find(
    program: &str,
    search: Option<&OsStr>,
    directory: &Path,
) -> Result<PathBuf, SpawnError> {
    if program.contains('/') {
        let path = directory.join(program);
        return match look(&path) {
            Found::Executable => Ok(path),
            Found::Directory => Err(SpawnError::IsDirectory(path)),
            Found::Forbidden => Err(SpawnError::NotExecutable(path)),
            Found::Nothing => Err(SpawnError::NotFound {
                program: program.to_owned(),
                searched: None,
            }),
        };
    }
    let search = search.unwrap_or_default();
    let mut forbidden = None;
    if !program.is_empty() {
        for entry in search.as_bytes().split(|&byte| byte == b':') {
            // An empty entry means the working directory (POSIX).
            let path = directory.join(OsStr::from_bytes(entry)).join(program);
            match look(&path) {
                Found::Executable => return Ok(path),
                Found::Forbidden => forbidden = forbidden.or(Some(path)),
                Found::Directory | Found::Nothing => {}
            }
        }
    }
    Err(match forbidden {
        Some(path) => SpawnError::NotExecutable(path),
        None => SpawnError::NotFound {
            program: program.to_owned(),
            searched: Some(search.to_string_lossy().into_owned()),
        },
    })
}

enum Found {
    Executable,
    Forbidden,
    Directory,
    Nothing,
}

fn look(path: &Path) -> Found {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Found::Directory,
        Ok(metadata) if metadata.is_file() => {
            match accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS) {
                Ok(()) => Found::Executable,
                Err(_) => Found::Forbidden,
            }
        }
        // A device or a socket is no program; a folder that cannot be searched holds none for us.
        Ok(_) | Err(_) => Found::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn put(directory: &Path, name: &str, mode: u32) {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().expect("it has a parent")).expect("a new folder");
        fs::write(&path, "#!/bin/sh\n").expect("a new file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    #[test]
    fn the_first_executable_of_the_given_path_wins() {
        let root = tempfile::tempdir().expect("a temp dir");
        put(root.path(), "a/tool", 0o644);
        put(root.path(), "b/tool", 0o755);
        put(root.path(), "c/tool", 0o755);
        fs::create_dir(root.path().join("a/folder")).expect("a new folder");
        let find = |program: &str, search: &str| {
            super::find(program, Some(OsStr::new(search)), root.path())
        };
        // Relative entries begin at the working directory.
        assert_eq!(
            find("tool", "a:b:c").expect("b has it"),
            root.path().join("b/tool")
        );
        assert_eq!(
            find("./c/tool", "a").expect("it is there"),
            root.path().join("./c/tool")
        );
        assert!(
            matches!(find("tool", "a"), Err(SpawnError::NotExecutable(path)) if path.ends_with("a/tool"))
        );
        assert!(matches!(
            find("a/tool", "b"),
            Err(SpawnError::NotExecutable(_))
        ));
        assert!(matches!(find("./a", "b"), Err(SpawnError::IsDirectory(_))));
        assert!(matches!(
            find("folder", "a"),
            Err(SpawnError::NotFound { .. })
        ));
        assert!(matches!(find("", "a"), Err(SpawnError::NotFound { .. })));
        let error = find("nope", "/x:/y").expect_err("there is none");
        assert_eq!(error.to_string(), "`nope` was not found");
        assert!(
            matches!(error, SpawnError::NotFound { searched: Some(path), .. } if path == "/x:/y")
        );
    }
}
