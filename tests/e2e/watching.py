"""Updaters of services: `meshauth trust`, and what may stand between them and meshauthd."""
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import harness
from harness import MESHAUTH, PATIENCE_S, run, wait_until
from services import Socket


def refused(test, code, says, *words):
    """A sentence on standard error, and that exit code."""
    done = run(MESHAUTH, *words, check=False)
    test.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
    test.assertIn(says, done.stderr)
    return done


class Pinned:
    """The folder of a service, registered at a Mesh, in which its root is pinned."""

    def __init__(self, mesh, name, ca=None):
        self.mesh = mesh
        self.name = name
        self.dir = mesh.folder / f"pinned-{name}"
        self.trust = self.dir / "trust"
        self.status_file = self.dir / "status.json"
        self.certificate, self.key = self.dir / "service.crt", self.dir / "service.key"
        self.process = None
        self.bootstrap(mesh, ca)
        public = run("openssl", "x509", "-in", self.certificate, "-noout", "-pubkey").stdout
        answer = Socket(mesh).call("POST", "services", {"name": name, "key": public})
        if answer.status != 201:
            raise AssertionError(f"{name} is not registered: {answer}")
        self.id = answer.json["id"]
        mesh.secrets.add(self.key.read_text().split("\n")[1])

    def bootstrap(self, mesh, ca):
        shown = json.loads(run(MESHAUTH, "trust", "show", mesh.trust, "--root", mesh.vkey, "--json").stdout)
        self.fingerprint = shown["root"]["fingerprint"]
        run(MESHAUTH, "trust", "bootstrap", mesh.url, "--out", self.dir, "--ca", ca or mesh.ca,
            "--fingerprint", self.fingerprint)

    def fetch(self, *more, check=True):
        return run(MESHAUTH, "trust", "fetch", self.dir, "--service", self.id, *more, check=check)

    def shown(self):
        """What the file says that the service reads; it is whole and genuine."""
        return json.loads(run(MESHAUTH, "trust", "show", self.trust, "--root", self.dir / "root.vkey", "--json").stdout)

    # The updater.

    def start(self, *more, env=None):
        settings = json.loads((self.dir / "updater.json").read_text())
        (self.dir / "updater.json").write_text(json.dumps({**settings, "service": self.id}))
        self.log_file = self.mesh.folder / f"watch-{self.name}.log"
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [MESHAUTH, "trust", "watch", self.dir, "--status", self.status_file, *more], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**harness.os.environ, **(env or {})})

    def log(self):
        return self.log_file.read_text()

    def status(self):
        try:
            return json.loads(self.status_file.read_text())
        except FileNotFoundError:
            return {"state": None, "trouble": None, "trust": None, "confirmed": None, "pid": None}

    def wait_for(self, what, true):
        """The status of which something is true."""
        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"the updater ended with {self.process.returncode}:\n{self.log()}")
            status = self.status()
            return status if status["pid"] == self.process.pid and true(status) else None
        try:
            return wait_until(look, what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.status()}\n{self.log()}") from None

    def stop(self, number=harness.signal.SIGTERM):
        """Its exit code, and how long it took to end."""
        start = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self.process = None
        if "anitizer" in self.log():
            raise AssertionError(self.log())
        return code, time.monotonic() - start

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()


class Front:
    """
    Stands at the issuer's URL and passes what it is asked on to the mesh, which listens
    elsewhere, with a service's own key. trust answers GET /v1/trust instead: a function of
    the query (a dict) that returns (status, headers, body), or None to pass it on.
    """

    def __init__(self, mesh, port):
        self.mesh = mesh
        self.service = None  # a Pinned, whose key it has
        self.trust = None
        self.token = None  # the same for POST /v1/token
        self.asked = []  # (time, path, query) of GET /v1/trust
        self.accept = None  # of the last one
        self.passed = []  # media types of what meshauthd answered to those
        self.port = port
        self.open()

    def open(self):
        front = self
        self.connections = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = PATIENCE_S

            def setup(self):
                super().setup()
                front.connections.append(self.request)

            def do_GET(self):
                self.say(front.answer("GET", self.path, dict(self.headers), None))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.say(front.answer("POST", self.path, dict(self.headers), body))

            def say(self, answer):
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status not in (204, 304):
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *args):
                pass  # an updater that was killed

        self.server = Server(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.mesh.dir / "tls.crt", self.mesh.dir / "tls.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Nobody listens any more, and nobody is answered."""
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended

    def answer(self, method, path, headers, body):
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query))
        said = None
        if url.path == "/v1/trust":
            self.asked.append((time.monotonic(), path, query))
            self.accept = headers.get("Accept")
            said = self.trust(query) if self.trust else None
        elif url.path == "/v1/token":
            said = self.token(body) if self.token else None
        return said or self.relay(method, path, headers, body)

    def relay(self, method, path, headers, body):
        kept = {k: v for k, v in headers.items() if k in ("Authorization", "Content-Type", "Accept")}
        answer = self.mesh.request(method, path, body, kept, self.service)
        if path == harness.TOKEN:
            self.mesh.collect(answer)
        elif path.startswith("/v1/trust"):
            self.passed.append(answer.headers["Content-Type"])
        return answer.status, {k: v for k, v in answer.headers.items() if k not in ("Content-Length", "Connection")}, answer.body
