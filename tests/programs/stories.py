"""What happens to somebody who uses the real `az` and `m365` through `mm`. Every story is told of both."""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
import unittest

from authority import Authority
from world import APP, World

CONTOSO = ("aaaabbbb-0000-cccc-1111-dddd2222eeee", "ada@contoso.com")
FABRIKAM = ("ffff0000-0000-4000-8000-eeee1111dddd", "bob@fabrikam.com")
CODE = "F4KEC0DE"


class Az:
    """The Azure CLI, in a cloud of its own whose every endpoint is the authority."""

    module = "az"
    version = "az 2.91"
    port = 8443
    help = ("az --help", "Subgroups:")
    ask = "az group list"
    nobody = ("az account clear; az group list", "az login")
    kept = ".azure/msal_token_cache.json"

    @classmethod
    def prepare(cls, home):
        """Registers the cloud in a session's home, before anything is signed in."""
        home.mkdir(parents=True)
        shutil.copytree(cls.settings(), home / ".azure")

    @classmethod
    @functools.cache
    def settings(cls):
        """A folder of settings with the cloud in it, made once: each `az` takes a second."""
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder)
        endpoint = f"https://localhost:{cls.port}"
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "AZURE_CONFIG_DIR": folder, "AZURE_CORE_COLLECT_TELEMETRY": "no"}
        register = [
            "az", "cloud", "register", "--name", "Loopback", "--skip-endpoint-discovery",
            "--endpoint-resource-manager", endpoint, "--endpoint-active-directory", endpoint,
            "--endpoint-active-directory-resource-id", endpoint, "--endpoint-active-directory-graph-resource-id", endpoint,
            "--endpoint-microsoft-graph-resource-id", endpoint,
        ]
        settings = ["az", "config", "set", "core.instance_discovery=false"]
        for command in register, ["az", "cloud", "set", "--name", "Loopback"], settings:
            subprocess.run(command, env=environment, check=True, capture_output=True)
        return folder

    @staticmethod
    def answer(tenant):
        """What `ask` shows of this tenant and of no other."""
        return "rg-" + tenant.account.split("@")[1].split(".")[0]


class M365:
    """The CLI for Microsoft 365. It knows its service by name only, and the name leads to the authority."""

    module = "m365"
    version = "m365 11.11"
    port = 443
    help = ("m365 --help", "Commands groups:")
    ask = "m365 request --url https://graph.microsoft.com/v1.0/me --output json"
    nobody = ("m365 logout; m365 spo site list", "Log in to Microsoft 365 first")
    kept = ".cli-m365-msal.json"

    @staticmethod
    def prepare(home):
        """It needs nothing."""

    @staticmethod
    def answer(tenant):
        """What `ask` shows of this tenant and of no other."""
        return tenant.account


class Told:
    """What every story begins with: an authority with two tenants, and a connection to each."""

    program = None

    def setUp(self):
        self.authority = Authority(os.environ["MM_TEST_CERTIFICATE"], os.environ["MM_TEST_KEY"], self.program.port)
        self.addCleanup(self.authority.close)
        self.contoso = self.authority.add(*CONTOSO)
        self.fabrikam = self.authority.add(*FABRIKAM)
        self.world = World()
        self.addCleanup(self.world.close)
        for name, tenant in ("Contoso", self.contoso), ("Fabrikam", self.fabrikam):
            self.world.connect(name, tenant)
            self.program.prepare(self.world.home(name, self.program.module))

    def mm(self, verb, *rest, name="Contoso"):
        return self.world.mm(verb, "-c", name, "-m", self.program.module, *rest)

    def sign_in(self, name="Contoso"):
        """Signs in to a tenant whose user approves at once."""
        tenant = {"Contoso": self.contoso, "Fabrikam": self.fabrikam}[name]
        tenant.outcome = "approved"
        login = self.mm("login", "--json", name=name)
        self.assertEqual(login.code, 0, login)
        self.assertEqual(login.json()["account"], tenant.account)
        self.assertEqual(login.json()["tenant"], tenant.identifier)
        return login

    def kept(self, name="Contoso"):
        """What the program keeps of its tokens on disk."""
        file = self.world.home(name, self.program.module) / self.program.kept
        return file.read_text() if file.exists() else ""


class Stories(Told):
    """The stories, told of `program`."""

    def test_approved(self):
        shown = self.mm("login", "--no-wait")
        self.assertEqual(shown.code, 3, shown)
        self.assertIn(CODE, shown.stderr + shown.stdout)
        self.assertIn("https://microsoft.com/devicelogin", shown.stderr + shown.stdout)
        status = self.world.mm("status", "--json").json()["sessions"][0]
        self.assertEqual(status["state"], "signing_in")
        self.assertTrue(status["challenge"]["user_code"].startswith(CODE))
        self.sign_in()
        self.assertEqual(len(self.contoso.codes), 1, "the code that was shown is the one that was approved")
        asked = self.mm("run", self.program.ask)
        self.assertEqual(asked.code, 0, asked)
        self.assertIn(self.program.answer(self.contoso), asked.stdout)
        status = self.world.mm("status", "--json").json()["sessions"][0]
        self.assertEqual((status["state"], status["account"]), ("ready", self.contoso.account))

    def test_help_and_nobody(self):
        self.sign_in()
        command, shows = self.program.help
        told = self.mm("run", command)
        self.assertEqual(told.code, 0, told)
        self.assertIn(shows, told.stdout)
        command, shows = self.program.nobody
        refused = self.mm("run", command)
        self.assertEqual(refused.code, 1, refused)
        self.assertIn(shows, refused.stdout)

    def refused(self, outcome):
        self.contoso.outcome = outcome
        login = self.mm("login", "--json")
        self.assertEqual(login.code, 3, login)
        self.assertNotIn("refresh-", self.kept())
        return login.json()["failure"]["name"]

    def test_declined(self):
        self.assertEqual(self.refused("declined"), "declined")

    def test_expired(self):
        self.assertEqual(self.refused("expired"), "code-expired")

    def test_blocked(self):
        self.assertIn(self.refused("blocked"), ("blocked-by-policy", "refused-by-service"))

    def test_wrong_account(self):
        self.contoso.account, right = "eve@contoso.com", self.contoso.account
        self.contoso.outcome = "approved"
        login = self.mm("login", "--json")
        self.assertEqual(login.code, 3, login)
        self.assertEqual(login.json()["failure"]["name"], "wrong-account")
        self.assertNotIn("refresh-", self.kept())
        self.contoso.account = right
        self.sign_in()

    def test_client_secret(self):
        self.contoso.secret = "it's $HOME `id` \\ \"quoted\""
        secret = self.world.root / "secret"
        secret.touch(mode=0o600)
        secret.write_text(self.contoso.secret)
        self.world.connect("Contoso", self.contoso, signIn={"way": "client_secret", "clientSecret": f"file:{secret}"})
        login = self.mm("login", "--json")
        self.assertEqual(login.code, 0, login)
        self.assertEqual((login.json()["account"], login.json()["tenant"]), (APP, self.contoso.identifier))
        self.assertEqual(len(self.contoso.codes), 0)
        self.assertEqual(self.mm("disconnect").code, 0)
        secret.write_text("another")
        login = self.mm("login", "--json")
        self.assertEqual(login.code, 3, login)
        self.assertNotIn("another", login.stdout + login.stderr)

    def test_cancelled(self):
        self.assertEqual(self.mm("login", "--no-wait").code, 3)
        self.assertEqual(self.mm("disconnect").code, 0)
        self.sign_in()
        self.assertEqual(len(self.contoso.codes), 2)

    def test_timeout_keeps_the_sign_in(self):
        self.sign_in()
        late = self.mm("run", "--timeout", "1s", "sleep 600")
        self.assertEqual(late.code, 5, late)
        asked = self.mm("run", self.program.ask)
        self.assertEqual(asked.code, 0, asked)
        self.assertEqual(len(self.contoso.codes), 1)

    def test_comes_back_without_a_code(self):
        self.sign_in()
        self.contoso.outcome = "pending"
        stopped = self.world.mm("daemon", "stop")
        self.assertEqual(stopped.code, 0, stopped)
        asked = self.mm("run", self.program.ask)
        self.assertEqual(asked.code, 0, asked)
        self.assertIn(self.program.answer(self.contoso), asked.stdout)
        self.assertEqual(len(self.contoso.codes), 1)

    def test_revoked(self):
        self.sign_in()
        self.contoso.revoke()
        failed = self.mm("run", self.program.ask)
        self.assertEqual(failed.code, 1, failed)
        self.world.mm("daemon", "stop")
        # What is kept is good no longer: somebody has to sign in.
        self.sign_in()
        self.assertEqual(len(self.contoso.codes), 2)

    def test_disconnect(self):
        self.sign_in()
        self.assertIn("refresh-", self.kept())
        ended = self.mm("disconnect")
        self.assertEqual(ended.code, 0, ended)
        self.assertNotIn("refresh-", self.kept())

    def test_two_tenants_never_meet(self):
        for name in "Contoso", "Fabrikam":
            self.sign_in(name)
        for name, tenant, other in ("Contoso", self.contoso, self.fabrikam), ("Fabrikam", self.fabrikam, self.contoso):
            del self.authority.seen[:]
            asked = self.mm("run", self.program.ask, name=name)
            self.assertIn(self.program.answer(tenant), asked.stdout)
            self.assertNotIn(self.program.answer(other), asked.stdout)
            self.assertEqual({bearer for _, bearer in self.authority.seen if bearer}, {tenant.identifier})
            for token in other.refresh_tokens:
                self.assertNotIn(token, self.kept(name))
            self.assertTrue(any(token in self.kept(name) for token in tenant.refresh_tokens))


class AzStories(Stories, unittest.TestCase):
    program = Az


class M365Stories(Stories, unittest.TestCase):
    program = M365


if __name__ == "__main__":
    unittest.main()
