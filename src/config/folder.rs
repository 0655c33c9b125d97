//! Folders that only this user can enter: made, or found to be so. What is found is never changed.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Mode, OFlags};

/// Why a folder is not safe to keep sessions' state in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// It could not be made.
    #[error("the folder `{}` cannot be created", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be looked at.
    #[error("the folder `{}` cannot be opened", path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Whoever can change the link decides where the state goes.
    #[error("`{}` is a symbolic link", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// Something else has its name.
    #[error("`{}` is not a folder", path.display())]
    NotFolder {
        /// What is there.
        path: PathBuf,
    },
    /// Its owner could read and replace everything in it.
    #[error("the folder `{}` belongs to user {owner}, not to user {uid}", path.display())]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        uid: u32,
    },
    /// Others may look into it or change it.
    #[error("the folder `{}` is open to other users (mode {mode:o})", path.display())]
    Mode {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Nothing can be kept in it.
    #[error("the folder `{}` is not writable", path.display())]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FolderError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Create { .. } | Self::Open { .. } | Self::Owner { .. } => {
                "name another folder with MM_STATE_DIR".to_owned()
            }
            Self::Symlink { .. } => {
                "name the folder that it points to with MM_STATE_DIR".to_owned()
            }
            Self::NotFolder { path } => {
                format!(
                    "move `{}` away, or name another folder with MM_STATE_DIR",
                    path.display()
                )
            }
            Self::Mode { path, .. } => format!("chmod 700 '{}'", path.display()),
            Self::NotWritable { path, .. } => format!("chmod u+rwx '{}'", path.display()),
        }
    }
}

/// Makes `path` a folder that only this user can enter (0700, missing parents too), or makes sure that it is one.
/// What is found is never changed.
pub(crate) fn prepare_folder(path: &Path) -> Result<(), FolderError> {
    let uid = rustix::process::geteuid().as_raw();
    let path_buf = || path.to_owned();
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => return Err(FolderError::Symlink { path: path_buf() }),
        Ok(found) if !found.is_dir() => return Err(FolderError::NotFolder { path: path_buf() }),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|source| FolderError::Create {
                    path: path_buf(),
                    source,
                })?;
        }
        Err(source) => {
            return Err(FolderError::Open {
                path: path_buf(),
                source,
            });
        }
    }
    // What was looked at above may have been replaced: from here on it is one open folder.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::PATH;
    let open = |error: rustix::io::Errno| match error {
        rustix::io::Errno::LOOP => FolderError::Symlink { path: path_buf() },
        rustix::io::Errno::NOTDIR => FolderError::NotFolder { path: path_buf() },
        error => FolderError::Open {
            path: path_buf(),
            source: error.into(),
        },
    };
    let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(open)?;
    let found = rustix::fs::fstat(&folder).map_err(open)?;
    if found.st_uid != uid {
        return Err(FolderError::Owner {
            path: path_buf(),
            owner: found.st_uid,
            uid,
        });
    }
    let mode = found.st_mode & 0o777;
    if mode & 0o077 != 0 {
        return Err(FolderError::Mode {
            path: path_buf(),
            mode,
        });
    }
    let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(&folder, ".", access, AtFlags::EACCESS).map_err(|error| {
        FolderError::NotWritable {
            path: path_buf(),
            source: error.into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_is_made_private_with_its_parents() {
        let root = tempfile::tempdir().expect("a temp dir");
        let folder = root.path().join("a/b");
        prepare_folder(&folder).expect("it can be made");
        for made in [root.path().join("a"), folder.clone()] {
            let mode = made.metadata().expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", made.display());
        }
        prepare_folder(&folder).expect("it is fine as it is");
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused_and_left_alone() {
        let root = tempfile::tempdir().expect("a temp dir");
        let folder = root.path().join("open");
        std::fs::create_dir(&folder).expect("it can be made");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&folder, open).expect("it is ours");
        let error = prepare_folder(&folder).expect_err("it is open");
        assert!(
            matches!(error, FolderError::Mode { mode: 0o755, .. }),
            "{error}"
        );
        assert!(error.help().starts_with("chmod 700 "));
        let mode = folder.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn a_link_or_a_file_in_its_place_is_refused() {
        let root = tempfile::tempdir().expect("a temp dir");
        let (link, file) = (root.path().join("link"), root.path().join("file"));
        std::os::unix::fs::symlink(root.path(), &link).expect("a link can be made");
        std::fs::write(&file, "").expect("a file can be made");
        let error = prepare_folder(&link).expect_err("it is a link");
        assert!(matches!(error, FolderError::Symlink { .. }), "{error}");
        let error = prepare_folder(&file).expect_err("it is a file");
        assert!(matches!(error, FolderError::NotFolder { .. }), "{error}");
    }

    #[test]
    fn someone_elses_folder_is_refused() {
        // Owned by root, and for root by nobody: a folder that whoever runs the tests does not own.
        let uid = rustix::process::geteuid().as_raw();
        if uid == 0 {
            let root = tempfile::tempdir().expect("a temp dir");
            let folder = root.path().join("theirs");
            std::fs::create_dir(&folder).expect("it can be made");
            std::os::unix::fs::chown(&folder, Some(65_534), None).expect("root may do that");
            let error = prepare_folder(&folder).expect_err("it is nobody's");
            assert!(
                matches!(error, FolderError::Owner { owner: 65_534, .. }),
                "{error}"
            );
        } else {
            let error = prepare_folder(Path::new("/etc")).expect_err("it is root's");
            assert!(
                matches!(error, FolderError::Owner { owner: 0, .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_so() {
        let error =
            prepare_folder(Path::new("/proc/mm-state")).expect_err("nothing is made in /proc");
        assert!(matches!(error, FolderError::Create { .. }), "{error}");
    }
}
