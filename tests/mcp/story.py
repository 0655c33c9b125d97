"""The story that every client tells, in Python: `story.json`, step by step. A client brings five verbs; the checks are here.
`story.mjs` is the same for JavaScript."""

import json
import os
import re
import signal


class Story:
    """`told` counts what was checked; a step that goes wrong raises with its number."""

    def __init__(self, client, path, lock):
        self.client, self.lock, self.told, self.kept = client, lock, 0, {}
        with open(path, encoding="utf-8") as file:
            self.steps = json.load(file)

    async def tell(self):
        for number, step in enumerate(self.steps, 1):
            try:
                await getattr(self, "do_" + step["do"])(step)
            except Exception as error:
                raise AssertionError(f"step {number} {json.dumps(step)}: {error}") from error

    def check(self, true, what):
        if not true:
            raise AssertionError(what)
        self.told += 1

    def says(self, step, text):
        for wanted in step.get("says", []):
            self.check(re.search(wanted, text), f"no {wanted!r} in:\n{text}")
        for name, pattern in step.get("keep", {}).items():
            self.kept[name] = re.search(pattern, text).group(1)

    def filled(self, arguments):
        return {key: self.kept[value[1:]] if str(value).startswith("$") else value for key, value in arguments.items()}

    async def do_tools(self, step):
        tools = await self.client.tools()
        self.check(tools == step["are"], f"the tools are {tools}")

    async def do_call(self, step):
        numbers = []

        async def progress(number, message):
            numbers.append(number)
            self.check(len(message) <= 200, f"a long progress message: {message}")

        watch = progress if step.get("progress") else None
        failed, text = await self.client.call(step["tool"], self.filled(step["with"]), watch)
        self.check(failed == step.get("fails", False), f"isError is {failed}:\n{text}")
        self.says(step, text)
        if watch:
            self.check(numbers and numbers == sorted(set(numbers)), f"progress does not rise: {numbers}")

    async def do_cancel(self, step):
        """Progress says that it runs; then the caller loses interest."""
        self.check(await self.client.cancelled(step["tool"], self.filled(step["with"])), "it was not cancelled")

    async def do_kill(self, step):
        async def progress(_number, _message):
            if not self.kept.get("killed"):
                self.kept["killed"] = "yes"
                with open(self.lock, encoding="ascii") as file:
                    os.kill(int(file.read()), signal.SIGKILL)

        failed, text = await self.client.call(step["tool"], self.filled(step["with"]), progress)
        self.check(failed, text)
        self.says(step, text)

    async def do_read(self, step):
        self.says(step, await self.client.read(step["uri"]))
