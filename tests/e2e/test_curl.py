#!/usr/bin/env python3
"""`meshauth header` and `meshauth curl`, against a service that others could have written."""
import json
import os
import pathlib
import time

import harness
from commands import User
from harness import Mesh, main, run, wait_until
from services import Socket
from storage import KNOWN, Storage


def register(mesh, url):
    admin = Socket(mesh)
    answer = admin.call("GET", "services/storage")
    answer = admin.call("PATCH", f"services/{answer.json['id']}", {"prefix": url}, if_match=answer.headers["ETag"])
    if answer.status != 200:
        raise AssertionError(f"storage is not changed: {answer}")


class Curl(harness.MeshTest):
    dpop = False

    def setUp(self):
        self.alice = User(self.mesh, self.id().rsplit(".", 1)[1].replace("_", "-"), "PC")
        self.folder = self.alice.json("folder", "create", "Trip")
        self.storage = Storage(self.mesh, [self.alice.account / "device.crt"], self.dpop)
        self.addCleanup(self.storage.close)
        register(self.mesh, self.storage.url + "/files")
        self.place = f"{self.storage.url}/files/{self.folder['id']}"

    def curl(self, *words, code=0, user=None, data=None, env=None):
        return (user or self.alice).says(code, "curl", *words, data=data, env=env)

    def good(self, *words, **more):
        done = self.curl(*words, **more)
        self.assertEqual(done.stderr, "")
        return done.stdout

    @property
    def cacert(self):
        return "--cacert", self.storage.ca

    def credentials(self):
        for _, _, headers, _ in self.storage.seen:
            if headers.get("Authorization"):
                self.mesh.collect_ticket(headers["Authorization"].split(" ")[1])
        return [headers.get("Authorization") for _, _, headers, _ in self.storage.seen]


class Bearer(Curl):
    def test_there_and_back(self):
        a = self.place + "/a"
        photo = self.mesh.folder / "photo"
        photo.write_bytes(bytes(range(256)) * 1000)
        self.assertEqual(self.good(a, *self.cacert, "-T", photo), "kept\n")
        back = self.mesh.folder / "back"
        self.assertEqual(self.good(a, *self.cacert, "-sSo", back), "")
        self.assertEqual(back.read_bytes(), photo.read_bytes())
        self.assertEqual(self.good(self.place + "/n?x=1", *self.cacert), "nothing\n")
        self.assertEqual([s[0] for s in self.storage.seen], ["PUT", "GET", "GET"])
        first, second, third = self.credentials()
        self.assertEqual(second, third)
        self.assertNotEqual(first, second)
        self.good(a, *self.cacert, "-X", "DELETE", "-o", back)
        self.assertEqual(harness.Ticket(self.credentials()[3].split(" ")[1]).permits, [(self.folder["url"], ["Delete"])])

    def test_header(self):
        line = self.alice.text("header", self.place + "/a")
        scheme, credential = line.removeprefix("Authorization: ").rstrip("\n").split(" ")
        self.assertEqual(scheme, "Bearer")
        self.mesh.collect_ticket(credential)
        done = run("curl", "-sS", *self.cacert, "--cert", self.alice.account / "device.crt", "--key",
                   self.alice.account / "device.key", "-H", line.strip(), self.place + "/a")
        self.assertEqual(done.stdout, "nothing\n")
        self.assertEqual(self.alice.json("header", self.place), {"headers": [line.strip()]})
        own = self.alice.text("header", f"{self.mesh.url}/v1/mesh/folders")
        self.assertNotEqual(own, line)
        self.mesh.secrets.add(own.strip()[-60:-20])

    def test_the_account_service(self):
        out = self.good(self.folder["url"])
        self.assertIn('"name":"Trip"', out)

    def test_what_was_revoked_is_fetched_anew(self):
        self.good(self.place, *self.cacert)
        old, = self.credentials()
        Socket(self.mesh).call("PUT", f"roles/{self.alice.id}/auditor")
        Socket(self.mesh).call("DELETE", f"roles/{self.alice.id}/auditor")
        wait_until(lambda: self.alice.id in self.mesh.trust.read_text(), "the revocation to be published")
        self.assertEqual(self.good(self.place, *self.cacert), "nothing\n")
        again = self.credentials()
        self.assertEqual(again[:2], [old, old])
        self.assertNotEqual(again[2], old)
        self.assertEqual(len(again), 3)

    def test_the_scope_that_is_asked_for(self):
        self.storage.hook = lambda h: (403, [("WWW-Authenticate", 'Bearer error="insufficient_scope", scope="write"')],
                                       b"no\n") if len(self.storage.seen) == 1 else (200, [], b"yes\n")
        self.assertEqual(self.good(self.place, *self.cacert), "yes\n")
        permits = [harness.Ticket(c.split(" ")[1]).permits for c in self.credentials()]
        self.assertEqual(permits, [[(self.folder["url"], ["Read"])], [(self.folder["url"], ["Write"])]])

    def test_refusals(self):
        self.storage.hook = lambda h: (401, [("WWW-Authenticate", 'Bearer error="invalid_token", '
                                              'error_description="no, \\"never\\""')], b"never\n")
        done = self.curl(self.place, *self.cacert, code=1)
        self.assertEqual(done.stdout, "never\n")  # of the last answer alone
        self.assertIn('said no (401, invalid_token: no, "never")', done.stderr)
        self.assertEqual(len(self.storage.seen), 2)
        # What reads standard input cannot be done twice.
        done = self.curl(self.place, *self.cacert, "-T", "-", code=1, data="x")
        self.assertIn("Standard input is gone", done.stderr)
        self.assertEqual(len(self.storage.seen), 3)
        self.storage.hook = lambda h: (404, [], b"not here\n")
        self.assertEqual(self.good(self.place, *self.cacert), "not here\n")
        self.assertEqual(self.curl(self.place, *self.cacert, "-f", "-sS", code=1).stdout, "")
        self.credentials()
        done = self.curl(self.place, code=3)
        self.assertIn("curl ended with 60", done.stderr)
        bob = User(self.mesh, "bob")
        self.assertIn("There is no such 'resource'.", self.curl(self.place, *self.cacert, user=bob, code=1).stderr)
        self.assertIn("curl's own stand behind the URL", self.curl("-s", self.place, code=2).stderr)
        self.assertIn("it installed?", self.curl(self.place, code=3, env={"PATH": "/nowhere"}).stderr)

    def test_what_the_service_says_of_itself(self):
        """RFC 9728: another's service gets no second try, whatever it asks for."""
        known = "/.well-known/oauth-protected-resource"
        good = {"resource": self.storage.url + "/files", "authorization_servers": [self.mesh.url]}
        for says, place, change in (
            ("", self.storage.url, {}),
            ("takes no tickets of", self.storage.url, {"authorization_servers": ["https://other.example"]}),
            ("about another resource", self.storage.url, {"resource": self.storage.url}),
            ("has not its form", self.storage.url, {"authorization_servers": self.mesh.url}),
            ("another place than its own", self.mesh.url, {}),
        ):
            challenge = f'Bearer error="invalid_token", resource_metadata="{place}{known}/files"'
            self.storage.seen.clear()

            def hook(h):
                if h.path.startswith(known):
                    self.assertIsNone(h.headers["Authorization"])
                    self.assertIsNone(h.connection.getpeercert(True))
                    return 200, [], json.dumps({**good, **change}).encode()
                return (401, [("WWW-Authenticate", challenge)], b"no\n") if len(self.storage.seen) == 1 else None

            self.storage.hook = hook
            with self.subTest(says or "good"):
                done = self.curl(self.place, *self.cacert, code=1 if says else 0)
                self.assertIn(says, done.stderr)
                asked = [path for _, path, headers, _ in self.storage.seen if headers["Authorization"]]
                self.assertEqual(len(asked), 1 if says else 2)
        self.credentials()

    def test_a_redirect_takes_nothing_along(self):
        other = Storage(self.mesh)
        self.addCleanup(other.close)
        self.storage.hook = lambda h: (302, [("Location", other.url + "/files/x")], b"there\n")
        self.assertEqual(self.good(self.place, *self.cacert), "there\n")
        for words in (("-L",), ("-sSL",), ("--location",), ("--location-trusted",), (other.url,), ("--url", other.url),
                      ("--next", other.url), ("-:",), ("-K", "-"), ("-k",), ("-v",), ("-H", "authorization: Basic eDp4"),
                      ("-u", "x:y"), ("--proxy-insecure",), ("-o",)):
            done = self.curl(self.place, *self.cacert, *words, code=2)
            self.assertEqual(done.stdout, "")
        # Nor does a file that curl reads by itself.
        home = self.mesh.folder / "curl-home"
        home.mkdir()
        (home / ".curlrc").write_text(f'location-trusted\ninsecure\nurl = "{other.url}/files/x"\n')
        self.assertEqual(self.good(self.place, *self.cacert, env={"HOME": str(home), "CURL_HOME": str(home)}), "there\n")
        self.assertEqual(other.seen, [])
        self.credentials()

    def test_nothing_secret_on_the_command_line(self):
        """Looked at while curl waits for its answer."""
        lines = []

        def look(_):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    environment = pathlib.Path(f"/proc/{pid}/environ").read_text(errors="replace")
                except OSError:
                    continue
                if line.startswith("curl ") and str(self.storage.ca) in line:
                    lines.append(line + environment)

        self.storage.hook = look
        self.good(self.place, *self.cacert)
        credential = self.credentials()[0].split(" ")[1]
        self.assertEqual(len(lines), 1)
        self.assertNotIn(credential[-60:], lines[0])
        self.assertNotIn("Bearer", lines[0])

    def test_urls(self):
        for url in ("http://127.0.0.1/x", "https://127.0.0.1/a/../b", "https://u@127.0.0.1/", "https://127.0.0.1/#a",
                    "127.0.0.1", "https://127.0.0.1/a b", "https://127.0.0.1/{a,b}"):
            with self.subTest(url):
                self.assertIn("URL must be https://", self.curl(url, code=2).stderr)
                self.assertIn("URL must be https://", self.alice.says(2, "header", url).stderr)

    def test_two_accounts(self):
        other = Mesh()
        self.addCleanup(other.close)
        root = self.alice.login(other, "--claim", "PC")["mesh"]
        self.assertIn("--account", self.curl(self.place, *self.cacert, code=2).stderr)
        self.assertEqual(self.good("--account", self.mesh.url, self.place, *self.cacert), "nothing\n")
        self.assertIn("No service is registered at that place",
                      self.curl("--account", other.url, self.place, *self.cacert, code=1).stderr)
        # A service of accounts says itself whose it is.
        self.assertIn('"name":"Trip"', self.good(self.folder["url"]))
        self.assertIn(f'"url":"{root}"', self.good(root))
        self.credentials()


class Proofs(Curl):
    """A service that takes DPoP alone, with a nonce."""

    dpop = True

    def test_it_is_learned(self):
        self.assertEqual(self.good(self.place, *self.cacert), "nothing\n")
        sent = self.credentials()
        self.assertEqual([a.split(" ")[0] for a in sent], ["Bearer", "DPoP"])
        self.assertEqual(self.good("--dpop", self.place + "/a?b=c", *self.cacert, "-d", "x", "-G"), "nothing\n")
        self.assertEqual(len(self.credentials()), 4)
        self.assertEqual(self.good(self.place + "/a", *self.cacert, "-T", self.storage.ca), "kept\n")

    def test_header(self):
        lines = self.alice.text("header", self.place, "--nonce", self.storage.nonce).splitlines()
        self.assertEqual([line.split(" ")[0] for line in lines], ["Authorization:", "DPoP:"])
        # No certificate: the proof is enough.
        done = run("curl", "-sS", *self.cacert, "-H", lines[0], "-H", lines[1], self.place)
        self.assertEqual(done.stdout, "nothing\n")
        self.credentials()
        lines = self.alice.text("header", self.place, "--dpop", "--method", "PUT").splitlines()
        self.assertEqual(len(lines), 2)
        self.mesh.collect_ticket(lines[0].split(" ")[2])



class Lookup(Curl):
    """RFC 9728, before anything is shown: whom the service trusts, and how; never for whom a ticket is."""

    def describe(self, *servers, path="/files", **more):
        self.storage.described[KNOWN + path] = {"resource": self.storage.url + path, "authorization_servers": servers} | more

    def header(self, *words, code=0, url=None):
        done = self.alice.says(code, "header", url or self.place, "--cacert", self.storage.ca, *words)
        for line in done.stdout.splitlines():
            if line.startswith("Authorization: "):
                self.mesh.collect_ticket(line.split(" ")[2])
        return done.stdout if code == 0 else done.stderr

    def test_it_is_looked_at_once_and_tells_nothing(self):
        self.describe(self.mesh.url)
        line = self.header()
        (path, headers, certificate), = self.storage.lookups
        self.assertEqual((path, headers["Authorization"], headers["DPoP"], certificate), (KNOWN + "/files", None, None, None))
        self.assertEqual(self.header(), line)  # with the ticket at hand
        self.assertEqual(self.good(self.place + "/a", *self.cacert), "nothing\n")
        self.assertEqual((len(self.storage.lookups), len(self.storage.seen)), (1, 1))
        self.credentials()
        self.storage.close()
        self.mesh.stop()
        try:
            self.assertEqual(self.header(), line)
        finally:
            self.mesh.start()

    def test_of_several_accounts(self):
        other = Mesh()
        self.addCleanup(other.close)
        self.alice.login(other, "--claim", "PC")
        self.assertIn("there are several accounts", self.header(code=2))
        self.assertEqual([path for path, _, _ in self.storage.lookups], [KNOWN + "/files", KNOWN])
        self.describe("https://elsewhere.example", self.mesh.url, path="")
        line = self.header()
        self.storage.lookups.clear()
        # From now on the account that has a ticket for it is the one that is meant.
        self.describe(other.url)
        self.assertEqual(self.header(), line)
        self.assertEqual(self.good(self.place + "/a", *self.cacert), "nothing\n")
        self.assertEqual(self.storage.lookups, [])
        self.credentials()
        # Another action is another ticket, and that account does not know the place.
        self.assertIn(f"{other.url} refused a ticket for {self.place}: No service", self.header("--method", "PUT", code=1))

    def test_what_does_not_count(self):
        other = Mesh()
        self.addCleanup(other.close)
        self.alice.login(other, "--claim", "PC")
        good = {"resource": self.storage.url + "/files", "authorization_servers": [self.mesh.url]}
        for name, hook in (
                ("another resource", lambda h: (200, [], json.dumps(good | {"resource": self.storage.url + "/other"}).encode())),
                ("no list", lambda h: (200, [], json.dumps(good | {"authorization_servers": self.mesh.url}).encode())),
                ("no JSON", lambda h: (200, [], b"<html>")),
                ("too large", lambda h: (200, [], json.dumps(good).encode() + b" " * 40000)),
                ("a redirect", lambda h: (302, [("Location", self.storage.url + "/good")], b"")
                 if h.path.startswith(KNOWN) else (200, [], json.dumps(good).encode())),
                ("slow", lambda h: time.sleep(4) or (200, [], json.dumps(good).encode())),
                ("of nobody", lambda h: (200, [], json.dumps(good | {"authorization_servers": []}).encode()))):
            with self.subTest(name):
                self.storage.hook = hook
                self.assertIn("there are several accounts", self.header(code=2))
        self.assertEqual(self.storage.seen, [])
        done = self.alice.says(2, "header", self.place)  # nor of whom TLS does not show that it is there
        self.assertIn("there are several accounts", done.stderr)

    def test_it_says_dpop(self):
        """And that is kept with the ticket."""
        self.describe(self.mesh.url, dpop_bound_access_tokens_required=True)
        for _ in range(2):
            lines = self.header().splitlines()
            self.assertEqual([line.split(" ")[0] for line in lines], ["Authorization:", "DPoP:"])
            self.assertTrue(lines[0].startswith("Authorization: DPoP "))
        self.assertEqual(len(self.storage.lookups), 1)

    def test_a_hostile_service_gets_no_ticket_of_another(self):
        evil = Storage(self.mesh)
        self.addCleanup(evil.close)
        place = f"{evil.url}/files/{self.folder['id']}"
        for resource in (evil.url + "/files", self.storage.url + "/files", self.folder["url"]):
            evil.described[KNOWN + "/files"] = {"resource": resource, "authorization_servers": [self.mesh.url]}
            done = self.alice.says(1, "header", place, "--cacert", evil.ca)
            self.assertIn(f"refused a ticket for {place}: No service is registered at that place", done.stderr)
            self.curl(place, "--cacert", evil.ca, code=1)
        evil.described[KNOWN + "/files"] = {"resource": evil.url + "/files", "authorization_servers": ["https://a.example"]}
        done = self.alice.says(1, "header", place, "--cacert", evil.ca)
        self.assertIn(f"the service takes no tickets of {self.mesh.url}", done.stderr)
        self.assertEqual(evil.seen, [])
        # Of a service that is registered the registry counts.
        self.describe("https://a.example")
        self.assertIn("Authorization: Bearer ", self.header())


if __name__ == "__main__":
    main()
