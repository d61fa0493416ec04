#!/usr/bin/env python3
"""Signing keys that live in a PKCS#11 token: SoftHSM 2, taken away and put back."""
import base64
import json
import re
import ssl
import subprocess
import threading
import time

from harness import (EXCHANGE, MESHAUTH, ROOT, SAML2, SLOW, STORAGE, Device, Mesh, MeshTest, Ticket, main, run,
                     wait_until)
from people import Person
from services import Socket
from softhsm import MODULE, PIN, SoftHsm

DOWN = ("temporarily_unavailable", "The service cannot answer now; try again later.")
WRONG_PIN = "pin-of-another"
AT_ONCE_S = 1 * SLOW
COMES_BACK_S = 5 * SLOW


class TokenTest(MeshTest):
    """A Mesh beside a token with keys."""

    @classmethod
    def prepare(cls):
        cls.hsm = SoftHsm(cls.mesh.folder)
        cls.hsm.token("mesh")
        return {"pkcs11_modules": [MODULE]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Socket(cls.mesh)

    def make(self, label, **body):
        answer = self.admin.call("POST", "keys", {"pkcs11": self.hsm.uri("mesh", label), **body})
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def activate(self, id):
        answer = self.admin.call("POST", f"keys/{id}/activate", {"force": True})
        self.assertEqual(answer.status, 200, answer)

    def active(self):
        return next(k["id"] for k in self.admin.call("GET", "keys").json["items"]
                    if k["state"] == "active" and "audiences" not in k)

    def signs(self, who, key):
        """His logins are signed with this key, soon."""
        def login():
            who.login()
            return Ticket(who.credential).key == key
        wait_until(login, f"a ticket by {key}")

    def ready(self):
        """What /readyz says; its warnings are kept."""
        status, said = self.mesh.readyz()
        self.warnings = "\n".join(said["warnings"])
        return status, said["status"]

    def messages(self, word):
        return [line["message"] for line in self.mesh.log() if word in line.get("message", "")]


class Signs(TokenTest):
    def published(self, node):
        """For everyone else, with a certificate that the token has signed, for the key's window."""
        def entry():
            keys = self.mesh.request("GET", "/.well-known/jwks.json").json["keys"]
            return next((k for k in keys if k["kid"] == node["id"]), None)
        der = base64.b64decode(wait_until(entry, "the key to be published")["x5c"][0])
        self.assertIn(base64.b64encode(der), self.mesh.request("GET", "/saml/metadata").body)
        file = self.mesh.folder / "x5c.pem"
        file.write_text(ssl.DER_cert_to_PEM_cert(der))
        run("openssl", "verify", "-check_ss_sig", "-no_check_time", "-CAfile", file, file)
        said = run("openssl", "x509", "-in", file, "-noout", "-pubkey", "-enddate", "-dateopt", "iso_8601").stdout
        self.assertIn(node["until"].replace("T", " "), said)
        self.assertIn(node["key"], said)

    def test_tickets_verify(self):
        """By our command here, and by xmlsec1 when the Mesh ends."""
        alice = Person(self.mesh, "alice")
        self.hsm.key("mesh", "p256", "01")
        self.hsm.key("mesh", "rsa", "02", "rsa:3072")
        for label, algorithm in (("p256", "P-256"), ("rsa", "RSA-3072")):
            node = self.make(label)
            self.assertEqual((node["state"], node["algorithm"], node["pkcs11"]),
                             ("next", algorithm, self.hsm.uri("mesh", label)))
            self.assertEqual(self.admin.call("GET", f"keys/{node['id']}").json, node)
            self.published(node)
            self.activate(node["id"])
            self.signs(alice, node["id"])
            wait_until(lambda: f"key {node['id']} active" in self.mesh.trust.read_text(), "the trust file")
            self.is_certified(node["id"])
            for _ in range(16):  # whatever the halves of s are
                alice.login()
                self.assertEqual(self.mesh.verify(alice.ticket, alice.device)[0], 0)

    def is_certified(self, id):
        """By itself, for everyone else's software: OpenSSL takes it."""
        keys = self.mesh.request("GET", "/.well-known/jwks.json").json["keys"]
        der, = next(k for k in keys if k["kid"] == id)["x5c"]
        file = self.mesh.folder / f"{id}.pem"
        file.write_text(f"-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
        done = run("openssl", "verify", "-check_ss_sig", "-CAfile", file, file, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_four_at_once(self):
        self.hsm.key("mesh", "busy", "03")
        self.activate(self.make("busy")["id"])
        people = [Person(self.mesh, f"user{i}") for i in range(4)]
        failed = []

        def login(who):
            try:
                for _ in range(10):
                    who.login()
            except AssertionError as e:
                failed.append(e)
        threads = [threading.Thread(target=login, args=(who,)) for who in people]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failed, [])

    def test_command(self):
        self.hsm.key("mesh", "by-command", "04")
        uri = self.hsm.uri("mesh", "by-command")
        done = run(MESHAUTH, "keys", "prepare", "-c", self.mesh.conf, "--pkcs11", uri, "--audience", "urn:x", check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(uri, done.stdout)
        again = run(MESHAUTH, "keys", "prepare", "-c", self.mesh.conf, "--pkcs11", uri, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("there is a key", again.stderr.lower())
        for words in (("--pkcs11", uri, "--algorithm", "P-256"), ("--pkcs11", uri + "&pin-value=" + PIN),
                      ("--pkcs11", "pkcs11:token=mesh")):
            done = run(MESHAUTH, "keys", "prepare", "-c", self.mesh.conf, *words, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertNotIn(PIN, done.stderr)


class Refused(TokenTest):
    """No other session has logged in: each PIN is asked for."""

    def test_refused(self):
        self.hsm.key("mesh", "twice", "05")
        self.hsm.key("mesh", "twice", "06")
        self.hsm.key("mesh", "p384", "07", "EC:secp384r1")
        wrong = self.mesh.folder / "wrong.pin"
        wrong.touch(mode=0o600)
        wrong.write_text(WRONG_PIN + "\n")
        count = len(self.admin.call("GET", "keys").json["items"])
        for uri, why in (
                ("", "empty"), ("pkcs11:", "must be pkcs11:"), ("pkcs11:" + "a" * 1100, "1024"),
                (self.hsm.uri("mesh", "none"), "no public key of this name"),
                (self.hsm.uri("mesh", "twice"), "more than one"), (self.hsm.uri("mesh", "p384"), "P-256"),
                (self.hsm.uri("nobody", "p384"), '"nobody" is not present'),
                (self.hsm.uri("mesh", "p384", module="/usr/lib/x86_64-linux-gnu/libc.so.6"), "pkcs11_modules"),
                (self.hsm.uri("mesh", "twice", pin=self.mesh.folder / "nowhere"), "nowhere"),
                (self.hsm.uri("mesh", "twice", pin=self.mesh.conf), "conf"),
                (self.hsm.uri("mesh", "twice") + "&pin-value=" + PIN, "never in the URI"),
                (self.hsm.uri("mesh", "twice") + "&x-vendor=1", "not taken here"),
                (self.hsm.uri("mesh", "twice").replace("file:", "|cat "), "pin-source"),
                (self.hsm.uri("mesh", "twice", pin=wrong), "CKR_PIN_INCORRECT"),
                (self.hsm.uri("mesh", "twice", pin=wrong), "not asked again")):
            with self.subTest(uri[-80:]):
                answer = self.admin.call("POST", "keys", {"pkcs11": uri})
                self.assert_problem(answer, 400, "key")
                self.assertIn(why, answer.json["detail"])
                self.assertNotIn(WRONG_PIN, answer.json["detail"])
        self.assert_problem(self.admin.call("POST", "keys", {"pkcs11": self.hsm.uri("mesh", "twice"),
                                                             "algorithm": "P-256"}), 400, "key")
        self.assertEqual(len(self.admin.call("GET", "keys").json["items"]), count)
        self.assertNotIn(PIN, self.mesh.log_text())


class Away(TokenTest):
    """One key for all in a token, one for STORAGE in the store."""

    def test_taken_away_and_put_back(self):
        alice = Person(self.mesh, "alice")
        soft = self.admin.call("POST", "keys", {"audiences": [STORAGE]}).json["id"]
        self.activate(soft)
        self.hsm.key("mesh", "sign", "01")
        hard = self.make("sign")["id"]
        self.activate(hard)
        self.signs(alice, hard)
        wait_until(lambda: alice.login() or Ticket(alice.ticket).key == soft, "the key of the service")

        self.hsm.take_away()
        start = time.monotonic()
        answer = self.mesh.exchange(self.mesh.mint("alice"), alice.device)
        self.assertEqual((answer.status, answer.json["error"], answer.json["error_description"]), (503, *DOWN))
        for _ in range(5):
            self.assertEqual(self.mesh.exchange(self.mesh.mint("alice"), alice.device).status, 503)
        self.assertLess(time.monotonic() - start, 6 * AT_ONCE_S)
        wait_until(lambda: self.messages(f"the key {hard} does not sign: token: "), "the log to tell")
        self.assertEqual(self.ready(), (503, "not-ready"))
        self.assertIn(f"The signing key {hard} does not sign: token: ", self.warnings)
        self.asks_storage(alice, soft)
        self.new_key_does_not_matter(alice, soft)
        self.restarts(alice, hard, soft)
        actions = {(r["action"], r["outcome"]) for r in self.mesh.audit(actor=alice.id) if r.get("key") == hard}
        self.assertEqual(actions, {("login", "allow")})
        logins = len([r for r in self.mesh.audit(actor=alice.id, action="login") if r["outcome"] == "allow"])

        self.hsm.put_back()
        wait_until(lambda: self.mesh.exchange(self.mesh.mint("alice"), alice.device).status == 200, "the token",
                   COMES_BACK_S)
        self.signs(alice, hard)
        wait_until(lambda: self.messages(f"the key {hard} signs again"), "the log to tell")
        self.assertEqual((self.ready(), self.warnings), ((200, "ready"), ""))
        self.assertGreater(len([r for r in self.mesh.audit(actor=alice.id, action="login")]), logins)
        self.asks_storage(alice, soft)

    def asks_storage(self, alice, soft):
        """Who has an identity ticket gets tickets of the other key."""
        answer = self.mesh.post({"grant_type": EXCHANGE, "subject_token_type": SAML2, "subject_token": alice.credential,
                                 "requested_token_type": SAML2, "audience": STORAGE, "resource": alice.root,
                                 "scope": "read"}, alice.device)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(Ticket(answer.json["access_token"]).key, soft)

    def new_key_does_not_matter(self, alice, soft):
        """The keys are read anew while the token is away."""
        made = self.admin.call("POST", "keys", {"audiences": ["urn:else"]}).json["id"]
        self.activate(made)
        wait_until(lambda: f"key {made} active" in self.mesh.trust.read_text(), "the trust file")
        self.assertEqual(self.mesh.exchange(self.mesh.mint("alice"), alice.device).status, 503)
        self.asks_storage(alice, soft)

    def restarts(self, alice, hard, soft):
        """It starts without its token; the key stays in the trust file."""
        self.mesh.stop()
        self.mesh.start()
        self.assertIn(f"key {hard} active", self.mesh.trust.read_text())
        self.assertEqual(self.mesh.exchange(self.mesh.mint("alice"), alice.device).status, 503)
        self.asks_storage(alice, soft)


class Initial(TokenTest):
    """The key for STORAGE is in the token: logins go on without its ticket."""

    def test_login_without_the_ticket(self):
        alice = Person(self.mesh, "alice")
        self.hsm.key("mesh", "storage", "01")
        hard = self.make("storage", audiences=[STORAGE])["id"]
        self.activate(hard)
        wait_until(lambda: alice.login() or Ticket(alice.ticket).key == hard, "the key of the token")
        self.hsm.key("mesh", "second", "02")
        second = self.make("second", audiences=["urn:second"])["id"]
        self.hsm.take_away()
        wait_until(lambda: self.messages(f"the key {hard} does not sign"), "the log to tell")
        alice.login()
        self.assertIsNone(alice.ticket)
        self.assertEqual(self.ready(), (200, "ready"))  # people log in
        self.assertIn(f"The signing key {hard} does not sign: token: ", self.warnings)
        self.not_activated(second)
        issued = self.mesh.audit(actor=alice.id, action="ticket.issue")
        answer = self.mesh.post({"grant_type": EXCHANGE, "subject_token_type": SAML2, "subject_token": alice.credential,
                                 "requested_token_type": SAML2, "audience": STORAGE, "resource": alice.root,
                                 "scope": "read"}, alice.device)
        self.assertEqual((answer.status, answer.json["error"], answer.json["error_description"]), (503, *DOWN))
        self.assertEqual(self.mesh.audit(actor=alice.id, action="ticket.issue"), issued)
        self.hsm.put_back()
        wait_until(lambda: alice.login() or alice.ticket, "the token", COMES_BACK_S)
        self.assertEqual(Ticket(alice.ticket).key, hard)

    def not_activated(self, id):
        answer = self.admin.call("POST", f"keys/{id}/activate", {})
        self.assert_problem(answer, 409, "key-state")
        self.assertIn("The key does not sign now: token: ", answer.json["detail"])
        record = self.mesh.audit(action="key.activate", limit=1)[0]
        self.assertEqual((record["outcome"], record["reason"], record["key"]), ("deny", "key-state", id))
        self.activate(id)  # by force
        self.assertEqual(self.admin.call("GET", f"keys/{id}").json["state"], "active")


class Swapped(TokenTest):
    """Somebody puts another key under the name."""

    def test_another_key_is_refused(self):
        alice = Person(self.mesh, "alice")
        self.hsm.key("mesh", "sign", "01")
        hard = self.make("sign")["id"]
        self.activate(hard)
        self.signs(alice, hard)
        self.mesh.stop()
        self.hsm.delete("mesh", "sign")
        self.hsm.key("mesh", "sign", "01")
        self.mesh.start()
        self.assertEqual(self.mesh.exchange(self.mesh.mint("alice"), alice.device).status, 503)
        wait_until(lambda: self.messages(f"is not {hard}, but another"), "the log to tell")


class Mistyped(TokenTest):
    def test_mistyped(self):
        alice = Person(self.mesh, "bob")
        self.hsm.key("mesh", "typed", "02")
        hard = self.make("typed")["id"]
        self.activate(hard)
        self.signs(alice, hard)
        self.hsm.write_pin(WRONG_PIN)
        self.mesh.stop()
        self.mesh.start()
        self.assertEqual(self.mesh.exchange(self.mesh.mint("bob"), alice.device).status, 503)
        wait_until(lambda: self.messages("CKR_PIN_INCORRECT"), "the log to tell")
        self.hsm.write_pin(PIN)
        wait_until(lambda: self.mesh.exchange(self.mesh.mint("bob"), alice.device).status == 200, "the PIN", COMES_BACK_S)
        self.assertNotIn(WRONG_PIN, self.mesh.log_text())


class Manual(TokenTest):
    """docs/pkcs11.md: its commands, with other paths."""

    @classmethod
    def prepare(cls):
        cls.hsm = SoftHsm(cls.mesh.folder)
        return {"pkcs11_modules": [MODULE]}

    def test_setting_one_up(self):
        part = re.search("## Setting one up(.*?)^## ", (ROOT / "docs" / "pkcs11.md").read_text(), re.M | re.S).group(1)
        commands = "\n".join(re.findall("^    (.*)", part, re.M)).replace("\\\n", " ").splitlines()
        self.assertEqual(len(commands), 6)
        self.assertIn(f'pkcs11_modules = [ "{MODULE}" ];', commands)
        key = None
        for command in commands:
            if command.startswith("pkcs11_modules"):
                continue
            command = command.replace("/etc/meshauth/token.pin", str(self.hsm.pin.with_name("manual.pin")))
            command = command.replace("/srv/mesh/meshauth.conf", str(self.mesh.conf))
            command = re.sub("^meshauth ", f"{MESHAUTH} ", command).replace("0123456789abcdef", key or "")
            done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, command + done.stderr)
            made = re.match("([0-9a-f]{16}), a signing key", done.stdout)
            key = made.group(1) if made else key
        self.signs(Person(self.mesh, "alice"), key)


class Store(TokenTest):
    """The commands work on the store as well, without the service."""

    def test_on_the_store(self):
        self.hsm.key("mesh", "sign", "01")
        self.mesh.stop()
        made = json.loads(run(MESHAUTH, "keys", "prepare", "-c", self.mesh.conf, "--json", "--pkcs11",
                              self.hsm.uri("mesh", "sign")).stdout)
        run(MESHAUTH, "keys", "activate", made["id"], "-c", self.mesh.conf, "--force")
        listed = json.loads(run(MESHAUTH, "keys", "list", "-c", self.mesh.conf, "--json").stdout)["keys"]
        self.assertIn(self.hsm.uri("mesh", "sign"), [k.get("pkcs11") for k in listed])
        self.mesh.start()
        self.signs(Person(self.mesh, "alice"), made["id"])


if __name__ == "__main__":
    main()
