#!/usr/bin/env python3
"""Identity tickets traded for new ones, how often, and after their time."""
import re
import time
import urllib.parse

import harness
from harness import EXCHANGE, FORM, SAML2, STORAGE, TOKEN, Ticket, main, wait_until
from people import Person, new_id
from rights import EXPIRY_S, SAYS, Rights, spoil
from services import Socket
from test_dpop import Prover


class Renewal(Rights):
    """New tickets for old ones, by their key."""

    def test_what_is_kept_and_what_is_new(self):
        before = Ticket(self.bob.credential)
        answer = self.renew(self.bob)
        self.assertEqual(answer.status, 200, answer)
        identity, rights, *_ = (Ticket(t["credential"]) for t in answer.json["tickets"])
        self.assertEqual(answer.json["mesh"], self.bob.root)
        self.assertNotIn("scope", answer.json)
        self.assertEqual((identity.subject, identity.session_index, identity.holder),
                         (before.subject, before.session_index, before.holder))
        self.assertNotEqual(identity.id, before.id)
        for name in ("AuthnInstant=\"[^\"]*\"", "<saml:AuthnContextClassRef>[^<]*"):
            self.assertEqual(re.search(name, identity.xml).group(), re.search(name, before.xml).group())
        # He logged in before he claimed his PC: now his tickets say so.
        for ticket in (identity, rights):
            self.assertIn(("holder", self.pc["bob"]["id"]), ticket.facts)
            self.assertIn(("claimed", self.pc["bob"]["id"], self.bob.id), ticket.facts)
        self.assertEqual(rights.permits, [(self.bob.root, ["Read"])])
        records = self.mesh.audit(session=before.session_index)
        self.assertEqual([r["action"] for r in records if r.get("request") == answer.request_id],
                         ["ticket.issue"] * 2 + ["ticket.renew"])

    def test_the_signature_is_not_what_counts(self):
        early = spoil(self.bob.credential,
                      lambda xml: re.sub('AuthnInstant="[^"]*"', 'AuthnInstant="2020-01-01T00:00:00Z"', xml))
        answer = self.renew(self.bob, early)
        self.assertEqual(answer.status, 200, answer)
        self.assertNotIn("2020-01-01", harness.assertion_of(answer.json["access_token"]))

    def test_what_does_not_fit_its_session(self):
        other = Person(self.mesh, "bob")
        for old, new in ((Ticket(self.bob.credential).session_index, new_id("ses_")),
                         (Ticket(self.bob.credential).session_index, Ticket(other.credential).session_index),
                         (self.bob.id, self.alice.id)):
            forged = spoil(self.bob.credential, lambda xml, old=old, new=new: xml.replace(old, new))
            self.refused("session", self.renew(self.bob, forged))
        forged = spoil(self.bob.credential, lambda xml: xml.replace(self.mesh.url, "https://auth.example"))
        self.refused("ticket-issuer", self.renew(self.bob, forged))

    def test_after_release(self):
        dave = Person(self.mesh, "dave")
        tablet = dave.claim("tablet").json
        self.assertEqual(self.renew(dave).status, 200)
        self.assertEqual(dave.delete(tablet["url"]).status, 204)
        self.refused("session", self.renew(dave))
        answer = self.ask(dave, dave.root)
        self.assertIn(answer.json["error_description"], (SAYS["session"][1], SAYS["ticket-revoked"][1]))
        wait_until(lambda: self.ask(dave, dave.root).json["error_description"] == SAYS["ticket-revoked"][1],
                   "the trust file to arrive")
        self.refused("ticket-revoked", self.ask(dave, dave.root))
        self.refused("session", self.renew(dave))

    def test_after_the_account_is_closed(self):
        erin = Person(self.mesh, "erin")
        admin = Socket(self.mesh)
        etag = admin.call("GET", f"users/{erin.id}").headers["ETag"]
        self.assertEqual(admin.call("DELETE", f"users/{erin.id}", if_match=etag).status, 204)
        self.refused("session", self.renew(erin))

    def test_by_dpop(self):
        prover = Prover(self.mesh, self.carol.device, "carol")
        nonce = None
        form = urllib.parse.urlencode({"grant_type": EXCHANGE, "subject_token_type": SAML2,
                                       "subject_token": self.carol.credential})
        for more in ("", "&" + urllib.parse.urlencode({"resource": self.carol.root, "audience": STORAGE})):
            for _ in range(2):
                headers = {"Content-Type": FORM, "DPoP": prover.proof(nonce)}
                answer = self.mesh.request("POST", TOKEN, form + more, headers)
                self.mesh.collect(answer)
                nonce = answer.headers["DPoP-Nonce"] or nonce
            self.assertEqual((answer.status, answer.json["token_type"]), (200, "DPoP"), answer)
            self.assertEqual(Ticket(answer.json["access_token"]).holder, self.carol.device.spki)


class TooFast(Rights):
    """Logins, renewals and requests for rights of one principal, all together."""

    settings = {"limits": {"changes_per_minute": 10}}

    def test_it(self):
        asks = [lambda: self.renew(self.alice), lambda: self.ask(self.alice, self.alice.root)]
        answers = [asks[n % 2]() for n in range(12)]
        self.assertEqual([a.status for a in answers[:9]], [200] * 9)
        for answer in answers[10:]:
            self.assert_refused(answer, 429, "temporarily_unavailable",
                                "Too many logins or tickets in a short time; wait and try again.", "too-fast")
        self.assertEqual(self.renew(self.bob).status, 200)
        # Who has proven nothing is told so as before, and holds nobody up.
        self.refused("ticket-key", self.renew(self.bob, token=self.alice.credential))


class Expired(Rights):
    """An old ticket still renews, and is good for nothing else."""

    settings = {"tickets": {"identity_s": 60, "rights_s": 60}}

    def test_it(self):
        until = time.monotonic() + EXPIRY_S
        folder = self.alice.create()
        time.sleep(max(0, until - time.monotonic()))
        self.refused("ticket-expired", self.ask(self.alice, folder["url"]))
        answer = self.renew(self.alice)
        self.assertEqual(answer.status, 200, answer)
        self.alice.credential = answer.json["access_token"]
        entry, = self.granted(self.alice, folder["url"])["tickets"]
        self.assertEqual(self.verdict(entry["credential"], self.alice, STORAGE), "accept")


if __name__ == "__main__":
    main()
