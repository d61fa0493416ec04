#!/usr/bin/env python3
"""/v1/admin: users, services and roles, over HTTPS, the admin socket and the command."""
import json
import re
import secrets

from harness import MESHAUTH, Device, MeshTest, main, run, seconds, wait_until
from people import Person
from services import Admin, Service, Socket

READS = ["users", "services", "roles"]


class Principals(MeshTest):
    """The row of RULES.md: `role(U, admin)`, or the local admin socket."""

    def reads(self, who):
        return [who.call("GET", path if path.startswith("/") else f"/v1/admin/{path}") for path in READS]

    def test_strangers(self):
        for path in READS:
            self.assert_problem(self.mesh.request("GET", "/v1/admin/" + path), 401, "no-ticket")
        answer = self.mesh.request("DELETE", "/v1/admin/services/storage", headers={"If-Match": "*"})
        self.assert_problem(answer, 401, "no-ticket")

    def test_users_without_the_role(self):
        alice = Person(self.mesh, "alice")
        for answer in self.reads(alice):
            self.assert_problem(answer, 403, "forbidden")
        answer = alice.call("DELETE", "/v1/admin/services/storage", if_match="*")
        self.assert_problem(answer, 403, "forbidden")
        record = self.mesh.audit(action="service.delete", actor=alice.id)[0]
        self.assertEqual((record["outcome"], record["reason"], record["resources"]), ("deny", "forbidden", ["storage"]))
        self.assertEqual(Socket(self.mesh).call("GET", "services/storage").status, 200)
        # Whether somebody is there at all is not told either.
        self.assert_problem(alice.call("GET", "/v1/admin/services/nobody"), 403, "forbidden")
        self.assert_problem(alice.call("DELETE", "/v1/admin/services/nobody", if_match="*"), 403, "forbidden")

    def test_services_without_the_role(self):
        relay = Service(self.mesh, "relay")
        relay.login()
        for answer in self.reads(relay):
            self.assert_problem(answer, 403, "forbidden")

    def test_other_roles_open_nothing(self):
        bob = Person(self.mesh, "bob")
        for role in ("auditor", "admin2", "adm"):
            self.assertEqual(Socket(self.mesh).call("PUT", f"roles/{bob.id}/{role}").status, 200)
        for answer in self.reads(bob):
            self.assert_problem(answer, 403, "forbidden")

    def test_admins(self):
        admin = Admin(self.mesh, "carol")
        for answer in self.reads(admin):
            self.assertEqual(answer.status, 200)
        self.assertEqual(admin.call("PUT", f"roles/{admin.id}/auditor").status, 200)
        record = self.mesh.audit(action="role.grant", actor=admin.id)[0]
        self.assertEqual((record["outcome"], record["resources"]), ("done", [admin.id, "auditor"]))
        self.assertEqual(record["rule"], "allow administer if caller(U), role(U, admin).")
        self.assertTrue(record["session"].startswith("ses_"))
        self.assertEqual(record["client"], "127.0.0.1")

    def test_a_role_that_is_taken_away(self):
        admin = Admin(self.mesh, "dave")
        self.assertEqual(Socket(self.mesh).call("DELETE", f"roles/{admin.id}/admin").status, 204)
        # Its next request is refused by the graph, and soon its ticket is dead.
        self.assertIn(admin.call("GET", "users").status, (401, 403))
        wait_until(lambda: admin.call("GET", "users").status == 401, "the ticket to be dead")
        self.assert_problem(admin.call("GET", "users"), 401, "revoked")
        admin.login()
        self.assert_problem(admin.call("GET", "users"), 403, "forbidden")

    def test_the_socket(self):
        local = Socket(self.mesh)
        for path in READS:
            self.assertEqual(local.call("GET", path).status, 200)
        self.assertEqual(local.call("POST", "services", {"name": "by-socket"}).status, 201)
        record = self.mesh.audit(action="service.create", actor=local.id, limit=1)[0]
        self.assertEqual((record["client"], record["rule"]), ("unix", "allow administer if local."))
        self.assertNotIn("session", record)


class Registry(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Admin(cls.mesh, "admin")

    def create(self, **body):
        return self.admin.call("POST", "services", {"name": f"s{secrets.token_hex(6)}", **body})

    def test_a_service(self):
        key = run("openssl", "pkey", "-in", self.device.key, "-pubout").stdout
        made = self.create(key=key, prefix="https://storage.example/v1", actions=["read", "write"])
        self.assertEqual(made.status, 201)
        node = made.json
        self.assertEqual((node["type"], node["version"], node["key"], node["prefix"], node["actions"]),
                         ("service", 1, key, "https://storage.example/v1", ["read", "write"]))
        self.assertEqual(node["audience"], "urn:meshauth:service:" + node["name"])
        self.assertEqual((made.headers["Location"], made.headers["ETag"]), (node["url"], '"1"'))
        self.assertEqual(node["created"], node["updated"])
        seconds(node["created"])

        for name in (node["id"], node["name"], node["url"]):
            path = name if name.startswith("https") else "services/" + name
            answer = self.admin.call("GET", path)
            self.assertEqual((answer.status, answer.json, answer.headers["ETag"]), (200, node, '"1"'))
        again = self.admin.call("GET", node["url"], headers={"If-None-Match": '"1"'})
        self.assertEqual((again.status, again.body), (304, b""))

        changed = self.admin.call("PATCH", node["url"], {"actions": ["read"]}, '"1"')
        self.assertEqual((changed.status, changed.json["actions"], changed.json["version"]), (200, ["read"], 2))
        self.assertEqual((changed.json["key"], changed.json["prefix"]), (key, node["prefix"]))
        self.assertEqual(changed.headers["ETag"], '"2"')
        self.assert_problem(self.admin.call("PATCH", node["url"], {"actions": []}, '"1"'), 412, "version")
        self.assert_problem(self.admin.call("PATCH", node["url"], {"actions": []}), 428, "precondition-required")
        # The same again is no change.
        same = self.admin.call("PATCH", node["url"], {"actions": ["read"]}, '"2"')
        self.assertEqual((same.status, same.json), (200, changed.json))
        bare = self.admin.call("PATCH", node["url"], {"key": "", "prefix": "", "actions": []}, "*").json
        self.assertEqual((bare["actions"], "key" in bare, "prefix" in bare), ([], False, False))

        self.assert_problem(self.admin.call("DELETE", node["url"]), 428, "precondition-required")
        self.assert_problem(self.admin.call("DELETE", node["url"], if_match='"2"'), 412, "version")
        gone = self.admin.call("DELETE", node["url"], if_match='"3"')
        self.assertEqual((gone.status, gone.body), (204, b""))
        self.assert_problem(self.admin.call("GET", node["url"]), 404, "not-found")
        self.assert_problem(self.admin.call("DELETE", node["url"], if_match="*"), 404, "not-found")
        self.assertEqual([(r["action"], r["outcome"], r.get("reason")) for r in self.mesh.audit(actor=self.admin.id)
                          if node["id"] in r.get("resources", [])],
                         [("service.delete", "deny", "not-found"), ("service.delete", "done", None),
                          ("service.delete", "deny", "version"),
                          ("service.update", "done", None), ("service.update", "deny", "version"),
                          ("service.update", "done", None), ("service.create", "done", None)])

    def test_bad_services(self):
        taken = self.create(prefix="https://taken.example/a").json
        private = self.device.key.read_text()
        weak = Device(self.mesh.folder, "weak", "rsa1024")
        count = len(self.items("services"))
        for body, status, problem in (
                ({}, 400, "body"), ([], 400, "body"), ("{", 400, "body"), ("", 400, "body"),
                ({"name": 1}, 400, "body"), ({"name": "a", "color": "red"}, 400, "body"),
                ('{"name":"a1","name":"a2"}', 400, "body"), ({"name": "a", "actions": "read"}, 400, "body"),
                ({"name": "a", "actions": [1]}, 400, "body"), ({"name": "a", "key": private}, 400, "private-key"),
                ({"name": ""}, 400, "service"), ({"name": "A"}, 400, "service"), ({"name": "a" * 65}, 400, "service"),
                ({"name": "svc_0aaaaaaaaaaaaaaaaaaaaaaaaa"}, 400, "service"), ({"name": "<b>"}, 400, "service"),
                ({"name": "a", "key": "x"}, 400, "service"),
                ({"name": "a", "key": weak.certificate.read_text()}, 400, "service"),
                ({"name": "a", "prefix": "http://a.example"}, 400, "service"),
                ({"name": "a", "prefix": "https://a.example/"}, 400, "service"),
                ({"name": "a", "prefix": "https://a.example/" + "b" * 256}, 400, "service"),
                ({"name": "a", "actions": ["Read"]}, 400, "service"),
                ({"name": "a", "actions": ["read", "read"]}, 400, "service"),
                ({"name": "a", "actions": [f"a{i}" for i in range(17)]}, 400, "service"),
                ({"name": taken["name"]}, 409, "service-taken"),
                ({"name": "a", "prefix": taken["prefix"]}, 409, "service-taken"),
                ({"name": "a", "prefix": taken["prefix"] + "/b"}, 409, "service-taken"),
                ({"name": "a", "prefix": "https://taken.example"}, 409, "service-taken")):
            with self.subTest(body):
                answer = self.admin.call("POST", "services", body)
                self.assert_problem(answer, status, problem)
                if problem in ("service", "service-taken"):
                    self.assertIn("detail", answer.json)
        self.assert_problem(self.admin.call("POST", "services", "x" * 9000), 413, "too-large")
        self.assertEqual(len(self.items("services")), count)

    def items(self, path):
        found = []
        while path:
            page = self.admin.call("GET", path)
            self.assertEqual(page.status, 200, page)
            found += page.json["items"]
            path = page.json.get("next")
        return found

    def test_lists_go_on(self):
        made = {self.create().json["id"] for _ in range(40)}
        services = self.items("services?limit=7")
        names = [s["name"] for s in services]
        self.assertEqual(names, sorted(names))
        self.assertLessEqual(made, {s["id"] for s in services})
        self.assertEqual(services, self.items("services"))
        for i in range(9):
            self.assertEqual(self.admin.call("PUT", f"roles/storage/r{i}").status, 200)
        roles = self.items("roles?limit=2")
        self.assertEqual(roles, self.items("roles"))
        self.assertEqual(len({r["url"] for r in roles}), len(roles))
        people = {Person(self.mesh, f"p{i}").id for i in range(5)}
        users = self.items("users?limit=2")
        self.assertLessEqual(people, {u["id"] for u in users})
        self.assertEqual([u["id"] for u in users], sorted(u["id"] for u in users))
        for query in ("limit=0", "limit=65", "limit=x", "after=%00", "after=UPPER", "limit=1&limit=2",
                      "after=" + "a" * 200):
            self.assert_problem(self.admin.call("GET", "services?" + query), 400, "query")
        self.assert_problem(self.admin.call("GET", "services/storage?limit=1"), 400, "query")

    def test_roles(self):
        alice = Person(self.mesh, "alice")
        first = self.admin.call("PUT", f"roles/{alice.id}/auditor")
        self.assertEqual((first.status, first.json["principal"], first.json["role"]), (200, alice.id, "auditor"))
        self.assertEqual(self.admin.call("PUT", f"roles/{alice.id}/auditor").status, 200)
        self.assertIn((alice.id, "auditor"), [(r["principal"], r["role"]) for r in self.items("roles")])
        self.assertEqual(len([r for r in self.mesh.audit(action="role.grant") if r["resources"] == [alice.id, "auditor"]
                              ]), 1)  # the second time nothing changed
        self.assertEqual(self.admin.call("DELETE", first.json["url"]).status, 204)
        self.assert_problem(self.admin.call("DELETE", first.json["url"]), 404, "not-found")
        for path, status, problem in (
                ("roles/usr_0aaaaaaaaaaaaaaaaaaaaaaaaa/admin", 404, "not-found"), ("roles/nobody/admin", 404, "not-found"),
                ("roles/Nobody/admin", 404, "not-found"), (f"roles/{alice.id}/Admin", 400, "role"),
                (f"roles/{alice.id}/" + "a" * 65, 400, "role")):
            self.assert_problem(self.admin.call("PUT", path), status, problem)

    def test_users(self):
        erin = Person(self.mesh, "erin")
        folder = erin.create("Trip")
        node = self.admin.call("GET", f"users/{erin.id}")
        self.assertEqual((node.status, node.json["id"], node.json["type"]), (200, erin.id, "user"))
        self.assertEqual(self.admin.call("PUT", f"roles/{erin.id}/auditor").status, 200)
        self.assert_problem(self.admin.call("DELETE", node.json["url"], if_match='"99"'), 412, "version")
        self.assertEqual(self.admin.call("DELETE", node.json["url"], if_match="*").status, 204)
        self.assertEqual(self.mesh.audit(action="user.delete", outcome="done")[0]["resources"], [erin.id])
        self.assert_problem(self.admin.call("GET", node.json["url"]), 404, "not-found")
        self.assert_problem(self.admin.call("DELETE", node.json["url"], if_match="*"), 404, "not-found")
        self.assertEqual(erin.get(folder["url"]).status, 401)
        answer = self.mesh.exchange(self.mesh.mint("erin"), erin.device)
        self.assert_refused(answer, 400, "invalid_request", "The account of this identity is closed.", "user-closed")
        self.assertNotIn(erin.id, [u["id"] for u in self.items("users")])
        self.assertNotIn(erin.id, [r["principal"] for r in self.items("roles")])
        for name in ("usr_0aaaaaaaaaaaaaaaaaaaaaaaaa", "erin", self.create().json["id"], "x%2Fy", ".."):
            self.assertIn(self.admin.call("GET", "users/" + name).status, (400, 404))


class Command(MeshTest):
    """`meshauth service|role|user`, while meshauthd runs and while it does not."""

    def cli(self, *words):
        done = run(MESHAUTH, *words, "-c", self.mesh.conf, check=False)
        self.assertNotIn("sanitizer", done.stderr.lower())
        return done

    def walk(self, name, user):
        """The same commands; what they print, their codes, and what they leave on record."""
        key = self.mesh.folder / "key.pem"
        key.write_text(run("openssl", "pkey", "-in", Device(self.mesh.folder, name).key, "-pubout").stdout)
        before = len(self.records())
        said = []
        for words in (
                ("service", "add", name, "--key", key, "--url", f"https://{name}.example", "--action", "read,write"),
                ("service", "add", name), ("service", "add", "Upper"), ("service", "add", name + "2", "--url", "x"),
                ("service", "add", name + "3", "--key", key), ("service", "show", name),
                ("service", "update", name, "--url", f"https://{name}.example/v2", "--action", "read"),
                ("service", "update", name, "--key", "", "--action", "", "--json"),
                ("service", "update", name, "--key", key, "--action", "read,write"),
                ("service", "update", name, "--key", key), ("service", "update", name, "--url", "x"),
                ("service", "update", "nobody", "--url", ""), ("service", "update", "No/body", "--url", ""),
                ("service", "show", name, "--json"), ("service", "show", "nobody"), ("service", "show", "No/body"),
                ("service", "list"), ("service", "list", "--json"), ("role", "grant", name, "publish"),
                ("role", "grant", name, "publish", "--json"), ("role", "grant", "nobody", "publish"),
                ("role", "grant", name, "Publish"), ("role", "list"), ("role", "list", "--json"),
                ("role", "revoke", name, "publish"), ("role", "revoke", name, "publish"), ("role", "list"),
                ("service", "remove", name), ("service", "remove", name), ("user", "list"), ("user", "show", user),
                ("user", "show", user, "--json"), ("user", "show", name), ("user", "remove", user),
                ("user", "remove", user), ("user", "show", user)):
            done = self.cli(*words)
            said.append((words[:2], done.returncode, self.plain(done.stdout, name, user),
                         self.plain(done.stderr, name, user)))
        records = [self.plain(json.dumps([r[k] for k in ("action", "outcome", "actor")] +
                                         [r.get("reason"), r["resources"]]), name, user)
                   for r in self.records()[before:]]
        return said, records

    def records(self):
        lines = self.cli("audit", "query", "--json", "--limit", "10000").stdout.splitlines()
        return [r for r in map(json.loads, lines) if r["action"].split(".")[0] in ("service", "role", "user")
                and r["action"] != "user.create"]

    def plain(self, text, name, user):
        """Without what differs from one run to another."""
        text = text.replace(user, "USER").replace(name, "NAME")
        text = re.sub(r"svc_[0-9a-z]{26}", "SVC", text)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
        text = re.sub(r"-----BEGIN.*?END PUBLIC KEY-----", "KEY", text, flags=re.S)
        text = re.sub(r"\bses_[0-9a-z]{26}\b", "SESSION", text)
        return re.sub(r"\b[0-9a-f]{16}\b", "KEYID", text)

    def test_both_ways_are_one(self):
        alice, bobby = Person(self.mesh, "alice"), Person(self.mesh, "bobby")
        served = self.walk("relay", alice.id)
        # What differs by who is there: alice is gone, so the second walk sees as much.
        self.mesh.stop()
        direct = self.walk("queue", bobby.id)
        self.mesh.start()
        for a, b in zip(served[0], direct[0]):
            if a[0] == ("user", "list"):
                self.assertIn("USER", b[2])
                self.assertEqual(len(a[2].splitlines()), len(b[2].splitlines()) + 1)
            else:
                self.assertEqual(a, b)
        for a, b in zip(*(w[1] for w in (served, direct))):
            self.assertEqual(a, b)
        codes = [s[1] for s in served[0]]
        self.assertEqual(codes, [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1])

    def test_misuse(self):
        for says, *words in (
                ("-c FILE is missing", "service", "list"), ("NAME is missing", "service", "add", "-c", "x"),
                ("argument too many", "role", "grant", "a", "b", "c", "-c", "x"),
                ("takes names", "service", "add", "a", "--action", "A", "-c", "x"),
                ("takes names", "service", "add", "a", "--action", "a,", "-c", "x"),
                ("64 characters", "service", "add", "a" * 65, "-c", "x"),
                ("--action is empty", "service", "add", "a", "--action", "", "-c", "x"),
                ("nothing is to be changed", "service", "update", "a", "-c", "x"),
                ("takes names", "service", "update", "a", "--action", ",", "-c", "x")):
            done = run(MESHAUTH, *words, check=False)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(says, done.stderr)
        done = self.cli("service", "add", "a", "--key", self.device.key)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.device.key}: not a public key or a certificate in PEM", done.stderr)
        self.assertNotIn(self.device.secret, done.stderr)

    def test_whom_and_what_is_granted(self):
        self.assertEqual(self.cli("service", "add", "granted").returncode, 0)
        for role, says in (("changes", ""), ("chagnes", "no rule of " + str(self.mesh.dir / "mesh.rules") + " speaks of the role 'chagnes'")):
            done = self.cli("role", "grant", "granted", role)
            self.assertEqual((done.returncode, done.stdout), (0, f"{role} of granted: granted\n"))
            self.assertIn(says, done.stderr)
            self.assertEqual(bool(done.stderr), bool(says))
        for stopped in (False, True):
            if stopped:
                self.mesh.stop()
                self.addCleanup(self.mesh.start)
            for whom in ("nobody", "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa", "svc_0aaaaaaaaaaaaaaaaaaaaaaaaa", "dev_0aaaaaaaaaaaaaaaaaaaaaaaaa"):
                done = self.cli("role", "grant", whom, "changes")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"there is no principal {whom}, which is a user, usr_..., or a service, svc_... or its name", done.stderr)
        self.assertIn("`meshauth service list` shows them", self.cli("service", "show", "nobody").stderr)

    def test_update(self):
        key = self.mesh.folder / "update.pem"
        key.write_text(run("openssl", "pkey", "-in", Device(self.mesh.folder, "update").key, "-pubout").stdout)
        self.assertEqual(self.cli("service", "add", "grows", "--url", "https://grows.example").returncode, 0)
        steps = ((("--action", "read,write"), {"actions": ["read", "write"], "prefix": "https://grows.example"}),
                 (("--key", key), {"actions": ["read", "write"], "prefix": "https://grows.example", "key": key}),
                 (("--url", ""), {"actions": ["read", "write"], "key": key}), (("--key", "", "--action", ""), {"actions": []}))
        for options, want in steps:
            done = self.cli("service", "update", "grows", *options, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            node = json.loads(done.stdout)
            self.assertEqual({k: node[k] for k in ("actions", "prefix", "key") if k in node},
                             {k: v.read_text() if k == "key" else v for k, v in want.items()})
            self.assertEqual(json.loads(self.cli("service", "show", node["id"], "--json").stdout), node)

    def test_many(self):
        for i in range(70):
            self.assertEqual(Socket(self.mesh).call("POST", "services", {"name": f"many{i}"}).status, 201)
        Person(self.mesh, "many")
        nouns = {"service": "services", "user": "users", "role": "roles"}
        self.assertEqual(self.cli("role", "grant", "many0", "publish").returncode, 0)
        listed = {noun: json.loads(self.cli(noun, "list", "--json").stdout)[nouns[noun]] for noun in nouns}
        self.mesh.stop()
        for noun, items in listed.items():
            self.assertTrue(items, noun)
            self.assertEqual(json.loads(self.cli(noun, "list", "--json").stdout)[nouns[noun]], items, noun)
        self.mesh.start()
        self.assertLessEqual({f"many{i}" for i in range(70)}, {s["name"] for s in listed["service"]})


if __name__ == "__main__":
    main()
