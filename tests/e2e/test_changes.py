#!/usr/bin/env python3
"""GET /v1/mesh/changes: what a service with the right hears of the graph, and when."""
import time

from harness import PROMPT_S, MeshTest, main
from people import Person
from services import Service, Socket, ask_later

CHANGES = "/v1/mesh/changes"


class Changes(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.feed = Service(cls.mesh, "feed")
        cls.feed.login()
        Socket(cls.mesh).call("PUT", "roles/feed/changes")
        cls.alice, cls.bob = Person(cls.mesh, "alice"), Person(cls.mesh, "bob")

    def get(self, query="", **more):
        return self.feed.call("GET", CHANGES + query, **more)

    def follow(self, url):
        answer = self.feed.call("GET", url.removeprefix(self.mesh.url))
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def now(self):
        """Where the graph is."""
        start = self.get().json
        self.assertEqual(start["items"], [])
        return start["next"]

    def test_each_change(self):
        begin = self.now()
        folder, device = self.alice.create(), self.alice.claim().json
        mapping = self.alice.map(folder, device).json
        invitation = self.alice.invite(folder)
        self.bob.accept(invitation)
        member = f"{folder['url']}/members/{self.bob.id}"
        self.alice.change(member, {"role": "contributor"})
        self.alice.delete(mapping["url"])
        self.alice.delete(device["url"])
        self.alice.login()
        self.alice.delete(folder["url"])
        page = self.follow(begin)
        alice, bob, f, d = self.alice.id, self.bob.id, folder["id"], device["id"]
        i = [invitation["id"], f, alice]
        self.assertEqual([(c["op"], c["type"], c["ids"]) for c in page["items"]], [
            ("created", "folder", [f]), ("created", "member", [f, alice]),
            ("created", "device", [d]), ("created", "claim", [d, alice]),
            ("created", "mapping", [d, f]),
            ("created", "invitation", i),
            ("created", "member", [f, bob]), ("updated", "invitation", i),
            ("updated", "member", [f, bob]),
            ("deleted", "mapping", [d, f]),
            ("deleted", "claim", [d, alice]),
            ("deleted", "folder", [f]),
        ])
        sequences = [c["sequence"] for c in page["items"]]
        self.assertEqual(sequences, sorted(set(sequences)))
        self.assertEqual(page["next"], f"{self.mesh.url}{CHANGES}?after={sequences[-1]}")

    def test_page_by_page(self):
        begin = self.now()
        for _ in range(3):
            self.alice.create()
        whole = self.follow(begin)["items"]
        found, url = [], begin + "&limit=2"
        while len(found) < len(whole):
            page = self.follow(url)
            self.assertLessEqual(len(page["items"]), 2)
            found, url = found + page["items"], page["next"]
        self.assertEqual(found, whole)

    def test_waits_for_the_next(self):
        path = self.now().removeprefix(self.mesh.url)
        start = time.monotonic()
        answer = self.feed.call("GET", path, sent=lambda: self.alice.create("later"))
        self.assertGreaterEqual(len(answer.json["items"]), 1)
        self.assertLess(time.monotonic() - start, PROMPT_S)

    def test_many_wait(self):
        path = self.now().removeprefix(self.mesh.url)
        headers = {"Authorization": f"Bearer {self.feed.credential}"}
        connections = [self.mesh.connection(self.feed.device) for _ in range(20)]
        answers = [ask_later(c, path, headers) for c in connections]
        time.sleep(0.3)
        self.alice.create("for all")
        for c, answer in zip(connections, answers):
            self.assertEqual(len(answer().json["items"]), 2)
            c.close()

    def test_who_may(self):
        self.assert_problem(self.mesh.request("GET", CHANGES), 401, "no-ticket")
        self.assert_problem(self.alice.get(CHANGES), 403, "forbidden")
        other = Service(self.mesh, "other")
        other.login()
        self.assert_problem(other.call("GET", CHANGES), 403, "forbidden")
        Socket(self.mesh).call("PUT", "roles/other/changes")
        self.assertEqual(other.call("GET", CHANGES).status, 200)

    def test_whoever_loses_the_right_waits_in_vain(self):
        leaving = Service(self.mesh, "leaving")
        leaving.login()
        Socket(self.mesh).call("PUT", "roles/leaving/changes")
        path = self.now().removeprefix(self.mesh.url)
        answer = leaving.call("GET", path, sent=lambda: Socket(self.mesh).call("DELETE", "roles/leaving/changes"))
        self.assertIn(answer.status, (401, 403))

    def test_bad_queries(self):
        for query in ("?after=", "?after=x", "?after=-1", "?after=01", "?after=1&after=2", "?limit=0&after=1",
                      "?limit=65", "?before=1"):
            if query == "?after=":  # without a value it was not sent
                self.assertEqual(self.get(query).status, 200)
                continue
            with self.subTest(query):
                self.assert_problem(self.get(query), 400, "query")
        self.assert_problem(self.get("?after=999999999999"), 410, "changes-gone")


if __name__ == "__main__":
    main()
