#!/usr/bin/env python3
"""meshauth trust fetch and watch, with nobody between the updater and meshauthd."""
import json
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from deciding import Deciding
from harness import MESHAUTH, ROOT, PROMPT_S, SLOW, STORAGE, MeshTest, Ticket, main, run, wait_until
from people import Person
from services import Socket
from watching import Pinned, refused


class Direct(MeshTest):
    def pinned(self):
        p = Pinned(self.mesh, self.id().rsplit(".", 1)[1].replace("_", "-"))
        self.addCleanup(p.close)
        return p

    def revoke_something(self):
        """What the next trust file tells of."""
        admin = Socket(self.mesh)
        other = admin.call("GET", "services/storage").json["id"]
        admin.call("PUT", f"roles/{other}/publish")
        self.assertEqual(admin.call("DELETE", f"roles/{other}/publish").status, 204)
        return other

    def test_fetch(self):
        p = self.pinned()
        refused(self, 2, "as which service?", "trust", "fetch", p.dir)
        refused(self, 1, "no root is pinned there", "trust", "fetch", self.mesh.dir)
        self.assertIn("new", p.fetch().stdout)
        self.assertEqual(stat.S_IMODE(p.trust.stat().st_mode), 0o644)
        again = json.loads(p.fetch("--json").stdout)
        self.assertEqual((again["changed"], again["file"]), (False, str(p.trust)))
        alice = Person(self.mesh, "alice")
        self.assertEqual(self.mesh.verify(alice.ticket, alice.device, trust=p.trust)[1]["verdict"], "accept")

    def test_fetch_as_nobody(self):
        p = self.pinned()
        p.id = p.id[:-1] + ("0" if p.id[-1] != "0" else "1")
        done = p.fetch(check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("invalid_client", done.stderr)
        self.assertFalse(p.trust.exists())

    def test_hears_of_a_revocation_within_a_second(self):
        p = self.pinned()
        p.start()
        p.wait_for("a first file", lambda s: s["state"] == "good")
        before = p.shown()["sequence"]
        start = time.monotonic()
        who = self.revoke_something()
        wait_until(lambda: who in p.trust.read_text(), "the revocation")
        self.assertLess(time.monotonic() - start, PROMPT_S)
        p.wait_for("a status that tells of it", lambda s: s["trust"]["sequence"] > before)
        self.assertEqual(p.stop()[0], 0)

    def test_ends_at_once(self):
        p = self.pinned()
        for number in (signal.SIGTERM, signal.SIGINT):
            p.start()
            p.wait_for("a file", lambda s: s["state"] == "good")
            time.sleep(0.5)  # it waits at meshauthd now
            code, took = p.stop(number)
            self.assertEqual(code, 0)
            self.assertLess(took, PROMPT_S)

    def test_looks_again_when_told(self):
        p = self.pinned()
        p.start()
        p.wait_for("a confirmation", lambda s: s["confirmed"])
        time.sleep(0.3)
        for _ in range(3):
            logins = len([line for line in self.mesh.log() if line.get("path") == "/v1/token"])
            # The request that was under way is given up; meshauthd may log it or not.
            p.trust.unlink()
            p.process.send_signal(signal.SIGHUP)
            self.revoke_something()
            wait_until(p.trust.exists, "the next file")
            self.assertEqual(len([line for line in self.mesh.log() if line.get("path") == "/v1/token"]), logins)
        self.assertEqual(p.stop()[0], 0)

    def test_one_at_a_time(self):
        p = self.pinned()
        p.start()
        p.wait_for("a first file", lambda s: s["state"] == "good")
        done = p.fetch(check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("another meshauth holds it", done.stderr)
        self.assertEqual(p.stop()[0], 0)
        p.fetch()

    def test_logs_in_again_when_its_session_is_closed(self):
        p = self.pinned()
        p.start()
        p.wait_for("a confirmation", lambda s: s["confirmed"])
        session = self.mesh.audit(actor=p.id, action="login")[-1]["session"]
        before = p.shown()["sequence"]
        run(MESHAUTH, "revoke", session, "-c", self.mesh.conf)
        p.wait_for("the next file", lambda s: s["trust"]["sequence"] > before and s["state"] == "good")
        wait_until(lambda: len(self.mesh.audit(actor=p.id, action="login")) > 1, "another login")
        self.assertEqual(p.stop()[0], 0)

    def test_a_service_that_is_removed(self):
        p = self.pinned()
        p.start()
        p.wait_for("a first file", lambda s: s["state"] == "good")
        self.assertEqual(Socket(self.mesh).call("DELETE", f"services/{p.id}", if_match="*").status, 204)
        status = p.wait_for("trouble", lambda s: s["state"] == "failing")
        self.assertIn("invalid_client", status["trouble"])
        self.assertIn("or not with the key that service.crt shows", status["trouble"])
        p.shown()
        self.assertEqual(p.stop()[0], 0)

    def test_meshauthd_away_and_back(self):
        p = self.pinned()
        p.start()
        p.wait_for("a first file", lambda s: s["state"] == "good")
        held = p.trust.read_bytes()
        self.mesh.stop()
        status = p.wait_for("trouble", lambda s: s["state"] == "failing")
        self.assertIn("127.0.0.1", status["trouble"])
        self.assertEqual(p.trust.read_bytes(), held)
        self.mesh.start()
        p.wait_for("its return", lambda s: s["state"] == "good" and s["trouble"] is None)
        self.assertEqual(p.log().count("good: "), 2)
        self.assertEqual(p.stop()[0], 0)

    def keys(self, *words, check=True):
        return run(MESHAUTH, "keys", *words, "-c", self.mesh.conf, check=check, timeout=60 * SLOW)

    def test_a_folder_that_is_not_there(self):
        """A typo would take away that rotations wait for the service, so it is told, once."""
        p = self.pinned()
        p.start("--loaded", self.mesh.folder / "laoded")
        p.wait_for("a file", lambda s: s["state"] == "good")
        time.sleep(1.5)  # it looks each half second
        self.assertEqual(p.log().count("laoded is not there: until"), 1, p.log())
        self.assertEqual(p.stop()[0], 0)

    def test_a_rotation_waits_for_what_is_loaded(self):
        """By the service's own word, which is reported as soon as it is so."""
        p = self.pinned()
        p.fetch()
        folder = self.mesh.folder / "loaded"
        folder.mkdir()
        service = Deciding(self.mesh, STORAGE, trust=p.trust, status=folder)
        self.addCleanup(service.close)
        wait_until(lambda: list(folder.glob("*.status")), "what it has loaded")
        p.start("--loaded", folder)
        p.wait_for("a file", lambda s: s["loaded"])
        new = json.loads(self.keys("prepare", "--json").stdout)["id"]
        p.wait_for("the file with the new key", lambda s: new in p.trust.read_text())
        time.sleep(1)  # its updater has told by now that the service has the old one
        done = self.keys("activate", new, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(p.name, done.stderr)
        start = time.monotonic()
        activation = subprocess.Popen([MESHAUTH, "keys", "activate", new, "-c", self.mesh.conf, "--wait"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(1)
        self.assertIsNone(activation.poll())
        alice = Person(self.mesh, "alice")
        service.decide(alice.ticket, alice.device, "read", alice.root)  # it looks at its files
        self.assertEqual(activation.wait(60 * SLOW), 0)
        self.assertLess(time.monotonic() - start, 8 * SLOW)
        # What the new key signs is good there.
        wait_until(lambda: Ticket(Person(self.mesh, "bob").ticket).key == new, "tickets of the new key")
        bob = Person(self.mesh, "bob")
        self.assertEqual(self.mesh.verify(bob.ticket, bob.device, trust=p.trust)[1]["verdict"], "accept")
        self.assertEqual(p.stop()[0], 0)

    def test_tells_systemd(self):
        p = self.pinned()
        path = str(self.mesh.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(20 * SLOW)
            p.start(env={"NOTIFY_SOCKET": path})
            heard = [s.recv(4096).decode()]
            self.assertNotIn("READY=1", heard[0])  # there is no file yet
            self.assertIn("STATUS=none", heard[0])
            while "READY=1" not in heard[-1]:
                heard.append(s.recv(4096).decode())
            self.assertIn("WATCHDOG=1", heard[-1])
            self.assertIn("STATUS=good", heard[-1])
            self.assertEqual(p.stop()[0], 0)
            while heard[-1] != "STOPPING=1":
                heard.append(s.recv(4096).decode())


class Renewal(MeshTest):
    settings = {"tickets": {"identity_s": 60}}

    def test_renews_its_login_in_time(self):
        """In its session, before the ticket has run out."""
        p = Pinned(self.mesh, "short")
        self.addCleanup(p.close)
        p.start()
        p.wait_for("a first file", lambda s: s["state"] == "good")

        def renewals():
            p.process.send_signal(signal.SIGHUP)
            return self.mesh.audit(actor=p.id, action="ticket.renew")
        wait_until(renewals, "a renewal", patience_s=60 + 20 * SLOW, step_s=1)
        self.assertEqual(len(self.mesh.audit(actor=p.id, action="login")), 1)
        self.assertNotIn(401, [line.get("status") for line in self.mesh.log()])
        self.assertEqual((p.status()["state"], p.log().count("good: ")), ("good", 1))
        self.assertEqual(p.stop()[0], 0)


@unittest.skipUnless(shutil.which("systemd-analyze"), "without systemd nobody starts it")
class Unit(unittest.TestCase):
    """packaging/meshauth-trust-watch@.service"""

    def test_it_is_one(self):
        unit = (ROOT / "packaging" / "meshauth-trust-watch@.service").read_text()
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "meshauth-trust-watch@relay.service"
            # What it starts must be there to be verified, and so must its manual.
            file.write_text(unit.replace("/usr/bin/meshauth ", "/bin/true ").replace("Documentation=", "#"))
            done = run("systemd-analyze", "verify", file)
            self.assertEqual(done.stderr, "")
        options = set(re.findall(r" --([a-z]+) ", re.search("(?m)^ExecStart=.*$", unit).group()))
        self.assertEqual(options, {"loaded", "status"})
        said = run(MESHAUTH, "trust", "watch", "--help").stdout
        for option in options:
            self.assertIn(f"--{option} ", said)


if __name__ == "__main__":
    main()
