#!/usr/bin/env python3
"""An ID token of a real OpenID provider, npm's oidc-provider, found by discovery under
a throw-away CA, logs in at meshauthd."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import re
import secrets
import ssl
import subprocess
import sys
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from authority import Authority  # noqa: E402
from harness import MESHAUTH, PATIENCE_S, Device, Mesh, main, run  # noqa: E402

FLOOR_S = 10  # between two fetches of one provider's keys


class Browser:
    """Follows what a provider says, with its cookies; each name by the path it is for."""

    def __init__(self, issuer, ca):
        self.host = urllib.parse.urlsplit(issuer).netloc
        self.context = ssl.create_default_context(cafile=ca)
        self.cookies = {}

    def cookies_for(self, path):
        return "; ".join(f"{name}={value}" for (name, under), value in self.cookies.items()
                         if path == under or path.startswith(under.rstrip("/") + "/"))

    def keep_cookies(self, headers):
        for line in headers.get_all("Set-Cookie") or []:
            pair, *attributes = (part.strip() for part in line.split(";"))
            name, value = pair.split("=", 1)
            under = next((a[5:] for a in attributes if a.lower().startswith("path=")), "/")
            self.cookies[(name, under)] = value

    def request(self, method, url, form=None):
        """Status, headers and text."""
        split = urllib.parse.urlsplit(url)
        target = split.path + ("?" + split.query if split.query else "")
        headers = {"Cookie": self.cookies_for(split.path), "Accept": "text/html, application/json"}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form)
        c = http.client.HTTPSConnection(self.host, context=self.context, timeout=PATIENCE_S)
        try:
            c.request(method, target, body, headers)
            response = c.getresponse()
            self.keep_cookies(response.headers)
            return response.status, response.headers, response.read().decode()
        finally:
            c.close()


class Peer:
    """oidc-provider in its process."""

    def __init__(self, folder):
        self.authority = Authority(folder)
        self.errors = open(pathlib.Path(folder) / "provider.log", "w+")
        self.process = subprocess.Popen(
            ["node", HERE / "provider.mjs", self.authority.certificate, self.authority.key], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.errors, text=True, env={**os.environ, "NODE_ENV": "test"})
        self.issuer = self.line()

    def line(self):
        said = self.process.stdout.readline().strip()
        if not said:
            self.errors.seek(0)
            raise AssertionError("oidc-provider ended:\n" + self.errors.read())
        return said

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.line()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def id_token(self, user, client_id):
        """Authorization-code flow with PKCE: log in, consent, take the code, trade it."""
        browser = Browser(self.issuer, self.authority.ca)
        status, _, found = browser.request("GET", self.issuer + "/.well-known/openid-configuration")
        assert status == 200, found
        found = json.loads(found)
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        state = secrets.token_urlsafe(16)
        url = found["authorization_endpoint"] + "?" + urllib.parse.urlencode({
            "client_id": client_id, "response_type": "code", "scope": "openid", "state": state, "nonce": "n-" + state,
            "redirect_uri": "http://127.0.0.1/callback", "code_challenge": challenge, "code_challenge_method": "S256"})
        for _ in range(10):
            status, headers, text = browser.request("GET", url)
            url = urllib.parse.urljoin(url, headers.get("Location", url))
            if url.startswith("http://127.0.0.1/callback"):
                break
            prompt = re.search('name="prompt" value="([a-z]+)"', text)
            if prompt:  # its page: first the login, then the consent
                form = {"prompt": prompt.group(1), "login": user, "password": "any"}
                status, headers, text = browser.request("POST", url, form)
                url = urllib.parse.urljoin(url, headers["Location"])
        answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert answer.get("state") == state, (status, url, text)
        status, _, text = browser.request("POST", found["token_endpoint"], {
            "grant_type": "authorization_code", "code": answer["code"], "client_id": client_id,
            "code_verifier": verifier, "redirect_uri": "http://127.0.0.1/callback"})
        assert status == 200, text
        return json.loads(text)["id_token"]


class OidcProvider(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mesh = Mesh(start=False)
        cls.addClassCleanup(cls.mesh.close)
        cls.peer = Peer(cls.mesh.folder)
        cls.addClassCleanup(cls.peer.close)
        cls.mesh.configure(providers=[cls.provider("mesh-RS256", "mesh-ES256")])
        cls.mesh.start()

    @classmethod
    def provider(cls, *client_ids):
        return {"name": "peer", "issuer": cls.peer.issuer, "client_ids": client_ids,
                "ca_file": cls.peer.authority.ca, "create_users": True}

    def meshauth_login(self, token, home, mesh=None):
        mesh = mesh or self.mesh
        mesh.keep_secret(token)
        done = run(MESHAUTH, "login", mesh.url, "--ca", mesh.ca, "--id-token", "-", data=token, check=False,
                   env={"MESHAUTH_HOME": str(mesh.folder / home)})
        tickets = []
        for file in (mesh.folder / home).glob("accounts/*/*.json"):
            for t in json.loads(file.read_text()).get("tickets", []):
                tickets.append(mesh.collect_ticket(t["credential"]))
        return done, tickets

    def test_login_with_rs256_and_es256(self):
        subjects = set()
        for alg in ("RS256", "ES256"):
            with self.subTest(alg):
                token = self.peer.id_token("alice", f"mesh-{alg}")
                header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
                self.assertEqual(header["alg"], alg)
                done, tickets = self.meshauth_login(token, "laptop-" + alg)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(len(tickets), 2)
                subjects.update(t.subject for t in tickets)
        self.assertEqual(len(subjects), 1, "alice is alice, whatever signs for her")
        done, tickets = self.meshauth_login(self.peer.id_token("bob", "mesh-RS256"), "bobs")
        self.assertNotIn(tickets[0].subject, subjects)

    def test_a_token_of_it_for_another_client(self):
        mesh = Mesh(start=False)
        self.addCleanup(mesh.close)
        mesh.configure(providers=[self.provider("mesh-ES256")])
        mesh.start()
        done, tickets = self.meshauth_login(self.peer.id_token("alice", "mesh-RS256"), "laptop", mesh)
        self.assertEqual((done.returncode, tickets), (1, []))
        self.assertIn("another client", done.stderr)

    def test_it_rotates_its_keys(self):
        device = Device(self.mesh.folder, "rotation")
        self.assertEqual(self.mesh.exchange(self.peer.id_token("alice", "mesh-ES256"), device).status, 200)
        asked = int(self.peer.tell("asked"))
        self.peer.tell("rotate")
        token = self.peer.id_token("alice", "mesh-ES256")
        started = time.monotonic()
        while True:
            answer = self.mesh.exchange(token, device)
            if answer.status == 200 or time.monotonic() - started > FLOOR_S + PATIENCE_S:
                break
            self.assertEqual(self.mesh.log_of(answer)["reason"], "token-key")
            time.sleep(0.25)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(int(self.peer.tell("asked")), asked + 1)


if __name__ == "__main__":
    main()
