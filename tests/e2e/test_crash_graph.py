#!/usr/bin/env python3
"""What the graph was told and answered is there after a kill -9, whole and once; what
was not answered is there whole or not at all, and can be asked for again."""
import copy
import http.client
import os
import random
import secrets
import threading
import time
import unittest

from harness import Mesh, main, wait_until
from people import Person, new_id, revoked

WORLDS = 3
ROUNDS = 8
LOAD_S = 0.7
CHANGES = 12  # of each world before it is killed
FOLDERS = 3  # at a time
SEED = int(os.environ.get("MAUTH_SEED") or secrets.randbits(32))


class Doubt:
    """A change that was sent and not answered."""

    def __init__(self, request, after, narrowed):
        self.request = request  # (person, method, url, body, headers)
        self.after = after  # the state it would make
        self.narrowed = narrowed


class World:
    """
    An owner, a guest and one client that acts for both. What the client was answered is
    kept as `state`: by folder its name, its members' roles, the devices it is mapped on,
    its invitations' states.
    """

    def __init__(self, mesh, n):
        self.mesh = mesh
        self.random = random.Random(f"{SEED} {n}")
        self.owner, self.guest = Person(mesh, f"owner-{n}"), Person(mesh, f"guest-{n}")
        self.device = {p: p.claim().json["id"] for p in (self.owner, self.guest)}
        self.state = {}
        self.secrets = {}  # of invitations, by their ids
        self.doubt = None
        self.answers = []  # (request id, action) of what was changed
        self.narrowed = set()  # what must be revoked
        self.failure = None

    # What it may do now: (action, person, method, url, body, headers, the state after, what is revoked).

    def wishes(self):
        match = {"if_match": "*"}
        if len(self.state) < FOLDERS:
            made = new_id("fld_")
            yield ("folder.create", self.owner, "PUT", f"folders/{made}", {"name": "Trip"}, {"fresh": True},
                   lambda s: s.update({made: {"name": "Trip", "members": {self.owner.id: "owner"}, "mappings": set(),
                                              "invitations": {}}}), [])
        for fld, f in self.state.items():
            at = f"folders/{fld}"
            name = f"Trip {secrets.token_hex(2)}"
            yield ("folder.update", self.owner, "PATCH", at, {"name": name}, match,
                   lambda s, fld=fld, name=name: s[fld].update(name=name), [])
            if len(self.state) == FOLDERS:
                yield "folder.delete", self.owner, "DELETE", at, None, match, lambda s, fld=fld: s.pop(fld), [(fld,)]
            yield from self.of_guest(fld, f, at, match)
            for p in (self.owner, self.guest):
                if p.id in f["members"]:
                    yield from self.of_mapping(fld, f, at, p, match)

    def of_guest(self, fld, f, at, match):
        guest, dev = self.guest.id, self.device[self.guest]
        pending = [i for i, state in f["invitations"].items() if state == "pending" and i in self.secrets]
        if len(pending) < 2:
            yield ("invitation.create", self.owner, "POST", f"{at}/invitations", {"role": "contributor"}, {},
                   lambda s: s[fld]["invitations"].update({"?": "pending"}), [])
        for i in pending:
            yield ("invitation.revoke", self.owner, "DELETE", f"invitations/{i}", None, match,
                   lambda s, i=i: s[fld]["invitations"].update({i: "revoked"}), [])
            if guest not in f["members"]:
                yield ("invitation.accept", self.guest, "POST", f"invitations/{i}/accept", {"secret": self.secrets[i]},
                       {}, lambda s, i=i: (s[fld]["invitations"].update({i: "accepted"}),
                                           s[fld]["members"].update({guest: "contributor"})), [])
        if guest not in f["members"]:
            return
        role = "reader" if f["members"][guest] == "contributor" else "contributor"
        ends = [(fld, guest), *([(dev, fld)] if dev in f["mappings"] else [])]
        yield ("member.role", self.owner, "PATCH", f"{at}/members/{guest}", {"role": role}, match,
               lambda s: s[fld]["members"].update({guest: role}), [(fld, guest)] if role == "reader" else [])
        for action, person in (("member.remove", self.owner), ("member.leave", self.guest)):
            yield (action, person, "DELETE", f"{at}/members/{guest}", None, match,
                   lambda s: (s[fld]["members"].pop(guest), s[fld]["mappings"].discard(dev)), ends)

    def of_mapping(self, fld, f, at, person, match):
        dev = self.device[person]
        url = f"{at}/mappings/{dev}"
        if dev in f["mappings"]:
            yield ("mapping.remove", person, "DELETE", url, None, match, lambda s: s[fld]["mappings"].discard(dev),
                   [(dev, fld)])
        else:
            yield "mapping.add", person, "PUT", url, None, {}, lambda s: s[fld]["mappings"].add(dev), []

    def act(self, connections):
        action, person, method, url, body, headers, change, narrowed = self.random.choice(list(self.wishes()))
        after = copy.deepcopy(self.state)
        change(after)
        self.doubt = Doubt((action, person, method, url, body, headers), after, narrowed)
        answer = person.call(method, url, body, connection=connections[person], **headers)
        if answer.status not in (200, 201, 204):
            raise AssertionError(f"{action} {url}: {answer}")
        self.answered(answer)

    def answered(self, answer):
        self.state = self.doubt.after
        self.narrowed.update(tuple(sorted(ids)) for ids in self.doubt.narrowed)
        self.answers.append((answer.request_id, self.doubt.request[0]))
        if self.doubt.request[0] == "invitation.create":
            node = answer.json
            self.mesh.secrets.add(node["secret"])
            self.secrets[node["id"]] = node["secret"]
            for f in self.state.values():
                if "?" in f["invitations"]:
                    f["invitations"][node["id"]] = f["invitations"].pop("?")
        self.doubt = None

    def run(self):
        connections = {p: self.mesh.connection(p.device) for p in (self.owner, self.guest)}
        try:
            while True:
                self.act(connections)
        except (OSError, http.client.HTTPException):
            pass
        except Exception as e:  # for the thread of the test
            self.failure = e
        finally:
            for c in connections.values():
                c.close()

    # What the service shows, from every end.

    def shown(self, test):
        state = {}
        for node in self.owner.items(f"users/{self.owner.id}/folders"):
            fld, links = node["id"], node["links"]
            members = {m["id"]: m["role"] for m in self.owner.items(links["members"])}
            test.assertEqual(node["role"], members[self.owner.id])
            state[fld] = {"name": node["name"], "members": members,
                          "mappings": {m["id"] for m in self.owner.items(links["mappings"])},
                          "invitations": {i["id"]: i["state"] for i in self.owner.items(links["invitations"])}}
        guests = {f["id"]: f["role"] for f in self.guest.items(f"users/{self.guest.id}/folders")}
        test.assertEqual(guests, {fld: f["members"][self.guest.id] for fld, f in state.items()
                                  if self.guest.id in f["members"]})
        for person, dev in self.device.items():
            mapped = {m["folder"].rsplit("/", 1)[1] for m in person.items(f"devices/{dev}/folders")}
            test.assertEqual(mapped, {fld for fld, f in state.items() if dev in f["mappings"]})
        return state

    def named(self, state, shown):
        """An invitation of which no answer told the id is known by not being known."""
        state = copy.deepcopy(state)
        for fld, f in state.items():
            if "?" in f["invitations"]:
                new = set(shown.get(fld, {}).get("invitations", {})) - set(f["invitations"])
                f["invitations"][new.pop() if len(new) == 1 else "none"] = f["invitations"].pop("?")
        return state

    def settle(self, test):
        """All that was answered is there; what was not is done or not. True when it is."""
        shown, doubt = self.shown(test), self.doubt
        if shown == self.state:
            return False
        test.assertIsNotNone(doubt, f"{shown} is not {self.state}")
        after = self.named(doubt.after, shown)
        test.assertEqual(shown, after, f"neither before nor after {doubt.request[:4]}: before it was {self.state}")
        self.state = after
        self.narrowed.update(tuple(sorted(ids)) for ids in doubt.narrowed)
        return True

    def retry(self, test, done):
        """A PUT may be sent again, whether or not it was heard."""
        action, person, method, url, body, headers = self.doubt.request
        if method == "PUT":
            answer = person.call(method, url, body, **headers)
            test.assertEqual(answer.status, 200 if done else 201, f"{action}: {answer}")
            if not done:
                self.answered(answer)
        self.doubt = None

    def repeat(self, test):
        """So may any PUT that was answered: it finds what it made, and changes nothing."""
        for fld, f in self.state.items():
            if f["name"] == "Trip":
                again = self.owner.call("PUT", f"folders/{fld}", {"name": "Trip"}, fresh=True)
                test.assertEqual((again.status, again.json["version"]), (200, 1))
            for person, dev in self.device.items():
                if dev in f["mappings"]:
                    test.assertEqual(person.call("PUT", f"folders/{fld}/mappings/{dev}").status, 200)


class CrashGraph(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)

    def records(self, worlds):
        """Of changes that these made: their request ids and actions; the log has no gap."""
        records = self.mesh.audit()
        self.assertEqual([r["sequence"] for r in records], list(range(len(records)))[::-1])
        self.assertEqual([r for r in records if r["outcome"] == "deny"], [])
        actions = ("folder.", "invitation.", "member.", "mapping.")
        people = {p.id: w for w in worlds for p in (w.owner, w.guest)}
        found = {w: {} for w in worlds}
        for r in records:
            if r["action"].startswith(actions):
                mine = found[people[r["actor"]]]
                self.assertNotIn(r["request"], mine, "a change is on record twice")
                mine[r["request"]] = r["action"]
        return found

    def test_kill_9_during_changes(self):
        print(f"MAUTH_SEED={SEED}", flush=True)
        worlds = [World(self.mesh, n) for n in range(WORLDS)]
        unanswered = dict.fromkeys(worlds, 0)  # and done all the same
        numbers, doubts = {}, 0
        for round_ in range(ROUNDS):
            before = [len(w.answers) for w in worlds]
            threads = [threading.Thread(target=w.run) for w in worlds]
            for t in threads:
                t.start()
            wait_until(lambda: all(len(w.answers) >= b + CHANGES or w.failure for w, b in zip(worlds, before)),
                       "changes")
            time.sleep(LOAD_S * round_ / ROUNDS)
            self.mesh.kill()
            for t in threads:
                t.join()
            self.assertEqual([w.failure for w in worlds], [None] * WORLDS)
            self.mesh.start()
            known = revoked(self.mesh)
            done = {w: w.settle(self) for w in worlds}
            for w in worlds:
                doubts += w.doubt is not None
                unanswered[w] += done[w]
                # In the trust file that was there as soon as it served again.
                self.assertEqual(w.narrowed - set(known), set())
            for w, found in self.records(worlds).items():
                self.assertEqual({r: found.get(r) for r, _ in w.answers}, dict(w.answers))
                self.assertEqual(len(found), len(w.answers) + unanswered[w], "a change and its record are one")
            for ids, number in numbers.items():
                self.assertGreaterEqual(known[ids], number)
            numbers = known
            for w in worlds:
                if w.doubt:
                    w.retry(self, done[w])
                w.repeat(self)
        self.assertGreater(sum(len(w.answers) for w in worlds), ROUNDS * WORLDS * CHANGES - 1)
        self.assertGreater(doubts, 0, "nothing was under way at any kill")
        self.assertTrue(any(w.narrowed for w in worlds))

    def test_nothing_changes_that_cannot_be_put_on_record(self):
        """A disk that is full: each change is refused whole, and what follows is served."""
        world = World(self.mesh, "full")
        connections = {p: self.mesh.connection(p.device) for p in (world.owner, world.guest)}
        for _ in range(CHANGES):
            world.act(connections)
        count = len(self.records([world])[world])
        self.mesh.limit_files((self.mesh.dir / "store" / "data.mdb").stat().st_size // 2)
        refused = []
        for _ in range(8):
            action, person, method, url, body, headers, _, _ = world.random.choice(list(world.wishes()))
            refused.append(person.call(method, url, body, connection=connections[person], **headers))
        read = world.owner.get(world.owner.root, connection=connections[world.owner])
        self.mesh.limit_files(None)
        for answer in refused:
            self.assertEqual((answer.status, answer.json["type"]), (503, "urn:meshauth:problem:unavailable"))
            self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertEqual(read.status, 200)
        self.assertEqual(world.shown(self), world.state)
        for _ in range(CHANGES):  # it goes on by itself
            world.act(connections)
        self.assertEqual(world.shown(self), world.state)
        self.assertEqual(len(self.records([world])[world]), count + CHANGES)
        for c in connections.values():
            c.close()


if __name__ == "__main__":
    main()
