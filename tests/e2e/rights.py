"""Asking for rights: what its tests share."""
import base64
import re

import harness
from harness import EXCHANGE, SAML2, STORAGE, run
from people import Person
from services import Service, Socket

RELAY = "urn:meshauth:service:relay"
PUBSUB = "urn:meshauth:service:pubsub"
PREFIX = "https://storage.example/files"
EXPIRY_S = 60 + 60 + 1  # the shortest life, and the skew

# What the client hears; the reason is the log's. Both are a contract.
SAYS = {
    "ticket-form": ("invalid_request", "The subject token is neither one ticket, plain or deflated, nor an "
                    "assertion of a SAML provider that is known here."),
    "ticket-issuer": ("invalid_request", "The subject token is a ticket of another issuer."),
    "ticket-kind": ("invalid_request", "The subject token must be an identity ticket."),
    "ticket-key": ("invalid_request",
                   "The subject token is bound to another key than the one that is proven, or to none."),
    "ticket-signature": ("invalid_request",
                         "The subject token's signature does not verify with a key of now; renew it."),
    "ticket-expired": ("invalid_request", "The subject token has expired; renew it."),
    "ticket-revoked": ("invalid_request", "The subject token was revoked; renew it, or log in."),
    "session": ("invalid_request", "The session of the subject token is over; log in."),
    "no-proof": ("invalid_request", "Prove the device's key with a TLS client certificate or a DPoP proof."),
    "renewal-scope": ("invalid_scope", "A renewal takes no 'scope'; name an 'audience' or a 'resource'."),
    "audience": ("invalid_target",
                 "An 'audience' is urn:meshauth:service:NAME of a registered service, or, for 'sync', "
                 "urn:meshauth:device:DEVICE of the device that 'resource' names."),
    "audience-missing": ("invalid_target", "A node's URL as 'resource' needs an 'audience'."),
    "resource": ("invalid_target",
                 "A 'resource' is the URL of a user, device or folder, or lies in a folder below a service's prefix."),
    "place": ("invalid_target", "No service is registered at that place, and it is no node of this mesh."),
    "resource-unknown": ("invalid_target", "There is no such 'resource'."),
    "actions": ("invalid_scope", "'scope' is a list of actions with one space between them."),
    "sync-scope": ("invalid_scope", "'sync' is asked for alone."),
    "sync-target": ("invalid_target", "'sync' takes one device's URL as 'resource', and 1 to 4 of 'audience'."),
    "not-granted": ("invalid_scope",
                    "None of these actions is granted on these resources for these audiences."),
    "too-much": ("invalid_request",
                 "That is more than tickets may hold, or one request may ask for; ask for less at a time."),
}


def peer(device):
    return f"urn:meshauth:device:{device['id']}"


class Rights(harness.MeshTest):
    """What the tests share: how to ask, and what a ticket proves at the verifier."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        update(cls.mesh, "storage", prefix=PREFIX)
        cls.relay = Service(cls.mesh, "relay", actions=["sync"])
        cls.pubsub = Service(cls.mesh, "pubsub", actions=["subscribe", "publish", "receive", "read"])
        cls.alice, cls.bob, cls.carol = (Person(cls.mesh, name) for name in ("alice", "bob", "carol"))
        cls.pc = {p.name: p.claim(f"{p.name}'s PC").json for p in (cls.alice, cls.bob, cls.carol)}

    def ask(self, who, resource=(), audience=(STORAGE,), scope=None, token=None, device=None):
        pairs = [("grant_type", EXCHANGE), ("subject_token_type", SAML2),
                 ("subject_token", token or who.credential)]
        pairs += [("resource", r) for r in ([resource] if isinstance(resource, str) else resource)]
        pairs += [("audience", a) for a in ([audience] if isinstance(audience, str) else audience)]
        pairs += [("scope", scope)] if scope is not None else []
        return self.mesh.post(pairs, device or who.device)

    def renew(self, who, token=None, device=None):
        return self.ask(who, audience=(), token=token, device=device)

    def granted(self, *args, **more):
        """The answer, which is a good one."""
        answer = self.ask(*args, **more)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def refused(self, reason, answer):
        error, says = SAYS[reason]
        if reason == "not-granted":  # and then what is missing: test_explain has that
            self.assertRegex(answer.json["error_description"], re.escape(says) + r"( [a-z]+ (on \w+ )?is not allowed: .*\.)+$")
            says = answer.json["error_description"]
        self.assert_refused(answer, 400, error, says, reason)

    def explain(self, credential, action, *args):
        """Does the ticket prove it, by the rules that services have?"""
        file = self.mesh.folder / "to-explain"
        file.write_text(credential + "\n")
        done = run(harness.MESHAUTH, "policy", "explain", action, *args, "--rules", self.mesh.dir / "mesh.rules",
                   "--ticket", file, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode == 0

    def verdict(self, credential, who, audience, trust=None):
        code, verdict = self.mesh.verify(credential, who.device, audience, trust)
        self.assertEqual(code, 0 if verdict["verdict"] == "accept" else 1)
        return "accept" if code == 0 else verdict["reason"]

    def proves(self, credential, who, audience, action, *args):
        return self.verdict(credential, who, audience) == "accept" and self.explain(credential, action, *args)


def update(mesh, name, **changes):
    """The registration of a service, changed by an admin."""
    admin = Socket(mesh)
    answer = admin.call("GET", f"services/{name}")
    answer = admin.call("PATCH", f"services/{answer.json['id']}", changes, if_match=answer.headers["ETag"])
    if answer.status != 200:
        raise AssertionError(f"{name} is not changed: {answer}")


def encode(xml):
    return base64.urlsafe_b64encode(xml.encode()).decode().rstrip("=")


def spoil(credential, change=lambda xml: xml):
    """The ticket with another signature, as when its key were not known any more."""
    xml = change(harness.assertion_of(credential))
    value = re.search("<ds:SignatureValue>([^<]+)<", xml).group(1)
    return encode(xml.replace(value, value[:10] + ("A" if value[10] != "A" else "B") + value[11:]))
