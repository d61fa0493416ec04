#!/usr/bin/env python3
"""The meshauth command without a service: its words, the tickets and rules that it reads, and with
which exit code."""
import contextlib
import json
import os
import pty
import re
import subprocess
import unittest

from typed import GOLDEN, ISSUER, MANIFEST, MESHAUTH, NOW, PATIENCE_S, ROOT, STORAGE, CliTest, meshauth


class Words(CliTest):
    def test_help_is_there_for_every_command(self):
        listed = self.exits(0, "--help").stdout
        commands = re.findall(r"^  ((?:[a-z]+ ){1,2})", listed, re.M)
        self.assertGreaterEqual(len(commands), 7)
        for command in commands:
            with self.subTest(command):
                text = self.exits(0, *command.split(), "--help").stdout
                self.assertIn(f"usage: meshauth {command.strip()} ", text)
                self.assertRegex(text, f"Example:\n  meshauth {command.strip()}\\b")
                self.assertIn("--json", text)
                self.assertEqual([line for line in text.split("\n") if len(line) > 80], [])

    def test_other_ways_to_ask(self):
        self.assertEqual(self.exits(0, "help").stdout, self.exits(0, "-h").stdout)
        self.assertIn("ticket verify", self.exits(0, "ticket", "--help").stdout)
        self.assertNotIn("audit", self.exits(0, "ticket", "--help").stdout)
        self.assertEqual(self.exits(0, "help", "ticket").stdout, self.exits(0, "ticket", "--help").stdout)
        for words in (("status",), ("ticket", "show"), ("folder", "invite")):
            self.assertEqual(self.exits(0, "help", *words).stdout, self.exits(0, *words, "--help").stdout)
        self.assertRegex(self.exits(0, "--version").stdout, r"^meshauth \d+\.\d+\.\d+\n$")

    def test_no_such_command(self):
        for args in ((), ("nonsense",), ("ticket",), ("ticket", "eat"), ("idp",), ("audit", "--json"), ("--json",),
                     ("help", "nonsense"), ("help", "ticket", "eat"), ("help", "status", "eat")):
            with self.subTest(args):
                self.misused(*args)
        for args, says in ((("statsu",), "no command 'statsu'"), (("ticket", "eat"), "no command 'ticket eat'"),
                           (("\x1b[2J",), r"no command '\x1b[2J'"),
                           (("help", "ticket", "eat"), "no command 'ticket eat'")):
            with self.subTest(args):
                self.misused(*args, says=says)
        # What is wrong is not lost above a list of everything.
        self.assertLess(len(self.exits(2, "statsu").stderr.splitlines()), 5)
        self.assertIn("ticket show", self.exits(2, "ticket", "eat").stderr)

    def test_usage(self):
        ticket = GOLDEN / "rights.p256.xml"
        trust = ("--trust", GOLDEN / "trust", "--root", GOLDEN / "root.vkey")
        key = ("--public-key", GOLDEN / "signing-p256.pub.pem", "--issuer", ISSUER)
        verify = ("ticket", "verify", ticket)
        to = ("--audience", STORAGE)
        for says, *args in (
            ("goes without FILE", "ticket", "show", "a", "--audience", "x"),
            (": FILE is missing", *verify[:2]),
            (": LINK is missing", "invitation", "accept"),
            (": ACTION is missing", "policy", "explain"),
            (": FOLDER is missing", "folder", "role"),
            (": USER is missing", "folder", "role", "Trip"),
            (": ROLE is missing", "folder", "role", "Trip", "usr_0"),
            ("too many", "ticket", "show", "a", "b"),
            ("no option --bearer", "ticket", "show", "a", "--bearer"),
            ("whom to trust", *verify, *to),
            ("--audience is missing", *verify, *trust),
            ("--audience is missing", *verify, *key),
            ("--trust needs --root", *verify, *to, *trust[:2]),
            ("--root needs --trust", *verify, *to, *trust[2:]),
            ("--public-key needs --issuer", *verify, *to, *key[:2]),
            ("--issuer needs --public-key", *verify, *to, *key[2:]),
            ("do not go together", *verify, *to, *trust, *key),
            ("do not go together", *verify, *to, *trust, *key[2:]),
            ("needs a value", *verify, *trust, "--audience"),
            ("takes no value", *verify, *trust, *to, "--bearer=yes"),
            ("given twice", *verify, *trust, *to, *to),
            ("no time like", *verify, *trust, *to, "--now", "now"),
            ("no time like", *verify, *trust, *to, "--now", "2026-11-22T10:05:00+00:00"),
            ("--root", *verify, *trust[:3], GOLDEN / "trust", *to),
            ("--holder", *verify, *trust, *to, "--holder", GOLDEN / "trust"),
            ("--public-key", *verify, *to, "--public-key", GOLDEN / "trust", "--issuer", ISSUER),
            ("--issuer", *verify, *to, *key[:2], "--issuer", "not a URL"),
            ("either --issuer", "init", self.dir / "x"),
            ("either --issuer", "init", self.dir / "x", "--demo", "--issuer", ISSUER),
            (": DIR is missing", "init", "--demo"),
            ("--listen", "init", self.dir / "x", "--demo", "--listen", "localhost:8443"),
            ("loopback", "init", self.dir / "x", "--demo", "--listen", "0.0.0.0:8443"),
            ("loopback", "init", self.dir / "x", "--demo", "--listen", "[::]:8443"),
            ("https://", "init", self.dir / "x", "--issuer", "http://auth.mesh.example"),
            ("lower case", "init", self.dir / "x", "--issuer", "https://Auth.mesh.example"),
            ("nothing behind it", "init", self.dir / "x", "--issuer", ISSUER + "/"),
            ("must be written", "init", self.dir / "x", "--issuer", ISSUER + ":443"),
            (": URL is missing", "login"),
            (": URL is missing", "curl"),
            (": URL is missing", "curl", "--dpop"),
            ("only one of them", "login", ISSUER, "--id-token", "-", "--assertion", "-"),
            ("goes without --assertion", "login", ISSUER, "--device", "--assertion", "-"),
            ("https://", "login", "auth.mesh.example", "--id-token", "-"),
            ("too many", "status", "x"),
            ("-c FILE is missing", "audit", "query"),
            ("90m, 12h or 7d", "audit", "query", "-c", "x", "--since", "yesterday"),
            ("90m, 12h or 7d", "audit", "query", "-c", "x", "--until", "7"),
            ("there is no \"logn\"", "audit", "follow", "-c", "x", "--action", "logn"),
            ("a number from 1 to 1000000", "audit", "query", "-c", "x", "--limit", "0"),
            ("a number from 1 to 1000000", "audit", "query", "-c", "x", "--limit", "1000001"),
            ("-c FILE is missing", "idp", "mint", "alice"),
            ("printable ASCII", "idp", "mint", "", "-c", "x"),
            ("printable ASCII", "idp", "mint", "al\x1bice", "-c", "x"),
            ("printable ASCII", "idp", "mint", "a" * 256, "-c", "x"),
        ):
            with self.subTest(args):
                self.misused(*args, says=says)
        self.assertEqual(list(self.dir.iterdir()), [])


class Tickets(CliTest):
    """All golden files, in every spelling."""

    def spellings(self, name):
        """As XML, plain and deflated credential, each with and without a newline."""
        xml = (GOLDEN / name).read_bytes()
        plain, deflated = (GOLDEN / name.replace(".xml", ".credential")).read_bytes().splitlines()
        for i, text in enumerate((xml, plain, deflated)):
            yield self.file(f"{i}", text)
            yield self.file(f"{i}n", text + b"\n")

    def verify(self, file, *args, now=NOW, trust=True, audience=STORAGE, code=None, data=None):
        """The object that --json prints, checked against the exit code."""
        issuer = ("--trust", GOLDEN / "trust", "--root", GOLDEN / "root.vkey") if trust else ()
        done = meshauth("ticket", "verify", file, *issuer, "--audience", audience, *(("--now", now) if now else ()),
                        "--json", *args, data=data)
        verdict = json.loads(done.stdout)
        self.assertEqual(done.returncode, {"accept": 0, "refuse": 1}[verdict["verdict"]], done.stderr)
        if verdict["verdict"] == "refuse":
            self.assertEqual(sorted(verdict), ["reason", "verdict"])
            self.assertTrue(done.stderr)
        return verdict

    def refused(self, reason, file, *args, **kwargs):
        self.assertEqual(self.verify(file, *args, **kwargs).get("reason"), reason)

    def test_judges_all_of_them(self):
        for name, says in MANIFEST["tickets"].items():
            proof = ("--holder", GOLDEN / "device.pub.pem") if says["holder"] else ("--bearer",)
            key = ("--public-key", GOLDEN / f"signing-{name.split('.')[1]}.pub.pem", "--issuer", ISSUER)
            for file in self.spellings(name):
                with self.subTest(file=name, spelling=file.name):
                    got = self.verify(file, *proof, audience=says["audiences"][0])
                    if name.startswith("p2p-shared-folder"):  # the trust file says so
                        self.assertEqual(got["reason"], "revoked")
                    else:
                        self.check_accepted(got, says)
                    # A bare key knows of no revocations.
                    got = self.verify(file, *proof, *key, trust=False, audience=says["audiences"][-1])
                    self.check_accepted(got, says)

    def check_accepted(self, got, says):
        self.assertEqual(got["verdict"], "accept")
        self.assertIsNone(got["reason"])
        self.assertEqual(sorted(got), ["audiences", "facts", "id", "not_on_or_after", "permits", "reason", "session",
                                       "subject", "verdict"])
        for member in ("id", "subject", "audiences", "not_on_or_after"):
            self.assertEqual(got[member], says[member])
        self.assertEqual(got["facts"], sorted(says["facts"]))
        self.assertIn(["session", got["session"]], got["facts"])

    def test_permits(self):
        got = self.verify(GOLDEN / "rights.p256.xml", "--holder", GOLDEN / "device.pub.pem")
        self.assertEqual(got["permits"], [{"resource": f"{ISSUER}/v1/mesh/folders/fld_0fffffffffffffffffffffffff",
                                           "actions": ["read", "write"]}])

    def test_standard_input_and_vkey_as_text(self):
        text = (GOLDEN / "rights.p256.credential").read_text().split("\n")[1]
        vkey = (GOLDEN / "root.vkey").read_text().strip()
        got = self.verify("-", "--trust", GOLDEN / "trust", "--root", vkey, "--holder", GOLDEN / "device.pub.pem",
                          trust=False, data=text + "\n")
        self.assertEqual(got["verdict"], "accept")

    def test_refusals(self):
        rights = GOLDEN / "rights.p256.xml"
        xml = rights.read_bytes()
        plain, deflated = (GOLDEN / "rights.p256.credential").read_bytes().splitlines()
        holder = ("--holder", GOLDEN / "device.pub.pem")
        thief = self.dir / "thief.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                        self.dir / "thief.key"], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", self.dir / "thief.key", "-pubout", "-out", thief], check=True)
        self.refused("expired", rights, *holder, now="2026-11-22T10:11:00Z")
        self.assertEqual(self.verify(rights, *holder, now="2026-11-22T10:10:59Z")["verdict"], "accept")  # skew
        self.refused("expired", rights, "--public-key", GOLDEN / "signing-p256.pub.pem", "--issuer", ISSUER, *holder,
                     trust=False, now=None)  # by the clock on the wall
        self.refused("not-yet", rights, "--public-key", GOLDEN / "signing-p256.pub.pem", "--issuer", ISSUER, *holder,
                     trust=False, now="2026-11-22T09:58:59Z")
        self.refused("audience", rights, *holder, audience="urn:meshauth:service:relay")
        self.refused("audience", rights, *holder, audience=ISSUER)
        self.refused("holder", rights, "--holder", thief)
        self.refused("holder", rights, "--holder", GOLDEN / "signing-p256.pub.pem", "--bearer")
        self.refused("no-proof", rights)
        self.refused("no-proof", rights, "--bearer")
        self.refused("no-proof", GOLDEN / "bearer.p256.xml")
        self.refused("no-proof", GOLDEN / "bearer.p256.xml", *holder)
        self.refused("trust-expired", rights, *holder, now="2026-11-22T11:04:00Z")
        self.refused("clock", rights, *holder, now="2026-11-22T10:02:59Z")
        self.refused("key-unknown", rights, "--public-key", GOLDEN / "signing-rsa2048.pub.pem", "--issuer", ISSUER,
                     *holder, trust=False)
        self.refused("key-unknown", rights, "--public-key", thief, "--issuer", ISSUER, *holder, trust=False)
        self.refused("issuer", rights, "--public-key", GOLDEN / "signing-p256.pub.pem", "--issuer",
                     "https://other.mesh.example", *holder, trust=False)
        self.refused("form", self.file("two", plain + b"\n" + deflated + b"\n"), *holder)
        self.refused("form", self.file("set", plain + b"~" + deflated), *holder)
        self.refused("form", self.file("padded", plain + b"="), *holder)
        self.refused("form", self.file("blank", b" " + xml), *holder)
        self.refused("form", self.file("newlines", xml + b"\n\n"), *holder)
        self.refused("form", self.file("empty", b""), *holder)
        self.refused("form", self.file("declared", b'<?xml version="1.0"?>' + xml), *holder)
        self.refused("size", self.file("long", b"A" * 60001), *holder)
        self.refused("size", self.file("longer", b"A" * 1000000), *holder)
        self.refused("size", self.file("xml", b"<" * 16385), *holder)
        self.refused("signature", self.file("moved", xml.replace(b"T10:10:00Z", b"T10:12:00Z")), *holder)
        self.refused("signature", self.file("fld", xml.replace(b"/fld_0fff", b"/fld_1fff")), *holder)

    def test_trust_files_that_are_none(self):
        rights = GOLDEN / "rights.p256.xml"
        good = (GOLDEN / "trust").read_bytes()
        lines = good.split(b"\n")
        altered = {
            "sequence": good.replace(b"sequence 42", b"sequence 43"),
            "expiry": good.replace(b"expires 2026-11-22T11:04:00Z", b"expires 2026-11-22T12:04:00Z"),
            "state": good.replace(b" active ", b" retiring "),
            "a revocation cut out": b"\n".join(lines[:-2]) + b"\n",
            "a revocation put in": good + b"revoke 4714 *\n",
            "no statement": b"\n".join(lines[:7]) + b"\n",
            "empty": b"",
            "another file": rights.read_bytes(),
        }
        for name, content in altered.items():
            with self.subTest(name):
                self.assertNotEqual(content, good)
                self.refused("trust", rights, "--trust", self.file("trust", content), "--root", GOLDEN / "root.vkey",
                             "--holder", GOLDEN / "device.pub.pem", trust=False)
        self.exits(0, "init", self.dir / "stranger", "--issuer", ISSUER)
        stranger = self.dir / "stranger"
        holder = ("--holder", GOLDEN / "device.pub.pem")
        for trust, root in ((GOLDEN / "trust", stranger / "root.vkey"), (stranger / "trust", GOLDEN / "root.vkey")):
            self.refused("trust", rights, "--trust", trust, "--root", root, *holder, trust=False)
        self.refused("key-unknown", rights, "--trust", stranger / "trust", "--root", stranger / "root.vkey", *holder,
                     trust=False, now=None)

    def test_every_way_to_say_no_to_a_person(self):
        done = self.exits(1, "ticket", "verify", GOLDEN / "rights.p256.xml", "--trust", GOLDEN / "trust", "--root",
                          GOLDEN / "root.vkey", "--audience", STORAGE, "--now", NOW)
        self.assertRegex(done.stdout, r"^refused: no-proof\n  .*--holder.*\n  \(.*\)\n$")
        self.assertEqual(done.stderr, "")

    def test_yes_to_a_person(self):
        done = self.exits(0, "ticket", "verify", GOLDEN / "rights.p256.xml", "--trust", GOLDEN / "trust", "--root",
                          GOLDEN / "root.vkey", "--audience", STORAGE, "--holder", GOLDEN / "device.pub.pem",
                          "--now", NOW)
        self.assertTrue(done.stdout.startswith("accepted\n"))
        for words in ("rights ticket", "read, write on https://", "in 5 min", "5 min ago", "key 1968aaade31ca08c (P-256)",
                      "member(usr_0aaaaaaaaaaaaaaaaaaaaaaaaa, fld_0fffffffffffffffffffffffff, contributor)"):
            self.assertIn(words, done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    def test_show_all_of_them(self):
        for name, says in MANIFEST["tickets"].items():
            for file in self.spellings(name):
                with self.subTest(file=name, spelling=file.name):
                    got = json.loads(self.exits(0, "ticket", "show", file, "--json").stdout)
                    self.assertEqual(got["kind"], "identity" if says.get("authn") else "rights")
                    self.assertEqual(got["id"], says["id"])
                    self.assertEqual(got["key"], MANIFEST["signing"][name.split(".")[1]])
                    self.assertEqual(got["holder_key"] is not None, says["holder"])
                    self.assertNotIn("verdict", got)
            text = self.exits(0, "ticket", "show", GOLDEN / name).stdout
            self.assertIn(says["id"], text)
            self.assertIn("not checked", text)

    def test_show_refuses_what_is_no_ticket(self):
        for content in (b"", b"<", b"AAAA", b"A" * 100000, b"\x1b]0;x\x07"):
            done = self.exits(1, "ticket", "show", self.file("bad", content))
            self.assertEqual(done.stdout, "")
            self.assertNotIn("\x1b", done.stderr)

    def test_files_that_are_not_there(self):
        none = self.dir / "none"
        trust = ("--trust", GOLDEN / "trust", "--root", GOLDEN / "root.vkey")
        rights = ("ticket", "verify", GOLDEN / "rights.p256.xml", "--audience", STORAGE)
        for args in (("ticket", "show", none), ("ticket", "verify", none, "--audience", STORAGE, *trust),
                     (*rights, "--trust", none, *trust[2:]), (*rights, *trust[:2], "--root", none),
                     (*rights, *trust, "--holder", none),
                     (*rights, "--public-key", none, "--issuer", ISSUER),
                     ("audit", "query", "-c", none), ("idp", "mint", "alice", "-c", none),
                     ("login", ISSUER, "--id-token", none)):
            with self.subTest(args):
                done = self.exits(1, *args)
                self.assertEqual(done.stdout, "")
                self.assertIn(str(none), done.stderr)

    def test_foreign_names_cannot_steer_a_terminal(self):
        done = self.exits(1, "ticket", "show", "/nonexistent/\x1b[2J")
        self.assertIn("\\x1b[2J", done.stderr)
        self.assertNotIn("\x1b", done.stderr)

    def test_a_full_disk_is_noticed(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([MESHAUTH, "ticket", "show", GOLDEN / "rights.p256.xml"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 3)
        self.assertIn("No space left", done.stderr)


class Policy(CliTest):
    RULES = ROOT / "policy" / "mesh.rules"
    FOLDER = f"{ISSUER}/v1/mesh/folders/fld_0fffffffffffffffffffffffff"
    RIGHTS = GOLDEN / "rights.p256.xml"

    def test_check(self):
        self.assertIn("good", self.exits(0, "policy", "check", self.RULES).stdout)
        told = json.loads(self.exits(0, "policy", "check", self.RULES, "--json").stdout)
        self.assertTrue(told["good"])
        self.assertIn("allow read(R) if permit(read, P), within(R, P).",
                      [r["rule"] for r in told["rules"]])

    def test_check_says_where(self):
        bad = self.file("bad.rules", "# one\ngrant read(R) if mebmer(U, F, _), folder(R, F).\n")
        done = self.exits(1, "policy", "check", bad)
        self.assertIn("line 2, column 18", done.stdout)
        self.assertIn("did you mean member?", done.stdout)
        told = json.loads(self.exits(1, "policy", "check", bad, "--json").stdout)
        self.assertFalse(told["good"])
        self.assertIn("line 2", told["error"])
        self.misused("policy", "check")
        self.exits(1, "policy", "check", self.dir / "nothing")

    def test_cases(self):
        done = self.exits(0, "policy", "test", self.RULES)
        self.assertIn(" 0 answered otherwise", done.stdout)
        alone = self.file("alone.rules", "allow read(_).\n")
        self.assertIn("--cases names it", self.exits(1, "policy", "test", alone).stderr)
        rules = self.file("own.rules", "allow read(R) if permit(read, P), within(R, P).\n")
        self.file("own.cases", 'let issuer = "https://a.example".\n'
                  'let url = issuer "/v1/mesh/folders/fld_0fffffffffffffffffffffffff".\n'
                  'case "a permit".\nticket permit(read, url).\nallow read(url).\ndeny read(url).\n')
        done = self.exits(1, "policy", "test", rules)
        self.assertIn("own.cases:6: a permit: read(url): a rule says yes", done.stdout)
        told = json.loads(self.exits(1, "policy", "test", rules, "--json").stdout)
        self.assertEqual((told["questions"], len(told["failures"])), (2, 1))
        self.assertEqual(told["failures"][0]["line"], 6)
        other = self.file("bad.cases", "case nonsense\n")
        self.assertIn("line 1", self.exits(1, "policy", "test", rules, "--cases", other).stdout)

    def test_explain(self):
        told = ["--rules", self.RULES, "--ticket", self.RIGHTS]
        done = self.exits(0, "policy", "explain", "read", f"{self.FOLDER}/a", *told)
        self.assertIn("allowed", done.stdout)
        self.assertIn("allow read(R) if permit(read, P), within(R, P).", done.stdout)
        done = self.exits(1, "policy", "explain", "read", f"{self.FOLDER}x", *told)
        self.assertIn("within(", done.stdout)
        answer = json.loads(self.exits(1, "policy", "explain", "brew", *told, "--json").stdout)
        self.assertEqual((answer["outcome"], answer["reason"]), ("deny", "no-rule"))
        self.misused("policy", "explain", "read", says="--rules and --ticket")
        self.misused("policy", "explain", "a", *"bcdef", *told, says="one argument too many")


class Terminal(CliTest):
    def on_a_terminal(self, *args, **env):
        """What a person at a terminal sees."""
        leader, follower = pty.openpty()
        with contextlib.closing(os.fdopen(leader, "rb", buffering=0)) as screen:
            done = subprocess.run([str(a) for a in (MESHAUTH, *args)], stdin=follower, stdout=follower,
                                  stderr=follower, timeout=PATIENCE_S,
                                  env={k: v for k, v in {**os.environ, "TERM": "xterm", **env}.items() if v is not None})
            os.close(follower)
            text = b""
            with contextlib.suppress(OSError):  # how a terminal says that all have left
                while part := screen.read(65536):
                    text += part
        return done.returncode, text.decode()

    def test_colours_only_there(self):
        args = ("ticket", "verify", GOLDEN / "bearer.p256.xml", "--trust", GOLDEN / "trust", "--root",
                GOLDEN / "root.vkey", "--audience", STORAGE, "--now", NOW)
        no_colour = {"NO_COLOR": None}
        self.assertIn("\x1b[31mrefused\x1b[0m", self.on_a_terminal(*args, **no_colour)[1])
        self.assertIn("\x1b[32maccepted\x1b[0m", self.on_a_terminal(*args, "--bearer", **no_colour)[1])
        for env in ({"NO_COLOR": "1"}, {**no_colour, "TERM": "dumb"}, {**no_colour, "TERM": None}):
            self.assertNotIn("\x1b", self.on_a_terminal(*args, **env)[1])
        self.assertNotIn("\x1b", self.on_a_terminal(*args, "--json", **no_colour)[1])


if __name__ == "__main__":
    unittest.main(verbosity=1)
