#!/usr/bin/env python3
"""Who is taken for whom, and for how long: identities that look alike, sessions that end."""
import time

import harness
import idtoken
from harness import MESHAUTHD, SAML2, STORAGE, Device, Ticket, main, run, seconds
from people import Person
from services import Socket


class Identities(harness.MeshTest):
    @classmethod
    def prepare(cls):
        cls.key = {}
        providers = [cls.mesh.demo_provider()]
        cls.idp = {}
        for name in ("one", "other"):
            cls.key[name] = idtoken.Key(cls.mesh.folder, name)
            (cls.mesh.dir / f"{name}.jwks").write_text(idtoken.jwks(cls.key[name]))
            cls.idp[name] = idtoken.Provider(f"https://{name}.example", "app")
            providers.append({"name": name, "issuer": cls.idp[name].issuer, "client_ids": ["app"],
                              "jwks_file": f"{name}.jwks", "create_users": True, "email_domains": ["example.org"]})
        return {"providers": providers}

    def log_in(self, provider, device=None, by=None, **claims):
        device = device or Device(self.mesh.folder, f"{provider}-{claims.get('sub')}")
        token = self.key[by or provider].sign(self.idp[provider].claims(**claims))
        return self.mesh.exchange(token, device)

    def test_two_users_one_email(self):
        """An identity is issuer and subject; whoever has the address, nobody else's account opens."""
        mail = {"email": "alice@example.org", "email_verified": True}
        roots = set()
        for provider, sub in (("one", "alice"), ("one", "alice2"), ("other", "alice"), ("other", "alice2")):
            answer = self.log_in(provider, sub=sub, **mail)
            self.assertEqual(answer.status, 200)
            roots.add(answer.json["mesh"])
        self.assertEqual(len(roots), 4)
        users = [u for u in Socket(self.mesh).call("GET", "users").json["items"] if u.get("email") == mail["email"]]
        self.assertEqual(len(users), 4)
        again = self.log_in("one", sub="alice", email="new@example.org", email_verified=True)
        self.assertIn(again.json["mesh"], roots, "another address, the same user")

    def test_another_providers_key(self):
        """Each provider's keys are good for its own issuer alone."""
        answer = self.log_in("one", by="other", sub="alice")
        self.assert_refused(answer, 400, "invalid_request",
                            "The subject token names a key that its provider does not publish.", "token-key")

    def test_another_clients_token(self):
        for claims, reason, description in (
            ({"aud": "other-app"}, "token-audience", "The subject token is for another client."),
            ({"aud": ["app", "other-app"], "azp": "other-app"}, "token-party",
             "The subject token was given to another client."),
        ):
            answer = self.log_in("one", self.device, sub="alice", **claims)
            self.assert_refused(answer, 400, "invalid_request", description, reason)

    def test_a_provider_named_like_us(self):
        good = self.mesh.conf.read_text()
        self.addCleanup(self.mesh.conf.write_text, good)
        for url in (self.mesh.url, self.mesh.url + "/"):
            self.mesh.conf.write_text(good.replace(self.idp["one"].issuer, url))
            done = run(MESHAUTHD, "-c", self.mesh.conf, "-t", check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"providers.issuer is issuer.url, {self.mesh.url}, but a provider must be somebody else", done.stderr)

    def test_an_id_token_in_our_name(self):
        for issuer in (self.mesh.url, self.mesh.url + "/", self.mesh.url + "/demo-idp/"):
            answer = self.log_in("one", self.device, sub="alice", iss=issuer)
            self.assert_refused(answer, 400, "invalid_request",
                                "The subject token is of no identity provider known here.", "token-issuer")


class Lifetimes(harness.MeshTest):
    """Nothing outlives its session."""

    settings = {"tickets": {"session_s": 3600, "identity_s": 43200, "rights_s": 43200}}

    def end_of(self, credential):
        return Ticket(credential).xml.split('NotOnOrAfter="', 1)[1][:20]

    def test_it(self):
        alice = Person(self.mesh, "alice")
        session = next(s for s in Socket(self.mesh).call("GET", f"users/{alice.id}/sessions").json["items"]
                       if s["id"] == Ticket(alice.credential).session_index)
        time.sleep(1.1)
        folder = alice.must(201, "POST", "folders", {"name": "Trip"})
        renewed = self.mesh.exchange(alice.credential, alice.device, subject_token_type=SAML2)
        rights = self.mesh.exchange(alice.credential, alice.device, subject_token_type=SAML2,
                                    audience=STORAGE, resource=folder.json["url"])
        for tickets in (renewed.json["tickets"], rights.json["tickets"], folder.opened):
            for ticket in tickets:
                self.assertEqual(self.end_of(ticket["credential"]), session["ends"])
                self.assertLess(ticket["expires_in"], 3600)
        self.assertLessEqual(seconds(session["ends"]) - seconds(session["created"]), 3610)


if __name__ == "__main__":
    main()
