#!/usr/bin/env python3
"""Logins of clients that prove their key by DPoP (RFC 9449) instead of TLS."""
import hashlib
import time
import urllib.parse

from harness import FORM, TOKEN, Answer, Device, MeshTest, Ticket, main
from idtoken import Key, b64


class Prover:
    """A device that makes DPoP proofs with its key."""

    def __init__(self, mesh, device, name):
        self.mesh = mesh
        self.device = device
        self.key = Key(mesh.folder, name, path=device.key)
        self.serial = 0

    def proof(self, nonce=None, header=None, **changes):
        self.serial += 1
        jwk = {k: v for k, v in self.key.jwk.items() if k in ("kty", "crv", "x", "y")}
        claims = {"jti": f"{self.key.kid}-{self.serial}", "htm": "POST", "htu": self.mesh.url + TOKEN,
                  "iat": int(time.time()), "nonce": nonce, **changes}
        return self.key.sign({k: v for k, v in claims.items() if v is not None},
                             {"typ": "dpop+jwt", "kid": None, "jwk": jwk, **(header or {})})


class Dpop(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prover = Prover(cls.mesh, cls.device, "device")

    def send(self, token, *proofs, device=None):
        """An exchange with these DPoP headers."""
        body = urllib.parse.urlencode(self.mesh.form(token)).encode()
        c = self.mesh.connection(device)
        try:
            c.putrequest("POST", TOKEN)
            c.putheader("Content-Type", FORM)
            c.putheader("Content-Length", str(len(body)))
            for proof in proofs:
                c.putheader("DPoP", proof)
            c.endheaders(body)
            response = c.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            c.close()
        self.mesh.collect(answer)
        return answer

    def nonce(self):
        """What a client learns from its first try."""
        answer = self.send(self.mesh.mint("alice"), self.prover.proof())
        self.assertEqual(answer.json["error"], "use_dpop_nonce")
        return answer.headers["DPoP-Nonce"]

    def refused(self, answer, error, description, reason):
        self.assert_refused(answer, 400, error, description, reason)

    def not_a_proof(self, answer):
        self.refused(answer, "invalid_dpop_proof",
                     "The DPoP proof is malformed, used before, or made for another request.", "dpop-proof")

    def test_a_login(self):
        answer = self.send(self.mesh.mint("alice"), self.prover.proof(self.nonce()))
        self.assertEqual((answer.status, answer.json["token_type"]), (200, "DPoP"))
        for t in answer.json["tickets"]:
            self.assertEqual(Ticket(t["credential"]).holder, self.device.spki)
        code, verdict = self.mesh.verify(answer.json["tickets"][1]["credential"], self.device)
        self.assertEqual((code, verdict["verdict"]), (0, "accept"))

    def test_a_nonce_is_demanded(self):
        description = "Make a new DPoP proof with the nonce in the DPoP-Nonce header."
        for proof in (self.prover.proof(), self.prover.proof("AAAAAAAAAAAAAAAAAAAAAA")):
            answer = self.send(self.mesh.mint("alice"), proof)
            self.refused(answer, "use_dpop_nonce", description, "dpop-nonce")
            self.assertRegex(answer.headers["DPoP-Nonce"], "^[A-Za-z0-9_-]{22}$")
        stale = self.prover.proof(self.nonce(), iat=int(time.time()) - 120)
        self.refused(self.send(self.mesh.mint("alice"), stale), "use_dpop_nonce", description, "dpop-nonce")

    def test_a_proof_serves_once(self):
        proof = self.prover.proof(self.nonce())
        self.assertEqual(self.send(self.mesh.mint("alice"), proof).status, 200)
        self.not_a_proof(self.send(self.mesh.mint("alice"), proof))

    def test_made_for_another_request(self):
        nonce = self.nonce()
        for changes in ({"htm": "GET"}, {"htu": self.mesh.url}, {"htu": self.mesh.url + TOKEN + "?a"},
                        {"htu": "https://elsewhere.example" + TOKEN}, {"jti": None}, {"iat": None}, {"iat": "now"}):
            self.not_a_proof(self.send(self.mesh.mint("alice"), self.prover.proof(nonce, **changes)))

    def test_no_proof_at_all(self):
        nonce = self.nonce()
        good = self.prover.proof(nonce)
        for proof in ("", "x", good[:-2], good + "A", good.replace(".", "..", 1), self.prover.key.jwk["x"],
                      self.prover.proof(nonce, {"typ": "JWT"}), self.prover.proof(nonce, {"alg": "none"}),
                      self.prover.proof(nonce, {"jwk": None}), self.prover.proof(nonce, {"crit": ["x"]}),
                      self.prover.proof(nonce, {"jwk": Key(self.mesh.folder, "other").jwk})):
            answer = self.send(self.mesh.mint("alice"), proof)
            if proof:
                self.not_a_proof(answer)
            else:
                self.assertEqual(answer.status, 400)

    def test_two_proofs(self):
        nonce = self.nonce()
        answer = self.send(self.mesh.mint("alice"), self.prover.proof(nonce), self.prover.proof(nonce))
        self.assertEqual(answer.status, 400)
        self.assert_problem(answer, 400, "header-repeated")

    def test_with_a_certificate(self):
        nonce = self.nonce()
        answer = self.send(self.mesh.mint("alice"), self.prover.proof(nonce), device=self.device)
        self.assertEqual((answer.status, answer.json["token_type"]), (200, "DPoP"))
        other = Device(self.mesh.folder, "second")
        self.mesh.secrets.add(other.secret)
        self.refused(self.send(self.mesh.mint("alice"), self.prover.proof(nonce), device=other), "invalid_request",
                     "The TLS client certificate and the DPoP proof prove different keys.", "two-keys")

    def test_an_id_token_serves_one_key(self):
        other = Device(self.mesh.folder, "third")
        self.mesh.secrets.add(other.secret)
        token = self.mesh.mint("alice")
        nonce = self.nonce()
        self.assertEqual(self.send(token, self.prover.proof(nonce)).status, 200)
        self.refused(self.send(token, Prover(self.mesh, other, "third").proof(nonce)), "invalid_request",
                     "The subject token was already used with another device's key.", "token-other-key")


class Mesh(Dpop):
    """The same proofs open the graph: with `ath` over the credential that they go with."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.credential = cls.send(cls, cls.mesh.mint("alice"), cls.prover.proof(cls.first_nonce())).json["access_token"]

    @classmethod
    def first_nonce(cls):
        return cls.send(cls, cls.mesh.mint("alice"), cls.prover.proof()).headers["DPoP-Nonce"]

    def ask(self, nonce, credential=None, scheme="DPoP", **changes):
        credential = credential or self.credential
        digest = hashlib.sha256(credential.encode()).digest()
        claims = {"htm": "POST", "htu": self.mesh.url + "/v1/mesh/folders", "ath": b64(digest), **changes}
        headers = {"Authorization": f"{scheme} {credential}", "Content-Type": "application/json",
                   "DPoP": self.prover.proof(nonce, **claims)}
        return self.mesh.request("POST", "/v1/mesh/folders", '{"name":"Trip"}', headers)

    def test_it_opens(self):
        self.assertEqual(self.ask(self.nonce()).status, 201)
        self.assertEqual(self.ask(self.nonce(), scheme="Bearer").status, 201)

    def test_it_does_not(self):
        other = b64(hashlib.sha256(b"another").digest())
        for changes in ({"ath": None}, {"ath": other}, {"htm": "PUT"}, {"htu": self.mesh.url + "/v1/mesh/devices"}):
            answer = self.ask(self.nonce(), **changes)
            self.assert_problem(answer, 401, "dpop-proof")
            self.assertIn('error="invalid_dpop_proof"', answer.headers.get_all("WWW-Authenticate")[0])
        answer = self.ask(None)
        self.assert_problem(answer, 401, "dpop-nonce")
        self.assertEqual(self.ask(answer.headers["DPoP-Nonce"]).status, 201)


if __name__ == "__main__":
    main()
