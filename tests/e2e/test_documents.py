#!/usr/bin/env python3
"""GET /.well-known/jwks.json and GET /saml/metadata as HTTP has them; what is in them is
judged by tests/interop/test_documents.py."""
import json
import re

from harness import MESHAUTH, MeshTest, main, run
from people import Person
from services import Admin

PATHS = {"/.well-known/jwks.json": "application/jwk-set+json", "/saml/metadata": "application/samlmetadata+xml"}


class Documents(MeshTest):
    def test_caching(self):
        for path, kind in PATHS.items():
            with self.subTest(path):
                answer = self.mesh.request("GET", path)
                etag = answer.headers["ETag"]
                self.assertEqual((answer.status, answer.headers["Content-Type"], answer.headers["Cache-Control"]),
                                 (200, kind, "public, max-age=60"))
                for tag in (etag, f'"other", {etag}', f"W/{etag}", "*"):
                    again = self.mesh.request("GET", path, headers={"If-None-Match": tag})
                    self.assertEqual((again.status, again.body, again.headers["ETag"], again.headers["Cache-Control"]),
                                     (304, b"", etag, "public, max-age=60"))
                other = self.mesh.request("GET", path, headers={"If-None-Match": '"0123456789abcdef"'})
                self.assertEqual((other.status, other.body), (200, answer.body))

    def test_are_found(self):
        server = self.mesh.request("GET", "/.well-known/oauth-authorization-server").json
        self.assertEqual(server["jwks_uri"], self.mesh.url + "/.well-known/jwks.json")

    def test_stay_and_keep_their_signer(self):
        """Over a new start, with another signature by the same key, which was made once, on record."""
        before = self.mesh.request("GET", "/saml/metadata").body.decode()
        keys = self.mesh.request("GET", "/.well-known/jwks.json").body
        self.mesh.stop()
        self.mesh.start()
        after = self.mesh.request("GET", "/saml/metadata").body.decode()
        self.assertNotEqual(after, before)
        self.assertEqual(re.findall("<ds:X509Certificate>([^<]+)", after), re.findall("<ds:X509Certificate>([^<]+)", before))
        self.assertEqual(self.mesh.request("GET", "/.well-known/jwks.json").body, keys)
        made, = self.mesh.audit(action="metadata-key.create")
        self.assertEqual((made["actor"], made["outcome"]), ("meshauthd", "done"))

    def test_what_is_pinned(self):
        """`meshauth keys metadata`, of the service that runs and of one that does not."""
        def command(*more, code=0):
            done = run(MESHAUTH, "keys", "metadata", "-c", self.mesh.conf, *more, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stdout

        xml = self.mesh.request("GET", "/saml/metadata").body.decode()
        signer = re.search("<ds:X509Certificate>([^<]+)", xml).group(1)
        for served in (True, False):
            if not served:
                self.mesh.stop()
            pem = command()
            self.assertEqual(pem.split("-----")[2].split(), signer.split())
            run("openssl", "x509", "-noout", data=pem)
            node = json.loads(command("--json"))
            self.assertEqual(node["certificate"], pem)
            if not served:
                self.mesh.start()
        made, = self.mesh.audit(action="metadata-key.create")
        self.assertEqual(node["id"], made["key"])
        answer = Admin(self.mesh, "admin").call("GET", "metadata-key")
        self.assertEqual((answer.status, answer.json), (200, node))
        bob = Person(self.mesh, "bob")
        self.assert_problem(bob.call("GET", "/v1/admin/metadata-key"), 403, "forbidden")


if __name__ == "__main__":
    main()
