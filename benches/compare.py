#!/usr/bin/env python3
"""The engine beside its peers, on this machine, in one call: the peer harness with `mm` in it, what the harness does not
measure, and a table of goals at the end. Prints Markdown. Leave the machine alone meanwhile.

  BENCH_DIR=DIR benches/compare.py [--setup] [--rounds N] [--peer-rounds N] [--quick]

BENCH_DIR is the folder of the harness (`run.py`, see its README). BENCH_WORK takes what is built and generated, about
1 GB (default: target/compare). Needs a C compiler, cargo, expect, node with npm, and python3 with venv; --setup installs
the peers by name into BENCH_WORK, once.

The goals are ratios between our engine and the limits of the machine, so those are measured first, in turn, in --rounds
rounds. All engines follow, in --peer-rounds rounds; one that needs too long for a case is dropped from the larger ones.
--quick is for trying it out: one round, without the peers."""

import argparse, json, os, platform, statistics, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = Path(os.environ.get("BENCH_WORK", ROOT / "target/compare")).resolve()
DATA, HARNESS_TARGET = WORK / "data", WORK / "harness"
PEERS = {"pexpect": "4.9.0", "node-pty": "1.1.0"}
OURS = ["LIMIT pty read", "LIMIT one epoll", "LIMIT bash pty", "proto tokio1", "mm"]
ALL = [*OURS, "LIMIT pty read+keep", "pty-process+memmem", "portable-pty+memmem", "expectrl", "expectrl-async", "rexpect",
       "pexpect", "pexpect-nodelay", "pexpect-tuned", "Tcl expect", "Tcl expect-lines", "node-pty naive", "node-pty tuned"]


def sh(*argv, **options):
    return subprocess.run([str(word) for word in argv], check=True, **options)


def setup(harness):
    """Installs and builds what is compared."""
    WORK.mkdir(parents=True, exist_ok=True)
    sh(sys.executable, "-m", "venv", WORK / "venv")
    sh(WORK / "venv/bin/pip", "install", "--quiet", f"pexpect=={PEERS['pexpect']}")
    (WORK / "node").mkdir(exist_ok=True)
    sh("npm", "install", "--silent", "--prefix", WORK / "node", f"node-pty@{PEERS['node-pty']}")
    target = {**os.environ, "CARGO_TARGET_DIR": str(HARNESS_TARGET)}
    for manifest in (harness / "Cargo.toml", harness / "expectrl-async/Cargo.toml"):
        sh("cargo", "build", "--release", "--locked", "--manifest-path", manifest, env=target)
    sh(sys.executable, harness / "gen.py", DATA)


def build():
    """Builds `mm` and its engine's program; gives the paths of both."""
    said = sh("cargo", "build", "--release", "--locked", "--bench", "peers", "--bin", "mm", "--message-format", "json",
              cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    artifacts = [json.loads(line) for line in said.splitlines()]
    paths = {a["target"]["name"]: a["executable"] for a in artifacts if a.get("executable")}
    return paths["mm"], paths["peers"]


def records(path):
    """20 MiB of mailboxes, 256 a line, as PowerShell's records carry them."""
    if path.exists():
        return
    with open(path, "w") as out:
        while out.tell() < 20 << 20:
            out.write(json.dumps([{
                "DisplayName": f"User {n}", "PrimarySmtpAddress": f"user{n}@contoso.com", "ItemCount": n * 7919,
                "WhenCreated": f"2025-11-{1 + n % 28:02}T10:00:00Z", "Enabled": True, "Notes": 'café "quoted" \\ path',
                "EmailAddresses": [f"SMTP:user{n}@contoso.com", f"smtp:u{n}@contoso.onmicrosoft.com"],
            } for n in range(256)], ensure_ascii=False) + "\n")


def measure(*argv, **extra):
    """One run of a program that prints one JSON line."""
    said = sh(*argv, stdout=subprocess.PIPE, text=True, env={**os.environ, **extra}).stdout
    return json.loads(said.splitlines()[-1])


def out_bytes(path):
    text = path.read_bytes()
    return len(text) + text.count(b"\n") + 2


def whole_way(mm, peers, rounds):
    """A run through the daemon, from one client and as a process each: medians in microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "modules").mkdir()
        (folder / "modules/local.yaml").write_text("module: local\ntitle: bash\nshell: bash\n")
        (folder / "connections.json").write_text('{"connections": {"Bench": {"tenant": "contoso.com"}}}')
        there = {"MM_STATE_DIR": str(folder / "state"), "MM_SOCKET": str(folder / "mm.sock"),
                 "MM_CONNECTIONS": str(folder / "connections.json"), "MM_MODULES": str(folder / "modules"),
                 "MM_CONFIG": str(folder / "config.yaml"), "HOME": str(folder)}
        run = [mm, "run", "-c", "Bench", "-m", "local", "echo x"]
        environment = {**os.environ, **there}
        folder.chmod(0o700)
        try:
            sh(*run, env=environment, stdout=subprocess.DEVNULL)
            client = [measure(peers, "way", 2000, "Bench", "local", **there)["p50_us"] for _ in range(rounds)]
            processes = []
            for _ in range(50):
                start = time.perf_counter()
                sh(*run, env=environment, stdout=subprocess.DEVNULL)
                processes.append((time.perf_counter() - start) * 1e6)
            return statistics.median(client), statistics.median(processes)
        finally:
            subprocess.run([mm, "daemon", "stop", "--force"], env=environment, stdout=subprocess.DEVNULL)


class Raw:
    """The harness's raw figures."""

    def __init__(self, path):
        self.rows = [json.loads(line) for line in path.read_text().splitlines()]

    def rounds(self, section, case, engine):
        return {row["round"]: row for row in self.rows if row.get("ok", True)
                and (row["section"], row["case"], row["engine"]) == (section, case, engine)}

    def ratio(self, section, case, key, limit, engine="mm"):
        """The median of the ratios taken round by round."""
        ours, theirs = self.rounds(section, case, engine), self.rounds(section, case, limit)
        ratios = [ours[n][key] / theirs[n][key] for n in ours if n in theirs and key in ours[n] and theirs[n].get(key)]
        return statistics.median(ratios) if ratios else float("nan")

    def median(self, section, case, key, engine="mm"):
        values = [row[key] for row in self.rounds(section, case, engine).values() if key in row]
        return statistics.median(values) if values else float("nan")


def goals(raw, own):
    """Rows of (number, work, [(what, value, goal)])."""
    def pair(case, wall, cpu):
        return [("wall", raw.ratio("throughput", case, "s", "LIMIT pty read"), wall),
                ("CPU", raw.ratio("throughput", case, "cpu_s", "LIMIT pty read"), cpu)]
    growth = raw.median("throughput", "plain-100", "s") / raw.median("throughput", "plain-10", "s")
    p50 = raw.median("latency", "echo", "p50_us")
    beyond = raw.median("throughput", "plain-100", "rss_kb") / 1024 - (DATA / "plain-100.txt").stat().st_size / (1 << 20)
    return [
        ("G1", "10 MiB plain, 20 patterns", pair("plain-10", 1.2, 1.4)),
        ("G2", "100 MiB plain", [*pair("plain-100", 1.2, 1.4), ("t(100)/t(10)", growth, 12)]),
        ("G3", "10 MiB full of escapes", pair("ansi-10", 1.25, 1.5)),
        ("G4", "lines of 1 MiB, 20 patterns", pair("long-10", 1.25, 2.0)),
        ("G5", "peak RSS at 100 MiB, MB", [("beyond the output", beyond, 10), ("with a file", own["file_mb"], 16)]),
        ("G6", "`echo x` in bash", [(what, raw.ratio("latency", "echo", key, "LIMIT bash pty"), goal) for what, key, goal in
                                    (("p50", "p50_us", 1.2), ("p99", "p99_us", 1.3), ("CPU", "cpu_us", 1.5))]),
        ("G7", "8 streams at once", [("wall", raw.ratio("streams", "", "s", "LIMIT one epoll"), 0.8),
                                     ("CPU", raw.ratio("streams", "", "cpu_s", "LIMIT one epoll"), 1.1)]),
        ("G8", "1,000 sessions", [("ms to start one", raw.median("many", "1000", "spawn_s"), 0.8),
                                  ("KB each", raw.median("many", "1000", "kb_per_session"), 4),
                                  ("p50 to that with 200", raw.median("many", "1000", "p50_us") / raw.median("many", "200", "p50_us"), 1.25)]),
        ("G9", "a start while 500 MB are held", [("to one with none", own["spawn"], 1.3)]),
        ("G10", "the whole way through the daemon", [("p50 to G6's", own["way_us"] / p50, 2.5), ("ms a process", own["process_us"] / 1e3, 10)]),
        ("G11", "20 MiB of records, MB/s", [("at least", own["records"], -150)]),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setup", action="store_true")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if "BENCH_DIR" not in os.environ:
        parser.error("BENCH_DIR names no folder of the harness")
    harness = Path(os.environ["BENCH_DIR"]).resolve()
    if arguments.setup:
        setup(harness)
    mm, peers = build()
    records(DATA / "records-20.jsonl")
    rounds = 1 if arguments.quick else arguments.rounds
    os.environ.update(CARGO_TARGET_DIR=str(HARNESS_TARGET), BENCH_DATA=str(DATA), BENCH_MM=peers,
                      BENCH_PYTHON=str(WORK / "venv/bin/python"), BENCH_NODE_DIR=str(WORK / "node"))

    version = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Linux {platform.release()}, {version}, "
          + ", ".join(f"{name} {number}" for name, number in PEERS.items())
          + f"; {rounds} rounds, {arguments.peer_rounds} of the peers\n", flush=True)
    raw_file = WORK / f"raw-{int(time.time())}.jsonl"

    def run(engines, rounds, limit, *sections, raw=()):
        sh(sys.executable, harness / "run.py", *sections, "--rounds", rounds, "--limit", limit, "--only", ",".join(engines), *raw)

    print("## Our engine and the limits\n", flush=True)
    kept = ("--raw", raw_file)
    run(OURS, rounds, 60, "throughput", "--cases", "plain-10,ansi-10,long-10,plain-100", raw=kept)
    run(OURS, rounds, 60, "streams", "latency", "many", raw=kept)
    # The harness sets the patterns for its own runs.
    os.environ["BENCH_PATTERNS"] = str(harness / "patterns.txt")
    plain = DATA / "plain-100.txt"
    own = {"file_mb": measure(peers, "throughput", plain, out_bytes(plain), BENCH_MEMORY=str(1 << 20))["rss_kb"] / 1024}
    starts = [(measure(peers, "spawn", 100, 0)["p50_us"], measure(peers, "spawn", 100, 500)["p50_us"]) for _ in range(rounds)]
    own["spawn"] = statistics.median(held / free for free, held in starts)
    own["records"] = statistics.median(measure(peers, "records", DATA / "records-20.jsonl")["mb_s"] for _ in range(rounds))
    own["way_us"], own["process_us"] = whole_way(mm, peers, rounds)

    print("### Goals\n\n| # | work | figures | goals | met |\n|---|---|---|---|---|")
    for number, work, figures in goals(Raw(raw_file), own):
        # A goal below zero is a floor.
        met = all(value >= -goal if goal < 0 else value <= goal for _, value, goal in figures)
        said = ", ".join(f"{what} {value:.3g}" for what, value, _ in figures)
        print(f"| {number} | {work} | {said} | {', '.join(f'{abs(goal):g}' for _, _, goal in figures)} | {'yes' if met else 'no'} |")

    if not arguments.quick:
        print("## All engines\n", flush=True)
        run(ALL, arguments.peer_rounds, 20, "throughput", "--cases", "plain-10,ansi-10,long-10,plain-100")
        run(ALL, arguments.peer_rounds, 20, "match", "--cases", "match-10,matchlong-10")
        run(ALL, arguments.peer_rounds, 30, "latency", "many")


if __name__ == "__main__":
    main()
