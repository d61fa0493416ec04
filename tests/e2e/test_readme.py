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

from harness import BUILD, MESHAUTH, PATIENCE_S, ROOT, SLOW, Device, Mesh, free_port, run

SECTIONS = ("## A first ticket, with curl\n", "## A shared folder, with the command\n")
PATH = f"{BUILD}/cli:{BUILD}/authsvc:$PATH"
BUILT = "scripts/build && PATH=$PWD/build/dev/cli:$PWD/build/dev/authsvc:$PATH"


def section(text, head):
    """What follows a headline, up to the next one of its level."""
    level = head.split()[0]
    found = text.split(head)
    assert len(found) == 2, head
    return re.split(rf"^{level} ", found[1], maxsplit=1, flags=re.M)[0]


def elsewhere(text, folder, port):
    """The same commands, with the binaries of this build, in another folder, at another port."""
    for old, new in (
        ("meshauth init /tmp/mesh --demo", f"meshauth init /tmp/mesh --demo --listen 127.0.0.1:{port}"),
        ("https://127.0.0.1:8443", f"https://127.0.0.1:{port}"),
        ("/tmp/mesh", str(folder)),
    ):
        assert old in text, old
        text = text.replace(old, new)
    return text


def indented(text):
    """The lines of the code blocks."""
    return [line[4:] for line in text.split("\n") if line.startswith("    ")]


class Readme(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="meshauth-readme."))
        self.addCleanup(shutil.rmtree, self.dir)

    def script(self, folder, port):
        readme = (ROOT / "README.md").read_text()
        text = "\n".join(line for head in SECTIONS for line in indented(section(readme, head))) + "\n"
        self.assertIn(BUILT, text)
        return elsewhere(text.replace(BUILT, f"PATH={PATH}"), folder, port)

    def test_a_first_ticket_and_a_folder(self):
        folder = self.dir / "mesh"
        script = self.script(folder, free_port())
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.dir, capture_output=True, text=True,
                              timeout=2 * PATIENCE_S, env={**os.environ, "HOME": str(self.dir)})
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said)
        self.assertIn("\naccepted\n", done.stdout, said)
        self.assertEqual(done.stdout.count("rights ticket"), 2, said)  # shown, then verified
        self.assertRegex(done.stdout, r"ticket\.issue +allow +usr_", said)
        self.assertRegex(done.stdout, r"(?s)\nTrip  fld_\w+\n.* usr_\w+  owner, you\n.* alice's PC  this device\n"
                         r".* usr_\w+  contributor\n.* dev_\w+\n", said)
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
        for file in [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted((ROOT / "docs").glob("*.md")):
            text = file.read_text()
            targets = [file.parent / name for name in re.findall(r"\]\((?!https:)([^)#]+)", text)]
            targets += [ROOT / name for name in re.findall(r"`((?:docs|scripts|tests|include|packaging)/[\w./-]+)`", text)]
            for target in targets:
                with self.subTest(file=file.name, target=str(target)):
                    self.assertTrue(target.exists())

    def test_every_page_is_on_the_list(self):
        listed = re.findall(r"^- `docs/(.*?)`", (ROOT / "README.md").read_text(), re.M)
        self.assertEqual(sorted(listed), sorted(path.name for path in (ROOT / "docs").glob("*.md")))


class MeshApi(unittest.TestCase):
    """docs/mesh-api.md: its commands, and the answers that it shows below some of them."""

    # What is another one each time.
    OURS = (
        (r"\b(usr|dev|fld|inv)_[0-7][0-9a-hjkmnp-tv-z]{25}\b", r"\1_"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r"127\.0\.0\.1:\d+", "HOST"),
        (r"(?<![\w-])[\w-]{43}(?![\w-])", "SECRET"),
        (r"\b[0-9a-f]{16}\b", "HEX"),
    )

    def shape(self, text):
        for old, new in self.OURS:
            text = re.sub(old, new, text)
        return json.loads(text)

    def test_it_is_true(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="meshauth-api."))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        page = (ROOT / "docs" / "mesh-api.md").read_text()
        parts = re.split(r"^```json\n(.*?)^```\n", page, flags=re.M | re.S)  # commands, answer, commands, ...
        mark = "\n-- here an answer is shown --\n"
        script = f"printf '{mark}'\n".join("\n".join(indented(commands)) + "\n" for commands in parts[::2])
        script = f"PATH={PATH}\n" + elsewhere(script, folder / "mesh", free_port())
        self.assertGreater(len(parts), 15)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True,
                              timeout=4 * PATIENCE_S, env={**os.environ, "HOME": str(folder)})
        odd = [line for line in done.stderr.splitlines()
               if not line.startswith(("{", "curl: (7)"))]  # meshauthd's log; curl tries until it serves
        self.assertEqual((done.returncode, odd), (0, []), done.stdout + done.stderr)
        opened = 0
        for shown, said in zip(parts[1::2], done.stdout.split(mark)):
            with self.subTest(shown):
                said = self.shape(said.rstrip("\n").split("\n")[-1])
                opened += said.pop("tickets", None) is not None  # which the page leaves out
                self.assertEqual(said, self.shape(shown))
        self.assertEqual(opened, 4)
        self.assertEqual(list(folder.iterdir()), [], "left behind")


# What docs/library.md leaves to the service: files.
SERVICE = """
#include <stdio.h>

static char trust_text[1 << 16], vkey[512], pem[4096], credential[MAUTH_CREDENTIAL_MAX + 1];

static size_t
slurp(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;

    if (f)
        fclose(f);
    while (n && out[n - 1] == '\\n' && size == sizeof(vkey))
        n--;
    out[n] = 0;
    return n;
}

int
main(int argc, char **argv)
{
    struct mauth_trust *trust = NULL;
    struct mauth_key *key = NULL;
    size_t n = slurp(argv[1], trust_text, sizeof(trust_text));
    int code = 2;

    slurp(argv[2], vkey, sizeof(vkey));
    slurp(argv[4], credential, sizeof(credential));
    if (argc == 6 && mauth_trust_parse(trust_text, n, vkey, &trust, NULL) == MAUTH_OK &&
        mauth_key_from_pem(pem, slurp(argv[3], pem, sizeof(pem)), &key, NULL) == MAUTH_OK)
        code = may_read(trust, credential, key, argv[5]) ? 0 : 1;
    mauth_key_free(key);
    mauth_trust_free(trust);
    return code;
}
"""


@unittest.skipIf(SLOW > 1, "a service without the sanitizers of its library")
class Library(unittest.TestCase):
    def test_what_a_service_does(self):
        mesh = Mesh()
        self.addCleanup(mesh.close)
        lines = indented((ROOT / "docs" / "library.md").read_text())
        source = mesh.folder / "service.c"
        source.write_text("\n".join(lines[lines.index("#include <stdbool.h>"):]) + SERVICE)
        program = mesh.folder / "service"
        run("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/include", source, "-o", program,
            f"-L{BUILD}/lib", "-lmeshauth", f"-Wl,-rpath,{BUILD}/lib")
        laptop, thief = (Device(mesh.folder, name) for name in ("laptop", "thief"))
        ticket = mesh.login("alice", laptop).json["tickets"][1]
        credential = mesh.folder / "credential"
        credential.write_text(ticket["credential"])
        for code, device, url in ((0, laptop, ticket["resource"]), (1, thief, ticket["resource"]),
                                  (1, laptop, ticket["resource"] + "/"), (1, laptop, mesh.url)):
            with self.subTest(device=device.key.name, url=url):
                done = run(program, mesh.trust, mesh.vkey, device.certificate, credential, url, check=False)
                self.assertEqual(done.returncode, code, done.stderr)


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
            offered = set(re.findall(r"^  (?:-\w,|   ) --([a-z0-9-]+)", said, re.M)) - {"help", "json"}
            if "config" in offered:  # the manual has its letter
                offered.remove("config")
                self.assertIn("-c FILE", part)
            with self.subTest(" ".join(words)):
                self.assertEqual(offered - set(re.findall(r"--([a-z0-9-]+)", part)), set(), "not in the manual")
                self.assertEqual({o for o in re.findall(r"^\| `--([a-z0-9-]+)", part, re.M)} - offered, set(), "only in the manual")

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
