//! A disk without room: a real small one, in a mount namespace of its own, with the daemon's state on it. What cannot be kept
//! is said, nothing ends, and everything is written once there is room again.
//!
//! Where the kernel lets nobody make such a namespace the tests say so and pass: there is no other honest full disk.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::mcp::raw::Raw;
use crate::support::{Finished, TestDaemon, finish, told, wait_for};

/// A daemon whose state lies on a disk of a few megabytes.
struct SmallDisk {
    daemon: TestDaemon,
    /// Keeps the namespace, and so the disk, until its standard input is closed.
    holder: Child,
    /// Whether the namespace needs one of users around it.
    of_users: bool,
}

impl SmallDisk {
    /// `None` where there is none to be had.
    fn new(scenario: &str, megabytes: usize) -> Option<Self> {
        let daemon = TestDaemon::with_scenario(scenario);
        fs::create_dir(daemon.path("state")).expect("the folder is ours");
        let mount = format!(
            "mount -t tmpfs -o size={megabytes}m,mode=700 tmpfs \"$0\" && echo mounted && exec cat"
        );
        for of_users in [false, true] {
            let mut unshare = Command::new("unshare");
            if of_users {
                unshare.arg("--map-root-user");
            }
            let started = unshare
                .args(["--mount", "sh", "-c", &mount])
                .arg(daemon.path("state"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn();
            let Ok(mut holder) = started else { break };
            let mut said = String::new();
            BufReader::new(holder.stdout.take().expect("it is piped"))
                .read_line(&mut said)
                .expect("a pipe can be read");
            if said == "mounted\n" {
                let disk = Self {
                    daemon,
                    holder,
                    of_users,
                };
                let start = disk.run(&["daemon", "start"]);
                assert_eq!(start.code, 0, "{start:?}");
                return Some(disk);
            }
            holder.wait().expect("it is our child");
        }
        told("a mount namespace needs rights that there are not here (unshare --mount)");
        None
    }

    /// Runs `mm` where the disk is.
    fn run(&self, arguments: &[&str]) -> Finished {
        let mm = self.daemon.mm(arguments);
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.holder.id().to_string()]);
        if self.of_users {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg(mm.get_program()).args(mm.get_args());
        let set = mm
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        command.env_clear().envs(set);
        finish(command, b"")
    }

    fn command(&self, rest: &[&str]) -> Finished {
        self.run(&[&["run", "-c", "Contoso", "-m", "exo"], rest].concat())
    }

    /// A path on the disk, seen from here.
    fn path(&self, name: &str) -> PathBuf {
        let state = self.daemon.path("state");
        let below = state.strip_prefix("/").expect("it is absolute");
        Path::new("/proc")
            .join(self.holder.id().to_string())
            .join("root")
            .join(below)
            .join(name)
    }

    /// Takes all room but so many bytes.
    fn fill(&self, but: usize) {
        let mut file = fs::File::create(self.path("filler")).expect("there is room for a name");
        let mut length = 0;
        while file.write_all(&[b'x'; 4096]).is_ok() {
            length += 4096;
        }
        file.set_len(u64::try_from(length - but.min(length)).expect("it is small"))
            .expect("a file can be cut");
    }

    fn make_room(&self) {
        fs::remove_file(self.path("filler")).expect("it was made above");
    }

    fn runs(&self) -> Vec<Value> {
        let list = self.run(&["runs", "list", "--json"]);
        let report: Value = serde_json::from_str(&list.stdout).expect("it is JSON");
        report["runs"].as_array().expect("a list").clone()
    }

    fn troubles(&self) -> String {
        self.run(&["daemon", "status"]).stderr
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let stopped = self.run(&["daemon", "stop", "--force"]);
        drop(self.holder.stdin.take());
        let ended = self.holder.wait();
        if !std::thread::panicking() {
            assert_eq!(stopped.code, 0, "{stopped:?}");
            assert!(ended.expect("it is our child").success());
        }
    }
}

#[test]
fn output_that_finds_no_room_is_cut_and_its_loss_is_said() {
    let Some(disk) = SmallDisk::new("flood?approve=50ms", 6) else {
        return;
    };
    let big = disk.command(&["Get-Flood -Megabytes 16"]);
    assert_eq!(big.code, 1, "{} {}", big.code, big.stderr);
    assert!(
        big.stderr.contains("a part of the output is lost"),
        "{}",
        big.stderr
    );
    assert!(big.stderr.contains("No space left"), "{}", big.stderr);
    let run = disk.runs().remove(0);
    assert_eq!(run["end"]["outcome"], "succeeded", "{run}");
    let number = |key: &str| run[key].as_u64().expect("a number");
    assert!(number("output_length") >= 8 << 20, "{run}");
    assert!(number("output_skipped") > 0, "{run}");
    // An assistant is told the same of it, in our words and not between the program's.
    let mut raw = Raw::start(&disk.daemon, "off");
    for (number, tool) in (1..).zip(["wait", "output"]) {
        raw.call(number, tool, &json!({"run_id": run["id"]}));
        let answer = raw.answer();
        let said = answer["result"]["content"][0]["text"].as_str();
        let said = said.unwrap_or_else(|| panic!("{answer}"));
        let note = said
            .split(" Note: ")
            .nth(1)
            .unwrap_or_else(|| panic!("{said}"));
        assert!(note.starts_with("a part of the output is lost"), "{said}");
        assert!(note.contains("No space left"), "{said}");
    }
    raw.end();
    // What it took is given back, and what is small is kept as ever.
    let small = disk.command(&["'next'"]);
    assert_eq!(
        (small.code, small.stdout.as_str()),
        (0, "next\n"),
        "{small:?}"
    );
    let left = fs::read_dir(disk.path("runs"))
        .expect("it is there")
        .count();
    assert_eq!(left, 0, "half a file is worth nothing");
}

#[test]
fn a_run_that_ends_on_a_full_disk_is_written_down_once_there_is_room() {
    let Some(disk) = SmallDisk::new("exo?approve=50ms", 4) else {
        return;
    };
    assert_eq!(disk.command(&["'first'"]).stdout, "first\n");
    // It ends after the disk is full.
    let started = disk.command(&["--detach", "Start-Sleep 4; 'late'"]);
    assert_eq!(started.code, 0, "{started:?}");
    let id = started.stdout.trim().to_owned();
    wait_for("a run under way", || {
        (disk.runs()[0]["state"] == "running").then_some(())
    });
    disk.fill(0);
    let ended = wait_for("its end", || {
        let run = disk.runs().remove(0);
        (run["state"] == "ended").then_some(run)
    });
    assert_eq!(ended["id"], id.as_str(), "{ended}");
    assert_eq!(ended["end"]["outcome"], "succeeded", "{ended}");
    let troubles = wait_for("a daemon that says so", || {
        Some(disk.troubles()).filter(|told| !told.is_empty())
    });
    assert!(troubles.contains("no room"), "{troubles}");
    // Nothing new is begun that could not be written down; who asks is told, and the session stays.
    let refused = disk.command(&["'second'"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("no room") || refused.stderr.contains("written down"),
        "{refused:?}"
    );
    disk.make_room();
    assert_eq!(disk.command(&["'third'"]).stdout, "third\n");
    wait_for("a daemon that has nothing left to write", || {
        disk.troubles().is_empty().then_some(())
    });
    // The end that waited is in the database itself.
    // A copy of it, because SQLite would look for its file outside of the namespace.
    for name in ["mm.db", "mm.db-wal"] {
        fs::copy(disk.path(name), disk.daemon.path(name)).expect("it is there");
    }
    let database = rusqlite::Connection::open(disk.daemon.path("mm.db")).expect("it is there");
    let (state, output): (String, String) = database
        .query_row(
            "SELECT state, CAST(output AS TEXT) FROM runs WHERE id = ?1",
            [&id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("it was accepted");
    assert_eq!((state.as_str(), output.as_str()), ("succeeded", "late\n"));
    drop(database);
    let sound = disk.run(&["audit", "verify"]);
    assert_eq!(sound.code, 0, "{sound:?}");
}

#[test]
fn a_recording_that_finds_no_room_is_said_to_be_cut() {
    // A proof of more than a page, so that it needs room.
    let scenario = format!("exo?approve=3s&domain={}.test", "a".repeat(9000));
    let Some(disk) = SmallDisk::new(&scenario, 4) else {
        return;
    };
    let path = disk.daemon.path("state/sign-in.cast");
    let login = json!({"connection": "Contoso", "module": "exo", "record": path});
    disk.daemon.post("/v1/sessions/login", &login);
    wait_for("a code", || {
        disk.daemon.session()["challenge"]["user_code"]
            .as_str()
            .map(drop)
    });
    disk.fill(0);
    let session = wait_for("the end of the sign-in", || {
        let session = disk.daemon.session();
        session["recording_failed"].as_str()?;
        Some(session)
    });
    let why = session["recording_failed"].as_str().unwrap_or_default();
    assert!(
        why.contains("sign-in.cast") && why.contains("No space left"),
        "{why}"
    );
    disk.make_room();
}
