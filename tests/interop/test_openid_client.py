#!/usr/bin/env python3
"""npm's openid-client performs the exchange against meshauthd."""
import base64
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from harness import STORAGE, Device, MeshTest, Ticket, main, run  # noqa: E402
from services import Service  # noqa: E402


class OpenidClient(MeshTest):
    def exchange(self, token, *proof):
        self.mesh.keep_secret(token)
        return json.loads(run("node", HERE / "exchange.mjs", self.mesh.url, self.mesh.ca, *proof, data=token).stdout)

    def test_an_exchange(self):
        for name, device in (("p256", self.device), ("rsa", Device(self.mesh.folder, "rsa", "rsa2048"))):
            with self.subTest(name):
                said = self.exchange(self.mesh.mint("alice"), device.certificate, device.key)
                self.assertIn("answer", said, said)
                answer = said["answer"]
                self.assertEqual(answer["token_type"].lower(), "bearer")
                self.assertEqual(answer["issued_token_type"], "urn:ietf:params:oauth:token-type:saml2")
                self.assertGreater(said["expiresIn"], 3500)
                identity = self.mesh.collect_ticket(answer["access_token"])
                self.assertEqual((identity.holder, identity.audiences), (device.spki, [self.mesh.url]))
                rights = self.mesh.collect_ticket(answer["tickets"][1]["credential"])
                self.assertEqual(self.mesh.verify(rights.credential, device, STORAGE)[0], 0)

    def test_an_exchange_by_dpop(self):
        """It learns the nonce from the refusal of its first try, by itself."""
        for alg in ("ES256", "RS256"):
            with self.subTest(alg):
                said = self.exchange(self.mesh.mint("carol"), "--dpop", alg)
                self.assertIn("answer", said, said)
                answer = said["answer"]
                self.assertEqual(answer["token_type"].lower(), "dpop")
                spki = base64.b64decode(said["spki"])
                for t in answer["tickets"]:
                    self.assertEqual(self.mesh.collect_ticket(t["credential"]).holder, spki)

    def test_a_refusal_is_understood(self):
        token = self.mesh.mint("bob")
        said = self.exchange(token, self.device.certificate, self.device.key)
        self.assertEqual(Ticket(said["answer"]["access_token"]).holder, self.device.spki)
        thief = Device(self.mesh.folder, "thief")
        said = self.exchange(token, thief.certificate, thief.key)
        self.assertEqual(said, {"error": "invalid_request", "status": 400, "kind": "ResponseBodyError",
                                "description": "The subject token was already used with another device's key."})

    def log_in(self, service, *how):
        pem = service.device.key.read_text()
        return json.loads(run("node", HERE / "service.mjs", self.mesh.url, self.mesh.ca, service.id, service.alg, *how,
                              data=pem).stdout)

    def test_a_service(self):
        """private_key_jwt, whose audience it has from the issuer's name."""
        for kind in ("p256", "rsa2048"):
            service = Service(self.mesh, kind, kind)
            for how in ((), ("--dpop",)):
                with self.subTest(kind, how=how):
                    said = self.log_in(service, *how)
                    self.assertIn("answer", said, said)
                    self.assertEqual(said["answer"]["token_type"].lower(), "dpop")
                    ticket = self.mesh.collect_ticket(said["answer"]["access_token"])
                    self.assertEqual(ticket.subject, service.id)
                    self.assertEqual(ticket.holder, base64.b64decode(said["spki"]) if how else service.device.spki)

    def test_a_service_that_is_none(self):
        service = Service(self.mesh, "impostor")
        service.id = Service(self.mesh, "victim").id
        said = self.log_in(service)
        self.assertEqual((said["error"], said["status"]), ("invalid_client", 401))


if __name__ == "__main__":
    main()
