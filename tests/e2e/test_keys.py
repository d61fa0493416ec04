#!/usr/bin/env python3
"""The life of a signing key: /v1/admin/keys, `meshauth keys`, and what services and
clients notice of it."""
import json
import re
import signal
import time

from harness import MESHAUTH, PATIENCE_S, STORAGE, PROMPT_S, Device, Mesh, MeshTest, Ticket, main, run, seconds, wait_until
from people import Person, new_id
from services import Admin, Socket

DAY_S = 86400
FOLLOWS_S = PROMPT_S  # a running service, each change


def keys_of(trust):
    """Of a trust file: {id: (state, alg, audiences)}."""
    return {id: (state, alg, audiences) for id, state, alg, audiences in
            re.findall(r"^key (\w+) (\w+) (\S+) \S+ \S+ (\S+) ", trust.read_text(), re.M)}


class Keys:
    """What the suites do with them."""

    def make(self, **body):
        answer = self.admin.call("POST", "keys", body)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def activate(self, id, **body):
        answer = self.admin.call("POST", f"keys/{id}/activate", body)
        self.assertEqual((answer.status, answer.json["state"]), (200, "active"), answer)
        return answer.json

    def revoke(self, id):
        answer = self.admin.call("POST", f"keys/{id}/revoke")
        self.assertEqual((answer.status, answer.json["state"]), (200, "revoked"), answer)
        return answer.json

    def state(self, id):
        return self.admin.call("GET", f"keys/{id}").json["state"]

    def active(self, audiences=None):
        return next(k["id"] for k in self.admin.call("GET", "keys").json["items"]
                    if k["state"] == "active" and k.get("audiences") == audiences)

    def published(self, id, state):
        """The trust file tells of it, within a second."""
        start = time.monotonic()
        wait_until(lambda: keys_of(self.mesh.trust).get(id, ("gone",))[0] == state, f"{id} to be {state}")
        self.assertLess(time.monotonic() - start, FOLLOWS_S)

    def accepted(self, ticket, device, audience=STORAGE):
        code, verdict = self.mesh.verify(ticket, device, audience)
        return "accept" if code == 0 else verdict["reason"]


class Api(Keys, MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Socket(cls.mesh)

    def test_a_key(self):
        made = self.admin.call("POST", "keys", {"algorithm": "RSA-2048", "audiences": ["urn:b", "urn:a"],
                                               "until": "2031-01-01T00:00:00Z"})
        self.assertEqual(made.status, 201)
        node = made.json
        self.assertEqual((node["type"], node["state"], node["algorithm"], node["audiences"], node["until"]),
                         ("key", "next", "RSA-2048", ["urn:a", "urn:b"], "2031-01-01T00:00:00Z"))
        self.assertEqual((node["url"], made.headers["Location"]), (f"{self.mesh.url}/v1/admin/keys/{node['id']}",) * 2)
        self.assertEqual(node["created"], node["from"])
        self.assertRegex(node["key"], "^-----BEGIN PUBLIC KEY-----\n")
        self.assertNotIn("activated", node)
        self.published(node["id"], "next")
        self.assertNotIn("listed", node)
        listed = wait_until(lambda: self.admin.call("GET", f"keys/{node['id']}").json.get("listed"), "it to be on record")
        node = {**node, "listed": listed}
        self.assertEqual(self.admin.call("GET", f"keys/{node['id']}").json, node)
        self.assertIn(node, self.admin.call("GET", "keys").json["items"])
        self.assertEqual(keys_of(self.mesh.trust)[node["id"]], ("next", "rsa-sha256", "urn:a,urn:b"))
        record = self.mesh.audit(action="key.prepare", limit=1)[0]
        self.assertEqual((record["key"], record["resources"], record["outcome"], record["actor"]),
                         (node["id"], [node["id"], "urn:a,urn:b"], "done", self.admin.id))

    def test_what_is_given_when_nothing_is(self):
        node = self.make()
        self.assertEqual((node["algorithm"], "audiences" in node), ("P-256", False))
        self.assertEqual(seconds(node["until"]) - seconds(node["from"]), 365 * DAY_S)
        later = self.make(**{"from": "2030-06-01T00:00:00Z", "algorithm": "RSA-3072"})
        self.assertEqual((later["from"], later["until"]), ("2030-06-01T00:00:00Z", "2031-06-01T00:00:00Z"))
        answer = self.admin.call("POST", f"keys/{later['id']}/activate", {})
        self.assert_problem(answer, 409, "key-state")
        self.assertIn("only from 2030-06-01T00:00:00Z", answer.json["detail"])

    def test_bad_keys(self):
        count = len(self.admin.call("GET", "keys").json["items"])
        for body, problem in (
                ("", "body"), ([], "body"), ({"color": "red"}, "body"), ({"algorithm": 1}, "body"),
                ({"audiences": "urn:a"}, "body"), ({"audiences": [1]}, "body"), ({"key": "x"}, "body"),
                ({"algorithm": "p-256"}, "key"), ({"algorithm": "RSA-1024"}, "key"), ({"algorithm": ""}, "key"),
                ({"from": "tomorrow"}, "key"), ({"until": "2030-02-30T00:00:00Z"}, "key"),
                ({"until": "2020-01-01T00:00:00Z"}, "key"), ({"until": "1970-01-01T00:00:00Z"}, "key"), ({"from": "2020-01-01T00:00:00Z"}, "key"),
                ({"until": "2050-01-01T00:00:00Z"}, "key"), ({"audiences": []}, "key"), ({"audiences": ["*"]}, "key"),
                ({"audiences": ["storage"]}, "key"), ({"audiences": ["urn:a,urn:b"]}, "key"),
                ({"audiences": ["urn:a", "urn:a"]}, "key"), ({"audiences": [f"urn:{i}" for i in range(65)]}, "key"),
                ({"audiences": ["urn:" + "a" * 1100]}, "key")):
            with self.subTest(body):
                answer = self.admin.call("POST", "keys", body)
                self.assert_problem(answer, 400, problem)
                self.assertIn("detail", answer.json)
        self.assertEqual(len(self.admin.call("GET", "keys").json["items"]), count)

    def test_nobodys_keys(self):
        for id in ("0123456789abcdef", "0123456789abcde", "0123456789ABCDEF", "relay", "_" + "0" * 32):
            self.assert_problem(self.admin.call("GET", f"keys/{id}"), 404, "not-found")
            self.assert_problem(self.admin.call("POST", f"keys/{id}/activate", {}), 404, "not-found")
            self.assert_problem(self.admin.call("POST", f"keys/{id}/revoke"), 404, "not-found")
        self.assert_problem(self.admin.call("GET", "keys?limit=1"), 400, "query")
        self.assert_problem(self.admin.call("POST", f"keys/{self.active()}/activate", {"force": "yes"}), 400, "body")

    def test_who_may(self):
        alice = Person(self.mesh, "alice")
        id = self.active()
        count = len(self.admin.call("GET", "keys").json["items"])
        for method, path, body in (("GET", "keys", None), ("POST", "keys", {}), ("GET", f"keys/{id}", None),
                                   ("POST", f"keys/{id}/activate", {}), ("POST", f"keys/{id}/revoke", None)):
            self.assert_problem(alice.call(method, "/v1/admin/" + path, body), 403, "forbidden")
            self.assertEqual(self.mesh.request(method, "/v1/admin/" + path, json.dumps(body) if body is not None else None,
                             {"Content-Type": "application/json"} if body is not None else {}).status, 401)
        self.assertEqual((self.state(id), len(self.admin.call("GET", "keys").json["items"])), ("active", count))
        record = self.mesh.audit(action="key.revoke", actor=alice.id)[0]
        self.assertEqual((record["outcome"], record["reason"], record["key"]), ("deny", "forbidden", id))

        admin = Admin(self.mesh, "bob")
        made = admin.call("POST", "keys", {"audiences": ["urn:of:bob"]}).json
        for action, body in (("activate", {"force": True}), ("revoke", None)):
            self.assertEqual(admin.call("POST", f"keys/{made['id']}/{action}", body).status, 200)
        self.assertEqual(admin.call("GET", f"keys/{made['id']}").json["state"], "revoked")
        self.assertEqual([(r["action"], r["key"]) for r in self.mesh.audit(actor=admin.id) if r["action"].startswith("key")],
                         [("key.revoke", made["id"]), ("key.activate", made["id"]), ("key.prepare", made["id"])])


class Rotation(Keys, MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Socket(cls.mesh)

    def ticket_by(self, who, id):
        """A ticket that this key signs, within a second."""
        def login():
            who.login()
            return Ticket(who.ticket).key == id
        start = time.monotonic()
        wait_until(login, f"a ticket by {id}")
        self.assertLess(time.monotonic() - start, FOLLOWS_S)
        return who.ticket

    def test_there_and_back(self):
        alice = Person(self.mesh, "alice")
        old = self.active()
        new = self.make()["id"]
        before = self.ticket_by(alice, old)
        self.published(new, "next")
        node = self.activate(new)
        self.assertIn("activated", node)
        after = self.ticket_by(alice, new)
        self.published(old, "retiring")
        retiring = self.admin.call("GET", f"keys/{old}").json
        # The longest ticket, two skews and a moment.
        self.assertEqual(seconds(retiring["retires"]), seconds(node["activated"]) + 3600 + 360)
        # Not one ticket fails, by whichever.
        for ticket in (before, after):
            self.assertEqual(self.accepted(ticket, alice.device), "accept")
        self.activate(old)
        back = self.ticket_by(alice, old)
        self.published(new, "retiring")
        for ticket in (before, after, back):
            self.assertEqual(self.accepted(ticket, alice.device), "accept")
        self.activate(old)  # again: nothing
        records = [(r["action"], r["resources"]) for r in self.mesh.audit() if r["action"] == "key.activate"]
        self.assertEqual(records[:2], [("key.activate", [old, new]), ("key.activate", [new, old])])

    def test_revoked_at_once(self):
        alice = Person(self.mesh, "alice")
        bad = self.make()["id"]
        self.published(bad, "next")
        self.activate(bad)
        ticket = self.ticket_by(alice, bad)
        self.assertEqual(self.accepted(ticket, alice.device), "accept")
        self.revoke(bad)
        self.published(bad, "revoked")
        self.assertEqual(self.accepted(ticket, alice.device), "key-revoked")
        # Those who judge in the end take none of its either.
        self.mesh.tickets = {id: xml for id, xml in self.mesh.tickets.items() if bad not in xml}
        # Another has taken over: a next one, or one that had retired.
        successor = self.active()
        self.assertNotEqual(successor, bad)
        self.assertEqual(self.accepted(self.ticket_by(alice, successor), alice.device), "accept")
        self.assert_problem(self.admin.call("POST", f"keys/{bad}/activate", {}), 409, "key-state")
        self.assertEqual(self.mesh.audit(action="key.revoke", limit=1)[0]["resources"], [bad, successor])


class Schedule(Keys, MeshTest):
    """Keys that follow each other by themselves; test_housekeeper.c shows the rest."""

    settings = {"keys": {"period_s": 90 * DAY_S, "publish_ahead_s": 3600, "algorithm": "RSA-2048"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Socket(cls.mesh)

    def turn(self):
        """What meshauthd does each minute, now."""
        count = self.mesh.log_text().count("reloaded the TLS certificate")
        self.mesh.signal(signal.SIGHUP)
        wait_until(lambda: self.mesh.log_text().count("reloaded the TLS certificate") > count, "the reload")

    def test_one_that_ends_soon_is_followed(self):
        self.turn()
        self.assertEqual(self.mesh.audit(action="key.prepare"), [])
        # Its last ticket would end after it, if none followed in the next hour.
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600 + 360 + 1800))
        brief = self.make(until=until)["id"]
        self.activate(brief)
        self.turn()
        record = wait_until(lambda: self.mesh.audit(action="key.prepare", actor="meshauthd"), "the next key")[0]
        node = self.admin.call("GET", f"keys/{record['key']}").json
        self.assertEqual((node["state"], node["algorithm"], "audiences" in node), ("next", "RSA-2048", False))
        self.published(node["id"], "next")
        self.turn()
        time.sleep(1)
        self.assertEqual(len(self.mesh.audit(action="key.prepare", actor="meshauthd")), 1)
        self.assertEqual(self.state(brief), "active")  # until the next one has been published for an hour


class Audiences(Keys, MeshTest):
    """Two keys: one for all, and one for the tickets of one service."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Socket(cls.mesh)

    def test_each_signs_its_own(self):
        own = self.make(audiences=[STORAGE], algorithm="RSA-2048")["id"]
        self.activate(own)
        common = self.active()
        alice = Person(self.mesh, "alice")

        def signed():
            alice.login()
            return Ticket(alice.ticket).key == own
        wait_until(signed, "the own key to sign")
        # The identity ticket is for the account service, and for nobody else.
        self.assertEqual(Ticket(alice.credential).key, common)
        self.published(own, "active")
        self.assertEqual(keys_of(self.mesh.trust)[own], ("active", "rsa-sha256", STORAGE))
        self.assertEqual(self.accepted(alice.ticket, alice.device), "accept")
        # Neither takes the other's place.
        second = self.make(audiences=[STORAGE])["id"]
        self.activate(second)
        self.assertEqual((self.state(common), self.state(own)), ("active", "retiring"))
        self.revoke(second)
        self.assertEqual((self.state(common), self.state(own)), ("active", "active"))


class Commands(Keys, MeshTest):
    """`meshauth keys`, through the admin socket; and on the store."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Socket(cls.mesh)

    def keys(self, *words, code=0, mesh=None):
        done = run(MESHAUTH, "keys", *words, "-c", (mesh or self.mesh).conf, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def lives(self, mesh, actor):
        done = self.keys("prepare", "--json", "--audience", "relay,storage,urn:x", "--until", "90d", mesh=mesh)
        made = json.loads(done.stdout)
        self.assertRegex(done.stderr, r"\A.*made, but no service 'relay' is registered.*\n\Z")
        self.assertEqual(made["audiences"], ["urn:meshauth:service:relay", STORAGE, "urn:x"])
        self.assertLess(abs(seconds(made["until"]) - seconds(made["created"]) - 90 * DAY_S), 10)
        text = self.keys("prepare", "--algorithm", "RSA-3072", mesh=mesh).stdout
        new = re.match("[0-9a-f]{16}", text).group()
        self.assertIn("RSA-3072", text)
        listed = {k["id"]: k for k in json.loads(self.keys("list", "--json", mesh=mesh).stdout)["keys"]}
        self.assertEqual({k: v for k, v in listed[made["id"]].items() if k != "listed"}, made)
        old = next(k["id"] for k in listed.values() if k["state"] == "active")
        self.assertEqual(self.keys("activate", new, mesh=mesh).stdout, f"{new}: signs from now on\n")
        self.assertEqual(self.keys("activate", old, mesh=mesh).stdout, f"{old}: signs from now on\n")
        self.assertEqual(json.loads(self.keys("revoke", new, "--json", mesh=mesh).stdout)["state"], "revoked")
        done = self.keys("activate", new, code=1, mesh=mesh)
        self.assertIn(f"The key {new} was revoked.", done.stderr)
        done = self.keys("revoke", "0123456789abcdef", code=1, mesh=mesh)
        self.assertIn("there is no signing key 0123456789abcdef", done.stderr)
        table = self.keys("list", mesh=mesh).stdout
        self.assertLessEqual(max(map(len, table.splitlines())), 80)
        for mark in ("active", "next", "revoked", "relay +2", "RSA-3072"):
            self.assertIn(mark, table)
        self.assertRegex(table, f"(?m)^  {old}  =+$")
        self.assertRegex(table, f"(?m)^  {new}  x+$")
        self.assertRegex(table, rf"(?m)^  {made['id']}  \.+$")
        return [("key.revoke", "deny"), ("key.activate", "deny"), ("key.revoke", "done"), ("key.activate", "done"),
                ("key.activate", "done"), ("key.prepare", "done"), ("key.prepare", "done")]

    def test_through_the_service(self):
        done = self.lives(self.mesh, self.admin.id)
        said = [(r["action"], r["outcome"]) for r in self.mesh.audit(actor=self.admin.id) if r["action"].startswith("key.")]
        self.assertEqual(said[:len(done)], done)

    def test_on_the_store(self):
        mesh = Mesh(start=False)
        self.addCleanup(mesh.close)
        done = self.lives(mesh, self.admin.id)
        mesh.start()
        said = [(r["action"], r["outcome"]) for r in mesh.audit() if r["action"].startswith("key.")]
        # One that nobody knows is looked for in the store as well.
        self.assertEqual(said, done)
        self.assertEqual(sorted(v[0] for v in keys_of(mesh.trust).values()), ["active", "next", "revoked"])

    def test_the_last_one(self):
        mesh = Mesh(start=False)
        self.addCleanup(mesh.close)
        last = json.loads(self.keys("list", "--json", mesh=mesh).stdout)["keys"][0]["id"]
        done = self.keys("revoke", last, mesh=mesh)
        self.assertEqual(done.stdout, f"{last}: revoked\n")
        self.assertIn("no key signs for these audiences now", done.stderr)
        mesh.start()
        device = Device(mesh.folder)
        self.assertEqual(mesh.exchange(mesh.mint("alice"), device).status, 503)
        new = json.loads(self.keys("prepare", "--json", mesh=mesh).stdout)["id"]
        self.assertEqual(self.keys("activate", new, mesh=mesh).stderr, "")
        wait_until(lambda: mesh.exchange(mesh.mint("alice"), device).status == 200, "a login")

    def test_what_is_not_there_is_named(self):
        """The seal key or the store, not what was asked for in it."""
        mesh = Mesh(start=False)
        self.addCleanup(mesh.close)
        key = json.loads(self.keys("list", "--json", mesh=mesh).stdout)["keys"][0]["id"]
        seal, store = mesh.dir / "seal.key", mesh.dir / "store"
        seal.rename(mesh.dir / "away.key")
        for words in (("list",), ("prepare",), ("activate", key), ("revoke", key)):
            self.assertIn(f"{seal}: No such file", self.keys(*words, code=3, mesh=mesh).stderr)
        (mesh.dir / "away.key").rename(seal)
        store.rename(mesh.dir / "away")
        for words in (("keys", "prepare"), ("service", "add", "x"), ("service", "show", "x"), ("user", "list"),
                      ("role", "grant", "x", "admin"), ("user", "remove", new_id("usr_"))):
            done = run(MESHAUTH, *words, "-c", mesh.conf, check=False)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(f"there is none in {store}", done.stderr)
        (mesh.dir / "away").rename(store)

    def test_reseal(self):
        mesh = Mesh()
        self.addCleanup(mesh.close)
        alice = Person(mesh, "alice")
        Socket(mesh).call("POST", "keys", {"audiences": ["urn:x"]})
        new, old = mesh.dir / "seal2.key", mesh.dir / "seal.key"
        done = self.keys("reseal", "--seal-key-file", new, code=1, mesh=mesh)
        self.assertIn("stop it first", done.stderr)
        self.assertFalse(new.exists())
        mesh.stop()
        said = json.loads(self.keys("reseal", "--seal-key-file", new, "--json", mesh=mesh).stdout)
        self.assertEqual(said, {"resealed": 4, "file": str(new)})
        self.assertEqual(new.stat().st_mode & 0o777, 0o600)
        mesh.secrets.add(new.read_text().strip())
        self.assertIn("sealed with this key already", self.keys("reseal", "--seal-key-file", new, mesh=mesh).stdout)
        # The configuration still names the old one, which opens nothing any more.
        mesh.start(wait=False)
        self.assertEqual(mesh.daemon.wait(PATIENCE_S), 3)
        refused = mesh.log_text().splitlines()[-1]
        self.assertIn("is seal_key_file the seal key of this store?", refused)
        mesh.log_file.write_text("".join(line + "\n" for line in mesh.log_text().splitlines()[:-1]))
        self.assertIn("does not open", self.keys("list", code=1, mesh=mesh).stderr)
        mesh.conf.write_text('seal_key_file = "seal2.key";\n' + mesh.conf.read_text().replace("seal_key_file", "#"))
        old.unlink()
        mesh.start()
        self.assertEqual(mesh.verify(alice.ticket, alice.device)[0], 0)
        alice.login()
        self.assertEqual(mesh.verify(alice.ticket, alice.device)[0], 0)
        self.assertEqual(mesh.audit(action="key.reseal")[0]["actor"], self.admin.id)
        # A file that holds no seal key stays as it is.
        other = mesh.folder / "no-key"
        other.write_text("nothing\n")
        other.chmod(0o600)
        mesh.stop()
        self.keys("reseal", "--seal-key-file", other, code=3, mesh=mesh)
        self.keys("reseal", code=2, mesh=mesh)
        self.assertEqual(other.read_text(), "nothing\n")
        mesh.start()

    def test_misused(self):
        for words in (("prepare", "--algorithm", "DSA"), ("prepare", "--until", "soon"), ("prepare", "--until", "1970-01-01T00:00:00Z"), ("prepare", "--audience", ""),
                      ("prepare", "--audience", "relay,relay"), ("prepare", "--audience", "Not a name"), ("activate",),
                      ("revoke", "a", "b"), ("prepare", "--audience", ",".join(f"a{i}" for i in range(70)))):
            with self.subTest(words):
                self.keys(*words, code=2)
        self.keys("prepare", "--until", "2020-01-01T00:00:00Z", code=1)
        self.keys("prepare", "--until", "4000d", code=1)


if __name__ == "__main__":
    main()
