#!/usr/bin/env python3
"""Identity tickets traded at the running service: renewed, and for rights that the graph proves."""
import base64
import re
import time
import urllib.parse

import harness
from harness import EXCHANGE, FORM, SAML2, STORAGE, TOKEN, Device, Ticket, main, run, wait_until
from people import Person, another, new_id, revoked
from services import Service, Socket
from test_dpop import Prover

RELAY = "urn:meshauth:service:relay"
PUBSUB = "urn:meshauth:service:pubsub"
PREFIX = "https://storage.example/files"
EXPIRY_S = 60 + 60 + 1  # the shortest life, and the skew

# What the client hears; the reason is the log's. Both are a contract.
SAYS = {
    "ticket-form": ("invalid_request", "The subject token is neither one ticket, plain or deflated, nor an "
                    "assertion of a SAML provider that is known here."),
    "ticket-issuer": ("invalid_request", "The subject token is a ticket of another issuer."),
    "ticket-kind": ("invalid_request", "The subject token must be an identity ticket."),
    "ticket-key": ("invalid_request",
                   "The subject token is bound to another key than the one that is proven, or to none."),
    "ticket-signature": ("invalid_request",
                         "The subject token's signature does not verify with a key of now; renew it."),
    "ticket-expired": ("invalid_request", "The subject token has expired; renew it."),
    "ticket-revoked": ("invalid_request", "The subject token was revoked; renew it, or log in."),
    "session": ("invalid_request", "The session of the subject token is over; log in."),
    "no-proof": ("invalid_request", "Prove the device's key with a TLS client certificate or a DPoP proof."),
    "renewal-scope": ("invalid_scope", "A renewal takes no 'scope'; name an 'audience' or a 'resource'."),
    "audience": ("invalid_target",
                 "An 'audience' is urn:meshauth:service:NAME of a registered service, or, for 'sync', "
                 "urn:meshauth:device:DEVICE of the device that 'resource' names."),
    "audience-missing": ("invalid_target", "A node's URL as 'resource' needs an 'audience'."),
    "resource": ("invalid_target",
                 "A 'resource' is the URL of a user, device or folder, or lies in a folder below a service's prefix."),
    "place": ("invalid_target", "No service is registered at that place, and it is no node of this mesh."),
    "resource-unknown": ("invalid_target", "There is no such 'resource'."),
    "actions": ("invalid_scope", "'scope' is a list of actions with one space between them."),
    "sync-scope": ("invalid_scope", "'sync' is asked for alone."),
    "sync-target": ("invalid_target", "'sync' takes one device's URL as 'resource', and 1 to 4 of 'audience'."),
    "not-granted": ("invalid_scope",
                    "None of these actions is granted on these resources for these audiences."),
    "too-much": ("invalid_request",
                 "That is more than tickets may hold, or one request may ask for; ask for less at a time."),
}


def peer(device):
    return f"urn:meshauth:device:{device['id']}"


class Rights(harness.MeshTest):
    """What the tests share: how to ask, and what a ticket proves at the verifier."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        update(cls.mesh, "storage", prefix=PREFIX)
        cls.relay = Service(cls.mesh, "relay", actions=["sync"])
        cls.pubsub = Service(cls.mesh, "pubsub", actions=["subscribe", "publish", "receive", "read"])
        cls.alice, cls.bob, cls.carol = (Person(cls.mesh, name) for name in ("alice", "bob", "carol"))
        cls.pc = {p.name: p.claim(f"{p.name}'s PC").json for p in (cls.alice, cls.bob, cls.carol)}

    def ask(self, who, resource=(), audience=(STORAGE,), scope=None, token=None, device=None):
        pairs = [("grant_type", EXCHANGE), ("subject_token_type", SAML2),
                 ("subject_token", token or who.credential)]
        pairs += [("resource", r) for r in ([resource] if isinstance(resource, str) else resource)]
        pairs += [("audience", a) for a in ([audience] if isinstance(audience, str) else audience)]
        pairs += [("scope", scope)] if scope is not None else []
        return self.mesh.post(pairs, device or who.device)

    def renew(self, who, token=None, device=None):
        return self.ask(who, audience=(), token=token, device=device)

    def granted(self, *args, **more):
        """The answer, which is a good one."""
        answer = self.ask(*args, **more)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def refused(self, reason, answer):
        error, says = SAYS[reason]
        if reason == "not-granted":  # and then what is missing: test_explain has that
            self.assertRegex(answer.json["error_description"], re.escape(says) + r"( [a-z]+ (on \w+ )?is not allowed: .*\.)+$")
            says = answer.json["error_description"]
        self.assert_refused(answer, 400, error, says, reason)

    def explain(self, credential, action, *args):
        """Does the ticket prove it, by the rules that services have?"""
        file = self.mesh.folder / "to-explain"
        file.write_text(credential + "\n")
        done = run(harness.MESHAUTH, "policy", "explain", action, *args, "--rules", self.mesh.dir / "mesh.rules",
                   "--ticket", file, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode == 0

    def verdict(self, credential, who, audience, trust=None):
        code, verdict = self.mesh.verify(credential, who.device, audience, trust)
        self.assertEqual(code, 0 if verdict["verdict"] == "accept" else 1)
        return "accept" if code == 0 else verdict["reason"]

    def proves(self, credential, who, audience, action, *args):
        return self.verdict(credential, who, audience) == "accept" and self.explain(credential, action, *args)


def update(mesh, name, **changes):
    """The registration of a service, changed by an admin."""
    admin = Socket(mesh)
    answer = admin.call("GET", f"services/{name}")
    answer = admin.call("PATCH", f"services/{answer.json['id']}", changes, if_match=answer.headers["ETag"])
    if answer.status != 200:
        raise AssertionError(f"{name} is not changed: {answer}")


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
        said = self.granted(self.alice, self.url)
        for token in (said["access_token"], said["tickets"][0]["credential"], self.alice.ticket):
            self.refused("ticket-kind", self.ask(self.alice, self.url, token=token))
            self.refused("ticket-kind", self.renew(self.alice, token=token))
        for call in (self.renew, lambda *a, **k: self.ask(*a, resource=self.url, **k)):
            self.refused("ticket-key", call(self.bob, token=self.alice.credential))
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


def encode(xml):
    return base64.urlsafe_b64encode(xml.encode()).decode().rstrip("=")


def spoil(credential, change=lambda xml: xml):
    """The ticket with another signature, as when its key were not known any more."""
    xml = change(harness.assertion_of(credential))
    value = re.search("<ds:SignatureValue>([^<]+)<", xml).group(1)
    return encode(xml.replace(value, value[:10] + ("A" if value[10] != "A" else "B") + value[11:]))


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
        self.refused("not-granted", self.sync(self.alice, self.pc["alice"]))

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


class Renewal(Rights):
    """New tickets for old ones, by their key."""

    def test_what_is_kept_and_what_is_new(self):
        before = Ticket(self.bob.credential)
        answer = self.renew(self.bob)
        self.assertEqual(answer.status, 200, answer)
        identity, rights, *_ = (Ticket(t["credential"]) for t in answer.json["tickets"])
        self.assertEqual(answer.json["mesh"], self.bob.root)
        self.assertNotIn("scope", answer.json)
        self.assertEqual((identity.subject, identity.session_index, identity.holder),
                         (before.subject, before.session_index, before.holder))
        self.assertNotEqual(identity.id, before.id)
        for name in ("AuthnInstant=\"[^\"]*\"", "<saml:AuthnContextClassRef>[^<]*"):
            self.assertEqual(re.search(name, identity.xml).group(), re.search(name, before.xml).group())
        # He logged in before he claimed his PC: now his tickets say so.
        for ticket in (identity, rights):
            self.assertIn(("holder", self.pc["bob"]["id"]), ticket.facts)
            self.assertIn(("claimed", self.pc["bob"]["id"], self.bob.id), ticket.facts)
        self.assertEqual(rights.permits, [(self.bob.root, ["Read"])])
        records = self.mesh.audit(session=before.session_index)
        self.assertEqual([r["action"] for r in records if r.get("request") == answer.request_id],
                         ["ticket.issue"] * 2 + ["ticket.renew"])

    def test_the_signature_is_not_what_counts(self):
        early = spoil(self.bob.credential,
                      lambda xml: re.sub('AuthnInstant="[^"]*"', 'AuthnInstant="2020-01-01T00:00:00Z"', xml))
        answer = self.renew(self.bob, early)
        self.assertEqual(answer.status, 200, answer)
        self.assertNotIn("2020-01-01", harness.assertion_of(answer.json["access_token"]))

    def test_what_does_not_fit_its_session(self):
        other = Person(self.mesh, "bob")
        for old, new in ((Ticket(self.bob.credential).session_index, new_id("ses_")),
                         (Ticket(self.bob.credential).session_index, Ticket(other.credential).session_index),
                         (self.bob.id, self.alice.id)):
            forged = spoil(self.bob.credential, lambda xml, old=old, new=new: xml.replace(old, new))
            self.refused("session", self.renew(self.bob, forged))
        forged = spoil(self.bob.credential, lambda xml: xml.replace(self.mesh.url, "https://auth.example"))
        self.refused("ticket-issuer", self.renew(self.bob, forged))

    def test_after_release(self):
        dave = Person(self.mesh, "dave")
        tablet = dave.claim("tablet").json
        self.assertEqual(self.renew(dave).status, 200)
        self.assertEqual(dave.delete(tablet["url"]).status, 204)
        self.refused("session", self.renew(dave))
        answer = self.ask(dave, dave.root)
        self.assertIn(answer.json["error_description"], (SAYS["session"][1], SAYS["ticket-revoked"][1]))
        wait_until(lambda: self.ask(dave, dave.root).json["error_description"] == SAYS["ticket-revoked"][1],
                   "the trust file to arrive")
        self.refused("ticket-revoked", self.ask(dave, dave.root))
        self.refused("session", self.renew(dave))

    def test_after_the_account_is_closed(self):
        erin = Person(self.mesh, "erin")
        admin = Socket(self.mesh)
        etag = admin.call("GET", f"users/{erin.id}").headers["ETag"]
        self.assertEqual(admin.call("DELETE", f"users/{erin.id}", if_match=etag).status, 204)
        self.refused("session", self.renew(erin))

    def test_by_dpop(self):
        prover = Prover(self.mesh, self.carol.device, "carol")
        nonce = None
        form = urllib.parse.urlencode({"grant_type": EXCHANGE, "subject_token_type": SAML2,
                                       "subject_token": self.carol.credential})
        for more in ("", "&" + urllib.parse.urlencode({"resource": self.carol.root, "audience": STORAGE})):
            for _ in range(2):
                headers = {"Content-Type": FORM, "DPoP": prover.proof(nonce)}
                answer = self.mesh.request("POST", TOKEN, form + more, headers)
                self.mesh.collect(answer)
                nonce = answer.headers["DPoP-Nonce"] or nonce
            self.assertEqual((answer.status, answer.json["token_type"]), (200, "DPoP"), answer)
            self.assertEqual(Ticket(answer.json["access_token"]).holder, self.carol.device.spki)


class TooFast(Rights):
    """Logins, renewals and requests for rights of one principal, all together."""

    settings = {"limits": {"changes_per_minute": 10}}

    def test_it(self):
        asks = [lambda: self.renew(self.alice), lambda: self.ask(self.alice, self.alice.root)]
        answers = [asks[n % 2]() for n in range(12)]
        self.assertEqual([a.status for a in answers[:9]], [200] * 9)
        for answer in answers[10:]:
            self.assert_refused(answer, 429, "temporarily_unavailable",
                                "Too many logins or tickets in a short time; wait and try again.", "too-fast")
        self.assertEqual(self.renew(self.bob).status, 200)
        # Who has proven nothing is told so as before, and holds nobody up.
        self.refused("ticket-key", self.renew(self.bob, token=self.alice.credential))


class Expired(Rights):
    """An old ticket still renews, and is good for nothing else."""

    settings = {"tickets": {"identity_s": 60, "rights_s": 60}}

    def test_it(self):
        until = time.monotonic() + EXPIRY_S
        folder = self.alice.create()
        time.sleep(max(0, until - time.monotonic()))
        self.refused("ticket-expired", self.ask(self.alice, folder["url"]))
        answer = self.renew(self.alice)
        self.assertEqual(answer.status, 200, answer)
        self.alice.credential = answer.json["access_token"]
        entry, = self.granted(self.alice, folder["url"])["tickets"]
        self.assertEqual(self.verdict(entry["credential"], self.alice, STORAGE), "accept")


if __name__ == "__main__":
    main()
