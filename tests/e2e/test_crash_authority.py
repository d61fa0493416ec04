#!/usr/bin/env python3
"""kill -9 at every step of a new authority and of a restore: afterwards all is as it was before,
or as it is behind it, and the audit log agrees. In builds with MAUTH_FAULTS."""
import json
import os
import re
import signal
import unittest

from harness import MESHAUTH, Mesh, main, run, wait_until
from people import Person

# Each is passed twice by `authority renew --root`: what waits, and what is in force.
AUTHORITY = ("authority.waits", "authority.recorded:1", "authority.committed:1", "authority.put", "authority.recorded:2",
             "authority.committed:2")
RESTORE = ("restore.filled", "restore.anew", "restore.finished", "restore.in-place")


class Crash(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh(start=False)
        self.addCleanup(self.mesh.close)
        self.root = self.mesh.dir / "root.key"

    def killed(self, fault, *words):
        done = run(MESHAUTH, *words, "-c", self.mesh.conf, "--root", self.root, check=False,
                   env={"MESHAUTH_FAULT": fault})
        self.assertEqual(done.returncode, -signal.SIGKILL, f"{fault} is not on the way of {words}: {done.stderr}")

    def authority(self):
        return json.loads(run(MESHAUTH, "authority", "show", "-c", self.mesh.conf, "--json").stdout)

    def records(self):
        lines = run(MESHAUTH, "audit", "query", "-c", self.mesh.conf, "--json", "--limit", "1000").stdout.splitlines()
        records = sorted((json.loads(line) for line in lines), key=lambda r: r["sequence"])
        self.assertEqual([r["sequence"] for r in records], list(range(len(records))))
        return [(r["action"], r["resources"][1:]) for r in records if r["action"] in
                ("authority.request", "authority.install", "restore")]

    def judge(self, before, known):
        """Each record is true of what is there: an epoch in force, and one that waits."""
        now, made = self.authority(), self.records()[known:]
        if made and made[-1][0] == "authority.install":
            self.assertEqual([f"epoch {now['epoch']}", now["authority"]], made[-1][1])
            self.assertEqual((now["epoch"], "pending" in now), (before["epoch"] + 1, False))
            return "in force"
        self.assertEqual([now[k] for k in ("epoch", "authority", "until")], [before[k] for k in ("epoch", "authority", "until")])
        if made:
            (action, resources), = made
            self.assertEqual((action, resources), ("authority.request", ["epoch %d" % now["pending"]["epoch"],
                                                                         now["pending"]["authority"]]))
            return "waits"
        self.assertEqual(now.get("pending"), before.get("pending"))
        return "before"


class Authority(Crash):
    found = dict(zip(AUTHORITY, ("before", "before", "waits", "waits", "waits", "in force")))

    def test_on_the_store(self):
        for fault in AUTHORITY:
            with self.subTest(fault):
                before, known = self.authority(), len(self.records())
                self.killed(fault, "authority", "renew")
                self.assertEqual(self.judge(before, known), self.found[fault])
        self.mesh.start()
        Person(self.mesh, "alice")

    def test_in_the_service(self):
        """meshauthd is killed, and started again."""
        for fault in AUTHORITY:
            with self.subTest(fault):
                before, known = self.authority(), len(self.records())
                self.start(fault)
                run(MESHAUTH, "authority", "renew", "-c", self.mesh.conf, "--root", self.root, check=False)
                self.assertEqual(self.mesh.daemon.wait(20), -signal.SIGKILL, fault)
                self.mesh.daemon = None
                self.assertEqual(self.judge(before, known), self.found[fault])
                self.mesh.start()
                text = self.mesh.trust.read_text()
                self.assertEqual(int(re.search(r"^epoch (\d+)$", text, re.M).group(1)), self.authority()["epoch"])
                self.mesh.stop()
        self.mesh.start()
        Person(self.mesh, "alice")

    def start(self, fault):
        os.environ["MESHAUTH_FAULT"] = fault
        try:
            self.mesh.start()
        finally:
            del os.environ["MESHAUTH_FAULT"]


class Restore(Crash):
    def test_restore(self):
        file = self.mesh.folder / "backup"
        store = self.mesh.dir / "store"
        self.mesh.start()
        Person(self.mesh, "alice").create("Trip")
        run(MESHAUTH, "backup", "-c", self.mesh.conf, "--out", file)
        self.mesh.stop()
        for number, fault in enumerate(RESTORE + AUTHORITY):
            with self.subTest(fault):
                if store.exists():
                    store.rename(self.mesh.folder / f"store-{number}")
                self.killed(fault, "restore", file)
                self.assertEqual(store.exists(), fault == "restore.in-place")
        # There is no way between: it is all there, and behind it no other is built.
        self.assertFalse(store.exists())
        run(MESHAUTH, "restore", file, "-c", self.mesh.conf, "--root", self.root)
        self.assertEqual([action for action, _ in self.records()], ["restore", "authority.request", "authority.install"])
        self.mesh.start()
        wait_until(lambda: "\nepoch 2\n" in self.mesh.trust.read_text(), "the second epoch")
        Person(self.mesh, "alice")


if __name__ == "__main__":
    main()
