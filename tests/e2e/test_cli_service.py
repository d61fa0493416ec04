#!/usr/bin/env python3
"""What the command makes of a service, and reads of its store, while nobody serves."""
import base64
import json
import os
import signal
import stat
import subprocess
import time
import unittest

from typed import ISSUER, MESHAUTH, PATIENCE_S, CliTest


class Init(CliTest):
    def test_makes_a_service(self):
        mesh = self.dir / "mesh"
        done = self.exits(0, "init", mesh, "--issuer", ISSUER, "--listen", "127.0.0.1:8443")
        self.assertIn("Take root.key away now", done.stdout)
        self.assertIn("signed by itself", done.stdout)
        self.assertEqual(sorted(p.name for p in mesh.iterdir()),
                         ["mesh.rules", "meshauth.conf", "root.key", "root.vkey", "seal.key", "store", "tls.crt", "tls.key", "trust"])
        self.assertEqual(stat.S_IMODE(mesh.stat().st_mode), 0o755)
        self.assertEqual(stat.S_IMODE((mesh / "store").stat().st_mode), 0o700)
        for name in ("root.key", "seal.key", "tls.key"):
            self.assertEqual(stat.S_IMODE((mesh / name).stat().st_mode), 0o600)
            for line in (mesh / name).read_text().split("\n"):
                self.assertFalse(len(line) > 40 and line in done.stdout + done.stderr)
        for name in ("root.vkey", "trust", "tls.crt"):
            self.assertEqual(stat.S_IMODE((mesh / name).stat().st_mode), 0o644)

    def test_closed_standard_files_are_nothing_of_the_store(self):
        mesh = self.dir / "mesh"
        done = subprocess.run(["sh", "-c", 'exec "$0" init "$1" --demo 0<&- 1>&- 2>&-', MESHAUTH, mesh],
                              timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 3)  # it could not tell
        self.exits(0, "audit", "query", "-c", mesh / "meshauth.conf")

    def test_umask_does_not_matter(self):
        done = subprocess.run(["sh", "-c", 'umask 077; exec "$0" init "$1" --demo', MESHAUTH, self.dir / "mesh"],
                              capture_output=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(stat.S_IMODE((self.dir / "mesh").stat().st_mode), 0o755)
        self.assertEqual(stat.S_IMODE((self.dir / "mesh" / "trust").stat().st_mode), 0o644)

    def test_others_read_what_it_makes(self):
        mesh = self.dir / "mesh"
        told = json.loads(self.exits(0, "init", mesh, "--issuer", ISSUER, "--json").stdout)
        self.assertEqual(told["issuer"], ISSUER)
        self.assertEqual((mesh / "root.vkey").read_text(), told["root_vkey"] + "\n")
        out = subprocess.run(["openssl", "pkey", "-in", mesh / "root.key", "-pubout", "-outform", "DER"],
                             capture_output=True, check=True).stdout
        name, _, key = told["root_vkey"].split("+", 2)
        self.assertEqual(name, "auth.mesh.example/root")
        self.assertEqual(base64.b64decode(key), b"\x01" + out[-32:])
        verify = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname",
                                 "auth.mesh.example", "-CAfile", mesh / "tls.crt", mesh / "tls.crt"],
                                capture_output=True, text=True)
        self.assertEqual(verify.returncode, 0, verify.stderr)

    def test_demo(self):
        mesh = self.dir / "mesh"
        self.exits(0, "init", mesh, "--demo", "--listen", "[::1]:9443")
        conf = (mesh / "meshauth.conf").read_text()
        self.assertIn('url = "https://[::1]:9443"', conf)
        self.assertIn('address = "::1"', conf)
        (key,) = json.loads((mesh / "idp.jwks").read_text())["keys"]
        self.assertEqual((key["kid"], key["kty"], key["crv"]), ("demo", "EC", "P-256"))
        self.assertNotIn("d", key)
        token = self.exits(0, "idp", "mint", "alice", "-c", mesh / "meshauth.conf").stdout
        self.assertNotIn("\n", token)  # what curl's name@FILE would send along
        header, claims, _ = (json.loads(base64.urlsafe_b64decode(p + "==")) if i < 2 else p
                             for i, p in enumerate(token.split(".")))
        self.assertEqual((header["alg"], header["kid"]), ("ES256", "demo"))
        self.assertEqual((claims["iss"], claims["sub"], claims["aud"]),
                         ("https://[::1]:9443/demo-idp", "alice", "meshauth"))
        self.assertEqual(claims["exp"] - claims["iat"], 600)
        self.file("token", token)
        judged = subprocess.run(["jose", "jws", "ver", "-i", self.dir / "token", "-k", mesh / "idp.jwks"],
                                capture_output=True, text=True)
        self.assertEqual(judged.returncode, 0, judged.stderr)
        again = json.loads(self.exits(0, "idp", "mint", "alice", "-c", mesh / "meshauth.conf", "--json").stdout)
        self.assertNotEqual(again["id_token"], token)

    def test_mint_is_for_demos(self):
        mesh = self.dir / "mesh"
        self.exits(0, "init", mesh, "--issuer", ISSUER)
        self.assertIn("demo = true", self.exits(1, "idp", "mint", "alice", "-c", mesh / "meshauth.conf").stderr)

    def test_mint_wants_its_key_private(self):
        mesh = self.dir / "mesh"
        self.exits(0, "init", mesh, "--demo")
        (mesh / "idp.key").chmod(0o644)
        self.assertIn("chmod 600", self.exits(1, "idp", "mint", "alice", "-c", mesh / "meshauth.conf").stderr)

    def test_refuses_a_folder_that_is_not_empty(self):
        mesh = self.dir / "mesh"
        mesh.mkdir()
        (mesh / "keep").write_text("me")
        self.assertIn("not empty", self.exits(1, "init", mesh, "--demo").stderr)
        self.assertEqual([p.name for p in mesh.iterdir()], ["keep"])
        (mesh / "keep").unlink()
        self.exits(0, "init", mesh, "--demo")
        before = {p: p.read_bytes() for p in mesh.rglob("*") if p.is_file()}
        self.exits(1, "init", mesh, "--demo")
        self.assertEqual(before, {p: p.read_bytes() for p in mesh.rglob("*") if p.is_file()})

    def test_is_made_or_not(self):
        """Whenever somebody has had enough of it."""
        codes = set()
        for i in range(60):
            mesh = self.dir / f"cut-{i}"
            p = subprocess.Popen([MESHAUTH, "init", mesh, "--demo"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            time.sleep(0.0005 * i)
            p.send_signal(signal.SIGINT)
            codes.add(p.wait(PATIENCE_S))
            self.assertEqual((mesh / "root.key").exists(), mesh.exists())
        self.assertLessEqual(codes, {0, -signal.SIGINT})

    def test_refuses_a_folder_that_others_may_write_to(self):
        mesh = self.dir / "mesh"
        mesh.mkdir()
        for mode in (0o777, 0o775, 0o757):
            mesh.chmod(mode)
            self.assertIn("others may write to it", self.exits(1, "init", mesh, "--demo").stderr)
            self.assertEqual(list(mesh.iterdir()), [])
        mesh.chmod(0o755)
        self.exits(0, "init", mesh, "--demo")

    def test_leaves_nothing_half_made(self):
        for limit in (0, 1, 8):  # KiB: nothing, some files, some of the store
            mesh = self.dir / "mesh"
            done = subprocess.run(
                ["bash", "-c", f'trap "" XFSZ; ulimit -f {limit}; exec "$0" init "$1" --demo 2>&1 | cat', MESHAUTH, mesh],
                capture_output=True, text=True, timeout=PATIENCE_S)
            self.assertIn("meshauth init: ", done.stdout, limit)
            self.assertFalse(mesh.exists(), limit)


class Audit(CliTest):
    """On a store at rest."""

    def setUp(self):
        super().setUp()
        self.mesh = self.dir / "mesh"
        self.exits(0, "init", self.mesh, "--demo")
        self.conf = self.mesh / "meshauth.conf"

    def query(self, *args):
        return [json.loads(line) for line in
                self.exits(0, "audit", "query", "-c", self.conf, "--json", *args).stdout.splitlines()]

    def test_the_question_is_on_record_itself(self):
        first = self.query()
        self.assertEqual([r["action"] for r in first], ["init", "audit.query"])  # the newest last
        self.assertEqual([r["sequence"] for r in first], [0, 1])
        self.query("--actor", "uid:0&x=%", "--limit", "5")
        asked = self.query("--action", "audit.query")
        self.assertEqual([r.get("resources") for r in asked],
                         [None, ["actor=uid%3A0%26x%3D%25&limit=5"], ["action=audit.query"]])
        self.assertEqual(asked[-1]["actor"], f"uid:{os.getuid()}")

    def test_filters(self):
        (record,) = self.query("--action", "init")
        self.assertEqual(record["outcome"], "done")
        actor = f"uid:{os.getuid()}"
        day_after = "2999-01-01T00:00:00Z"
        for args, count in ((("--actor", actor, "--action", "init"), 1), (("--actor", "uid:54321"), 0),
                            (("--outcome", "done"), 1), (("--outcome", "deny"), 0), (("--reason", "expired"), 0),
                            (("--ticket", "_00"), 0), (("--session", "ses_" + 26 * "0"), 0), (("--since", day_after), 0),
                            (("--until", day_after, "--action", "init"), 1),
                            (("--until", "1970-01-02T00:00:00Z"), 0), (("--limit", "1"), 1)):
            with self.subTest(args):
                self.assertEqual(len(self.query(*args)), count)

    def test_a_table_for_people(self):
        lines = self.exits(0, "audit", "query", "-c", self.conf).stdout.splitlines()
        self.assertRegex(lines[0], r"^  record +time +action +outcome +actor +about$")
        self.assertRegex(lines[1], r"^  0 +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  init +done +uid:\d+ +https://127.0.0.1:8443$")
        self.assertEqual(len(lines), 3)
        self.assertIn("No record", self.exits(0, "audit", "query", "-c", self.conf, "--outcome", "deny").stdout)

    def test_a_store_that_is_not_there(self):
        (self.mesh / "store").rename(self.mesh / "elsewhere")
        self.assertIn("store", self.exits(3, "audit", "query", "-c", self.conf).stderr)

    def test_a_store_that_somebody_has(self):
        held = subprocess.Popen(["flock", self.mesh / "store" / "lock", "sh", "-c", "echo; read x"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            held.stdout.readline()
            self.assertIn("meshauthd", self.exits(3, "audit", "query", "-c", self.conf).stderr)
        finally:
            held.communicate(b"\n", timeout=PATIENCE_S)
        self.query()

    def test_a_configuration_that_is_none(self):
        bad = self.file("bad.conf", "issuer: { url = 1; };")
        for args in (("audit", "query"), ("idp", "mint", "alice")):
            done = self.exits(2, *args, "-c", bad)
            self.assertIn("bad.conf:1", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_dead_socket_is_nobody(self):
        subprocess.run(["python3", "-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
                        self.mesh / "admin.sock"], check=True)
        self.query()


if __name__ == "__main__":
    unittest.main(verbosity=1)
