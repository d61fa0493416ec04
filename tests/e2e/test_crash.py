#!/usr/bin/env python3
"""Answered means durable: meshauthd is killed under load, ended with requests under
way, and kept from writing; the audit log has every ticket that left, once."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest
import urllib.parse

from harness import FORM, MESHAUTHD, SLOW, Device, Mesh, Ticket, main, read_all, run, wait_until

CLIENTS = 4
ROUNDS = 4
LOAD_S = 0.8


class Load:
    """Clients that log in again and again until the service is gone."""

    def __init__(self, mesh, clients=CLIENTS):
        self.mesh = mesh
        self.devices = [Device(mesh.folder, f"load-{i}") for i in range(clients)]
        self.tokens = [mesh.mint(f"user-{i}") for i in range(clients)]
        self.answered = []  # tickets, of all rounds
        self.refused = []

    def client(self, i):
        c = self.mesh.connection(self.devices[i])
        try:
            while True:
                answer = self.mesh.exchange(self.tokens[i], self.devices[i], c)
                if answer.status != 200:
                    self.refused.append(answer)
                    return
                self.answered.extend(Ticket(t["credential"]) for t in answer.json["tickets"])
        except (OSError, http.client.HTTPException):
            pass
        finally:
            c.close()

    def start(self):
        self.threads = [threading.Thread(target=self.client, args=(i,)) for i in range(len(self.devices))]
        for t in self.threads:
            t.start()

    def join(self):
        for t in self.threads:
            t.join()


class Crash(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)

    def records(self):
        """All, oldest first; the whole log is read and found without a gap."""
        records = self.mesh.audit()[::-1]
        self.assertEqual([r["sequence"] for r in records], list(range(len(records))))
        return records

    def assert_on_record(self, tickets):
        by_id = {}
        for r in self.records():
            if "ticket" in r:
                self.assertNotIn(r["ticket"], by_id, "a ticket is on record twice")
                by_id[r["ticket"]] = r
        for t in tickets:
            self.assertIn(t.id, by_id, "a ticket left that is not on record")
            self.assertEqual(by_id[t.id]["digest"], t.digest)
            self.assertEqual(by_id[t.id]["actor"], t.subject)
        return by_id

    def test_kill_9_under_load(self):
        load = Load(self.mesh)
        subjects, sequence = {}, 0
        for round_ in range(ROUNDS):
            before = len(load.answered)
            load.start()
            wait_until(lambda: len(load.answered) >= before + 2 * CLIENTS, "some logins")
            time.sleep(LOAD_S * (round_ + 1) / ROUNDS)
            self.mesh.kill()
            load.join()
            self.assertEqual(load.refused, [])
            self.mesh.start()
            self.assert_on_record(load.answered)
            # The trust file of before was whole, and the new one is newer.
            shown = self.sequence()
            self.assertGreater(shown, sequence)
            sequence = shown
        for t in load.answered:
            subjects.setdefault(t.holder, set()).add(t.subject)
        self.assertEqual([len(s) for s in subjects.values()], [1] * CLIENTS, "a device logs in as one user")
        made = [r for r in self.records() if r["action"] == "user.create"]
        self.assertEqual(len(made), CLIENTS, "no user is made twice")

    def test_kill_9_of_an_idle_one(self):
        for _ in range(3):
            self.mesh.kill()
            self.mesh.start()
        device = Device(self.mesh.folder)
        self.mesh.login("alice", device)

    def sequence(self, trust=None):
        for line in (trust or self.mesh.trust).read_text().splitlines():
            if line.startswith("sequence "):
                return int(line.split(" ")[1])
        self.fail("no sequence in the trust file")
        return None

    def test_sigterm_drains(self):
        load = Load(self.mesh)
        load.start()
        wait_until(lambda: len(load.answered) >= 2 * CLIENTS, "some logins")
        # A request whose first half is in before the signal.
        request = self.post_of(load.tokens[0])
        with self.mesh.raw(load.devices[0]) as s:
            s.sendall(request[:400])
            time.sleep(0.3)
            self.mesh.signal(signal.SIGTERM)
            time.sleep(0.3)
            s.sendall(request[400:])
            said, closed = read_all(s)
        self.assertTrue(closed)
        self.assertRegex(said, b"^HTTP/1.1 200 ")
        load.join()
        self.mesh.stop()
        for answer in load.refused:
            self.assertEqual(answer.status, 503, answer)
        body = said.split(b"\r\n\r\n", 1)[1]
        late = [self.mesh.collect_ticket(t["credential"]) for t in json.loads(body)["tickets"]]
        self.mesh.start()
        self.assert_on_record([*load.answered, *late])

    def post_of(self, token):
        """A login as bytes."""
        form = urllib.parse.urlencode(self.mesh.form(token))
        return (f"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {len(form)}\r\n\r\n"
                + form).encode()

    def test_clients_that_do_not_wait_for_their_answer(self):
        device = Device(self.mesh.folder)
        self.mesh.login("alice", device)
        request = self.post_of(self.mesh.mint("alice"))
        before = len(self.records())
        for i in range(40):
            s = self.mesh.raw(device)
            s.sendall(request)
            if i % 2:  # a reset rather than an orderly end
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        # All of them were logins, or none was begun; never half of one.
        self.mesh.login("alice", device)
        self.mesh.stop()
        self.mesh.start()
        new = self.records()[before:]
        logins = [r["request"] for r in new if r["action"] == "login"]
        rights = [r["request"] for r in new if r["action"] == "ticket.issue"]
        self.assertEqual(sorted(logins), sorted(rights))
        self.assertEqual(len(set(logins)), len(logins))

    def test_several_logins_in_one_write(self):
        device = Device(self.mesh.folder)
        names = ["alice", "bob", "carol"]
        with self.mesh.raw(device) as s:
            s.sendall(b"".join(self.post_of(self.mesh.mint(name)) for name in names)
                      + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            said, closed = read_all(s)
        self.assertTrue(closed)
        answers = re.split(rb"(?=HTTP/1\.1 \d)", said)[1:]
        self.assertEqual([a[9:12] for a in answers], [b"200"] * 4)
        tickets = []
        for answer in answers[:3]:
            body = json.loads(answer.split(b"\r\n\r\n", 1)[1])
            tickets.append([self.mesh.collect_ticket(t["credential"]) for t in body["tickets"]])
        self.assertEqual(len({pair[0].subject for pair in tickets}), 3)
        by_id = self.assert_on_record([t for pair in tickets for t in pair])
        order = [by_id[pair[0].id]["sequence"] for pair in tickets]
        self.assertEqual(order, sorted(order), "they were asked in this order")

    def test_sighup_under_load(self):
        load = Load(self.mesh)
        load.start()
        for _ in range(20):
            self.mesh.signal(signal.SIGHUP)
            time.sleep(0.05)
        wait_until(lambda: len(load.answered) >= 2 * CLIENTS, "some logins")
        self.mesh.stop()
        load.join()
        self.assertEqual([a for a in load.refused if a.status != 503], [])
        self.mesh.start()
        self.assert_on_record(load.answered)

    def test_sigterm_ends_an_idle_one_soon(self):
        held = [self.mesh.raw() for _ in range(4)]
        for s in held:
            self.addCleanup(s.close)
        started = time.monotonic()
        self.mesh.stop()
        self.assertLess(time.monotonic() - started, 5 * SLOW)
        self.assertFalse((self.mesh.dir / "admin.sock").exists())

    def test_closed_standard_files_are_nothing_of_the_store(self):
        """The log of such a daemon went over the first page of its store."""
        self.mesh.stop()
        with subprocess.Popen(["sh", "-c", "exec \"$@\" 0<&- 1>&- 2>&-", "sh", MESHAUTHD, "-c", self.mesh.conf],
                              restore_signals=False) as self.mesh.daemon:
            wait_until(self.mesh.healthy, "meshauthd to serve")
            opened = [os.readlink(f"/proc/{self.mesh.daemon.pid}/fd/{fd}") for fd in range(3)]
            self.mesh.stop()
        self.assertEqual(opened, ["/dev/null"] * 3)
        self.mesh.start()
        self.mesh.login("alice", Device(self.mesh.folder))

    def test_sigint_is_as_good(self):
        self.mesh.signal(signal.SIGINT)
        self.assertEqual(self.mesh.daemon.wait(30 * SLOW), 0)
        self.mesh.start()

    def test_sighup_signs_a_newer_trust_file(self):
        device = Device(self.mesh.folder)
        rights = self.mesh.login("alice", device).json["tickets"][1]["credential"]
        old = self.mesh.folder / "trust.old"
        shutil.copy(self.mesh.trust, old)
        before = self.sequence()
        self.mesh.signal(signal.SIGHUP)
        wait_until(lambda: self.sequence() > before, "a newer trust file")
        for trust in (old, self.mesh.trust):
            code, said = self.mesh.verify(rights, device, trust=trust)
            self.assertEqual((code, said["verdict"]), (0, "accept"), said)
        # The tree in it has grown by what was put on record.
        sizes = [next(line.split(" ")[1] for line in t.read_text().splitlines() if line.startswith("checkpoint "))
                 for t in (old, self.mesh.trust)]
        self.assertGreater(int(sizes[1]), int(sizes[0]))

    def test_sighup_takes_a_new_certificate(self):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=renewed", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.mesh.dir / "tls.key", "-out",
            self.mesh.dir / "tls.crt")
        lines = (self.mesh.dir / "tls.key").read_text().split("\n")
        self.mesh.secrets.add(lines[1])
        self.assertFalse(self.mesh.healthy())  # the client wants the new one already
        old = self.mesh.connection()
        self.mesh.signal(signal.SIGHUP)
        wait_until(self.mesh.healthy, "the new certificate")
        old.close()
        # One that is broken changes nothing.
        (self.mesh.dir / "tls.key").write_text("no key\n")
        self.mesh.signal(signal.SIGHUP)
        wait_until(lambda: any("stays" in line.get("message", "") for line in self.mesh.log()), "a complaint")
        self.assertTrue(self.mesh.healthy())

    def test_no_ticket_leaves_that_cannot_be_put_on_record(self):
        device = Device(self.mesh.folder)
        self.mesh.login("alice", device)
        token = self.mesh.mint("bob")
        self.mesh.limit_files((self.mesh.dir / "store" / "data.mdb").stat().st_size // 2)
        refused = [self.mesh.exchange(token, device) for _ in range(3)]
        health = self.mesh.request("GET", "/healthz").status
        self.mesh.limit_files(None)
        for answer in refused:
            self.assertEqual((answer.status, answer.json["error"]), (503, "temporarily_unavailable"))
            self.assertTrue(int(answer.headers["Retry-After"]) > 0)
            self.assertEqual(set(answer.json), {"error", "error_description", "request_id"})
        self.assertEqual(health, 200)
        # When there is room again it goes on by itself.
        answer = self.mesh.exchange(token, device)
        self.assertEqual(answer.status, 200, answer)
        tickets = [Ticket(t["credential"]) for t in answer.json["tickets"]]
        self.assertEqual(len(self.assert_on_record(tickets)), 4)
        self.assertEqual(len([r for r in self.records() if r["action"] == "user.create"]), 2)

    def test_kill_9_while_nothing_can_be_written(self):
        device = Device(self.mesh.folder)
        ticket = Ticket(self.mesh.login("alice", device).json["access_token"])
        self.mesh.limit_files((self.mesh.dir / "store" / "data.mdb").stat().st_size // 2)
        self.assertEqual(self.mesh.exchange(self.mesh.mint("bob"), device).status, 503)
        self.mesh.kill()
        self.mesh.start()
        self.assert_on_record([ticket])
        self.mesh.login("bob", device)


if __name__ == "__main__":
    main()
