#!/usr/bin/env python3
"""The command on a device: its home, and answers that no account service gives."""
import contextlib
import http.server
import json
import pathlib
import shutil
import ssl
import stat
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

from typed import CliTest, meshauth


class Account(CliTest):
    """What needs no service."""

    def test_status_of_nobody(self):
        env = {"MESHAUTH_HOME": str(self.dir / "home")}
        self.assertIn("Not logged in", self.exits(1, "status", env=env).stdout)
        self.assertEqual(json.loads(self.exits(1, "status", "--json", env=env).stdout), {"accounts": []})
        self.assertIn("no such ticket", self.exits(1, "ticket", "show", env=env).stdout)
        self.assertEqual(json.loads(self.exits(1, "ticket", "show", "--json", env=env).stdout), {"tickets": []})
        self.assertFalse((self.dir / "home").exists())

    def test_home(self):
        for env, path in (({"MESHAUTH_HOME": "a"}, "a"), ({"MESHAUTH_HOME": "", "XDG_DATA_HOME": "b"}, "b/meshauth"),
                          ({"MESHAUTH_HOME": "", "XDG_DATA_HOME": "", "HOME": "c"}, "c/.local/share/meshauth")):
            with self.subTest(path):
                env = {k: str(self.dir / v) if v else v for k, v in env.items()}
                # Nobody listens there: the key is made, and the login fails.
                done = self.exits(3, "login", "https://127.0.0.1:1", "--id-token", "-", data="a.b.c\n", env=env)
                self.assertIn("meshauthd must run there", done.stderr)
                self.assertIn("--ca", done.stderr)
                account = self.dir / path / "accounts" / "127.0.0.1_1"
                self.assertEqual(sorted(p.name for p in account.iterdir()), ["device.crt", "device.key"])
                for folder in (account, account.parent):
                    self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)

    def test_device_certificate(self):
        env = {"MESHAUTH_HOME": str(self.dir)}
        self.exits(3, "login", "https://127.0.0.1:1", "--id-token", "-", data="a.b.c", env=env)
        shown = subprocess.run(["openssl", "x509", "-in", self.dir / "accounts" / "127.0.0.1_1" / "device.crt", "-noout",
                                "-startdate", "-enddate", "-ext", "extendedKeyUsage"], capture_output=True, text=True)
        self.assertIn("notBefore=Jan  1 00:00:00 1970 GMT\nnotAfter=Dec 31 23:59:59 9999 GMT", shown.stdout)
        self.assertNotIn("TLS", shown.stdout)

    def test_tokens_that_are_none(self):
        env = {"MESHAUTH_HOME": str(self.dir / "home")}
        for token in ("", "\n", "a.b", "a.b.c.d", "a.b.c\n\n", "a.b.c d", "a.\x1b.c", "a.b." + "c" * 20000):
            with self.subTest(token[:10]):
                done = self.exits(1, "login", "https://127.0.0.1:1", "--id-token", "-", data=token, env=env)
                self.assertNotIn("\x1b", done.stderr)
        self.assertFalse((self.dir / "home").exists())


class Answers(CliTest):
    """What login makes of answers that meshauthd never gives."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="meshauth-cli."))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        if meshauth("init", cls.folder / "mesh", "--demo").returncode != 0:
            raise AssertionError("init failed")
        cls.ca = cls.folder / "mesh" / "tls.crt"
        cls.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                cls.requests.append((self.path, self.headers, body.decode()))
                status, headers, answer = cls.answer
                self.send_response(status)
                for name, value in {"Content-Length": len(answer), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):  # of a client that has heard enough
                    self.wfile.write(answer)

            def log_message(self, *args):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.ca, cls.folder / "mesh" / "tls.key")
        cls.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        cls.server.socket = context.wrap_socket(cls.server.socket, server_side=True)
        cls.url = f"https://127.0.0.1:{cls.server.server_port}"
        thread = threading.Thread(target=cls.server.serve_forever)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)

    def login(self, code, status, answer, headers=None):
        type(self).answer = (status, headers or {}, answer if isinstance(answer, bytes) else json.dumps(answer).encode())
        home = self.dir / "home"
        done = self.exits(code, "login", self.url, "--ca", self.ca, "--id-token", "-", data="aa.b_b.c-c\n",
                          env={"MESHAUTH_HOME": str(home)})
        self.assertEqual(done.stdout, "")
        self.assertNotIn("\x1b", done.stderr)
        self.assertNotIn("aa.b_b.c-c", done.stderr)
        self.assertEqual([p.name for p in home.rglob("*") if p.name in ("account.json", "ca.pem")], [])
        return done.stderr

    def test_what_it_sends(self):
        self.requests.clear()
        self.login(1, 400, {"error": "invalid_request"})
        ((path, headers, body),) = self.requests
        self.assertEqual(path, "/v1/token")
        self.assertEqual(headers["Content-Type"], "application/x-www-form-urlencoded")
        self.assertEqual(urllib.parse.parse_qs(body, strict_parsing=True), {
            "grant_type": ["urn:ietf:params:oauth:grant-type:token-exchange"],
            "requested_token_type": ["urn:ietf:params:oauth:token-type:saml2"],
            "subject_token_type": ["urn:ietf:params:oauth:token-type:id_token"],
            "subject_token": ["aa.b_b.c-c"]})

    def test_refusals(self):
        said = self.login(1, 400, {"error": "invalid_request", "error_description": "The token is too old.",
                                   "request_id": "r-17"})
        for words in (self.url, "The token is too old.", "invalid_request", "r-17"):
            self.assertIn(words, said)
        self.assertIn("does not say why", self.login(1, 401, {"error": "invalid_client"}))
        self.assertIn("\\x1b[2J", self.login(1, 400, {"error": "\x1b[2J", "error_description": "\x1b[2J\x07"}))
        self.login(1, 400, {"error": "x" * 100000, "error_description": ["y"], "request_id": {}})
        self.login(3, 503, {"error": "temporarily_unavailable", "error_description": "Later."})
        self.login(3, 429, {"error": "temporarily_unavailable"})

    def test_another_authority(self):
        self.exits(0, "init", self.dir / "other", "--demo")
        ca = str(self.dir / "other" / "tls.crt")
        said = self.exits(3, "login", self.url, "--ca", ca, "--id-token", "-", data="a.b.c",
                          env={"MESHAUTH_HOME": str(self.dir / "home")}).stderr
        self.assertIn("certificate", said)
        self.assertIn(f"that {ca} vouches for", said)

    def test_an_authority_that_is_no_certificate(self):
        none = self.file("ca.pem", "issuer: {};\n")
        said = self.exits(1, "login", self.url, "--ca", none, "--id-token", "-", data="a.b.c",
                          env={"MESHAUTH_HOME": str(self.dir / "home")}).stderr
        self.assertIn(f"{none}: not a certificate in PEM", said)
        self.assertFalse((self.dir / "home").exists())

    def test_other_servers(self):
        self.assertIn("404", self.login(1, 404, b"<html>nothing</html>"))
        self.assertIn("502", self.login(3, 502, b""))
        self.assertIn("302", self.login(1, 302, b"", {"Location": "https://127.0.0.1:1/"}))
        self.login(3, 200, b"")
        self.login(3, 200, b"\x1b[2J")
        self.login(3, 200, {"access_token": "AAAA"})
        self.login(3, 200, b"[" * 100000)
        self.login(3, 200, b" " * (2 << 20))


if __name__ == "__main__":
    unittest.main(verbosity=1)
