//! Orphans: programs that a session's command has started, and that outlive what started them. They fall to the daemon
//! instead of to process 1, so that what a session has started is known as that for as long as it lives; see `http::peer`.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, getpid, set_child_subreaper, waitid};

/// How often dead ones are looked for. Who waits for a child of its own takes its status at once; what is still there after
/// a whole round is nobody's.
const ROUND: Duration = Duration::from_secs(60);

/// From now on orphans are this process's children, and buried. Has to be called where tasks can be spawned.
pub(super) fn adopt() {
    if let Err(error) = set_child_subreaper(Some(getpid())) {
        tracing::warn!(%error, "what a session leaves behind is not known as its own");
        return;
    }
    tokio::spawn(async {
        let mut dead = HashSet::new();
        loop {
            tokio::time::sleep(ROUND).await;
            let now = zombies().unwrap_or_else(|error| {
                tracing::debug!(%error, "the daemon's children cannot be listed");
                HashSet::new()
            });
            for orphan in now.intersection(&dead) {
                bury(*orphan);
            }
            dead = now;
        }
    });
}

/// The children of this process that have ended and were not waited for.
fn zombies() -> io::Result<HashSet<Pid>> {
    let mut found = HashSet::new();
    // Each thread has the children that it has started (proc_pid_task_children(5)).
    for task in fs::read_dir("/proc/self/task")? {
        // A thread may end meanwhile; its children are another one's by then.
        let children = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        for child in children.split_ascii_whitespace() {
            let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
            let pid = child.parse().ok().and_then(Pid::from_raw);
            if state.is_some_and(|state| state.starts_with('Z')) {
                found.extend(pid);
            }
        }
    }
    Ok(found)
}

/// Takes the status of one that has ended, which nobody wants.
fn bury(orphan: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    if let Err(error) = waitid(WaitId::Pid(orphan), options) {
        tracing::debug!(%error, "an orphan was not there any longer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_found_and_buried() {
        let mut child = std::process::Command::new("true")
            .spawn()
            .expect("it is on every machine");
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("it is a process");
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !zombies().expect("they can be listed").contains(&pid) {
            assert!(std::time::Instant::now() < deadline, "it never ended");
            std::thread::yield_now();
        }
        bury(pid);
        assert!(!zombies().expect("they can be listed").contains(&pid));
        child.wait().expect_err("its status was taken");
    }
}
