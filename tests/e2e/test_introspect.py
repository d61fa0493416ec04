#!/usr/bin/env python3
"""POST /v1/introspect: who may ask, what is said of a ticket, and of what is none."""
import base64
import hashlib
import urllib.parse

from harness import FORM, STORAGE, MeshTest, Ticket, main, seconds, wait_until
from people import Person
from services import JWT_BEARER, Service, Socket

INTROSPECT = "/v1/introspect"
DEAD = {"active": False}


def jkt_of(device):
    """RFC 7638, of a P-256 key."""
    x, y = device.spki[-64:-32], device.spki[-32:]
    text = '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' % (url64(x), url64(y))
    return url64(hashlib.sha256(text.encode()).digest())


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Introspect(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gate = Service(cls.mesh, "gate")
        cls.gate.login()
        Socket(cls.mesh).call("PUT", f"roles/{cls.gate.id}/introspect")

    def ask(self, token, headers=None, device=None, **more):
        form = token if isinstance(token, (str, bytes)) and "=" in str(token) else \
            urllib.parse.urlencode({"token": token, **more})
        return self.mesh.request("POST", INTROSPECT, form, {"Content-Type": FORM, **(headers or {})}, device)

    def ask_by_ticket(self, token, service=None):
        service = service or self.gate
        return self.ask(token, {"Authorization": f"Bearer {service.credential}"}, service.device)

    def said(self, token):
        answer = self.ask_by_ticket(token)
        self.assertEqual((answer.status, answer.headers["Content-Type"], answer.headers["Cache-Control"]),
                         (200, "application/json", "no-store"))
        return answer.json

    def records(self, **query):
        return [(r["outcome"], r.get("reason"), r.get("ticket"), r.get("resources"))
                for r in self.mesh.audit(action="ticket.introspect", **query)]

    def test_rights(self):
        alice = Person(self.mesh, "alice")
        device = alice.claim().json
        folder = alice.must(201, "POST", "folders", {"name": "Trip"}).json
        answer = self.mesh.exchange(alice.credential, alice.device, audience=STORAGE, resource=folder["url"],
                                    scope="read write", subject_token_type="urn:ietf:params:oauth:token-type:saml2")
        self.assertEqual(answer.status, 200, answer)
        line, = answer.json["tickets"]
        ticket = Ticket(line["credential"])
        for token in (line["credential"], answer.json["access_token"]):  # deflated, plain
            said = self.said(token)
            session, = (args[0] for name, *args in ticket.facts if name == "session")
            issued = seconds(ticket.xml.split(' IssueInstant="')[1][:20])
            self.assertEqual(said, {
                "active": True, "iss": self.mesh.url, "sub": alice.id, "aud": [STORAGE], "jti": ticket.id,
                "iat": issued, "nbf": issued, "exp": issued + ticket.lifetime_s, "token_type": "DPoP",
                "cnf": {"jkt": jkt_of(alice.device)}, "session": session, "device": device["id"],
                "scope": "read write", "permits": [{"resource": folder["url"], "actions": ["read", "write"]}]})
        self.assertEqual(self.records(ticket=ticket.id), [("allow", None, ticket.id, [alice.id])] * 2)

    def test_identity(self):
        bob = Person(self.mesh, "bob")
        said = self.said(bob.credential)
        self.assertEqual((said["active"], said["sub"], said["aud"]), (True, bob.id, [self.mesh.url]))
        self.assertFalse({"permits", "scope", "device", "client_id"} & set(said))
        said = self.said(self.gate.credential)
        self.assertEqual((said["sub"], said["client_id"]), (self.gate.id, self.gate.id))

    def test_what_is_dead(self):
        carol = Person(self.mesh, "carol")
        ticket = Ticket(carol.ticket)
        self.assertTrue(self.said(carol.ticket)["active"])
        Socket(self.mesh).call("DELETE", f"tickets/{ticket.id}")
        wait_until(lambda: self.said(carol.ticket) == DEAD, "the ticket to be dead", 2)
        self.assertIn(("deny", "revoked", ticket.id, [carol.id]), self.records(ticket=ticket.id))
        self.assertTrue(self.said(carol.credential)["active"])
        # A session that is closed is closed at once, whatever the trust file knows.
        Socket(self.mesh).call("DELETE", f"sessions/{Ticket(carol.credential).session_index}")
        self.assertEqual(self.said(carol.credential), DEAD)
        reason = self.records(ticket=Ticket(carol.credential).id)[0][1]
        self.assertIn(reason, ("session", "revoked"))

    def test_what_is_none(self):
        dave = Person(self.mesh, "dave")
        xml = Ticket(dave.ticket).xml
        forged = xml.replace(f">{dave.id}<", f">{Person(self.mesh, 'mallory').id}<")
        foreign = xml.replace(self.mesh.url, "https://auth.example")
        for token, reason in (("abc", "form"), ("PHNhbWw", "form"), (url64(b"<" * 20000), "size"), (self.mesh.mint("dave"), "form"),
                              (url64(forged.encode()), "signature"), (url64(foreign.encode()), "issuer")):
            with self.subTest(reason, token=token[:20]):
                before = len(self.records(reason=reason))
                self.assertEqual(self.said(token), DEAD)
                self.assertEqual(len(self.records(reason=reason)), before + 1)

    def test_bad_requests(self):
        for form, description, reason in (
                ("other=1", "'token' is missing.", "ticket-missing"),
                ("token=x&token=y", "Nothing may occur more than once.", "ticket-repeated"),
                ("token=a~b", "'token' is one ticket; send several one by one.", "ticket-set"),
                ("token=%ff", "The body is not a well-formed form.", "form")):
            with self.subTest(form):
                self.assert_refused(self.ask_by_ticket(form), 400, "invalid_request", description, reason)
        self.assertEqual(self.said("token=abc&what=ever&token_type_hint=x"), DEAD)

    def test_who_may(self):
        erin = Person(self.mesh, "erin")
        self.assert_problem(self.ask(erin.ticket), 401, "no-ticket")
        self.assert_problem(self.ask(erin.ticket, device=erin.device), 401, "no-ticket")
        answer = self.ask(erin.ticket, {"Authorization": f"Bearer {erin.credential}"}, erin.device)
        self.assert_problem(answer, 403, "forbidden")
        other = Service(self.mesh, "other")
        other.login()
        self.assert_problem(self.ask_by_ticket(erin.ticket, other), 403, "forbidden")
        self.assert_problem(self.ask(erin.ticket, {"Authorization": f"Bearer {self.gate.credential}"}, other.device),
                            401, "holder")

    def test_by_client_assertion(self):
        frank = Person(self.mesh, "frank")
        assertion = self.gate.assertion()
        form = {"client_id": self.gate.id, "client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        answer = self.ask(frank.ticket, **form)
        self.assertEqual((answer.status, answer.json["sub"]), (200, frank.id))
        record = self.mesh.audit(action="ticket.introspect", ticket=Ticket(frank.ticket).id)[0]
        self.assertEqual((record["actor"], record["outcome"]), (self.gate.id, "allow"))
        self.assert_refused(self.ask(frank.ticket, **form), 401, "invalid_client",
                            "The client assertion was used before.", "assertion-used")
        form["client_assertion"] = self.gate.assertion(aud="https://auth.example")
        self.assertEqual(self.ask(frank.ticket, **form).json["error"], "invalid_client")
        del form["client_assertion"]
        self.assertEqual(self.ask(frank.ticket, **form).json["error"], "invalid_request")

    def test_by_client_certificate(self):
        grace = Person(self.mesh, "grace")
        answer = self.ask(grace.ticket, device=self.gate.device, client_id=self.gate.id)
        self.assertEqual((answer.status, answer.json["sub"]), (200, grace.id))
        self.assertEqual(self.ask(grace.ticket, device=grace.device, client_id=self.gate.id).json["error"], "invalid_client")
        self.assertEqual(self.ask(grace.ticket, client_id=self.gate.id).json["error"], "invalid_client")
        self.assertEqual(self.ask(grace.ticket, device=grace.device, client_id=grace.id).json["error"], "invalid_client")

    def test_without_the_role_any_more(self):
        late = Service(self.mesh, "late")
        admin = Socket(self.mesh)
        admin.call("PUT", f"roles/{late.id}/introspect")
        self.assertEqual(self.ask("abc", device=late.device, client_id=late.id).json, DEAD)
        admin.call("DELETE", f"roles/{late.id}/introspect")
        self.assert_problem(self.ask("abc", device=late.device, client_id=late.id), 403, "forbidden")


if __name__ == "__main__":
    main()
