"""A throw-away certificate authority, and an identity provider found by discovery that
a test can slow down, break and rotate."""
import http.server
import json
import pathlib
import ssl
import threading
import time
import urllib.parse

import idtoken
from harness import PATIENCE_S, run


class Authority:
    """Signs one server certificate for 127.0.0.1."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.ca, self.certificate, self.key = folder / "ca.crt", folder / "server.crt", folder / "server.key"
        ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        request = folder / "server.csr"
        run("openssl", "req", "-x509", *ec, "-subj", "/CN=throw-away CA", "-days", 2, "-keyout", folder / "ca.key",
            "-out", self.ca, "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")
        run("openssl", "req", "-new", *ec, "-subj", "/CN=127.0.0.1", "-keyout", self.key, "-out", request)
        extensions = folder / "server.ext"
        extensions.write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", folder / "ca.key", "-days", 2,
            "-extfile", extensions, "-out", self.certificate)


class FoundProvider(idtoken.Provider):
    """An OpenID provider over HTTPS, as far as meshauthd looks at it. What it says may be
    changed while it runs: key, delay_s, answers (path: (status, headers, body))."""

    def __init__(self, folder, client_id="app"):
        self.authority = Authority(folder)
        self.key = idtoken.Key(folder, "first")
        self.delay_s = 0
        self.answers = {}
        self.asked = []  # paths, in order
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = PATIENCE_S

            def do_GET(self):
                self.say(lambda: provider.answer(self.path))

            def do_POST(self):
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.say(lambda: provider.answer_form(self.path, dict(urllib.parse.parse_qsl(form))))

            def say(self, answer):
                provider.asked.append(self.path)
                time.sleep(provider.delay_s)
                status, headers, body = answer()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):
                pass  # a client that did not like us; its test says so

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.certificate, self.authority.key)
        # The handshake in the connection's own thread, not in the one that accepts.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        super().__init__(f"https://127.0.0.1:{self.server.server_port}", client_id)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path):
        found = {
            "/.well-known/openid-configuration": {"issuer": self.issuer, "jwks_uri": self.issuer + "/keys",
                                                  "id_token_signing_alg_values_supported": ["ES256", "RS256"],
                                                  "response_types_supported": ["code"],
                                                  "subject_types_supported": ["public"],
                                                  "authorization_endpoint": self.issuer + "/auth"},
            "/keys": {"keys": [self.key.jwk]},
        }
        if path in self.answers:
            return self.answers[path]
        if path not in found:
            return 404, {}, b"nothing here"
        return 200, {"Content-Type": "application/json"}, json.dumps(found[path]).encode()

    def answer_form(self, path, form):
        """To a POST, which only some tests' providers take."""
        return 404, {}, b"nothing here"

    def sign(self, **claims):
        return self.key.sign(self.claims(**claims))

    def group(self, name="found"):
        """For meshauth.conf."""
        return {"name": name, "issuer": self.issuer, "client_ids": [self.client_id],
                "ca_file": self.authority.ca, "create_users": True}
