"""Who may do what: each row of the mesh's tables, at the running service."""
import json
import unittest

import harness
import idtoken
from people import JSON, Person, new_id

ROLES = ("reader", "contributor", "owner")


class Folder(harness.MeshTest):
    """What each role may do on a folder, a stranger (404) and a known outsider (403)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = {name: Person(cls.mesh, name) for name in (*ROLES, "stranger", "other")}
        cls.devices = {name: person.claim(f"{name}'s PC").json for name, person in cls.people.items()}

    def setUp(self):
        self.owner = self.people["owner"]
        self.folder = self.owner.create()
        for role in ("reader", "contributor"):
            self.owner.join(self.folder, self.people[role], role)
        self.owner.join(self.folder, self.people["other"], "reader")

    def member_url(self, name):
        return f"{self.folder['links']['members']}/{self.people[name].id}"

    def expect(self, allowed, status, act):
        """act(person) has this status for those who may, 403 for other members, 404 for a stranger."""
        for name in (*ROLES, "stranger"):
            answer = act(self.people[name])
            if name in allowed:
                self.assertEqual(answer.status, status, f"{name}: {answer}")
            else:
                with self.subTest(name):
                    self.assert_problem(answer, *((404, "not-found") if name == "stranger" else (403, "forbidden")))

    def test_read_the_folder_its_members_and_mappings(self):
        for url in (self.folder["url"], *self.folder["links"].values(), self.member_url("owner")):
            self.expect(ROLES, 200, lambda p, url=url: p.get(url))

    def test_map_it_on_an_own_claimed_device(self):
        self.expect(ROLES, 201, lambda p: p.map(self.folder, self.devices[p.name]))

    def test_map_it_on_a_device_of_another(self):
        """Devices that one may know of by a folder that both have: 403; else there is no such device."""
        reader = self.people["reader"]
        self.assert_problem(reader.map(self.folder, self.devices["owner"]), 404, "not-found")
        self.assertEqual(self.owner.map(self.folder, self.devices["owner"]).status, 201)
        second = self.owner.create("Second")
        self.owner.join(second, reader)
        self.assert_problem(reader.map(second, self.devices["owner"]), 403, "forbidden")
        url = f"{self.folder['links']['mappings']}/{self.devices['owner']['id']}"
        self.assert_problem(reader.delete(url), 403, "forbidden")
        self.assert_problem(reader.map(self.folder, {"id": new_id("dev_")}), 404, "not-found")

    def test_leave(self):
        self.assert_problem(self.owner.delete(self.member_url("owner")), 403, "forbidden")
        for name in ("reader", "contributor"):
            self.assertEqual(self.people[name].delete(self.member_url(name)).status, 204)
            self.assert_problem(self.people[name].get(self.folder["url"]), 404, "not-found")

    def test_write_is_granted_at_services_only(self):
        """Entries are not here; the folder itself is deleted by its owner alone."""
        etag = self.owner.etag(self.folder["url"])
        self.expect(("owner",), 204, lambda p: p.call("DELETE", self.folder["url"], if_match=etag))

    def test_rename(self):
        self.expect(("owner",), 200, lambda p: p.call("PATCH", self.folder["url"], {"name": "x"}, if_match="*"))

    def test_invite(self):
        def invite(role):
            return lambda p: p.call("POST", self.folder["links"]["invitations"], {"role": role})

        self.expect(("owner",), 201, invite("reader"))
        self.expect(("owner",), 201, invite("contributor"))
        self.expect((), 201, invite("owner"))
        self.owner.change(self.folder["url"], {"contributors_invite": True})
        self.expect(("owner", "contributor"), 201, invite("reader"))
        self.expect(("owner", "contributor"), 201, invite("contributor"))
        self.expect((), 201, invite("owner"))

    def test_revoke_own_invitations(self):
        self.owner.change(self.folder["url"], {"contributors_invite": True})
        contributor = self.people["contributor"]
        invitation = contributor.invite(self.folder)
        for name in ("reader", "owner", "stranger"):
            answer = self.people[name].call("DELETE", invitation["url"], if_match="*")
            self.assert_problem(answer, 404, "not-found")
        self.owner.change(self.folder["url"], {"contributors_invite": False})
        self.assert_problem(contributor.delete(invitation["url"]), 403, "forbidden")
        self.owner.change(self.folder["url"], {"contributors_invite": True})
        self.assertEqual(contributor.delete(invitation["url"]).status, 204)
        self.assertEqual(contributor.node(invitation["url"])["state"], "revoked")

    def test_remove_others(self):
        etag = self.owner.etag(self.member_url("other"))
        self.expect(("owner",), 204, lambda p: p.call("DELETE", self.member_url("other"), if_match=etag))

    def test_change_roles(self):
        self.expect(("owner",), 200,
                    lambda p: p.call("PATCH", self.member_url("other"), {"role": "contributor"}, if_match="*"))

    def test_nobody_changes_their_own_role(self):
        for name in ROLES:
            answer = self.people[name].call("PATCH", self.member_url(name), {"role": "reader"}, if_match="*")
            self.assert_problem(answer, 403, "forbidden")

    def test_pass_ownership_on(self):
        self.expect(("owner",), 200,
                    lambda p: p.call("PATCH", self.member_url("other"), {"role": "owner"}, if_match="*"))
        self.assertEqual(self.owner.node(self.member_url("owner"))["role"], "contributor")
        self.assertEqual(self.owner.node(self.member_url("other"))["role"], "owner")

    def test_only_to_members(self):
        answer = self.owner.call("PATCH", self.member_url("stranger"), {"role": "owner"}, if_match="*")
        self.assert_problem(answer, 404, "not-found")
        answer = self.owner.call("DELETE", self.member_url("stranger"), if_match="*")
        self.assert_problem(answer, 404, "not-found")


class Devices(harness.MeshTest):
    def test_a_user_s_own_and_the_device_itself(self):
        pc = Person(self.mesh, "alice")
        device = pc.claim().json
        laptop = Person(self.mesh, "alice")
        bob = Person(self.mesh, "bob")
        for person, status in ((pc, 200), (laptop, 200), (bob, 404)):
            self.assertEqual(person.get(device["url"]).status, status)
        self.assertEqual(laptop.change(device["url"], {"name": "renamed"}).status, 200)
        self.assert_problem(bob.call("PATCH", device["url"], {"name": "x"}, if_match="*"), 404, "not-found")
        self.assert_problem(bob.call("DELETE", device["url"], if_match="*"), 404, "not-found")

        # Known by a folder that is mapped on it, without the right.
        folder = pc.create()
        pc.join(folder, bob)
        pc.map(folder, device)
        self.assert_problem(bob.get(device["url"]), 403, "forbidden")
        self.assert_problem(bob.call("DELETE", device["url"], if_match="*"), 403, "forbidden")

        # Another user on the same device: it reads and releases itself.
        guest = Person(self.mesh, "carol", pc.device)
        self.assertEqual(guest.get(device["url"]).status, 200)
        self.assert_problem(guest.call("PATCH", device["url"], {"name": "x"}, if_match="*"), 403, "forbidden")
        self.assert_problem(guest.claim(), 409, "claimed")
        self.assertEqual(guest.delete(device["url"]).status, 204)
        guest.login()  # folders lay there, so tickets that mention the device die
        self.assertEqual(guest.claim().status, 200)
        self.assert_problem(laptop.get(device["url"]), 404, "not-found")

    def test_another_s_node(self):
        alice, bob = Person(self.mesh, "alice2"), Person(self.mesh, "bob2")
        self.assert_problem(alice.get(bob.root), 404, "not-found")
        alice.join(alice.create(), bob)
        self.assert_problem(alice.get(bob.root), 403, "forbidden")
        self.assert_problem(alice.get(f"users/{bob.id}/devices"), 403, "forbidden")

    def test_an_identity_ticket_alone_claims_nothing(self):
        """Login never claims."""
        alice = Person(self.mesh, "alice3")
        alice.login()
        self.assertEqual(alice.items(f"users/{alice.id}/devices"), [])


class Tickets(harness.MeshTest):
    """The mesh opens to identity tickets whose key is proven and whose session is open."""

    def test_what_does_not_open_it(self):
        alice, bob = Person(self.mesh, "alice"), Person(self.mesh, "bob")

        def ask(device, credential):
            headers = {"Authorization": credential} if credential else {}
            return self.mesh.request("GET", f"/v1/mesh/users/{alice.id}", None, headers, device)

        self.assertEqual(ask(alice.device, f"Bearer {alice.credential}").status, 200)
        cases = (
            ("no ticket", alice.device, None, 401, "no-ticket"),
            ("no key", None, f"Bearer {alice.credential}", 401, "no-proof"),
            ("another's key", bob.device, f"Bearer {alice.credential}", 401, "holder"),
            ("a rights ticket", alice.device, f"Bearer {alice.ticket}", 401, "audience"),
            ("another scheme", alice.device, f"Basic {alice.credential}", 400, "authorization"),
            ("two credentials", alice.device, f"Bearer {alice.credential}, Bearer {alice.credential}", 400,
             "authorization"),
            ("no credential", alice.device, "Bearer ", 400, "authorization"),
            ("cut short", alice.device, f"Bearer {alice.credential[:-5]}", 401, "form"),
            ("DPoP without a proof", alice.device, f"DPoP {alice.credential}", 401, "dpop-proof"),
        )
        for name, device, credential, status, problem in cases:
            with self.subTest(name):
                answer = ask(device, credential)
                self.assert_problem(answer, status, problem)
                if status == 401:
                    self.assertEqual(len(answer.headers.get_all("WWW-Authenticate")), 2)

    def test_a_closed_session(self):
        alice = Person(self.mesh, "alice4")
        device = alice.claim().json
        alice.delete(device["url"])
        self.assert_over(alice.get(alice.root))


class Invitations(harness.MeshTest):
    """Each rule of invitations."""

    @classmethod
    def prepare(cls):
        cls.key = idtoken.Key(cls.mesh.folder, "key-1")
        (cls.mesh.dir / "example.jwks").write_text(idtoken.jwks(cls.key))
        cls.idp = idtoken.Provider("https://idp.example", "app")
        example = {"name": "example", "issuer": cls.idp.issuer, "client_ids": ["app"], "jwks_file": "example.jwks",
                   "create_users": True, "email_domains": ["example.org"]}
        return {"providers": [cls.mesh.demo_provider(), example]}

    def setUp(self):
        name = self.id().rsplit(".", 1)[1]
        self.alice, self.bob, self.carol = (Person(self.mesh, f"{who}-{name}") for who in ("alice", "bob", "carol"))
        self.folder = self.alice.create()

    def by_secret(self, invitation, verb, secret=None, person=None):
        path = f"/v1/mesh/invitations/{invitation['id']}/{verb}"
        body = {"secret": secret or invitation["secret"]}
        if person:
            return person.call("POST", path, body)
        return self.mesh.request("POST", path, json.dumps(body), {"Content-Type": JSON})

    def state(self, invitation):
        return self.alice.node(invitation["url"])["state"]

    def test_each_state_is_final(self):
        def accept(i):
            return self.bob.accept(i)

        def decline(i):
            return self.by_secret(i, "decline")

        def revoke(i):
            return self.alice.call("DELETE", i["url"], if_match="*")

        for end, name in ((accept, "accepted"), (decline, "declined"), (revoke, "revoked")):
            invitation = self.alice.invite(self.folder)
            self.assertIn(end(invitation).status, (200, 204))
            for again in (accept, decline, revoke):
                with self.subTest(f"{name}, {again.__name__}"):
                    self.assert_problem(again(invitation), 409, "invitation-closed")
            self.assertEqual(self.state(invitation), name)
            if name == "accepted":
                self.bob.delete(f"{self.folder['links']['members']}/{self.bob.id}")

    def test_the_secret(self):
        invitation = self.alice.invite(self.folder)
        other = self.alice.invite(self.folder)
        for secret in (other["secret"], "A" * 43, "A" * 42, invitation["secret"][:-1], invitation["secret"] + "A", ""):
            for verb in ("view", "decline", "accept"):
                answer = self.by_secret(invitation, verb, secret or " ", self.bob if verb == "accept" else None)
                self.assert_problem(answer, 404, "not-found")
        self.assertEqual(self.state(invitation), "pending")
        missing = {"id": new_id("inv_"), "secret": invitation["secret"]}
        self.assert_problem(self.by_secret(missing, "view"), 404, "not-found")

    def test_accepting_needs_a_ticket(self):
        invitation = self.alice.invite(self.folder)
        self.assert_problem(self.by_secret(invitation, "accept"), 401, "no-ticket")

    def test_it_names_a_person(self):
        invitation = self.alice.invite(self.folder, **{"for": self.bob.id})
        self.assert_problem(self.carol.accept(invitation), 403, "forbidden")
        self.assertEqual(self.state(invitation), "pending")
        self.assertEqual(self.bob.accept(invitation).status, 200)

    def login_by_email(self, email, verified):
        person = Person(self.mesh, "dave")
        claims = self.idp.claims(sub=f"dave-{email}-{verified}-{self.id()}", email=email, email_verified=verified)
        answer = self.mesh.exchange(self.key.sign(claims), person.device)
        self.assertEqual(answer.status, 200)
        person.credential = answer.json["access_token"]
        person.root = answer.json["mesh"]
        person.id = person.root.rsplit("/", 1)[1]
        return person

    def test_it_names_an_email(self):
        named = {"for": {"email": "dave@example.org", "issuer": self.idp.issuer}}
        invitation = self.alice.invite(self.folder, **named)
        for email, verified in (("dave@example.org", False), ("eve@example.org", True), ("dave@example.com", True)):
            self.assert_problem(self.login_by_email(email, verified).accept(invitation), 403, "forbidden")
        self.assert_problem(self.bob.accept(invitation), 403, "forbidden")
        dave = self.login_by_email("dave@EXAMPLE.org", True)
        self.assertEqual(dave.node(dave.root)["email"], "dave@EXAMPLE.org")
        self.assertEqual(dave.accept(invitation).status, 200)

    def test_an_email_of_another_issuer(self):
        named = {"for": {"email": "dave@example.org", "issuer": "https://other.example"}}
        invitation = self.alice.invite(self.folder, **named)
        self.assert_problem(self.login_by_email("dave@example.org", True).accept(invitation), 403, "forbidden")

    def test_the_inviter_can_no_longer_invite(self):
        self.alice.change(self.folder["url"], {"contributors_invite": True})
        bob = self.alice.join(self.folder, self.bob, "contributor")
        invitation = self.bob.invite(self.folder, "contributor")
        for body, allowed in (({"contributors_invite": False}, False), ({"contributors_invite": True}, True)):
            self.alice.change(self.folder["url"], body)
            if not allowed:
                self.assert_problem(self.carol.accept(invitation), 403, "forbidden")
        self.alice.change(bob["url"], {"role": "reader"})
        self.assert_problem(self.carol.accept(invitation), 403, "forbidden")
        self.alice.delete(bob["url"])
        self.assert_problem(self.carol.accept(invitation), 409, "invitation-closed")

    def test_a_deleted_folder(self):
        invitation = self.alice.invite(self.folder)
        self.alice.delete(self.folder["url"])
        self.assert_problem(self.bob.accept(invitation), 409, "invitation-closed")

    def test_a_member_already(self):
        self.alice.join(self.folder, self.bob)
        self.assert_problem(self.bob.accept(self.alice.invite(self.folder, "contributor")), 409, "member")

    def test_bad_requests(self):
        url = self.folder["links"]["invitations"]
        cases = (
            ({"role": "Reader"}, "role"),
            ({"role": "reader", "for": "bob"}, "for"),
            ({"role": "reader", "for": "dev_" + self.bob.id[4:]}, "for"),
            ({"role": "reader", "for": {"email": "nobody", "issuer": "https://i.example"}}, "for"),
            ({"role": "reader", "for": {"email": "a@example.org"}}, "body"),
            ({"role": "reader", "expires_in": 59}, "expires-in"),
            ({"role": "reader", "expires_in": 2592001}, "expires-in"),
            ({}, "body"),
        )
        for body, problem in cases:
            self.assert_problem(self.alice.call("POST", url, body), 400, problem)
        self.assert_problem(self.alice.call("POST", url, {"role": "editor"}), 403, "forbidden")
        self.assertEqual(self.alice.items(url), [])


@unittest.skipIf(harness.SLOW > 1, "a minute of waiting, in which sanitizers see nothing new")
class Expiry(harness.MeshTest):
    def test_it_expires(self):
        """60 seconds is the shortest: the one slow test of this file."""
        alice, bob = Person(self.mesh, "alice"), Person(self.mesh, "bob")
        invitation = alice.invite(alice.create(), expires_in=60)
        harness.wait_until(lambda: alice.node(invitation["url"])["state"] == "expired", "its expiry", 70, 1)
        self.assert_problem(bob.accept(invitation), 409, "invitation-closed")


if __name__ == "__main__":
    harness.main()
