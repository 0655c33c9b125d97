#!/usr/bin/env python3
"""What a server for an assistant costs: from its start to its first answer, and its memory when it has listed its tools.

    cargo build --release && benches/mcp.py [--runs N] [MM]

Exits with 1 where a ceiling is passed. There is no daemon and none is started. A busy machine makes the time longer, not the
memory larger."""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

# What is promised: milliseconds and kibibytes.
START, RESIDENT = 15, 8 << 10

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def measure(mm, folder):
    """Milliseconds from the start to the first answer, and the memory after the list, by kind."""
    env = {"HOME": folder, "PATH": "/usr/bin:/bin", "MM_STATE_DIR": f"{folder}/state", "MM_SOCKET": f"{folder}/mm.sock"}
    began = time.perf_counter()
    with subprocess.Popen([mm, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as server:

        def ask(number, method, params):
            request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            server.stdin.write(json.dumps(request).encode() + b"\n")
            server.stdin.flush()
            answer = json.loads(server.stdout.readline())
            if answer.get("id") != number or "result" not in answer:
                raise AssertionError(answer)

        ask(1, "initialize", HELLO)
        took = (time.perf_counter() - began) * 1000
        server.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        ask(2, "tools/list", {})
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
        memory = {name: int(number) for name, number in re.findall(r"(VmRSS|RssAnon|RssFile):\s+(\d+) kB", status)}
        server.stdin.close()
        server.wait(10)
    return took, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("mm", nargs="?", default=pathlib.Path(__file__).parent.parent / "target/release/mm")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [measure(arguments.mm, folder) for _ in range(arguments.runs)]
    start = statistics.median(took for took, _ in runs)
    memory = max((memory for _, memory in runs), key=lambda memory: memory["VmRSS"])
    print(f"start to first answer  {start:.1f} ms (median of {len(runs)}; {START} allowed)")
    print(f"resident               {memory['VmRSS']} KiB ({RESIDENT} allowed)")
    print(f"  of it its own        {memory['RssAnon']} KiB; the rest is text, shared by all that run")
    return 0 if start <= START and memory["VmRSS"] <= RESIDENT else 1


sys.exit(main())
