#!/usr/bin/env python3
"""Why not: what an admin is told over the live graph, and what a caller may hear."""
import json
import re

import harness
from harness import EXCHANGE, MESHAUTH, SAML2, STORAGE, main, run
from people import Person, new_id
from services import Admin, Service, Socket

RELAY = "urn:meshauth:service:relay"
BEYOND = "it takes more than your own side shows"


def anonymous(answer, names):
    """An answer without request id and date, and what is named in it by other names."""
    body = answer.body.decode()
    for name, value in names.items():
        body = body.replace(value, name)
    body = re.sub(r'"request_id":\s*"[^"]*"', '"request_id":"-"', body)
    headers = sorted((k, v) for k, v in answer.headers.items() if k not in ("Date", "X-Request-Id", "Content-Length"))
    return answer.status, headers, body


class Live(harness.MeshTest):
    """meshauth policy explain -c, POST /v1/admin/explain."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice, cls.bob, cls.carol = (Person(cls.mesh, name) for name in ("alice", "bob", "carol"))
        cls.pc, cls.phone = cls.alice.claim("PC").json, cls.bob.claim("phone").json
        cls.trip = cls.alice.create()
        cls.alice.join(cls.trip, cls.bob)

    def explain(self, *args, code, json_too=True):
        done = run(MESHAUTH, "policy", "explain", *args, "-c", self.mesh.conf, *(["--json"] if json_too else []),
                   check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout) if json_too and done.stdout else done

    def check_answers(self):
        trip = self.trip["id"]
        said = self.explain("read", trip, "--subject", self.bob.id, code=0)
        grant, allow = said["rules"][0], said["rules"][-1]
        self.assertEqual((said["outcome"], grant["kind"], grant["holds"]), ("allow", "grant", True))
        self.assertEqual([(f["fact"], f["source"]) for f in grant["facts"]], [
            (f"subject({self.bob.id})", "request"), (f'folder("{self.trip["url"]}", {trip})', "computed"),
            (f"member({self.bob.id}, {trip}, reader)", "graph"), ("can(reader, read)", "rules")])
        self.assertEqual(allow["kind"], "allow")
        self.assertEqual(said, self.explain("read", self.trip["url"], "--subject", self.bob.id, code=0) | {"args": [trip]})
        # The role, the relation and the device that are missing; and how to mend it.
        rule, = self.explain("write", trip, "--subject", self.bob.id, code=1)["rules"]
        self.assertEqual((rule["missing"], rule["why"]), (
            {"fact": "can(reader, write)", "source": "rules"},
            "the rules have no can(reader, write), but can(contributor, write), can(owner, write)"))
        rule, = self.explain("write", trip, "--subject", self.carol.id, code=1)["rules"]
        self.assertEqual((rule["why"], rule["remedy"]), (f"{self.carol.id} is no member of {trip}",
                                                         "who may share the folder invites: meshauth folder invite"))
        self.assertEqual(rule["missing"], {"fact": f"member({self.carol.id}, {trip}, _)", "source": "graph"})
        pair = ("sync", self.pc["id"], self.phone["id"], "--subject", self.alice.id, "--holder", self.pc["id"])
        said = self.explain(*pair, code=1)
        self.assertEqual([r["why"] for r in said["rules"]],
                         [f"{self.phone['id']} is not claimed by {self.alice.id}", f"{self.pc['id']} has no folder mapped"])
        self.assertEqual(said["holder"], self.pc["id"])
        said = self.explain(*pair[:-2], code=1)
        self.assertEqual({r["why"] for r in said["rules"]}, {f"the proven key is not that of {self.pc['id']}"})
        self.assertEqual(self.explain("fly", "--subject", self.bob.id, code=1)["rules"], [])
        # For people.
        text = self.explain("write", trip, "--subject", self.carol.id, code=1, json_too=False).stdout
        self.assertIn("denied", text)
        self.assertIn(f"{self.carol.id} is no member of {trip}", text)
        text = self.explain("read", trip, "--subject", self.bob.id, code=0, json_too=False).stdout
        self.assertRegex(text, r"allowed\b(.|\n)*can\(reader, read\) +rules")
        # Who is not there, and what is not of its form.
        for args, says in ((("--subject", new_id("usr_")), "there is no usr_"),
                           (("--subject", self.bob.id, "--holder", new_id("dev_")), "there is no dev_")):
            self.assertIn(says, self.explain("read", trip, *args, code=1, json_too=False).stderr)
        bob = ("--subject", self.bob.id)
        for args, says in ((("read", trip), "--subject"), (("read", trip, *bob, "--ticket", "x"), "neither"),
                           (("read", trip, "--subject", "bob"), "a subject is the id of a user, usr_..., or of a service"),
                           (("read", trip, *bob, "--holder", "PC"), "a holder is the id of a device, dev_..."),
                           (("read", trip, *bob, "--shown", "x"), "its id, inv_..."),
                           (("Read", trip, *bob), "an action is a name as read"),
                           (("read", "a" * 1024, *bob), "1023 bytes are the most")):
            done = self.explain(*args, code=2, json_too=False)
            self.assertIn(says, done.stderr)
            self.assertIn("usage: meshauth policy explain", done.stderr)
        # A folder's name is known to its members, not to the rules.
        self.assertEqual(self.explain("write", "Trip", *bob, code=1)["rules"][0]["why"],
                         "Trip is neither the URL of a folder nor its id")
        record = self.mesh.audit(action="policy.explain", limit=1)[0]
        self.assertEqual(record["outcome"], "done")
        self.assertEqual(record["actor"], Socket(self.mesh).id)

    def test_through_the_service_and_without_it(self):
        self.check_answers()
        with_it = self.explain("read", self.trip["id"], "--subject", self.bob.id, code=0)
        self.mesh.stop()
        try:
            self.assertEqual(self.explain("read", self.trip["id"], "--subject", self.bob.id, code=0), with_it)
            rules = self.mesh.dir / "mesh.rules"
            kept = rules.read_text()
            rules.write_text(kept + "allow dance if caller(_).\n")
            stderr = self.explain("dance", "--subject", self.bob.id, code=1, json_too=False).stderr
            self.assertIn("other rules were in force last", stderr)
            rules.write_text(kept)
        finally:
            self.mesh.start()
        record = self.mesh.audit(action="policy.explain", limit=1)[0]
        self.assertEqual((record["resources"], record["client"]), (["read", self.bob.id, self.trip["id"]], "local"))

    def test_over_https(self):
        question = {"action": "read", "args": [self.trip["id"]], "subject": self.bob.id}
        self.assert_problem(self.bob.call("POST", "/v1/admin/explain", question), 403, "forbidden")
        admin = Admin(self.mesh, "dora")
        answer = admin.call("POST", "/v1/admin/explain", question)
        self.assertEqual((answer.status, answer.json["outcome"]), (200, "allow"), answer)
        record = self.mesh.audit(action="policy.explain", actor=admin.id)[0]
        self.assertEqual((record["request"], record["resources"]), (answer.request_id, ["read", self.bob.id, self.trip["id"]]))
        self.assertEqual(record["rule"], "allow administer if caller(U), role(U, admin).")
        for status, name, change in ((400, "body", {"subject": "x"}), (404, "not-found", {"subject": new_id("usr_")}),
                                     (400, "body", {"args": ["a"] * 5}), (400, "body", {"action": "Read"}),
                                     (400, "body", {"args": ["a" * 1024]})):
            self.assert_problem(admin.call("POST", "/v1/admin/explain", question | change), status, name)


class Denials(harness.MeshTest):
    """What a caller hears, and that it tells nothing of others."""

    settings = {"limits": {"changes_per_minute": 600}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.relay = Service(cls.mesh, "relay", actions=["sync"])
        cls.alice, cls.bob, cls.carol = (Person(cls.mesh, name) for name in ("alice", "bob", "carol"))
        cls.pc, cls.phone, cls.tablet = (
            p.claim("device").json for p in (cls.alice, cls.bob, cls.carol))

    def ask(self, who, resource, audience=STORAGE, scope="read"):
        pairs = [("grant_type", EXCHANGE), ("subject_token_type", SAML2), ("subject_token", who.credential),
                 ("resource", resource), ("scope", scope)]
        return self.mesh.post(pairs + [("audience", a) for a in ([audience] if isinstance(audience, str) else audience)],
                              who.device)

    def sync(self, who, device):
        return self.ask(who, device["url"], (RELAY, "urn:meshauth:device:" + device["id"]), "sync")

    def why(self, answer):
        return answer.json["error_description"].split("audiences. ", 1)[1]

    def test_what_is_missing(self):
        folder = self.alice.create()
        self.alice.join(folder, self.bob)
        self.assertEqual(self.why(self.ask(self.bob, folder["url"], scope="write")),
                         f"write on {folder['id']} is not allowed: "
                         "the rules have no can(reader, write), but can(contributor, write), can(owner, write).")
        self.assertEqual(self.why(self.ask(self.bob, folder["url"], RELAY)),
                         "read is not allowed: no ticket for these audiences carries it.")
        self.assertEqual(self.why(self.ask(self.bob, folder["url"], scope="fly")),
                         f"fly on {folder['id']} is not allowed: no rule here speaks of it.")
        for answer, detail in (
            (self.bob.call("PATCH", folder["url"], {"name": "x"}, if_match="*"),
             "control is not allowed: the rules have no can(reader, control), but can(owner, control)."),
            (self.bob.call("DELETE", f"{folder['links']['members']}/{self.alice.id}", if_match="*"),
             "remove is not allowed: the rules have no can(reader, control), but can(owner, control)."),
            (self.bob.get("/v1/mesh/changes"), f"changes is not allowed: {self.bob.id} does not have the role changes."),
            (self.bob.get("/v1/admin/users"), f"administer is not allowed: {self.bob.id} does not have the role admin; "
                                              "and the request did not come in by the admin socket."),
        ):
            self.assert_problem(answer, 403, "forbidden")
            self.assertEqual(answer.json["detail"], detail)

    def test_unknown_is_as_if_not_there(self):
        folder = self.alice.create()
        there, nowhere = folder["url"], folder["url"].replace(folder["id"], new_id("fld_"))
        for ask in (lambda url: self.ask(self.carol, url, scope="write"), self.carol.get,
                    lambda url: self.carol.call("PATCH", url, {"name": "x"}, if_match="*"),
                    lambda url: self.carol.call("DELETE", f"{url}/members/{self.alice.id}", if_match="*"),
                    lambda url: self.carol.call("PUT", f"{url}/mappings/{self.tablet['id']}")):
            answers = [anonymous(ask(url), {"FOLDER": url.rsplit("/", 1)[1]}) for url in (there, nowhere)]
            self.assertEqual(*answers)
            self.assertIn(answers[0][0], (400, 404))
        devices = [self.phone, {"id": (fresh := new_id("dev_")), "url": self.phone["url"].replace(self.phone["id"], fresh)}]
        self.assertEqual(*(anonymous(self.sync(self.carol, d), {"DEVICE": d["id"]}) for d in devices))

    def test_sync_tells_nothing_of_the_other_side(self):
        """Alice knows the phone by one folder. Whether it holds another of hers, too, whose members are
        hers to see but whose mappings decide here, nobody tells: her PC has that other one."""
        known, other = self.alice.create("Known"), self.alice.create("Other")
        for folder in (known, other):
            self.alice.join(folder, self.bob)
        self.assertEqual(self.bob.map(known, self.phone).status, 201)
        names = {"DEVICE": self.phone["id"], "PC": self.pc["id"], "ALICE": self.alice.id}
        seen = []
        # Nothing mapped on her own side: what is said is only of that, and of nobody's claims.
        seen.append(anonymous(self.sync(self.alice, self.phone), names))
        self.assertEqual(self.bob.map(other, self.phone).status, 201)
        seen.append(anonymous(self.sync(self.alice, self.phone), names))
        self.assertEqual(self.bob.delete(f"{other['links']['mappings']}/{self.phone['id']}").status, 204)
        seen.append(anonymous(self.sync(self.alice, self.phone), names))
        self.assertEqual(len(set(map(str, seen))), 1)
        self.assertIn(f"sync on DEVICE is not allowed: {BEYOND}; and PC has no folder mapped.", seen[0][2])
        # With the other one on her PC, and with a third that the phone has never had.
        third = self.alice.create("Third")
        for folder in (other, third):
            self.assertEqual(self.alice.map(folder, self.pc).status, 201)
            answer = anonymous(self.sync(self.alice, self.phone), names)
            self.assertEqual(answer[0], 400)
            self.assertIn(f"sync on DEVICE is not allowed: {BEYOND}.", answer[2])


if __name__ == "__main__":
    main()
