#!/usr/bin/env python3
"""Logins of services with their registered key, by TLS certificate and private_key_jwt."""
import time

from harness import Device, MeshTest, Ticket, main
from idtoken import Key, hs256, unsigned
from people import Person
from services import JWT_BEARER, Service, Socket
from test_dpop import Prover

CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:"


class Client(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.relay = Service(cls.mesh, "relay")
        cls.stranger = Device(cls.mesh.folder, "stranger")
        cls.mesh.secrets.add(cls.stranger.secret)

    def assert_identity(self, answer, service, holder, authn_class, token_type):
        self.assertEqual(answer.status, 200, answer)
        body = answer.json
        self.assertNotIn("mesh", body)
        self.assertEqual(body["token_type"], token_type)
        self.assertEqual([(t["audience"], t["actions"]) for t in body["tickets"]], [(self.mesh.url, [])])
        ticket = Ticket(body["access_token"])
        self.assertEqual(ticket.subject, service.id)
        self.assertEqual(ticket.audiences, [self.mesh.url])
        self.assertEqual(ticket.holder, holder.spki)
        self.assertEqual([f[0] for f in ticket.facts], ["asof", "service", "session"])
        self.assertEqual(ticket.facts[1:], [("service", service.id), ("session", ticket.session_index)])
        self.assertIn(f">{CLASS}{authn_class}<", ticket.xml)
        record = self.mesh.audit(session=ticket.session_index)[0]
        self.assertEqual((record["action"], record["outcome"], record["actor"], record["ticket"]),
                         ("login", "allow", service.id, ticket.id))
        return ticket

    def test_by_certificate(self):
        answer = self.relay.login()
        self.assert_identity(answer, self.relay, self.relay.device, "X509", "Bearer")
        self.assertEqual(self.relay.call("GET", "/v1/trust").status, 200)

    def test_by_assertion(self):
        answer = self.relay.login(by_assertion=True)
        self.assert_identity(answer, self.relay, self.relay.device, "unspecified", "DPoP")
        self.assertEqual(self.relay.call("GET", "/v1/trust").status, 200)
        self.assert_problem(self.relay.call("GET", "/v1/trust", device=self.stranger), 401, "holder")

    def test_by_assertion_for_another_key(self):
        """The ticket is for whoever shows the key that the request has proven."""
        answer = self.relay.login(by_assertion=True, device=self.stranger)
        self.assert_identity(answer, self.relay, self.stranger, "unspecified", "Bearer")
        self.assertEqual(self.relay.call("GET", "/v1/trust", device=self.stranger).status, 200)
        self.assert_problem(self.relay.call("GET", "/v1/trust"), 401, "holder")

    def test_with_a_proof(self):
        prover = Prover(self.mesh, self.stranger, "stranger")
        form = self.relay.form(self.relay.assertion())
        asked = self.mesh.request("POST", "/v1/token", *self.encoded(form, prover.proof()))
        self.assertEqual((asked.status, asked.json["error"]), (400, "use_dpop_nonce"))
        proof = prover.proof(asked.headers["DPoP-Nonce"])
        answer = self.mesh.request("POST", "/v1/token", *self.encoded(form, proof))
        self.mesh.collect(answer)
        self.assert_identity(answer, self.relay, self.stranger, "unspecified", "DPoP")

    def encoded(self, form, proof):
        import urllib.parse
        return urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded", "DPoP": proof}

    def test_rsa(self):
        service = Service(self.mesh, "rsa", "rsa2048")
        self.assert_identity(service.login(by_assertion=True), service, service.device, "unspecified", "DPoP")
        self.assert_identity(service.login(), service, service.device, "X509", "Bearer")

    def refused(self, form, reason, description, status=401, error="invalid_client", device=None):
        answer = self.mesh.post(form, device)
        self.assert_refused(answer, status, error, description, reason)
        self.assertNotIn("WWW-Authenticate", answer.headers)

    def test_without_the_key(self):
        proof = "Prove the registered key with a 'client_assertion' or as TLS client certificate."
        self.refused(self.relay.form(), "client-proof", proof)
        self.refused(self.relay.form(), "client-proof", proof, device=self.stranger)
        alice = Person(self.mesh, "alice")
        self.refused(self.relay.form(), "client-proof", proof, device=alice.device)

    def test_unknown(self):
        unknown = "There is no such service, or none with a key."
        storage = Socket(self.mesh).call("GET", "services/storage").json["id"]
        for name in ("svc_0aaaaaaaaaaaaaaaaaaaaaaaaa", "relay", "svc_", "x" * 300, storage,
                     Person(self.mesh, "alice").id):
            self.refused(self.relay.form(client_id=name), "client-unknown", unknown, device=self.relay.device)

    def test_a_scheme_of_http(self):
        """RFC 6749 5.2: who tries one is told so by a challenge of that scheme."""
        for tried, challenge in (("Basic c3ZjOnNlY3JldA==", "Basic"), ("basic x", "basic"), ("Bearer", "Bearer"),
                                 ("X" * 17 + " a", "Bearer"), ("Ba\"sic a", "Bearer"), ("", "Bearer")):
            body, headers = self.encoded(self.relay.form(), None)
            del headers["DPoP"]
            answer = self.mesh.request("POST", "/v1/token", body, headers | {"Authorization": tried})
            self.assertEqual((answer.status, answer.json["error"]), (401, "invalid_client"), tried)
            self.assertEqual(answer.headers["WWW-Authenticate"], f'{challenge} realm="meshauth", error="invalid_client"')

    def test_other_parameters(self):
        good = self.relay.assertion()
        kind = f"'client_assertion_type' must be {JWT_BEARER}, with a 'client_assertion'."
        for form, reason, error, description in (
                (self.relay.form(client_id=None), "client-id", "invalid_request", "'client_id' is missing."),
                (self.relay.form(good, client_assertion_type="jwt"), "assertion-type", "invalid_request", kind),
                (self.relay.form(good, client_assertion_type=None), "assertion-type", "invalid_request", kind),
                (self.relay.form(client_assertion_type=JWT_BEARER), "assertion-type", "invalid_request", kind),
                (self.relay.form(scope="read"), "scope", "invalid_scope", "A login takes no 'scope'."),
                (self.relay.form(resource=self.mesh.url), "target", "invalid_target",
                 "A login takes neither 'audience' nor 'resource'.")):
            self.refused(form, reason, description, 400, error, self.relay.device)

    def test_assertions(self):
        now = int(time.time())
        other = Key(self.mesh.folder, "other")
        form = "The client assertion is not a JSON Web Token that is signed as the registered key says, ES256 or RS256."
        subject = "The client assertion's 'iss' and 'sub' must be the client_id."
        audience = "The client assertion's 'aud' must be the issuer's URL alone."
        claims = "The client assertion lacks a claim, or one is not of its form."
        signature = "The client assertion's signature does not verify with the registered key."
        sign = self.relay.assertion
        for assertion, reason, description in (
                ("x", "assertion-form", form),
                (unsigned(self.relay.claims(), "relay"), "assertion-form", form),
                (hs256(self.relay.claims(), self.relay.pem.encode(), "relay"), "assertion-form", form),
                (sign({"crit": ["x"]}), "assertion-form", form),
                (sign({"jwk": other.jwk}), "assertion-form", form),
                (sign({"typ": "dpop+jwt"}), "assertion-form", form),
                (other.sign(self.relay.claims()), "assertion-signature", signature),
                (sign(iss="svc_0aaaaaaaaaaaaaaaaaaaaaaaaa"), "assertion-subject", subject),
                (sign(sub=None), "assertion-subject", subject),
                (sign(aud=self.mesh.url + "/v1/token"), "assertion-audience", audience),
                (sign(aud=[self.mesh.url, "https://x.example"]), "assertion-audience", audience),
                (sign(exp=None), "assertion-claims", claims),
                (sign(jti=None), "assertion-claims", claims),
                (sign(exp=now - 61, iat=now - 100), "assertion-expired", "The client assertion has expired."),
                (sign(exp=now + 600), "assertion-lifetime", "The client assertion is valid for more than five minutes."),
                (sign(nbf=now + 200), "assertion-not-yet", "The client assertion is not yet valid.")):
            with self.subTest(reason):
                self.refused(self.relay.form(assertion), reason, description)
        # With the certificate as well: a bad assertion is not made good by it.
        self.refused(self.relay.form(other.sign(self.relay.claims())), "assertion-signature", signature,
                     device=self.relay.device)

    def test_an_assertion_serves_once(self):
        assertion = self.relay.assertion()
        self.assertEqual(self.mesh.post(self.relay.form(assertion)).status, 200)
        self.refused(self.relay.form(assertion), "assertion-used", "The client assertion was used before.")
        # The same jti in another assertion, and after the daemon was away.
        again = self.relay.assertion(jti="twice")
        self.assertEqual(self.mesh.post(self.relay.form(again)).status, 200)
        self.mesh.stop()
        self.mesh.start()
        self.refused(self.relay.form(self.relay.assertion(jti="twice")), "assertion-used",
                     "The client assertion was used before.")
        record = self.mesh.audit(reason="assertion-used", limit=1)[0]
        self.assertEqual((record["action"], record["outcome"], record["actor"]), ("login", "deny", self.relay.id))
        # Another service has names of its own.
        other = Service(self.mesh, "other-service")
        self.assertEqual(self.mesh.post(other.form(other.assertion(jti="twice"))).status, 200)

    def test_another_key(self):
        """The old key opens nothing, nor do sessions that it began."""
        service = Service(self.mesh, "changing")
        service.login()
        new = Device(self.mesh.folder, "new")
        self.mesh.secrets.add(new.secret)
        certificate = new.certificate.read_text()
        admin = Socket(self.mesh)
        self.assertEqual(admin.call("PATCH", "services/changing", {"key": certificate}, '"1"').status, 200)
        answer = service.call("GET", "/v1/trust")
        self.assertEqual(answer.status, 401)
        self.assert_over(answer)
        self.assertEqual(self.mesh.post(service.form(), service.device).status, 401)
        self.assertEqual(self.mesh.post(service.form(service.assertion())).status, 401)
        self.assertEqual(self.mesh.post(service.form(), new).status, 200)

    def test_removed(self):
        service = Service(self.mesh, "short")
        service.login()
        self.assertEqual(Socket(self.mesh).call("DELETE", "services/short", if_match="*").status, 204)
        answer = service.call("GET", "/v1/trust")
        self.assertEqual(answer.status, 401)
        self.assert_over(answer)
        self.refused(service.form(), "client-unknown", "There is no such service, or none with a key.",
                     device=service.device)

    def test_the_graph_is_for_users(self):
        self.relay.login()
        for method, path, body in (("POST", "folders", {"name": "x"}), ("POST", "devices", {"name": "x"})):
            self.assert_problem(self.relay.call(method, "/v1/mesh/" + path, body), 403, "forbidden")
        alice = Person(self.mesh, "alice")
        self.assert_problem(self.relay.call("GET", "/v1/mesh/users/" + alice.id), 404, "not-found")


if __name__ == "__main__":
    main()
