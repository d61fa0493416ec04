#!/usr/bin/env python3
"""Random requests, made from authsvc/openapi.json by tests/interop/requests.mjs, against the
real service by people with real tickets: it must not fail, not hang, and answer as it is
described; what fits the description it must understand.

    MAUTH_RANDOM_S     for how long, in seconds; 15 unless told otherwise
    MAUTH_RANDOM_SEED  to see the same requests again (ids and times differ)
"""
import base64
import collections
import http.client
import json
import os
import random
import subprocess
import time

import harness
from people import Person
from services import Admin

SECONDS = float(os.environ.get("MAUTH_RANDOM_S", "15"))
SEED = int(os.environ.get("MAUTH_RANDOM_SEED", random.SystemRandom().randrange(1 << 32)))
REQUESTS = harness.ROOT / "tests" / "interop" / "requests.mjs"
BODY_MAX = 16000  # characters of base64
HANG_S = 10 * harness.SLOW
# Refusals of the form of a request; and what no schema can tell: the bytes of a name, its
# characters that nobody sees, that it looks like a private key; whether PEM holds a key.
MALFORMED = {400, 413, 415, 428}
# What no pattern says: a place behind which a page begins has its ids in order ("query").
MAY_BE = {f"urn:meshauth:problem:{name}" for name in ("name", "private-key", "service", "key", "revocation", "query")}


class Generator:
    def __init__(self):
        self.process = subprocess.Popen(["node", REQUESTS, str(SEED)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.last = {}

    def next(self):
        self.process.stdin.write(json.dumps(self.last) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def learn(self, path, answer):
        self.last = {"path": path, "etag": answer.headers["ETag"], "text": answer.body.decode(errors="replace")}

    def close(self):
        self.process.stdin.close()
        self.process.wait(harness.PATIENCE_S)
        self.process.stdout.close()


class RandomRequests(harness.MeshTest):
    def setUp(self):
        self.people = {"alice": Person(self.mesh, "alice"), "bob": Person(self.mesh, "bob"),
                       "carol": Admin(self.mesh, "carol")}
        self.connections = {}
        self.generator = Generator()
        self.addCleanup(self.generator.close)

    def identity(self, who):
        """Device and Authorization header."""
        alice = self.people["alice"]
        if who == "nobody":
            return None, {}
        if who == "thief":
            return self.people["bob"].device, {"Authorization": f"Bearer {alice.credential}"}
        if who == "junk":
            return alice.device, {"Authorization": f"Bearer {alice.credential[:-4]}AAAA"}
        return self.people[who].device, {"Authorization": f"Bearer {self.people[who].credential}"}

    def send(self, request):
        """Over a connection that is kept, until the service closes it."""
        device, headers = self.identity(request["who"])
        body = base64.b64decode(request["body"]) if request["body"] is not None else None
        for attempt in range(2):
            connection = self.connections.get(request["who"])
            if not connection:
                connection = self.connections[request["who"]] = self.mesh.connection(device)
                self.addCleanup(connection.close)
            try:
                return self.mesh.request(request["method"], request["path"], body, {**request["headers"], **headers},
                                         connection=connection)
            except (http.client.HTTPException, OSError):
                self.connections.pop(request["who"]).close()
                if attempt:
                    raise

    def judge(self, request, answer, took_s):
        said = f"seed {SEED}: {request} {answer}"
        self.assertLess(answer.status, 500, said)
        self.assertLess(took_s, HANG_S, said)
        if request["fits"] and answer.status in MALFORMED:
            self.assertIn(answer.json["type"], MAY_BE, said)

    def go_on(self, request, answer):
        """Whose device was released logs in again; whose account was deleted is another one."""
        self.generator.learn(request["path"], answer)
        person = self.people.get(request["who"])
        if not person or answer.status != 401:
            return
        again = self.mesh.exchange(self.mesh.mint(person.name), person.device)
        if again.status == 200:
            person.credential = again.json["access_token"]
            return
        self.assertEqual(again.json["error_description"], "The account of this identity is closed.")
        self.people[request["who"]] = type(person)(self.mesh, f"{person.name}-again")
        self.connections.pop(request["who"]).close()

    def test_they_are_answered(self):
        print(f"MAUTH_RANDOM_SEED={SEED}", flush=True)
        for person in self.people.values():
            self.generator.learn(person.root, person.get(person.root))
            self.generator.next()
        counts = collections.Counter()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            request = self.generator.next()
            if len(request["body"] or "") > BODY_MAX:
                continue  # one that is refused before it was all sent may see no more than the end
            start = time.monotonic()
            answer = self.send(request)
            self.judge(request, answer, time.monotonic() - start)
            self.go_on(request, answer)
            counts[request["id"], answer.status // 100] += 1
        self.assertTrue(self.mesh.healthy())
        self.check_reach(counts)

    def check_reach(self, counts):
        """Random as they are, they get through to where things happen, and are refused."""
        total = sum(counts.values())
        good = {operation for operation, status in counts if status == 2}
        bad = {operation for operation, status in counts if status == 4}
        print(f"{total} requests; done: {len(good)} operations, refused: {len(bad)}", flush=True)
        if SECONDS >= 15 and harness.SLOW == 1:
            self.assertGreater(total, 500)
            self.assertGreater(len(good), 20, sorted(good))
            self.assertGreater(len(bad), 25, sorted(bad))


if __name__ == "__main__":
    harness.main()
