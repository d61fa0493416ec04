#!/usr/bin/env python3
"""Sessions and how they end: POST /v1/revoke, `meshauth logout`, and admins."""
import base64
import hashlib
import json
import re
import urllib.parse

from harness import FORM, MESHAUTH, STORAGE, Device, MeshTest, Ticket, main, run, wait_until
from people import Person, new_id, revoked
from services import Admin, Service, Socket
from test_dpop import Prover

REVOKE = "/v1/revoke"


class Sessions(MeshTest):
    """What the tests share: how to revoke, and what is dead."""

    def revoke(self, token, device=None, bearer=None, **more):
        form = token if isinstance(token, str) and "=" in token else urllib.parse.urlencode({"token": token, **more})
        headers = {"Content-Type": FORM}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        return self.mesh.request("POST", REVOKE, form, headers, device)

    def assert_done(self, answer):
        self.assertEqual((answer.status, answer.body), (200, b""))

    def assert_foreign(self, answer):
        self.assert_refused(answer, 400, "unauthorized_client",
                            "Only its holder, who proves its key, may revoke a ticket, and whom the rules let.",
                            "revoke-foreign")

    def fetched(self, feeder):
        """The trust file as a service gets it."""
        file = self.mesh.folder / "fetched"
        file.write_bytes(feeder.call("GET", "/v1/trust").body)
        return file

    def assert_dead(self, person, credential, feeder):
        """At a verifier that fetches the trust file anew, within a second or so."""
        def verdict():
            return self.mesh.verify(credential, person.device, trust=self.fetched(feeder))[1]
        wait_until(lambda: verdict()["verdict"] == "refuse", "the ticket to be dead")
        self.assertEqual(verdict()["reason"], "revoked")

    def records(self, person, action):
        return [(r["outcome"], r.get("reason"), r.get("ticket"), r["resources"])
                for r in self.mesh.audit(action=action, actor=person.id)]


class Revoke(Sessions):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.feeder = Service(cls.mesh, "feeder")
        cls.feeder.login()

    def test_the_holder_closes_the_session(self):
        alice = Person(self.mesh, "alice")
        session = Ticket(alice.credential).session_index
        self.assertEqual(self.mesh.verify(alice.ticket, alice.device, trust=self.fetched(self.feeder))[1]["verdict"],
                         "accept")
        self.assert_done(self.revoke(alice.credential, alice.device))
        self.assert_over(alice.get(alice.root))
        self.assert_dead(alice, alice.ticket, self.feeder)
        self.assertIn((session,), revoked(self.mesh))
        record = [("done", None, Ticket(alice.credential).id, [session, alice.id])]
        self.assertEqual(self.records(alice, "session.close"), record)
        # Once more there is nothing to do, and nothing to be said of it.
        self.assert_done(self.revoke(alice.credential, alice.device))
        self.assertEqual(self.records(alice, "session.close"), record)
        answer = self.mesh.exchange(alice.credential, alice.device,
                                    subject_token_type="urn:ietf:params:oauth:token-type:saml2")
        self.assert_refused(answer, 400, "invalid_request", "The session of the subject token is over; log in.",
                            "session")

    def test_other_sessions_go_on(self):
        one, other = Person(self.mesh, "bob"), Person(self.mesh, "bob")
        self.assert_done(self.revoke(one.credential, one.device))
        self.assert_over(one.get(one.root))
        self.assertEqual(other.get(other.root).status, 200)

    def test_the_deflated_form(self):
        carol = Person(self.mesh, "carol")
        deflated = next(t["credential"] for t in carol.mesh.login("carol", carol.device).json["tickets"]
                        if t["audience"] == self.mesh.url)
        self.assertNotEqual(deflated, carol.credential)
        self.assert_done(self.revoke(deflated, carol.device, token_type_hint="access_token"))
        self.assertEqual(carol.get(carol.root).status, 200, "it was another session")
        self.assertEqual(len(self.records(carol, "session.close")), 1)

    def test_a_rights_ticket_is_dead_alone(self):
        dave = Person(self.mesh, "dave")
        one = dave.ticket
        other = next(t["credential"] for t in self.mesh.login("dave", dave.device).json["tickets"]
                     if t["audience"] == STORAGE)
        self.assert_done(self.revoke(one, dave.device))
        self.assert_dead(dave, one, self.feeder)
        self.assertEqual(self.mesh.verify(other, dave.device)[1]["verdict"], "accept")
        self.assertEqual(dave.get(dave.root).status, 200)
        self.assertEqual(self.records(dave, "ticket.revoke"), [("done", None, Ticket(one).id, [dave.id])])
        self.assert_done(self.revoke(one, dave.device))
        self.assertEqual(len(self.records(dave, "ticket.revoke")), 1)

    def test_by_dpop(self):
        erin = Person(self.mesh, "erin")
        prover = Prover(self.mesh, erin.device, "erin")
        form = urllib.parse.urlencode({"token": erin.credential})

        def send(nonce):
            proof = prover.proof(nonce, htu=self.mesh.url + REVOKE)
            return self.mesh.request("POST", REVOKE, form, {"Content-Type": FORM, "DPoP": proof})
        answer = send(None)
        self.assertEqual((answer.status, answer.json["error"]), (400, "use_dpop_nonce"))
        self.assert_done(send(answer.headers["DPoP-Nonce"]))
        self.assert_over(erin.get(erin.root))

    def test_a_services_session(self):
        one = Service(self.mesh, "leaver")
        one.login()
        self.assert_done(self.revoke(one.credential, one.device))
        self.assert_over(one.call("GET", "/v1/trust"))

    def test_no_ticket_of_ours(self):
        frank = Person(self.mesh, "frank")
        for token in ("x", "PHNhbWw", frank.credential[:-4], "a" * 60000):
            with self.subTest(token[:20]):
                self.assert_done(self.revoke(token, frank.device))
                self.assert_done(self.revoke(token, frank.device, frank.credential))
        self.assertEqual(frank.get(frank.root).status, 200)

    def test_forged(self):
        """A rights ticket has to be signed; who asks may not fill the list with what he likes."""
        gina = Person(self.mesh, "gina")
        forged = self.spoilt(gina.ticket)
        self.assert_done(self.revoke(forged, gina.device))
        self.assert_done(self.revoke(forged, gina.device, gina.credential))
        self.assertEqual(self.mesh.verify(gina.ticket, gina.device)[1]["verdict"], "accept")
        self.assertEqual(self.records(gina, "ticket.revoke"), [])

    def test_forged_by_its_holder(self):
        """It closes the session, which is known without it; the log has no ID that only he vouches for."""
        judy = Person(self.mesh, "judy")
        session = Ticket(judy.credential).session_index
        self.assert_done(self.revoke(self.spoilt(judy.credential), judy.device))
        self.assert_over(judy.get(judy.root))
        self.assertEqual(self.records(judy, "session.close"), [("done", None, None, [session, judy.id])])

    def spoilt(self, credential):
        """The ticket with another ID, which its signature does not cover."""
        xml = Ticket(credential).xml
        id = re.search(' ID="_([0-9a-f]{32})"', xml).group(1)
        return base64.urlsafe_b64encode(xml.replace(id, id[::-1]).encode()).decode().rstrip("=")

    def test_foreign(self):
        """One answer for all tickets that are not one's own, alive or not, and all on record."""
        heidi, ivan = Person(self.mesh, "heidi"), Person(self.mesh, "ivan")
        dead = Person(self.mesh, "ivan")
        self.assert_done(self.revoke(dead.credential, dead.device))
        for token in (ivan.credential, ivan.ticket, dead.credential, self.spoilt(ivan.ticket)):
            self.assert_foreign(self.revoke(token, heidi.device, heidi.credential))
            self.assert_foreign(self.revoke(token, heidi.device))
        self.assertEqual(ivan.get(ivan.root).status, 200)
        self.assertEqual(self.mesh.verify(ivan.ticket, ivan.device)[1]["verdict"], "accept")
        denied = [r for a in ("session.close", "ticket.revoke") for r in self.records(heidi, a)]
        self.assertEqual([r[:2] for r in denied], [("deny", "revoke-foreign")] * 4)
        self.assertEqual({r[2] for r in denied},
                         {Ticket(t).id for t in (ivan.credential, ivan.ticket, dead.credential)} | {None})
        # Another device of the same user is another key.
        laptop = heidi.on(Device(self.mesh.folder, "heidis-laptop"))
        self.assert_foreign(self.revoke(heidi.credential, laptop.device, laptop.credential))
        self.assertEqual(heidi.get(heidi.root).status, 200)

    def test_by_office(self):
        judy, mallory = Person(self.mesh, "judy"), Person(self.mesh, "mallory")
        guard = Service(self.mesh, "guard")
        self.assertEqual(Socket(self.mesh).call("PUT", f"roles/{guard.id}/revoke").status, 200)
        guard.login()
        self.assert_done(self.revoke(judy.ticket, guard.device, guard.credential))
        self.assert_dead(judy, judy.ticket, self.feeder)
        self.assertEqual(judy.get(judy.root).status, 200)
        # What nobody signed tells nothing of whose session it is.
        self.assert_done(self.revoke(self.spoilt(judy.credential), guard.device, guard.credential))
        self.assertEqual(judy.get(judy.root).status, 200)
        self.assert_done(self.revoke(judy.credential, guard.device, guard.credential))
        self.assert_over(judy.get(judy.root))
        record = self.mesh.audit(action="session.close", actor=guard.id)[0]
        self.assertEqual((record["outcome"], record["rule"]), ("done", "allow revoke(_, _) if caller(P), role(P, revoke)."))
        self.assertEqual(mallory.get(mallory.root).status, 200)

    def test_requests(self):
        kate = Person(self.mesh, "kate")
        for form, description, reason in (
            ("other=1", "'token' is missing.", "ticket-missing"),
            ("token=", "'token' is missing.", "ticket-missing"),
            ("token=x&token=y", "Nothing may occur more than once.", "ticket-repeated"),
            ("token=%zz", "The body is not a well-formed form.", "form"),
            (f"token={kate.credential}~{kate.ticket}", "'token' is one ticket; send several one by one.", "ticket-set"),
        ):
            with self.subTest(form[:20]):
                self.assert_refused(self.revoke(form, kate.device), 400, "invalid_request", description, reason)
        self.assert_refused(self.revoke(kate.credential), 400, "invalid_request",
                            "Prove the device's key with a TLS client certificate or a DPoP proof.", "no-proof")
        self.assert_problem(self.revoke(kate.credential, kate.device, kate.ticket), 401, "audience")
        self.assertEqual(self.mesh.request("GET", REVOKE).status, 405)
        self.assertEqual(kate.get(kate.root).status, 200)


class Admins(Sessions):
    def list(self, admin, person):
        return admin.call("GET", f"users/{person.id}/sessions")

    def test_an_admin_closes_a_session(self):
        admin, alice = Admin(self.mesh, "admin"), Person(self.mesh, "alice")
        feeder = Service(self.mesh, "feeder")
        feeder.login()
        for who in (admin, Socket(self.mesh)):
            alice.login()
            session = Ticket(alice.credential).session_index
            device = alice.claim().json["id"] if who is admin else device
            node = {s["id"]: s for s in self.list(who, alice).json["items"]}[session]
            self.assertEqual((node["principal"], node["device"], node["url"]),
                             (alice.id, device, f"{self.mesh.url}/v1/admin/sessions/{session}"))
            self.assertEqual(node["key"], self.key_of(alice))
            self.assertEqual(who.call("DELETE", f"sessions/{session}").status, 204)
            self.assert_over(alice.get(alice.root))
            self.assert_dead(alice, alice.ticket, feeder)
            record = self.mesh.audit(action="session.close", actor=who.id)[0]
            self.assertEqual((record["outcome"], record["resources"]), ("done", [session, alice.id]))
            self.assertNotIn(session, [s["id"] for s in self.list(who, alice).json["items"]])
            self.assertEqual(who.call("DELETE", f"sessions/{session}").status, 404)

    def key_of(self, person):
        return hashlib.sha256(person.device.spki).hexdigest()[:16]

    def test_lists_go_on(self):
        carol, local = Person(self.mesh, "carol"), Socket(self.mesh)
        ids = {Ticket(carol.credential).session_index}
        for _ in range(4):
            carol.login()
            ids.add(Ticket(carol.credential).session_index)
        found, path = [], f"users/{carol.id}/sessions?limit=2"
        while path:
            page = local.call("GET", path).json
            self.assertLessEqual(len(page["items"]), 2)
            found += [s["id"] for s in page["items"]]
            path = page.get("next", "").split("/v1/admin/")[-1]
            path = path and path + "&limit=2"
        self.assertEqual((set(found), len(found)), (ids, 5))
        # Behind one that was closed meanwhile, and behind what is none of hers.
        self.assertEqual(local.call("DELETE", f"sessions/{found[1]}").status, 204)
        rest = local.call("GET", f"users/{carol.id}/sessions?after={found[1]}").json["items"]
        self.assertEqual([s["id"] for s in rest], found[2:])
        other = Ticket(Person(self.mesh, "dora").credential).session_index
        for after, status in ((new_id("ses_"), 404), (other, 404), ("x", 400), (carol.id, 400)):
            self.assertEqual(local.call("GET", f"users/{carol.id}/sessions?after={after}").status, status)
        self.assertEqual(local.call("GET", f"users/{new_id('usr_')}/sessions").status, 404)

    def test_a_ticket_by_its_id(self):
        admin, dave = Admin(self.mesh, "admin"), Person(self.mesh, "dave")
        id = Ticket(dave.ticket).id
        for _ in range(2):  # once more changes nothing
            self.assertEqual(admin.call("DELETE", f"tickets/{id}").status, 204)
        wait_until(lambda: (id,) in revoked(self.mesh), "the trust file to tell")
        self.assertEqual(self.mesh.verify(dave.ticket, dave.device)[1].get("reason"), "revoked")
        self.assertEqual([(r["outcome"], r["ticket"]) for r in self.mesh.audit(action="ticket.revoke", actor=admin.id)],
                         [("done", id)])
        for odd in ("_123", "storage", id[1:], id.upper()):
            self.assertEqual(admin.call("DELETE", f"tickets/{odd}").status, 404)

    def test_who_may_not(self):
        erin = Person(self.mesh, "erin")
        session = Ticket(erin.credential).session_index
        for method, path in (("GET", f"users/{erin.id}/sessions"), ("DELETE", f"sessions/{session}"),
                             ("DELETE", f"tickets/{Ticket(erin.ticket).id}")):
            self.assert_problem(self.mesh.request(method, f"/v1/admin/{path}"), 401, "no-ticket")
            self.assert_problem(erin.call(method, f"/v1/admin/{path}"), 403, "forbidden")
        self.assertEqual(erin.get(erin.root).status, 200)
        record = self.mesh.audit(action="session.close", actor=erin.id)[0]
        self.assertEqual((record["outcome"], record["reason"], record["resources"]), ("deny", "forbidden", [session]))

    def test_the_command(self):
        """While meshauthd runs, and on the store that no service has open."""
        frank = Person(self.mesh, "frank")

        def admin(*args, code=0):
            done = run(MESHAUTH, *args, "-c", self.mesh.conf, "--json", check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            return json.loads(done.stdout or "{}")

        for served in (True, False):
            frank.login()
            session, ticket = Ticket(frank.credential).session_index, Ticket(frank.ticket).id
            if not served:
                self.mesh.stop()
            shown = admin("user", "show", frank.id)["sessions"]
            self.assertIn(session, [s["id"] for s in shown])
            text = run(MESHAUTH, "user", "show", frank.id, "-c", self.mesh.conf).stdout
            self.assertRegex(text, f"open session.*\n{session}|{session}")
            self.assertEqual(admin("revoke", session, ticket), {"revoked": [session, ticket]})
            self.assertEqual(admin("revoke", ticket, session, code=1), {"revoked": [ticket]})
            if not served:
                self.mesh.start()
            self.assert_over(frank.get(frank.root))
            wait_until(lambda: {(session,), (ticket,)} <= set(revoked(self.mesh)), "the trust file to tell")
            closed = self.mesh.audit(action="session.close", outcome="done")
            self.assertIn([session, frank.id], [r["resources"] for r in closed])
        for bad in ("x", "fld_1", "ses_1"):
            admin("revoke", session, bad, code=2)


class Logout(Sessions):
    def command(self, *args, home="home", code=0):
        done = run(MESHAUTH, *args, env={"MESHAUTH_HOME": str(self.mesh.folder / home)}, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def log_in(self, name, home="home"):
        file = self.mesh.folder / "id-token"
        file.write_text(self.mesh.mint(name))
        return json.loads(self.command("login", self.mesh.url, "--ca", self.mesh.ca, "--id-token", file, "--json",
                                       home=home)[0])

    def test_it(self):
        login = self.log_in("alice")
        out, _ = self.command("logout")
        self.assertIn("Logged out", out)
        wait_until(lambda: (login["session"],) in revoked(self.mesh), "the trust file to tell")
        self.assertIn("Not logged in", self.command("status", code=1)[0])
        self.assertIn("Nobody is logged in", self.command("logout", code=1)[1])
        # The key stayed: the next login is the same device's.
        again = self.log_in("alice")
        self.assertEqual(again["device_key"], login["device_key"])
        self.assertNotEqual(again["session"], login["session"])
        said = json.loads(self.command("logout", "--account", self.mesh.url, "--json")[0])
        self.assertEqual(said, {"url": self.mesh.url, "session": again["session"], "closed": True})

    def test_a_session_that_is_over(self):
        login = self.log_in("bob", "over")
        run(MESHAUTH, "revoke", login["session"], "-c", self.mesh.conf)
        self.command("logout", home="over")
        self.command("status", home="over", code=1)

    def test_locally(self):
        login = self.log_in("carol", "local")
        self.assertIn("stays open", self.command("logout", "--local", home="local")[0])
        self.command("status", home="local", code=1)
        sessions = Socket(self.mesh).call("GET", f"users/{login['subject']}/sessions").json["items"]
        self.assertEqual([s["id"] for s in sessions], [login["session"]])

    def test_nobody_answers(self):
        self.log_in("dave", "offline")
        self.mesh.stop()
        try:
            self.assertIn("--local", self.command("logout", home="offline", code=3)[1])
            self.command("status", home="offline")
            self.command("logout", "--local", home="offline")
            self.command("status", home="offline", code=1)
        finally:
            self.mesh.start()


class TooFast(Sessions):
    """Each revocation is a line that every verifier reads, so a user has so many, by whatever keys."""

    settings = {"limits": {"changes_per_minute": 2}}

    def test_it(self):
        one, other = Person(self.mesh, "alice"), Person(self.mesh, "alice")
        mallory = Person(self.mesh, "mallory")
        for _ in range(3):  # spends nothing of hers
            self.assert_foreign(self.revoke(one.ticket, mallory.device))
        for person in (one, other):
            self.assert_done(self.revoke(person.ticket, person.device))
        for person in (one, other):
            answer = self.revoke(person.credential, person.device)
            self.assert_refused(answer, 429, "temporarily_unavailable",
                                "Too many logins or tickets in a short time; wait and try again.", "too-fast")
        self.assert_done(self.revoke(mallory.ticket, mallory.device))


if __name__ == "__main__":
    main()
