#!/usr/bin/env python3
"""What the verifiers of a mesh have really loaded: how they report it, and who waits for them."""
import hashlib
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import time

from deciding import Deciding
from harness import MESHAUTH, SLOW, MeshTest, Ticket, main, run, wait_until
from people import Person
from services import Service, Socket
from watching import Pinned


class Verifier(Service):
    """A registered service with an updater, which is this class, and a process of libmeshauth's that decides."""

    def __init__(self, mesh, name):
        super().__init__(mesh, name)
        self.login()
        self.trust = mesh.folder / f"{name}.trust"
        self.status = mesh.folder / f"{name}.status"
        self.status.mkdir()
        self.fetch()
        self.process = Deciding(mesh, f"urn:meshauth:service:{name}", trust=self.trust, status=self.status)
        self.refresh()

    def close(self):
        self.process.close()

    def fetch(self, query=""):
        """Takes the file of now, and gives nothing of it to the process yet."""
        answer = self.call("GET", "/v1/trust" + query)
        if answer.status != 200:
            raise AssertionError(f"no trust file for {self.name}: {answer}")
        new = self.trust.with_suffix(".new")
        new.write_bytes(answer.body)
        new.replace(self.trust)
        return answer

    def refresh(self):
        """The process looks whether there is another file."""
        self.process.decide(None, None, "read")

    def loaded(self):
        """EPOCH.SEQUENCE.HASH, as libmeshauth says in its status file."""
        (file,) = pathlib.Path(self.status).glob("*.status")
        said = dict(line.split(" ", 1) for line in file.read_text().splitlines())
        return f"{said['epoch']}.{said['sequence']}.{said['hash']}"

    def report(self, loaded=None):
        """What its updater says with each request."""
        return self.fetch(f"?loaded={loaded or self.loaded()}")

    def follow(self):
        """Fetches, loads and reports."""
        self.fetch()
        self.refresh()
        self.report()


class Reports(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.relay = Verifier(cls.mesh, "relay")

    @classmethod
    def tearDownClass(cls):
        cls.relay.close()
        super().tearDownClass()

    def alarms(self):
        return [line["message"] for line in self.mesh.log() if "was not published here" in line.get("message", "")]

    def test_what_is_loaded(self):
        answer = self.relay.fetch()
        self.relay.refresh()
        epoch, sequence, digest = self.relay.loaded().split(".")
        self.assertEqual(f'"{epoch}.{sequence}"', answer.headers["ETag"])
        self.assertEqual(digest, hashlib.sha256(answer.body).hexdigest())

    def test_a_file_of_a_stranger_is_an_alarm(self):
        self.relay.follow()
        before = self.alarms()
        place, _, digest = self.relay.loaded().rpartition(".")
        for wrong in (f"{place}.{digest[::-1]}", f"1.999999.{digest}"):
            for _ in range(2):  # which is said once
                self.relay.report(wrong)
            told = wait_until(lambda: self.alarms()[len(before):], "an alarm")
            self.assertEqual(len(told), 1)
            self.assertIn(self.relay.id, told[0])
            before += told
        self.relay.report()
        # Nobody waits for a user's device, nor listens to it.
        alice = Person(self.mesh, "alice")
        alice.claim()
        self.assertEqual(alice.get(f"/v1/trust?loaded={place}.{digest[::-1]}").status, 200)
        self.assertEqual(self.alarms(), before)

    def test_the_file_of_before_a_start_is_known(self):
        before = self.alarms()
        self.mesh.stop()
        last = self.mesh.trust.read_bytes()
        self.mesh.start()
        self.relay.login()
        numbers = [re.search(f"^{name} (\\d+)$", last.decode(), re.M).group(1) for name in ("epoch", "sequence")]
        digest = hashlib.sha256(last).hexdigest()
        self.relay.report(".".join([*numbers, digest]))
        self.assertEqual(self.alarms(), before)
        self.relay.report(".".join([*numbers, digest[::-1]]))
        wait_until(lambda: len(self.alarms()) == len(before) + 1, "an alarm")


class Activation(MeshTest):
    """No key signs that somebody who checks tickets does not know."""

    def setUp(self):
        self.admin = Socket(self.mesh)
        self.relay, self.store = Verifier(self.mesh, self.name("relay")), Verifier(self.mesh, self.name("store"))
        for verifier in (self.relay, self.store):
            verifier.report()
            self.addCleanup(self.forget, verifier)
        self.key = self.admin.call("POST", "keys", {}).json["id"]
        wait_until(lambda: "listed" in self.node(), "the key to be published")

    def name(self, what):
        """Services are called differently in each test."""
        return f"{what}-{self._testMethodName.removeprefix('test_')[:20].replace('_', '-')}"

    def forget(self, verifier):
        verifier.close()
        self.assertEqual(self.admin.call("DELETE", f"services/{verifier.id}", if_match="*").status, 204)

    def node(self):
        return self.admin.call("GET", f"keys/{self.key}").json

    def ready(self):
        return {v["name"]: v["ready"] for v in self.node().get("verifiers", [])}

    def activate(self, **body):
        return self.admin.call("POST", f"keys/{self.key}/activate", body)

    def command(self, *words, **more):
        return run(MESHAUTH, "keys", *words, "-c", self.mesh.conf, check=False, **more)

    def waiting(self, *words, **more):
        process = subprocess.Popen([MESHAUTH, "keys", "activate", self.key, "--wait", *words, "-c", self.mesh.conf],
                                   text=True, **more)
        self.addCleanup(process.kill)
        return process

    def test_waits_for_the_last(self):
        self.assertEqual(self.ready(), {self.relay.name: False, self.store.name: False})
        answer = self.activate()
        self.assert_problem(answer, 409, "key-not-loaded")
        self.assertIn(f"{self.relay.name} (since ", answer.json["detail"])
        self.assertIn(f"{self.store.name} (since ", answer.json["detail"])
        self.relay.follow()
        self.assertEqual(self.ready(), {self.relay.name: True, self.store.name: False})
        # What lies in the file counts for nothing as long as nothing has loaded it.
        self.store.fetch()
        self.store.report()
        answer = self.activate()
        self.assert_problem(answer, 409, "key-not-loaded")
        self.assertNotIn(self.relay.name, answer.json["detail"])
        record = self.mesh.audit(action="key.activate", limit=1)[0]
        self.assertEqual((record["outcome"], record["reason"]), ("deny", "key-not-loaded"))
        self.store.refresh()
        self.store.report()
        self.assertEqual(self.activate().status, 200)

    def test_forced(self):
        self.assert_problem(self.activate(force=False), 409, "key-not-loaded")
        self.assertEqual(self.activate(force=True).json["state"], "active")
        record = self.mesh.audit(action="key.activate", limit=1)[0]
        self.assertEqual((record["outcome"], record["reason"]), ("done", "forced"))

    def test_back_without_waiting(self):
        """The one before is known to everybody."""
        before = next(k["id"] for k in self.admin.call("GET", "keys").json["items"] if k["state"] == "active")
        self.assertEqual(self.activate(force=True).status, 200)
        self.assertEqual(self.admin.call("POST", f"keys/{before}/activate", {}).status, 200)

    def test_a_service_that_is_gone_holds_nothing_up(self):
        self.relay.follow()
        gone = Verifier(self.mesh, self.name("gone"))
        gone.report(f"1.1.{'0' * 64}")  # a stranger's file: it lacks everything
        self.store.follow()
        self.assert_problem(self.activate(), 409, "key-not-loaded")
        self.forget(gone)
        self.assertEqual(set(self.ready()), {self.relay.name, self.store.name})
        self.assertEqual(self.activate().status, 200)

    def test_on_record(self):
        self.relay.follow()
        before = self.node()["verifiers"]
        self.mesh.stop()
        # And the command on the store sees the same.
        done = self.command("activate", self.key)
        self.assertEqual((done.returncode, self.store.name in done.stderr), (1, True), done.stderr)
        self.assertNotIn(self.relay.name, done.stderr)
        self.assertEqual(self.command("activate", self.key, "--wait").returncode, 1)
        self.mesh.start()
        self.assertEqual(self.node()["verifiers"], before)

    def test_the_command_waits(self):
        process = self.waiting("--timeout", "60s", stdout=subprocess.PIPE)
        lines = [process.stdout.readline() for _ in range(2)]
        for line, verifier in zip(lines, (self.relay, self.store)):
            self.assertRegex(line, f"^{verifier.name}: has loaded 1\\.\\d+ since .*, which lacks {self.key}\n$")
        self.relay.follow()
        self.assertEqual(process.stdout.readline(), f"{self.relay.name}: has loaded {self.key}\n")
        self.assertIsNone(process.poll())
        self.assertEqual(self.node()["state"], "next")
        self.store.follow()
        self.assertEqual(process.stdout.readline(), f"{self.store.name}: has loaded {self.key}\n")
        self.assertEqual(process.stdout.read(), f"{self.key}: signs from now on\n")
        self.assertEqual(process.wait(10), 0)
        process.stdout.close()

    def test_the_picture(self):
        """On a terminal."""
        ours, theirs = pty.openpty()
        process = self.waiting(stdout=theirs, env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        seen = b""

        def shows(text):
            nonlocal seen
            while text.encode() not in re.sub(rb"\x1b\[[0-9]*[mAJ]", b"", seen):
                seen += os.read(ours, 4096)
        shows("0 of 2 services have loaded it")
        self.relay.follow()
        shows("1 of 2 services have loaded it")
        shows("has it")
        self.assertIn(b"\x1b[3A\x1b[J", seen)
        self.store.follow()
        shows("2 of 2 services have loaded it")
        shows("signs from now on")
        self.assertEqual(process.wait(10), 0)
        os.close(ours)

    def test_the_command_gives_up(self):
        start = time.monotonic()
        done = self.command("activate", self.key, "--wait", "--timeout", "1s", "--json")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn("after 1 seconds 2 of 2 services have not loaded the key, ", done.stderr)
        self.assertLess(time.monotonic() - start, 10 * SLOW)
        self.assertEqual(self.node()["state"], "next")
        for words in (("--wait", "--force"), ("--timeout", "1s"), ("--wait", "--timeout", "soon")):
            self.assertEqual(self.command("activate", self.key, *words).returncode, 2)

    def test_listed(self):
        self.relay.follow()
        text = self.command("list").stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertRegex(text, f"(?m)^  {self.relay.name[:24]} +1\\.\\d+ +.*none$")
        self.assertRegex(text, f"(?m)^  {self.store.name[:24]} +1\\.\\d+ +.*{self.key}( \\+\\d+)?$")
        keys = json.loads(self.command("list", "--json").stdout)["keys"]
        (key,) = [k for k in keys if k["id"] == self.key]
        self.assertEqual([v["ready"] for v in key["verifiers"]], [True, False])
        self.assertEqual(key["verifiers"][0]["id"], self.relay.id)


class Updater(MeshTest):
    """The whole way: a service's own updater, its verifier, and the command that waits for them."""

    def test_from_prepare_to_the_first_ticket(self):
        admin = Socket(self.mesh)
        relay = Pinned(self.mesh, "relay")
        self.addCleanup(relay.close)
        loaded = self.mesh.folder / "relay.loaded"
        loaded.mkdir()
        relay.start("--loaded", loaded)
        relay.wait_for("a trust file", lambda s: s["state"] == "good")
        process = Deciding(self.mesh, "urn:meshauth:service:relay", trust=relay.trust, status=loaded)
        self.addCleanup(process.close)

        def verifiers(key):
            """The service looks for a new file, and its updater tells of it."""
            process.decide(None, None, "read")
            relay.process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            return {v["name"]: v["ready"] for v in admin.call("GET", f"keys/{key}").json.get("verifiers", [])}
        before = next(k["id"] for k in admin.call("GET", "keys").json["items"] if k["state"] == "active")
        wait_until(lambda: verifiers(before) == {"relay": True}, "a report")
        key = admin.call("POST", "keys", {}).json["id"]
        self.assert_problem(admin.call("POST", f"keys/{key}/activate", {}), 409, "key-not-loaded")
        wait_until(lambda: verifiers(key) == {"relay": True}, "a report with the key")
        done = run(MESHAUTH, "keys", "activate", key, "--wait", "--timeout", "60s", "-c", self.mesh.conf)
        self.assertIn(f"{key}: signs from now on", done.stdout)
        # Not one ticket of its is refused there for the key.
        alice = Person(self.mesh, "alice")

        def signed_by_it():
            alice.login()
            return Ticket(alice.ticket).key == key
        wait_until(signed_by_it, "a ticket by the key")
        self.assertEqual(process.decide(alice.ticket, alice.device, "read")[1], "audience")


if __name__ == "__main__":
    main()
