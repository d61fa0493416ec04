#!/usr/bin/env python3
"""npm's openid-client performs the exchange against meshauthd."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from harness import STORAGE, Device, MeshTest, Ticket, main, run  # noqa: E402


class OpenidClient(MeshTest):
    def exchange(self, token, device):
        self.mesh.keep_secret(token)
        return json.loads(run("node", HERE / "exchange.mjs", self.mesh.url, self.mesh.ca, device.certificate, device.key,
                              data=token).stdout)

    def test_an_exchange(self):
        for name, device in (("p256", self.device), ("rsa", Device(self.mesh.folder, "rsa", "rsa2048"))):
            with self.subTest(name):
                said = self.exchange(self.mesh.mint("alice"), device)
                self.assertIn("answer", said, said)
                answer = said["answer"]
                self.assertEqual(answer["token_type"].lower(), "bearer")
                self.assertEqual(answer["issued_token_type"], "urn:ietf:params:oauth:token-type:saml2")
                self.assertGreater(said["expiresIn"], 3500)
                identity = self.mesh.collect_ticket(answer["access_token"])
                self.assertEqual((identity.holder, identity.audiences), (device.spki, [self.mesh.url]))
                rights = self.mesh.collect_ticket(answer["tickets"][1]["credential"])
                self.assertEqual(self.mesh.verify(rights.credential, device, STORAGE)[0], 0)

    def test_a_refusal_is_understood(self):
        token = self.mesh.mint("bob")
        self.assertEqual(Ticket(self.exchange(token, self.device)["answer"]["access_token"]).holder, self.device.spki)
        said = self.exchange(token, Device(self.mesh.folder, "thief"))
        self.assertEqual(said, {"error": "invalid_request", "status": 400, "kind": "ResponseBodyError",
                                "description": "The subject token was already used with another device's key."})


if __name__ == "__main__":
    main()
