#!/usr/bin/env python3
"""The manual pages: well formed, complete, and their example is a program that works."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAN = ROOT / "docs" / "man"
GOLDEN = ROOT / "tests" / "data" / "golden"
BUILD = pathlib.Path(os.environ["MAUTH_BUILD"])
FOLDER = "https://auth.mesh.example/v1/mesh/folders/fld_0fffffffffffffffffffffffff"
NOW = "1795341900"


def run(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, **more)


def text(*pages):
    return "\n".join((MAN / p).read_text() for p in pages)


def help_of(*command):
    return run(*command, "--help").stdout


class Pages(unittest.TestCase):
    def test_form(self):
        pages = sorted(MAN.glob("*.[1-8]"))
        self.assertEqual(len(pages), 8)
        for page in pages:
            with self.subTest(page.name):
                done = run("mandoc", "-Tlint", "-Wwarning", page)
                self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_pages_that_are_referred_to(self):
        ours = {p.name for p in MAN.glob("*.[1-8]")}
        system = {"curl.1", "fork.2", "free.3", "mmap.2", "rename.2", "xdg-open.1"}
        for name, section in re.findall(r"^\.(?:Pq )?Xr (\S+) (\d)", text(*ours), re.MULTILINE):
            self.assertIn(f"{name}.{section}", ours | system)

    def test_every_function(self):
        headers = "".join(p.read_text() for p in (ROOT / "include" / "meshauth").glob("*.h"))
        declared = set(re.findall(r"(mauth_[a-z0-9_]+)\(", " ".join(re.findall(r"MAUTH_API[^;]*;", headers))))
        synopses = "".join(re.search(r"^\.Sh SYNOPSIS\n(.*?)^\.Sh", page.read_text(), re.MULTILINE | re.DOTALL).group(1)
                           for page in MAN.glob("*.3"))
        described = re.findall(r"^\.F[no] (mauth_\S+)", synopses, re.MULTILINE)
        self.assertTrue(declared)
        self.assertEqual(sorted(described), sorted(declared))

    def test_every_command_and_option(self):
        """meshauth.1 has what --help has, and nothing else."""
        page = text("meshauth.1")
        meshauth = BUILD / "cli" / "meshauth"
        commands = [m.strip() for m in re.findall(r"^  ((?:[a-z]+ )+) ", help_of(meshauth), re.MULTILINE)]
        self.assertIn("ticket verify", commands)
        self.assertEqual(sorted(re.findall(r"^\.It Ic ((?:[a-z]+ ?)+)(?: |$)", page, re.MULTILINE)), sorted(commands))
        options = {o for c in commands for o in re.findall(r"^ .{5}--([a-z0-9-]+)", help_of(meshauth, *c.split(" ")), re.MULTILINE)}
        self.assertEqual(set(re.findall(r"Fl Fl ([a-z0-9-]+)", page)) - {"version"}, options | {"config", "help"})

    def test_the_daemons_options(self):
        options = set(re.findall(r"-([a-z])\b", help_of(BUILD / "authsvc" / "meshauthd")))
        self.assertEqual(set(re.findall(r"\.It Fl ([a-z])\b", text("meshauthd.8"))), options)

    def test_reasons_and_codes(self):
        header = (ROOT / "include" / "meshauth" / "err.h").read_text()
        page = text("libmeshauth.3")
        codes = re.findall(r"^    (MAUTH_[A-Z_]+)(?: = 0)?,", header.split("enum mauth_reason")[0], re.MULTILINE)
        self.assertEqual(re.findall(r"^\.It Dv (\S+)", page, re.MULTILINE), codes)
        reasons = [r.lower().replace("_", "-") for r in re.findall(r"^    MAUTH_REASON_([A-Z_]+),", header, re.MULTILINE)]
        shown = [r for line in re.findall(r"^\.It Li (.*)", page, re.MULTILINE) for r in line.split(" , ")]
        self.assertEqual(shown, reasons)


@unittest.skipIf(os.environ.get("MAUTH_SANITIZE"), "programs of a library with sanitizers need them, too")
class Example(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="test_man.")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        source = re.search(r'^\.\\" EXAMPLE.*?\n(.*?)^\.\\" END', text("libmeshauth.3"), re.MULTILINE | re.DOTALL).group(1)
        (cls.path / "guard.c").write_text(source.replace("\\e", "\\"))
        done = run("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT / 'include'}", cls.path / "guard.c",
                   "-o", cls.path / "guard", f"-L{BUILD / 'lib'}", "-lmeshauth", f"-Wl,-rpath,{BUILD / 'lib'}")
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def ask(self, action, now=NOW, key="device.pub.pem"):
        credential = (GOLDEN / "rights.p256.credential").read_text().split("\n")[1]
        return run(self.path / "guard", GOLDEN / "trust", (GOLDEN / "root.vkey").read_text().strip(),
                   ROOT / "policy" / "mesh.rules", action, FOLDER + "/a", now,
                   input=f"DPoP {credential}\n" + (GOLDEN / key).read_text())

    def test_it_answers(self):
        done = self.ask("read")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "200: welcome, usr_0aaaaaaaaaaaaaaaaaaaaaaaaa, until 1795342200\n"), done.stderr)
        self.assertIn('"outcome":"allow"', done.stderr)

    def test_it_refuses(self):
        for end, more in ((r"\(no-rule\)", {"action": "delete"}), (r"\(trust-expired\)", {"now": str(int(NOW) + 7200)}),
                          (r"\(holder\)", {"key": "signing-p256.pub.pem"})):
            done = self.ask(**{"action": "read", **more})
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, f"^(401|403|503): .*{end}\n$")


if __name__ == "__main__":
    unittest.main(verbosity=1, argv=sys.argv)
