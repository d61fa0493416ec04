#!/usr/bin/env python3
"""Nothing secret: neither the log, nor an answer to somebody else, nor the audit log of
a whole run holds an ID token, a ticket, or a private key."""
import base64
import json
import re
import unittest

import idtoken
from harness import MESHAUTH, Device, Mesh, main, run


class Secrets(unittest.TestCase):
    def test_a_run(self):
        mesh = Mesh()
        self.addCleanup(mesh.close)
        device, thief = Device(mesh.folder), Device(mesh.folder, "thief", "rsa2048")
        mesh.secrets.update((device.secret, thief.secret))
        stranger = idtoken.Key(mesh.folder, "demo")
        said = []  # answers that carry no ticket

        token = mesh.mint("alice")
        good = mesh.exchange(token, device)
        self.assertEqual(good.status, 200)
        said.append(mesh.exchange(token, thief))
        said.append(mesh.exchange(token, None))
        said.append(mesh.exchange(token + "x", device))
        said.append(mesh.exchange(token, device, actor_token=good.json["access_token"], actor_token_type="x"))
        said.append(mesh.exchange(good.json["access_token"], device))
        said.append(mesh.exchange(stranger.sign(idtoken.Provider(f"{mesh.url}/demo-idp", "meshauth").claims()), device))
        said.append(mesh.post(f"subject_token={token}&subject_token={token}", device))
        said.append(mesh.post(f"{token}=1", device))
        credential = good.json["tickets"][1]["credential"]
        for path in (f"/v1/token?subject_token={token}", f"/healthz?{credential}", "/healthz"):
            said.append(mesh.request("GET", path, headers={"Authorization": f"Bearer {credential}", "X-Token": token}))
        said.append(mesh.request("POST", "/v1/token", token, {"Content-Type": token[:80]}, device))
        said.append(mesh.request("POST", "/healthz", token))
        for answer in said:
            self.assertNotEqual((answer.status, b"access_token" in answer.body), (200, True))
            self.assertEqual(mesh.find_secrets(answer.body.decode() + str(answer.headers)), [], answer)

        queried = run(MESHAUTH, "audit", "query", "-c", mesh.conf, "--json").stdout
        for text in (json.dumps(mesh.audit()), queried, run(MESHAUTH, "audit", "query", "-c", mesh.conf).stdout):
            self.assertEqual(mesh.find_secrets(text), [])
        self.assertIn(mesh.audit(action="login", outcome="allow")[0]["ticket"], queried)

        mesh.stop()
        log = mesh.log_text()
        self.assertEqual(mesh.find_secrets(log), [])
        # Nor pieces of them, however they were cut or encoded.
        for secret in (token.split(".")[1], token.split(".")[2], credential):
            for at in range(0, len(secret) - 24, 24):
                self.assertNotIn(secret[at:at + 24], log)
        self.assertIsNone(re.search("-----BEGIN|eyJ[A-Za-z0-9_-]{20}|<saml:", log))

    def test_the_search_finds_what_is_there(self):
        mesh = Mesh()
        self.addCleanup(mesh.close)
        device = Device(mesh.folder)
        answer = mesh.login("alice", device)
        ticket = next(iter(mesh.tickets.values()))
        for leak in (next(s for s in mesh.secrets if "." not in s), ticket):
            self.assertTrue(mesh.find_secrets(f"before {leak} after"))
            self.assertTrue(mesh.find_secrets(f"before {leak} after".encode()))
        key = device.secret[:40]
        mesh.secrets.add(key)
        self.assertIn(key, mesh.find_secrets(b"\0" + base64.b64decode(key) + b"\0"))
        self.assertTrue(mesh.find_secrets(mesh.mint("bob")))
        self.assertEqual(mesh.find_secrets(f"request {answer.request_id}"), [])

    def test_files_of_the_service_are_its_own(self):
        mesh = Mesh()
        self.addCleanup(mesh.close)
        for file in mesh.dir.rglob("*"):
            mode = file.stat().st_mode & 0o777
            if file.suffix == ".key" or file.name == "admin.sock":
                self.assertEqual(mode, 0o600, file)
            if file.name in ("store", "data.mdb", "lock.mdb"):
                self.assertEqual(mode & 0o077, 0, file)


if __name__ == "__main__":
    main()
