#!/usr/bin/env python3
"""Configuration that must not start: file, line, a clear sentence, exit 2, for a
check with -t and for a start alike."""
import resource
import subprocess
import unittest

from harness import MESHAUTH, MESHAUTHD, Mesh, free_port, main, run, wait_until


class Config(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mesh = Mesh(start=False)
        cls.addClassCleanup(cls.mesh.close)
        cls.good = cls.mesh.conf.read_text()

    def tearDown(self):
        self.mesh.conf.write_text(self.good)

    def meshauthd(self, *args):
        return run(MESHAUTHD, *args, check=False)

    def refused(self, *words):
        """Both ways; the first word is looked for in the one line that is said."""
        for args in (["-c", self.mesh.conf, "-t"], ["-c", self.mesh.conf]):
            done = self.meshauthd(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)

    def at(self, marked):
        """Writes it; returns FILE:LINE of its mark."""
        lines = marked.split("\n")
        number = next(i for i, line in enumerate(lines, 1) if "#HERE" in line)
        self.mesh.conf.write_text(marked.replace("#HERE", ""))
        return f"{self.mesh.conf}:{number}: "

    def conf(self, more="", **groups):
        """A configuration, one group a line; more is put at its end, marked."""
        self.mesh.configure(**groups)
        return self.mesh.conf.read_text() + more

    def test_what_init_writes_is_good(self):
        done = self.meshauthd("-c", self.mesh.conf, "-t")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("good", done.stdout)

    def test_a_demo_provider_is_for_loopback(self):
        for address in ("0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example", "::ffff:192.0.2.1"):
            with self.subTest(address):
                self.conf(listen={"address": address, "port": self.mesh.port})
                if address.endswith("example"):
                    self.refused("address")
                else:
                    self.refused(f"{self.mesh.conf}:", "demo", "loopback")

    def test_all_of_loopback_will_do(self):
        for address in ("127.0.0.1", "127.255.0.7", "::1"):
            with self.subTest(address):
                self.conf(listen={"address": address, "port": self.mesh.port})
                self.assertEqual(self.meshauthd("-c", self.mesh.conf, "-t").returncode, 0)

    def test_a_demo_provider_has_its_keys_in_a_file(self):
        demo = self.mesh.demo_provider()
        del demo["jwks_file"]
        self.conf(providers=[demo])
        self.refused(f"{self.mesh.conf}:", "jwks_file")

    def test_lines(self):
        one = '{ name = "a"; issuer = "https://a.example"; client_ids = [ "x" ]; jwks_file = "idp.jwks"; }'
        two = one.replace('"a"', '"b"')
        for name, more, word in (
            ("unknown group", "nonsense = 1; #HERE", "nonsense"),
            ("unknown key", "limits: {\n threads = 2;\n thread = 3; #HERE\n};", "thread"),
            ("wrong type", 'limits: {\n threads = "two"; #HERE\n};', "threads"),
            ("a number for a text", "seal_key_file = 7; #HERE", "seal_key_file"),
            ("a float for a number", "limits: {\n request_s = 1.5; #HERE\n};", "request_s"),
            ("too small", "limits: {\n request_s = 0; #HERE\n};", "request_s"),
            ("too large", "limits: {\n\n request_s = 301; #HERE\n};", "request_s"),
            ("a ticket too long", "tickets: { identity_s = 43201; }; #HERE", "identity_s"),
            ("a session too short", "tickets: { session_s = 60; }; #HERE", "session_s"),
            ("a store of no kind", 'store = "sqlite:x"; #HERE', "store"),
            ("no syntax", "limits: { threads = = 2; }; #HERE", "not understood"),
            ("a name twice", "limits: { threads = 2; };\nlimits: { threads = 3; }; #HERE", "already"),
        ):
            with self.subTest(name):
                self.refused(self.at(self.conf(more)), word)
        for name, provider, word in (
            ("issuer twice", f"( {one},\n{two} #HERE\n)", "issuer"),
            ("name twice", f"( {one},\n{one.replace('a.example', 'b.example')} #HERE\n)", "name"),
            ("no client id", "( " + one.replace('[ "x" ]', "[ ]") + " ) #HERE", "client_ids"),
            ("no issuer", "( " + one.replace('issuer = "https://a.example";', "") + " ) #HERE", "issuer"),
            ("issuer by http", "( " + one.replace("https", "http") + " ) #HERE", "https"),
            ("unknown key", "( " + one.replace("jwks_file", "jwks_fil") + " ) #HERE", "jwks_fil"),
        ):
            with self.subTest(name):
                conf = self.conf()
                head = "".join(line + "\n" for line in conf.split("\n") if not line.startswith("providers"))
                self.refused(self.at(head + f"providers = {provider};\n"), word)

    def test_issuers(self):
        for url in ("http://127.0.0.1:8443", "https://127.0.0.1:8443/", "https://127.0.0.1:443", "https://Example.com",
                    "https://a@b.example", "https://b.example/path", "https://b.example?x", "127.0.0.1", ""):
            with self.subTest(url):
                self.conf(issuer={"url": url})
                self.refused(f"{self.mesh.conf}:1: ", "url")

    def test_an_issuer_is_needed(self):
        self.mesh.conf.write_text("limits: { threads = 2; };\n")
        self.refused(str(self.mesh.conf), "url")

    def test_no_file(self):
        self.mesh.conf.unlink()
        self.refused(str(self.mesh.conf))

    def test_usage(self):
        for args in ([], ["-t"], ["-c"], ["-x"], ["-c", self.mesh.conf, "more"]):
            with self.subTest(args):
                self.assertEqual(self.meshauthd(*args).returncode, 2)
        for args in (["-h"], ["--help"]):
            done = self.meshauthd(*args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("usage: meshauthd -c FILE", done.stdout)
        self.assertRegex(self.meshauthd("--version").stdout, r"^meshauthd \d+\.\d+\.\d+\n$")

    def test_admin_commands_read_it_as_strictly(self):
        self.mesh.conf.write_text(self.good + "\nnonsense = 1;\n")
        done = run(MESHAUTH, "audit", "query", "-c", self.mesh.conf, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("nonsense", done.stderr)


class Start(unittest.TestCase):
    """A good configuration in front of a folder that is not: exit 3, nothing served."""

    def setUp(self):
        self.mesh = Mesh(start=False)
        self.addCleanup(self.mesh.close)

    def fails(self, *words):
        done = run(MESHAUTHD, "-c", self.mesh.conf, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def check(self):
        """What -t says: exit code, the lines that are good, and those that are not."""
        done = run(MESHAUTHD, "-c", self.mesh.conf, "-t", check=False)
        lines = done.stdout.splitlines()
        self.assertTrue(all(line.endswith(": good") for line in lines), lines)
        return done.returncode, [line.removesuffix(": good") for line in lines], done.stderr.splitlines()

    def test_a_check_reads_all_that_a_start_would(self):
        d = self.mesh.dir
        self.assertEqual(self.check(), (0, [str(self.mesh.conf), f"{d}/mesh.rules", f"{d}/tls.crt, {d}/tls.key", 'provider "demo"',
                                            f"{d}/seal.key", f"lmdb:{d}/store"], []))
        (d / "mesh.rules").write_text("allow read(R) if nobody(R).\n")
        (d / "idp.jwks").write_text("{}")
        (d / "store" / "data.mdb").write_bytes(b"")
        (d / "seal.key").write_text("0" * 64 + "\n")
        (d / "tls.crt").write_text("no certificate")
        code, good, bad = self.check()
        self.assertEqual((code, good), (3, [str(self.mesh.conf), f"{d}/seal.key"]))
        self.assertEqual(len(bad), 4, bad)
        for line, words in zip(bad, ((f"{d}/mesh.rules: line 1, column 18", "nobody"), (f"{d}/tls.crt: ",),
                                     ('provider "demo": ', f"{d}/idp.jwks: "), ("store: ",))):
            for word in ("meshauthd: ",) + words:
                self.assertIn(word, line)
        self.fails("meshauthd: ")

    def test_a_check_changes_nothing(self):
        self.assertEqual(self.check()[0], 0)
        (self.mesh.dir / "mesh.rules").write_text((self.mesh.dir / "mesh.rules").read_text() + "allow dance if caller(_).\n")
        self.assertEqual(self.check()[0], 0)
        self.mesh.start()
        self.assertTrue(self.mesh.healthy())
        self.assertEqual(len(self.mesh.audit(action="rules.load")), 1)  # by this start
        done = run(MESHAUTHD, "-c", self.mesh.conf, "-t")
        self.assertIn(f"lmdb:{self.mesh.dir}/store: in use, so its keys were not looked at\n", done.stdout)
        self.assertTrue(self.mesh.healthy())

    def test_a_provider_without_its_file(self):
        saml = {"name": "company", "type": "saml", "issuer": "https://login.example", "metadata_file": "away.xml"}
        away = self.mesh.dir / "away.xml"
        pinned = saml | {"metadata_file": "idp.jwks", "metadata_key": "away.xml"}
        keys = {"name": "company", "issuer": "https://login.example", "client_ids": ["x"], "jwks_file": "away.xml"}
        for provider in (saml, pinned, keys):
            for content in (None, b"<html/>"):
                away.unlink(missing_ok=True) if content is None else away.write_bytes(content)
                self.mesh.configure(providers=[self.mesh.demo_provider(), provider])
                code, good, bad = self.check()
                self.assertEqual((code, len(good), len(bad)), (3, 6, 1), bad)
                self.assertTrue(bad[0].startswith(f'meshauthd: provider "company": {away}: '), bad)
                self.fails(bad[0])

    def test_a_provider_whose_files_are_not_read_at_once(self):
        for more in ({"ca_file": "away.pem"}, {"type": "saml", "metadata_url": "https://login.example/metadata", "client_ids": None,
                                               "metadata_key": "away.pem"}):
            provider = {"name": "company", "issuer": "https://login.example", "client_ids": ["x"]} | more
            self.mesh.configure(providers=[{k: v for k, v in provider.items() if v}])
            code, _, bad = self.check()
            self.assertEqual((code, bad), (3, [f'meshauthd: provider "company": {self.mesh.dir}/away.pem: No such file or directory']))

    def test_no_store(self):
        self.mesh.configure(store="lmdb:nowhere")
        self.fails("nowhere")

    def test_another_seal_key(self):
        other = Mesh(start=False)
        self.addCleanup(other.close)
        (self.mesh.dir / "seal.key").write_bytes((other.dir / "seal.key").read_bytes())
        self.fails("seal")
        self.assertEqual(self.check()[0], 3)

    def test_a_certificate_without_its_key(self):
        other = Mesh(start=False)
        self.addCleanup(other.close)
        (self.mesh.dir / "tls.key").write_bytes((other.dir / "tls.key").read_bytes())
        self.fails("tls")
        code, good, bad = self.check()
        self.assertEqual((code, len(good), len(bad)), (3, 5, 1))
        self.assertIn("tls.key", bad[0])

    def test_a_port_in_use(self):
        self.mesh.start()
        done = subprocess.run([MESHAUTHD, "-c", self.mesh.conf], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertTrue(self.mesh.healthy())

    def test_a_store_in_use(self):
        self.mesh.start()
        other = self.mesh.dir / "other.conf"
        self.mesh.configure(listen={"address": "127.0.0.1", "port": free_port(), "admin_socket": "other.sock"})
        self.mesh.conf.rename(other)
        done = run(MESHAUTHD, "-c", other, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("store", done.stderr)
        self.assertTrue(self.mesh.healthy())

    def test_more_connections_than_files(self):
        """Strangers' connections left no file to write the trust file with."""
        limit = ["sh", "-c", 'ulimit "$1" 256; shift; exec "$@"', "sh"]
        done = run(*limit, "-n", MESHAUTHD, "-c", self.mesh.conf, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("limits.connections: 1000 of them need 1144 open files", done.stderr)
        with open(self.mesh.log_file, "ab") as log:
            self.mesh.daemon = subprocess.Popen([*limit, "-Sn", MESHAUTHD, "-c", self.mesh.conf], stdout=log,
                                                stderr=log, restore_signals=False)
        wait_until(self.mesh.healthy, "meshauthd to serve")
        self.assertEqual(resource.prlimit(self.mesh.daemon.pid, resource.RLIMIT_NOFILE)[0], 1144)

    def test_init_does_not_overwrite(self):
        before = (self.mesh.dir / "root.key").read_bytes()
        done = run(MESHAUTH, "init", self.mesh.dir, "--demo", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual((self.mesh.dir / "root.key").read_bytes(), before)


if __name__ == "__main__":
    main()
