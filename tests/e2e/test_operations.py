#!/usr/bin/env python3
"""Every command of docs/operations.md, in its order, against a service of its own for each section."""
import json
import os
import re
import subprocess
import unittest

from harness import BUILD, MESHAUTH, PATIENCE_S, ROOT, Mesh, main, run, wait_until
from people import Person

PAGE = (ROOT / "docs" / "operations.md").read_text()

# systemctl, of which there is none here; the daemon is this shell's child's.
PRELUDE = """
systemctl() {
    case $1 in
    stop) pid=$(cat "$WORK/pid"); kill "$pid"
          while [ -e "/proc/$pid" ] && ! grep -q "^State:.Z" "/proc/$pid/status"; do sleep 0.05; done ;;
    start) meshauthd -c "$WORK/mesh/meshauth.conf" 2>>"$WORK/log" </dev/null >/dev/null & echo $! >"$WORK/pid"
           for i in $(seq 200); do [ -S "$WORK/mesh/admin.sock" ] && meshauth user list -c "$WORK/mesh/meshauth.conf" \\
               >/dev/null 2>&1 && return; sleep 0.05; done; return 1 ;;
    esac
}
"""


def commands(section):
    """The lines of its code blocks, also of those within lists."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [line.strip() for line in re.findall(r"^ {4,}(\S.*)$", text, re.M)]


class Operations(unittest.TestCase):
    done = set()

    def setUp(self):
        self.mesh = Mesh(start=False)
        self.addCleanup(self.mesh.close)
        self.work = self.mesh.folder
        for folder in ("media", "backup", "tmp"):
            (self.work / folder).mkdir()
        (self.mesh.dir / "root.key").rename(self.work / "media" / "root.key")
        self.addCleanup(self.stop)
        self.shell("systemctl start meshauthd")

    def stop(self):
        self.shell("systemctl stop meshauthd")

    def shell(self, script):
        env = {**os.environ, "WORK": str(self.work), "PATH": f"{BUILD}/cli:{BUILD}/authsvc:{os.environ['PATH']}"}
        with open(self.work / "said", "w") as out:  # a file: the daemon would keep a pipe open
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", PRELUDE + script], env=env, stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=subprocess.STDOUT, timeout=3 * PATIENCE_S)
        said = (self.work / "said").read_text()
        self.assertEqual(done.returncode, 0, script + "\n" + said)
        return said

    def follow(self, section, first=0, last=None, key=""):
        lines = commands(section)[first:last]
        self.assertTrue(lines, section)
        self.done.update((section, line) for line in lines)
        script = "\n".join(lines)
        for old, new in (("/tmp/", f"{self.work}/tmp/"), ("/srv/mesh", self.mesh.dir), ("/srv/backup", self.work / "backup"),
                         ("/media/root", self.work / "media"), ("0123456789abcdef", key)):
            script = script.replace(old, str(new))
        return self.shell(script)

    def keys(self):
        listed = json.loads(run(MESHAUTH, "keys", "list", "-c", self.mesh.conf, "--json").stdout)["keys"]
        return {k["state"]: k["id"] for k in listed}

    def authority(self):
        return json.loads(run(MESHAUTH, "authority", "show", "-c", self.mesh.conf, "--json").stdout)

    def verdict(self, person):
        return self.mesh.verify(person.ticket, person.device)[1]

    def wait_for(self, words):
        wait_until(lambda: words in self.mesh.trust.read_text(), words)

    def test_a_signing_key(self):
        alice, stolen = Person(self.mesh, "alice"), self.keys()["active"]
        said = self.follow("A signing key was stolen", key=stolen)
        self.assertIn(self.mesh.collect_ticket(alice.ticket).id, said)
        self.wait_for(f"\nkey {stolen} revoked ")
        self.assertEqual(self.verdict(alice)["reason"], "key-revoked")
        self.assertEqual(self.keys()["revoked"], stolen)
        self.mesh.tickets.clear()  # who judges in the end takes none of them, either
        alice.login()
        self.assertEqual(self.verdict(alice)["verdict"], "accept")

    def test_the_authority(self):
        alice = Person(self.mesh, "alice")
        said = self.follow("The authority was stolen")
        self.assertRegex(said, r"In force: epoch 2, (?s:.*)In force: epoch 3, ")
        self.wait_for("\nepoch 3\n")
        self.assertEqual(self.verdict(alice)["verdict"], "accept")

    def test_store_and_seal(self):
        stolen = self.keys()["active"]
        seal = (self.mesh.dir / "seal.key").read_text()
        self.follow("Store and seal key were stolen", key=stolen)
        self.assertNotEqual((self.mesh.dir / "seal.key").read_text(), seal)
        self.wait_for(f"\nkey {stolen} revoked ")
        self.assertIn("\nepoch 2\n", self.mesh.trust.read_text())
        self.assertEqual(self.verdict(Person(self.mesh, "alice"))["verdict"], "accept")

    def test_the_root(self):
        alice = Person(self.mesh, "alice")
        before = self.mesh.vkey.read_text()
        said = self.follow("The root was lost")
        self.wait_for("\nepoch 2\n")
        self.assertRegex(said, "fingerprint +SHA256:")
        self.assertNotEqual(self.mesh.vkey.read_text(), before)
        self.assertEqual(self.verdict(alice)["verdict"], "accept")

    def test_the_disk(self):
        section = "The disk was lost"
        alice = Person(self.mesh, "alice")
        trip = alice.create()
        self.follow(section, last=1)
        (self.mesh.dir / "store").rename(self.work / "lost")
        said = self.follow(section, first=1, last=4)
        self.assertIn("Restored: as it was at ", said)
        self.assertEqual(self.authority()["epoch"], 2)
        self.assertEqual(self.verdict(alice)["reason"], "revoked")
        alice.login()
        self.assertEqual(alice.get(trip["url"]).status, 200)
        self.follow(section, first=4)
        self.wait_for("\nepoch 7\n")

    def test_the_end(self):
        said = self.follow("Something comes to its end")
        self.assertEqual(json.loads(said), {"status": "ready", "warnings": []})

    @classmethod
    def tearDownClass(cls):
        """Each section with commands was one of these."""
        there = {(section, line) for section in re.findall(r"^## (.*)$", PAGE, re.M) for line in commands(section)}
        if cls.done != there:
            raise AssertionError(f"not followed: {there - cls.done}")


if __name__ == "__main__":
    main()
