"""The graph over REST: every kind of node, made, read, changed and ended."""
import harness
from people import Person, new_id, revoked


class Walk(harness.MeshTest):
    def setUp(self):
        self.alice = Person(self.mesh, f"alice-{self.id().rsplit('.', 1)[1]}")
        self.bob = Person(self.mesh, f"bob-{self.id().rsplit('.', 1)[1]}")

    def assert_node(self, node, kind):
        self.assertEqual(node["type"], kind)
        self.assertTrue(node["url"].startswith(self.mesh.url + "/v1/mesh/"))
        self.assertTrue(node["url"].endswith(node["id"]))
        self.assertGreaterEqual(node["version"], 1)
        self.assertIn("links", node)
        harness.seconds(node["created"])
        harness.seconds(node["updated"])

    def test_the_root_leads_everywhere(self):
        root = self.alice.node(self.alice.root)
        self.assert_node(root, "user")
        self.assertEqual(self.alice.items(root["links"]["devices"]), [])
        self.assertEqual(self.alice.items(root["links"]["folders"]), [])
        answer = self.alice.get(self.alice.root)
        self.assertEqual(answer.headers["ETag"], f'"{root["version"]}"')
        again = self.alice.get(self.alice.root, headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((again.status, again.body), (304, b""))

    def test_the_description_is_for_everybody(self):
        answer = self.mesh.request("GET", "/v1/openapi.json")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"))
        self.assertIn(self.alice.root.removeprefix(self.mesh.url).replace(self.alice.id, "{user}"), answer.json["paths"])

    def test_a_device(self):
        made = self.alice.claim("Alice's PC")
        self.assertEqual(made.status, 201)
        device = made.json
        self.assert_node(device, "device")
        self.assertEqual((device["name"], device["unattended"], device["user"]),
                         ("Alice's PC", False, self.alice.root))
        self.assertEqual(made.headers["Location"], device["url"])
        again = self.alice.claim("another name")
        self.assertEqual((again.status, again.json), (200, device))
        self.assertEqual(self.alice.items(f"users/{self.alice.id}/devices"), [device])

        changed = self.alice.change(device["url"], {"name": "PC", "unattended": True})
        self.assertEqual((changed.status, changed.json["name"], changed.json["unattended"]), (200, "PC", True))
        self.assertGreater(changed.json["version"], device["version"])
        self.assertEqual(self.alice.call("PATCH", device["url"], {"name": "x"}, if_match=made.headers["ETag"]).status,
                         412)

        self.assert_problem(self.bob.get(device["url"]), 404, "not-found")
        self.assertEqual(self.alice.delete(device["url"]).status, 204)
        self.assert_over(self.alice.get(device["url"]))
        self.alice.login()
        self.assertEqual(self.alice.items(f"users/{self.alice.id}/devices"), [])
        claimed = self.alice.claim("PC again")
        self.assertEqual((claimed.status, claimed.json["id"]), (200, device["id"]))

    def test_a_folder(self):
        folder = self.alice.create("Trip", contributors_invite=True)
        self.assert_node(folder, "folder")
        self.assertEqual((folder["name"], folder["role"], folder["contributors_invite"]), ("Trip", "owner", True))
        self.assertEqual(self.alice.items(f"users/{self.alice.id}/folders"), [folder])
        member = self.alice.items(folder["links"]["members"])
        self.assertEqual([(m["user"], m["role"]) for m in member], [(self.alice.root, "owner")])
        changed = self.alice.change(folder["url"], {"name": "Journey"})
        self.assertEqual((changed.status, changed.json["name"], changed.json["contributors_invite"]),
                         (200, "Journey", True))
        self.assertEqual(self.alice.delete(folder["url"]).status, 204)
        self.assert_problem(self.alice.get(folder["url"]), 404, "not-found")

    def test_a_retry_is_safe(self):
        url, body = f"folders/{new_id('fld_')}", {"name": "Trip"}
        first = self.alice.must(201, "PUT", url, body, fresh=True)
        again = self.alice.must(200, "PUT", url, body, fresh=True)
        self.assertEqual(again.json, first.json)
        self.assert_problem(self.alice.call("PUT", url, {"name": "other"}, fresh=True), 412, "exists")
        self.assert_problem(self.bob.call("PUT", url, body, fresh=True), 412, "exists")
        self.assert_problem(self.alice.call("PUT", url, body), 428, "precondition-required")
        device = f"devices/{new_id('dev_')}"
        made = self.alice.must(201, "PUT", device, {"name": "PC"}, fresh=True)
        self.assertEqual(self.alice.must(200, "PUT", device, {"name": "PC"}, fresh=True).json, made.json)
        self.assert_problem(self.alice.call("PUT", f"devices/{new_id('dev_')}", {"name": "PC"}, fresh=True),
                            409, "key-in-use")

    def test_an_invitation(self):
        folder = self.alice.create()
        invitation = self.alice.invite(folder, "contributor", expires_in=3600)
        self.assert_node(invitation, "invitation")
        self.assertEqual(invitation["link"], f"{invitation['url']}#{invitation['secret']}")
        seen = self.alice.node(invitation["url"])
        self.assertNotIn("secret", seen)
        self.assertEqual((seen["state"], seen["role"], seen["folder"]), ("pending", "contributor", folder["url"]))
        self.assertEqual(self.alice.items(folder["links"]["invitations"]), [seen])

        secret = {"secret": invitation["secret"]}
        stranger = self.mesh.request("POST", f"/v1/mesh/invitations/{invitation['id']}/view",
                                     f'{{"secret":"{invitation["secret"]}"}}', {"Content-Type": "application/json"})
        self.assertEqual((stranger.status, stranger.json["folder_name"]), (200, "Trip"))
        self.assert_problem(self.bob.get(invitation["url"]), 404, "not-found")
        member = self.bob.must(200, "POST", invitation["url"] + "/accept", secret).json
        self.assertEqual((member["user"], member["role"]), (self.bob.root, "contributor"))
        self.assertEqual(self.bob.node(folder["url"])["role"], "contributor")
        self.assert_problem(self.bob.accept(invitation), 409, "invitation-closed")
        self.assertEqual(self.alice.node(invitation["url"])["state"], "accepted")

    def test_an_invitation_that_is_over(self):
        """It tells those who are not in the folder nothing more of it."""
        folder = self.alice.create("Trip", contributors_invite=True)
        self.alice.join(folder, self.bob, "contributor")
        invitation = self.bob.invite(folder)
        view = (f"/v1/mesh/invitations/{invitation['id']}/view", f'{{"secret":"{invitation["secret"]}"}}',
                {"Content-Type": "application/json"})
        self.assertEqual(self.alice.delete(f"{folder['url']}/members/{self.bob.id}").status, 204)
        self.alice.change(folder["url"], {"name": "without Bob"})
        for seen in (self.bob.node(invitation["url"]), self.mesh.request("POST", *view).json):
            self.assertEqual((seen["state"], seen["folder_name"]), ("revoked", ""))
        mine = self.alice.invite(folder)
        declined = self.mesh.request("POST", f"/v1/mesh/invitations/{mine['id']}/decline",
                                     f'{{"secret":"{mine["secret"]}"}}', {"Content-Type": "application/json"})
        self.assertEqual((declined.json["state"], declined.json["folder_name"]), ("declined", "without Bob"))
        self.assertEqual(self.alice.node(mine["url"])["folder_name"], "without Bob")

    def test_a_mapping(self):
        folder, device = self.alice.create(), self.alice.claim().json
        made = self.alice.map(folder, device)
        self.assertEqual(made.status, 201)
        self.assert_node(made.json, "mapping")
        self.assertEqual((made.json["device"], made.json["folder"], made.json["user"]),
                         (device["url"], folder["url"], self.alice.root))
        self.assertEqual(self.alice.map(folder, device).status, 200)
        self.assertEqual(self.alice.items(folder["links"]["mappings"]), [made.json])
        self.assertEqual(self.alice.items(device["links"]["folders"]), [made.json])
        self.assertEqual(self.alice.delete(made.json["url"]).status, 204)
        self.assertEqual(self.alice.items(folder["links"]["mappings"]), [])
        self.assert_problem(self.alice.get(made.json["url"]), 404, "not-found")

    def test_ownership_passes(self):
        folder = self.alice.create()
        bob = self.alice.join(folder, self.bob, "reader")
        self.assert_problem(self.alice.delete(f"{folder['url']}/members/{self.alice.id}"), 403, "forbidden")
        passed = self.alice.change(bob["url"], {"role": "owner"})
        self.assertEqual((passed.status, passed.json["role"]), (200, "owner"))
        self.assertEqual(self.alice.node(folder["url"])["role"], "contributor")
        self.assertEqual(self.alice.delete(f"{folder['url']}/members/{self.alice.id}").status, 204)
        self.assert_problem(self.alice.get(folder["url"]), 404, "not-found")
        self.assertEqual(self.bob.delete(folder["url"]).status, 204)

    def test_lists_go_on(self):
        made = [self.alice.create(f"folder {i}")["id"] for i in range(7)]
        url, pages = f"users/{self.alice.id}/folders?limit=3", []
        while url:
            page = self.alice.node(url)
            pages.append([f["id"] for f in page["items"]])
            url = page.get("next")
        self.assertEqual([len(p) for p in pages], [3, 3, 1])
        self.assertEqual(sum(pages, []), sorted(made))

    def test_changes_are_on_record(self):
        folder = self.alice.create()
        self.alice.join(folder, self.bob)
        self.bob.change(folder["url"], {"name": "mine"})
        records = [(r["actor"], r["action"], r["outcome"], r.get("reason"))
                   for r in self.mesh.audit()
                   if folder["url"] in r.get("resources", []) and r["action"] != "ticket.issue"]
        self.assertEqual(records, [(self.bob.id, "folder.update", "deny", "forbidden"),
                                   (self.bob.id, "invitation.accept", "done", None),
                                   (self.alice.id, "invitation.create", "done", None),
                                   (self.alice.id, "folder.create", "done", None)])
        accepted = self.mesh.audit(action="invitation.accept")[0]
        self.assertEqual((accepted["actor"], accepted["session"][:4]), (self.bob.id, "ses_"))
        self.assertTrue(accepted["rule"].startswith("allow accept(I) if shown(I)"))


class Revocations(harness.MeshTest):
    """What narrows is in the trust file within a second, and services refuse by it."""

    def appears(self, ids):
        return harness.wait_until(lambda: revoked(self.mesh).get(tuple(sorted(ids))), f"revoke {ids}", harness.PROMPT_S)

    def verdict(self, person):
        """On the ticket that the person's login brought."""
        code, said = self.mesh.verify(person.ticket, person.device)
        return said.get("reason") if code else "accept"

    def test_released(self):
        alice = Person(self.mesh, "alice")
        device = alice.claim().json
        folder = alice.create()
        alice.map(folder, device)
        self.assertEqual(self.verdict(alice), "accept")
        self.assertEqual(alice.delete(device["url"]).status, 204)
        number = self.appears({device["id"], alice.id})
        self.assertEqual(self.appears({device["id"]}), number)
        self.assertEqual(self.verdict(alice), "revoked")
        alice.login()
        self.assertEqual(self.verdict(alice), "accept")

    def test_removed(self):
        alice, bob = Person(self.mesh, "alice"), Person(self.mesh, "bob")
        folder, device = alice.create(), bob.claim().json
        member = alice.join(folder, bob, "contributor")
        bob.map(folder, device)
        lowered = alice.change(member["url"], {"role": "reader"})
        self.assertEqual((lowered.status, lowered.json["role"]), (200, "reader"))
        first = self.appears({folder["id"], bob.id})
        self.assertEqual(alice.delete(member["url"]).status, 204)
        self.appears({device["id"], folder["id"]})
        harness.wait_until(lambda: revoked(self.mesh)[tuple(sorted((folder["id"], bob.id)))] > first, "a higher number")

    def test_unmapped_and_deleted(self):
        alice = Person(self.mesh, "alice")
        folder, device = alice.create(), alice.claim().json
        mapping = alice.map(folder, device).json
        self.assertEqual(alice.delete(mapping["url"]).status, 204)
        self.appears({device["id"], folder["id"]})
        self.assertEqual(alice.delete(folder["url"]).status, 204)
        self.appears({folder["id"]})


if __name__ == "__main__":
    harness.main()
