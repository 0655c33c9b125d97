#!/usr/bin/env python3
"""Writes down which functions a server for an assistant needs, so that the linker puts them beside each other.

    cargo build --release && deploy/layout/trace.py && cargo build --release && benches/mcp.py

The kernel maps 64 KiB of a program around each page that is touched. What `mm mcp` needs lies all over a program of 20 MB, so
that half of it would count as memory of every server. Needs valgrind and nm. It starts a daemon in a folder of its own."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "trace", "version": "1"}}

HEAD = """\
/* What `mm mcp` needs from its start to its first calls, beside each other; then, for a compiler that gives other hashes,
   all that has the same names. Written by deploy/layout/trace.py; see there.
   A name that is not found changes nothing but the memory of a server, which benches/mcp.py holds below a ceiling. */
SECTIONS
{
  .text.mcp :
  {
"""
TAIL = """\
  }
}
INSERT BEFORE .text;
"""


def called(mm, folder):
    """The names of the functions that are called from the start of a server to its end."""
    env = {"HOME": folder, "PATH": "/usr/bin:/bin", "MM_STATE_DIR": f"{folder}/state", "MM_SOCKET": f"{folder}/mm.sock"}
    profile = f"{folder}/calls"
    trace = ["valgrind", "--quiet", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={profile}"]
    subprocess.run([mm, "daemon", "start"], env=env, check=True)
    try:
        with subprocess.Popen([*trace, mm, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as server:

            def ask(number, method, params):
                request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
                server.stdin.write(json.dumps(request).encode() + b"\n")
                server.stdin.flush()
                answer = json.loads(server.stdout.readline())
                if answer.get("id") != number or "result" not in answer:
                    raise AssertionError(answer)

            ask(1, "initialize", HELLO)
            server.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
            ask(2, "tools/list", {})
            ask(3, "tools/call", {"name": "status", "arguments": {}})
            server.stdin.close()
    finally:
        subprocess.run([mm, "daemon", "stop"], env=env, check=True)
    text = pathlib.Path(profile).read_text(encoding="utf-8")
    return {re.sub(r"'\d+$", "", name) for name in re.findall(r"^c?fn=\(\d+\) (\S+)", text, re.MULTILINE)}


def pattern(name):
    """A function's section, without the hashes that change from build to build."""
    name = re.sub(r"\.llvm\.\d+$", "", name)
    if name.startswith("_ZN"):
        return re.sub(r"17h[0-9a-f]{16}E$", "17h", name) + "*"
    return re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name) + "*"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mm", nargs="?", default=HERE.parent.parent / "target/release/mm")
    mm = str(parser.parse_args().mm)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        names = called(mm, folder)
    known = subprocess.run(["nm", "--defined-only", mm], check=True, capture_output=True, text=True).stdout
    rust = {line.split()[-1] for line in known.splitlines() if re.search(r" [tTwW] _(ZN|R)", line)}
    exact = sorted({re.sub(r"\.llvm\.\d+$", "", name) + "*" for name in names & rust})
    loose = sorted({pattern(name) for name in names & rust}.difference(exact))
    lines = "".join(f"    *(.text.{one})\n" for one in exact + loose)
    (HERE / "start.ld").write_text(HEAD + lines + TAIL, encoding="ascii")
    print(f"{len(exact)} functions, {len(loose)} names without a hash: {HERE / 'start.ld'}")


main()
