"""Registered services of a Mesh, which log in with their key, and its admins."""
import json
import os
import secrets
import time

import harness
from idtoken import Key
from people import JSON, PATCH, Person

CLIENT = "client_credentials"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Socket:
    """An admin on the machine itself, who talks to the admin socket."""

    def __init__(self, mesh):
        self.mesh = mesh
        self.id = f"uid:{os.getuid()}"

    def call(self, method, path, body=None, if_match=None, headers=None):
        c = harness.Socket(self.mesh.dir / "admin.sock")
        try:
            path = "/v1/admin/" + path
            data, all_headers = encode(method, body, if_match, headers)
            c.request(method, path, data, all_headers)
            response = c.getresponse()
            answer = harness.Answer(response.status, response.headers, response.read())
            harness.contract.hold(method, path, data, all_headers, True, answer, local=True)
            return answer
        finally:
            c.close()


def encode(method, body, if_match, headers):
    """Body and headers of a request with JSON; text goes as it is."""
    all_headers = {"Content-Type": PATCH if method == "PATCH" else JSON} if body is not None else {}
    if if_match is not None:
        all_headers["If-Match"] = if_match
    data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
    return data, {**all_headers, **(headers or {})}


class Admin(Person):
    """A user with the role."""

    def __init__(self, mesh, name):
        super().__init__(mesh, name)
        answer = Socket(mesh).call("PUT", f"roles/{self.id}/admin")
        if answer.status != 200:
            raise AssertionError(f"no role for {name}: {answer}")

    def call(self, method, path, body=None, if_match=None, headers=None, **more):
        path = path if path.startswith(("/", "http")) else "/v1/admin/" + path
        return super().call(method, path, body, if_match, headers=headers, **more)


class Service:
    """One that is registered, with a key of its own."""

    def __init__(self, mesh, name, kind="p256", **more):
        self.mesh = mesh
        self.name = name
        self.device = harness.Device(mesh.folder, f"{name}-{secrets.token_hex(4)}", kind)
        mesh.secrets.add(self.device.secret)
        self.alg = "ES256" if kind == "p256" else "RS256"
        self.key = Key(mesh.folder, name, self.alg, self.device.key)
        answer = Socket(mesh).call("POST", "services", {"name": name, "key": self.pem, **more})
        if answer.status != 201:
            raise AssertionError(f"{name} is not registered: {answer}")
        self.node = answer.json
        self.id = self.node["id"]

    @property
    def pem(self):
        return harness.run("openssl", "pkey", "-in", self.device.key, "-pubout").stdout

    def claims(self, **changes):
        """Those of a good assertion of now; None removes one."""
        good = {"iss": self.id, "sub": self.id, "aud": self.mesh.url, "jti": secrets.token_hex(8),
                "exp": int(time.time()) + 60, "iat": int(time.time())}
        return {k: v for k, v in {**good, **changes}.items() if v is not None}

    def form(self, assertion=None, **more):
        form = {"grant_type": CLIENT, "client_id": self.id, **more}
        if assertion:
            self.mesh.keep_secret(assertion)
            form = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion, **form}
        return {k: v for k, v in form.items() if v is not None}

    def assertion(self, header=None, **changes):
        return self.key.sign(self.claims(**changes), header)

    def login(self, by_assertion=False, device=None):
        """The answer of the token endpoint, which must be good."""
        if by_assertion:
            answer = self.mesh.post(self.form(self.assertion()), device)
        else:
            answer = self.mesh.post(self.form(), self.device)
        if answer.status != 200:
            raise AssertionError(f"login of {self.name}: {answer}")
        self.credential = answer.json["access_token"]
        return answer

    def call(self, method, path, body=None, if_match=None, headers=None, device=None, sent=None):
        data, all_headers = encode(method, body, if_match, headers)
        all_headers = {"Authorization": f"Bearer {self.credential}", **all_headers}
        return self.mesh.request(method, path, data, all_headers, device or self.device, sent=sent)


def threads_of(mesh):
    return len(os.listdir(f"/proc/{mesh.daemon.pid}/task"))


def ask_later(connection, path, headers):
    """A request whose answer is read by the function that comes back."""
    connection.request("GET", path, None, headers)

    def answer():
        response = connection.getresponse()
        said = harness.Answer(response.status, response.headers, response.read())
        harness.contract.hold("GET", path, None, headers, True, said)
        return said

    return answer
