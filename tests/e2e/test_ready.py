#!/usr/bin/env python3
"""What the verifiers of a mesh have really loaded: how they report it, and who waits for them."""
import hashlib
import pathlib
import re

from deciding import Deciding
from harness import MeshTest, main, wait_until
from people import Person
from services import Service


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


if __name__ == "__main__":
    main()
