#!/usr/bin/env python3
"""The commands on the mesh, device, folder and invitation, as two people type them."""
import base64
import json
import os
import pty
import re
import secrets
import subprocess

from commands import DEV, FLD, INV, USR, CommandTest, User
from harness import MESHAUTH, PATIENCE_S, Mesh, assertion_of, main, run, seconds


class Devices(CommandTest):
    def test_claimed_at_login(self):
        carol = User(self.mesh, "carol")
        self.assertEqual(carol.json("device", "list"), {"devices": []})
        self.assertIn("no device", carol.text("device", "list"))
        self.refused(carol, 1, "not claimed this device; `meshauth login URL --claim NAME`", "device", "show")
        first = carol.login(self.mesh, "--claim", "Phone")
        self.assertEqual((first["device"]["name"], first["device"]["key"]), ("Phone", first["device_key"]))
        # It is so already, whatever it is called this time.
        self.assertEqual(carol.login(self.mesh, "--claim", "Telephone")["device"], first["device"])
        said = carol.text("login", self.mesh.url, "--id-token", "-", "--claim", "Phone", data=self.mesh.mint("carol"))
        self.assertRegex(said, rf"(?s)^Logged in at .*\nClaimed: this device is Phone, {first['device']['id']}\.\n$")

    def test_claimed_by_another(self):
        mallory = User(self.mesh, "mallory")
        for file in ("device.key", "device.crt"):
            (mallory.account / file).write_bytes((self.alice.account / file).read_bytes())
        done = mallory.says(1, "login", self.mesh.url, "--ca", self.mesh.ca, "--id-token", "-", "--claim", "mine",
                            data=self.mesh.mint("mallory"))
        self.assertIn("The device is claimed by another user. You are logged in;", done.stderr)
        self.assertIn("`meshauth device release`", done.stderr)
        self.assertIn("Logged in", done.stdout)
        self.assertNotIn("Claimed", done.stdout)
        node = mallory.login(self.mesh, "--claim", "mine", code=1)
        self.assertNotIn("device", node)
        self.assertEqual(self.alice.json("device", "show")["name"], "Alice's PC")

    def test_a_name_is_looked_at_before_the_token_is_used_up(self):
        dave = User(self.mesh, "dave")
        token = self.mesh.mint("dave")
        for name in ("", "a" * 129, "\x1b[2J", "a\nb", "‮"):
            done = dave.says(2, "login", self.mesh.url, "--id-token", "-", "--claim", name, data=token)
            self.assertIn("--claim: a name is", done.stderr)
        dave.says(0, "login", self.mesh.url, "--id-token", "-", "--claim", "a" * 128, data=token)

    def test_every_command(self):
        alice = self.alice
        phone = alice.again("Phone")
        listed = alice.json("device", "list")["devices"]
        self.assertEqual({d["name"] for d in listed}, {"Alice's PC", "Phone"})
        here = next(d for d in listed if d["name"] == "Alice's PC")
        other = next(d for d in listed if d["name"] == "Phone")
        self.assertEqual(alice.json("device", "show"), here)
        self.assertEqual(alice.json("device", "show", other["id"]), other)
        self.assertEqual(phone.json("device", "show"), other)
        table = alice.text("device", "list")
        self.assertRegex(table, rf"Alice's PC +{here['id']} .* this device\n")
        self.assertRegex(table, rf"Phone +{other['id']} +\S+\n")
        self.assertRegex(alice.text("device", "show", other["id"]), rf"  name +Phone\n  id +{other['id']}\n")

        # By name, while only one has it.
        self.assertEqual(alice.json("device", "show", "Phone"), other)
        third = alice.again("Phone")
        twins = self.refused(alice, 1, "Several devices have that name; say which", "device", "show", "Phone")
        self.assertIn(other["id"], twins)
        third.text("device", "release")

        self.assertEqual(alice.text("device", "rename", other["id"], "Mobile"), f"{other['id']}: renamed\n")
        renamed = alice.json("device", "rename", other["id"], "<b>Möbile</b>")
        self.assertEqual((renamed["name"], renamed["version"]), ("<b>Möbile</b>", other["version"] + 2))

        self.assertEqual(alice.text("device", "unattended", other["id"], "yes"),
                         f"{other['id']}: unattended: its login goes on until it is released\n")
        self.assertRegex(alice.text("device", "list"), rf"{other['id']} +\S+ +unattended\n")
        self.assertIs(alice.json("device", "unattended", other["id"], "no")["unattended"], False)
        self.refused(alice, 2, "unattended: yes or no", "device", "unattended", other["id"], "maybe")

        self.assertEqual(alice.json("device", "release", other["id"]), {})
        # By its session, or once our own trust file has arrived by its ticket.
        self.refused(phone, 1, f"log in again. That is `meshauth login {self.mesh.url}`.", "device", "list")
        self.assertEqual(alice.text("device", "release"), f"{here['id']}: released, and logged out\n")
        # This device knows it from then on; a login is possible as before.
        self.refused(alice, 1, "Nobody is logged in", "device", "list")
        self.assertEqual(json.loads(alice.says(1, "status", "--json").stdout), {"accounts": []})
        alice.login(self.mesh, "--claim", "Alice's PC")
        self.assertEqual(alice.json("device", "show")["key"], here["key"])

    def test_refusals(self):
        alice, bob = self.alice, self.bob
        his = bob.json("device", "show")["id"]
        for code, says, *words in (
                (1, "`meshauth device list` shows yours", "show", his),
                (1, "`meshauth device list` shows yours", "show", DEV),
                (1, "`meshauth device list` shows yours", "rename", his, "x"),
                (1, "`meshauth device list` shows yours", "release", his),
                (1, "A name is 1 to 128 bytes", "rename", alice.json("device", "show")["id"], "\x1b[2J"),
                (1, "A name is 1 to 128 bytes", "rename", alice.json("device", "show")["id"], ""),
                (1, "You have no device 'PC'; `meshauth device list` shows yours.", "show", "PC"),
                (1, "You have no device", "show", USR), (1, "You have no device", "show", DEV + "/../" + DEV),
                (1, "You have no device ''", "release", ""), (2, "NAME is missing", "rename", his),
                (2, "one argument too many", "list", "x")):
            self.refused(alice, code, says, "device", *words)
        # What is no UTF-8 is not taken for something else: the device is still there.
        before = alice.json("device", "show")
        done = subprocess.run([bytes(MESHAUTH), b"device", b"rename", before["id"].encode(), b"\xff\xfe"],
                              env={**os.environ, "MESHAUTH_HOME": str(alice.home)}, capture_output=True)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"must be UTF-8", done.stderr)
        self.assertEqual(alice.json("device", "show"), before)


class Folders(CommandTest):
    def test_every_command_of_the_owner(self):
        alice = self.alice
        self.assertEqual(alice.json("folder", "list"), {"folders": []})
        self.assertIn("no folder", alice.text("folder", "list"))
        self.assertRegex(alice.text("folder", "create", "Trip"), r"^Trip: fld_[0-9a-z]{26}\n$")
        work = alice.json("folder", "create", "Work", "--contributors-invite")
        self.assertEqual((work["name"], work["role"], work["contributors_invite"]), ("Work", "owner", True))
        trip = next(f for f in alice.json("folder", "list")["folders"] if f["name"] == "Trip")
        self.assertFalse(trip["contributors_invite"])
        self.assertRegex(alice.text("folder", "list"), rf"Trip +{trip['id']} +owner ")

        self.assertEqual(alice.text("folder", "rename", "Trip", "Journey"), "Trip: renamed\n")
        node = alice.json("folder", "rename", trip["id"], "Trip")
        self.assertEqual((node["id"], node["name"], node["version"]), (trip["id"], "Trip", 3))

        device = alice.json("device", "show")
        self.assertEqual(alice.text("folder", "map", "Trip"), "Trip: mapped\n")
        mapping = alice.json("folder", "map", trip["id"], device["id"])
        self.assertEqual((mapping["device"], mapping["folder"]), (device["url"], trip["url"]))
        self.assertEqual(alice.text("folder", "unmap", "Trip"), "Trip: not mapped any more\n")
        alice.text("folder", "map", "Trip", device["id"])
        self.assertEqual(alice.json("folder", "unmap", trip["id"], device["id"]), {})

        self.assertEqual(alice.text("folder", "delete", "Trip"), "Trip: deleted\n")
        self.assertEqual(alice.json("folder", "delete", work["id"]), {})
        self.assertEqual(alice.json("folder", "list"), {"folders": []})

    def test_every_command_of_members(self):
        alice, bob = self.alice, self.bob
        carol = User(self.mesh, "carol-m")
        alice.text("folder", "create", "Trip")
        alice.join("Trip", bob)
        alice.join("Trip", carol, "contributor")
        members = alice.json("folder", "members", "Trip")["members"]
        self.assertEqual({m["id"]: m["role"] for m in members},
                         {alice.id: "owner", bob.id: "reader", carol.id: "contributor"})
        table = bob.text("folder", "members", "Trip")
        self.assertRegex(table, rf"{bob.id} +reader +\S+ +you\n")
        self.assertRegex(table, rf"{alice.id} +owner +\S+\n")

        self.assertEqual(alice.text("folder", "role", "Trip", bob.id, "contributor"), f"{bob.id}: contributor\n")
        self.assertEqual(alice.json("folder", "role", "Trip", bob.id, "reader")["role"], "reader")
        self.assertEqual(alice.text("folder", "remove", "Trip", carol.id), f"{carol.id}: removed\n")
        self.assertEqual(carol.json("folder", "list"), {"folders": []})
        self.assertEqual(bob.text("folder", "leave", "Trip"), "Trip: left\n")
        self.assertEqual(bob.json("folder", "list"), {"folders": []})
        alice.join("Trip", bob)
        alice.join("Trip", carol)
        self.assertEqual(alice.json("folder", "remove", "Trip", carol.id), {})
        self.assertEqual(alice.text("folder", "pass", "Trip", bob.id), f"{bob.id}: owner\n")
        self.assertEqual(bob.json("folder", "pass", "Trip", alice.id)["role"], "owner")
        self.assertEqual(bob.json("folder", "leave", "Trip"), {})

    def test_by_name(self):
        alice = self.alice
        one = alice.json("folder", "create", "Same")["id"]
        two = alice.json("folder", "create", "Same")["id"]
        said = self.refused(alice, 1, "Several folders have that name", "folder", "delete", "Same")
        self.assertIn(f"{one} (owner)", said)
        self.assertIn(f"{two} (owner)", said)
        self.assertEqual(len(alice.json("folder", "list")["folders"]), 2)
        alice.text("folder", "delete", one)
        self.assertEqual(alice.json("folder", "show", "Same")["folder"]["id"], two)
        said = self.refused(alice, 1, "You have no folder '\\x1b[2J'", "folder", "show", "\x1b[2J")
        self.assertIn("`meshauth folder list`", said)
        self.refused(alice, 1, "no folder 'same'", "folder", "show", "same")
        # More than a page of them.
        for i in range(66):
            alice.says(0, "folder", "create", f"many {i}")
        self.assertEqual(len(alice.json("folder", "list")["folders"]), 67)
        alice.text("folder", "show", "many 65")

    def test_refusals(self):
        alice, bob = self.alice, self.bob
        trip = alice.json("folder", "create", "Trip")["id"]
        alice.join("Trip", bob)
        his = bob.json("folder", "map", "Trip")["id"]  # which makes it known to alice
        hers = User(self.mesh, "carol-r", "Carol's PC").json("device", "show")["id"]
        for user, code, says, *words in (
                (bob, 1, "Only its owner may", "rename", "Trip", "x"), (bob, 1, "Only its owner may", "delete", trip),
                (bob, 1, "Only the owner may", "remove", "Trip", alice.id),
                (bob, 1, "Only the owner may", "role", "Trip", alice.id, "reader"),
                (bob, 1, "Only the owner may", "pass", "Trip", alice.id),
                (bob, 1, "The owner invites", "invite", "Trip"),
                (alice, 1, "`meshauth folder pass`", "leave", "Trip"),
                (alice, 1, "`meshauth folder pass`", "role", "Trip", bob.id, "owner-of-it"),
                (alice, 2, "another owner is made by `meshauth folder pass`", "role", "Trip", bob.id, "owner"),
                (alice, 1, "Only the owner may", "role", "Trip", alice.id, "reader"),
                (alice, 1, "A role is a name", "role", "Trip", bob.id, "Reader"),
                (alice, 1, "`meshauth folder members`", "remove", "Trip", USR),
                (alice, 1, "devices that you have claimed", "map", "Trip", his),
                (alice, 1, "devices that you have claimed", "unmap", "Trip", his),
                (alice, 1, "`meshauth device list`", "map", "Trip", hers),
                (alice, 1, "`meshauth device list`", "map", "Trip", DEV),
                (alice, 1, "`meshauth folder list`", "map", FLD),
                (alice, 1, "`meshauth folder list`", "unmap", "Trip"),
                (alice, 1, "`meshauth folder list`", "show", FLD), (alice, 1, "`meshauth folder list`", "leave", FLD),
                (alice, 1, "`meshauth folder list`", "rename", FLD, "x"),
                (alice, 1, "A name is 1 to 128 bytes", "create", ""), (alice, 1, "A name is", "create", "a" * 129),
                (alice, 1, "A name is", "create", "a\x1b]0;b\x07"), (alice, 1, "A name is", "rename", "Trip", "a\u200bb"),
                (alice, 1, "An invitation lasts from 60 seconds to 30 days", "invite", "Trip", "--expires", "59s"),
                (alice, 1, "An invitation lasts from 60 seconds to 30 days", "invite", "Trip", "--expires", "31d"),
                (alice, 1, "The owner invites", "invite", "Trip", "--role", "owner"),
                (alice, 1, "A role is a name", "invite", "Trip", "--role", "Reader"),
                (alice, 2, "no span like 'soon'", "invite", "Trip", "--expires", "soon"),
                (alice, 2, "--for takes", "invite", "Trip", "--for", "bob"),
                (alice, 2, "--for takes", "invite", "Trip", "--for", DEV),
                (alice, 2, "--issuer is missing", "invite", "Trip", "--for", "bob@example.org"),
                (alice, 2, "--issuer goes with --for", "invite", "Trip", "--issuer", "https://x.example"),
                (alice, 2, "goes with an e-mail", "invite", "Trip", "--for", bob.id, "--issuer", "https://x.example"),
                (alice, 2, "is no id, which is usr_", "remove", "Trip", "bob"),
                (alice, 2, "is no id, which is usr_", "pass", "Trip", FLD),
                (alice, 1, "You have no device 'PC'", "map", "Trip", "PC"),
                (alice, 2, "ROLE is missing", "role", "Trip", bob.id),
                (alice, 2, "there is no option --force", "delete", "Trip", "--force"),
                (alice, 2, "--account: ", "list", "--account", "nowhere"),
                (alice, 1, "Nobody is logged in at https://127.0.0.1:1;", "list", "--account", "https://127.0.0.1:1")):
            said = self.refused(user, code, says, "folder", *words)
            self.assertNotIn("\x1b", said)
        self.assertEqual(alice.json("folder", "show", trip)["folder"]["version"], 1)

    def test_the_picture(self):
        alice, bob = self.alice, self.bob
        trip = alice.json("folder", "create", "Trip")
        alice.join("Trip", bob, "contributor")
        phone = alice.again("Phone")
        for user in (alice, bob, phone):
            user.text("folder", "map", "Trip")
        his = bob.json("device", "show")["id"]
        lines = alice.text("folder", "show", "Trip").split("\n")
        self.assertEqual(lines[0], f"Trip  {trip['id']}")
        self.assertEqual(lines[1], f"|-- {alice.id}  owner, you")
        self.assertEqual(set(line[8:] for line in lines[2:4]), {"Alice's PC  this device", "Phone"})
        self.assertEqual([line[:8] for line in lines[2:4]], ["|   |-- ", "|   `-- "])
        self.assertEqual(lines[4:], [f"`-- {bob.id}  contributor", f"    `-- {his}", ""])
        boxes = bob.text("folder", "show", trip["id"], env={"LC_ALL": "C.UTF-8"}).split("\n")
        self.assertEqual(boxes[1], f"├── {alice.id}  owner")
        self.assertEqual(boxes[4:], [f"└── {bob.id}  contributor, you", "    └── Bob's PC  this device", ""])
        shown = bob.json("folder", "show", "Trip")
        self.assertEqual(sorted(shown), ["folder", "mappings", "members"])
        self.assertEqual(shown["folder"], bob.json("folder", "list")["folders"][0])
        self.assertEqual(shown["members"], bob.json("folder", "members", "Trip")["members"])
        self.assertEqual({m["user"].rsplit("/", 1)[1] for m in shown["mappings"]}, {alice.id, bob.id})

    def test_colours_are_for_terminals(self):
        self.alice.text("folder", "create", "Trip")
        for words in (("folder", "list"), ("folder", "show", "Trip"), ("folder", "invite", "Trip")):
            self.assertNotIn("\x1b", self.alice.text(*words))
            for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
                self.assertEqual("\x1b[1m" in self.on_terminal(self.alice, *words, env=env), coloured, (words, env))

    def on_terminal(self, user, *words, env):
        leader, follower = pty.openpty()
        try:
            subprocess.run([MESHAUTH, *words], stdout=follower, check=True, timeout=PATIENCE_S,
                           env={**os.environ, "TERM": "xterm", "MESHAUTH_HOME": str(user.home), **env})
            return os.read(leader, 65536).decode()
        finally:
            os.close(follower)
            os.close(leader)


class Invitations(CommandTest):
    def setUp(self):
        super().setUp()
        self.trip = self.alice.json("folder", "create", "Trip")

    def test_invite(self):
        link = self.alice.text("folder", "invite", "Trip")
        self.assertRegex(link, rf"^{self.mesh.url}/v1/mesh/invitations/inv_[0-9a-z]{{26}}#[\w-]{{43}}\n$")
        self.mesh.secrets.add(link.strip().split("#")[1])
        node = self.alice.invite("Trip", "--role", "contributor", "--expires", "2h")
        self.assertEqual(node["link"], f"{node['url']}#{node['secret']}")
        self.assertEqual((node["role"], node["state"], node["folder_name"]), ("contributor", "pending", "Trip"))
        self.assertEqual(seconds(node["expires"]) - seconds(node["created"]), 7200)
        self.assertEqual(self.alice.invite("Trip", "--for", self.bob.id)["for"], self.bob.id)
        someone = {"email": "bob@example.org", "issuer": "https://accounts.example"}
        node = self.alice.invite("Trip", "--for", someone["email"], "--issuer", someone["issuer"])
        self.assertEqual(node["for"], someone)
        self.assertRegex(self.bob.text("invitation", "show", node["link"]),
                         r"  for +bob@example.org, as https://accounts.example says\n")

    def test_accepted(self):
        node = self.alice.invite("Trip", "--role", "contributor")
        shown = self.bob.json("invitation", "show", node["link"])
        self.assertEqual(shown, {k: v for k, v in node.items() if k not in ("secret", "link")})
        table = self.bob.text("invitation", "show", "-", data=node["link"] + "\n")
        self.assertRegex(table, rf"  folder +Trip\n  role +contributor\n  from +{self.alice.id}\n"
                                r"  for +whoever has the link\n  state +pending\n  closes +\S+Z \(in ")
        self.assertEqual(self.bob.text("invitation", "accept", "-", data=node["link"]),
                         f"Joined Trip as contributor: {self.trip['id']}\n")
        self.assertEqual(self.bob.json("folder", "list")["folders"][0]["role"], "contributor")
        self.refused(self.bob, 1, "Ask for another one", "invitation", "accept", node["link"])
        carol = User(self.mesh, "carol-i")
        member = carol.json("invitation", "accept", self.alice.invite("Trip")["link"])
        self.assertEqual((member["type"], member["id"], member["role"]), ("member", carol.id, "reader"))
        self.refused(carol, 1, "The user is a member already", "invitation", "accept", self.alice.invite("Trip")["link"])

    def test_declined_and_revoked(self):
        first, second, third, fourth = (self.alice.invite("Trip") for _ in range(4))
        self.assertEqual(self.bob.text("invitation", "decline", first["link"]), "Declined: Trip\n")
        self.assertEqual(self.bob.json("invitation", "decline", "-", data=second["link"])["state"], "declined")
        self.assertEqual(self.alice.text("invitation", "revoke", third["id"]), f"{third['id']}: revoked\n")
        self.assertEqual(self.alice.json("invitation", "revoke", fourth["id"]), {})
        states = {i["id"]: i["state"] for i in self.alice.json("invitation", "list", "Trip")["invitations"]}
        self.assertEqual(states, {first["id"]: "declined", second["id"]: "declined", third["id"]: "revoked",
                                  fourth["id"]: "revoked"})
        table = self.alice.text("invitation", "list", self.trip["id"])
        self.assertRegex(table, rf"{third['id']} +reader +revoked ")
        for node in (first, third):
            for verb in ("accept", "decline"):
                self.refused(self.bob, 1, "Ask for another one", "invitation", verb, node["link"])
        self.refused(self.alice, 1, "was accepted, declined, revoked", "invitation", "revoke", third["id"])
        self.assertRegex(self.bob.text("invitation", "show", first["link"]), r"state +declined\n")

    def test_refusals(self):
        alice, bob = self.alice, self.bob
        node = alice.invite("Trip", "--for", alice.id)
        self.refused(bob, 1, "It is for somebody else", "invitation", "accept", node["link"])
        wrong = f"{node['url']}#{secrets.token_urlsafe(32)}"
        for verb in ("show", "accept", "decline"):
            self.refused(bob, 1, "the link's secret is another one", "invitation", verb, wrong)
            for says, link in (("behind '#' is missing", node["url"]), ("not an invitation's link", "x#y"),
                               ("43 characters of base64url", node["link"] + "A"), ("behind '#' is missing", ""),
                               ("not an invitation's link", node["link"].replace("https", "http"))):
                self.refused(bob, 2, says, "invitation", verb, link)
                self.refused(bob, 2, says, "invitation", verb, "-", data=link)
            self.refused(bob, 1, "", "invitation", verb, "-", data="x" * 100000)
            elsewhere = node["link"].replace(str(self.mesh.port), "1")
            self.refused(bob, 1, "Nobody is logged in at https://127.0.0.1:1;", "invitation", verb, elsewhere)
        self.refused(bob, 1, "`meshauth invitation list FOLDER`", "invitation", "revoke", node["id"])
        self.refused(bob, 1, "`meshauth invitation list FOLDER`", "invitation", "revoke", INV)
        self.refused(bob, 2, "is no id, which is inv_", "invitation", "revoke", node["link"])
        self.refused(bob, 1, "no folder 'Trip'", "invitation", "list", "Trip")
        self.refused(bob, 2, "LINK is missing", "invitation", "accept")
        self.assertEqual(alice.json("invitation", "list", "Trip")["invitations"][0]["state"], "pending")
        self.assertEqual(alice.json("invitation", "list", alice.json("folder", "create", "New")["id"]),
                         {"invitations": []})
        self.assertIn("no invitation", alice.text("invitation", "list", "New"))

    def test_a_closed_session_still_looks_and_declines(self):
        node = self.alice.invite("Trip")
        self.bob.again("Phone").text("device", "release", self.bob.json("device", "show")["id"])
        self.refused(self.bob, 1, "log in again. That is `meshauth login ", "invitation", "accept", node["link"])
        self.assertEqual(self.bob.json("invitation", "show", node["link"])["state"], "pending")
        self.assertEqual(self.bob.json("invitation", "decline", node["link"])["state"], "declined")

    def test_the_secret_is_on_no_record(self):
        node = self.alice.invite("Trip")
        self.bob.text("invitation", "show", node["link"])
        self.bob.text("invitation", "accept", node["link"])
        for text in (self.mesh.log_text(), json.dumps(self.mesh.audit()),
                     *(p.read_text() for p in self.bob.account.iterdir()),
                     *(p.read_text() for p in self.alice.account.iterdir())):
            self.assertNotIn(node["secret"], text)
        self.assertEqual(self.mesh.audit(action="invitation.accept")[0]["resources"][0], node["id"])


class Accounts(CommandTest):
    def test_which_one(self):
        nobody = User.__new__(User)
        nobody.mesh, nobody.home = self.mesh, self.mesh.folder / "nobody"
        self.refused(nobody, 1, "Nobody is logged in; `meshauth login URL` does that.", "folder", "list")
        other = Mesh()
        self.addCleanup(other.close)
        self.alice.text("folder", "create", "Here")
        self.alice.login(other, "--claim", "PC")
        self.refused(self.alice, 2, "there are several accounts, name one with --account", "folder", "list")
        said = self.refused(self.alice, 2, self.mesh.url, "device", "list")
        self.assertIn(other.url, said)
        self.assertEqual(self.alice.json("folder", "list", "--account", other.url), {"folders": []})
        here = self.alice.json("folder", "list", "--account", self.mesh.url)["folders"]
        self.assertEqual([f["name"] for f in here], ["Here"])
        self.alice.text("folder", "create", "There", "--account", other.url)
        self.assertEqual(len(self.alice.json("folder", "list", "--account", self.mesh.url)["folders"]), 1)
        # A link says itself where it is good.
        link = self.alice.json("folder", "invite", "There", "--account", other.url)["link"]
        other.secrets.add(link.split("#")[1])
        self.assertEqual(self.alice.json("invitation", "show", link)["folder_name"], "There")

    def test_an_old_login(self):
        """It is renewed by the way, as long as its session is open."""
        self.alice.text("folder", "create", "Here")
        old = self.age(self.alice)
        self.assertIn("Here", self.alice.text("folder", "list"))
        state = json.loads((self.alice.account / "account.json").read_text())
        self.mesh.secrets.update(t["credential"][-60:-20] for t in state["tickets"])
        self.assertNotEqual(state["tickets"][0]["credential"], old)
        self.age(self.alice)
        run(MESHAUTH, "user", "remove", self.alice.id, "-c", self.mesh.conf)
        said = self.refused(self.alice, 1, "is over: ", "folder", "list")
        self.assertIn(f"Log in again: `meshauth login {self.mesh.url}`", said)

    def age(self, user):
        """Its identity ticket, as it would be in the end of its time."""
        state = json.loads((user.account / "account.json").read_text())
        xml = assertion_of(state["tickets"][0]["credential"])
        for name in ("NotBefore", "NotOnOrAfter", "IssueInstant", "AuthnInstant"):
            xml = re.sub(rf'{name}="20\d\d', f'{name}="2020', xml)
        old = base64.urlsafe_b64encode(xml.encode()).decode().rstrip("=")
        state["tickets"][0]["credential"] = old
        (user.account / "account.json").write_text(json.dumps(state))
        return old

    def test_a_service_that_is_away(self):
        mesh = Mesh()
        self.addCleanup(mesh.close)
        alice = User(mesh, "alice")
        mesh.stop()
        said = self.refused(alice, 3, f"meshauthd must run at {mesh.url}", "folder", "list")
        self.assertIn("127.0.0.1", said)
        mesh.start()
        alice.text("folder", "list")

    def test_damaged(self):
        (self.alice.account / "account.json").write_text("{}")
        self.assertIn("account.json", self.refused(self.alice, 1, "log in again", "folder", "list"))
        self.bob.account.chmod(0o755)
        self.refused(self.bob, 1, "chmod 700", "folder", "list")


if __name__ == "__main__":
    main()
