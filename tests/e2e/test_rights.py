#!/usr/bin/env python3
"""Rights that the graph proves, for users and for services."""
import base64

import harness
from harness import EXCHANGE, SAML2, STORAGE, Device, Ticket, main, wait_until
from people import Person, another, new_id, revoked
from rights import PREFIX, PUBSUB, RELAY, Rights, peer, spoil
from services import Service, Socket


class Folders(Rights):
    """Permits on folders and on one's own node."""

    def setUp(self):
        self.folder = self.alice.create()
        self.url = self.folder["url"]
        self.alice.join(self.folder, self.bob, "contributor")
        self.alice.join(self.folder, self.carol, "reader")

    def test_each_role_gets_what_it_has(self):
        all_actions = "read subscribe write delete control"
        for who, want in ((self.alice, all_actions), (self.bob, "read subscribe write delete"),
                          (self.carol, "read subscribe")):
            with self.subTest(who.name):
                said = self.granted(who, self.url, scope=all_actions)
                self.assertEqual(said.get("scope"), None if want == all_actions else want)
                entry, = said["tickets"]
                self.assertEqual((entry["audience"], entry["resource"], entry["actions"]),
                                 (STORAGE, self.url, want.split()))
                self.assertNotIn("mesh", said)
                ticket = Ticket(entry["credential"])
                self.assertEqual(ticket.xml, harness.assertion_of(said["access_token"]))
                role = {"alice": "owner", "bob": "contributor", "carol": "reader"}[who.name]
                self.assertIn(("member", who.id, self.folder["id"], role), ticket.facts)
                self.assertIn(("holder", self.pc[who.name]["id"]), ticket.facts)
                self.assertIn(("claimed", self.pc[who.name]["id"], who.id), ticket.facts)
                self.assertEqual(ticket.lifetime_s, said["expires_in"])
                self.assertEqual(ticket.lifetime_s, 600)
                for action in all_actions.split():
                    self.assertEqual(self.proves(entry["credential"], who, STORAGE, action, self.url + "/a/b"),
                                     action in want.split(), action)
                self.assertFalse(self.explain(entry["credential"], "read", another(self.url) + "/a"))

    def test_the_narrowest(self):
        said = self.granted(self.bob, self.url)
        self.assertEqual(said["tickets"][0]["actions"], ["read"])
        self.assertNotIn("scope", said)
        self.assertEqual(Ticket(said["access_token"]).permits, [(self.url, ["Read"])])

    def test_audit(self):
        said = self.granted(self.carol, self.url, scope="read write")
        ticket = Ticket(said["access_token"])
        record, = self.mesh.audit(ticket=ticket.id)
        self.assertEqual((record["actor"], record["action"], record["outcome"], record["device"]),
                         (self.carol.id, "ticket.issue", "allow", self.pc["carol"]["id"]))
        self.assertEqual(record["resources"], [self.url, STORAGE])
        self.assertIn("grant read(R)", record["rule"])
        self.assertEqual(record["digest"], ticket.digest)
        answer = self.ask(self.carol, self.url, scope="write")
        self.refused("not-granted", answer)
        record = self.mesh.audit(outcome="deny", limit=1)[0]
        self.assertEqual((record["actor"], record["action"], record["reason"], record["resources"]),
                         (self.carol.id, "ticket.issue", "not-granted", [self.url, STORAGE]))
        self.assertEqual(record["request"], answer.request_id)

    def test_several_nodes_and_audiences(self):
        second = self.carol.create("Second")
        said = self.granted(self.carol, [self.url, second["url"], self.carol.root], [STORAGE, PUBSUB],
                            "read write subscribe")
        self.assertEqual(said["scope"], "read write subscribe")
        lines = {(t["audience"], t["resource"]): t["actions"] for t in said["tickets"]}
        self.assertEqual(lines, {
            (STORAGE, self.url): ["read", "subscribe"],
            (STORAGE, second["url"]): ["read", "write", "subscribe"],
            (STORAGE, self.carol.root): ["read"],
            (PUBSUB, self.url): ["read", "subscribe"],
            (PUBSUB, second["url"]): ["read", "subscribe"],
            (PUBSUB, self.carol.root): ["read"],
        })
        self.assertEqual(len({t["credential"] for t in said["tickets"]}), 2)
        first = Ticket(said["access_token"])
        self.assertEqual(first.audiences, [STORAGE])
        self.assertEqual([url for url, _ in first.permits], sorted([self.url, second["url"], self.carol.root]))

    def test_what_a_service_does_not_carry(self):
        said = self.granted(self.alice, self.url, PUBSUB, "read write")
        self.assertEqual((said["scope"], said["tickets"][0]["actions"]), ("read", ["read"]))
        self.refused("not-granted", self.ask(self.alice, self.url, PUBSUB, "write"))
        said = self.granted(self.alice, self.url, [RELAY, STORAGE], "read")
        self.assertEqual(([t["audience"] for t in said["tickets"]], said["scope"]), ([STORAGE], "read"))

    def test_places_below_a_prefix(self):
        for below in ("", "/", "/a/b%20c"):
            said = self.granted(self.carol, f"{PREFIX}/{self.folder['id']}{below}", ())
            entry, = said["tickets"]
            self.assertEqual((entry["audience"], entry["resource"], entry["actions"]), (STORAGE, self.url, ["read"]))
            self.assertEqual(self.verdict(entry["credential"], self.carol, STORAGE), "accept")
        for alone in (PREFIX, PREFIX + "/"):
            entry = self.granted(self.carol, alone, ())["tickets"][0]  # then folders
            self.assertEqual((entry["audience"], entry["resource"]), (STORAGE, self.carol.root))
        # By another name it is the same node, once.
        entry, = self.granted(self.carol, [self.url, f"{PREFIX}/{self.folder['id']}"])["tickets"]
        self.assertEqual(entry["resource"], self.url)
        # A place is for its own service alone.
        said = self.granted(self.carol, f"{PREFIX}/{self.folder['id']}", PUBSUB)
        self.assertEqual([t["audience"] for t in said["tickets"]], [STORAGE])
        for other in ("x", ".example/" + self.folder["id"]):
            self.refused("place", self.ask(self.carol, PREFIX + other, ()))
        for other in ("/v1", "/" + self.folder["id"] + "x", "/" + self.pc["carol"]["id"], "/../files",
                      f"/{self.folder['id']}//a", f"/{self.folder['id']}/..", f"/{self.folder['id']}?a"):
            self.refused("resource", self.ask(self.carol, PREFIX + other, ()))

    def test_unknown_nodes_look_like_those_that_are_not(self):
        strange = Person(self.mesh, "stranger")
        for url in (self.url, f"{self.mesh.url}/v1/mesh/folders/{new_id('fld_')}", self.alice.root,
                    self.pc["alice"]["url"], f"{PREFIX}/{self.folder['id']}/a"):
            self.refused("resource-unknown", self.ask(strange, url, scope="read write"))
        # A member knows of the other one, and still has no right there.
        self.refused("not-granted", self.ask(self.bob, self.alice.root))
        self.refused("not-granted", self.ask(self.bob, [self.alice.root, f"{PREFIX}/{new_id('fld_')}"]))
        said = self.granted(self.bob, [self.url, f"{self.mesh.url}/v1/mesh/folders/{new_id('fld_')}"])
        self.assertEqual(([t["resource"] for t in said["tickets"]], said["scope"]), ([self.url], "read"))

    def test_removal_kills_it(self):
        credential = self.granted(self.carol, self.url)["tickets"][0]["credential"]
        self.assertEqual(self.verdict(credential, self.carol, STORAGE), "accept")
        self.assertEqual(self.alice.delete(f"{self.folder['links']['members']}/{self.carol.id}").status, 204)
        wait_until(lambda: self.verdict(credential, self.carol, STORAGE) == "revoked", "the trust file to arrive")
        self.assertIn((self.folder["id"], self.carol.id), revoked(self.mesh))
        self.refused("resource-unknown", self.ask(self.carol, self.url))
        # A new one, after she is back, is good: the old one stays dead.
        self.alice.join(self.folder, self.carol)
        fresh = self.granted(self.carol, self.url)["tickets"][0]["credential"]
        self.assertEqual(self.verdict(fresh, self.carol, STORAGE), "accept")
        self.assertEqual(self.verdict(credential, self.carol, STORAGE), "revoked")

    def test_bad_requests(self):
        nodes = [f"{self.mesh.url}/v1/mesh/folders/{new_id('fld_')}" for _ in range(15)]
        for reason, more in (
            ("audience-missing", {"resource": self.url, "audience": ()}),
            ("audience", {"resource": self.url, "audience": self.mesh.url}),
            ("audience", {"resource": self.url, "audience": "urn:meshauth:service:unheard-of"}),
            ("audience", {"resource": self.url, "audience": "urn:meshauth:service:"}),
            ("audience", {"resource": self.url, "audience": "storage"}),
            ("audience", {"resource": self.url, "audience": peer(self.pc["alice"])}),
            ("audience", {"resource": self.url, "audience": [STORAGE, "https://elsewhere.example"]}),
            ("resource", {"resource": self.url + "/a"}),
            ("resource", {"resource": self.url + "/"}),
            ("resource", {"resource": self.url + "?a"}),
            ("resource", {"resource": self.folder["id"]}),
            ("resource", {"resource": self.url.replace("https", "http")}),
            ("place", {"resource": "https://elsewhere.example/v1/mesh/folders/" + self.folder["id"]}),
            ("actions", {"resource": self.url, "scope": "Read"}),
            ("actions", {"resource": self.url, "scope": "read  write"}),
            ("actions", {"resource": self.url, "scope": " read"}),
            ("actions", {"resource": self.url, "scope": "read,write"}),
            ("sync-scope", {"resource": self.url, "scope": "read sync"}),
            ("too-much", {"resource": nodes}),
            ("too-much", {"resource": self.url, "audience": [f"urn:meshauth:service:s{i}" for i in range(9)]}),
            ("too-much", {"resource": self.url, "scope": " ".join(f"a{i}" for i in range(65))}),
            ("not-granted", {"scope": "read"}),
            ("not-granted", {"resource": self.url, "scope": "fly"}),
        ):
            with self.subTest(reason, **more):
                self.refused(reason, self.ask(self.alice, **more))
        answer = self.ask(self.alice, scope="read fly")
        self.assertIn("read is not allowed: it is granted on nodes, and no 'resource' names one. "
                      "fly is not allowed: no rule here speaks of it.", answer.json["error_description"])

    def test_the_largest_request(self):
        """64 actions on 14 nodes are more than a ticket holds, though all of them may be asked for."""
        urls = [self.alice.create(f"{n}")["url"] for n in range(13)] + [self.url]
        said = self.granted(self.alice, urls, scope="read write delete control")
        self.assertEqual(len(said["tickets"]), 14)
        self.assertEqual(len({t["credential"] for t in said["tickets"]}), 1)
        self.assertLess(len(said["tickets"][0]["credential"]), 7680)
        self.refused("too-much", self.ask(self.alice, urls, scope="read write delete control subscribe"))

    def test_typed(self):
        """Rights tickets are no subject tokens, and identity tickets of others neither."""
        laptop = self.alice.on(Device(self.mesh.folder, "laptop"))
        said = self.granted(self.alice, self.url)
        for token in (said["access_token"], said["tickets"][0]["credential"], self.alice.ticket):
            self.refused("ticket-kind", self.ask(self.alice, self.url, token=token))
            self.refused("ticket-kind", self.renew(self.alice, token=token))
        for call in (self.renew, lambda *a, **k: self.ask(*a, resource=self.url, **k)):
            self.refused("ticket-key", call(self.bob, token=self.alice.credential))
            # Nor with the key of another device, though it is the same person's.
            self.refused("ticket-key", call(self.alice, device=laptop.device))
            self.refused("ticket-key", call(self.alice, token=laptop.credential))
            answer = self.mesh.post({"grant_type": EXCHANGE, "subject_token_type": SAML2,
                                     "subject_token": self.alice.credential, "resource": self.url,
                                     "audience": STORAGE})
            self.refused("no-proof", answer)
            for token in ("x", self.alice.credential[:-4], self.alice.credential + "~" + self.alice.credential,
                          "~", self.mesh.mint("alice"), base64.urlsafe_b64encode(b"<a/>").decode().strip("=")):
                self.refused("ticket-form", call(self.alice, token=token))
        self.refused("renewal-scope", self.ask(self.alice, audience=(), scope="read"))
        forged = spoil(self.alice.credential)
        self.refused("ticket-signature", self.ask(self.alice, self.url, token=forged))

    def test_both_spellings_serve(self):
        deflated = self.mesh.login("alice", self.alice.device).json["tickets"][0]["credential"]
        self.granted(self.alice, self.url, token=deflated)
        self.assertEqual(self.renew(self.alice, token=deflated).status, 200)


class Services(Rights):
    """Registered services are principals too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.feeder = Service(cls.mesh, "feeder")
        cls.feeder.login()

    def test_publish_by_role(self):
        self.refused("not-granted", self.ask(self.feeder, (), PUBSUB, "publish"))
        answer = Socket(self.mesh).call("PUT", f"roles/{self.feeder.id}/publish")
        self.assertEqual(answer.status, 200, answer)
        entry, = self.granted(self.feeder, (), PUBSUB, "publish")["tickets"]
        self.assertEqual((entry["audience"], entry["actions"]), (PUBSUB, ["publish"]))
        self.assertNotIn("resource", entry)
        ticket = Ticket(entry["credential"])
        self.assertIn(("role", self.feeder.id, "publish"), ticket.facts)
        self.assertEqual(ticket.permits, [])
        self.assertTrue(self.proves(entry["credential"], self.feeder, PUBSUB, "publish", "https://pubsub.example/q"))
        self.assertEqual(Socket(self.mesh).call("DELETE", f"roles/{self.feeder.id}/publish").status, 204)
        wait_until(lambda: self.verdict(entry["credential"], self.feeder, PUBSUB) == "revoked", "the trust file")

    def test_a_queue_by_its_holder(self):
        pc = self.pc["alice"]
        entry, = self.granted(self.alice, pc["url"], PUBSUB, "receive")["tickets"]
        self.assertEqual((entry["resource"], entry["actions"]), (pc["url"], ["receive"]))
        self.assertTrue(self.proves(entry["credential"], self.alice, PUBSUB, "receive", pc["id"]))
        self.assertFalse(self.explain(entry["credential"], "receive", self.pc["bob"]["id"]))

    def test_no_folder_and_no_node_of_its_own(self):
        folder = self.alice.create()
        self.refused("resource-unknown", self.ask(self.feeder, folder["url"]))
        self.refused("resource-unknown", self.ask(self.feeder, PREFIX, ()))

    def test_renewal(self):
        before = Ticket(self.feeder.credential)
        answer = self.renew(self.feeder)
        self.assertEqual(answer.status, 200, answer)
        entry, = answer.json["tickets"]
        self.assertNotIn("mesh", answer.json)
        ticket = Ticket(entry["credential"])
        self.assertEqual((ticket.subject, ticket.session_index), (before.subject, before.session_index))
        self.assertIn(("service", self.feeder.id), ticket.facts)
        self.assertIn("ac:classes:X509", ticket.xml)
        # What its signature does not hold together is taken from the session.
        forged = spoil(self.feeder.credential, lambda xml: xml.replace("ac:classes:X509", "ac:classes:Kerberos"))
        self.assertIn("ac:classes:X509", Ticket(self.renew(self.feeder, forged).json["access_token"]).xml)


if __name__ == "__main__":
    main()
