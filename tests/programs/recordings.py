"""Writes the sessions of the real programs that `mm modules test` plays: `MM_RECORD=FOLDER tests/programs/run recordings`.

`mm` records runs, and a sign-in is none. So the commands of the module's file are sent as runs, in the module without its
`sign_in`, and their recordings are joined. `mm` redacts each as it writes it.
"""

import json
import os
import pathlib
import re
import unittest

import stories

MODULES = pathlib.Path(__file__).resolve().parents[2] / "modules.d"


def command(module, key):
    """A command of a module's file, with the connection's values in it."""
    text = (MODULES / f"{module}.yaml").read_text()
    if key == "identity":
        found = re.search(r"identity:\n(?: *#.*\n)* *command: (.*)", text)
    else:
        found = re.search(rf"^ *{key}: (.*)$", text, re.MULTILINE)
    values = {"tenant_id": stories.CONTOSO[0], "app_id": stories.APP}
    return re.sub(r"\{(\w+)\}", lambda hole: values[hole[1]], found[1])


def joined(title, parts):
    """Recordings as one: a second lies between the end of one and the beginning of the next."""
    lines, after = [], 0.0
    for part in parts:
        header, *events = [json.loads(line) for line in part.read_text().splitlines()]
        if not lines:
            header.pop("timestamp", None)
            lines.append({**header, "title": title})
        end = after
        for at, kind, data in events:
            end = after + at
            lines.append([round(end, 4), kind, data])
        after = end + 1
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


class Recorder(stories.Told):
    """What is recorded of `program`."""

    def setUp(self):
        super().setUp()
        self.number = 0
        module = self.program.module
        text = (MODULES / f"{module}.yaml").read_text()
        bare = re.sub(r"^sign_in:\n.*?(?=^notes:)", "", text, flags=re.MULTILINE | re.DOTALL)
        folder = self.world.root / "modules"
        folder.mkdir()
        (folder / f"{module}.yaml").write_text(bare)

    def record(self, case, about, *commands):
        """Runs the commands and writes the recording of a case."""
        parts, module = [], self.program.module
        for text in commands:
            self.number += 1
            part = self.world.root / f"{self.number}.cast"
            said = self.world.person("run", "-c", "Contoso", "-m", module, "--record", str(part), text)
            self.assertTrue(part.exists(), said)
            parts.append(part)
        folder = pathlib.Path(os.environ["MM_RECORD"]) / module
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{module}-{case}.cast").write_text(joined(f"{self.program.version}: {about}", parts))

    def of(self, *keys):
        return [command(self.program.module, key) for key in keys]

    def test_recordings(self):
        self.contoso.outcome = "approved"
        self.record(
            "session", "nobody is signed in, sign in, prove, run, sign out",
            *self.of("restore", "connect", "identity", "proof"), self.program.ask, *self.of("disconnect"), self.program.ask,
        )
        for outcome in "declined", "expired", "blocked":
            self.contoso.outcome = outcome
            self.record(outcome, f"the sign-in is {outcome}", *self.of("connect"))
        self.contoso.outcome = "approved"
        self.mm("run", command(self.program.module, "connect"))
        self.contoso.revoke()
        self.record("revoked", "the sign-in is revoked", self.program.ask, *self.of("restore"))


class AzRecordings(Recorder, unittest.TestCase):
    program = stories.Az


class M365Recordings(Recorder, unittest.TestCase):
    program = stories.M365


