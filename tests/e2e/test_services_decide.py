#!/usr/bin/env python3
"""Requests at a service, row by row of the mesh's rules: tickets that the running service has issued,
and what a service's verifier decides by them. Storage, pub-sub, relay; and the status for each reason."""
import calendar
import re
import time

import harness
from deciding import Deciding
from harness import STORAGE, main, wait_until
from rights import PUBSUB, RELAY, Rights, peer, spoil
from services import Service, Socket

ALLOW = (200, "")
DENY = (403, "no-rule")


class AtServices(Rights):
    """Storage, pub-sub and relay, each with a verifier; a fourth takes invitations to connect."""

    settings = {"limits": {"changes_per_minute": 600}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.meet = Service(cls.mesh, "meet", actions=["sync"])
        cls.at = {name: Deciding(cls.mesh, "urn:meshauth:service:" + name)
                  for name in ("storage", "pubsub", "relay", "meet")}

    @classmethod
    def tearDownClass(cls):
        for service in cls.at.values():
            service.close()
        super().tearDownClass()

    def setUp(self):
        self.folder, self.second = self.alice.create("Trip"), self.alice.create("Work")
        self.url, self.other = self.folder["url"], self.second["url"]

    def tearDown(self):
        for folder in (self.folder, self.second):
            self.assertEqual(self.alice.delete(folder["url"]).status, 204)

    def ticket(self, who, resource, audience=STORAGE, scope="read"):
        credential, = {t["credential"] for t in self.granted(who, resource, audience, scope)["tickets"]}
        return credential

    def decide(self, service, who, credential, action, *args, **more):
        return self.at[service].decide(credential, more.pop("device", who.device), action, *args, **more)


class Storage(AtServices):
    def test_read_write_delete(self):
        self.alice.join(self.folder, self.bob, "contributor")
        self.alice.join(self.folder, self.carol, "reader")
        for who, may in ((self.alice, {"read", "write", "delete"}), (self.bob, {"read", "write", "delete"}),
                         (self.carol, {"read"})):
            credential = self.ticket(who, self.url, scope="read write delete")
            for action in ("read", "write", "delete"):
                for below in ("", "/a", "/a/b%20c"):
                    self.assertEqual(self.decide("storage", who, credential, action, self.url + below),
                                     ALLOW if action in may else DENY, (who.name, action))
                for url in (self.url + "2", self.other, self.url + "/../" + self.second["id"], self.url + "//a",
                            self.url + "/a;b", self.url + "/a\\b", self.url + "/%2e%2e/a", self.url + "/a%2fb",
                            self.url + "/%41", self.url + "/a?b", self.url.replace("https", "http"),
                            self.url.replace("127.0.0.1", "elsewhere.example")):
                    self.assertEqual(self.decide("storage", who, credential, action, url), DENY, url)

    def copy(self, who, credential, source, destination):
        """As a service does it: both are allowed, or neither is done."""
        return [self.decide("storage", who, credential, "read", source),
                self.decide("storage", who, credential, "write", destination)]

    def move(self, who, credential, source, destination):
        return [self.decide("storage", who, credential, "delete", source),
                self.decide("storage", who, credential, "write", destination)]

    def test_copy_and_move(self):
        self.alice.join(self.folder, self.bob, "reader")
        self.alice.join(self.second, self.bob, "contributor")
        here, there = self.url + "/a", self.other + "/b"
        both = self.ticket(self.bob, [self.url, self.other], scope="read write delete")
        self.assertEqual(self.copy(self.bob, both, here, there), [ALLOW, ALLOW])
        self.assertEqual(self.copy(self.bob, both, there, here), [ALLOW, DENY])
        self.assertEqual(self.move(self.bob, both, here, there), [DENY, ALLOW])
        self.assertEqual(self.move(self.bob, both, there, self.other + "/c"), [ALLOW, ALLOW])
        elsewhere = there.replace("127.0.0.1", "elsewhere.example")
        self.assertEqual(self.copy(self.bob, both, here, elsewhere), [ALLOW, DENY])
        # Each of the two may come from another ticket of a set; one alone does not do.
        first = self.ticket(self.bob, self.url, scope="read write delete")
        second = self.ticket(self.bob, self.other, scope="read write delete")
        self.assertEqual(self.copy(self.bob, f"{first}~{second}", here, there), [ALLOW, ALLOW])
        self.assertEqual(self.copy(self.bob, first, here, there), [ALLOW, DENY])
        self.assertEqual(self.copy(self.bob, second, here, there), [DENY, ALLOW])


class PubSub(AtServices):
    def test_subscribe(self):
        self.alice.join(self.folder, self.carol, "reader")
        credential = self.ticket(self.carol, self.url, PUBSUB, "subscribe")
        self.assertEqual(self.decide("pubsub", self.carol, credential, "subscribe", self.url + "/a"), ALLOW)
        self.assertEqual(self.decide("pubsub", self.carol, credential, "subscribe", self.other), DENY)
        self.assertEqual(self.decide("pubsub", self.carol, credential, "read", self.url), DENY)
        self.assertEqual(self.decide("pubsub", self.carol, credential, "publish", self.url), DENY)
        # Losing the right ends it, at the latest when the trust file has arrived.
        self.assertEqual(self.alice.delete(f"{self.folder['links']['members']}/{self.carol.id}").status, 204)
        wait_until(lambda: self.decide("pubsub", self.carol, credential, "subscribe", self.url) == (401, "revoked"),
                   "the trust file to arrive")

    def test_publish(self):
        feeder = Service(self.mesh, "feeder")
        feeder.login()
        self.refused("not-granted", self.ask(feeder, (), PUBSUB, "publish"))
        self.assertEqual(Socket(self.mesh).call("PUT", f"roles/{feeder.id}/publish").status, 200)
        credential = self.ticket(feeder, (), PUBSUB, "publish")
        self.assertEqual(self.decide("pubsub", feeder, credential, "publish", "https://pubsub.example/q"), ALLOW)
        self.assertEqual(self.decide("pubsub", feeder, credential, "subscribe", self.url), DENY)
        self.assertEqual(self.decide("storage", feeder, credential, "publish", self.url), (401, "audience"))

    def test_a_queue(self):
        pc = self.pc["alice"]
        credential = self.ticket(self.alice, pc["url"], PUBSUB, "receive")
        self.assertEqual(self.decide("pubsub", self.alice, credential, "receive", pc["id"]), ALLOW)
        self.assertEqual(self.decide("pubsub", self.alice, credential, "receive", self.pc["bob"]["id"]), DENY)
        self.assertEqual(self.decide("pubsub", self.bob, credential, "receive", pc["id"]), (401, "holder"))


class Relay(AtServices):
    """Channels and invitations to connect: the peer-to-peer rule."""

    def setUp(self):
        super().setUp()
        self.alice.join(self.folder, self.bob)
        for who in (self.alice, self.bob):
            self.assertEqual(who.map(self.folder, self.pc[who.name]).status, 201)
        self.x, self.y = self.pc["alice"], self.pc["bob"]

    def sync(self, who, target, service=RELAY):
        said = self.granted(who, target["url"], (service, peer(target)), "sync")
        credential, = {t["credential"] for t in said["tickets"]}
        return credential

    def test_from_both_sides(self):
        xs, ys = self.sync(self.alice, self.y), self.sync(self.bob, self.x)
        there, back = ("sync", self.x["id"], self.y["id"]), ("sync", self.y["id"], self.x["id"])
        self.assertEqual(self.decide("relay", self.alice, xs, *there), ALLOW)
        self.assertEqual(self.decide("relay", self.bob, ys, *back), ALLOW)
        # Neither says what the other one has to say, nor for another key.
        self.assertEqual(self.decide("relay", self.alice, xs, *back), DENY)
        self.assertEqual(self.decide("relay", self.bob, ys, *there), DENY)
        self.assertEqual(self.decide("relay", self.bob, xs, *there), (401, "holder"))
        self.assertEqual(self.decide("relay", self.carol, ys, *back), (401, "holder"))
        self.assertEqual(self.decide("relay", self.alice, f"{xs}~{ys}", *there), (401, "holder"))
        self.assertEqual(self.decide("relay", self.alice, xs, "sync", self.x["id"], self.x["id"]), DENY)
        # The peers check each other.
        for target, asks, credential, who in ((self.y, there, xs, self.alice), (self.x, back, ys, self.bob)):
            device = Deciding(self.mesh, peer(target))
            self.addCleanup(device.close)
            self.assertEqual(device.decide(credential, who.device, *asks), ALLOW)
            self.assertEqual(device.decide(credential, self.carol.device, *asks), (401, "holder"))
        # A third device is no audience of theirs.
        third = Deciding(self.mesh, peer(self.pc["carol"]))
        self.addCleanup(third.close)
        self.assertEqual(third.decide(xs, self.alice.device, *there), (401, "audience"))
        # When one side's ground goes both die: what they share was unmapped.
        self.assertEqual(self.bob.delete(f"{self.folder['links']['mappings']}/{self.y['id']}").status, 204)
        wait_until(lambda: self.decide("relay", self.alice, xs, *there) == (401, "revoked"), "the trust file to arrive")
        self.assertEqual(self.decide("relay", self.bob, ys, *back), (401, "revoked"))

    def test_an_invitation_to_connect(self):
        credential = self.sync(self.alice, self.y, "urn:meshauth:service:meet")
        self.assertEqual(self.decide("meet", self.alice, credential, "sync", self.x["id"], self.y["id"]), ALLOW)
        self.assertEqual(self.decide("meet", self.alice, credential, "sync", self.y["id"], self.x["id"]), DENY)
        self.assertEqual(self.decide("relay", self.alice, credential, "sync", self.x["id"], self.y["id"]),
                         (401, "audience"))

    def test_facts_of_two_tickets_are_never_joined(self):
        """Under a rule that two permits make true: those of one ticket do, those of two do not."""
        rules = self.mesh.folder / "both.rules"
        rules.write_text("allow both(A, B) if permit(read, A), permit(read, B).\n")
        storage = Deciding(self.mesh, STORAGE, rules=rules)
        self.addCleanup(storage.close)
        first, second = self.ticket(self.alice, self.url), self.ticket(self.alice, self.other)
        together = self.ticket(self.alice, [self.url, self.other])
        device, ask = self.alice.device, ("both", self.url, self.other)
        self.assertEqual(storage.decide(together, device, *ask), ALLOW)
        self.assertEqual(storage.decide(f"{first}~{second}", device, *ask), DENY)
        self.assertEqual(storage.decide(f"{second}~{first}", device, *ask), DENY)
        self.assertEqual(storage.decide(f"{first}~{second}~{together}", device, *ask), ALLOW)
        self.assertEqual(storage.decide(f"{first}~{second}", device, "both", self.other, self.other), ALLOW)


class Reasons(AtServices):
    """503 for the service's own trouble, 403 for the rules, 401 for every other."""

    def test_by_reason(self):
        device, ask = self.alice.device, ("read", self.url)
        time.sleep(1.5)  # the trust file is older than the ticket, for `not-yet`
        credential = self.ticket(self.alice, self.url)
        now = time.time()
        issued = calendar.timegm(time.strptime(
            re.search('IssueInstant="([^"]+)"', harness.assertion_of(credential)).group(1), "%Y-%m-%dT%H:%M:%SZ"))
        self.assertEqual(self.decide("storage", self.alice, credential, *ask), ALLOW)
        forged = spoil(credential)
        key = harness.assertion_of(credential).split("<ds:KeyName>")[1][:16]
        unknown = spoil(credential, lambda xml: xml.replace(key, "0" * 16))
        foreign = spoil(credential, lambda xml: xml.replace(self.mesh.url, "https://auth.example"))
        bob = self.ticket(self.bob, self.bob.root)
        for want, more in (
            ((503, "trust-expired"), {"now": now + 86400}),
            ((503, "clock"), {"now": now - 7200}),
            ((403, "no-rule"), {"ask": ("write", self.url)}),
            ((401, "not-yet"), {"now": issued - 61}),
            ((401, "expired"), {"now": now + 700}),
            ((401, "signature"), {"credential": forged}),
            ((401, "key-unknown"), {"credential": unknown}),
            ((401, "issuer"), {"credential": foreign}),
            ((401, "form"), {"credential": credential[:-8]}),
            ((401, "size"), {"credential": "A" * 60001}),
            ((401, "holder"), {"device": self.bob.device}),
            ((401, "no-proof"), {"device": None}),
            ((401, "audience"), {"credential": self.ticket(self.alice, self.url, PUBSUB)}),
            ((401, "audience"), {"credential": self.alice.credential}),  # identity tickets are for us alone
            ((401, ""), {"credential": None}),
            ((401, "holder"), {"credential": f"{credential}~{bob}"}),
        ):
            with self.subTest(want):
                got = self.at["storage"].decide(more.get("credential", credential), more.get("device", device),
                                                *more.get("ask", ask), now=more.get("now"))
                self.assertEqual(got, want)

    def test_two_sessions_of_one_key(self):
        first = self.ticket(self.alice, self.url)
        again = self.mesh.login("alice", self.alice.device).json["tickets"][0]["credential"]
        entry, = self.granted(self.alice, self.url, token=again)["tickets"]
        for credential in (first, entry["credential"]):
            self.assertEqual(self.decide("storage", self.alice, credential, "read", self.url), ALLOW)
        self.assertEqual(self.decide("storage", self.alice, f"{first}~{entry['credential']}", "read", self.url),
                         (401, "mixed-set"))

    def test_rules_that_take_for_ever(self):
        """`bound`: folders enough that a rule of many conditions is not decided in its steps."""
        rules = self.mesh.folder / "slow.rules"
        rules.write_text("allow read(R) if permit(read, A), permit(read, B), A != B, permit(read, C), B != C,\n"
                         "    permit(read, D), C != D, permit(write, D), within(R, A).\n")
        folders = [self.alice.create(f"F{n}") for n in range(12)]
        credential = self.ticket(self.alice, [f["url"] for f in folders])
        slow = Deciding(self.mesh, STORAGE, rules)
        self.addCleanup(slow.close)
        self.assertEqual(slow.decide(credential, self.alice.device, "read", folders[0]["url"]), (403, "bound"))


if __name__ == "__main__":
    main()
