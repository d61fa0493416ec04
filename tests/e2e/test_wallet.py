#!/usr/bin/env python3
"""Tickets that the command keeps: fetched once, renewed by themselves, good while nobody is there."""
import json
import subprocess
import time

import harness
from commands import DEV, User
from harness import STORAGE, Ticket, main, run, wait_until
from people import another
from services import Service, Socket

PUBSUB = "urn:meshauth:service:pubsub"
PREFIX = "https://storage.example/files"


def register(mesh):
    admin = Socket(mesh)
    answer = admin.call("GET", "services/storage")
    answer = admin.call("PATCH", f"services/{answer.json['id']}", {"prefix": PREFIX},
                        if_match=answer.headers["ETag"])
    if answer.status != 200:
        raise AssertionError(f"storage is not changed: {answer}")


class Base(harness.MeshTest):
    """Somebody with a folder, and what they get."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        register(cls.mesh)
        Service(cls.mesh, "relay", actions=["sync"])
        Service(cls.mesh, "pubsub")

    def setUp(self):
        self.alice = User(self.mesh, self.id().rsplit(".", 1)[1].replace("_", "-"), "PC")
        self.folder = self.alice.json("folder", "create", "Trip")
        self.url = self.folder["url"]

    def get(self, *words, user=None):
        """The credential, which is alone."""
        credential = (user or self.alice).text("get", *words)
        self.assertNotIn("\n", credential)
        self.mesh.collect_ticket(credential)
        return credential

    def refused(self, code, says, *words, user=None):
        done = (user or self.alice).says(code, *words)
        self.assertEqual(done.stdout, "")
        self.assertIn(says, done.stderr)

    def accept(self, credential, user=None, audience=STORAGE):
        file = self.mesh.folder / "to-verify"
        file.write_text(credential)
        done = run(harness.MESHAUTH, "ticket", "verify", file, "--trust", self.mesh.trust, "--root", self.mesh.vkey,
                   "--audience", audience, "--holder", (user or self.alice).account / "device.crt")
        self.assertEqual(done.returncode, 0)

    def issued(self):
        return len(self.mesh.audit(action="ticket.issue", outcome="allow", actor=self.alice.id))


class Wallet(Base):
    def test_kept(self):
        """One exchange serves until something else is wanted."""
        words = ("--audience", "storage", "--resource", self.url)
        credential = self.get(*words)
        self.accept(credential)
        self.assertEqual(Ticket(credential).permits, [(self.url, ["Read"])])
        before = self.issued()
        self.assertEqual(self.get(*words), credential)
        self.assertEqual(self.get("--audience", STORAGE, *words[2:], "--action", "read"), credential)
        self.assertEqual(self.issued(), before)
        both = self.get(*words, "--action", "read", "--action", "write")
        self.assertEqual(Ticket(both).permits, [(self.url, ["Read", "Write"])])
        self.assertEqual(self.issued(), before + 1)
        said = self.alice.json("get", *words, "--action", "write")["tickets"]
        self.assertEqual([(t["credential"], t["audiences"], t["permits"]) for t in said],
                         [(both, [STORAGE], [{"resource": self.url, "actions": ["read", "write"]}])])
        self.assertEqual(self.issued(), before + 1)
        file = self.alice.account / "tickets.json"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        # It is a cache: whatever becomes of it, what is wanted is fetched again.
        for text in ("", "{", "[]", '{"tickets":{}}', '{"tickets":[1,{}]}'):
            file.write_text(text)
            self.accept(self.get(*words))

    def test_several_audiences(self):
        """A line for each, in their order."""
        words = ("--audience", "storage", "--audience", "pubsub", "--resource", self.url)
        lines = self.alice.text("get", *words).splitlines()
        for credential, audience in zip(lines, (STORAGE, PUBSUB), strict=True):
            self.mesh.collect_ticket(credential)
            self.accept(credential, audience=audience)
        self.assertEqual([t["credential"] for t in self.alice.json("get", *words)["tickets"]], lines)
        self.refused(1, "None of these actions", "get", "--audience", "relay", "--resource", self.url)

    def test_a_place(self):
        place = f"{PREFIX}/{self.folder['id']}"
        credential = self.get("--resource", place + "/a")
        self.accept(credential)
        before = self.issued()
        for below in ("", "/", "/a", "/b/c"):
            self.assertEqual(self.get("--resource", place + below), credential)
        self.assertEqual(self.issued(), before)
        self.assertNotEqual(self.get("--resource", PREFIX), credential)
        self.assertEqual(self.issued(), before + 1)

    def test_sync(self):
        laptop = self.alice.again("laptop")
        device = laptop.json("device", "show")
        credential = self.get("--sync", device["id"])
        self.accept(credential, audience="urn:meshauth:service:relay")
        self.accept(credential, audience=f"urn:meshauth:device:{device['id']}")
        self.assertEqual(self.get("--sync", device["url"], "--audience", "relay"), credential)
        self.refused(1, "There is no such 'resource'.", "get", "--sync", DEV)
        self.assertEqual(self.get("--sync", "laptop"), credential)
        self.refused(1, "You have no device 'phone'; `meshauth device list` shows yours.", "get", "--sync", "phone")
        self.alice.again("laptop")
        self.refused(1, "Several devices have that name; say which, by its id:", "get", "--sync", "laptop")
        self.refused(2, "give no --resource", "get", "--sync", DEV, "--resource", self.url)

    def test_refusals(self):
        for code, says, words in (
            (2, "for whom?", ()),
            (2, "--audience is a service's name", ("--audience", "Storage", "--resource", self.url)),
            (2, "--resource is the https URL", ("--audience", "storage", "--resource", "http://a/")),
            (2, "--action is a name", ("--audience", "storage", "--resource", self.url, "--action", "a b")),
            (1, "There is no such 'resource'.", ("--audience", "storage", "--resource", another(self.url))),
            (1, "of a registered service", ("--audience", "nowhere", "--resource", self.url)),
            (1, "Say with --resource what it is about", ("--audience", "storage")),
            (1, "no 'resource' names one. (invalid_scope, request ", ("--audience", "storage", "--action", "write")),
            (1, "refused a ticket for https://elsewhere.example/a: No service is registered at that place",
             ("--resource", "https://elsewhere.example/a")),
            (1, "an admin registers it with `meshauth service add --url`", ("--resource", "https://elsewhere.example/a")),
            (1, "needs an 'audience'. (invalid_target, request ", ("--resource", self.url)),
            (1, "None of these actions is granted", ("--audience", "storage", "--resource", self.url,
                                                     "--action", "fly")),
            (1, "granted no 'fly' on " + self.url, ("--audience", "storage", "--resource", self.url,
                                                    "--action", "read", "--action", "fly")),
        ):
            with self.subTest(says):
                self.refused(code, says, "get", *words)

    def test_another_login_has_none_of_it(self):
        words = ("--audience", "storage", "--resource", self.url)
        credential = self.get(*words)
        self.alice.login(self.mesh)
        again = self.get(*words)
        self.assertNotEqual(again, credential)
        self.accept(again)
        kept = self.alice.account / "tickets.json"  # what the login brought may do
        self.assertNotIn(credential, kept.read_text() if kept.exists() else "")

    def test_status_shows_what_is_at_hand(self):
        """Each thing once, though several tickets say it: the one that `get` would take."""
        self.alice.text("folder", "map", "Trip")  # with tickets for the folder, once more
        account, = self.alice.json("status")["accounts"]
        about = [(u["audience"], u.get("resource"), u.get("place"), u["actions"]) for u in account["at_hand"]]
        self.assertEqual(len(set(map(str, about))), len(about))
        self.assertIn((STORAGE, self.url, None, ["read"]), about)
        self.assertIn((PUBSUB, self.url, None, ["read"]), about)
        place = f"{PREFIX}/{self.folder['id']}"
        self.get("--resource", place + "/a", "--action", "write")
        self.get("--audience", "storage", "--resource", self.url, "--action", "delete")
        account, = self.alice.json("status")["accounts"]
        at_place, = (u for u in account["at_hand"] if u.get("place"))
        self.assertEqual((at_place["place"], at_place["resource"], at_place["actions"]), (place, self.url, ["write"]))
        self.assertIn((STORAGE, self.url, ["delete"]),
                      [(u["audience"], u["resource"], u["actions"]) for u in account["at_hand"] if "place" not in u])
        text = self.alice.text("status")
        self.assertRegex(text, r"\n  service +says +until\n  " + self.mesh.url + r" +who you are +in ")
        self.assertRegex(text, rf"\n  {STORAGE} +write on {self.url}, as {place} +in ")
        self.assertEqual(len(text.splitlines()), 5 + 1 + len(account["at_hand"]))
        (self.alice.account / "tickets.json").chmod(0o644)
        self.assertIn("lets others at a secret", self.alice.says(1, "status").stderr)

    def test_many_at_once(self):
        """Ten processes lose nothing of each other."""
        folders = [self.alice.json("folder", "create", f"F{n}")["url"] for n in range(10)]
        env = {"MESHAUTH_HOME": str(self.alice.home)}
        running = [subprocess.Popen([harness.MESHAUTH, "get", "--audience", "storage", "--resource", url],
                                    env={**harness.os.environ, **env}, stdout=subprocess.PIPE, text=True)
                   for url in folders]
        credentials = []
        for p in running:
            credentials.append(p.communicate(timeout=harness.PATIENCE_S)[0])
            self.assertEqual(p.returncode, 0)
        before = self.issued()
        for url, credential in zip(folders, credentials):
            self.assertEqual(self.get("--audience", "storage", "--resource", url), credential)
        self.assertEqual(self.issued(), before)

    def test_revoked_identity(self):
        """A dead identity ticket is renewed by the way: here its user's role was taken."""
        self.lose_ticket()
        Service(self.mesh, "late")  # of which the login has brought nothing
        credential = self.get("--audience", "late", "--resource", self.url)
        self.accept(credential, audience="urn:meshauth:service:late")

    def lose_ticket(self):
        """Alice's identity ticket dies, its session stays."""
        Socket(self.mesh).call("PUT", f"roles/{self.alice.id}/auditor")
        self.alice.login(self.mesh)
        Socket(self.mesh).call("DELETE", f"roles/{self.alice.id}/auditor")
        wait_until(lambda: self.alice.id in self.mesh.trust.read_text(), "the revocation to be published")

    def test_commands_on_the_mesh_renew_it_too(self):
        self.lose_ticket()
        state = self.alice.account / "account.json"
        dead = json.loads(state.read_text())["tickets"][0]["credential"]
        self.assertEqual(self.alice.json("folder", "create", "New")["name"], "New")  # a change is made once
        self.assertNotEqual(json.loads(state.read_text())["tickets"][0]["credential"], dead)
        self.assertEqual([f["name"] for f in self.alice.json("folder", "list")["folders"]].count("New"), 1)
        self.mesh.secrets.update(t["credential"][-60:-20] for t in json.loads(state.read_text())["tickets"])
        # The session itself is over: then nothing helps but a login.
        self.assertEqual(Socket(self.mesh).call("DELETE", f"sessions/{self.alice.json('status')['accounts'][0]['session']}").status, 204)
        self.refused(1, "meshauth login", "folder", "list")


class Offline(Base):
    """While the service is away, what is valid serves; then the login renews itself."""

    settings = {"tickets": {"identity_s": 60, "rights_s": 120}}

    def due_ticket(self):
        """Elsewhere, where the login lasts: a ticket to be renewed in a minute, which serves though it cannot be."""
        elsewhere = harness.Mesh(tickets={"rights_s": 80})
        self.addCleanup(elsewhere.close)
        bob = User(elsewhere, "bob", "PC")
        words = ("get", "--audience", "storage", "--resource", bob.json("folder", "create", "Trip")["url"])
        credential = bob.text(*words)
        elsewhere.collect_ticket(credential.strip())
        elsewhere.stop()
        return lambda: self.assertEqual(bob.text(*words), credential)

    def test_it(self):
        words = ("--audience", "storage", "--resource", self.url)
        until = time.monotonic() + 61
        due = self.due_ticket()
        credential = self.get(*words)
        root = self.alice.json("status")["accounts"][0]["mesh"]
        self.mesh.stop()
        try:
            self.assertEqual(self.get(*words), credential)
            self.accept(self.get("--audience", "storage", "--resource", root))  # the login brought it
            self.refused(3, "meshauthd must run at", "get", *words, "--action", "write")
            time.sleep(max(0, until - time.monotonic()))
            due()
            # The login has run out meanwhile; the ticket for the service has not.
            self.assertEqual(self.get(*words), credential)
            self.refused(3, "", "folder", "list")
        finally:
            self.mesh.start()
        # Whatever is asked next renews the login, without a word.
        self.assertIn("Trip", self.alice.text("folder", "list"))
        state = json.loads((self.alice.account / "account.json").read_text())
        self.mesh.secrets.update(t["credential"][-60:-20] for t in state["tickets"])
        self.get(*words, "--action", "write")


if __name__ == "__main__":
    main()
