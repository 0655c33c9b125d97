"""`mm` as its users have it: a daemon with a folder of its own, and verbs that are run to their end."""

import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile

DEADLINE = 120
"""Seconds that anything may take. Generous: a busy machine is no failure."""

APP = "11111111-2222-3333-4444-555555555555"


@dataclasses.dataclass
class Finished:
    """What a verb left when it ended."""

    code: int
    stdout: str
    stderr: str

    def json(self):
        """Standard output as JSON."""
        return json.loads(self.stdout)


class World:
    """A daemon's world. Ended by `close`, which leaves no process behind."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.connections = {}
        # A state folder that others may look into is refused.
        (self.root / "state").mkdir(mode=0o700)

    def connect(self, name, tenant, **more):
        """Writes down a connection to a tenant of the authority, with more keys than it needs."""
        self.connections[name] = {
            "tenant": tenant.account.split("@")[1], "tenantId": tenant.identifier, "expectedEmail": tenant.account, "appId": APP,
            # Nobody is there to say yes.
            "policy": "open",
            **more,
        }
        (self.root / "connections.json").write_text(json.dumps({"connections": self.connections}))

    def home(self, name, module):
        """The session's private home, which may not be there yet."""
        return self.root / "state" / "homes" / f"{module}@{name}"

    def mm(self, *arguments):
        """Runs a verb to its end, as a script does."""
        ended = subprocess.run(
            [os.environ["MM"], *arguments], input="", env=self.environment(), capture_output=True, text=True, timeout=DEADLINE,
        )
        return Finished(ended.returncode, ended.stdout, ended.stderr)

    def person(self, *arguments):
        """Runs a verb to its end as a person at a terminal does, who may also see secrets. Returns what stood there."""
        terminal, end = os.openpty()
        try:
            # A person is whoever has a controlling terminal.
            command = ["setsid", "--ctty", "--wait", os.environ["MM"], *arguments]
            subprocess.run(command, env=self.environment(), stdin=end, stdout=subprocess.DEVNULL, stderr=end, timeout=DEADLINE)
            os.set_blocking(terminal, False)
            try:
                return os.read(terminal, 65536).decode()
            except BlockingIOError:
                return ""
        finally:
            os.close(end)
            os.close(terminal)

    def environment(self):
        """All that `mm` and its daemon have."""
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.root), "TERM": "dumb",
            "MM_STATE_DIR": str(self.root / "state"), "MM_SOCKET": str(self.root / "mm.sock"),
            "MM_CONNECTIONS": str(self.root / "connections.json"), "MM_MODULES": str(self.root / "modules"),
            "REQUESTS_CA_BUNDLE": os.environ["MM_TEST_CERTIFICATE"], "NODE_EXTRA_CA_CERTS": os.environ["MM_TEST_CERTIFICATE"],
        }

    def close(self):
        """Ends the daemon and all its sessions."""
        self.mm("daemon", "stop", "--force")
        self.folder.cleanup()
