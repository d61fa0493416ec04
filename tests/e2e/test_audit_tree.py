#!/usr/bin/env python3
"""The tree of the audit log, judged by an implementation of its own: RFC 6962 by its
definitions, RFC 9162 by its algorithms, C2SP notes by openssl."""
import base64
import hashlib
import json
import random
import re
import shutil

from harness import MESHAUTH, MeshTest, main, run
from people import Person
from services import Service

CHECKPOINT, PROOF = "/v1/audit/checkpoint", "/v1/audit/proof"


def parent(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def leads_to(leaf, index, size, hashes):
    """The root to which an inclusion proof leads (RFC 9162 2.1.3.2), None if to none."""
    fn, sn, r = index, size - 1, leaf
    for p in hashes:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = parent(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = parent(r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


def root_of(leaves):
    """RFC 6962 2.1, of leaves' hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return parent(root_of(leaves[:k]), root_of(leaves[k:]))


def grew(old, old_root, new, new_root, hashes):
    """Does a consistency proof show it (RFC 9162 2.1.4.2)?"""
    if old == new:
        return not hashes and old_root == new_root
    if old & (old - 1) == 0:
        hashes = [old_root, *hashes]
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = hashes[0]
    for c in hashes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = parent(c, fr), parent(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = parent(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and (fr, sr) == (old_root, new_root)


class Tree(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(20261126)
        cls.alice = Person(cls.mesh, "alice")
        cls.witness = Service(cls.mesh, "witness")
        cls.witness.login()

    def checkpoint(self):
        """Size and root, of a note that the authority has signed."""
        answer = self.witness.call("GET", CHECKPOINT)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/plain; charset=utf-8"))
        note = answer.body.decode()
        text, signature = note.split("\n\n")
        origin, size, root = text.split("\n")
        self.assertEqual(origin, f"127.0.0.1:{self.mesh.port}/audit")
        self.assert_signed(text + "\n", signature)
        return int(size), base64.b64decode(root)

    def assert_signed(self, text, line):
        name, value = re.fullmatch("\u2014 (\\S+) (\\S+)\n", line).groups()
        key = base64.b64decode(re.search(rf"^verifier {re.escape(name)}\+[0-9a-f]{{8}}\+(\S+)$|{re.escape(name)}\+[0-9a-f]{{8}}\+(\S+)",
                                         self.mesh.trust.read_text(), re.M).group(2))[1:]
        folder = self.mesh.folder
        (folder / "pub.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + key)
        (folder / "signed").write_text(text)
        (folder / "signature").write_bytes(base64.b64decode(value)[4:])
        run("openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", folder / "pub.der", "-rawin",
            "-in", folder / "signed", "-sigfile", folder / "signature")

    def proof(self, **query):
        answer = self.witness.call("GET", f"{PROOF}?" + "&".join(f"{k}={v}" for k, v in query.items()))
        self.assertEqual(answer.status, 200, answer)
        return [base64.b64decode(h) for h in answer.json["hashes"]]

    def test_it_only_grows(self):
        seen = [self.checkpoint()]
        while seen[-1][0] < 300:
            for _ in range(self.random.randrange(1, 40)):
                self.alice.create()
            seen.append(self.checkpoint())
        for _ in range(200):
            old, new = sorted(self.random.sample(range(len(seen)), 2))
            (m, m_root), (n, n_root) = seen[old], seen[new]
            hashes = self.proof(**{"from": m, "size": n})
            self.assertTrue(grew(m, m_root, n, n_root, hashes), (m, n))
            if hashes:
                spoilt = list(hashes)
                at = self.random.randrange(len(spoilt))
                spoilt[at] = hashlib.sha256(spoilt[at]).digest()
                self.assertFalse(grew(m, m_root, n, n_root, spoilt), (m, n))
        self.assertEqual(self.proof(**{"from": seen[-1][0], "size": seen[-1][0]}), [])

    def tile(self, name):
        answer = self.witness.call("GET", f"/v1/audit/tile/{name}")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/octet-stream"), name)
        return answer.body

    def test_the_tree_in_tiles(self):
        while self.checkpoint()[0] < 300:
            self.alice.create()
        size, root = self.checkpoint()
        full, rest = divmod(size, 256)
        raw = b"".join(self.tile(f"0/{i:03}") for i in range(full))
        self.assertEqual(len(raw), full * 8192)
        if rest:
            raw += self.tile(f"0/{full:03}.p/{rest}")
        leaves = [raw[i:i + 32] for i in range(0, len(raw), 32)]
        self.assertEqual(len(leaves), size)
        self.assertEqual(root_of(leaves), root)
        self.assertEqual(self.tile("1/000.p/1"), root_of(leaves[:256]))
        self.assertEqual(self.tile("0/000.p/3"), raw[:96])
        for name in ("0/999", "0/x001/000", "0/x001/x000/000.p/1", "1/000", "0/00", "8/000", "0/000.p/256", "0/000/1", "entries/000"):
            self.assert_problem(self.witness.call("GET", f"/v1/audit/tile/{name}"), 404, "not-found")
        self.assert_problem(self.witness.call("GET", "/v1/audit/tile/0/000?x=1"), 400, "query")
        self.assert_problem(self.alice.call("GET", self.mesh.url + "/v1/audit/tile/0/000"), 403, "forbidden")

    def test_what_is_in_it(self):
        issued = self.mesh.audit(action="ticket.issue", outcome="allow") or self.mesh.audit(action="login", outcome="allow")
        for record in issued[:5]:
            said = json.loads(run(MESHAUTH, "audit", "prove", record["ticket"], "-c", self.mesh.conf, "--json").stdout)
            self.assertTrue(said["found"])
            self.assertEqual(said["record"], record)
            leaf, root = base64.b64decode(said["leaf"]), base64.b64decode(said["root"])
            hashes = [base64.b64decode(h) for h in said["hashes"]]
            self.assertEqual(leads_to(leaf, said["sequence"], said["size"], hashes), root)
            self.assertEqual(self.proof(index=said["sequence"], size=said["size"]), hashes)
        missing = run(MESHAUTH, "audit", "prove", "_" + "0" * 32, "-c", self.mesh.conf, check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertRegex(missing.stdout, r"not found.*in a full scan up to checkpoint \d+")

    def test_bad_questions(self):
        for query in ("", "?index=0&from=1", "?index=-1", "?index=01", "?from=x", "?index=0&more=1", "?index=0&index=1"):
            self.assert_problem(self.witness.call("GET", PROOF + query), 400, "query")
        for query in ("?index=1000000", "?from=0", "?from=9&size=8", "?index=0&size=1000000"):
            self.assert_problem(self.witness.call("GET", PROOF + query), 404, "not-found")
        self.assert_problem(self.witness.call("GET", CHECKPOINT + "?x=1"), 400, "query")
        for path in (CHECKPOINT, PROOF + "?index=0"):
            self.assert_problem(self.alice.call("GET", self.mesh.url + path), 403, "forbidden")

    def test_verify(self):
        state = self.mesh.folder / "verified"
        note = self.mesh.folder / "note"
        note.write_bytes(self.witness.call("GET", CHECKPOINT).body)
        told = json.loads(run(MESHAUTH, "audit", "verify", "-c", self.mesh.conf, "--state", state, "--checkpoint", note,
                              "--trust", self.mesh.trust, "--json").stdout)
        self.assertEqual((told["whole"], told["from"]), (True, 0))
        self.alice.create()
        again = json.loads(run(MESHAUTH, "audit", "verify", "-c", self.mesh.conf, "--state", state, "--json").stdout)
        self.assertEqual((again["whole"], again["from"]), (True, told["size"]))
        self.assertEqual(again["records"], again["size"] - told["size"])
        note.write_bytes(note.read_bytes().replace(b"/audit\n", b"/audits\n"))
        done = run(MESHAUTH, "audit", "verify", "-c", self.mesh.conf, "--checkpoint", note, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_zz_a_cut_tail(self):
        """A copy of the store from before, put in the place of it: the state knows."""
        mesh, state = self.mesh, self.mesh.folder / "seen-by-auditor"
        mesh.stop()
        shutil.copytree(mesh.dir / "store", mesh.folder / "before")
        mesh.start()
        self.alice.create()
        run(MESHAUTH, "audit", "verify", "-c", mesh.conf, "--state", state)
        mesh.stop()
        shutil.rmtree(mesh.dir / "store")
        shutil.copytree(mesh.folder / "before", mesh.dir / "store")
        done = run(MESHAUTH, "audit", "verify", "-c", mesh.conf, "--state", state, "--json", check=False)
        self.assertEqual((done.returncode, json.loads(done.stdout)["fault"]), (1, "truncated"))
        mesh.start()


if __name__ == "__main__":
    main()
