"""A real OpenID provider, npm's oidc-provider, in a process of its own, and a browser
that walks its pages."""
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
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from authority import Authority  # noqa: E402
from harness import PATIENCE_S  # noqa: E402

PAGES = 12  # that a walk may lead over


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

    def walk(self, url, user, until, stop=None):
        """From page to page, logged in as user and with consent to everything, to the URL that
        begins with until; stop: a link of the pages that is followed instead, as "abort"."""
        for _ in range(PAGES):
            status, headers, text = self.request("GET", url)
            url = urllib.parse.urljoin(url, headers.get("Location", url))
            if url.startswith(until):
                return url
            prompt = re.search('name="prompt" value="([a-z]+)"', text)
            if prompt and stop:
                link = re.search(f'href="([^"]*/{stop})"', text)
                url = urllib.parse.urljoin(url, link.group(1))
            elif prompt:  # its page: first the login, then the consent
                form = {"prompt": prompt.group(1), "login": user, "password": "any"}
                status, headers, text = self.request("POST", url, form)
                url = urllib.parse.urljoin(url, headers["Location"])
        raise AssertionError(f"no way to {until}: {status} {url}\n{text}")

    def enter_code(self, url, code, user, decision="confirm"):
        """The device flow's pages, where code is typed in; decision: "confirm" or "abort". The
        last page."""
        status, headers, text = self.request("GET", url)
        for _ in range(PAGES):
            xsrf = re.search('name="xsrf" value="([^"]+)"', text)
            prompt = re.search('name="prompt" value="([a-z]+)"', text)
            form = None
            if "op.deviceInputForm" in text:
                form = {"xsrf": xsrf.group(1), "user_code": code}
            elif "op.deviceConfirmForm" in text:
                form = {"xsrf": xsrf.group(1), "user_code": code, decision: "yes"}
            elif prompt:
                form = {"prompt": prompt.group(1), "login": user, "password": "any"}
            elif status == 200:
                return text
            status, headers, text = self.request("POST" if form else "GET", url, form)
            while "Location" in headers:
                url = urllib.parse.urljoin(url, headers["Location"])
                status, headers, text = self.request("GET", url)
            if form and form.get("abort"):
                return text
        raise AssertionError(f"no end of pages: {status} {url}\n{text}")

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
        url = browser.walk(url, user, "http://127.0.0.1/callback")
        answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert answer.get("state") == state, url
        status, _, text = browser.request("POST", found["token_endpoint"], {
            "grant_type": "authorization_code", "code": answer["code"], "client_id": client_id,
            "code_verifier": verifier, "redirect_uri": "http://127.0.0.1/callback"})
        assert status == 200, text
        return json.loads(text)["id_token"]
