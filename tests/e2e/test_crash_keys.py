#!/usr/bin/env python3
"""kill -9 at every step of every change of a key: afterwards all is as it was before, or
as it is behind it, and the audit log agrees. In builds with MAUTH_FAULTS."""
import json
import os
import re
import signal
import subprocess
import time
import unittest

from harness import MESHAUTH, MESHAUTHD, PATIENCE_S, ROOT, Device, Mesh, Ticket, main, run, wait_until
from services import Socket
from test_crash_archive import ARCHIVE, ERASE
from test_crash_authority import AUTHORITY, RESTORE

# Where `meshauth` dies, or meshauthd, within a change.
PREPARE = ("key.made", "key.put", "admin.recorded", "admin.committed")
ACTIVATE = ("key.put:1", "key.other-retired", "key.put:2", "admin.recorded", "admin.committed")
REVOKE = ("key.put:1", "key.handed-over", "key.put:2", "admin.recorded", "admin.committed")
RESEAL = ("reseal.new-key", "key.put:1", "key.put:2", "reseal.put", "reseal.recorded", "reseal.committed")
# And behind it, while meshauthd makes it known. One trust file is made at the start.
LISTED = ("key.listed",)  # of a new one
END = ("key.ended", "key.end-committed")
FOLLOW = ("keys.in-force", "trust.numbered:2", "trust.published:2")


def names(points):
    return {point.split(":")[0] for point in points}


class Crash(unittest.TestCase):
    """One service folder: an active key, and one that is next."""

    settings = {}

    def setUp(self):
        self.mesh = Mesh(start=False, **self.settings)
        self.addCleanup(self.mesh.close)
        self.next = json.loads(self.keys("prepare", "--json").stdout)["id"]

    def keys(self, *words, fault=None):
        done = run(MESHAUTH, "keys", *words, "-c", self.mesh.conf, check=False,
                   env={"MESHAUTH_FAULT": fault} if fault else None)
        if not fault:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def settle(self):
        """Keys learn how long tickets are, and since when they are listed."""
        self.mesh.start()
        self.mesh.stop()

    def start_with(self, fault):
        os.environ["MESHAUTH_FAULT"] = fault
        try:
            self.mesh.start()
        finally:
            del os.environ["MESHAUTH_FAULT"]

    def state(self):
        """What is there, without what only says when."""
        listed = json.loads(self.keys("list", "--json").stdout)["keys"]
        return {k["id"]: k["state"] for k in listed}

    def records(self):
        """Changes that are on record, oldest first, when the whole log is there."""
        lines = run(MESHAUTH, "audit", "query", "-c", self.mesh.conf, "--json", "--limit", "1000").stdout.splitlines()
        records = [json.loads(line) for line in lines]
        numbers = sorted(r["sequence"] for r in records)
        self.assertEqual(numbers, list(range(len(numbers))))
        return [(r["action"], r["resources"]) for r in sorted(records, key=lambda r: r["sequence"])
                if r["action"].startswith("key.") and r["outcome"] == "done" and "key" in r]

    def active(self):
        return next(id for id, state in self.state().items() if state == "active")

    def judge(self, words, before, made):
        """Is it as before, or as behind it? made: the records that are new. Says whether it was done."""
        after = self.state()
        if not made:
            self.assertEqual(after, before)
            return False
        (action, (key, *others)), = made
        self.assertEqual(action, "key." + words[0])
        want = dict(before)
        if words[0] == "prepare":
            self.assertNotIn(key, before)
            want[key] = "next"
        elif words[0] == "activate":
            want.update({id: "retiring" for id, state in before.items() if state == "active"})
            want[key] = "active"
        else:
            self.assertIn(before[others[0]], ("next", "retiring"))
            want.update({others[0]: "active", key: "revoked"})
        self.assertEqual(after, want)
        return True

    def change(self, words):
        return [word if word != "KEY" else (self.active() if words[0] == "revoke" else self.next) for word in words]


class OnTheStore(Crash):
    """`meshauth` itself is killed."""

    def killed(self, fault, *words):
        words = self.change(words)
        before, known = self.state(), len(self.records())
        done = self.keys(*words, fault=fault)
        self.assertEqual(done.returncode, -signal.SIGKILL, f"{fault} is not on the way of {words}: {done.stderr}")
        was_done = self.judge(words, before, self.records()[known:])
        self.assertEqual(was_done, fault.split(":")[0] == "admin.committed", fault)
        return words, was_done

    def test_prepare(self):
        for fault in PREPARE:
            with self.subTest(fault):
                self.killed(fault, "prepare")

    def test_activate(self):
        for fault in ACTIVATE:
            with self.subTest(fault):
                words, was_done = self.killed(fault, "activate", "KEY")
                if not was_done:
                    continue
                # Done as it is, to do it again changes nothing.
                count = len(self.records())
                self.keys(*words)
                self.assertEqual(len(self.records()), count)

    def test_revoke(self):
        for fault in REVOKE:
            with self.subTest(fault):
                self.killed(fault, "revoke", "KEY")
        self.mesh.start()
        device = Device(self.mesh.folder)
        self.assertEqual(Ticket(self.mesh.login("alice", device).json["access_token"]).key, self.active())

    def test_reseal(self):
        old, new = self.mesh.dir / "seal.key", self.mesh.dir / "seal2.key"
        conf = self.mesh.conf.read_text()
        other = conf.replace('seal_key_file = "seal.key"', 'seal_key_file = "seal2.key"')
        self.assertNotEqual(conf, other)
        before = self.state()
        for fault in RESEAL:
            with self.subTest(fault):
                done = self.keys("reseal", "--seal-key-file", new, fault=fault)
                self.assertEqual(done.returncode, -signal.SIGKILL, f"{fault}: {done.stderr}")
                committed = fault == "reseal.committed"
                # One of the two opens everything, and the other nothing.
                self.mesh.conf.write_text(other if committed else conf)
                self.assertEqual(self.state(), before)
                resealed = [json.loads(line)["action"] for line in
                            run(MESHAUTH, "audit", "query", "-c", self.mesh.conf, "--json").stdout.splitlines()]
                self.assertEqual(resealed.count("key.reseal"), int(committed))
                self.mesh.conf.write_text(conf if committed else other)
                refused = run(MESHAUTH, "keys", "list", "-c", self.mesh.conf, check=False)
                self.assertEqual(refused.returncode, 1)
                self.mesh.conf.write_text(conf)
        self.assertTrue(old.exists() and new.exists())
        # Whoever does it again is told that it is done.
        self.assertEqual(json.loads(self.keys("reseal", "--seal-key-file", new, "--json").stdout)["resealed"], 0)
        self.mesh.secrets.add(new.read_text().strip())
        self.mesh.conf.write_text(other)
        self.mesh.start()
        self.assertEqual(self.state(), before)


class InTheService(Crash):
    """meshauthd is killed while it carries out a command, or makes the change known."""

    def setUp(self):
        super().setUp()
        self.settle()

    def sequence(self):
        return int(re.search(r"^sequence (\d+)$", self.mesh.trust.read_text(), re.M).group(1))

    def killed(self, fault, *words):
        words = self.change(words)
        before, known = self.state(), len(self.records())
        self.start_with(fault)
        sequence = self.sequence()
        done = run(MESHAUTH, "keys", *words, "-c", self.mesh.conf, check=False)
        self.assertEqual(self.mesh.daemon.wait(PATIENCE_S), -signal.SIGKILL, f"{fault} is not on the way of {words}")
        self.mesh.daemon = None
        was_done = self.judge(words, before, self.records()[known:])
        if fault in FOLLOW + LISTED:
            self.assertTrue(was_done, fault)
        # Whoever was told that it is done was told the truth.
        if done.returncode == 0:
            self.assertTrue(was_done)
        else:
            self.assertEqual(done.returncode, 3, done.stderr)
        self.follows(sequence)

    def follows(self, sequence):
        """A new start takes up what is there: the trust file tells of it, and it is newer."""
        self.mesh.start()
        states = self.state()
        told = dict(re.findall(r"^key (\w+) (\w+) ", self.mesh.trust.read_text(), re.M))
        self.assertEqual(told, states)
        self.assertGreater(self.sequence(), sequence)
        self.mesh.stop()

    def all_of(self, points, *words):
        for fault in points + FOLLOW:
            with self.subTest(fault):
                self.killed(fault, *words)
                if words[0] == "activate" and self.state()[self.next] == "active":
                    self.next = next(id for id, state in self.state().items() if state == "retiring")

    def test_prepare(self):
        self.all_of(PREPARE + LISTED, "prepare")

    def test_activate(self):
        self.all_of(ACTIVATE, "activate", "KEY")

    def test_revoke(self):
        for _ in range(len(REVOKE + FOLLOW)):
            self.keys("prepare")
        self.settle()
        self.all_of(REVOKE, "revoke", "KEY")


class ByItself(Crash):
    """meshauthd is killed while it makes the next key, as scheduled."""

    settings = {"keys": {"period_s": 90 * 86400, "publish_ahead_s": 3600}}

    def test_prepare(self):
        # The active one ends soon, and none follows.
        brief = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600 + 360 + 1800))
        id = json.loads(self.keys("prepare", "--json", "--until", brief).stdout)["id"]
        self.settle()
        self.keys("activate", id)
        self.keys("revoke", self.next)
        for fault in PREPARE[:3]:
            with self.subTest(fault):
                before, known = self.state(), len(self.records())
                self.dies_at(fault)
                self.assertFalse(self.judge(("prepare",), before, self.records()[known:]))
        before, known = self.state(), len(self.records())
        self.mesh.start()
        self.mesh.signal(signal.SIGHUP)
        wait_until(lambda: self.state() != before, "the next key")
        self.assertTrue(self.judge(("prepare",), before, self.records()[known:]))


    def ended(self):
        lines = run(MESHAUTH, "audit", "query", "-c", self.mesh.conf, "--action", "key.end", "--json").stdout.splitlines()
        return [json.loads(line)["key"] for line in lines]

    def dies_at(self, fault):
        self.start_with(fault)
        self.mesh.signal(signal.SIGHUP)  # what it does each minute, now
        self.assertEqual(self.mesh.daemon.wait(PATIENCE_S), -signal.SIGKILL, f"{fault} is not on the way")
        self.mesh.daemon = None

    def test_activate(self):
        """The active one ends before its tickets would be whole: the next takes over."""
        brief = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 360 + 600))
        id = json.loads(self.keys("prepare", "--json", "--until", brief).stdout)["id"]
        self.settle()
        self.keys("activate", id)
        for fault in ACTIVATE[:4]:
            with self.subTest(fault):
                before, known = self.state(), len(self.records())
                self.dies_at(fault)
                self.assertFalse(self.judge(("activate",), before, self.records()[known:]))
        before, known = self.state(), len(self.records())
        self.dies_at(FOLLOW[0])
        self.assertTrue(self.judge(("activate",), before, self.records()[known:]))
        self.assertEqual(self.state()[self.next], "active")

    def test_end(self):
        """A key whose time is over leaves, once, and its record with it."""
        for fault in END:
            with self.subTest(fault):
                brief = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
                id = json.loads(self.keys("prepare", "--json", "--until", brief).stdout)["id"]
                self.settle()
                wait_until(lambda moment=time.time() + 3: time.time() > moment, "the key's time to be over")
                self.dies_at(fault)
                self.assertEqual((id in self.state(), self.ended().count(id)), (fault == END[0], int(fault != END[0])))
                self.mesh.start()
                self.mesh.signal(signal.SIGHUP)
                wait_until(lambda id=id: id not in self.state(), "the key to leave")
                self.mesh.stop()
                self.assertEqual(self.ended().count(id), 1)


class Points(unittest.TestCase):
    def test_all_are_tried(self):
        """Each place in the source where a test build may die is a case above."""
        found = set()
        for folder in ("audit", "store", "cli", "authsvc"):
            for file in (ROOT / folder).glob("*.c"):
                found.update(re.findall(r'fault_point\("([a-z.-]+)"\)', file.read_text()))
        self.assertEqual(found, names(PREPARE + ACTIVATE + REVOKE + RESEAL + LISTED + FOLLOW + END + AUTHORITY + RESTORE +
                                      ARCHIVE + ERASE))

    def test_there_are_none_elsewhere(self):
        """A name of which no place knows is passed by."""
        done = subprocess.run([MESHAUTHD, "--version"], env={**os.environ, "MESHAUTH_FAULT": "no.such.place"}, check=False,
                              capture_output=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    main()
