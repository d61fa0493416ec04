#!/usr/bin/env python3
"""Rights from peer to peer."""
import time

from harness import STORAGE, Device, Ticket, main, wait_until
from people import Person
from rights import PUBSUB, RELAY, Rights, peer
from services import Service


class PeerToPeer(Rights):
    """RULES.md, row by row: what the service issues, and what a relay makes of it."""

    def setUp(self):
        self.trip = self.alice.create("Trip")
        self.work = self.alice.create("Work")

    def tearDown(self):
        """Else the next case would find what these share."""
        for folder in (self.trip, self.work):
            self.assertEqual(self.alice.delete(folder["url"]).status, 204)

    def sync(self, who, target, audience=None):
        return self.ask(who, target["url"], (RELAY, peer(target)) if audience is None else audience, "sync")

    def assert_allowed(self, who, target, facts):
        answer = self.sync(who, target)
        self.assertEqual(answer.status, 200, answer)
        x, said = self.pc[who.name], answer.json
        self.assertNotIn("scope", said)
        self.assertEqual([(t["audience"], t["resource"], t["actions"]) for t in said["tickets"]],
                         [(a, target["url"], ["sync"]) for a in (RELAY, peer(target))])
        credential, = {t["credential"] for t in said["tickets"]}
        ticket = Ticket(credential)
        self.assertEqual((ticket.audiences, ticket.permits), ([RELAY, peer(target)], []))
        self.assertEqual({f[0] for f in ticket.facts}, {"asof", "session", "holder", *facts})
        for audience in ticket.audiences:
            self.assertTrue(self.proves(credential, who, audience, "sync", x["id"], target["id"]))
        # The other way round, and with another's key, it says nothing.
        self.assertFalse(self.explain(credential, "sync", target["id"], x["id"]))
        self.assertEqual(self.verdict(credential, self.carol, RELAY), "holder")
        self.assertEqual(self.verdict(credential, who, STORAGE), "audience")
        return credential

    def join(self, *folders):
        for folder in folders:
            self.alice.join(folder, self.bob)

    def map(self, who, folder, device=None):
        self.assertEqual(who.map(folder, device or self.pc[who.name]).status, 201)

    def another(self, who, name):
        """Another device of his, as a node."""
        return who.on(Device(self.mesh.folder, f"{name}-{time.monotonic_ns()}")).claim(name).json

    def test_the_same_user(self):
        self.assert_allowed(self.alice, self.another(self.alice, "laptop"), {"claimed"})

    def test_a_shared_folder(self):
        self.join(self.trip)
        self.map(self.alice, self.trip)
        self.map(self.bob, self.trip)
        self.assert_allowed(self.alice, self.pc["bob"], {"claimed", "mapped", "member"})
        self.assert_allowed(self.bob, self.pc["alice"], {"claimed", "mapped", "member"})

    def test_only_invited(self):
        self.map(self.alice, self.trip)
        self.alice.invite(self.trip)
        self.refused("resource-unknown", self.sync(self.alice, self.pc["bob"]))

    def test_mapped_on_the_phone(self):
        self.join(self.trip)
        phone = self.another(self.bob, "phone")
        self.map(self.alice, self.trip)
        self.map(self.bob, self.trip, phone)
        self.refused("resource-unknown", self.sync(self.alice, self.pc["bob"]))
        self.assert_allowed(self.alice, phone, {"claimed", "mapped", "member"})

    def test_not_the_same_folder(self):
        self.join(self.trip, self.work)
        self.map(self.alice, self.trip)
        self.map(self.bob, self.work)
        self.refused("not-granted", self.sync(self.alice, self.pc["bob"]))

    def test_removed_a_second_ago(self):
        self.join(self.trip)
        self.map(self.alice, self.trip)
        self.map(self.bob, self.trip)
        credential = self.assert_allowed(self.alice, self.pc["bob"], {"claimed", "mapped", "member"})
        self.assertEqual(self.alice.delete(f"{self.trip['links']['members']}/{self.bob.id}").status, 204)
        self.refused("resource-unknown", self.sync(self.alice, self.pc["bob"]))
        wait_until(lambda: self.verdict(credential, self.alice, RELAY) == "revoked", "the trust file to arrive")

    def test_released(self):
        self.join(self.trip)
        tablet = self.another(self.bob, "tablet")
        self.map(self.alice, self.trip)
        self.map(self.bob, self.trip, tablet)
        credential = self.assert_allowed(self.alice, tablet, {"claimed", "mapped", "member"})
        self.assertEqual(self.bob.delete(tablet["url"]).status, 204)
        self.refused("resource-unknown", self.sync(self.alice, tablet))
        wait_until(lambda: self.verdict(credential, self.alice, RELAY) == "revoked", "the trust file to arrive")

    def test_with_itself(self):
        answer = self.sync(self.alice, self.pc["alice"])
        self.refused("not-granted", answer)
        self.assertIn("{0} and {0} are the same.".format(self.pc["alice"]["id"]), answer.json["error_description"])

    def test_a_key_that_is_no_device(self):
        laptop = self.another(self.alice, "laptop")
        self.refused("not-granted", self.sync(Person(self.mesh, "alice"), laptop))

    def test_targets(self):
        laptop, phone = self.another(self.alice, "laptop"), self.another(self.alice, "phone")
        for reason, resource, audience in (
            ("sync-target", [laptop["url"], phone["url"]], (RELAY,)),
            ("sync-target", self.trip["url"], (RELAY,)),
            ("sync-target", (), (RELAY,)),
            ("sync-target", laptop["url"],
             (RELAY, peer(laptop), STORAGE, PUBSUB, "urn:meshauth:service:fifth")),
            ("audience-missing", laptop["url"], ()),
            ("audience", laptop["url"], (RELAY, peer(phone))),
            ("audience", laptop["url"], (RELAY, "urn:meshauth:device:" + self.alice.id)),
            ("not-granted", laptop["url"], (PUBSUB, peer(laptop))),  # it does not carry sync
        ):
            with self.subTest(reason, audience=audience):
                if "urn:meshauth:service:fifth" in audience:
                    Service(self.mesh, "fifth")
                self.refused(reason, self.ask(self.alice, resource, audience, "sync"))
        for audience in ((RELAY,), (peer(laptop),)):
            self.assertEqual(self.sync(self.alice, laptop, audience).status, 200)


if __name__ == "__main__":
    main()
