#!/usr/bin/env python3
"""/v1/admin/revocations and `meshauth revoke`: an admin ends a ticket, a session, a user, a
device or a link, and nothing brings it back."""
import json

from harness import MESHAUTH, STORAGE, MeshTest, Ticket, main, run, wait_until
from people import Person, new_id, revoked
from services import Admin

SAML2 = "urn:ietf:params:oauth:token-type:saml2"


class Revocations(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Admin(cls.mesh, "admin")

    def revoke(self, *ids, by=None, **more):
        return (by or self.admin).call("POST", "revocations", {"ids": list(ids), **more})

    def must(self, action, *ids, **more):
        answer = self.revoke(*ids, **more)
        self.assertEqual((answer.status, answer.json["action"]), (200, action), answer)
        self.assertEqual(sorted(answer.json["ids"]), sorted(ids))

    def renews(self, person):
        """Does its identity ticket bring new ones? By the session and the key alone."""
        answer = self.mesh.exchange(person.credential, person.device, subject_token_type=SAML2)
        if answer.status == 200:
            return True
        self.assertEqual((answer.status, answer.json["error"]), (400, "invalid_request"))
        return False

    def assert_dead(self, person, credential=None):
        """At a service that has the trust file, within a second."""
        credential = credential or person.ticket
        wait_until(lambda: self.mesh.verify(credential, person.device)[1].get("reason") == "revoked", "it to be dead", 2)

    def listed(self, by=None):
        found, path = {}, "revocations?limit=3"
        while path:
            page = (by or self.admin).call("GET", path).json
            self.assertLessEqual(len(page["items"]), 3)
            for item in page["items"]:
                self.assertNotIn(tuple(item["ids"]), found)
                found[tuple(item["ids"])] = item["state"]
            path = page.get("next", "").split("/v1/admin/")[-1]
            path = path and path + "&limit=3"
        return found

    def test_a_ticket(self):
        alice = Person(self.mesh, "alice")
        self.must("ticket.revoke", Ticket(alice.ticket).id, note="shown on a slide")
        self.assert_dead(alice)
        record = self.mesh.audit(action="ticket.revoke", ticket=Ticket(alice.ticket).id)[0]
        self.assertEqual((record["actor"], record["outcome"], record["note"]), (self.admin.id, "done", "shown on a slide"))
        self.assertTrue(self.renews(alice))

    def test_a_session(self):
        alice = Person(self.mesh, "alice")
        self.must("session.close", Ticket(alice.credential).session_index)
        self.assertFalse(self.renews(alice))
        self.assert_dead(alice)
        self.assertEqual(self.revoke(Ticket(alice.credential).session_index).status, 404)

    def test_a_user(self):
        bob = Person(self.mesh, "bob")
        phone = bob.on(None)
        phone.claim(unattended=True)
        other = Person(self.mesh, "other")
        self.must("user.revoke", bob.id)
        for one in (bob, phone):
            self.assertFalse(self.renews(one))
            self.assert_over(one.get(one.root))
            self.assert_dead(one)
        self.assertTrue(self.renews(other))
        bob.login()  # the account is there, and what the provider says of him
        self.assertEqual(bob.get(bob.root).status, 200)

    def test_a_device(self):
        carol = Person(self.mesh, "carol")
        early = Person(self.mesh, "early", carol.device)  # whose ticket does not say which device it is
        device = carol.claim(unattended=True).json
        folder = carol.create("Trip")
        self.assertEqual(carol.map(folder, device).status, 201)
        guest = Person(self.mesh, "guest", carol.device)  # has logged in on it, too
        laptop = carol.on(None)
        self.must("device.revoke", device["id"])
        for one in (carol, guest, early):
            self.assertFalse(self.renews(one))
            self.assert_dead(one)
        self.assertTrue(self.renews(laptop))
        self.assertEqual(laptop.items(folder["links"]["mappings"]), [])
        self.assertEqual(laptop.get(device["url"]).status, 404)
        wait_until(lambda: (device["id"],) in revoked(self.mesh), "the trust file to tell")

    def test_links(self):
        dora, emil = Person(self.mesh, "dora"), Person(self.mesh, "emil")
        folder, device = dora.create("Trip"), emil.claim().json
        dora.join(folder, emil)
        self.assertEqual(emil.map(folder, device).status, 201)
        rights = self.mesh.exchange(emil.credential, emil.device, subject_token_type=SAML2, audience=STORAGE,
                                    resource=folder["url"]).json["tickets"][0]["credential"]

        self.must("mapping.remove", folder["id"], device["id"])
        self.assertEqual(emil.items(folder["links"]["mappings"]), [])

        self.must("member.remove", emil.id, folder["id"])
        self.assert_dead(emil, rights)
        again = self.mesh.exchange(emil.credential, emil.device, subject_token_type=SAML2, audience=STORAGE,
                                   resource=folder["url"])
        self.assertEqual((again.status, again.json["error"]), (400, "invalid_target"))
        self.assertEqual(self.revoke(emil.id, folder["id"]).status, 404)
        self.assert_problem(self.revoke(dora.id, folder["id"]), 409, "owner")

        self.assertTrue(self.renews(emil))
        self.must("device.release", device["id"], emil.id)
        self.assertFalse(self.renews(emil))

    def test_the_list(self):
        frank = Person(self.mesh, "frank")
        before = self.listed()
        for one in (Ticket(frank.ticket).id, Ticket(frank.credential).session_index, frank.id):
            self.assertEqual(self.revoke(one).status, 200)
        after = self.listed()
        new = {(Ticket(frank.ticket).id,), (Ticket(frank.credential).session_index,), (frank.id,)}
        self.assertLessEqual(new, set(after) - set(before))
        wait_until(lambda: revoked(self.mesh) == self.listed(), "the trust file to be the same")
        listed = next(i for i in self.admin.call("GET", "revocations").json["items"] if i["ids"] == [frank.id])
        self.assertRegex(listed["listed"], "^20..-")
        for bad in ("after=x", f"after={frank.id}.{frank.id}", "limit=0", "limit=65", "other=1"):
            self.assert_problem(self.admin.call("GET", f"revocations?{bad}"), 400, "query")

    def test_what_is_none(self):
        for ids in (["x"], ["*"], [new_id("fld_")], [new_id("svc_")], [new_id("usr_"), new_id("usr_")], [],
                    [new_id("usr_"), new_id("fld_"), new_id("dev_")], [new_id("usr_") + "+" + new_id("dev_"), ""]):
            with self.subTest(ids=ids):
                self.assert_problem(self.revoke(*ids), 400, "revocation")
        for body in ({}, {"ids": "x"}, {"ids": [1]}, {"ids": [], "why": "x"}):
            with self.subTest(body=body):
                self.assert_problem(self.admin.call("POST", "revocations", body), 400, "body")
        for ids in ([new_id("usr_")], [new_id("dev_")], [new_id("ses_")], [new_id("dev_"), new_id("usr_")]):
            self.assert_problem(self.revoke(*ids), 404, "not-found")
        denied = self.mesh.audit(outcome="deny", reason="not-found", actor=self.admin.id)
        self.assertIn("user.revoke", [r["action"] for r in denied])

    def test_who_may(self):
        gina = Person(self.mesh, "gina")
        for method, body in (("GET", None), ("POST", {"ids": [gina.id]})):
            answer = gina.call(method, "/v1/admin/revocations", body)
            self.assert_problem(answer, 403, "forbidden")
        self.assertTrue(self.renews(gina))
        record = self.mesh.audit(actor=gina.id, outcome="deny")[0]
        self.assertEqual((record["reason"], record["resources"]), ("forbidden", [gina.id]))

    def test_the_command(self):
        """While meshauthd runs, and on the store that no service has open."""
        def command(*args, code=0):
            done = run(MESHAUTH, "revoke", *args, "-c", self.mesh.conf, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stderr if code else done.stdout

        for served in (True, False):
            hans, ines = Person(self.mesh, "hans"), Person(self.mesh, "ines")
            folder, device = hans.create("Trip"), ines.claim().json
            hans.join(folder, ines)
            if not served:
                self.mesh.stop()
            said = command(f"{folder['id']}+{ines.id}", hans.id, device["id"], "--note", f"served: {served}")
            self.assertEqual(said, f"{folder['id']}+{ines.id}: removed\n{hans.id}: logged out everywhere\n"
                                   f"{device['id']}: released, its sessions closed\n")
            none = run(MESHAUTH, "revoke", f"{ines.id}+{folder['id']}", "--json", "-c", self.mesh.conf, check=False)
            self.assertEqual((none.returncode, json.loads(none.stdout)), (1, {"revoked": []}))
            self.assertIn(hans.id, command("--list"))
            listed = json.loads(command("--list", "--json"))["revocations"]
            self.assertIn([hans.id], [r["ids"] for r in listed])
            said = command(f"{folder['id']}+{hans.id}", code=1)
            self.assertIn(f"{folder['id']}+{hans.id}: the folder's owner stays", said)
            if not served:
                self.mesh.start()
            self.assertFalse(self.renews(hans) or self.renews(ines))
            ines.login()
            self.assertEqual(ines.get(folder["url"]).status, 404)
            record = self.mesh.audit(action="member.remove", outcome="done")[0]
            self.assertEqual((record["note"], record["resources"]), (f"served: {served}", [folder["id"], ines.id]))
            self.assertRegex(record["actor"], "^uid:")
        for bad in (["x"], [folder["id"]], [f"{hans.id}+{ines.id}"], [], [hans.id, "--list"]):
            command(*bad, code=2)


if __name__ == "__main__":
    main()
