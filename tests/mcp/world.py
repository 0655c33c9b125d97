"""A world of its own for a client under test: a folder, a daemon that starts when somebody calls, and four tenants that the
stand-in plays. Nothing in it reaches further than a unix socket."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile

CONNECTIONS = {
    "Contoso": "question?approve=2s",
    "Declined": "declined?approve=1s",
    "Fabrikam": "wrong-account?approve=1s",
    "Asks": "exo?approve=1s",
}


class World:
    """Dropped by `with`: then the daemon and the folder are gone. In a patient one nobody approves a sign-in."""

    def __init__(self, mm, patient=False):
        self.mm = os.path.abspath(mm)
        self.folder = tempfile.mkdtemp(prefix="mm-clients-")
        self.connections = os.path.join(self.folder, "connections.json")
        entries = {
            name: {
                "tenant": "contoso.com",
                "tenantId": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
                "expectedEmail": "ada@contoso.com",
                "policy": "ask" if name == "Asks" else "open",
                "stand_in": scenario.split("?")[0] + "?approve=15m" if patient else scenario,
            }
            for name, scenario in CONNECTIONS.items()
        }
        with open(self.connections, "w", encoding="utf-8") as file:
            json.dump({"connections": entries}, file)
        self.places = {
            "MM_STATE_DIR": os.path.join(self.folder, "state"),
            "MM_SOCKET": os.path.join(self.folder, "run", "mm.sock"),
            "MM_CONNECTIONS": self.connections,
        }
        self.env = {
            "HOME": self.folder,
            "PATH": os.environ["PATH"],
            "TERM": "xterm",
            **self.places,
        }

    def run(self, *arguments):
        """`mm` with these arguments: its standard output. A failure raises."""
        done = subprocess.run(
            [self.mm, *arguments], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )
        if done.returncode != 0:
            raise AssertionError(f"mm {arguments} exits {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def trust(self, client):
        """From now on this client's forms count as a person's word."""
        folder = os.path.join(self.folder, ".config", "mm")
        os.makedirs(folder, mode=0o700)
        with open(os.path.join(folder, "config.yaml"), "w", encoding="utf-8") as file:
            file.write(f"approvals: {{trusted_forms: [{client}]}}\n")

    def daemon_lock(self):
        """The file with the daemon's process id."""
        return os.path.join(self.folder, "state", "daemon.lock")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.run("daemon", "stop", "--force")
        self._kill_what_is_left()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _kill_what_is_left(self):
        try:
            with open(self.daemon_lock(), encoding="ascii") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/environ", "rb") as file:
                ours = self.folder.encode() in file.read()
        except (OSError, ValueError):
            return
        if ours:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
