#!/usr/bin/env python3
"""A login: an ID token and a device's key go in, signed tickets come out."""
import base64
import json
import pathlib
import re
import stat
import unittest

import harness
from harness import (EXCHANGE, FORM, ID_TOKEN, MESHAUTH, SAML2, STORAGE, Device, MeshTest, Ticket, assertion_of, main,
                     run)

USER = r"usr_[0-7][0-9a-hjkmnp-tv-z]{25}"
SESSION = r"ses_[0-7][0-9a-hjkmnp-tv-z]{25}"


class Login(MeshTest):
    """The configuration as `init --demo` writes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.answer = cls.mesh.login("alice", cls.device)
        cls.body = cls.answer.json
        cls.identity, cls.rights = (Ticket(t["credential"]) for t in cls.body["tickets"])

    def test_the_answer_is_of_rfc_8693(self):
        self.assertEqual(self.answer.headers["Content-Type"], "application/json")
        self.assertEqual(self.answer.headers["Cache-Control"], "no-store")
        self.assertEqual(self.answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertTrue(self.answer.headers["Strict-Transport-Security"])
        self.assertEqual(self.body["token_type"], "Bearer")
        self.assertEqual(self.body["issued_token_type"], SAML2)
        self.assertEqual(self.body["expires_in"], 3600)
        self.assertEqual(set(self.body), {"access_token", "issued_token_type", "token_type", "expires_in", "mesh",
                                          "tickets"})
        self.assertEqual(self.mesh.log_of(self.answer)["status"], 200)

    def test_the_access_token_is_the_identity_ticket(self):
        self.assertEqual(assertion_of(self.body["access_token"]), self.identity.xml)
        self.assertTrue(base64.urlsafe_b64decode(self.body["access_token"] + "==").startswith(b"<saml:Assertion"))

    def test_the_mesh_root_is_the_users_own_node(self):
        self.assertRegex(self.body["mesh"], f"^{re.escape(self.mesh.url)}/v1/mesh/users/{USER}$")
        self.assertTrue(self.body["mesh"].endswith("/" + self.identity.subject))

    def test_the_tickets_are_listed_with_what_they_are_for(self):
        for listed, ticket in zip(self.body["tickets"], (self.identity, self.rights), strict=True):
            self.assertEqual([listed["audience"]], ticket.audiences)
            self.assertEqual(listed["expires_in"], ticket.lifetime_s)
        self.assertEqual(self.body["tickets"][1]["resource"], self.body["mesh"])
        self.assertEqual(self.body["tickets"][1]["actions"], ["read"])
        self.assertEqual(self.body["tickets"][0]["actions"], [])

    def test_credentials_pass_common_proxies(self):
        for listed in self.body["tickets"]:
            self.assertLess(len(listed["credential"]), 7680)
            self.assertLess(len(listed["credential"]), len(self.body["access_token"]))

    def test_the_identity_ticket(self):
        t = self.identity
        self.assertEqual((t.issuer, t.audiences, t.lifetime_s), (self.mesh.url, [self.mesh.url], 3600))
        self.assertRegex(t.subject, f"^{USER}$")
        self.assertRegex(t.session_index, f"^{SESSION}$")
        self.assertEqual(t.permits, [])
        self.assertEqual([f[0] for f in t.facts], ["asof", "session"])
        self.assertEqual(t.facts[1][1], t.session_index)

    def test_the_rights_ticket(self):
        t = self.rights
        self.assertEqual((t.issuer, t.audiences, t.lifetime_s), (self.mesh.url, [STORAGE], 600))
        self.assertEqual(t.subject, self.identity.subject)
        self.assertIsNone(t.session_index)
        self.assertEqual(t.permits, [(self.body["mesh"], ["Read"])])
        self.assertEqual(t.facts, self.identity.facts)

    def test_both_are_bound_to_the_devices_key(self):
        self.assertEqual(self.identity.holder, self.device.spki)
        self.assertEqual(self.rights.holder, self.device.spki)

    def test_meshauth_verifies_them(self):
        code, said = self.mesh.verify(self.rights.credential, self.device)
        self.assertEqual((code, said["verdict"]), (0, "accept"), said)
        self.assertEqual(said["id"], self.rights.id)
        self.assertEqual(said["subject"], self.rights.subject)
        self.assertEqual(said["audiences"], [STORAGE])
        self.assertEqual(said["permits"], [{"resource": self.body["mesh"], "actions": ["read"]}])
        self.assertEqual([tuple(f) for f in said["facts"]], self.rights.facts)
        code, said = self.mesh.verify(self.body["access_token"], self.device, audience=self.mesh.url)
        self.assertEqual((code, said["verdict"]), (0, "accept"), said)

    def test_meshauth_refuses_what_is_not_for_it(self):
        other = Device(self.mesh.folder, "other")
        changed = list(self.rights.credential)
        changed[len(changed) // 2] = "A" if changed[len(changed) // 2] != "A" else "B"
        for name, args, reason in (
            ("another service", dict(audience="urn:meshauth:service:relay"), "audience"),
            ("the identity ticket at a service", dict(credential=self.identity.credential), "audience"),
            ("another device", dict(device=other), "holder"),
            ("one character changed", dict(credential="".join(changed)), None),
        ):
            with self.subTest(name):
                given = {"credential": self.rights.credential, "device": self.device, **args}
                code, said = self.mesh.verify(**given)
                self.assertEqual((code, said["verdict"]), (1, "refuse"))
                if reason:
                    self.assertEqual(said["reason"], reason)

    def test_the_audit_log_has_what_left(self):
        for ticket, action in ((self.identity, "login"), (self.rights, "ticket.issue")):
            records = self.mesh.audit(ticket=ticket.id)
            self.assertEqual(len(records), 1)
            record = records[0]
            self.assertEqual((record["action"], record["outcome"]), (action, "allow"))
            self.assertEqual(record["digest"], ticket.digest)
            self.assertEqual(record["key"], ticket.key)
            self.assertEqual(record["actor"], ticket.subject)
            self.assertEqual(record["session"], ticket.facts[1][1])
            self.assertEqual(record["client"], "127.0.0.1")
            self.assertEqual(record["request"], self.answer.request_id)
            self.assertEqual(record["resources"][-1], ticket.audiences[0])
        self.assertIn("user(R, U)", self.mesh.audit(ticket=self.rights.id)[0]["rule"])

    def test_the_user_was_made_on_record_before_the_login(self):
        made = [r for r in self.mesh.audit(action="user.create") if r["actor"] == self.identity.subject]
        self.assertEqual(len(made), 1)
        login = self.mesh.audit(ticket=self.identity.id)[0]
        self.assertLess(made[0]["sequence"], login["sequence"])

    def test_the_same_user_logs_in_again_with_another_device(self):
        phone = Device(self.mesh.folder, "phone")
        t = Ticket(self.mesh.login("alice", phone).json["access_token"])
        self.assertEqual(t.subject, self.identity.subject)
        self.assertNotEqual(t.session_index, self.identity.session_index)
        self.assertEqual(t.holder, phone.spki)
        self.assertEqual(len([r for r in self.mesh.audit(action="user.create") if r["actor"] == t.subject]), 1)

    def test_another_user_is_another(self):
        bob = Ticket(self.mesh.login("bob", self.device).json["access_token"])
        self.assertNotEqual(bob.subject, self.identity.subject)

    def test_a_token_serves_one_key(self):
        token = self.mesh.mint("carol")
        first = self.mesh.exchange(token, self.device)
        self.assertEqual(first.status, 200)
        thief = Device(self.mesh.folder, "thief")
        answer = self.mesh.exchange(token, thief)
        self.assert_refused(answer, 400, "invalid_request",
                            "The subject token was already used with another device's key.", "token-other-key")
        carol = Ticket(first.json["access_token"]).subject
        denied = self.mesh.audit(action="login", outcome="deny", reason="token-other-key")
        self.assertEqual([(r["actor"], r["request"]) for r in denied], [(carol, answer.request_id)])
        again = self.mesh.exchange(token, self.device)
        self.assertEqual(again.status, 200)
        self.assertEqual(Ticket(again.json["access_token"]).subject, carol)

    def test_an_rsa_device(self):
        device = Device(self.mesh.folder, "rsa", "rsa2048")
        t = Ticket(self.mesh.login("alice", device).json["tickets"][1]["credential"])
        self.assertEqual(t.holder, device.spki)
        self.assertEqual(self.mesh.verify(t.credential, device)[0], 0)

    def test_the_certificates_dates_are_not_judged(self):
        device = Device(self.mesh.folder, "expired")
        device.backdate()
        self.assertEqual(self.mesh.exchange(self.mesh.mint("alice"), device).status, 200)

    def test_a_connection_serves_many_logins(self):
        c = self.mesh.connection(self.device)
        self.addCleanup(c.close)
        for _ in range(3):
            self.assertEqual(self.mesh.exchange(self.mesh.mint("alice"), self.device, c).status, 200)

    def test_parameters_that_nobody_knows_are_ignored(self):
        answer = self.mesh.exchange(self.mesh.mint("alice"), self.device, client_id="meshauth", foo="bar")
        self.assertEqual(answer.status, 200)

    def test_the_ticket_type_is_the_default(self):
        answer = self.mesh.exchange(self.mesh.mint("alice"), self.device, requested_token_type=None)
        self.assertEqual((answer.status, answer.json["issued_token_type"]), (200, SAML2))

    def test_a_charset_may_be_named(self):
        token = self.mesh.mint("alice")
        body = f"grant_type={EXCHANGE}&subject_token_type={ID_TOKEN}&subject_token={token}"
        answer = self.mesh.request("POST", "/v1/token", body, {"Content-Type": FORM + "; charset=UTF-8"}, self.device)
        self.mesh.collect(answer)
        self.assertEqual(answer.status, 200)

    def test_tls_1_2_will_do(self):
        context = self.mesh.context(self.device)
        context.maximum_version = harness.ssl.TLSVersion.TLSv1_2
        c = harness.http.client.HTTPSConnection("127.0.0.1", self.mesh.port, context=context, timeout=60)
        self.addCleanup(c.close)
        c.connect()
        self.assertEqual(c.sock.version(), "TLSv1.2")
        self.assertEqual(self.mesh.exchange(self.mesh.mint("alice"), self.device, c).status, 200)


class Command(MeshTest):
    """The same with the meshauth command, as a person does it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.mesh.folder / "laptop"
        cls.account_of = {}

    def meshauth(self, *args, home=None, data=None, check=True):
        return run(MESHAUTH, *args, data=data, env={"MESHAUTH_HOME": str(home or self.home)}, check=check)

    def login(self, name, home=None, check=True):
        return self.meshauth("login", self.mesh.url, "--ca", self.mesh.ca, "--id-token", "-", home=home,
                             data=self.mesh.mint(name) + "\n", check=check)

    def account(self, home=None):
        """The one folder of an account, whose tickets are judged too."""
        (folder,) = (pathlib.Path(home or self.home) / "accounts").iterdir()
        tickets = []
        for file in folder.glob("*.json"):
            for t in json.loads(file.read_text()).get("tickets", []):
                tickets.append(self.mesh.collect_ticket(t["credential"]))
        self.mesh.secrets.add((folder / "device.key").read_text().split("\n")[1])
        return folder, tickets

    def test_login_keeps_key_and_tickets_to_itself(self):
        home = self.mesh.folder / "one"
        self.login("alice", home)
        folder, tickets = self.account(home)
        self.assertEqual(sorted(t.audiences[0] for t in tickets), sorted([self.mesh.url, STORAGE]))
        for path in (home, *home.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode & 0o077 if path.is_dir() or path.suffix in (".key", ".json") else 0, 0, path)

    def test_a_second_login_keeps_the_key(self):
        home = self.mesh.folder / "two"
        self.login("alice", home)
        folder, before = self.account(home)
        self.login("alice", home)
        _, after = self.account(home)
        self.assertEqual({t.holder for t in before}, {t.holder for t in after})
        self.assertTrue({t.id for t in before}.isdisjoint(t.id for t in after))

    def test_a_second_login_closes_the_session_of_the_first(self):
        home = self.mesh.folder / "again"
        first, second = (json.loads(self.meshauth("login", self.mesh.url, "--ca", self.mesh.ca, "--id-token", "-",
                                                  "--json", home=home, data=self.mesh.mint("rita")).stdout)
                         for _ in range(2))
        self.account(home)

        def open_sessions():
            shown = run(MESHAUTH, "user", "show", first["subject"], "-c", self.mesh.conf, "--json")
            return [s["id"] for s in json.loads(shown.stdout)["sessions"]]

        self.assertEqual(open_sessions(), [second["session"]])
        # One that another has closed, or that is of somebody else, is no obstacle.
        run(MESHAUTH, "revoke", second["session"], "-c", self.mesh.conf)
        done = self.login("sam", home)
        self.assertEqual(done.stderr, "")
        self.account(home)
        self.meshauth("logout", home=home)
        self.assertEqual(open_sessions(), [])

    def test_the_ticket_verifies_from_the_file(self):
        home = self.mesh.folder / "three"
        self.login("alice", home)
        folder, tickets = self.account(home)
        rights = next(t for t in tickets if t.audiences == [STORAGE])
        file = self.mesh.folder / "rights"
        file.write_text(rights.credential + "\n")
        options = ("--trust", self.mesh.trust, "--root", self.mesh.vkey, "--audience", STORAGE)
        good = self.meshauth("ticket", "verify", file, *options, "--holder", folder / "device.crt")
        self.assertIn("accept", good.stdout.lower())
        vkey = self.mesh.vkey.read_text().strip()
        self.meshauth("ticket", "verify", file, "--trust", self.mesh.trust, "--root", vkey, "--audience", STORAGE,
                      "--holder", folder / "device.crt")
        shown = self.meshauth("ticket", "show", file)
        self.assertIn(rights.subject, shown.stdout)

    def test_status_knows_who_is_logged_in(self):
        home = self.mesh.folder / "four"
        self.assertEqual(self.meshauth("status", home=home, check=False).returncode, 1)
        self.login("alice", home)
        _, tickets = self.account(home)
        self.assertIn(tickets[0].subject, self.meshauth("status", home=home).stdout)

    def test_a_refused_login_exits_1_and_says_why(self):
        home = self.mesh.folder / "five"
        token = self.mesh.mint("alice")
        args = ("login", self.mesh.url, "--ca", self.mesh.ca, "--id-token", "-")
        self.meshauth(*args, home=home, data=token)
        self.account(home)
        thief = self.meshauth(*args, home=self.mesh.folder / "thief", data=token, check=False)
        self.assertEqual(thief.returncode, 1)
        self.assertIn("another device's key", thief.stderr)
        self.assertEqual(self.mesh.find_secrets(thief.stdout + thief.stderr), [])

    def test_a_server_of_an_unknown_authority_is_not_talked_to(self):
        done = self.meshauth("login", self.mesh.url, "--id-token", "-", home=self.mesh.folder / "six",
                             data=self.mesh.mint("alice"), check=False)
        self.assertEqual(done.returncode, 3)

    def test_nobody_answers(self):
        done = self.meshauth("login", f"https://127.0.0.1:{harness.free_port()}", "--ca", self.mesh.ca, "--id-token",
                             "-", home=self.mesh.folder / "seven", data=self.mesh.mint("alice"), check=False)
        self.assertEqual(done.returncode, 3)

    def test_the_admin_reads_the_audit_log_while_meshauthd_runs(self):
        home = self.mesh.folder / "eight"
        self.login("alice", home)
        _, tickets = self.account(home)
        done = self.meshauth("audit", "query", "-c", self.mesh.conf, "--ticket", tickets[0].id, "--json")
        self.assertIn(tickets[0].digest, done.stdout)
        asked = self.mesh.audit(action="audit.query")
        self.assertTrue(any(tickets[0].id in r.get("resources", [""])[0] for r in asked))

    def test_usage(self):
        for args in (("login",), ("ticket", "verify"), ("nonsense",), ("audit", "query", "--nonsense"), ()):
            with self.subTest(args):
                self.assertEqual(self.meshauth(*args, check=False).returncode, 2)


class Stopped(unittest.TestCase):
    """Admin commands while meshauthd does not run read the store themselves."""

    def test_audit_query(self):
        mesh = harness.Mesh()
        self.addCleanup(mesh.close)
        device = Device(mesh.folder)
        ticket = Ticket(mesh.login("alice", device).json["access_token"])
        mesh.stop()
        done = run(MESHAUTH, "audit", "query", "-c", mesh.conf, "--ticket", ticket.id, "--json")
        self.assertIn(ticket.digest, done.stdout)


class Restart(unittest.TestCase):
    def test_what_was_so_before_is_so_after(self):
        mesh = harness.Mesh()
        self.addCleanup(mesh.close)
        device = Device(mesh.folder)
        token = mesh.mint("alice")
        before = Ticket(mesh.exchange(token, device).json["access_token"])
        records = len(mesh.audit())
        mesh.stop()
        mesh.start()
        again = mesh.exchange(token, Device(mesh.folder, "thief"))
        self.assertEqual(again.json.get("error_description"),
                         "The subject token was already used with another device's key.")
        after = Ticket(mesh.exchange(token, device).json["access_token"])
        self.assertEqual((after.subject, after.key), (before.subject, before.key))
        self.assertGreater(len(mesh.audit()), records)
        code, said = mesh.verify(before.credential, device, audience=mesh.url)
        self.assertEqual((code, said["verdict"]), (0, "accept"))


if __name__ == "__main__":
    main()
