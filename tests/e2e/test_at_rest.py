#!/usr/bin/env python3
"""Secrets of the service: where they come from, who may read them, and that no dump has them."""
import os
import re
import shutil
import unittest

from harness import MESHAUTH, MESHAUTHD, PATIENCE_S, ROOT, Device, Mesh, main, run

UNIT = ROOT / "packaging" / "meshauthd.service"


class Credentials(unittest.TestCase):
    """As systemd hands them to the service: a folder, and a variable that names it."""

    def setUp(self):
        self.mesh = Mesh(start=False)
        self.addCleanup(self.mesh.close)
        self.given = self.mesh.folder / "credentials"
        self.given.mkdir()
        for name in ("seal.key", "tls.key"):
            shutil.move(self.mesh.dir / name, self.given)
            (self.given / name).chmod(0o440)
        self.mesh.configure_in_haste(seal_key_file="credential:seal.key",
                                     listen={"address": "127.0.0.1", "port": self.mesh.port,
                                             "key": "credential:tls.key"})

    def start(self):
        os.environ["CREDENTIALS_DIRECTORY"] = str(self.given)
        self.addCleanup(os.environ.pop, "CREDENTIALS_DIRECTORY", None)
        self.mesh.start()
        del os.environ["CREDENTIALS_DIRECTORY"]

    def refused(self, words, **env):
        done = run(MESHAUTHD, "-c", self.mesh.conf, env=env, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(words, done.stderr)

    def test_they_are_taken(self):
        self.start()
        self.mesh.login("alice", Device(self.mesh.folder))
        # Commands ask the service, and have no need of them.
        run(MESHAUTH, "service", "list", "-c", self.mesh.conf)
        run(MESHAUTH, "authority", "renew", "-c", self.mesh.conf, "--root", self.mesh.dir / "root.key")
        self.mesh.stop()
        done = run(MESHAUTH, "authority", "show", "-c", self.mesh.conf, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("credential:seal.key: there are no credentials here", done.stderr)
        self.start()

    def test_they_are_refused(self):
        given = {"CREDENTIALS_DIRECTORY": str(self.given)}
        self.refused("only in a service of systemd with LoadCredential=seal.key:")
        self.refused("credential:seal.key: No such file", CREDENTIALS_DIRECTORY=str(self.mesh.folder))
        for name in ("tls.key", "seal.key"):
            (self.given / name).chmod(0o444)
            self.refused(f"credential:{name}: mode 0444 lets others at a secret", **given)


class Process(unittest.TestCase):
    def test_no_dump_has_it(self):
        mesh = Mesh()
        self.addCleanup(mesh.close)
        proc = f"/proc/{mesh.daemon.pid}"
        with open(f"{proc}/limits") as f:
            self.assertRegex(f.read(), r"Max core file size +0 +0 ")
        self.assertEqual(os.stat(f"{proc}/mem").st_uid, 0)  # not dumpable: root's, whoever runs it
        # What libcrypto keeps of private keys, and our own secrets: locked, in no dump.
        with open(f"{proc}/smaps") as f:
            hidden = [flags.split() for flags in re.findall(r"^VmFlags: (.*)$", f.read(), re.M) if " dd" in flags]
        self.assertGreaterEqual(len(hidden), 3, hidden)
        self.assertTrue(any("lo" in flags for flags in hidden), hidden)


@unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd here")
class Unit(unittest.TestCase):
    def test_the_unit(self):
        mesh = Mesh(start=False)
        self.addCleanup(mesh.close)
        text = UNIT.read_text()
        self.assertIn("/usr/sbin/meshauthd", text)
        unit = mesh.folder / "meshauthd.service"
        unit.write_text(text.replace("/usr/sbin/meshauthd", str(MESHAUTHD)).replace("Documentation=", "# "))
        done = run("systemd-analyze", "verify", "--man=no", unit, check=False, timeout=2 * PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        # And what it says in its head can be done.
        names = re.findall(r"^LoadCredential=([\w.]+):", text, re.M)
        self.assertEqual(sorted(names), sorted(set(re.findall(r'credential:([\w.]+)"', text))))


if __name__ == "__main__":
    main()
