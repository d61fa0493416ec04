#!/usr/bin/env python3
"""kill -9 at every step of records that leave for the archive, and of those that are erased:
it goes on where it was. In builds with MAUTH_FAULTS."""
import os
import shutil
import signal

from archived import Archive
from harness import MESHAUTH, PATIENCE_S, main, run, wait_until
from people import Person
from services import Socket

# Where meshauthd dies.
ARCHIVE = ("archive.written", "archive.renamed", "archive.read-back", "archive.left", "archive.dropped:1",
           "archive.dropped:2")
ERASE = ("erase.segment", "archive.written", "archive.renamed", "erase.forgotten", "erase.some")


class Crash(Archive):
    """Each on a store that is ready to leave, or to be erased."""

    settings = {}  # while it is filled: nothing leaves before it is to

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bob = Person(cls.mesh, "bob")
        cls.bob.create("Own")
        cls().fill()
        cls.mesh.stop()
        cls.mesh.configure_in_haste(**Archive.settings)
        cls.full = cls().keep("full")

    def setUp(self):
        self.addCleanup(self.end)

    def end(self):
        if self.mesh.daemon:
            self.mesh.stop()
        self.put_back(self.full)

    def keep(self, name):
        """The store as it is, and the trust file that speaks of it."""
        kept = self.mesh.folder / name
        shutil.copytree(self.mesh.dir / "store", kept / "store")
        shutil.copy(self.mesh.trust, kept)
        return kept

    def put_back(self, kept):
        shutil.rmtree(self.mesh.dir / "store")
        shutil.copytree(kept / "store", self.mesh.dir / "store")
        shutil.copy(kept / "trust", self.mesh.trust)

    def die(self, point):
        os.environ["MESHAUTH_FAULT"] = point
        try:
            self.mesh.start(wait=False)
        finally:
            del os.environ["MESHAUTH_FAULT"]
        self.assertEqual(self.mesh.daemon.wait(PATIENCE_S), -signal.SIGKILL, point)
        self.mesh.daemon = None

    def test_while_records_leave(self):
        for point in ARCHIVE:
            with self.subTest(point=point):
                before = self.json("verify")["size"]
                self.die(point)
                self.mesh.start()
                self.left()
                self.assertGreaterEqual(len(self.all()), before)
                self.assertEqual([s.name for s in self.segments() if "segment" in s.name], [])
                self.mesh.stop()
                self.put_back(self.full)

    def test_while_a_person_is_erased(self):
        self.mesh.start()
        self.left()
        run(MESHAUTH, "user", "remove", self.bob.id, "-c", self.mesh.conf)
        self.mesh.stop()
        ready = self.keep("ready")
        for point in ERASE:
            with self.subTest(point=point):
                self.put_back(ready)
                self.begin()
                self.die(point)
                self.mesh.start()
                wait_until(lambda: Socket(self.mesh).call("GET", "erasures").json == {"items": []}, "it to be done")
                self.whole()
                self.assertEqual(self.archived(self.bob.id), set())
                self.assertEqual({r["action"] for r in self.lines("query", "--user", self.bob.id)},
                                 {"audit.erase", "audit.erased"})
                self.mesh.stop()
        shutil.rmtree(ready)

    def begin(self):
        """It is on record, and nothing of it is done: the command dies behind its commit."""
        done = run(MESHAUTH, "audit", "erase", self.bob.id, "-c", self.mesh.conf, check=False,
                   env={"MESHAUTH_FAULT": "admin.committed"})
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)


if __name__ == "__main__":
    main()
