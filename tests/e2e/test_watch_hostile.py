#!/usr/bin/env python3
"""meshauth trust fetch and watch, while somebody else answers."""
import json
import random
import signal
import subprocess
import threading
import time

from deciding import Deciding
from harness import MESHAUTH, PATIENCE_S, SLOW, STORAGE, Mesh, MeshTest, free_port, main, run, wait_until
from people import Person
from services import Socket
from trust_files import NoteKey, TrustAuthority, delta
from watching import Front, Pinned

DELTA = "application/vnd.meshauth.trust-delta"


class Hostile(MeshTest):
    """Somebody else answers, with files that are genuine but for what a test changes."""

    @classmethod
    def setUpClass(cls):
        cls.mesh = Mesh(start=False)
        cls.addClassCleanup(cls.mesh.close)
        front_port, cls.mesh.port = cls.mesh.port, free_port()
        cls.mesh.configure_in_haste(listen={"address": "127.0.0.1", "port": cls.mesh.port})
        cls.mesh.start()
        cls.front = Front(cls.mesh, front_port)
        cls.addClassCleanup(cls.front.close)
        cls.authority = TrustAuthority(cls.mesh)

    def setUp(self):
        self.front.trust = self.front.token = None
        self.waits = threading.Event()
        self.pinned = Pinned(self.mesh, self.id().rsplit(".", 1)[1].replace("_", "-"))
        self.addCleanup(self.pinned.close)
        self.front.service = self.pinned
        self.front.asked.clear()
        self.front.passed.clear()

    def give(self, *files):
        """These, one after the other; then nothing new, after a while."""
        left = list(files)

        def trust(query):
            if left:
                return 200, {"Content-Type": "text/plain; charset=utf-8"}, left.pop(0)
            self.waits.set()
            time.sleep(6)
            return 304, {}, b""
        self.front.trust = trust

    def look(self):
        self.pinned.process.send_signal(signal.SIGHUP)

    def start_with(self, file, *more, **kinds):
        """It asks for the next one by then: what is given now is for the question behind a look()."""
        self.give(file)
        self.pinned.start(*more, **kinds)
        status = self.pinned.wait_for("a first file", lambda s: s["state"] == "good" and s["confirmed"])
        self.assertTrue(self.waits.wait(PATIENCE_S))
        return status

    def test_keeps_the_old_one(self):
        good = self.authority.file(10)
        stranger = TrustAuthority(self.mesh, NoteKey(self.authority.root.name))
        list_changed = self.authority.file(11, revoked=["revoke 5 *"]).replace(b"revoke 5 *", b"revoke 4 *")
        other = TrustAuthority(self.mesh)
        other.issuer = self.mesh.url.replace("127.0.0.1", "127.0.0.2")
        other_name = other.issuer.removeprefix("https://")
        other.root.name, other.key.name = f"{other_name}/root", f"{other_name}/authority"
        other.root.hash, other.key.hash = (NoteKey(k.name, k.pem).hash for k in (other.root, other.key))
        cases = (
            ("a lower sequence", self.authority.file(9), "is older than what is loaded", False),
            ("the same sequence, other bytes", self.authority.file(10, life=1800), "different content", True),
            ("a stranger's signature", stranger.file(11), "signed by another", False),
            ("an old epoch", self.authority.file(99, epoch=8), "is older than what is loaded", False),
            ("expired", self.authority.file(11, issued=-3600, life=3500), "has expired already", False),
            ("from the future", self.authority.file(11, issued=120), "from the future", False),
            ("another issuer", other.file(11), "signed by another", False),
            ("truncated in the list", self.authority.file(11, revoked=["revoke 5 *", "revoke 6 usr_0" + "a" * 25])[:-9],
             "not the signed one", False),
            ("truncated in the notes", self.authority.file(11)[:400], "note: ", False),
            ("a list that does not match its hash", list_changed, "not the signed one", False),
            ("a changed byte", self.authority.file(11).replace(b"sequence 11", b"sequence 12"), "not signed by", False),
            ("nothing at all", b"", "note: ", False),
            ("a shorter audit log", self.authority.file(11, size=99), "the audit log was rewritten", True),
            ("another audit log", self.authority.file(11, tree="another"), "the audit log was rewritten", True),
        )
        self.start_with(good)
        alarm = self.pinned.dir / "trust.alarm"
        trouble = None
        for sequence, (name, file, says, is_alarm) in enumerate(cases, 20):
            with self.subTest(name):
                self.front.trust = lambda query: (200, {}, file)
                self.look()
                status = self.pinned.wait_for(f"trouble with {name}", lambda s: s["trouble"] not in (None, trouble))
                trouble = status["trouble"]
                self.assertIn(says, trouble)
                self.assertEqual(status["state"], "failing")
                self.assertEqual(self.pinned.trust.read_bytes(), good)
                self.assertEqual((status["alarm"], alarm.exists()), (is_alarm, is_alarm))
                if is_alarm:
                    self.assertEqual(alarm.read_bytes(), file)
                    self.assertEqual((self.pinned.dir / "trust.alarm.before").read_bytes(), good)
                    self.assertIn("ALARM: " + trouble, self.pinned.log())
                    alarm.unlink()
        after = self.authority.file(11)
        self.give(after)
        self.look()
        self.pinned.wait_for("a good one", lambda s: s["state"] == "good" and s["trust"]["sequence"] == 11)
        self.assertEqual(self.pinned.trust.read_bytes(), after)
        self.assertEqual(self.pinned.stop()[0], 0)

    def test_no_proof_of_growth(self):
        """The file is taken, for it may revoke; that its log's growth is not proven is said until it is."""
        self.start_with(self.authority.file(10))
        grown = self.authority.file(11, size=150, tree="grown")
        self.give(grown)
        self.look()
        status = self.pinned.wait_for("trouble", lambda s: s["trouble"])
        self.assertEqual((status["state"], status["alarm"], status["trust"]["sequence"]), ("failing", False, 11))
        self.assertIn("gives no proof that its audit log holds what it held before", status["trouble"])
        self.assertEqual(self.pinned.trust.read_bytes(), grown)
        self.assertEqual(self.pinned.log().count("gives no proof"), 1)
        self.assertEqual(self.pinned.stop()[0], 0)

    def test_a_new_epoch_may_contradict(self):
        """A backup was restored; both are kept, and it is said."""
        self.start_with(self.authority.file(10))
        restored = self.authority.file(1, epoch=10, size=50)
        self.give(restored)
        self.look()
        self.pinned.wait_for("the new epoch", lambda s: s["trust"]["epoch"] == 10)
        self.assertEqual(self.pinned.trust.read_bytes(), restored)
        self.assertIn("was a backup restored?", self.pinned.log())
        seen = (self.pinned.dir / "trust.witness").read_text()
        self.assertRegex(seen, r"(?m)^checkpoint 9 10 100 .*\ncheckpoint 10 1 50 ")
        self.assertEqual(self.pinned.stop()[0], 0)

    def test_fetch_refuses_alike(self):
        self.give(self.authority.file(10))
        self.pinned.fetch()
        self.give(self.authority.file(10, life=1800))
        done = self.pinned.fetch(check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("ALARM", done.stderr)
        self.assertTrue((self.pinned.dir / "trust.alarm").exists())
        self.assertEqual(self.pinned.shown()["sequence"], 10)

    def give_delta(self, body):
        """Once, then whole files, of which it must be asked for one."""
        self.give()
        nothing_new, left = self.front.trust, [body]

        def trust(query):
            if left and self.front.accept == DELTA:
                return 200, {"Content-Type": DELTA}, left.pop(0)
            return nothing_new(query) if self.front.accept == DELTA else (200, {}, self.whole)
        self.front.trust = trust

    def test_takes_deltas(self):
        ids = ["revoke %d usr_0%s" % (n, "a" * 25) for n in range(4, 8)]
        first = self.authority.file(10, revoked=ids[:2])
        second = self.authority.file(11, revoked=ids[1:])
        self.start_with(first)
        self.give_delta(delta(first, second))
        self.look()
        self.pinned.wait_for("the next file", lambda s: s["trust"]["sequence"] == 11)
        self.assertEqual(self.pinned.trust.read_bytes(), second)
        # What does not fit is refused, with the old file kept, and the whole one asked for.
        third, self.whole = self.authority.file(12), self.authority.file(13)
        good = delta(second, third)
        stranger = TrustAuthority(self.mesh, NoteKey(self.authority.root.name))
        for name, body, says in (
                ("for another file", delta(first, third), "does not fit"),
                ("cut off", good[:-30], "does not fit"),
                ("nothing", b"", "does not fit"),
                ("a whole file", third, "does not fit"),
                ("another list than was signed", good + b"+revoke 9 *\n", "does not fit"),
                ("of a stranger", delta(second, stranger.file(12)), "signed by another"),
                ("to an older one", delta(second, self.authority.file(9)), "is older")):
            with self.subTest(name):
                self.give_delta(body)
                self.look()
                wait_until(lambda: says in self.pinned.log(), "trouble")
                self.assertNotIn("ALARM", self.pinned.log())
                self.pinned.wait_for("the whole file", lambda s: s["state"] == "good" and s["trust"]["sequence"] == 13)
                self.assertEqual(self.pinned.stop()[0], 0)
                # From the beginning.
                self.pinned.log_file.unlink()
                self.pinned.trust.write_bytes(second)
                (self.pinned.dir / "trust.witness").unlink()
                self.give()
                self.pinned.start()
                self.pinned.wait_for("the old file", lambda s: s["trust"]["sequence"] == 11)
        self.assertEqual(self.pinned.stop()[0], 0)

    def test_takes_meshauthds_deltas(self):
        self.pinned.start()
        self.pinned.wait_for("a first file", lambda s: s["state"] == "good")
        for n in range(12):  # a delta is used where it is shorter than the file
            said = len(self.front.passed)
            service = Socket(self.mesh).call("POST", "services", {"name": f"other-{n}"}).json["id"]
            Socket(self.mesh).call("DELETE", f"services/{service}", if_match="*")
            wait_until(lambda: len(self.front.passed) > said, "the next file")
        self.assertGreater(self.front.passed.count(DELTA), 2)
        wait_until(lambda: self.pinned.trust.read_bytes() == self.mesh.trust.read_bytes(), "the same file")
        self.assertEqual(self.pinned.stop()[0], 0)

    def test_an_answer_without_end(self):
        """More than a trust file can have."""
        self.start_with(self.authority.file(10))
        self.front.trust = lambda query: (200, {}, b"x" * ((16 << 20) + 1))
        self.look()
        status = self.pinned.wait_for("trouble", lambda s: s["state"] == "failing")
        self.assertIn("a longer answer than allowed", status["trouble"])
        self.assertEqual(self.pinned.stop()[0], 0)

    def test_a_login_that_is_somebody_elses(self):
        """A ticket that is bound to another key is no login of ours."""
        other = Person(self.mesh, "alice")
        said = self.mesh.login("alice", other.device)
        self.front.token = lambda body: (200, {"Content-Type": "application/json"}, said.body)
        self.pinned.start()
        status = self.pinned.wait_for("trouble", lambda s: s["trouble"])
        self.assertIn("not bound to this device's key", status["trouble"])
        self.assertEqual(status["state"], "none")
        self.assertEqual(self.front.asked, [])
        self.assertEqual(self.pinned.stop()[0], 0)

    def gaps(self):
        times = [at for at, _, _ in self.front.asked]
        return [b - a for a, b in zip(times, times[1:])]

    def test_stays_away_as_long_as_it_is_told(self):
        for status in (503, 429):
            with self.subTest(status):
                self.front.asked.clear()
                self.front.trust = lambda query: (status, {"Retry-After": "5"}, b"")
                self.pinned.start()
                wait_until(lambda: len(self.front.asked) > 1, "another look")
                self.assertGreater(self.gaps()[0], 4.9)
                self.assertEqual(self.pinned.stop()[0], 0)

    def test_no_storm(self):
        """However quickly somebody answers."""
        self.give(self.authority.file(10))
        self.pinned.fetch()
        for name, answer in (("errors", (500, {}, b"")), ("nothing new", (304, {}, b"")), ("no content", (204, {}, b"")),
                             ("the same again", (200, {}, self.pinned.trust.read_bytes())),
                             ("rubbish", (200, {}, b"rubbish")), ("dead ticket", (401, {}, b""))):
            with self.subTest(name):
                self.front.asked.clear()
                self.front.trust = lambda query: answer
                self.pinned.start()
                time.sleep(4)
                self.assertEqual(self.pinned.stop()[0], 0)
                # At 0, then after 0.25 to 2 s, 0.5 to 4, 1 to 8, 2 to 16.
                self.assertTrue(1 <= len(self.front.asked) <= 5, self.gaps())

    def test_killed_at_any_moment(self):
        """The file is always all of one, and never an older one than before."""
        files = [self.authority.file(n, revoked=["revoke %d usr_0%s" % (n, "a" * 25)]) for n in range(1, 121)]
        given = {"n": 0}

        def trust(query):
            given["n"] = min(given["n"] + 1, len(files))
            return 200, {}, files[given["n"] - 1]
        self.front.trust = trust
        highest = 0
        for round in range(12):
            self.pinned.start()
            wait_until(lambda: given["n"] > 10 * round or given["n"] == len(files), "some files")
            time.sleep(random.uniform(0, 0.03))
            self.pinned.process.kill()
            self.pinned.process.wait()
            if not self.pinned.trust.exists():
                continue
            at = self.pinned.shown()["sequence"]
            self.assertGreaterEqual(at, highest)
            highest = at
        self.assertGreater(highest, 50)
        # Nothing of all that remains, but what the updater itself has left.
        self.give(self.authority.file(500))
        self.pinned.start()
        self.pinned.wait_for("the last file", lambda s: (s["trust"] or {}).get("sequence") == 500)
        self.assertEqual(self.pinned.stop()[0], 0)
        self.assertEqual(list(self.pinned.dir.glob("*.new")), [])

    def verdict(self, who):
        code, said = self.mesh.verify(who.ticket, who.device, trust=self.pinned.trust)
        return said.get("reason") or said["verdict"]

    def test_cut_off_for_longer_than_the_file_lives(self):
        life = 10 * SLOW
        alice = Person(self.mesh, "alice")
        self.start_with(self.authority.file(10, life=life))
        self.front.close()
        try:
            self.assertEqual(self.verdict(alice), "accept")
            self.pinned.wait_for("trouble", lambda s: s["state"] == "failing")
            self.assertEqual(self.verdict(alice), "accept")  # within its life nothing is lost
            status = self.pinned.wait_for("its end", lambda s: s["state"] == "expired")
            self.assertIsNotNone(status["trouble"])
            self.assertEqual(self.verdict(alice), "trust-expired")
        finally:
            self.front.open()
        self.give(self.authority.file(11))
        self.pinned.process.send_signal(signal.SIGHUP)  # not when its next turn comes
        self.pinned.wait_for("its return", lambda s: s["state"] == "good")
        self.assertEqual(self.verdict(alice), "accept")
        self.assertEqual(self.pinned.stop()[0], 0)

    def test_starts_with_what_it_has(self):
        """A service that starts while the account service is away decides all the same."""
        self.give(self.authority.file(10))
        self.pinned.fetch()
        self.front.close()
        try:
            self.pinned.start()
            status = self.pinned.wait_for("trouble", lambda s: s["trouble"])
            self.assertEqual((status["state"], status["trust"]["sequence"], status["confirmed"]), ("failing", 10, None))
            self.assertEqual(self.pinned.stop()[0], 0)
        finally:
            self.front.open()

    def test_says_what_the_service_has_loaded(self):
        """The lowest of its living processes, by libmeshauth's own word."""
        folder = self.mesh.folder / "loaded"
        folder.mkdir()
        self.give(self.authority.file(10))
        self.pinned.fetch()
        first = json.loads(run(MESHAUTH, "trust", "show", self.pinned.trust, "--json").stdout)
        service = Deciding(self.mesh, STORAGE, trust=self.pinned.trust, status=folder)
        self.addCleanup(service.close)
        wait_until(lambda: list(folder.glob("*.status")), "what it has loaded")
        dead = (folder / f"{service.process.pid}.status").read_text().replace("sequence 10", "sequence 1")
        ended = subprocess.Popen(["true"])
        ended.wait()
        (folder / f"{ended.pid}.status").write_text(dead)
        (folder / "other").write_text("epoch 0\n")
        self.give(self.authority.file(11))
        self.pinned.start("--loaded", folder)
        self.pinned.wait_for("the next file", lambda s: s["trust"]["sequence"] == 11 and s["loaded"])
        expected = {"after": "9.10", "loaded": f"9.10.{first['hash']}"}
        self.assertEqual(self.front.asked[-1][2] if len(self.front.asked) == 2 else self.front.asked[1][2], expected)
        # The service looks, and has the new one from then on.
        alice = Person(self.mesh, "alice")
        service.decide(alice.ticket, alice.device, "read", "https://nowhere.example/a")
        second = json.loads(run(MESHAUTH, "trust", "show", self.pinned.trust, "--json").stdout)
        self.look()
        wait_until(lambda: self.front.asked[-1][2].get("loaded") == f"9.11.{second['hash']}", "what it has loaded now")
        # It ends, and nothing is loaded any more.
        service.close()
        self.look()
        wait_until(lambda: "loaded" not in self.front.asked[-1][2], "that nothing is loaded")
        self.assertEqual(self.pinned.stop()[0], 0)


if __name__ == "__main__":
    main()
