#!/usr/bin/env python3
"""Records that leave the store for the archive, and all records of a person erased."""
import base64
import gzip
import hashlib
import json
import re
import subprocess

from archived import MANY, Archive
from harness import MESHAUTH, Socket, main, run
from people import Person
from services import Admin

def root_of(leaves):
    """RFC 6962 2.1, by its definition."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


class Leaving(Archive):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = Person(cls.mesh, "alice")
        cls.folder = cls.alice.create("Old")
        cls.ticket = cls().ticket_of(cls.alice)
        cls().fill()
        filled = cls.mesh.audit(limit=1)[0]["sequence"]
        cls.mesh.stop()  # at a start it looks at once
        cls.mesh.start()
        cls.gone = cls().left_anew(filled)

    def test_segments_by_a_reader_of_their_own(self):
        number = 0
        for file in self.segments():
            first, *lines, last = gzip.decompress(file.read_bytes()).decode().splitlines()
            self.assertEqual(json.loads(first), {"segment": "meshauth audit", "version": 1, "first": number})
            leaves = []
            for line in lines:
                salt, record = re.fullmatch(r'{"salt":"([^"]+)","record":(.*)}', line).groups()
                self.assertEqual(json.loads(record)["sequence"], number)
                leaves.append(hashlib.sha256(base64.b64decode(salt) + record.encode()).digest())
                number += 1
            root = root_of(leaves)
            self.assertEqual(json.loads(last), {"count": len(leaves), "root": base64.b64encode(root).decode()})
            self.assertIn(f"-{root.hex()[:16]}.", file.name)
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(number, self.gone)

    def test_questions(self):
        records = self.all()
        self.assertGreater(len(records), MANY)
        kept = self.lines("query", "--limit", "1000000")
        self.assertEqual(min(r["sequence"] for r in kept), self.gone)
        one = self.lines("query", "--archive", "--ticket", self.ticket)
        self.assertIn("login", [r["action"] for r in one])
        self.assertEqual(self.lines("query", "--ticket", self.ticket), [])
        number = str(one[0]["sequence"])
        self.assertEqual(self.lines("query", "--archive", "--sequence", number), one[:1])
        self.assertEqual(self.lines("query", "--sequence", number), [])
        told = [r for r in records if r["action"] == "audit.archive"]
        self.assertEqual([r["resources"][0] for r in told], [s.name for s in self.segments()])

    def test_paging_over_the_socket(self):
        found, path = [], "/v1/audit?archive=true&limit=700&outcome=done"
        while path:
            c = Socket(self.mesh.dir / "admin.sock")
            self.addCleanup(c.close)
            c.request("GET", path)
            page = json.loads(c.getresponse().read())
            found += [r["sequence"] for r in page["items"]]
            path = page.get("next", "")[len(self.mesh.url):]
        self.assertEqual(found, sorted(found, reverse=True))
        self.assertEqual(len(found), len(set(found)))
        self.assertIn(0, found)

    def test_counts_are_of_the_store(self):
        c = Socket(self.mesh.dir / "admin.sock")
        self.addCleanup(c.close)
        c.request("GET", "/v1/audit/count?by=action&archive=true")
        self.assertEqual(c.getresponse().status, 400)

    def test_who_had_which_right(self):
        who = self.json("who", self.folder["id"])
        self.assertTrue(who["complete"] and who["exists"])
        self.assertEqual([m["user"] for m in who["members"]], [self.alice.id])
        self.assertLess(who["members"][0]["sequence"], self.gone)

    def test_proof_of_a_ticket(self):
        self.assertTrue(self.json("prove", self.ticket)["found"])
        self.assertEqual(self.json("prove", "_" + 32 * "0", code=1)["unseen"], 0)

    def test_a_segment_that_was_altered(self):
        segment = self.segments()[0]
        good = segment.read_bytes()
        first, second, *rest = gzip.decompress(good).decode().splitlines(keepends=True)
        self.addCleanup(segment.write_bytes, good)
        segment.write_bytes(gzip.compress((first + second.replace('"outcome":"', '"outcome":"x') + "".join(rest)).encode()))
        verdict = self.json("verify", code=1)
        self.assertEqual(verdict["fault"], "archive")
        self.assertIn(segment.name, verdict["where"])
        self.assertIn("somebody has changed it", self.audit_error("prove", self.ticket))
        self.assertIn(segment.name, run(MESHAUTH, "audit", "query", "--archive", "-c", self.mesh.conf, "--limit", "9000",
                                        check=False).stderr)

    def test_a_segment_that_was_moved_away(self):
        segment = self.segments()[0]
        aside = segment.parent.parent / "aside"
        segment.rename(aside)
        self.addCleanup(aside.rename, segment)
        verdict = self.json("verify")
        self.assertTrue(verdict["whole"])
        self.assertLess(verdict["archived"], verdict["left"])
        self.assertGreater(self.json("prove", "_" + 32 * "0", code=1)["unseen"], 0)
        who = self.json("who", self.folder["id"], code=1)
        self.assertFalse(who["exists"] or who["complete"])
        done = run(MESHAUTH, "audit", "who", self.folder["id"], "-c", self.mesh.conf, check=False)
        self.assertEqual((done.returncode, done.stdout.split(":")[0]), (1, "Not known"))
        done = run(MESHAUTH, "audit", "query", "--archive", "-c", self.mesh.conf, "--user", self.alice.id)
        self.assertIn("segments are not in the archive", done.stderr)

    def test_an_answer_from_the_store_alone_says_so(self):
        done = run(MESHAUTH, "audit", "query", "-c", self.mesh.conf, "--ticket", self.ticket)
        self.assertIn(f"The first {self.gone} records have left the store", done.stdout)
        done = self.audit("count", "--by", "action")
        self.assertIn(f"The first {self.gone} records have left the store and were not counted", done)
        self.assertEqual(self.json("count", "--by", "action")["first"], self.gone)

    def test_follow_goes_on_in_the_archive(self):
        state = self.mesh.folder / "at"
        state.write_text("3\n")
        process = subprocess.Popen([MESHAUTH, "audit", "follow", "-c", self.mesh.conf, "--state", state, "--json",
                                    "--outcome", "done"], stdout=subprocess.PIPE, text=True)
        try:
            first = json.loads(process.stdout.readline())
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        self.assertLess(first["sequence"], self.gone)
        done = run(MESHAUTH, "audit", "follow", "-c", self.mesh.conf, "--after", "99999999", check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("not the one that was followed", done.stderr)


class Restored(Archive):
    """The disk with the store was lost; the archive was kept elsewhere, as was a backup."""

    def test_the_archive_goes_with_it(self):
        self.fill()
        self.mesh.stop()
        self.mesh.start()
        gone = self.left()
        backup, store, lost = self.mesh.folder / "backup", self.mesh.dir / "store", self.mesh.folder / "lost"
        run(MESHAUTH, "backup", "--out", backup, "-c", self.mesh.conf)
        self.mesh.stop()
        store.rename(lost)
        run(MESHAUTH, "restore", backup, "-c", self.mesh.conf, "--root", self.mesh.dir / "root.key")
        verdict = self.json("verify")
        self.assertTrue(verdict["whole"])
        self.assertEqual((verdict["left"], verdict["archived"]), (gone, 0))
        (lost / "audit-archive").rename(store / "audit-archive")
        self.mesh.start()
        self.assertEqual(self.whole()["left"], gone)
        self.assertEqual([r["action"] for r in self.all() if r["action"] == "restore"], ["restore"])
        backup.unlink()


class Erasing(Archive):
    def test_one_who_has_gone(self):
        admin, bob, carol = Admin(self.mesh, "root"), Person(self.mesh, "bob"), Person(self.mesh, "carol")
        folder = carol.create("Trip")
        carol.join(folder, bob)
        bob.create("Own")
        ticket = self.ticket_of(bob)
        self.fill()
        self.mesh.stop()
        self.mesh.start()
        self.left()
        bob.login()
        self.audit("query", "--user", bob.id)
        self.assertIn("login", self.archived(bob.id))
        # Not while the account is there, and not who never had one.
        self.assert_problem(admin.call("PUT", f"erasures/{bob.id}"), 409, "user-lives")
        self.assertIn("user remove", run(MESHAUTH, "audit", "erase", bob.id, "-c", self.mesh.conf, check=False).stderr)
        self.assert_problem(admin.call("PUT", f"erasures/{bob.id[:-4]}0000"), 404, "not-found")
        self.assert_problem(carol.call("PUT", f"/v1/admin/erasures/{bob.id}"), 403, "forbidden")
        self.assert_problem(bob.call("PUT", f"/v1/admin/erasures/{bob.id}"), 403, "forbidden")
        self.assert_problem(admin.call("GET", "erasures?after=x"), 400, "query")
        run(MESHAUTH, "user", "remove", bob.id, "-c", self.mesh.conf)
        before = self.json("verify")
        done = self.json("erase", bob.id)
        self.assertEqual((set(done), done["user"]), ({"user", "erased"}, bob.id))
        self.assertGreater(done["erased"], 5)
        self.assertEqual(admin.call("GET", "erasures").json, {"items": []})
        self.judge(bob, carol, ticket, before)
        # Once more, by HTTPS, while it is not done, or when it was.
        self.assertEqual(admin.call("PUT", f"erasures/{bob.id}").status, 204)
        self.audit("erase", bob.id)
        # Without meshauthd; and a backup has nothing of it.
        self.mesh.stop()
        carol_id = carol.id
        run(MESHAUTH, "user", "remove", carol_id, "-c", self.mesh.conf)
        self.assertIn("login", self.archived(carol_id))
        self.audit("erase", carol_id)
        self.assertEqual(self.archived(carol_id), set())
        backup = self.mesh.folder / "backup"
        run(MESHAUTH, "backup", "--out", backup, "-c", self.mesh.conf)
        self.assertEqual(backup.read_bytes().count(f'"{carol_id}"'.encode()), 2)  # asked for by uid:0, and done
        backup.unlink()
        self.mesh.start()

    def judge(self, bob, carol, ticket, before):
        after = self.json("verify")
        self.assertTrue(after["whole"])
        self.assertEqual(after["left"], after["archived"])
        self.assertGreater(after["erased"], 0)
        self.assertGreaterEqual(after["size"], before["size"])
        self.assertEqual(self.archived(bob.id), {"audit.query"})
        self.assertIn("login", self.archived(carol.id))
        lines = self.audit("query", "--archive", "--json", "--limit", "1000000").splitlines()
        naming = [json.loads(line) for line in lines if bob.id in line]
        self.assertEqual({r["action"] for r in naming}, {"audit.erase", "audit.erased", "audit.query"})
        self.assertEqual({r["outcome"] for r in naming if r["action"] == "audit.erase"}, {"done", "deny"})
        self.assertNotIn(bob.id, {r["actor"] for r in naming})
        proof = self.json("prove", ticket)
        self.assertTrue(proof["found"] and proof["erased"])


if __name__ == "__main__":
    main()
