#!/usr/bin/env python3
"""An ID token of a real OpenID provider, npm's oidc-provider, found by discovery under
a throw-away CA, logs in at meshauthd."""
import base64
import json
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from harness import MESHAUTH, PATIENCE_S, Device, Mesh, main, run  # noqa: E402
from oidc_peer import Peer  # noqa: E402

FLOOR_S = 10  # between two fetches of one provider's keys


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
