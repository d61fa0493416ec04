"""What the end-to-end tests stand on: the real binaries, real TLS, real files.

A Mesh is a service folder made by `meshauth init` and the meshauthd that serves
it. Whatever a test obtains from it is judged when the Mesh ends, by what is not
ours: every ticket by tests/interop/judge, the log by a search for secrets, the
daemon by its exit code and by what sanitizers wrote, each request and answer by
authsvc/openapi.json, to which a validator that is not ours holds them.
"""
import atexit
import base64
import calendar
import functools
import gzip
import http.client
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MAUTH_BUILD", ROOT / "build" / "dev")).resolve()
MESHAUTHD = BUILD / "authsvc" / "meshauthd"
MESHAUTH = BUILD / "cli" / "meshauth"
JUDGE = ROOT / "tests" / "interop" / "judge"
CONTRACT = ROOT / "tests" / "interop" / "contract.mjs"

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
SAML2 = "urn:ietf:params:oauth:token-type:saml2"
STORAGE = "urn:meshauth:service:storage"
TOKEN = "/v1/token"
FORM = "application/x-www-form-urlencoded"

# Tests change more in a minute than people do.
HASTE = {"changes_per_minute": 1000000}

# Sanitizers make everything slower; what is measured in seconds gives way to them.
SLOW = 5 if re.search("asan|tsan", BUILD.name) else 1
PATIENCE_S = 20 * SLOW
# For what comes when it is called, not at its next turn, on a machine that has other things to do; how long it really
# takes is for meshauth-bench to say.
PROMPT_S = 4 * SLOW

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
DS11 = "{http://www.w3.org/2009/xmldsig11#}"


def run(*command, data=None, env=None, check=True, timeout=PATIENCE_S, cwd=None):
    """A command's CompletedProcess, as text; a failure shows what it said."""
    done = subprocess.run([str(c) for c in command], input=data, capture_output=True, text=True,
                          timeout=timeout, env={**os.environ, **(env or {})}, cwd=cwd)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_until(true, what, patience_s=PATIENCE_S, step_s=0.02):
    """What true() returns, as soon as it is something."""
    end = time.monotonic() + patience_s
    while True:
        result = true()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience_s} s for {what}")
        time.sleep(step_s)


def free_port():
    """Below the ports that the kernel hands to clients, so that none of them takes it."""
    while True:
        port = random.SystemRandom().randrange(18000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


KEYS = {
    "p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa1024": ["rsa:1024"],
    "rsa2048": ["rsa:2048"],
    "ed25519": ["ed25519"],
}


class Device:
    """A device's key and its self-signed certificate."""

    def __init__(self, folder, name="device", kind="p256"):
        self.key = pathlib.Path(folder) / f"{name}.key"
        self.certificate = pathlib.Path(folder) / f"{name}.crt"
        run("openssl", "req", "-x509", "-newkey", *KEYS[kind], "-nodes", "-subj", f"/CN={name}",
            "-days", "36500", "-keyout", self.key, "-out", self.certificate)
        public = run("openssl", "x509", "-in", self.certificate, "-noout", "-pubkey").stdout
        self.spki = base64.b64decode("".join(public.split("\n")[1:-2]))

    def backdate(self):
        """Another certificate for the same key, which expired long ago."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.key.parent))
        (folder / "ca").write_text("[ca]\ndefault_ca = d\n[d]\ndatabase = index\nnew_certs_dir = .\n"
                                   "rand_serial = yes\ndefault_md = sha256\npolicy = p\n[p]\ncommonName = supplied\n")
        (folder / "index").touch()
        run("openssl", "req", "-new", "-key", self.key, "-subj", "/CN=expired", "-out", folder / "request")
        run("openssl", "ca", "-batch", "-selfsign", "-notext", "-config", "ca", "-keyfile", self.key, "-in", "request",
            "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-out", self.certificate, cwd=folder)

    @property
    def secret(self):
        """The middle of the private key, as it stands in the file."""
        return self.key.read_text().split("\n")[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # http.client.HTTPMessage
        self.body = body
        self.opened = []  # tickets that came with a node

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def request_id(self):
        return self.headers["X-Request-Id"]

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def assertion_of(credential):
    """The XML of a credential, plain or deflated."""
    raw = base64.urlsafe_b64decode(credential + "=" * (-len(credential) % 4))
    return (raw if raw.startswith(b"<") else zlib.decompress(raw, -zlib.MAX_WBITS)).decode()


class Ticket:
    """What an assertion says, read by a stock XML parser."""

    def __init__(self, credential):
        self.credential = credential
        self.xml = assertion_of(credential)
        root = ElementTree.fromstring(self.xml)
        self.id = root.get("ID")
        self.issuer = root.findtext(f"{SAML}Issuer")
        self.subject = root.findtext(f"{SAML}Subject/{SAML}NameID")
        self.holder = base64.b64decode(root.findtext(f".//{DS11}DEREncodedKeyValue") or "")
        self.digest = root.findtext(f".//{DS}DigestValue")
        self.key = root.findtext(f"{DS}Signature/{DS}KeyInfo/{DS}KeyName")
        self.audiences = [a.text for a in root.iter(f"{SAML}Audience")]
        conditions = root.find(f"{SAML}Conditions")
        self.lifetime_s = (seconds(conditions.get("NotOnOrAfter")) - seconds(conditions.get("NotBefore")))
        authn = root.find(f"{SAML}AuthnStatement")
        self.session_index = authn.get("SessionIndex") if authn is not None else None
        self.permits = [(p.get("Resource"), [a.text for a in p.iter(f"{SAML}Action")])
                        for p in root.iter(f"{SAML}AuthzDecisionStatement")]
        self.facts = [(a.get("Name").rsplit(":", 1)[1], *(v.text for v in a))
                      for a in root.iter(f"{SAML}Attribute")]


def seconds(t):
    return calendar.timegm(time.strptime(t, "%Y-%m-%dT%H:%M:%SZ"))


class Socket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def base64_of(data):
    data = data.encode() if isinstance(data, str) else data
    return data if data is None else base64.b64encode(data).decode()


class Contract:
    """
    The process that holds exchanges against authsvc/openapi.json. All meshes of a test
    program share it; it says nothing until it is asked.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["node", CONTRACT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self.stop)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()

    def write(self, line):
        if not self.process:
            self.start()
        self.process.stdin.write(json.dumps(line) + "\n")

    def hold(self, method, path, body, headers, certificate, answer, local=False):
        """local: by the admin socket, where nobody needs a ticket."""
        of_answer = {}
        for name, value in answer.headers.items():
            name = name.lower()
            of_answer[name] = f"{of_answer[name]}, {value}" if name in of_answer else value
        exchange = {
            "method": method, "path": path, "certificate": certificate, "local": local,
            "headers": {name.lower(): str(value) for name, value in (headers or {}).items()},
            "body": base64_of(body), "status": answer.status,
            "answer": base64_of(answer.body), "answer_headers": of_answer,
        }
        with self.lock:
            self.write(exchange)

    def verdict(self):
        """What did not fit since it was last asked."""
        with self.lock:
            self.write({"verdict": True})
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"{CONTRACT} ended with {self.process.wait(PATIENCE_S)}")
            return json.loads(line)


contract = Contract()


def plain(base64_text):
    """The bytes of which this is the beginning, in either alphabet; None: it is no base64."""
    try:
        whole = base64_text[:len(base64_text) // 4 * 4]
        return base64.b64decode(whole.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return None


def setting(value):
    """A Python value in libconfig's syntax."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + " ".join(f"{k} = {setting(v)};" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        scalars = all(isinstance(v, str) for v in value)
        return ("[ %s ]" if scalars else "( %s )") % ", ".join(map(setting, value))
    return json.dumps(str(value)) if isinstance(value, (str, pathlib.Path)) else str(value)


@functools.cache
def documented_actions():
    """The actions that the table of docs/audit.md has."""
    table = (ROOT / "docs" / "audit.md").read_text().split("| action | what happened |")[1].split("\n\n")[0]
    rows = (line.split("|") for line in table.splitlines())
    return {action for row in rows if len(row) > 1 for action in re.findall("`([a-z.-]+)`", row[1])}


class Mesh:
    """
    A service folder with its daemon.

      settings  groups of meshauth.conf that replace those of `init --demo`, as
                dicts, or lists for lists of groups: limits={"request_s": 2}

    secrets is what must never be read in a log or in an answer to another: add to it.
    """

    def __init__(self, start=True, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meshauth-e2e."))
        self.dir = self.folder / "mesh"
        self.conf = self.dir / "meshauth.conf"
        self.trust = self.dir / "trust"
        self.vkey = self.dir / "root.vkey"
        self.ca = self.dir / "tls.crt"
        self.log_file = self.folder / "log"
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.daemon = None
        self.tickets = {}  # XML by id
        self.secrets = set()
        self.lock = threading.Lock()
        try:
            self.make(start, settings)
        except BaseException:
            self.discard()
            raise

    def make(self, start, settings):
        run(MESHAUTH, "init", self.dir, "--demo", "--listen", f"127.0.0.1:{self.port}")
        if settings:
            self.configure_in_haste(**settings)
        else:
            self.conf.write_text(f"{self.conf.read_text()}limits = {setting(HASTE)};\n")
        for file in ("tls.key", "root.key", "seal.key", "idp.key"):
            lines = (self.dir / file).read_text().split("\n")
            self.secrets.add(lines[1] if lines[0].startswith("-----") else lines[0])
        if start:
            self.start()

    def configure(self, **settings):
        """Writes the configuration anew, with these groups in place of the demo's."""
        groups = {
            "issuer": {"url": self.url},
            "listen": {"address": "127.0.0.1", "port": self.port},
            "providers": [self.demo_provider()],
            **settings,
        }
        self.conf.write_text("".join(f"{k} = {setting(v)};\n" for k, v in groups.items()))

    def configure_in_haste(self, **settings):
        self.configure(**{**settings, "limits": {**HASTE, **settings.get("limits", {})}})

    def demo_provider(self):
        return {"name": "demo", "issuer": f"{self.url}/demo-idp", "client_ids": ["meshauth"],
                "jwks_file": "idp.jwks", "create_users": True, "demo": True}

    # The daemon.

    def command(self):
        return [MESHAUTHD, "-c", self.conf]

    def start(self, wait=True):
        with open(self.log_file, "ab") as log:
            # Writing past a file size limit is an error for the daemon, not its end.
            self.daemon = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, restore_signals=False)
        if wait:
            wait_until(self.healthy, f"meshauthd to serve; its log:\n{self.log_text()}")

    def healthy(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"meshauthd ended with {self.daemon.returncode}:\n{self.log_text()}")
        try:
            return self.request("GET", "/healthz").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def signal(self, number):
        self.daemon.send_signal(number)

    def stop(self):
        """SIGTERM: it must end by itself, without a complaint of its sanitizers."""
        self.signal(signal.SIGTERM)
        try:
            code = self.daemon.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"meshauthd did not end on SIGTERM:\n{self.log_text()}") from None
        self.daemon = None
        if code != 0:
            raise AssertionError(f"meshauthd: exit {code}:\n{self.log_text()[-8000:]}")

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def close(self):
        """Ends the daemon, judges what came out of it, removes the folder."""
        try:
            if self.daemon:
                self.stop()
            self.check_log()
            self.check_store()
            self.check_contract()
            self.judge_tickets()
        finally:
            self.discard()

    def discard(self):
        if self.daemon:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cpu_ticks(self):
        """User and system time that the daemon has used, in clock ticks."""
        fields = pathlib.Path(f"/proc/{self.daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def limit_files(self, size):
        """No file of the daemon may grow beyond size from now on; None: any may."""
        soft = resource.RLIM_INFINITY if size is None else size
        resource.prlimit(self.daemon.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    def readyz(self):
        """What /readyz on the admin socket says: its status, and the document."""
        c = Socket(self.dir / "admin.sock")
        c.request("GET", "/readyz")
        answer = c.getresponse()
        said = answer.status, json.loads(answer.read())
        c.close()
        return said

    # Its log.

    def log_text(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log(self):
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def log_of(self, answer):
        """The line of a request, which is written before its answer leaves."""
        lines = [line for line in self.log() if line.get("request") == answer.request_id and "status" in line]
        if len(lines) != 1:
            raise AssertionError(f"{len(lines)} lines of log for {answer}")
        return lines[0]

    def check_log(self):
        text = self.log_text()
        odd = [line for line in text.splitlines() if not line.startswith("{")]
        if odd:
            raise AssertionError("this is no line of log:\n" + "\n".join(odd)[:8000])
        found = self.find_secrets(text)
        if found:
            raise AssertionError(f"the log holds secrets: {found}")

    def check_store(self):
        """Whatever it wrote down: the store with the audit log, indexes, archives, the trust file."""
        for file in [self.trust, *(f for f in (self.dir / "store").rglob("*") if f.is_file())]:
            data = file.read_bytes() if file.exists() else b""
            data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            found = self.find_secrets(data)
            if found:
                raise AssertionError(f"{file} holds secrets: {found}")
            unknown = {a.decode() for a in re.findall(rb'{"action":"([ !#-~]{1,60})","', data)} - documented_actions()
            if unknown:
                raise AssertionError(f"{file} has records of what docs/audit.md does not know: {unknown}")

    def check_contract(self):
        odd = contract.verdict()
        if odd:
            raise AssertionError("this is not as authsvc/openapi.json describes it:\n" + "\n".join(odd)[:8000])

    def keep_secret(self, token):
        """A token's last part is what makes it worth stealing; any part may leak it."""
        with self.lock:
            self.secrets.update(p for p in token.split(".")[-2:] if len(p) > 20)

    def find_secrets(self, text):
        """Those that stand in a text; in bytes also what they are the base64 of."""
        tickets = [re.search("<ds:SignatureValue>(.{40})", xml).group(1) for xml in self.tickets.values()]
        wanted = [s[:40] for s in [*self.secrets, *tickets]]
        if isinstance(text, str):
            return [s for s in wanted if s in text]
        return [s for s in wanted if len(set(s)) > 8 and (s.encode() in text or (plain(s) or s.encode()) in text)]

    # Requests.

    def context(self, device=None):
        context = ssl.create_default_context(cafile=self.ca)
        if device:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")  # what is too weak is for the server to refuse
            context.load_cert_chain(device.certificate, device.key)
        return context

    def connection(self, device=None):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE_S, context=self.context(device))

    def request(self, method, path, body=None, headers=None, device=None, connection=None, sent=None):
        """sent is called between question and answer."""
        c = connection or self.connection(device)
        try:
            c.request(method, path, body, headers or {})
            if sent:
                sent()
            response = c.getresponse()
            answer = Answer(response.status, response.headers, response.read())
            contract.hold(method, path, body, headers, device is not None or connection is not None, answer)
            self.collect_opened(path, answer)
            return answer
        finally:
            if not connection:
                c.close()

    def post(self, form, device=None, connection=None, sent=None):
        """A form to the token endpoint; a dict, a list of pairs, or text as it is."""
        body = form if isinstance(form, (str, bytes)) else urllib.parse.urlencode(form)
        answer = self.request("POST", TOKEN, body, {"Content-Type": FORM}, device, connection, sent)
        self.collect(answer)
        return answer

    def form(self, token, **more):
        """Of an exchange; more are further parameters, or None to leave one out."""
        self.keep_secret(token)
        form = {"grant_type": EXCHANGE, "subject_token_type": ID_TOKEN, "subject_token": token,
                "requested_token_type": SAML2, **more}
        return {k: v for k, v in form.items() if v is not None}

    def exchange(self, token, device, connection=None, **more):
        """Trades an ID token."""
        return self.post(self.form(token, **more), device, connection)

    def login(self, name, device):
        """A login that must succeed."""
        answer = self.exchange(self.mint(name), device)
        if answer.status != 200:
            raise AssertionError(f"login of {name}: {answer}")
        return answer

    def mint(self, name):
        token = run(MESHAUTH, "idp", "mint", name, "-c", self.conf).stdout.strip()
        self.keep_secret(token)
        return token

    def collect(self, answer):
        """Every ticket that leaves is judged in the end."""
        if answer.status != 200:
            return
        body = answer.json
        for credential in [body["access_token"], *(t["credential"] for t in body["tickets"])]:
            self.collect_ticket(credential)

    def collect_opened(self, path, answer):
        """The tickets that go with the answer to a change of the graph; the node is what remains."""
        if path.startswith("/v1/mesh/") and answer.status in (200, 201) and b'"tickets":[' in answer.body:
            node = answer.json
            answer.opened = node.pop("tickets")
            answer.body = json.dumps(node).encode()
            for ticket in answer.opened:
                self.collect_ticket(ticket["credential"])

    def collect_ticket(self, credential):
        ticket = Ticket(credential)
        with self.lock:
            if self.tickets.setdefault(ticket.id, ticket.xml) != ticket.xml:
                raise AssertionError(f"two tickets with the id {ticket.id}")
            self.secrets.add(credential[-60:-20])
        return ticket

    def judge_tickets(self):
        if self.tickets:
            file = self.folder / "tickets"
            file.write_text("\n".join(self.tickets.values()))
            run(JUDGE, "--trust", self.trust, file, timeout=120)

    def raw(self, device=None):
        """A TLS connection to write bytes to."""
        s = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        return self.context(device).wrap_socket(s, server_hostname="127.0.0.1")

    def audit(self, **query):
        """Records by the admin socket, newest first."""
        c = Socket(self.dir / "admin.sock")
        try:
            query.setdefault("limit", 10000)
            c.request("GET", "/v1/audit?" + urllib.parse.urlencode(query))
            response = c.getresponse()
            body = response.read()
            if response.status != 200:
                raise AssertionError(f"audit: {response.status} {body}")
            return json.loads(body)["items"]
        finally:
            c.close()

    def verify(self, credential, device, audience=STORAGE, trust=None):
        """What `meshauth ticket verify` says, and its exit code."""
        file = self.folder / "to-verify"
        file.write_text(credential + "\n")
        done = run(MESHAUTH, "ticket", "verify", file, "--trust", trust or self.trust, "--root", self.vkey,
                   "--audience", audience, "--holder", device.certificate, "--json", check=False)
        return done.returncode, json.loads(done.stdout or "{}")


def read_all(sock, patience_s=PATIENCE_S):
    """Everything until the peer closes, and whether it did (rather than be silent)."""
    data = b""
    sock.settimeout(patience_s)
    try:
        while True:
            part = sock.recv(65536)
            if not part:
                return data, True
            data += part
    except TimeoutError:
        return data, False
    except OSError:  # a reset, or TLS ended without its closing alert: closed all the same
        return data, True


class MeshTest(unittest.TestCase):
    """Tests that share one Mesh, with settings, and a device."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.mesh = Mesh(start=False)
        cls.addClassCleanup(cls.mesh.close)
        settings = cls.prepare()
        if settings:
            cls.mesh.configure_in_haste(**settings)
        cls.mesh.start()
        cls.device = Device(cls.mesh.folder)
        cls.mesh.secrets.add(cls.device.secret)

    @classmethod
    def prepare(cls):
        """Runs before the daemon starts; returns settings."""
        return cls.settings

    def assert_refused(self, answer, status, error, description, reason):
        """The answer of RFC 6749 5.2, and its line of log."""
        self.assertEqual((answer.status, answer.json.get("error"), answer.json.get("error_description")),
                         (status, error, description))
        self.assertEqual(answer.json["request_id"], answer.request_id)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        line = self.mesh.log_of(answer)
        self.assertEqual((line["status"], line.get("reason")), (status, reason))

    def assert_over(self, answer):
        """Its session is closed, or its ticket dead by the trust file: whichever is seen first."""
        name = answer.json["type"].rsplit(":", 1)[1]
        self.assert_problem(answer, 401, name if name == "revoked" else "session")

    def assert_problem(self, answer, status, name):
        """The answer of RFC 9457, and its line of log."""
        self.assertEqual((answer.status, answer.json.get("type"), answer.json.get("status")),
                         (status, "urn:meshauth:problem:" + name, status))
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(answer.json["request_id"], answer.request_id)
        self.assertEqual(self.mesh.log_of(answer).get("reason"), name)


def main():
    unittest.main(verbosity=1)
