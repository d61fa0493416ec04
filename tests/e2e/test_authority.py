#!/usr/bin/env python3
"""Another authority: with the root at hand, and with the root far away; what services make of it,
and of whoever has stolen the old one."""
import json
import os
import pty
import re
import secrets
import shutil
import subprocess
import time
import unittest

from deciding import Deciding
from harness import EXCHANGE, MESHAUTH, MESHAUTHD, PATIENCE_S, SAML2, SLOW, STORAGE, Mesh, free_port, main, run, wait_until
from people import Person
from services import Admin


def epoch_of(trust):
    return int(re.search(r"^epoch (\d+)$", trust.read_text(), re.M).group(1))


class AuthorityTest(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)
        self.root = self.mesh.dir / "root.key"
        self.folder = self.mesh.folder

    def says(self, code, *words, data=None):
        done = run(MESHAUTH, "authority", *words, data=data, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def json(self, *words):
        return json.loads(self.says(0, *words, "-c", self.mesh.conf, "--json").stdout)

    def refused(self, code, words, *call, data=None):
        done = self.says(code, *call, data=data)
        self.assertEqual(done.stdout, "")
        self.assertIn(words, done.stderr)

    def wait_for(self, epoch):
        wait_until(lambda: epoch_of(self.mesh.trust) == epoch, f"a trust file of epoch {epoch}", 5 * SLOW)

    def records(self, action):
        return [(r["actor"], r["outcome"], r["resources"][1:]) for r in self.mesh.audit(action=action)]

    def request(self, *more):
        """A new request's file."""
        file = self.folder / f"request-{time.monotonic_ns()}"
        self.says(0, "renew", "-c", self.mesh.conf, "--request", file, *more)
        return file

    def sign(self, request, root=None):
        signed = self.folder / f"signed-{time.monotonic_ns()}"
        self.says(0, "sign", request, "--root", root or self.root, "--out", signed, "--yes")
        return signed

    def new_root(self, name="other.key"):
        file = self.folder / name
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", file)
        file.chmod(0o600)
        return file


class Renewal(AuthorityTest):
    def test_root_at_hand(self):
        alice = Person(self.mesh, "alice")
        before = self.json("show")
        self.assertEqual((before["epoch"], before["warnings"], "pending" in before), (1, [], False))
        self.assertEqual((before["root"], before["issuer"]), (self.mesh.vkey.read_text().strip(), self.mesh.url))
        now = self.json("renew", "--root", self.root)
        self.wait_for(2)
        self.assertEqual((now["epoch"], now["root"], "pending" in now), (2, before["root"], False))
        self.assertNotEqual(now["authority"], before["authority"])
        self.assertEqual(self.json("show"), now)
        self.assertIn(f"\nauthority {now['authority']} ", self.mesh.trust.read_text())
        # Tickets of before and after are as good as ever, at services and here.
        self.assertEqual(self.mesh.verify(alice.ticket, alice.device)[1]["verdict"], "accept")
        self.assertEqual(alice.get(alice.root).status, 200)
        alice.login()
        self.assertEqual(self.mesh.verify(alice.ticket, alice.device)[1]["verdict"], "accept")
        me = f"uid:{os.getuid()}"
        made = ["epoch 2", now["authority"]]
        self.assertEqual(self.records("authority.request"), [(me, "done", made)])
        self.assertEqual(self.records("authority.install"), [(me, "done", made)])
        # For people.
        said = self.says(0, "show", "-c", self.mesh.conf).stdout
        self.assertIn(f"{self.mesh.url}: epoch 2\n", said)
        said = self.says(0, "renew", "-c", self.mesh.conf, "--root", self.root, "--for", "481h", "--epoch", "7").stdout
        self.assertRegex(said, r"^In force: epoch 7, until \S+Z\.\n\S+/authority\+")
        self.wait_for(7)
        # Twenty days are few.
        self.assertRegex(self.says(0, "show", "-c", self.mesh.conf).stdout, "The authority's time ends at .*, in 20 days: ")
        warning, = self.json("show")["warnings"]
        self.assertIn("\n" + warning + "\n", run(MESHAUTH, "keys", "list", "-c", self.mesh.conf).stdout)
        self.mesh.stop()
        self.mesh.start()
        self.assertEqual([line["message"] for line in self.mesh.log() if line.get("message", "").startswith("The auth")],
                         [warning])
        self.assertEqual(self.mesh.readyz(), (200, {"status": "ready", "warnings": [warning]}))

    def test_without_meshauthd(self):
        self.mesh.stop()
        self.assertEqual(self.json("renew", "--root", self.root)["epoch"], 2)
        waits = self.json("renew", "--request", self.folder / "request")
        self.assertEqual((waits["epoch"], waits["pending"]["epoch"]), (2, 3))
        self.assertEqual((self.folder / "request").read_text(), waits["pending"]["request"])
        self.assertEqual(self.json("install", self.sign(self.folder / "request"))["epoch"], 3)
        self.mesh.start()
        self.assertEqual(epoch_of(self.mesh.trust), 3)
        self.assertEqual([r[2][0] for r in self.records("authority.install")], ["epoch 3", "epoch 2"])

    def test_root_far_away(self):
        """It signs where there is no store: in an empty folder, with nothing but the request."""
        request = self.request()
        self.assertEqual(epoch_of(self.mesh.trust), 1)
        said = self.says(0, "show", "-c", self.mesh.conf).stdout
        waits = self.json("show")["pending"]
        self.assertIn(waits["authority"] + ", epoch 2", said)
        vault = self.folder / "vault"
        vault.mkdir()
        shutil.move(self.root, vault / "root.key")
        shutil.copy(request, vault)
        done = run(MESHAUTH, "authority", "sign", request.name, "--root", "root.key", "--yes", cwd=vault)
        for value in (self.mesh.url, "2", waits["authority"], waits["from"], waits["until"],
                      self.mesh.vkey.read_text().strip()):
            self.assertRegex(done.stderr, rf"(?m)^  \w+ +{re.escape(value)}(, in \d+ d.*)?$")
        # Bytes that go the way over standard input and output are the same.
        again = run(MESHAUTH, "authority", "sign", "-", "--root", vault / "root.key", "--yes", "--json",
                    data=request.read_text())
        self.assertEqual(json.loads(again.stdout), {"issuer": self.mesh.url, "epoch": 2, "delegation": done.stdout})
        self.assertTrue(done.stdout.startswith(request.read_text() + "\n— "))
        self.assertEqual(json.loads(self.says(0, "install", "-", "-c", self.mesh.conf, "--json",
                                              data=done.stdout).stdout)["epoch"], 2)
        self.wait_for(2)

    def test_it_asks_on_a_terminal(self):
        request = self.request()
        for typed, code in ((b"n\n", 1), (b"\n", 1), (b"yess\n", 1), (b"y\n", 0), (b"yes\n", 0)):
            signed = self.folder / "signed"
            signed.unlink(missing_ok=True)
            ours, theirs = pty.openpty()
            p = subprocess.Popen([MESHAUTH, "authority", "sign", request, "--root", self.root, "--out", signed],
                                 stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            os.write(ours, typed)
            said = p.communicate(timeout=PATIENCE_S)[1].decode()
            os.close(ours)
            os.close(theirs)
            self.assertEqual((p.returncode, signed.exists()), (code, code == 0), said)
            self.assertIn("Sign it? [y/N]", said)

    def test_over_https(self):
        admin = Admin(self.mesh, "chief")
        before = admin.call("GET", "authority")
        self.assertEqual((before.status, before.json["epoch"]), (200, 1))
        waits = admin.call("POST", "authority/request", {"seconds": 7200})
        self.assertEqual(waits.status, 200)
        request = self.folder / "request"
        request.write_text(waits.json["pending"]["request"])
        note = self.sign(request).read_text()
        nobody = Person(self.mesh, "nobody")
        for who, method, path, body in ((nobody, "GET", "authority", None), (nobody, "POST", "authority/request", {}),
                                        (nobody, "PUT", "authority", {"delegation": note})):
            answer = who.call(method, "/v1/admin/" + path, body)
            self.assertEqual((answer.status, answer.json["type"]), (403, "urn:meshauth:problem:forbidden"))
        self.assertEqual([r[1] for r in self.records("authority.install")], ["deny"])
        # Which root there is is not for the network to say.
        answer = admin.call("PUT", "authority", {"delegation": note, "new_root": before.json["root"]})
        self.assertEqual(answer.status, 403)
        self.assertEqual(admin.call("PUT", "authority", {"delegation": "x"}).status, 409)
        self.assertEqual(admin.call("PUT", "authority", {"delegation": note}).json["epoch"], 2)
        self.wait_for(2)
        for method, path, body, status in (
                ("GET", "authority?x=1", None, 400), ("POST", "authority/request", {"days": 3}, 400),
                ("POST", "authority/request", {"epoch": 2}, 409), ("POST", "authority/request", {"seconds": 5}, 409),
                ("PUT", "authority", {}, 400), ("PUT", "authority", {"delegation": note}, 409)):
            with self.subTest(path=path, body=body):
                self.assertEqual(admin.call(method, path, body).status, status)


class Refusals(AuthorityTest):
    def test_notes(self):
        conf = self.mesh.conf
        self.refused(1, "No new authority was requested", "install", self.sign_nothing(), "-c", conf)
        old, request = self.request(), self.request()
        self.refused(1, "does not answer what was requested last", "install", self.sign(old), "-c", conf)
        stranger = self.sign(request, self.new_root())
        self.refused(1, "signed by another", "install", stranger, "-c", conf)
        self.refused(1, f"{request} has no signature: give what", "install", request, "-c", conf)
        cut = self.folder / "cut"
        cut.write_bytes(self.sign(request).read_bytes()[:-20])
        self.refused(1, "a text, an empty line and a signature line", "install", cut, "-c", conf)
        self.refused(1, "No such file", "install", self.folder / "none", "-c", conf)
        self.assertEqual({r[1] for r in self.records("authority.install")}, {"deny"})
        self.assertEqual(len(self.records("authority.install")), 5)
        self.assertEqual(self.json("show")["epoch"], 1)
        self.assertEqual(self.json("install", self.sign(request))["epoch"], 2)

    def sign_nothing(self):
        """A good note of the root's, which nobody asked for."""
        text = self.mesh.trust.read_text()
        file = self.folder / "unasked"
        file.write_text(text[:text.index("\n\n", text.index("\n\n") + 1) + 1])
        return file

    def test_roots(self):
        other = self.new_root()
        self.refused(1, "is not the root of this service", "renew", "-c", self.mesh.conf, "--root", other)
        self.assertNotIn("pending", self.json("show"))  # nothing was made for it
        other.chmod(0o644)
        self.refused(1, "chmod 600", "renew", "-c", self.mesh.conf, "--root", other)
        self.refused(1, "not a private Ed25519 key", "renew", "-c", self.mesh.conf, "--root", self.mesh.dir / "tls.key")
        self.refused(1, "No such file", "renew", "-c", self.mesh.conf, "--root", self.folder / "none")
        request = self.request()
        self.refused(1, "is there already", "renew", "-c", self.mesh.conf, "--request", request)
        signed = self.sign(request)
        done = self.says(1, "sign", request, "--root", self.root, "--out", signed, "--yes")
        self.assertIn("File exists", done.stderr)

    def test_usage(self):
        conf = self.mesh.conf
        request = self.request()
        for call in (("renew", "-c", conf), ("renew", "-c", conf, "--root", self.root, "--request", "x"),
                     ("renew", "--root", self.root), ("renew", "-c", conf, "--request", "x", "--new-root"),
                     ("renew", "-c", conf, "--request", "x", "--for", "soon"),
                     ("renew", "-c", conf, "--request", "x", "--epoch", "0"), ("sign", request, "--yes"),
                     ("sign", request, "--root", self.root), ("install", "-c", conf), ("install", request),
                     ("install", request, "-c", conf, "--new-root", "nothing+of+thekind"), ("show",)):
            with self.subTest(call):
                self.refused(2 if call[-1] != "nothing+of+thekind" else 1, "", *call, data="")
        for words in (("--epoch", "1"), ("--for", "1m"), ("--for", "3651d")):
            self.says(1, "renew", "-c", conf, "--request", "-", *words)

    def test_another_root(self):
        """A root that was lost: services are given another one's verifier key."""
        other = self.new_root()
        alice = Person(self.mesh, "alice")
        now = self.json("renew", "--root", other, "--new-root")
        self.assertNotEqual(now["root"], self.mesh.vkey.read_text().strip())
        self.wait_for(2)
        # Who pins the old one believes none of it; who pins the new one does.
        self.assertEqual(self.mesh.verify(alice.ticket, alice.device)[1]["reason"], "trust")
        self.mesh.vkey.write_text(now["root"] + "\n")
        self.assertEqual(self.mesh.verify(alice.ticket, alice.device)[1]["verdict"], "accept")
        self.refused(1, "is not the root of this service", "renew", "-c", self.mesh.conf, "--root", self.root)
        # And from afar.
        third = self.new_root("third.key")
        request = self.request()
        signed = self.sign(request, third)
        said = run(MESHAUTH, "authority", "sign", request, "--root", third, "--yes").stderr
        vkey = re.search(r"^  root +(\S+)$", said, re.M).group(1)
        self.refused(1, "signed by another", "install", signed, "-c", self.mesh.conf)
        self.assertEqual(self.json("install", signed, "--new-root", vkey)["root"], vkey)
        self.mesh.vkey.write_text(vkey + "\n")
        self.wait_for(3)


class Thief(AuthorityTest):
    """Somebody has the whole folder of the service, but not the root."""

    def steal(self):
        self.mesh.stop()
        folder = self.folder / "stolen"
        shutil.copytree(self.mesh.dir, folder, ignore=shutil.ignore_patterns("root.key", "admin.sock"))
        conf = folder / "meshauth.conf"
        conf.write_text(re.sub(r"port = \d+", f"port = {free_port()}", conf.read_text()))
        self.mesh.start()
        return folder

    def forge(self, folder, ticket):
        """A trust file by the stolen authority, of a high sequence, that says this ticket is dead."""
        others = ["_" + secrets.token_hex(16) for _ in range(15)]  # so that his numbers are above ours
        run(MESHAUTH, "revoke", *others, ticket, "-c", folder / "meshauth.conf")
        for _ in range(2):
            daemon = subprocess.Popen([MESHAUTHD, "-c", folder / "meshauth.conf"], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until((folder / "admin.sock").exists, "the thief's service")
            daemon.terminate()
            self.assertEqual(daemon.wait(PATIENCE_S), 0)
            (folder / "admin.sock").unlink(missing_ok=True)
        return (folder / "trust").read_bytes()

    def test_a_new_epoch_ends_what_was_stolen(self):
        stolen = self.steal()
        alice = Person(self.mesh, "alice")
        trip = alice.create()
        rights = self.rights(alice, trip["url"])
        forged = self.forge(stolen, self.mesh.collect_ticket(rights).id)
        at_service = self.folder / "at-service"
        shutil.copy(self.mesh.trust, at_service)
        complaints = self.folder / "complaints"
        with open(complaints, "w") as out:
            service = Deciding(self.mesh, STORAGE, trust=at_service, complaints=out)
        self.addCleanup(service.close)

        def decided():
            return service.decide(rights, alice.device, "read", trip["url"])

        self.assertEqual(decided(), (200, ""))
        # While the authority is what it was, the thief is believed.
        self.put(at_service, forged)
        self.assertEqual(decided(), (401, "revoked"))
        self.assertEqual(complaints.read_text(), "")
        # A new epoch is, whatever sequence the thief has taken; and he is not any more.
        self.says(0, "renew", "-c", self.mesh.conf, "--root", self.root)
        self.wait_for(2)
        self.put(at_service, self.mesh.trust.read_bytes())
        self.assertEqual(decided(), (200, ""))
        self.assertEqual(complaints.read_text(), "")
        self.put(at_service, forged)
        self.assertEqual(decided(), (200, ""))
        self.assertIn("older than what is loaded", complaints.read_text())
        # Nor does the store he has go on: it is not the one that the root's note was asked for.
        signed = self.sign(self.request())
        self.refused(1, "No new authority was requested", "install", signed, "-c", stolen / "meshauth.conf")

    def rights(self, who, url):
        answer = self.mesh.post({"grant_type": EXCHANGE, "subject_token_type": SAML2, "subject_token": who.credential,
                                 "audience": STORAGE, "resource": url, "scope": "read"}, who.device)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["tickets"][0]["credential"]

    def put(self, file, data):
        new = file.with_suffix(".new")
        new.write_bytes(data)
        new.rename(file)


if __name__ == "__main__":
    main()
