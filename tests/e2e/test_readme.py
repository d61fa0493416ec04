#!/usr/bin/env python3
"""What README.md and docs/ print, run as it stands there: but for the port, the folder,
and that the binaries are those of this build."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD, MESHAUTH, PATIENCE_S, ROOT, Mesh, free_port, run

SECTION = "## A first ticket, with curl\n"
BUILT = "scripts/build && PATH=$PWD/build/dev/cli:$PWD/build/dev/authsvc:$PATH"


def section(text, head):
    """What follows a headline, up to the next one of its level."""
    level = head.split()[0]
    found = text.split(head)
    assert len(found) == 2, head
    return re.split(rf"^{level} ", found[1], maxsplit=1, flags=re.M)[0]


def indented(text):
    """The lines of the code blocks."""
    return [line[4:] for line in text.split("\n") if line.startswith("    ")]


class Readme(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="meshauth-readme."))
        self.addCleanup(shutil.rmtree, self.dir)

    def script(self, folder, port):
        text = "\n".join(indented(section((ROOT / "README.md").read_text(), SECTION))) + "\n"
        for old, new in (
            (BUILT, f"PATH={BUILD}/cli:{BUILD}/authsvc:$PATH"),
            ("meshauth init /tmp/mesh --demo", f"meshauth init /tmp/mesh --demo --listen 127.0.0.1:{port}"),
            ("https://127.0.0.1:8443", f"https://127.0.0.1:{port}"),
            ("/tmp/mesh", str(folder)),
        ):
            self.assertIn(old, text)
            text = text.replace(old, new)
        return text

    def test_a_first_ticket(self):
        folder = self.dir / "mesh"
        script = self.script(folder, free_port())
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.dir, capture_output=True, text=True,
                              timeout=2 * PATIENCE_S, env={**os.environ, "HOME": str(self.dir)})
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said)
        self.assertIn("\naccepted\n", done.stdout, said)
        self.assertEqual(done.stdout.count("rights ticket"), 2, said)  # shown, then verified
        self.assertRegex(done.stdout, r"ticket\.issue +allow +usr_", said)
        self.assertNotRegex(done.stderr, "refused|rror", said)
        self.assertEqual(list(self.dir.iterdir()), [], "left behind")

    def test_every_folder_is_on_the_map(self):
        """And nothing that is not there."""
        table = section((ROOT / "README.md").read_text(), "## How it hangs together\n")
        named = set(re.findall(r"`([\w/]+)/`", "\n".join(re.findall(r"^\| (`.*?) \|", table, re.M))))
        self.assertEqual({name for name in named if not (ROOT / name).is_dir()}, set())
        there = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
        self.assertEqual(there - {name.split("/")[0] for name in named}, {"build"} & there)

    def test_every_link_leads_somewhere(self):
        for file in [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted((ROOT / "docs").iterdir()):
            text = file.read_text()
            targets = [file.parent / name for name in re.findall(r"\]\((?!https:)([^)#]+)", text)]
            targets += [ROOT / name for name in re.findall(r"`((?:docs|scripts|tests|include|packaging)/[\w./-]+)`", text)]
            for target in targets:
                with self.subTest(file=file.name, target=str(target)):
                    self.assertTrue(target.exists())


class Manual(unittest.TestCase):
    """docs/cli.md and --help know the same commands and options."""

    def test_every_command(self):
        manual = (ROOT / "docs" / "cli.md").read_text()
        listed = [words.strip() for words in re.findall(r"^  ((?:[a-z]+ ){1,2}) ", run(MESHAUTH, "--help").stdout, re.M)]
        described = re.findall(r"^### meshauth ((?:[a-z]+ ?){1,2})", manual, re.M)
        self.assertEqual(sorted(listed), sorted(words.strip() for words in described))

    def test_every_option(self):
        manual = (ROOT / "docs" / "cli.md").read_text()
        for part in re.split(r"^### meshauth ", manual, flags=re.M)[1:]:
            words = re.match(r"(?:[a-z]+ ?){1,2}", part).group().split()
            part = re.split(r"^## ", part, maxsplit=1, flags=re.M)[0]
            said = run(MESHAUTH, *words, "--help").stdout
            offered = set(re.findall(r"^  (?:-\w,|   ) --([a-z-]+)", said, re.M)) - {"help", "json"}
            if "config" in offered:  # the manual has its letter
                offered.remove("config")
                self.assertIn("-c FILE", part)
            with self.subTest(" ".join(words)):
                self.assertEqual(offered - set(re.findall(r"--([a-z-]+)", part)), set(), "not in the manual")
                self.assertEqual({o for o in re.findall(r"^\| `--([a-z-]+)", part, re.M)} - offered, set(), "only in the manual")

    def test_machine_output(self):
        """Exactly the members that its table names."""
        table = section((ROOT / "docs" / "cli.md").read_text(), "## Machine output\n")
        rows = dict(re.findall(r"^\| (.*?) \| (.*?) \|$", table, re.M))

        def named(row):
            words = re.sub(r"\([^()]*\)", "", rows[row])  # the remarks
            return set(re.findall(r"`(\w+)`", words))

        def said(*args):
            return json.loads(run(MESHAUTH, *args, "--json", env={"MESHAUTH_HOME": str(mesh.folder / "home")}).stdout)

        mesh = Mesh()
        self.addCleanup(mesh.close)
        token = said("idp", "mint", "alice", "-c", mesh.conf)
        file = mesh.folder / "id-token"
        file.write_text(token["id_token"])
        login = said("login", mesh.url, "--ca", mesh.ca, "--id-token", file)
        status = said("status")
        shown = said("ticket", "show")
        one = ROOT / "tests" / "data" / "golden" / "identity.p256.xml"
        verified = said("ticket", "verify", one, "--trust", one.parent / "trust", "--root", one.parent / "root.vkey",
                        "--audience", "https://auth.mesh.example", "--holder", one.parent / "device.pub.pem",
                        "--now", json.loads((one.parent / "manifest.json").read_text())["now"])
        show_one = "`ticket show FILE`, and each of `tickets`"
        for row, object, others in (
            ("`init`", said("init", mesh.folder / "other", "--demo"), set()),
            ("`idp mint`", token, set()),
            ("`login`", login, set()),
            ("... each of `tickets`", login["tickets"][0], set()),
            ("`status`", status, set()),
            ("... each of `accounts`", status["accounts"][0], named("`login`")),
            ("`ticket show`", shown, set()),
            (show_one, shown["tickets"][0], set()),
            (show_one, said("ticket", "show", one), set()),
            ("`ticket verify`", verified, set()),
        ):
            with self.subTest(row):
                self.assertEqual(set(object), (named(row) | others) - {"login"})
        self.assertEqual(verified["verdict"], "accept")


if __name__ == "__main__":
    unittest.main(verbosity=2)
