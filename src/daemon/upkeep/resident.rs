//! How much memory a session's program takes, with everything it started.

use std::collections::HashMap;

/// Resident bytes of the process `root` and its descendants (`/proc/PID/stat`, proc(5)); pages that they share count for
/// each of them. `None` where `/proc` cannot be read or the process is gone. Blocks for a walk through `/proc`.
pub(in crate::daemon) fn resident(root: u32) -> Option<u64> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut pages: HashMap<u32, u64> = HashMap::new();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ends in between takes no memory any more.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        if let Some((parent, resident)) = fields(&stat) {
            children.entry(parent).or_default().push(pid);
            pages.insert(pid, resident);
        }
    }
    pages.get(&root)?;
    let mut sum = 0;
    let mut tree = vec![root];
    while let Some(pid) = tree.pop() {
        sum += pages.get(&pid).copied().unwrap_or_default();
        tree.extend(children.remove(&pid).unwrap_or_default());
    }
    u64::try_from(rustix::param::page_size())
        .ok()
        .and_then(|page| page.checked_mul(sum))
}

/// Parent and resident pages.
fn fields(stat: &str) -> Option<(u32, u64)> {
    // The name before them stands in brackets and may hold anything.
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    let parent = fields.nth(1)?.parse().ok()?;
    let resident = fields.nth(19)?.parse().ok()?;
    Some((parent, resident))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_counts_with_what_it_started() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sleep 600 & echo started; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let mut started = [0; 8];
        std::io::Read::read_exact(child.stdout.as_mut().expect("it is piped"), &mut started)
            .expect("it says so");
        let alone =
            std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it lives");
        let (parent, pages) = fields(&alone).expect("it has its fields");
        assert_eq!(parent, std::process::id());
        let page = rustix::param::page_size() as u64;
        let together = resident(child.id()).expect("it lives");
        assert!(together > pages * page, "{together}, {pages} pages alone");
        assert!(resident(std::process::id()).is_some_and(|with_all| with_all > together));
        let group = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()))
            .expect("it lives");
        for pid in group.split_whitespace() {
            std::process::Command::new("kill")
                .arg(pid)
                .status()
                .expect("there is a kill");
        }
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        assert_eq!(resident(child.id()), None);
    }

    #[test]
    fn a_name_with_brackets_is_no_field() {
        let stat = "7 (a) 1 (b) S 3 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 100 1000 42 18446744073709551615 1";
        assert_eq!(fields(stat), Some((3, 42)));
        assert_eq!(fields("7 (a"), None);
    }
}
