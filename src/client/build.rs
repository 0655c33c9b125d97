//! Whether the daemon runs the same code as this program: a version's number stays the same while a program is built anew.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// How much of two files is compared at a time.
const PIECE: usize = 1 << 20;

/// Whether the process runs another file than this one, with other bytes in it. `None` where that is not to be seen. Both
/// files are there as long as the processes are, even where they were replaced. Blocks.
pub(super) fn is_another(pid: i32) -> Option<bool> {
    differ(
        Path::new(&format!("/proc/{pid}/exe")),
        Path::new("/proc/self/exe"),
    )
    .ok()
}

fn differ(one: &Path, other: &Path) -> io::Result<bool> {
    let (about_one, about_other) = (fs::metadata(one)?, fs::metadata(other)?);
    let place = |about: &fs::Metadata| (about.dev(), about.ino());
    if place(&about_one) == place(&about_other) {
        return Ok(false);
    }
    if about_one.len() != about_other.len() {
        return Ok(true);
    }
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    loop {
        let (left, right) = (piece(&mut one)?, piece(&mut other)?);
        if left != right {
            return Ok(true);
        }
        if left.is_empty() {
            return Ok(false);
        }
    }
}

fn piece(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(PIECE);
    file.take(PIECE as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_what_is_in_them() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a new file");
            path
        };
        let one = write("one", "built on Monday");
        let differ = |other: &Path| differ(&one, other).expect("both can be read");
        assert!(!differ(&one));
        assert!(!differ(&write("copy", "built on Monday")));
        assert!(differ(&write("same length", "built on Friday")));
        assert!(differ(&write("other length", "built")));
    }

    #[test]
    fn a_process_that_is_not_there_is_not_judged() {
        let me = i32::try_from(std::process::id()).expect("it fits");
        assert_eq!(is_another(me), Some(false));
        assert_eq!(is_another(i32::MAX), None);
    }
}
