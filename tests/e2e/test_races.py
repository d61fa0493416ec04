#!/usr/bin/env python3
"""Two or three clients at once want what only one of them can have: whoever is first, the
answers, the graph from both ends of its links, and the audit log tell one story.

MAUTH_SEED in the environment repeats the pauses by which the racers are set apart, though
not what a busy machine makes of them.
"""
import collections
import concurrent.futures
import os
import random
import secrets
import threading
import time

import harness
from people import Person, new_id, revoked

ROUNDS = 200
ROUNDS_MIN = 40  # where sanitizers, or a busy machine, make them slow
BUDGET_S = 20  # of one race
SPREAD_S = 0.002 * harness.SLOW  # about what a change takes: who starts later is sometimes first
SEED = int(os.environ.get("MAUTH_SEED") or secrets.randbits(32))


class Racer:
    """A connection that stays open, of a person who may lose the session on the way."""

    def __init__(self, person):
        self.person = person
        self.connection = person.mesh.connection(person.device)
        self.token = None  # is good for this device's key only

    def call(self, method, url, body=None, **more):
        return self.person.call(method, url, body, connection=self.connection, **more)

    def must(self, status, method, url, body=None, **more):
        return self.person.must(status, method, url, body, connection=self.connection, **more)

    def items(self, url):
        found = []
        while url:
            page = self.must(200, "GET", url).json
            found += page["items"]
            url = page.get("next")
        return found

    def ids(self, url):
        return [node["id"] for node in self.items(url)]

    def login(self):
        """The person's next session, on the same connection."""
        self.token = self.token or self.person.mesh.mint(self.person.name)
        answer = self.person.mesh.exchange(self.token, self.person.device, self.connection)
        if answer.status != 200:
            raise AssertionError(f"login of {self.person.name}: {answer}")
        self.person.credential = answer.json["access_token"]


class Races(harness.MeshTest):
    def setUp(self):
        print(f"{self.id()}: MAUTH_SEED={SEED}", flush=True)
        self.random = random.Random(f"{SEED} {self.id()}")
        self.pool = concurrent.futures.ThreadPoolExecutor(3)
        self.addCleanup(self.pool.shutdown)
        self.seen = collections.Counter()
        self.expected = {}  # what the log has of each request: action, actor, outcome, reason
        self.tag = self.id().rsplit("_", 1)[1]

    def person(self, name, device=None):
        return Person(self.mesh, f"{name}-{self.tag}", device)

    def racer(self, person):
        r = Racer(person)
        self.addCleanup(r.connection.close)
        return r

    def rounds(self, *kinds):
        """
        Numbers of rounds, in which races with these possible outcomes are run in turns; more
        of them until each outcome was seen, for what always ends alike was no race.
        """
        wanted = [(k, o) for k, possible in enumerate(kinds) for o in possible]
        start, i = time.monotonic(), 0
        while i < ROUNDS_MIN or (i < ROUNDS and time.monotonic() < start + BUDGET_S) or (
                not all(self.seen[w] for w in wanted) and time.monotonic() < start + 2 * BUDGET_S):
            yield i
            i += 1
        print(f"{i} rounds:", {w: self.seen[w] for w in wanted}, flush=True)
        for w in wanted:
            self.assertGreater(self.seen[w], 0, f"never seen: {w}")

    def race(self, *calls):
        """The answers of calls that begin together, but for a pause of chance."""
        barrier = threading.Barrier(len(calls))
        pauses = [self.random.uniform(0, SPREAD_S) for _ in calls]

        def run(call, pause):
            barrier.wait(harness.PATIENCE_S)
            end = time.perf_counter() + pause
            while time.perf_counter() < end:
                time.sleep(0)
            return call()

        started = [self.pool.submit(run, *of) for of in zip(calls, pauses)]
        return [f.result(harness.PATIENCE_S) for f in started]

    def outcome(self, answers, possible, kind=0):
        """Which of the possible outcomes it is, each a tuple of what name(answer) says; kind
        tells apart what is raced in turns."""
        got = tuple(self.name(a) for a in answers)
        self.assertIn(got, possible, answers)
        self.seen[kind, got] += 1
        return possible.index(got)

    @staticmethod
    def name(answer):
        """201, or (409, "claimed")."""
        return answer.status if answer.status < 400 else (answer.status, answer.json["type"].rsplit(":", 1)[1])

    def on_record(self, answer, racer, action, recorded=True):
        """The log shall have this change or refusal, or (where nothing changed) nothing."""
        done = answer.status < 400
        record = (action, racer.person.id, "done" if done else "deny", None if done else self.name(answer)[1])
        self.expected[answer.request_id] = record if recorded else None

    def assert_records(self, *actions):
        """One record for each change and each refusal, and no other of these actions."""
        found = {}
        for action in actions:
            for r in self.mesh.audit(action=action):
                if r["request"] in self.expected:
                    self.assertNotIn(r["request"], found, "twice on record")
                    found[r["request"]] = (r["action"], r["actor"], r["outcome"], r.get("reason"))
        self.assertEqual(found, {k: v for k, v in self.expected.items() if v})

    def assert_members(self, folder, racers, roles):
        """From the folder's end, where a member can see it, and from every user's."""
        roles = {r.person.id: role for r, role in roles.items() if r and role}
        for r in racers:
            role = roles.get(r.person.id)
            mine = {f["id"]: f["role"] for f in r.items(f"users/{r.person.id}/folders")}
            self.assertEqual(mine.get(folder["id"]), role)
            answer = r.call("GET", folder["links"]["members"])
            if not role:
                self.assertEqual(self.name(answer), (404, "not-found"))
                continue
            self.assertEqual({m["id"]: m["role"] for m in answer.json["items"]}, roles)
            self.assertLess(len(roles), 64)  # one page
            self.assertEqual(list(roles.values()).count("owner"), 1)

    def test_accept_against_revoke(self):
        """And two who hold the same secret: one of the three has the invitation."""
        alice, bob, carol = (self.racer(self.person(n)) for n in ("alice", "bob", "carol"))
        folder = alice.person.create()
        closed = (409, "invitation-closed")
        possible = [(204, closed, closed), (closed, 200, closed), (closed, closed, 200)]
        for _ in self.rounds(possible):
            made = alice.must(201, "POST", folder["links"]["invitations"], {"role": "contributor"})
            url, secret = made.json["url"], {"secret": made.json["secret"]}
            self.mesh.secrets.add(made.json["secret"])
            answers = self.race(lambda: alice.call("DELETE", url, if_match=made.headers["ETag"]),
                                lambda: bob.call("POST", f"{url}/accept", secret),
                                lambda: carol.call("POST", f"{url}/accept", secret))
            winner = self.outcome(answers, possible)
            for answer, racer, action in zip(answers, (alice, bob, carol), ("revoke", "accept", "accept")):
                self.on_record(answer, racer, f"invitation.{action}")
            node = alice.must(200, "GET", url).json
            self.assertEqual((node["state"], node["version"]), ("accepted" if winner else "revoked", 2))
            joined = (None, bob, carol)[winner]
            self.assert_members(folder, (alice, bob, carol), {alice: "owner", joined: "contributor"})
            if joined:
                self.assertEqual(answers[winner].json["user"], joined.person.root)
                joined.must(204, "DELETE", f"{folder['url']}/members/{joined.person.id}", if_match="*")
        self.assert_records("invitation.accept", "invitation.revoke")

    def test_claim_against_claim(self):
        """Two users prove the same key: one of them has the device, and it is one device."""
        claimed = (409, "claimed")
        devices = [harness.Device(self.mesh.folder, f"shared-{i}") for i in range(8)]
        racers = [[self.racer(self.person(n, d)) for n in ("alice", "bob")] for d in devices]
        known = {}
        for i in self.rounds([(200, claimed), (claimed, 200)]):
            pair, key = racers[i % len(devices)], i % len(devices)
            answers = self.race(*(lambda r=r: r.call("POST", "devices", {"name": r.person.name}) for r in pair))
            good = 200 if key in known else 201
            possible = [(good, claimed), (claimed, good)]
            winner = self.outcome(answers, possible)
            for answer, racer in zip(answers, pair):
                self.on_record(answer, racer, "device.claim")
            device = answers[winner].json
            self.assertEqual(known.setdefault(key, device["id"]), device["id"])
            self.assertEqual(device["user"], pair[winner].person.root)
            for r in pair:
                won = r is pair[winner]
                # Its holder reads the device, whoever claims it.
                self.assertEqual(r.must(200, "GET", device["url"]).json["user"], device["user"])
                self.assertEqual(r.ids(f"users/{r.person.id}/devices"), [device["id"]] if won else [])
            pair[winner].must(204, "DELETE", device["url"], if_match="*")
            pair[winner].login()  # the release has ended the session
        self.assert_records("device.claim")

    def test_release_against_map(self):
        """The device's user lets it go while it is being mapped, from another device or from
        itself: whichever comes first, nothing of it stays mapped."""
        device = harness.Device(self.mesh.folder, "released")
        away, other = self.racer(self.person("alice")), self.racer(self.person("alice"))
        itself = self.racer(self.person("alice", device))
        folder = away.person.create()
        kinds = [[(204, (404, "not-found")), (204, 201)], [(204, (401, "session")), (204, 201)]]
        for i in self.rounds(*kinds):
            mapper = (other, itself)[i % 2]
            node = itself.call("POST", "devices", {"name": "PC"}).json
            url = f"{folder['links']['mappings']}/{node['id']}"
            answers = self.race(lambda: away.call("DELETE", node["url"], if_match="*"), lambda: mapper.call("PUT", url))
            self.outcome(answers, kinds[i % 2], i % 2)
            self.on_record(answers[0], away, "device.release")
            self.on_record(answers[1], mapper, "mapping.add", recorded=answers[1].status != 401)
            self.assertEqual(away.ids(folder["links"]["mappings"]), [])
            self.assertEqual(away.ids(f"users/{away.person.id}/devices"), [])
            self.assertEqual(self.name(away.call("GET", node["url"])), (404, "not-found"))
            itself.login()
            again = itself.must(200, "POST", "devices", {"name": "PC"}).json
            self.assertEqual(again["id"], node["id"])
            # What was mapped before the release does not come back with the claim.
            self.assertEqual(itself.ids(again["links"]["folders"]), [])
        self.assert_records("device.release", "mapping.add")
        both = tuple(sorted((node["id"], away.person.id)))
        harness.wait_until(lambda: both in revoked(self.mesh), "the claim's revocation")
        self.assertIn((node["id"],), revoked(self.mesh))

    def test_leaving_against_passing_on(self):
        """A folder has one owner at any time: neither can it be left by its last, nor passed
        to one who is gone, nor to two."""
        alice, bob, carol = (self.racer(self.person(n)) for n in ("alice", "bob", "carol"))
        passing = self.racer(alice.person)
        everyone = (alice, bob, carol)
        forbidden, stale, gone = (403, "forbidden"), (412, "version"), (404, "not-found")
        kinds = [
            self.owner_leaves(alice, bob, passing, "etag", [(forbidden, 200), (stale, 200)]),
            self.owner_leaves(alice, bob, passing, "*", [(forbidden, 200), (204, 200)]),
            self.heir_leaves(alice, bob, passing, [(204, gone), (forbidden, 200)]),
            self.two_heirs(alice, bob, carol, passing, [(200, forbidden), (forbidden, 200)]),
        ]
        for i in self.rounds(*(possible for _, possible, _ in kinds)):
            run, possible, after = kinds[i % len(kinds)]
            folder = alice.must(201, "POST", "folders", {"name": "Trip"}).json
            for r in (bob, carol):
                made = alice.must(201, "POST", folder["links"]["invitations"], {"role": "contributor"}).json
                self.mesh.secrets.add(made["secret"])
                r.must(200, "POST", f"{made['url']}/accept", {"secret": made["secret"]})
            calls, actions = run(folder)
            answers = self.race(*calls)
            end = self.outcome(answers, possible, i % len(kinds))
            roles = {bob: "contributor", carol: "contributor", **after[end]}
            for answer, (racer, action) in zip(answers, actions):
                self.on_record(answer, racer, action)
            self.assert_members(folder, everyone, roles)
            owner = next(r for r in everyone if roles.get(r) == "owner")
            owner.must(204, "DELETE", folder["url"], if_match="*")
            self.assert_members(folder, everyone, {})
        self.assert_records("member.leave", "folder.pass")

    # Each: what to race in a folder, with its actions; how it can end; whose role is another then.

    def owner_leaves(self, alice, bob, passing, match, possible):
        def run(folder):
            own, heir = (f"{folder['url']}/members/{r.person.id}" for r in (alice, bob))
            etag = "*" if match == "*" else alice.must(200, "GET", own).headers["ETag"]
            return ((lambda: alice.call("DELETE", own, if_match=etag),
                     lambda: passing.call("PATCH", heir, {"role": "owner"}, if_match="*")),
                    ((alice, "member.leave"), (passing, "folder.pass")))

        passed = {bob: "owner", alice: "contributor"}
        return run, possible, [passed, passed if match != "*" else {bob: "owner", alice: None}]

    def heir_leaves(self, alice, bob, passing, possible):
        def run(folder):
            heir = f"{folder['url']}/members/{bob.person.id}"
            return ((lambda: bob.call("DELETE", heir, if_match="*"),
                     lambda: passing.call("PATCH", heir, {"role": "owner"}, if_match="*")),
                    ((bob, "member.leave"), (passing, "folder.pass")))

        return run, possible, [{alice: "owner", bob: None}, {bob: "owner", alice: "contributor"}]

    def two_heirs(self, alice, bob, carol, passing, possible):
        def run(folder):
            heirs = [f"{folder['url']}/members/{r.person.id}" for r in (bob, carol)]
            return ((lambda: alice.call("PATCH", heirs[0], {"role": "owner"}, if_match="*"),
                     lambda: passing.call("PATCH", heirs[1], {"role": "owner"}, if_match="*")),
                    ((alice, "folder.pass"), (passing, "folder.pass")))

        return run, possible, [{bob: "owner", alice: "contributor"}, {carol: "owner", alice: "contributor"}]

    def test_create_against_create(self):
        """An id is one thing of one user; only that one's very same request is answered again."""
        alice, bob = (self.racer(self.person(n)) for n in ("alice", "bob"))
        second = self.racer(alice.person)
        exists = (412, "exists")
        trip, journey = {"name": "Trip"}, {"name": "Journey"}
        kinds = [((alice, trip), (bob, trip), [(201, exists), (exists, 201)]),
                 ((alice, trip), (second, journey), [(201, exists), (exists, 201)]),
                 ((alice, trip), (second, trip), [(201, 200), (200, 201)])]
        for i in self.rounds(*(possible for *_, possible in kinds)):
            *wishes, possible = kinds[i % len(kinds)]
            url = f"folders/{new_id('fld_')}"
            answers = self.race(*(lambda r=r, body=body: r.call("PUT", url, body, fresh=True) for r, body in wishes))
            winner = self.outcome(answers, possible, i % len(kinds))
            for answer, (racer, _) in zip(answers, wishes):
                self.on_record(answer, racer, "folder.create", recorded=answer.status != 200)
            racer, body = wishes[winner]
            folder = answers[winner].json
            self.assertEqual((folder["name"], folder["version"]), (body["name"], 1))
            if answers[1 - winner].status == 200:
                self.assertEqual(answers[1 - winner].json, folder)
            self.assertEqual(racer.must(200, "GET", url).json, folder)
            self.assert_members(folder, (alice, bob), {bob if racer is bob else alice: "owner"})
            # Its retry, for whom the answer was lost.
            self.assertEqual(racer.must(200, "PUT", url, body, fresh=True).json, folder)
            racer.must(204, "DELETE", url, if_match="*")
            # Never again, for nobody.
            self.assertEqual(self.name(racer.call("PUT", url, body, fresh=True)), exists)
        self.assert_records("folder.create")

    def test_registration_against_registration(self):
        """Two keys want to be the same device."""
        exists = (412, "exists")
        possible = [(201, exists), (exists, 201)]
        for _ in range(ROUNDS_MIN):
            pair = [self.racer(self.person(n)) for n in ("alice", "bob")]
            url = f"devices/{new_id('dev_')}"
            answers = self.race(*(lambda r=r: r.call("PUT", url, {"name": "PC"}, fresh=True) for r in pair))
            winner = self.outcome(answers, possible)
            for answer, racer in zip(answers, pair):
                self.on_record(answer, racer, "device.claim")
            device = answers[winner].json
            self.assertEqual(pair[winner].must(200, "GET", url).json, device)
            # The other key is free for a device of its own.
            self.assertEqual(self.name(pair[1 - winner].call("GET", url)), (404, "not-found"))
            other = pair[1 - winner].must(201, "POST", "devices", {"name": "PC"}).json
            self.assertNotEqual((other["id"], other["key"]), (device["id"], device["key"]))
            for r in pair:
                r.must(204, "DELETE", (device if r is pair[winner] else other)["url"], if_match="*")
        self.assert_records("device.claim")


if __name__ == "__main__":
    harness.main()
