#!/usr/bin/env python3
"""meshauth trust bootstrap and show: whom a service is to believe."""
import json
import os
import pty
import re
import stat
import subprocess

from harness import MESHAUTH, SLOW, MeshTest, free_port, main, run
from trust_files import NoteKey, TrustAuthority
from watching import refused


class Bootstrap(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        shown = run(MESHAUTH, "trust", "show", cls.mesh.trust, "--root", cls.mesh.vkey, "--json").stdout
        cls.fingerprint = json.loads(shown)["root"]["fingerprint"]

    def folder(self):
        return self.mesh.folder / self.id().rsplit(".", 1)[1]

    def words(self, *more, url=None):
        return ["trust", "bootstrap", url or self.mesh.url, "--out", self.folder(), "--ca", self.mesh.ca, *more]

    def test_pins(self):
        done = json.loads(run(MESHAUTH, *self.words("--fingerprint", self.fingerprint, "--json")).stdout)
        self.assertEqual((done["root_fingerprint"], done["service"]), (self.fingerprint, None))
        for words in (("keys", "list"), ("authority", "show")):
            self.assertIn(self.fingerprint, run(MESHAUTH, *words, "-c", self.mesh.conf).stdout)
        shown = json.loads(run(MESHAUTH, "authority", "show", "-c", self.mesh.conf, "--json").stdout)
        self.assertEqual(shown["root_fingerprint"], self.fingerprint)
        folder = self.folder()
        self.assertEqual((folder / "root.vkey").read_text(), self.mesh.vkey.read_text())
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o755)
        self.assertEqual(stat.S_IMODE((folder / "service.key").stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE((folder / "root.vkey").stat().st_mode), 0o644)
        # Again: it is as it was, and the key with it.
        key = (folder / "service.key").read_text()
        run(MESHAUTH, *self.words("--fingerprint", self.fingerprint))
        self.assertEqual((folder / "service.key").read_text(), key)

    def test_nobody_to_compare(self):
        done = refused(self, 1, "nobody is here to compare", *self.words())
        self.assertIn(self.fingerprint, done.stderr)
        self.assertFalse(self.folder().exists())

    def test_another_fingerprint(self):
        other = "SHA256:" + "A" * 43
        refused(self, 1, "has another root", *self.words("--fingerprint", other))
        self.assertFalse(self.folder().exists())
        for bad in ("", "SHA256:", self.fingerprint[7:], self.fingerprint + "=", "MD5:" + "A" * 46):
            refused(self, 2, "--fingerprint", *self.words("--fingerprint", bad))

    def test_another_root_is_pinned(self):
        run(MESHAUTH, *self.words("--fingerprint", self.fingerprint))
        (self.folder() / "root.vkey").write_text(NoteKey("127.0.0.1/root").vkey + "\n")
        refused(self, 1, "another root is pinned", *self.words("--fingerprint", self.fingerprint))

    def test_a_key_elsewhere(self):
        key = self.mesh.folder / "elsewhere.key"
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        key.chmod(0o644)
        refused(self, 1, "lets others at a secret", *self.words("--fingerprint", self.fingerprint, "--key", key))
        key.chmod(0o600)
        run(MESHAUTH, *self.words("--fingerprint", self.fingerprint, "--key", key))
        self.assertFalse((self.folder() / "service.key").exists())
        shown = run("openssl", "x509", "-in", self.folder() / "service.crt", "-noout", "-pubkey").stdout
        self.assertEqual(shown, run("openssl", "pkey", "-in", key, "-pubout").stdout)

    def test_nobody_there(self):
        url = f"https://127.0.0.1:{free_port()}"
        refused(self, 3, "127.0.0.1", *self.words("--fingerprint", self.fingerprint, url=url))
        refused(self, 3, "certificate", "trust", "bootstrap", self.mesh.url, "--out", self.folder(),
                "--fingerprint", self.fingerprint)
        self.assertFalse(self.folder().exists())

    def ask(self, answer):
        """On a terminal: what was shown there, and the exit code."""
        leader, follower = pty.openpty()
        process = subprocess.Popen([MESHAUTH, *map(str, self.words())], stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        os.write(leader, answer)
        shown = b""
        try:
            while part := os.read(leader, 4096):
                shown += part
        except OSError:
            pass  # it has ended
        os.close(leader)
        return process.wait(20 * SLOW), shown.decode()

    def test_a_person_compares(self):
        for answer in (b"no\n", b"y\n", b"YES\n", b"\n", b"\x04"):
            code, shown = self.ask(answer)
            self.assertEqual(code, 1, shown)
            self.assertIn(self.fingerprint, shown)
            self.assertFalse(self.folder().exists())
        code, shown = self.ask(b"yes\n")
        self.assertEqual(code, 0, shown)
        self.assertEqual((self.folder() / "root.vkey").read_text(), self.mesh.vkey.read_text())


class Show(MeshTest):
    def show(self, *words, code=0):
        done = run(MESHAUTH, "trust", "show", *words, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def file(self, data):
        file = self.mesh.folder / "shown"
        file.write_bytes(data)
        return file

    def test_with_and_without_a_root(self):
        checked = self.show(self.mesh.trust, "--root", self.mesh.vkey)
        self.assertIn("signed for this root", checked)
        self.assertIn("SHA256:", checked)
        told = self.show(self.mesh.trust, "--root", self.mesh.vkey.read_text().strip())
        self.assertEqual(*(re.sub(r"\([^)]*\)", "", text) for text in (checked, told)))  # but for "(1 s ago)"
        alone = self.show(self.mesh.trust)
        self.assertIn("signatures were not checked", alone)
        self.assertNotIn("SHA256:", alone)
        for line in self.mesh.trust.read_text().splitlines():
            if line.startswith("key "):
                self.assertRegex(alone, f"(?m)^  {line.split()[1]}  active")

    def test_refuses(self):
        stranger = NoteKey(f"127.0.0.1:{self.mesh.port}/root").vkey
        said = self.show(self.mesh.trust, "--root", stranger, code=1)
        self.assertIn("signed by another", said)
        self.assertIn(f"{self.mesh.trust} was altered, or not made under the root of --root", said)
        self.assertIn("nonsense+: No such file", self.show(self.mesh.trust, "--root", "nonsense+", code=1))
        self.assertIn("neither a verifier key", self.show(self.mesh.trust, "--root", self.mesh.trust, code=2))
        data = self.mesh.trust.read_bytes()
        self.show(self.file(data.replace(b"sequence ", b"sequence 1")), code=1)
        self.show(self.file(data[:-1]), code=1)
        self.show(self.file(b""), code=1)
        self.show(self.mesh.folder / "none", code=1)

    def test_age(self):
        authority = TrustAuthority(self.mesh)
        for age, says, more in (("valid", "", {}), ("expired", "nothing is decided", {"issued": -100, "life": 50}),
                                ("future", "set the clock", {"issued": 120})):
            file = self.file(authority.file(7, **more))
            self.assertIn(says, self.show(file, "--root", self.mesh.vkey))
            self.assertEqual(json.loads(self.show(file, "--root", self.mesh.vkey, "--json"))["age"], age)


if __name__ == "__main__":
    main()
