"""People with devices, who use the graph of a Mesh over TLS as clients do."""
import json
import re
import secrets

import harness

JSON = "application/json"
PATCH = "application/merge-patch+json"
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix):
    """An id as a client makes one: 128 random bits in Crockford's base32."""
    number = secrets.randbits(128)
    return prefix + "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def another(url):
    """One that is as long, and never this one."""
    return url[:-1] + ("1" if url.endswith("0") else "0")


class Person:
    """A user on one device. answers of the service are harness.Answer."""

    def __init__(self, mesh, name, device=None):
        self.mesh = mesh
        self.name = name
        self.device = device or harness.Device(mesh.folder, f"{name}-{secrets.token_hex(4)}")
        mesh.secrets.add(self.device.secret)
        self.login()

    def login(self):
        answer = self.mesh.login(self.name, self.device)
        self.credential = answer.json["access_token"]
        self.ticket = next((t["credential"] for t in answer.json["tickets"] if t["audience"] == harness.STORAGE), None)
        self.root = answer.json["mesh"]
        self.id = self.root.rsplit("/", 1)[1]

    def on(self, device):
        """The same person on another device."""
        return Person(self.mesh, self.name, device)

    def call(self, method, url, body=None, if_match=None, fresh=False, headers=None, connection=None):
        """url: a node's, or what follows /v1/mesh/."""
        path = url.removeprefix(self.mesh.url)
        path = path if path.startswith("/") else f"/v1/mesh/{path}"
        all_headers = {"Authorization": f"Bearer {self.credential}"}
        if body is not None:
            all_headers["Content-Type"] = PATCH if method == "PATCH" else JSON
        if if_match is not None:
            all_headers["If-Match"] = if_match
        if fresh:
            all_headers["If-None-Match"] = "*"
        all_headers.update(headers or {})
        all_headers = {k: v for k, v in all_headers.items() if v is not None}
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        return self.mesh.request(method, path, data, all_headers, self.device, connection)

    def get(self, url, **more):
        return self.call("GET", url, **more)

    def must(self, status, method, url, body=None, **more):
        """The answer, which has this status."""
        answer = self.call(method, url, body, **more)
        if answer.status != status:
            raise AssertionError(f"{method} {url}: {answer}")
        return answer

    def node(self, url):
        return self.must(200, "GET", url).json

    def items(self, url):
        """All of a list, page by page."""
        found = []
        while url:
            page = self.node(url)
            found += page["items"]
            url = page.get("next")
        return found

    def etag(self, url):
        return self.must(200, "GET", url).headers["ETag"]

    def change(self, url, body):
        """A PATCH of the node as it stands."""
        return self.call("PATCH", url, body, if_match=self.etag(url))

    def delete(self, url):
        return self.call("DELETE", url, if_match=self.etag(url))

    # What people do.

    def claim(self, name="PC", **more):
        return self.call("POST", "devices", {"name": name, **more})

    def create(self, name="Trip", **more):
        """A folder's node."""
        return self.must(201, "POST", "folders", {"name": name, **more}).json

    def invite(self, folder, role="reader", **more):
        """An invitation's node, with its secret."""
        node = self.must(201, "POST", folder["links"]["invitations"], {"role": role, **more}).json
        self.mesh.secrets.add(node["secret"])
        return node

    def accept(self, invitation):
        return self.call("POST", invitation["url"] + "/accept", {"secret": invitation["secret"]})

    def join(self, folder, other, role="reader"):
        """Makes the other one a member."""
        answer = other.accept(self.invite(folder, role))
        if answer.status != 200:
            raise AssertionError(f"{other.name} does not join: {answer}")
        return answer.json

    def map(self, folder, device):
        return self.call("PUT", f"{folder['links']['mappings']}/{device['id']}")


def revoked(mesh):
    """The lines of the trust file that revoke, as sets of ids with their number."""
    return {tuple(m.group(2).split()): int(m.group(1))
            for m in re.finditer(r"^revoke (\d+) (.+)$", mesh.trust.read_text(), re.M)}
