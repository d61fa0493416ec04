"""Bad requests on the graph: each a clear problem document, nothing half done."""

import harness
from harness import Device
from people import JSON, PATCH, Person, new_id, revoked
from services import Service, Socket

NAMES = (
    ("empty", ""),
    ("too long", "x" * 129),
    ("too long in bytes", "ä" * 65),
    ("a newline", "a\nb"),
    ("a NUL", "a\0b"),
    ("an escape sequence", "\x1b[2Jgone"),
    ("a C1 control", "a\x9bb"),
    ("a bell", "\x07"),
    ("DEL", "a\x7f"),
    ("right-to-left override", "photo\u202egpj.exe"),
    ("isolate", "a\u2066b"),
    ("zero width", "Tri\u200bp"),
    ("byte order mark", "\ufeffTrip"),
    ("line separator", "a\u2028b"),
)


class Input(harness.MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice, cls.bob = Person(cls.mesh, "alice"), Person(cls.mesh, "bob")
        cls.folder = cls.alice.create()
        cls.alice_device = cls.alice.claim().json

    def tearDown(self):
        """Nothing has happened."""
        self.assertEqual(self.alice.node(self.folder["url"]), self.folder)
        self.assertEqual(self.alice.items(f"users/{self.alice.id}/folders"), [self.folder])
        self.assertEqual(self.alice.items(f"users/{self.alice.id}/devices"), [self.alice_device])

    def bad_body(self, body, detail, problem="body", status=400):
        for method, url, more in (("POST", "folders", {}),
                                  ("PUT", f"folders/{new_id('fld_')}", {"fresh": True}),
                                  ("PATCH", self.folder["url"], {"if_match": "*"})):
            answer = self.alice.call(method, url, body, **more)
            self.assert_problem(answer, status, problem)
            if detail:
                self.assertIn(detail, answer.json["detail"])

    def test_not_json(self):
        for body in ("", " ", "name", "[]", "7", '"x"', "null", '{"name":"a"', '{"name":"a"}}', "{'name':'a'}",
                     '{"name":"a",}', '{"name":"a"} x', "\ufeff{}".encode(), '{"name":"\xff"}'.encode("latin1"),
                     b'{"name":"\xc0\x80"}', b'{"name":"\xed\xa0\x80"}', '{"name":"\\ud800"}', '{"name":NaN}'):
            self.bad_body(body, "The body must be one JSON object.")

    def test_members(self):
        self.bad_body({"name": "a", "owner": self.bob.id}, 'There is no member "owner" here.')
        self.bad_body({"name": "a", "id": new_id("fld_")}, 'There is no member "id" here.')
        self.bad_body('{"name":"a","name":"b"}', "A member stands twice")
        self.bad_body({"name": 7}, 'The member "name" must be text.')
        self.bad_body({"name": None}, 'The member "name" must be text.')
        self.bad_body({"name": "a", "contributors_invite": "yes"}, "must be true or false")
        self.bad_body('{"name":' + "[" * 5 + "]" * 5 + "}", "nested too deeply")
        self.bad_body('{"name":' + "[" * 3000 + "}", "nested too deeply")
        self.assertIn('"name" is missing', self.alice.call("POST", "folders", {}).json["detail"])

    def test_a_private_key(self):
        pem = self.alice.device.key.read_text()
        for body in ({"name": pem}, {"name": "a", "key": {"kty": "EC", "d": "AAAA"}}, {"name": "a", "private_key": "x"}):
            answer = self.alice.call("POST", "devices", body)
            self.assert_problem(answer, 400, "private-key")
            self.assertIn("do not use that key any more", answer.json["detail"])
            self.assertNotIn(self.alice.device.secret, answer.body.decode())

    def test_names(self):
        for name, value in NAMES:
            with self.subTest(name):
                for method, url, more in (("POST", "folders", {}),
                                          ("PATCH", self.folder["url"], {"if_match": "*"}),
                                          ("PATCH", self.alice_device["url"], {"if_match": "*"})):
                    answer = self.alice.call(method, url, {"name": value}, **more)
                    self.assert_problem(answer, 400, "body" if "\0" in value else "name")

    def test_names_that_are_only_text(self):
        carol = Person(self.mesh, "carol")
        for name in ("<script>alert(1)</script>", "&amp;", '"; DROP TABLE', "../../etc/passwd", "名前", "x" * 128,
                     "👩‍👩‍👧".replace("\u200d", ""), "%00", "a\u0301"):
            self.assertEqual(carol.create(name)["name"], name)

    def test_too_large(self):
        for size in (9000, 20000, 300000):  # also to who writes all before it reads
            answer = self.alice.call("POST", "folders", {"name": "a" * size})
            self.assert_problem(answer, 413, "too-large")

    def test_content_types(self):
        for content_type in ("text/plain", "application/x-www-form-urlencoded", PATCH, "application/jsonp", None):
            headers = {"Content-Type": content_type}
            self.assert_problem(self.alice.call("POST", "folders", '{"name":"a"}', headers=headers), 415, "content-type")
        answer = self.alice.call("PATCH", self.folder["url"], {"name": "a"}, if_match="*", headers={"Content-Type": JSON})
        self.assert_problem(answer, 415, "content-type")

    def test_ids(self):
        good = self.folder["id"]
        for bad in (good.upper(), good[:-1], good + "0", "fld_" + "8" + good[5:], "fld_" + "u" * 26,
                    good.replace("fld_", "usr_"), "fld_", "x", "%66" + good[1:], good + "%20", new_id("fld_")):
            with self.subTest(bad):
                answer = self.alice.get(f"folders/{bad}")
                self.assert_problem(answer, 404, "not-found")
        foreign = self.bob.create()
        for method in ("GET", "PATCH", "DELETE"):
            body = {"name": "a"} if method == "PATCH" else None
            answer = self.alice.call(method, foreign["url"], body, if_match="*")
            self.assert_problem(answer, 404, "not-found")

    def test_preconditions(self):
        url = self.folder["url"]
        for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
            self.assert_problem(self.alice.call(method, url, body), 428, "precondition-required")
            for stale in ('"0"', '"99"', "1", 'W/"1"', "", "x", '"'):
                answer = self.alice.call(method, url, body, if_match=stale)
                self.assert_problem(answer, 412, "version")
        self.assert_problem(self.alice.call("PUT", f"folders/{new_id('fld_')}", {"name": "a"},
                                            headers={"If-None-Match": '"1"'}), 428, "precondition-required")

    def test_queries(self):
        for query in ("?limit=0", "?limit=65", "?limit=x", "?limit=1&limit=2", "?after=x", f"?after={self.alice.id}",
                      "?after=%zz", "?x=%00"):
            answer = self.alice.get(f"users/{self.alice.id}/folders{query}")
            self.assert_problem(answer, 400, "query")
        self.assert_problem(self.alice.get(self.folder["url"] + "?a=b"), 400, "query")

    def test_methods(self):
        for method, url in (("POST", self.folder["url"]), ("PUT", "folders"), ("DELETE", "folders"), ("PATCH", "devices")):
            self.assert_problem(self.alice.call(method, url, {} if method in ("PUT", "POST", "PATCH") else None), 405, "method")

    def test_a_tombstone_s_id(self):
        url = f"folders/{new_id('fld_')}"
        carol = Person(self.mesh, "carol2")
        carol.must(201, "PUT", url, {"name": "a"}, fresh=True)
        carol.delete(url)
        self.assert_problem(carol.call("PUT", url, {"name": "a"}, fresh=True), 412, "exists")
        self.assert_problem(self.bob.call("PUT", url, {"name": "a"}, fresh=True), 412, "exists")


class Pace(harness.MeshTest):
    """Who changes too much too fast waits; others, and reading, are not held up."""

    settings = {"limits": {"changes_per_minute": 3}}

    def test_too_fast(self):
        alice, bob = Person(self.mesh, "alice"), Person(self.mesh, "bob")
        for _ in range(3):
            alice.create()
        answer = alice.call("POST", "folders", {"name": "one more"})
        self.assert_problem(answer, 429, "too-fast")
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertEqual(len(alice.items(f"users/{alice.id}/folders")), 3)
        bob.create()

    def test_refused_changes_of_admins(self):
        """Each is on record, so that nobody may try without end."""
        mallory = Person(self.mesh, "mallory")
        path = f"/v1/admin/roles/{mallory.id}/admin"
        for _ in range(3):
            self.assert_problem(mallory.call("PUT", path), 403, "forbidden")
        self.assert_problem(mallory.call("PUT", path), 429, "too-fast")
        records = [r for r in self.mesh.audit() if r.get("actor") == mallory.id and r["action"] == "role.grant"]
        self.assertEqual(len(records), 3)
        # The socket is never too fast, nor are looks.
        for _ in range(5):
            self.assertEqual(Socket(self.mesh).call("PUT", f"roles/{mallory.id}/other").status, 200)
        self.assert_problem(mallory.get("/v1/admin/users"), 403, "forbidden")

    def test_logins(self):
        carol = Person(self.mesh, "carol")
        token = self.mesh.mint("carol")
        for _ in range(2):
            self.assertEqual(self.mesh.exchange(token, carol.device).status, 200)
        answer = self.mesh.exchange(token, carol.device)
        self.assertEqual((answer.status, answer.json["error"]), (429, "temporarily_unavailable"))
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        service = Service(self.mesh, "hurried")
        answers = [self.mesh.post(service.form(), service.device) for _ in range(4)]
        self.assertEqual([a.status for a in answers], [200, 200, 200, 429])
        carol.create()


class GatheredPace(harness.MeshTest):
    """What is gathered slowly and ended at once counts for what it is."""

    settings = {"limits": {"changes_per_minute": 20}}

    def test_sessions_that_end_with_a_claim(self):
        alice = Person(self.mesh, "alice")
        other = alice.on(Device(self.mesh.folder, "other"))
        for _ in range(17):
            other.login()
        device = other.claim().json
        for _ in range(10):
            alice.create()
        self.assertEqual(alice.delete(device["url"]).status, 204)
        self.assert_problem(alice.call("POST", "folders", {"name": "too early"}), 429, "too-fast")
        harness.wait_until(lambda: len(revoked(self.mesh)) > 18, "the trust file to tell of all of them")
        Person(self.mesh, "bob").create()


if __name__ == "__main__":
    harness.main()
