#!/usr/bin/env python3
"""npm's openid-client, told nothing but the issuer's URL, performs the exchanges against
meshauthd."""
import base64
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from harness import STORAGE, Device, MeshTest, Ticket, main, run  # noqa: E402
from people import Person  # noqa: E402
from services import Service, Socket  # noqa: E402


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
                for_storage, = (t["credential"] for t in answer["tickets"] if t["audience"] == STORAGE)
                rights = self.mesh.collect_ticket(for_storage)
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
                # And opens the mesh with it, each request under a proof of its own.
                self.assertEqual((said["root"]["status"], said["root"]["body"]["url"]), (200, answer["mesh"]))

    def test_what_it_discovers(self):
        said = self.exchange(self.mesh.mint("frank"), self.device.certificate, self.device.key)
        self.mesh.collect_ticket(said["answer"]["access_token"])
        server = said["server"]
        served = self.mesh.request("GET", "/.well-known/oauth-authorization-server").json
        self.assertEqual({k: server[k] for k in served}, served)
        self.assertEqual(server["token_endpoint"], self.mesh.url + "/v1/token")

    def test_rights(self):
        """Its identity ticket for a rights ticket: by certificate, and by DPoP."""
        dora = Person(self.mesh, "dora")
        folder = dora.must(201, "POST", "folders", {"name": "Trip"}).json
        asked = {"audience": STORAGE, "resource": folder["url"], "scope": "read"}
        for how in ((dora.device.certificate, dora.device.key), ("--dpop", "ES256"), ("--dpop", "RS256")):
            with self.subTest(how=how[1]):
                said = self.exchange(self.mesh.mint("dora"), *how, json.dumps(asked))
                self.assertIn("rights", said, said)
                rights, by_dpop = said["rights"], how[0] == "--dpop"
                self.assertEqual(rights["token_type"].lower(), "dpop" if by_dpop else "bearer")
                ticket = self.mesh.collect_ticket(rights["access_token"])
                self.assertEqual(ticket.audiences, [STORAGE])
                self.assertEqual(ticket.permits, [(folder["url"], ["Read"])])
                self.assertEqual(ticket.holder, base64.b64decode(said["spki"]) if by_dpop else dora.device.spki)
                self.assertEqual(self.mesh.collect_ticket(said["answer"]["access_token"]).subject, dora.id)
        eve = self.mesh.mint("eve")
        self.assertEqual(self.exchange(eve, "--dpop", "ES256", json.dumps(asked))["error"], "invalid_target")

    def test_revocation(self):
        """RFC 7009: its identity ticket renews nothing any more."""
        said = self.exchange(self.mesh.mint("gina"), self.device.certificate, self.device.key, "revoke")
        self.assertIn("answer", said, said)
        self.mesh.collect_ticket(said["answer"]["access_token"])
        self.assertEqual((said["renewal"]["error"], said["renewal"]["status"]), ("invalid_request", 400))
        self.assertRegex(said["renewal"]["description"], "revoked|session")

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
        """private_key_jwt, whose audience it has from the issuer's name; or a certificate."""
        for kind in ("p256", "rsa2048"):
            service = Service(self.mesh, kind, kind)
            for how in ((), ("--dpop",), ("--tls", service.device.certificate)):
                with self.subTest(kind, how=how):
                    said = self.log_in(service, *how)
                    self.assertIn("answer", said, said)
                    self.assertEqual(said["answer"]["token_type"].lower(), "bearer" if "--tls" in how else "dpop")
                    ticket = self.mesh.collect_ticket(said["answer"]["access_token"])
                    self.assertEqual(ticket.subject, service.id)
                    self.assertEqual(ticket.holder, base64.b64decode(said["spki"]) if "--dpop" in how else service.device.spki)

    def test_introspection(self):
        """RFC 7662, proven by private_key_jwt or by certificate, which it finds by itself."""
        iris = Person(self.mesh, "iris")
        ticket, file = Ticket(iris.ticket), self.mesh.folder / "asked"
        for kind in ("p256", "rsa2048"):
            service = Service(self.mesh, "asker-" + kind, kind)
            file.write_text(iris.ticket)
            self.assertEqual(self.log_in(service, "--ask", file)["status"], 403)
            Socket(self.mesh).call("PUT", f"roles/{service.id}/introspect")
            for how in ((), ("--tls", service.device.certificate)):
                with self.subTest(kind, how=how):
                    file.write_text(iris.ticket)
                    said = self.log_in(service, *how, "--ask", file)
                    self.assertIn("introspection", said, said)
                    said = said["introspection"]
                    self.assertEqual((said["active"], said["sub"], said["jti"], said["aud"], said["iss"]),
                                     (True, iris.id, ticket.id, [STORAGE], self.mesh.url))
                    file.write_text("abc")
                    self.assertEqual(self.log_in(service, *how, "--ask", file)["introspection"], {"active": False})

    def test_a_service_that_is_none(self):
        service = Service(self.mesh, "impostor")
        service.id = Service(self.mesh, "victim").id
        said = self.log_in(service)
        self.assertEqual((said["error"], said["status"]), ("invalid_client", 401))


if __name__ == "__main__":
    main()
