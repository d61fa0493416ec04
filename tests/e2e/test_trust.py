#!/usr/bin/env python3
"""GET /v1/trust: who gets the trust file, and who waits for the next one."""
import importlib.util
import pathlib
import re
import time

from harness import FORM, PROMPT_S, SLOW, MeshTest, main, wait_until
from people import Person
from services import Service, Socket, ask_later, threads_of

H = "a1" * 32
DELTA = "application/vnd.meshauth.trust-delta"
GOLDEN = pathlib.Path(__file__).parent.parent / "data" / "golden"

loader = importlib.util.spec_from_file_location("golden", GOLDEN / "make.py")
golden = importlib.util.module_from_spec(loader)
loader.loader.exec_module(golden)


def place(answer):
    """The file's epoch and sequence, which its ETag has, too."""
    text = answer.body.decode()
    numbers = [re.search(f"^{name} (\\d+)$", text, re.M).group(1) for name in ("epoch", "sequence")]
    if answer.headers["ETag"] != '"%s.%s"' % tuple(numbers):
        raise AssertionError(f"{answer.headers['ETag']} of {numbers}")
    return ".".join(numbers)


class Trust(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.relay = Service(cls.mesh, "relay")
        cls.relay.login()

    def revoke_something(self):
        """Two changes that the next trust file tells of."""
        admin = Socket(self.mesh)
        other = admin.call("GET", "services/storage").json["id"]
        self.assertEqual(admin.call("PUT", f"roles/{other}/publish").status, 200)
        self.assertEqual(admin.call("DELETE", f"roles/{other}/publish").status, 204)

    def get(self, query="", **more):
        return self.relay.call("GET", "/v1/trust" + query, **more)

    def test_the_file(self):
        answer = self.get()
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/plain; charset=utf-8"))
        place(answer)
        file = self.mesh.folder / "fetched"
        file.write_bytes(answer.body)
        alice = Person(self.mesh, "alice")
        self.assertEqual(self.mesh.verify(alice.ticket, alice.device, trust=file)[1]["verdict"], "accept")
        wait_until(lambda: self.get().body == self.mesh.trust.read_bytes(), "the same file on disk")

    def test_not_again(self):
        answer = self.get()
        again = self.get(headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((again.status, again.body, again.headers["ETag"]), (304, b"", answer.headers["ETag"]))
        self.assertEqual(self.get(headers={"If-None-Match": '"1.0"'}).status, 200)

    def test_who_may(self):
        self.assert_problem(self.mesh.request("GET", "/v1/trust"), 401, "no-ticket")
        self.assert_problem(self.mesh.request("GET", "/v1/trust", device=self.relay.device), 401, "no-ticket")
        alice = Person(self.mesh, "alice")
        self.assert_problem(alice.get("/v1/trust"), 403, "forbidden")
        device = alice.claim().json
        self.assertEqual(alice.get("/v1/trust").status, 200)
        # A claim is what lets a device in, and its end puts it out.
        self.assertEqual(alice.delete(device["url"]).status, 204)
        self.assertEqual(alice.get("/v1/trust").status, 401)
        alice.login()
        self.assert_problem(alice.get("/v1/trust"), 403, "forbidden")
        # A rights ticket is not shown to the account service.
        answer = self.mesh.request("GET", "/v1/trust", headers={"Authorization": f"Bearer {alice.ticket}"},
                                   device=alice.device)
        self.assertEqual(answer.status, 401)

    def test_bad_queries(self):
        for query in ("?after=", "?after=1", "?after=1.", "?after=.1", "?after=1.2.3", "?after=-1.2", "?after=01.2",
                      "?after=1.99999999999999999999", "?after=1.1&after=1.2", "?before=1.1", "?after=a.b", "?loaded=", "?loaded=1.2",
                      f"?loaded=1.2.{H[1:]}", f"?loaded=1.2.{H}&loaded=1.2.{H}", f"?loaded=1.2.{H.upper()}"):
            with self.subTest(query):
                self.assert_problem(self.get(query), 400, "query")

    def test_an_earlier_one_is_answered_at_once(self):
        start = time.monotonic()
        for after in ("0.0", "1.0", "0.999999"):
            self.assertEqual(self.get(f"?after={after}").status, 200)
        self.assertLess(time.monotonic() - start, 5 * SLOW)

    def test_waits_for_the_next(self):
        before = place(self.get())
        start = time.monotonic()
        answer = self.get(f"?after={before}", sent=self.revoke_something)
        self.assertEqual(answer.status, 200)
        self.assertLess(time.monotonic() - start, PROMPT_S)
        self.assertGreater([int(n) for n in place(answer).split(".")], [int(n) for n in before.split(".")])

    def test_what_changed(self):
        for i in range(10):  # a list that is longer than what changes in it
            Service(self.mesh, f"short-{i}")
            self.assertEqual(Socket(self.mesh).call("DELETE", f"services/short-{i}", if_match="*").status, 204)
        self.revoke_something()
        wait_until(lambda: self.get().body.count(b"\nrevoke ") >= 11, "the list")
        older = self.get()
        # The next one, and the one behind, which is joined of two.
        self.assertEqual(self.changed(older, self.revoke_something).count("\n+revoke "), 1)
        self.changed(older, self.revoke_something)

    def changed(self, older, sent):
        """The delta from an answer to the file of now, which is the only one there can be."""
        accept = {"Accept": f"text/plain, {DELTA}"}
        query = f"?after={place(older)}"
        sent()
        for _ in range(3):  # the minute may be over meanwhile
            answer = self.get(query, headers=accept)
            newer = self.get()
            if answer.headers["ETag"] == newer.headers["ETag"]:
                break
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, DELTA))
        self.assertEqual(answer.body.decode(), golden.delta(older.body.decode(), newer.body.decode()))
        self.assertLess(len(answer.body), len(newer.body))
        return answer.body.decode()

    def test_the_whole_file_for_who_asks_for_no_delta(self):
        before = place(self.get())
        self.revoke_something()
        for headers in (None, {"Accept": "*/*"}, {"Accept": DELTA + "s"}):
            answer = self.get(f"?after={before}", headers=headers)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/plain; charset=utf-8"))
        # Nor is there one from a file that was never there.
        for query in ("", "?after=0.1"):
            answer = self.get(query, headers={"Accept": DELTA})
            self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")

    def test_many_wait_without_threads(self):
        before = place(self.get())
        headers = {"Authorization": f"Bearer {self.relay.credential}"}
        connections = [self.mesh.connection(self.relay.device) for _ in range(30)]
        threads = threads_of(self.mesh)
        answers = [ask_later(c, f"/v1/trust?after={before}", headers) for c in connections]
        time.sleep(0.3)
        self.assertEqual(threads_of(self.mesh), threads)
        self.revoke_something()
        for c, answer in zip(connections, answers):
            self.assertEqual(answer().status, 200)
            c.close()

    def test_whoever_loses_the_right_waits_in_vain(self):
        service = Service(self.mesh, "leaving")
        service.login()
        # Behind all there is, so that news of before do not answer it.
        answer = service.call("GET", "/v1/trust?after=99.0", sent=lambda: Socket(self.mesh).call(
            "DELETE", "services/leaving", if_match="*"))
        self.assert_over(answer)


class Troubles(MeshTest):
    def test_a_file_that_cannot_be_replaced(self):
        """/readyz says so until it can be, and the log says it once."""
        aside = self.mesh.trust.with_name("aside")
        before = self.mesh.trust.read_bytes()
        self.mesh.trust.rename(aside)
        self.mesh.trust.mkdir()
        person = Person(self.mesh, "alice")
        person.must(200, "POST", "/v1/revoke", f"token={person.credential}", headers={"Content-Type": FORM})
        wait_until(lambda: self.mesh.readyz()[1]["warnings"], "a warning")
        status, said = self.mesh.readyz()
        self.assertEqual((status, said["status"]), (200, "ready"))
        self.assertIn("The trust file was not replaced: ", said["warnings"][0])
        time.sleep(2.5)  # it was tried again
        lines = [line for line in self.mesh.log() if line.get("message", "").startswith("the trust file was not")]
        self.assertEqual(len(lines), 1)
        self.mesh.trust.rmdir()
        aside.rename(self.mesh.trust)
        wait_until(lambda: not self.mesh.readyz()[1]["warnings"], "it to be well again")
        wait_until(lambda: self.mesh.trust.read_bytes() != before, "another file")


class Bounds(MeshTest):
    """Half of the connections may wait."""

    settings = {"limits": {"connections": 16, "connections_per_ip": 16}}

    def test_room(self):
        relay = Service(self.mesh, "relay")
        relay.login()
        before = "99.0"  # behind all there is: no news answers them
        headers = {"Authorization": f"Bearer {relay.credential}"}
        connections = [self.mesh.connection(relay.device) for _ in range(8)]
        answers = [ask_later(c, f"/v1/trust?after={before}", headers) for c in connections]
        late = wait_until(lambda: self.refused(relay, before), "a place that is taken")
        self.assertEqual((late.status, late.body), (304, b""))
        # And ending lets nobody wait.
        start = time.monotonic()
        self.mesh.stop()
        self.assertLess(time.monotonic() - start, 5 * SLOW)
        self.assertEqual([answer().status for answer in answers], [304] * 8)
        for c in connections:
            c.close()
        self.mesh.start()

    def refused(self, relay, before):
        """None while there is room: then the request is given up."""
        c = self.mesh.connection(relay.device)
        c.timeout = 2 * SLOW
        try:
            return ask_later(c, f"/v1/trust?after={before}", {"Authorization": f"Bearer {relay.credential}"})()
        except TimeoutError:
            return None
        finally:
            c.close()


if __name__ == "__main__":
    main()
