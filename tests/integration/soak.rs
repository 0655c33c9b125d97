//! The long haul: many sessions, many commands, with cancels, deaths and floods at random. Not run by itself: it takes
//! minutes. `cargo test --test integration soak -- --ignored --nocapture` runs it; `MM_SOAK_SESSIONS`, `MM_SOAK_COMMANDS`
//! and `MM_SOAK_SECONDS` size it (50, 10,000 and 600), `MM_SOAK_SEED` repeats one.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{TestDaemon, door, wait_for};

/// Clients at once.
const CLIENTS: usize = 12;

/// How long one command may take, its sign-in included, before the soak counts as hung.
const STUCK: Duration = Duration::from_secs(120);

fn size(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// xorshift64*: repeatable, and nobody's secret.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let wide = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        usize::try_from(wide >> 33).expect("31 bits fit") % limit
    }
}

/// What one client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Reads to the end.
    Waits,
    /// Stops the run as soon as it has its id.
    Cancels,
    /// Goes away after the first line, and the run with it.
    Leaves,
}

struct Soak {
    daemon: TestDaemon,
    sessions: usize,
}

const SCENARIOS: [&str; 3] = ["exo", "crash", "flood"];

impl Soak {
    fn start(sessions: usize) -> Self {
        let daemon = TestDaemon::new();
        let entries: serde_json::Map<String, Value> = (0..sessions)
            .map(|number| {
                let scenario = SCENARIOS[number % SCENARIOS.len()];
                let entry = json!({
                    "tenant": "contoso.com", "policy": "open", "stand_in": format!("{scenario}?approve=20ms"),
                });
                (format!("S{number}"), entry)
            })
            .collect();
        let file = json!({ "connections": entries }).to_string();
        fs::write(daemon.path("connections.json"), file).expect("the folder can be written");
        assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
        Self { daemon, sessions }
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> BufReader<UnixStream> {
        let body = body.to_string();
        let line = format!("{method} {path} HTTP/1.0");
        let stream = door::send(&self.daemon.socket(), &line, "", body.as_bytes());
        stream
            .set_read_timeout(Some(STUCK))
            .expect("a socket has a timeout");
        BufReader::new(stream)
    }

    fn whole(&self, method: &str, path: &str, body: &Value) -> String {
        let mut answer = Vec::new();
        self.request(method, path, body)
            .read_to_end(&mut answer)
            .expect("the daemon answers");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// One command in one session; returns how it ended.
    fn command(&self, random: &mut Random) -> String {
        let session = random.below(self.sessions);
        let manner = match random.below(10) {
            0 | 1 => Manner::Cancels,
            2 => Manner::Leaves,
            _ => Manner::Waits,
        };
        let command = match (SCENARIOS[session % SCENARIOS.len()], random.below(40)) {
            ("crash", 0) => "Stop-Stand -Signal 9".to_owned(),
            ("crash", 1) => "Stop-Stand -Midway".to_owned(),
            ("flood", 0..8) => "Get-Flood -Megabytes 1".to_owned(),
            ("flood", 8) => "Get-Flood -Megabytes 3".to_owned(),
            (_, 0..10) => format!("Start-Sleep -Milliseconds {}", random.below(300)),
            (_, number) => format!("1..{number}"),
        };
        let order = json!({
            "connection": format!("S{session}"), "module": "exo", "command": command, "on_disconnect": "stop",
        });
        let mut events = self.request("POST", "/v1/runs", &order);
        let mut line = String::new();
        let mut last = String::new();
        let mut told = false;
        loop {
            line.clear();
            let read = events.read_line(&mut line).expect("nothing is stuck");
            if read == 0 {
                break;
            }
            if !line.starts_with('{') {
                continue;
            }
            last.clone_from(&line);
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            let id = event["run"]["id"].as_str();
            match (manner, id) {
                (Manner::Leaves, Some(_)) => return "left".to_owned(),
                (Manner::Cancels, Some(id)) if !told => {
                    told = true;
                    self.whole("POST", &format!("/v1/runs/{id}/stop"), &json!({}));
                }
                _ => {}
            }
        }
        let event: Value = serde_json::from_str(&last).unwrap_or_default();
        match event["run"]["end"]["outcome"].as_str() {
            Some(outcome) => outcome.to_owned(),
            // Refused before it was a run, as when eight wait already.
            None => event["error"]["code"].as_str().unwrap_or("cut").to_owned(),
        }
    }
}

/// What a daemon holds, from `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holdings {
    descriptors: usize,
    threads: usize,
    children: usize,
    resident_kib: usize,
}

impl Holdings {
    fn of(pid: u32) -> Self {
        let proc = PathBuf::from(format!("/proc/{pid}"));
        let status = fs::read_to_string(proc.join("status")).expect("it lives");
        let number = |name: &str| -> usize {
            let line = status.lines().find(|line| line.starts_with(name));
            let word = line.and_then(|line| line.split_whitespace().nth(1));
            word.expect("proc(5)").parse().expect("a number")
        };
        let children = fs::read_dir(proc.join("task"))
            .expect("it lives")
            .flatten()
            .map(|task| {
                let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
                children.split_whitespace().count()
            })
            .sum();
        Self {
            descriptors: fs::read_dir(proc.join("fd")).expect("it is ours").count(),
            threads: number("Threads:"),
            children,
            resident_kib: number("VmRSS:"),
        }
    }
}

#[test]
#[ignore = "takes ten minutes; see the top of this file"]
#[expect(
    clippy::print_stderr,
    reason = "its figures are what it is run for by hand"
)]
fn soak() {
    let sessions = size("MM_SOAK_SESSIONS", 50);
    let commands = size("MM_SOAK_COMMANDS", 10_000);
    let within = Duration::from_secs(size("MM_SOAK_SECONDS", 600) as u64);
    let seed = size("MM_SOAK_SEED", std::process::id() as usize | 1) as u64;
    eprintln!("seed {seed}");
    let soak = Soak::start(sessions);
    let pid = soak.daemon.pid().expect("it wrote its lock file");
    let before = Holdings::of(pid);
    let begun = Instant::now();
    let count = AtomicUsize::new(0);
    let outcomes = Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let warm = Mutex::new(None);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (soak, count, outcomes, warm) = (&soak, &count, &outcomes, &warm);
            scope.spawn(move || {
                let mut random = Random(seed.wrapping_mul(client as u64 * 2 + 1) | 1);
                while begun.elapsed() < within {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    if number >= commands {
                        break;
                    }
                    let outcome = soak.command(&mut random);
                    *outcomes
                        .lock()
                        .expect("no client fails")
                        .entry(outcome)
                        .or_default() += 1;
                    // By then every session has been there.
                    if number == commands / 3 {
                        *warm.lock().expect("no client fails") = Some(Holdings::of(pid));
                    }
                }
            });
        }
    });
    let done = count.into_inner().min(commands);
    let took = begun.elapsed();
    let outcomes = outcomes.into_inner().expect("no client failed");
    wait_for("an end to every run", || {
        let list = soak.whole("GET", "/v1/runs?limit=1000", &json!({}));
        let body = list.split("\r\n\r\n").nth(1).unwrap_or_default();
        let runs: Value = serde_json::from_str(body).unwrap_or_default();
        let runs = runs["runs"].as_array()?;
        runs.iter().all(|run| run["state"] == "ended").then_some(())
    });
    let loaded = Holdings::of(pid);
    for number in 0..sessions {
        let which = json!({"connection": format!("S{number}"), "module": "exo", "force": true});
        soak.whole("POST", "/v1/sessions/disconnect", &which);
    }
    let after = wait_for("a daemon that holds what it held before", || {
        let now = Holdings::of(pid);
        // Threads for blocking work go after ten seconds without any.
        let same = now.children == 0
            && now.descriptors <= before.descriptors + 2
            && now.threads <= before.threads;
        same.then_some(now)
    });
    eprintln!(
        "{done} commands over {sessions} sessions in {took:.0?}: {outcomes:?}\nbefore {before:?}\nwarm   {:?}\nloaded {loaded:?}\nafter  {after:?}",
        warm.lock().expect("no client failed"),
    );
    if let Some(warm) = *warm.lock().expect("no client failed") {
        let grown = loaded.resident_kib.saturating_sub(warm.resident_kib);
        assert!(grown < 32 * 1024, "memory grew by {grown} KiB");
    }
    assert!(
        outcomes
            .get("succeeded")
            .is_some_and(|count| *count > done / 3)
    );
    // Output over 1 MiB has a file, and only that.
    let database =
        rusqlite::Connection::open(soak.daemon.path("state/mm.db")).expect("it is there");
    let known: usize = database
        .query_row("SELECT count(output_file) FROM runs", [], |row| row.get(0))
        .expect("it can be read");
    let files = fs::read_dir(soak.daemon.path("state/runs"))
        .expect("it is there")
        .count();
    assert_eq!(files, known, "files of output");
}
