#!/usr/bin/env python3
"""A backup while the service runs, and a store made from it: under another authority, with nothing
that was issued before it counting any more."""
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

from deciding import Deciding
from harness import EXCHANGE, MESHAUTH, MESHAUTHD, PATIENCE_S, SAML2, STORAGE, Mesh, main, run, wait_until
from people import Person
from services import Service, Socket

LEAP = 1 << 32


class BackupTest(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)
        self.folder = self.mesh.folder
        self.store = self.mesh.dir / "store"
        self.root = self.mesh.dir / "root.key"
        self.file = self.folder / "mesh.backup"

    def backup(self, file=None):
        return json.loads(run(MESHAUTH, "backup", "-c", self.mesh.conf, "--out", file or self.file, "--json").stdout)

    def lose(self):
        """The disk with the store is gone."""
        if self.mesh.daemon:
            self.mesh.stop()
        self.store.rename(self.folder / f"lost-{time.monotonic_ns()}")

    def restore(self, *words, root=True):
        words = (*words, "--root", self.root) if root else words
        return json.loads(run(MESHAUTH, "restore", self.file, "-c", self.mesh.conf, *words, "--json").stdout)

    def refused(self, words, *call, code=1, file=None):
        done = run(MESHAUTH, "restore", file or self.file, "-c", self.mesh.conf, *(call or ("--root", self.root)),
                   check=False)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertIn(words, done.stderr)
        self.assertFalse((self.mesh.dir / "store.restoring").exists())

    def state(self, who):
        return who.call("GET", "/v1/mesh/changes").json["next"]


class Backup(BackupTest):
    def test_while_it_is_written_to(self):
        """Each is one moment: what was answered before it began is in it, whole."""
        stop = threading.Event()
        made = []

        def work():
            alice = Person(self.mesh, "alice")
            while not stop.is_set():
                made.append(alice.create()["id"])

        thread = threading.Thread(target=work)
        thread.start()
        try:
            taken = []
            for i in range(3):
                wait_until(lambda: len(made) > 20 * (i + 1), "some folders")
                before = list(made)
                taken.append((before, self.folder / f"{i}.backup", self.backup(self.folder / f"{i}.backup")))
        finally:
            stop.set()
            thread.join()
        for (before, file, said), (_, _, after) in zip(taken, taken[1:]):
            self.assertLess(said["state"], after["state"])
            self.assertLess(said["records"], after["records"])
        before, self.file, said = taken[1]
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)
        head = self.file.read_bytes().split(b"\n\n", 1)[0].decode()
        self.assertRegex(head, rf"(?s)^meshauth-backup v1\nissuer {re.escape(self.mesh.url)}\nmade \S+Z\nschema 1\nepoch 1\n"
                         rf"sequence \d+\nstate {said['state']}\ncheckpoint {said['records']} \S{{44}}\n"
                         rf"sha256 {said['sha256']}$")
        # And the hash is one that others can make.
        raw = self.file.read_bytes()
        at = raw.index(b"sha256 ")
        tool = run("python3", "-c", "import hashlib, sys; r = open(sys.argv[1], 'rb').read(); a = r.index(b'sha256 ');"
                   "print(hashlib.sha256(r[:a] + r[a + 73:]).hexdigest())", self.file)
        self.assertEqual(tool.stdout.strip(), said["sha256"])
        self.assertEqual(raw[at + 71:at + 73], b"\n\n")
        self.lose()
        self.restore()
        self.mesh.start()
        alice = Person(self.mesh, "alice")
        there = {f["id"] for f in alice.items(alice.root.removesuffix("/") + "/folders")}
        self.assertLessEqual(set(before), there)
        self.assertEqual(len(there), len([f for f in made if f in there]))

    def test_refusals(self):
        self.backup()
        was = self.file.read_bytes()
        for words, code, call in (
                ("is there already", 1, ("-c", self.mesh.conf, "--out", self.file)),
                ("No such file", 3, ("-c", self.mesh.conf, "--out", self.folder / "no" / "file")),
                ("--out FILE is missing", 2, ("-c", self.mesh.conf)), ("-c FILE is missing", 2, ("--out", "x"))):
            done = run(MESHAUTH, "backup", *call, check=False)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.file.read_bytes(), was)
        self.lose()
        done = run(MESHAUTH, "backup", "-c", self.mesh.conf, "--out", self.folder / "other", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("there is none in", done.stderr)
        self.restore()
        self.mesh.start()

    def test_nothing_secret_lies_open(self):
        """Neither the keys that are sealed in it nor what they are sealed with."""
        self.backup()
        raw = self.file.read_bytes()
        self.assertIn(b"meshauth", raw)
        for secret in self.mesh.secrets:
            self.assertNotIn(secret.encode(), raw)
        # PKCS#8 of P-256, up to the private number, as DER.
        self.assertNotIn(bytes.fromhex("06082a8648ce3d030107046d306b0201010420"), raw)


class Restore(BackupTest):
    def test_a_new_beginning(self):
        alice = Person(self.mesh, "alice")
        trip = alice.create()
        rights = self.rights(alice, trip["url"])
        relay = Service(self.mesh, "relay")
        Socket(self.mesh).call("PUT", f"roles/{relay.id}/changes")
        relay.login()
        said = self.backup()
        follow = relay.call("GET", "/v1/mesh/changes").json["next"]
        # What comes after it will be lost: a folder, a login, an authority.
        late = alice.create("Late")
        bob = Person(self.mesh, "bob")
        later = relay.call("GET", "/v1/mesh/changes").json["next"]
        service = Deciding(self.mesh, STORAGE)
        self.addCleanup(service.close)
        self.assertEqual(service.decide(rights, alice.device, "read", trip["url"]), (200, ""))
        self.lose()
        now = self.restore()
        self.assertEqual((now["epoch"], now["state"], now["made"]), (2, said["state"] + LEAP, said["made"]))
        self.assertEqual(now["sessions_closed"], 2)
        self.mesh.start()
        # Services take the new epoch, and with it that every ticket is dead.
        self.assertEqual(service.decide(rights, alice.device, "read", trip["url"]), (401, "revoked"))
        self.assertIn(f"\nrevoke {now['state']} *\n", self.mesh.trust.read_text())
        for person in (alice, bob):
            self.assertEqual(person.get(person.root).status, 401)
        self.assertEqual(self.renew(alice).status, 400)
        # Sessions are closed; a login makes others, and the graph is what it was then.
        alice.login()
        self.assertEqual(alice.get(trip["url"]).status, 200)
        self.assertEqual(alice.get(late["url"]).status, 404)
        rights = self.rights(alice, trip["url"])
        self.assertEqual(service.decide(rights, alice.device, "read", trip["url"]), (200, ""))
        # Who follows changes begins anew, from wherever.
        relay.login()
        for url in (follow, later, "/v1/mesh/changes?after=0"):
            answer = relay.call("GET", url.removeprefix(self.mesh.url))
            self.assertEqual((answer.status, answer.json["type"]), (410, "urn:meshauth:problem:changes-gone"), url)
        begin = relay.call("GET", "/v1/mesh/changes").json["next"].removeprefix(self.mesh.url)
        folder = alice.create("New")
        items = relay.call("GET", begin).json["items"]
        self.assertIn(folder["id"], [i for item in items for i in item["ids"]])
        self.assertGreater(items[0]["sequence"], said["state"] + LEAP)
        record, = self.mesh.audit(action="restore")
        self.assertEqual((record["actor"], record["outcome"], record["client"]), (f"uid:{os.getuid()}", "done", "local"))
        self.assertEqual(record["resources"], [self.mesh.url, f"made {said['made']}", f"state {now['state']}"])
        self.assertEqual(record["sequence"], said["records"])

    def rights(self, who, url):
        answer = self.mesh.post({"grant_type": EXCHANGE, "subject_token_type": SAML2, "subject_token": who.credential,
                                 "audience": STORAGE, "resource": url, "scope": "read"}, who.device)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["tickets"][0]["credential"]

    def renew(self, who):
        return self.mesh.post({"grant_type": EXCHANGE, "subject_token_type": SAML2, "subject_token": who.credential},
                              who.device)

    def test_sessions_kept(self):
        alice, bob = Person(self.mesh, "alice"), Person(self.mesh, "bob")
        self.backup()
        session = self.mesh.collect_ticket(bob.credential).session_index
        run(MESHAUTH, "revoke", session, "-c", self.mesh.conf)
        self.lose()
        self.assertEqual(self.restore("--keep-sessions")["sessions_closed"], 0)
        self.mesh.start()
        for who in (alice, bob):  # also the one that was closed meanwhile, as it was said
            self.assertEqual(who.get(who.root).status, 401)
            self.assertEqual(self.renew(who).status, 200)
        record, = self.mesh.audit(action="restore")
        self.assertEqual(record["resources"][-1], "sessions kept")

    def test_stolen_key(self):
        """What was revoked since does not sign again: the trust file that services have says so."""
        stolen, = self.keys()
        successor = json.loads(run(MESHAUTH, "keys", "prepare", "-c", self.mesh.conf, "--json").stdout)["id"]
        self.backup()
        run(MESHAUTH, "keys", "revoke", stolen, "-c", self.mesh.conf)
        wait_until(lambda: self.is_revoked(stolen), "the revocation")
        self.lose()
        self.assertEqual(self.restore()["keys_revoked"], 1)
        self.assertEqual(self.keys(), {stolen: "revoked", successor: "active"})
        self.mesh.start()
        record, = self.mesh.audit(action="key.revoke")
        self.assertEqual((record["actor"], record["outcome"], record["key"]), (f"uid:{os.getuid()}", "done", stolen))
        wait_until(lambda: "\nepoch 2\n" in self.mesh.trust.read_text(), "the second epoch")
        self.assertTrue(self.is_revoked(stolen))
        Person(self.mesh, "alice")

    def keys(self):
        node = json.loads(run(MESHAUTH, "keys", "list", "-c", self.mesh.conf, "--json").stdout)
        return {key["id"]: key["state"] for key in node["keys"]}

    def is_revoked(self, key):
        return bool(re.search(rf"^key {key} .*\brevoked\b", self.mesh.trust.read_text(), re.M))

    def test_root_far_away(self):
        self.backup()
        self.lose()
        request = self.folder / "request"
        now = self.restore("--request", request, root=False)
        self.assertEqual((now["epoch"], now["pending"]["epoch"]), (1, 2))
        self.assertIn("restored from a backup", now["warnings"][0])
        # The old authority is not in force any more, and there is no other yet.
        done = run(MESHAUTHD, "-c", self.mesh.conf, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("waits for another authority", done.stderr)
        signed = self.folder / "signed"
        run(MESHAUTH, "authority", "sign", request, "--root", self.root, "--out", signed, "--yes")
        run(MESHAUTH, "authority", "install", signed, "-c", self.mesh.conf)
        self.mesh.start()
        self.assertIn("\nepoch 2\n", self.mesh.trust.read_text())
        Person(self.mesh, "alice")

    def test_epochs_since(self):
        """The backup does not know of those; the root's keeper does."""
        self.backup()
        for _ in range(2):
            run(MESHAUTH, "authority", "renew", "-c", self.mesh.conf, "--root", self.root)
        wait_until(lambda: "\nepoch 3\n" in self.mesh.trust.read_text(), "the third epoch")
        complaints = self.folder / "complaints"
        at_service = self.folder / "at-service"
        shutil.copy(self.mesh.trust, at_service)
        with open(complaints, "w") as out:
            service = Deciding(self.mesh, STORAGE, trust=at_service, complaints=out)
        self.addCleanup(service.close)
        # Where the last trust file is still there, it tells.
        self.lose()
        self.assertEqual(self.restore()["epoch"], 4)
        # One that the root did not vouch for tells nothing.
        self.lose()
        self.mesh.trust.write_text(self.mesh.trust.read_text().replace("\nepoch 3\n", "\nepoch 999999999999999999\n"))
        self.assertEqual(self.restore()["epoch"], 2)
        self.mesh.start()
        shutil.copy(self.mesh.trust, at_service)
        service.decide("x", None, "read")
        self.assertIn("older than what is loaded", complaints.read_text())
        run(MESHAUTH, "authority", "renew", "-c", self.mesh.conf, "--root", self.root, "--epoch", "4")
        wait_until(lambda: "\nepoch 4\n" in self.mesh.trust.read_text(), "the fourth epoch")
        complaints.write_text("")
        shutil.copy(self.mesh.trust, at_service)
        service.decide("x", None, "read")
        self.assertEqual(complaints.read_text(), "")
        self.lose()
        self.assertEqual(self.restore("--epoch", "5")["epoch"], 5)
        self.mesh.start()

    def test_only_where_there_is_no_store(self):
        self.backup()
        self.refused("meshauthd is running")
        self.mesh.stop()
        self.refused("is not empty")
        self.mesh.start()
        Person(self.mesh, "alice")
        self.lose()
        self.store.mkdir()  # a new disk
        self.restore()
        self.refused("is not empty")
        self.mesh.start()

    def test_what_is_no_backup_of_this(self):
        said = self.backup()
        self.lose()
        raw = self.file.read_bytes()
        bad = self.folder / "bad"
        head = raw.index(b"\n\n") + 2
        cases = [("empty", b"", "no backup"), ("text", b"hello\n", "no backup"), ("head", raw[:head], "ends too early"),
                 ("more", raw + b"\0", "something follows"), ("nothing", raw[:head - 2], "no backup"),
                 ("version", raw.replace(b"backup v1", b"backup v2", 1), "no backup"),
                 ("schema", raw.replace(b"schema 1", b"schema 2", 1), "schema version 2"),
                 ("issuer", raw.replace(b"issuer https://", b"issuer https://x", 1), "a backup of"),
                 ("state", raw.replace(b"\nstate ", b"\nstate 1", 1), "SHA-256 is another")]
        cases += [(f"cut at {n}", raw[:n], "") for n in range(0, len(raw), len(raw) // 20)]
        cases += [(f"a bit at {n}", raw[:n] + bytes([raw[n] ^ 4]) + raw[n + 1:], "")
                  for n in range(head, len(raw), len(raw) // 20)]
        for name, data, words in cases:
            with self.subTest(name):
                bad.write_bytes(data)
                self.refused(words, file=bad)
        self.refused("No such file", file=self.folder / "none")
        # Under another seal, another root; and then it is as good as before.
        seal = (self.mesh.dir / "seal.key").read_bytes()
        (self.mesh.dir / "seal.key").write_bytes(b"0" * 64 + b"\n")
        self.refused("")
        (self.mesh.dir / "seal.key").write_bytes(seal)
        other = self.folder / "other.key"
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", other)
        other.chmod(0o600)
        self.refused("signed by another", "--root", other)
        self.refused("give either", code=2, *("--epoch", "2"))
        self.assertFalse(self.store.exists())
        self.assertEqual(self.restore()["state"], said["state"] + LEAP)
        self.mesh.start()

    def test_killed_at_any_moment(self):
        """There is no store, or all of it."""
        alice = Person(self.mesh, "alice")
        for i in range(40):
            alice.create(f"folder {i}")
        self.backup()
        self.lose()
        start = time.monotonic()
        self.restore()
        took = time.monotonic() - start
        self.lose()
        whole = nothing = 0
        for i in range(100):
            p = subprocess.Popen([MESHAUTH, "restore", self.file, "-c", self.mesh.conf, "--root", self.root],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(took * i / 16)
            p.send_signal(signal.SIGKILL)
            p.wait(PATIENCE_S)
            if not self.store.exists():
                nothing += 1
                continue
            whole += 1
            self.mesh.start()
            self.assertIn(f"\nepoch {whole + 1}\n", self.mesh.trust.read_text())
            alice.login()
            self.assertEqual(len(alice.items(alice.root + "/folders")), 40)
            self.assertEqual(len(self.mesh.audit(action="restore")), 1)
            if whole == 3:
                break
            self.lose()
        self.assertEqual(whole, 3)
        self.assertGreater(nothing, 3)
        self.assertFalse((self.mesh.dir / "store.restoring").exists())  # that of before is cleared away


if __name__ == "__main__":
    main()
