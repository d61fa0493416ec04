"""A storage service as somebody else would write it: HTTPS by Python, its verdicts by `meshauth ticket verify`."""
import base64
import hashlib
import http.server
import json
import pathlib
import secrets
import ssl
import threading
import time

import harness
from harness import STORAGE, run

P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
KNOWN = "/.well-known/oauth-protected-resource"
ACTIONS = {"GET": "read", "HEAD": "read", "PUT": "write", "POST": "write", "DELETE": "delete"}


def pem_of(der, kind):
    body = base64.encodebytes(der).decode().replace("\n", "")
    return f"-----BEGIN {kind}-----\n" + "\n".join(body[i:i + 64] for i in range(0, len(body), 64)) + f"\n-----END {kind}-----\n"


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def integer(raw):
    raw = raw.lstrip(b"\0") or b"\0"
    raw = b"\0" + raw if raw[0] & 0x80 else raw
    return b"\x02" + bytes([len(raw)]) + raw


class Storage:
    """
    dpop: proofs alone, with a nonce. What came is in seen: (method, path, headers, body);
    of its metadata, which are described (by their paths), in lookups: (path, headers, certificate).
    hook, if there is one, answers (status, headers, body) first; None lets it pass.
    """

    def __init__(self, mesh, devices=(), dpop=False):
        self.mesh = mesh
        self.dpop = dpop
        self.nonce = secrets.token_urlsafe(12)
        self.seen = []
        self.lookups = []
        self.described = {}
        self.files = {}
        self.hook = None
        self.folder = pathlib.Path(harness.tempfile.mkdtemp(dir=mesh.folder))
        self.port = harness.free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.ca = self.folder / "tls.crt"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=storage", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", self.folder / "tls.key",
            "-out", self.ca)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, self.folder / "tls.key")
        context.verify_mode = ssl.CERT_OPTIONAL
        for certificate in devices:
            context.load_verify_locations(certificate)
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self):
                service.answer(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, h):
        body = h.rfile.read(int(h.headers.get("Content-Length") or 0))
        if h.path.startswith(KNOWN):
            self.lookups.append((h.path, h.headers, h.connection.getpeercert(True)))
        else:
            self.seen.append((h.command, h.path, h.headers, body))
        status, headers, text = (self.hook and self.hook(h)) or self.describe(h) or self.decide(h, body)
        h.send_response(status)
        for name, value in headers:
            h.send_header(name, value)
        h.send_header("Content-Length", str(len(text)))
        h.end_headers()
        if h.command != "HEAD":
            h.wfile.write(text)

    def describe(self, h):
        """RFC 9728, where there is anything to be said."""
        if h.path in self.described:
            return 200, [("Content-Type", "application/json")], json.dumps(self.described[h.path]).encode()
        return (404, [], b"not here\n") if h.path.startswith(KNOWN) else None

    def refuse(self, status, error=None):
        scheme = "DPoP" if self.dpop else "Bearer"
        value = f'{scheme} realm="storage"' + (f', error="{error}", error_description="it says {error}"' if error else "")
        return status, [("WWW-Authenticate", value), ("DPoP-Nonce", self.nonce)], b"refused\n"

    def decide(self, h, body):
        scheme, _, credential = (h.headers.get("Authorization") or "").partition(" ")
        if scheme != ("DPoP" if self.dpop else "Bearer"):
            return self.refuse(401)
        if self.dpop:
            holder = self.proven(h, credential)
        else:
            der = h.connection.getpeercert(True)
            holder = der and pem_of(der, "CERTIFICATE")
        if not holder:
            return self.refuse(401, "use_dpop_nonce" if self.dpop else "invalid_token")
        verdict = self.verify(credential, holder)
        if verdict["verdict"] != "accept":
            return self.refuse(401, "invalid_token")
        folder = h.path.split("?")[0].split("/")[2]
        node = f"{self.mesh.url}/v1/mesh/folders/{folder}"
        action = ACTIONS[h.command]
        if not any(p["resource"] == node and action in p["actions"] for p in verdict["permits"]):
            status, headers, text = self.refuse(403, "insufficient_scope")
            return status, [(n, v + f', scope="{action}"' if n == "WWW-Authenticate" else v) for n, v in headers], text
        if h.command == "PUT":
            self.files[h.path] = body
            return 201, [], b"kept\n"
        return 200, [], self.files.get(h.path, b"nothing\n")

    def verify(self, credential, holder):
        file, key = self.folder / secrets.token_hex(8), self.folder / secrets.token_hex(8)
        file.write_text(credential)
        key.write_text(holder)
        done = run(harness.MESHAUTH, "ticket", "verify", file, "--trust", self.mesh.trust, "--root", self.mesh.vkey,
                   "--audience", STORAGE, "--holder", key, "--json", check=False)
        return json.loads(done.stdout)

    def proven(self, h, credential):
        """RFC 9449 4.3: the key, as PEM, or None."""
        head, claims, signature = (h.headers.get("DPoP") or "..").split(".")
        try:
            header, said = json.loads(unb64(head)), json.loads(unb64(claims))
            spki = P256_SPKI + unb64(header["jwk"]["x"]) + unb64(header["jwk"]["y"])
        except (ValueError, KeyError):
            return None
        raw = unb64(signature)
        der = integer(raw[:32]) + integer(raw[32:])
        for name, data in (("key", pem_of(spki, "PUBLIC KEY").encode()), ("said", f"{head}.{claims}".encode()),
                           ("sig", b"\x30" + bytes([len(der)]) + der)):
            (self.folder / name).write_bytes(data)
        good = run("openssl", "dgst", "-sha256", "-verify", self.folder / "key", "-signature", self.folder / "sig",
                   self.folder / "said", check=False).returncode == 0
        ath = base64.urlsafe_b64encode(hashlib.sha256(credential.encode()).digest()).decode().rstrip("=")
        want = {"htm": h.command, "htu": self.url + h.path.split("?")[0], "ath": ath, "nonce": self.nonce}
        good = good and header["typ"] == "dpop+jwt" and abs(said["iat"] - time.time()) < 60
        return pem_of(spki, "PUBLIC KEY") if good and all(said.get(k) == v for k, v in want.items()) else None
