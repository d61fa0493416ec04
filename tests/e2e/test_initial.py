#!/usr/bin/env python3
"""Tickets that nobody asked for: with a login, with a renewal, with a change of the graph; and
that the two types of tickets never stand in for one another."""
import json
import re

import harness
from harness import MESHAUTH, SAML2, STORAGE, Device, MeshTest, Ticket, main, run
from people import Person, new_id
from services import Admin, Service, Socket


def lines(tickets):
    """Without credentials."""
    return sorted((t["audience"], t.get("resource"), tuple(t["actions"])) for t in tickets)


class Initial(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Socket(cls.mesh).call("POST", "services", {"name": "drive", "actions": ["read", "write", "control", "sync"],
                                                   "prefix": "https://drive.example/files"})
        Socket(cls.mesh).call("POST", "services", {"name": "relay", "actions": ["sync"]})
        cls.drive = "urn:meshauth:service:drive"

    def opened(self, folder, *actions):
        return [(self.drive, folder["url"], actions), (STORAGE, folder["url"], ("read",))]

    def own(self, person):
        return [(self.drive, person.root, ("read",)), (STORAGE, person.root, ("read",))]

    def test_a_user_without_folders(self):
        answer = self.mesh.login("new", self.device).json
        who = (self.mesh.url, None, ())
        self.assertEqual(lines(answer["tickets"]), sorted([who, (self.drive, answer["mesh"], ("read",)),
                                                           (STORAGE, answer["mesh"], ("read",))], key=str))

    def test_login_and_renewal(self):
        alice, bob = Person(self.mesh, "alice"), Person(self.mesh, "bob")
        trip, work = alice.create("Trip"), bob.create("Work")
        bob.join(work, alice)
        want = sorted([*self.own(alice), *self.opened(trip, "read", "write", "control"), *self.opened(work, "read")])
        for answer in (self.mesh.login("alice", alice.device),
                       self.mesh.exchange(alice.credential, alice.device, subject_token_type=SAML2)):
            self.assertEqual(answer.status, 200)
            tickets = answer.json["tickets"]
            self.assertEqual(tickets[0]["audience"], self.mesh.url)
            self.assertEqual(lines(tickets[1:]), want)
            self.assertEqual(len({t["credential"] for t in tickets}), 3, "one for each audience")
            drive = Ticket(next(t["credential"] for t in tickets if t["audience"] == self.drive))
            self.assertEqual({r for r, _ in drive.permits}, {alice.root, trip["url"], work["url"]})
            for ticket in tickets[1:]:
                self.assertEqual(self.mesh.verify(ticket["credential"], alice.device, ticket["audience"])[1]["verdict"],
                                 "accept")
            records = {r["ticket"] for r in self.mesh.audit(action="ticket.issue", actor=alice.id)}
            self.assertLessEqual({Ticket(t["credential"]).id for t in tickets[1:]}, records)

    def test_the_bound(self):
        carol = Person(self.mesh, "carol")
        folders = {carol.create(f"f{i}")["url"] for i in range(9)}
        answer = self.mesh.login("carol", carol.device)
        given = {t["resource"] for t in answer.json["tickets"] if t["audience"] == STORAGE}
        self.assertEqual(given, {carol.root, *sorted(folders)[:7]})
        self.assertLess(len(answer.body), 100000)
        # The others by name, or all by the place.
        answer = self.mesh.exchange(carol.credential, carol.device, subject_token_type=SAML2,
                                    resource="https://drive.example/files", scope="read write")
        self.assertEqual({t["resource"] for t in answer.json["tickets"]}, given)
        self.assertEqual(set(map(tuple, (t["actions"] for t in answer.json["tickets"]))), {("read",), ("read", "write")})

    def test_claim(self):
        dave = Person(self.mesh, "dave")
        self.assertEqual([f for f in Ticket(dave.credential).facts if f[0] in ("holder", "claimed")], [])
        for status in (201, 200):  # a repeated request is answered as the first
            answer = dave.claim()
            self.assertEqual(answer.status, status)
            device = answer.json["id"]
            first, *others = [Ticket(t["credential"]) for t in answer.opened]
            self.assertEqual(first.audiences, [self.mesh.url])
            self.assertEqual(first.session_index, Ticket(dave.credential).session_index)
            for ticket in (first, *others):
                self.assertIn(("holder", device), ticket.facts)
                self.assertIn(("claimed", device, dave.id), ticket.facts)
            self.assertEqual(lines(answer.opened[1:]), self.own(dave))
        dave.credential = answer.opened[0]["credential"]
        self.assertEqual(dave.get("/v1/trust").status, 200)

    def test_create_accept_map(self):
        erin, frank = Person(self.mesh, "erin"), Person(self.mesh, "frank")
        answer = erin.must(201, "POST", "folders", {"name": "Trip"})
        trip = answer.json
        self.assertEqual(lines(answer.opened), self.opened(trip, "read", "write", "control"))
        again = erin.call("PUT", f"folders/{new_id('fld_')}", {"name": "Own"}, fresh=True)
        self.assertEqual(lines(again.opened), self.opened(again.json, "read", "write", "control"))
        answer = frank.accept(erin.invite(trip, "contributor"))
        self.assertEqual(lines(answer.opened), self.opened(trip, "read", "write"))
        for ticket in answer.opened:
            self.assertIn(("member", frank.id, trip["id"], "contributor"), Ticket(ticket["credential"]).facts)
            self.assertEqual(self.mesh.verify(ticket["credential"], frank.device, ticket["audience"])[1]["verdict"],
                             "accept")
        pc = frank.claim().json
        answer = frank.map(trip, pc)
        self.assertEqual((answer.status, lines(answer.opened)), (201, self.opened(trip, "read", "write")))
        # Nothing else has any.
        for other in (frank.get(trip["url"]), frank.get(pc["url"]), erin.change(trip["url"], {"name": "New"}),
                      frank.call("POST", trip["links"]["invitations"], {"role": "reader"})):
            self.assertEqual(other.opened, [])
        # They are dead with what they stand on.
        self.assertEqual(erin.delete(f"{trip['links']['members']}/{frank.id}").status, 204)
        harness.wait_until(lambda: self.mesh.verify(answer.opened[0]["credential"], frank.device, self.drive)[1]
                           .get("reason") == "revoked", "the tickets to be dead")

    def test_the_rules_decide(self):
        """No service, no ticket: `storage` is one like all others."""
        mesh = harness.Mesh()
        self.addCleanup(mesh.close)
        storage = Socket(mesh).call("GET", "services/storage")
        self.assertEqual(Socket(mesh).call("DELETE", "services/storage", if_match="*").status, 204)
        self.assertEqual(storage.status, 200)
        answer = mesh.login("alice", Device(mesh.folder, "pc"))
        self.assertEqual([t["audience"] for t in answer.json["tickets"]], [mesh.url])

    def test_the_command_keeps_them(self):
        def command(*args):
            return run(MESHAUTH, *args, "--json", env={"MESHAUTH_HOME": str(self.mesh.folder / "home")}).stdout
        file = self.mesh.folder / "id-token"
        file.write_text(self.mesh.mint("gina"))
        login = json.loads(command("login", self.mesh.url, "--ca", self.mesh.ca, "--id-token", file, "--claim", "PC"))
        self.assertNotIn("tickets", login["device"])
        account = next((self.mesh.folder / "home").rglob("account.json"))
        kept = json.loads(account.read_text())
        for ticket in kept["tickets"]:
            self.assertIn(("holder", login["device"]["id"]), Ticket(ticket["credential"]).facts)
        self.assertEqual(kept["session"], login["session"])
        folder = json.loads(command("folder", "create", "Trip"))
        self.assertNotIn("credential", json.dumps(folder))
        after = json.loads(account.read_text())
        self.assertEqual(after["logged_in"], kept["logged_in"])
        self.assertEqual(after["tickets"][0], kept["tickets"][0])
        fresh = [t for t in after["tickets"] if folder["url"] in Ticket(t["credential"]).xml]
        self.assertEqual(sorted(t["audience"] for t in fresh), [self.drive, STORAGE])
        self.assertEqual(len(after["tickets"]), len(kept["tickets"]) + 2)


class Typed(MeshTest):
    """A rights ticket is never for the account service, whoever has it, at any of its places."""

    def test_every_operation(self):
        alice, admin = Person(self.mesh, "alice"), Admin(self.mesh, "admin")
        trip, pc = alice.create(), alice.claim().json
        Service(self.mesh, "relay")
        values = {"user": alice.id, "device": pc["id"], "folder": trip["id"], "invitation": new_id("inv_"),
                  "service": "relay", "principal": alice.id, "role": "auditor",
                  "key": "0123456789abcdef", "session": Ticket(alice.credential).session_index, "ticket": Ticket(alice.ticket).id,
                  "level": "0", "tile": "000", "width": "3"}
        seen = 0
        for path, item in json.loads((harness.ROOT / "authsvc" / "openapi.json").read_text())["paths"].items():
            for method, operation in item.items():
                takes = [s for s in operation.get("security", [{"ticket": []}]) if "ticket" in s]
                if not takes:
                    continue
                seen += 1
                for who in (alice, admin):
                    with self.subTest(method=method, path=path, who=who.name):
                        answer = self.present(who, method.upper(), re.sub(r"\{(\w+)\}", lambda m: values[m[1]], path),
                                              operation)
                        self.assert_problem(answer, 401, "audience")
        self.assertGreater(seen, 40)
        self.assertEqual(alice.get(trip["url"]).json["name"], "Trip")

    def present(self, who, method, path, operation):
        """The rights ticket, its key proven, with a request that is good but for that."""
        headers = {"Authorization": f"Bearer {who.ticket}", "If-Match": "*", "If-None-Match": "*"}
        content = operation.get("requestBody", {}).get("content", {})
        for kind in content:
            headers["Content-Type"] = kind
        body = None if not content else "token=x" if "form" in headers["Content-Type"] else '{"name": "x"}'
        if method == "GET":
            headers = {"Authorization": headers["Authorization"]}
        return self.mesh.request(method, path, body, headers, who.device)

    def test_no_subject_token(self):
        alice = Person(self.mesh, "alice")
        for more in ({}, {"resource": alice.root, "audience": STORAGE}):
            answer = self.mesh.exchange(alice.ticket, alice.device, subject_token_type=SAML2, **more)
            self.assert_refused(answer, 400, "invalid_request", "The subject token must be an identity ticket.",
                                "ticket-kind")
        # Nor is either of them an ID token.
        for credential in (alice.ticket, alice.credential):
            self.assertEqual(self.mesh.exchange(credential, alice.device).json["error"], "invalid_request")

    def test_identity_at_a_service(self):
        alice = Person(self.mesh, "alice")
        code, verdict = self.mesh.verify(alice.credential, alice.device)
        self.assertEqual((code, verdict["reason"]), (1, "audience"))


if __name__ == "__main__":
    main()
