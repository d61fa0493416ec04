#!/usr/bin/env python3
"""People log in: `meshauth login` and a browser, or a code for a browser elsewhere, at a
provider that we did not write, and at one that means no good."""
import base64
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
INTEROP = HERE.parent / "interop"
sys.path.insert(0, str(INTEROP))

from authority import FoundProvider  # noqa: E402
from harness import MESHAUTH, PATIENCE_S, Device, Mesh, main, run  # noqa: E402
from oidc_peer import Browser, Peer  # noqa: E402

# Of nobody who runs this.
AWAY = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY")
CONFIGURATION = "/.well-known/openid-configuration"


class People(unittest.TestCase):
    """A mesh with one provider; each test has a home of its own."""

    def setUp(self):
        self.home = self.mesh.folder / self.id().rsplit(".", 1)[1]
        self.log = self.mesh.folder / (self.home.name + ".log")

    def env(self, **more):
        return {**{k: v for k, v in os.environ.items() if k not in AWAY}, "MESHAUTH_HOME": str(self.home), **more}

    def command(self, *more, mesh=None):
        mesh = mesh or self.mesh
        return [str(c) for c in (MESHAUTH, "login", mesh.url, "--ca", mesh.ca, "--provider-ca",
                                 self.peer.authority.ca, *more)]

    def login(self, *more, code=0, env=None, mesh=None):
        done = subprocess.run(self.command(*more, mesh=mesh), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S + 10, env=env or self.env())
        said = self.log.read_text() if self.log.exists() else ""
        self.assertEqual(done.returncode, code, f"{done.stdout}{done.stderr}\nthe browser: {said}")
        if code:
            self.assertEqual(done.stdout, "")
            self.assertFalse(self.home.exists(), "something was left")
        return done

    def tickets(self):
        """What the login kept, judged in the end like all others."""
        state, = self.home.glob("accounts/*/account.json")
        return [self.mesh.collect_ticket(t["credential"]) for t in json.loads(state.read_text())["tickets"]]


class RealProvider(People):
    @classmethod
    def setUpClass(cls):
        cls.mesh = Mesh(start=False)
        cls.addClassCleanup(cls.mesh.close)
        cls.peer = Peer(cls.mesh.folder)
        cls.addClassCleanup(cls.peer.close)
        cls.mesh.configure_in_haste(providers=[cls.provider()])
        cls.mesh.start()

    @classmethod
    def provider(cls, **more):
        return {"name": "peer", "issuer": cls.peer.issuer, "client_ids": ["mesh-ES256"], "ca_file": cls.peer.authority.ca,
                "create_users": True, **more}

    def with_browser(self, user="alice", **more):
        walk = {"issuer": self.peer.issuer, "ca": str(self.peer.authority.ca), "user": user, "log": str(self.log), **more}
        return self.env(BROWSER=str(INTEROP / "walk_browser.py"), WALK=json.dumps(walk))

    def test_the_code_flow(self):
        done = self.login("--claim", "laptop", env=self.with_browser())
        self.assertIn("Logged in at " + self.mesh.url, done.stdout)
        self.assertIn("Claimed: this device is laptop", done.stdout)
        self.assertIn(self.peer.issuer + "/auth?response_type=code", done.stderr)
        self.assertIn("You may close this window", self.log.read_text())
        self.assertEqual(len(self.tickets()), 2)
        # The service's authorities were kept, so the next login needs only the provider's.
        again = subprocess.run([MESHAUTH, "login", self.mesh.url, "--provider-ca", self.peer.authority.ca, "--json"],
                               capture_output=True, text=True, timeout=PATIENCE_S, env=self.with_browser())
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(json.loads(again.stdout)["subject"], self.tickets()[0].subject)

    def test_two_people_are_two(self):
        subjects = []
        for user in ("alice", "bob"):
            self.home = self.mesh.folder / ("two-" + user)
            self.login(env=self.with_browser(user))
            subjects.append(self.tickets()[0].subject)
        self.assertNotEqual(*subjects)

    def test_the_person_refuses(self):
        done = self.login(code=1, env=self.with_browser(stop="abort"))
        self.assertIn("the provider refused: End-User aborted interaction (access_denied)", done.stderr)

    def test_another_state(self):
        done = self.login("--timeout", "4", code=1, env=self.with_browser(change=["state=", "state=x"]))
        self.assertIn("its state is another", done.stderr)

    def test_strays_do_not_end_the_login(self):
        """Any page can send them, and any user of the machine."""
        self.login(env=self.with_browser(strays=["code=x&state=x", "error=access_denied", "", "%", "state=&state="]))
        self.assertEqual(len(self.tickets()), 2)

    def test_another_issuer(self):
        """RFC 9207: the provider says that it tells whose answer it is."""
        for change in (["&iss=", "&iss=x"], ["&iss=", "&was="]):
            with self.subTest(change):
                done = self.login(code=1, env=self.with_browser(change=change))
                self.assertIn("not from the provider that was asked", done.stderr)

    def test_another_code(self):
        done = self.login(code=1, env=self.with_browser(change=["code=", "code=x"]))
        self.assertIn("(invalid_grant)", done.stderr)

    def test_nobody_comes_back(self):
        started = time.monotonic()
        done = self.login("--timeout", "1", code=1, env=self.env(BROWSER="true"))
        self.assertIn("no browser has come back", done.stderr)
        self.assertLess(time.monotonic() - started, PATIENCE_S)

    def test_a_browser_that_is_none(self):
        """Its URL is there for whoever can open it."""
        done = self.login("--timeout", "1", code=1, env=self.env(BROWSER="/nowhere/browser"))
        self.assertIn(f"Log in at peer ({self.peer.issuer}) in your browser on this machine:\n  https://", done.stderr)

    def in_background(self, *more, env=None):
        process = subprocess.Popen(self.command(*more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=env or self.env())
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def told(self, process):
        """Page and code of the device flow, as a person reads them."""
        lines = []
        while len(lines) < 6:
            line = process.stderr.readline()
            self.assertTrue(line, "".join(lines))
            lines.append(line.strip())
        self.assertEqual(lines[0::2], [f"Log in at peer ({self.peer.issuer}) with any browser, on any device:",
                                       "and enter the code", "or go to where it is entered already:"])
        self.assertIn(lines[3], lines[5])
        return lines[1], lines[3]

    def browser(self):
        return Browser(self.peer.issuer, self.peer.authority.ca)

    def test_the_device_flow(self):
        """Asked for, and because there is no browser."""
        process = self.in_background()
        page, code = self.told(process)
        last = self.browser().enter_code(page, code, "alice")
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0, err + last)
        self.assertIn("Logged in at " + self.mesh.url, out)
        self.assertEqual(len(self.tickets()), 2)

    def test_the_device_flow_refused(self):
        process = self.in_background("--device", env=self.env(BROWSER="true"))
        page, code = self.told(process)
        self.browser().enter_code(page, code, "alice", "abort")
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual((process.returncode, out), (1, ""), err)
        self.assertIn("(access_denied)", err)
        self.assertFalse(self.home.exists())

    def test_the_device_flow_is_left(self):
        process = self.in_background("--device")
        self.told(process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE_S), -signal.SIGINT)
        self.assertFalse(self.home.exists())

    def test_the_device_flow_takes_too_long(self):
        done = self.login("--device", "--timeout", "6", code=1)
        self.assertIn("nobody has logged in", done.stderr)

    def test_several_providers(self):
        mesh = Mesh(start=False)
        self.addCleanup(mesh.close)
        mesh.configure(providers=[mesh.demo_provider(), self.provider(),
                                  {**self.provider(), "name": "other", "issuer": self.peer.issuer + "/other"}])
        mesh.start()
        done = self.login(code=2, mesh=mesh)
        self.assertIn("choose one of them with --provider NAME", done.stderr)
        self.assertIn(f"peer: {self.peer.issuer}\n", done.stderr)
        self.assertIn(f"other: {self.peer.issuer}/other\n", done.stderr)
        done = self.login("--provider", "third", code=1, mesh=mesh)
        self.assertIn("there is no provider 'third'", done.stderr)
        done = self.login("--provider", "other", code=1, mesh=mesh)
        self.assertIn("status 404 where its OpenID configuration should be", done.stderr)
        done = self.login("--provider", "demo", code=1, mesh=mesh)
        self.assertIn("meshauth idp mint", done.stderr)

    def test_a_demo_alone(self):
        mesh = Mesh()
        self.addCleanup(mesh.close)
        self.assertIn("meshauth idp mint", self.login(code=1, mesh=mesh).stderr)

    def test_authorities_that_are_not_its(self):
        command = [MESHAUTH, "login", self.mesh.url, "--ca", self.mesh.ca, "--provider-ca", self.mesh.ca]
        done = subprocess.run(command, capture_output=True, text=True, env=self.env(BROWSER="true"), timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("the provider peer cannot be asked", done.stderr)
        self.assertFalse(self.home.exists())


class Hostile(FoundProvider):
    """Sends whoever comes to its page straight back, and answers as a test wants."""

    def __init__(self, folder):
        super().__init__(folder)
        self.changes = {}  # of its configuration
        self.claims_of_token = {}
        self.token = None  # in place of the good one: (status, JSON or text)
        self.forms = []
        self.nonce = None

    def answer(self, path):
        split = urllib.parse.urlsplit(path)
        if split.path == CONFIGURATION and path not in self.answers:
            status, headers, body = super().answer(path)
            more = {"token_endpoint": self.issuer + "/token", "device_authorization_endpoint": self.issuer + "/device"}
            found = {**json.loads(body), **more, **self.changes}
            return status, headers, json.dumps({k: v for k, v in found.items() if v is not None}).encode()
        if split.path == "/auth":
            asked = dict(urllib.parse.parse_qsl(split.query))
            self.nonce = asked["nonce"]
            back = urllib.parse.urlencode({"code": "c", "state": asked["state"]})
            return 302, {"Location": f"{asked['redirect_uri']}?{back}"}, b""
        return super().answer(path)

    def answer_form(self, path, form):
        self.forms.append((path, form))
        if path in self.answers:
            return self.answers[path]
        claims = {"nonce": self.nonce, **self.claims_of_token}
        status, said = self.token or (200, {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(**claims)})
        said = said if isinstance(said, str) else json.dumps(said)
        return status, {"Content-Type": "application/json"}, said.encode()


class BoundLogins(People):
    """key_in_nonce: an ID token opens nothing with another key than it was asked for with,
    whoever has got it into his hands."""

    @classmethod
    def setUpClass(cls):
        cls.mesh = Mesh(start=False)
        cls.addClassCleanup(cls.mesh.close)
        cls.peer = Hostile(cls.mesh.folder)
        cls.addClassCleanup(cls.peer.close)
        cls.mesh.configure(providers=[{**cls.peer.group(), "key_in_nonce": True}])
        cls.mesh.start()

    def walk(self):
        walk = {"issuer": self.peer.issuer, "ca": str(self.peer.authority.ca), "user": "alice", "log": str(self.log)}
        return self.env(BROWSER=str(INTEROP / "walk_browser.py"), WALK=json.dumps(walk))

    def refused(self, token, device):
        answer = self.mesh.exchange(token, device)
        self.assertEqual((answer.status, answer.json["error"]), (400, "invalid_request"), answer)
        self.assertIn("nonce is not bound to the key", answer.json["error_description"])
        self.assertEqual(self.mesh.log_of(answer)["reason"], "token-nonce")

    def test_our_own_client(self):
        """The first login, which makes the key, and the next one with it."""
        for _ in range(2):
            self.login(env=self.walk())
        self.tickets()
        random, bound = self.peer.nonce.split(".")
        key, = self.home.glob("accounts/*/device.crt")
        spki = run("sh", "-c", f"openssl x509 -in {key} -noout -pubkey | openssl pkey -pubin -outform DER | "
                   "openssl dgst -sha256 -binary | basenc --base64url").stdout.strip().rstrip("=")
        said = base64.urlsafe_b64encode(hashlib.sha256(f"{random}.{spki}".encode()).digest()).decode().rstrip("=")
        self.assertEqual(bound, said)  # as docs/configuration.md has it, by other hands

    def test_who_gets_the_token_into_his_hands(self):
        """A hostile account service has named this provider, and this service's client, as its own."""
        self.login(env=self.walk())
        self.tickets()
        thief = Device(self.mesh.folder, "thief")
        token = self.peer.sign(nonce=self.peer.nonce)
        self.refused(token, thief)
        for nonce in (None, "", "n", 1, self.peer.nonce + "A", self.peer.nonce[:-1], "a" * 128):
            self.refused(self.peer.sign(nonce=nonce), thief)

    def test_a_code_for_a_browser_elsewhere(self):
        """The device flow has no nonce."""
        self.refused(self.peer.sign(), Device(self.mesh.folder, "elsewhere"))


class HostileProvider(People):
    def setUp(self):
        self.mesh = Mesh(start=False)
        self.addCleanup(self.mesh.close)
        self.peer = Hostile(self.mesh.folder)
        self.addCleanup(self.peer.close)
        self.mesh.configure(providers=[self.peer.group()])
        self.mesh.start()
        super().setUp()

    def walk(self):
        walk = {"issuer": self.peer.issuer, "ca": str(self.peer.authority.ca), "user": "alice", "log": str(self.log)}
        return self.env(BROWSER=str(INTEROP / "walk_browser.py"), WALK=json.dumps(walk))

    def browse(self, *more, code=1):
        return self.login(*more, code=code, env=self.walk())

    def test_a_good_day(self):
        """What the refusals below differ from; and the code goes where it belongs, with its verifier."""
        self.browse(code=0)
        self.tickets()
        (path, form), = self.peer.forms
        self.assertEqual(path, "/token")
        self.assertEqual((form["grant_type"], form["code"], form["client_id"]), ("authorization_code", "c", "app"))
        self.assertRegex(form["code_verifier"], "^[A-Za-z0-9_-]{43}$")
        self.assertRegex(form["redirect_uri"], r"^http://127\.0\.0\.1:\d+/callback$")

    def test_what_it_answers_with(self):
        for name, says, token, claims in (
            ("another nonce", "its nonce is another", None, {"nonce": "n"}),
            ("no nonce", "its nonce is another", None, {"nonce": None}),
            ("another issuer", "names another issuer", None, {"iss": "https://other.example"}),
            ("another client", "for another client", None, {"aud": "web"}),
            ("no ID token", "gave no ID token", (200, {"access_token": "a"}), {}),
            ("a token that is none", "is none", (200, {"id_token": "a.b.c"}), {}),
            ("a page", "no JSON object", (200, "<html>"), {}),
            ("a member twice", "no JSON object", (200, '{"id_token":"a","id_token":"b"}'), {}),
            ("control characters", r"refused: \x1b[2J (\x0a)", (400, {"error": "\n", "error_description": "\x1b[2J"}), {}),
            ("a refusal without words", "status 403", (403, ""), {}),
        ):
            with self.subTest(name):
                self.peer.token, self.peer.claims_of_token = token, claims
                done = self.browse()
                self.assertIn(says, done.stderr)
                self.assertNotIn("\x1b", done.stderr)

    def test_it_fails(self):
        for name, token in (("words", (503, {"error": "temporarily_unavailable"})), ("none", (500, "oops"))):
            with self.subTest(name):
                self.peer.token = token
                self.browse(code=3)
        self.peer.token = (200, "x" * (1 << 20))
        self.assertIn("longer answer than allowed", self.browse().stderr)

    def test_a_token_that_the_service_refuses(self):
        """The key stays, as after any login that the service refuses; no ticket is there."""
        self.peer.claims_of_token = {"sub": "x" * 300}
        walk = self.walk()
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=PATIENCE_S, env=walk)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn(f"{self.mesh.url} refused: ", done.stderr)
        self.assertEqual(list(self.home.glob("accounts/*/account.json")), [])

    def test_what_it_says_of_itself(self):
        http = self.peer.issuer.replace("https", "http")
        for name, says, changes, code in (
            ("another issuer", "another issuer's", {"issuer": "https://other.example"}, 1),
            ("plain http", 'its "token_endpoint" is not an https', {"token_endpoint": http + "/token"}, 1),
            ("a file", 'its "authorization_endpoint" is not', {"authorization_endpoint": "file:///etc/passwd"}, 1),
            ("an option for the browser", "is not an https", {"authorization_endpoint": "--new-window"}, 1),
            ("no PKCE", "PKCE", {"code_challenge_methods_supported": ["plain"]}, 1),
            ("no page", "no page to log in at; try --device", {"authorization_endpoint": None}, 1),
        ):
            with self.subTest(name):
                self.peer.changes = changes
                self.assertIn(says, self.browse(code=code).stderr)
        self.assertEqual(self.peer.forms, [])

    def test_its_device_flow(self):
        start = {"device_code": "d", "user_code": "ABCD", "verification_uri": self.peer.issuer + "/go", "expires_in": 60,
                 "interval": 1}
        for name, says, changes in (
            ("no code", 'no "device_code"', {"device_code": None}),
            ("a code that steers", 'no "user_code" of its form', {"user_code": "\x1b[2J"}),
            ("a page by http", 'no "verification_uri" of its form', {"verification_uri": "http://evil.example"}),
            ("no end", 'no "expires_in" that is', {"expires_in": None}),
        ):
            with self.subTest(name):
                said = {k: v for k, v in {**start, **changes}.items() if v is not None}
                self.peer.answers = {"/device": (200, {}, json.dumps(said).encode())}
                done = self.login("--device", code=1)
                self.assertIn(says, done.stderr)
                self.assertNotIn("\x1b", done.stderr)
        self.peer.answers = {"/device": (200, {}, json.dumps(start).encode())}
        self.peer.token = (400, {"error": "expired_token"})
        self.assertIn("(expired_token)", self.login("--device", code=1).stderr)
        self.peer.changes = {"device_authorization_endpoint": "https://127.0.0.1:1/"}
        self.assertIn("the provider found cannot be asked", self.login("--device", code=3).stderr)
        self.peer.changes = {"device_authorization_endpoint": None}
        self.assertIn("has no device flow", self.login("--device", code=1).stderr)

    def test_nobody_there(self):
        self.peer.close()
        self.assertIn("the provider found cannot be asked", self.browse(code=3).stderr)
        self.mesh.stop()
        done = self.login(code=3)
        self.assertIn("meshauthd must run there", done.stderr)

    def test_misuse(self):
        for says, *args in (("--device goes without --id-token", "--device", "--id-token", "-"),
                            ("--provider goes without --id-token", "--provider", "x", "--id-token", "-"),
                            ("--timeout: 1 to", "--timeout", "0"), ("--timeout: 1 to", "--timeout", "1e3")):
            with self.subTest(args):
                done = run(MESHAUTH, "login", self.mesh.url, *args, check=False, env={"MESHAUTH_HOME": str(self.home)})
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(says, done.stderr)
                self.assertFalse(self.home.exists())


if __name__ == "__main__":
    main()
