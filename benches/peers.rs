//! One engine among its peers: the sub-commands that the peer harness asks of each (see the README, "How fast it is"), done
//! by the product's own sessions. Prints one JSON line.
//!
//! ```text
//! peers throughput FILE OUT_BYTES    one run prints FILE; the patterns of $BENCH_PATTERNS race over it, the output is kept
//! peers match FILE                   the same, until the first pattern is found in FILE's end
//! peers latency N                    N runs of `echo x`
//! peers many N                       N sessions of `cat -E` at once
//! peers streams K FILE OUT_BYTES     K sessions print FILE at once, on two threads
//! peers spawn N MEGABYTES            N starts of a session, one after the other, while so much memory is held
//! peers way N CONNECTION MODULE       N runs of `echo x` through the daemon of $MM_SOCKET and $MM_STATE_DIR
//! peers memory FILE                  the machine alone: FILE in reads of a terminal's size, through throughput's work
//! peers records FILE                 the machine alone: FILE's lines, each a batch of objects, as PowerShell's records
//! ```
//!
//! `OUT_BYTES` is what goes through the terminal. The output is compared with the file when the clock has stopped.
//! `BENCH_MEMORY` is the number of bytes that are kept in memory, the rest goes to a file; it is unlimited otherwise.

#![expect(clippy::print_stdout, reason = "the harness reads what is printed")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mm::bench::{Door, Fault, Keep, Machine, Output, Patterns, Session, Shell, raise_file_limit};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

/// bash as the peers drive it: no bootstrap, the command as it is, the marker by `printf`.
const BASH: &str = r#"
shell: plain
title: bash, as the peers drive it
start: { program: bash, arguments: [--noprofile, --norc, --noediting] }
environment: { private_home: false, keep: [PATH], set: { PS1: "", PS2: "", TERM: dumb } }
terminal: { columns: 200, rows: 24, echo: false, canonical: true }
frame: { encoding: plain, close: "{command}; printf '@@XEND:%s:%d@@\\n' {nonce} $?\n" }
markers: { end: "@@XEND:{nonce}:{exit}@@" }
quoting: posix
"#;

/// A program that answers each line with that line, and a `$` behind it.
const CAT: &str = r#"
shell: cat
title: cat -E
start: { program: cat, arguments: [-E] }
environment: { private_home: false, keep: [PATH] }
terminal: { columns: 200, rows: 24, echo: false, canonical: true }
frame: { encoding: plain, close: "{command}@@XEND:{nonce}@@\n" }
markers: { end: "@@XEND:{nonce}@@" }
quoting: posix
"#;

/// What PowerShell says when it has booted.
const BOOTED: &str = "<<mm:out:boot>>\r\n<<mm:end:boot:ok::>>\r\n";

/// How many round trips are made while all sessions are open.
const TRIPS: usize = 2000;

/// A folder that goes when the program does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Fault> {
        let path = std::env::temp_dir().join(format!("mm-bench-{}", std::process::id()));
        std::fs::create_dir_all(path.join("shells"))?;
        std::fs::write(path.join("shells/plain.yaml"), BASH)?;
        std::fs::write(path.join("shells/cat.yaml"), CAT)?;
        Ok(Self(path))
    }

    fn keep(&self, number: usize) -> Keep {
        let memory = std::env::var("BENCH_MEMORY")
            .ok()
            .and_then(|text| text.parse().ok());
        Keep {
            memory: memory.unwrap_or(usize::MAX),
            total: u64::MAX,
            file: self.0.join(format!("{number}.out")),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed lies in the folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Wall and own processor time since it was made.
struct Meter {
    wall: Instant,
    cpu: f64,
}

impl Meter {
    fn start() -> Self {
        Self {
            cpu: cpu_seconds(),
            wall: Instant::now(),
        }
    }

    fn read(&self) -> (f64, f64) {
        (self.wall.elapsed().as_secs_f64(), cpu_seconds() - self.cpu)
    }
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
    .as_secs_f64()
}

fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or_default()
}

fn current_thread() -> Result<Runtime, Fault> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

fn patterns() -> Result<Option<Patterns>, Fault> {
    let Some(path) = std::env::var_os("BENCH_PATTERNS") else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path)?;
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    Patterns::parse(&lines).map(Some)
}

/// The run that prints `file`.
fn emit(file: &str) -> Result<String, Fault> {
    let path = std::fs::canonicalize(file)?;
    Ok(format!("cat {}; printf '\\n'", path.display()))
}

/// `file` as a run's output has it: control sequences out, and the line end of the `printf`.
fn expected(file: &str) -> Result<Vec<u8>, Fault> {
    #[derive(Default)]
    struct Text(String);
    impl vte::Perform for Text {
        fn print(&mut self, c: char) {
            self.0.push(c);
        }
        fn execute(&mut self, byte: u8) {
            self.0.push(char::from(byte));
        }
    }
    let bytes = std::fs::read(file)?;
    let mut text = Text::default();
    vte::Parser::new().advance(&mut text, &bytes);
    text.0.push('\n');
    // The terminal puts a carriage return before each line feed, and a run takes one away again.
    Ok(text.0.into_bytes())
}

fn is_as_expected(output: &Output, expected: &[u8]) -> Result<bool, Fault> {
    let mut at = 0;
    while at < expected.len() {
        let page = output.read(at as u64, 1 << 20)?;
        if page.is_empty() || !expected[at..].starts_with(&page) {
            return Ok(false);
        }
        at += page.len();
    }
    Ok(output.length() == expected.len() as u64)
}

fn throughput(file: &str, bytes: &str, race: bool) -> Result<(), Fault> {
    let folder = Folder::new()?;
    let shell = Shell::load(&folder.0, "plain")?;
    let patterns = patterns()?;
    let runtime = current_thread()?;
    let output;
    let (wall, cpu);
    {
        let mut session = shell.start(runtime.handle())?;
        let keep = folder.keep(0);
        runtime.block_on(session.run("true".to_owned(), None, &keep))?;
        let meter = Meter::start();
        output = runtime.block_on(session.run(emit(file)?, patterns.as_ref(), &keep))?;
        (wall, cpu) = meter.read();
    }
    let rss = status("VmHWM");
    let ok = is_as_expected(&output, &expected(file)?)?;
    let matched = output.matched().len();
    let extra = if race {
        format!(",\"hit\":{}", u8::from(matched == 0))
    } else {
        String::new()
    };
    println!(
        "{{\"s\":{wall:.6},\"cpu_s\":{cpu:.6},\"bytes\":{bytes},\"ok\":{ok},\"rss_kb\":{rss},\"matched\":{matched}{extra}}}"
    );
    Ok(())
}

/// Percentiles of `times`, which are in microseconds.
fn latencies(mut times: Vec<f64>, cpu: f64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are a few thousand of them"
    )]
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    times.sort_by(f64::total_cmp);
    let at = |hundredth: usize| times[(times.len() - 1) * hundredth / 100];
    format!(
        "\"n\":{count},\"mean_us\":{mean:.1},\"p50_us\":{:.1},\"p95_us\":{:.1},\"p99_us\":{:.1},\"cpu_us\":{:.1},\"rss_kb\":{}",
        at(50),
        at(95),
        at(99),
        cpu * 1e6 / count,
        status("VmHWM"),
    )
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

/// The times of so many runs of `echo x`, and the processor time of all.
async fn echoes(mut session: Session, keep: Keep, count: usize) -> Result<(Vec<f64>, f64), Fault> {
    let (mut times, mut before) = (Vec::with_capacity(count), cpu_seconds());
    let warm = count / 20;
    for number in 0..count + warm {
        if number == warm {
            before = cpu_seconds();
        }
        let start = Instant::now();
        let output = session.run("echo x".to_owned(), None, &keep).await?;
        if number >= warm {
            times.push(micros(start));
        }
        if output.read(0, 10)? != b"x\n" {
            return Err("`echo x` said something else".into());
        }
    }
    Ok((times, cpu_seconds() - before))
}

fn latency(count: usize) -> Result<(), Fault> {
    let folder = Folder::new()?;
    let shell = Shell::load(&folder.0, "plain")?;
    let runtime = current_thread()?;
    let session = shell.start(runtime.handle())?;
    // A task beside the session's: `block_on` itself is woken through a descriptor, as from another thread.
    let task = runtime.spawn(echoes(session, folder.keep(0), count));
    let (times, cpu) = runtime.block_on(task)??;
    println!("{{{}}}", latencies(times, cpu));
    Ok(())
}

async fn ping(session: &mut Session, word: &str, keep: &Keep) -> Result<(), Fault> {
    session
        .run(word.to_owned(), None, keep)
        .await
        .and_then(|output| {
            if output.read(0, 100)? == word.as_bytes() {
                Ok(())
            } else {
                Err("`cat` said something else".into())
            }
        })
}

fn many(count: usize) -> Result<(), Fault> {
    raise_file_limit()?;
    let folder = Folder::new()?;
    let shell = Shell::load(&folder.0, "cat")?;
    let runtime = current_thread()?;
    let keep = folder.keep(0);
    let empty = status("VmRSS");
    let start = Instant::now();
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        sessions.push(shell.start(runtime.handle())?);
    }
    let spawn = start.elapsed().as_secs_f64();
    let line = runtime.block_on(async {
        for (number, session) in sessions.iter_mut().enumerate() {
            ping(session, &format!("ping-{number}"), &keep).await?;
        }
        let (full, threads) = (status("VmRSS"), status("Threads"));
        let (mut times, before) = (Vec::with_capacity(TRIPS), cpu_seconds());
        for trip in 0..TRIPS {
            let number = trip * 7919 % count;
            let start = Instant::now();
            ping(&mut sessions[number], "ping", &keep).await?;
            times.push(micros(start));
        }
        let cpu = cpu_seconds() - before;
        let start = Instant::now();
        let tasks: Vec<_> = std::mem::take(&mut sessions)
            .into_iter()
            .map(|mut session| {
                let keep = keep.clone();
                tokio::spawn(async move { ping(&mut session, "fan", &keep).await.map(|()| session) })
            })
            .collect();
        for task in tasks {
            sessions.push(task.await??);
        }
        let fan = micros(start) / 1e3;
        #[expect(clippy::cast_precision_loss, reason = "kilobytes of one process")]
        let each = full.saturating_sub(empty) as f64 / count as f64;
        Ok::<_, Fault>(format!(
            "{{{},\"spawn_s\":{spawn:.4},\"kb_per_session\":{each:.2},\"threads\":{threads},\"fan_ms\":{fan:.2}}}",
            latencies(times, cpu),
        ))
    })?;
    println!("{line}");
    Ok(())
}

/// The times of so many starts while `megabytes` are resident.
fn spawn(count: usize, megabytes: usize) -> Result<(), Fault> {
    raise_file_limit()?;
    let held = vec![1_u8; megabytes << 20];
    let folder = Folder::new()?;
    let shell = Shell::load(&folder.0, "cat")?;
    let runtime = current_thread()?;
    let (mut times, mut sessions) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let before = cpu_seconds();
    for _ in 0..count {
        let start = Instant::now();
        sessions.push(shell.start(runtime.handle())?);
        times.push(micros(start));
    }
    let cpu = cpu_seconds() - before;
    std::hint::black_box(&held);
    println!("{{{}}}", latencies(times, cpu));
    Ok(())
}

/// The runs of one thread: so many sessions, all at once.
async fn stream(
    shell: Shell,
    count: usize,
    command: String,
    folder: &Path,
    at: std::sync::Arc<std::sync::Barrier>,
) -> Result<Vec<Output>, Fault> {
    let mut sessions = Vec::new();
    let keep = |number: usize| Keep {
        memory: usize::MAX,
        total: u64::MAX,
        file: folder.join(format!("{number}.out")),
    };
    for number in 0..count {
        let mut session = shell.start(&tokio::runtime::Handle::current())?;
        session.run("true".to_owned(), None, &keep(number)).await?;
        sessions.push(session);
    }
    // Once to say that all are ready, and once to wait for the clock.
    at.wait();
    at.wait();
    let tasks: Vec<_> = sessions
        .into_iter()
        .enumerate()
        .map(|(number, mut session)| {
            let (command, keep) = (command.clone(), keep(number));
            tokio::spawn(async move { session.run(command, None, &keep).await })
        })
        .collect();
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await??);
    }
    Ok(outputs)
}

fn streams(count: usize, file: &str, bytes: u64) -> Result<(), Fault> {
    let folder = Folder::new()?;
    let shell = Shell::load(&folder.0, "plain")?;
    let command = emit(file)?;
    let barrier = std::sync::Arc::new(std::sync::Barrier::new(3));
    let (outputs, (wall, cpu)) = std::thread::scope(|scope| {
        let threads: Vec<_> = [count / 2, count - count / 2]
            .into_iter()
            .map(|share| {
                let (shell, barrier, folder) = (shell.clone(), barrier.clone(), &folder.0);
                let command = command.clone();
                scope.spawn(move || {
                    current_thread()?.block_on(stream(shell, share, command, folder, barrier))
                })
            })
            .collect();
        barrier.wait();
        let meter = Meter::start();
        barrier.wait();
        let mut outputs = Vec::new();
        for thread in threads {
            outputs.extend(thread.join().map_err(|_| "a thread panicked")??);
        }
        Ok::<_, Fault>((outputs, meter.read()))
    })?;
    let rss = status("VmHWM");
    let expected = expected(file)?;
    let mut ok = true;
    for output in &outputs {
        ok &= is_as_expected(output, &expected)?;
    }
    let bytes = bytes * count as u64;
    println!(
        "{{\"s\":{wall:.6},\"cpu_s\":{cpu:.6},\"bytes\":{bytes},\"ok\":{ok},\"rss_kb\":{rss}}}"
    );
    Ok(())
}

/// The times of so many runs through a daemon whose session is warm.
fn way(count: usize, connection: &str, module: &str) -> Result<(), Fault> {
    let named = |name: &str| {
        let path = std::env::var_os(name).ok_or_else(|| format!("{name} is not set"))?;
        Ok::<_, Fault>(PathBuf::from(path))
    };
    let (socket, state) = (named("MM_SOCKET")?, named("MM_STATE_DIR")?);
    let (times, cpu) = current_thread()?.block_on(async {
        let door = Door::find(socket, state).await?;
        let (mut times, before) = (Vec::with_capacity(count), cpu_seconds());
        for _ in 0..count {
            let start = Instant::now();
            let output = door.run(connection, module, "echo x").await?;
            times.push(micros(start));
            if output != b"x\n" {
                return Err("`echo x` said something else".into());
            }
        }
        Ok::<_, Fault>((times, cpu_seconds() - before))
    })?;
    println!("{{{}}}", latencies(times, cpu));
    Ok(())
}

/// What a terminal gives at once.
const READ: usize = 4095;

fn memory(file: &str, boot: &str, said: &[u8], records: bool) -> Result<(), Fault> {
    let folder = Folder::new()?;
    let shell = if records {
        Shell::built_in("pwsh")?
    } else {
        Shell::load(&folder.0, "plain")?
    };
    let patterns = patterns()?;
    let keep = folder.keep(0);
    let mut machine = Machine::new(&shell, boot.as_bytes(), records, patterns.as_ref(), &keep)?;
    let meter = Meter::start();
    for read in said.chunks(READ) {
        machine.feed(read);
    }
    let (wall, cpu) = meter.read();
    if !machine.is_done() {
        return Err(format!("the run over {file} did not end well").into());
    }
    let bytes = said.len();
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let speed = bytes as f64 / 1e6 / wall;
    println!(
        "{{\"s\":{wall:.6},\"cpu_s\":{cpu:.6},\"bytes\":{bytes},\"mb_s\":{speed:.0},\"output\":{},\"records\":{},\"rss_kb\":{}}}",
        machine.length(),
        machine.records(),
        status("VmHWM"),
    );
    Ok(())
}

/// `file` as it comes out of a terminal, and the marker behind it.
fn plain_text(file: &str) -> Result<Vec<u8>, Fault> {
    let mut said = Vec::new();
    for line in std::fs::read(file)?.split_inclusive(|byte| *byte == b'\n') {
        said.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        said.extend_from_slice(b"\r\n");
    }
    said.extend_from_slice(format!("@@XEND:{}:0@@\r\n", Machine::NONCE).as_bytes());
    Ok(said)
}

/// The lines of `file` as PowerShell's bootstrap tags them.
fn tagged(file: &str) -> Result<Vec<u8>, Fault> {
    let nonce = Machine::NONCE;
    let mut said = format!("<<mm:begin:{nonce}>>\r\n");
    for line in std::fs::read_to_string(file)?.lines() {
        said.extend(["<<mm:o:", nonce, ">>", line, "\r\n"]);
    }
    said.extend(["<<mm:out:", nonce, ">>\r\n<<mm:end:", nonce, ":ok::>>\r\n"]);
    Ok(said.into_bytes())
}

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["throughput", file, bytes] => throughput(file, bytes, false),
        ["match", file] => {
            let bytes = std::fs::read(file)?;
            let through = bytes.len() + memchr::memchr_iter(b'\n', &bytes).count() + 2;
            throughput(file, &through.to_string(), true)
        }
        ["latency", count] => latency(count.parse()?),
        ["many", count] => many(count.parse()?),
        ["streams", count, file, bytes] => streams(count.parse()?, file, bytes.parse()?),
        ["spawn", count, megabytes] => spawn(count.parse()?, megabytes.parse()?),
        ["way", count, connection, module] => way(count.parse()?, connection, module),
        ["memory", file] => memory(file, "", &plain_text(file)?, false),
        ["records", file] => memory(file, BOOTED, &tagged(file)?, true),
        _ => Err("usage: peers throughput FILE OUT_BYTES | match FILE | latency N | many N | streams K FILE OUT_BYTES | spawn N MEGABYTES | way N CONNECTION MODULE | memory FILE | records FILE".into()),
    }
}
