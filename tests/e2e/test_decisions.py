#!/usr/bin/env python3
"""What services accept comes back to the account service: a ticket that it has never
issued raises an alarm. It is made by a thief who runs a copy of the whole store."""
import shutil
import subprocess

import harness
from deciding import Deciding
from harness import MESHAUTHD, Device, MeshTest, main, wait_until
from people import Person
from services import Service
from watching import Pinned

RELAY = "urn:meshauth:service:relay"


class Thief:
    """Another meshauthd under a copy of the keys, which answers elsewhere in the same name."""

    def __init__(self, mesh):
        self.mesh = mesh
        self.dir = mesh.folder / "stolen"
        mesh.stop()
        shutil.copytree(mesh.dir, self.dir)
        mesh.start()
        self.port = harness.free_port()
        conf = self.dir / "meshauth.conf"
        conf.write_text(conf.read_text().replace(f"port = {mesh.port};", f"port = {self.port};"))
        self.process = subprocess.Popen([MESHAUTHD, "-c", conf], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def at_work(self, act):
        """What act() obtains of the thief in the mesh's name."""
        port, self.mesh.port = self.mesh.port, self.port
        try:
            wait_until(self.mesh.healthy, "the thief's service")
            return act()
        finally:
            self.mesh.port = port

    def close(self):
        self.process.kill()
        self.process.wait()


class Decisions(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = Person(cls.mesh, "alice")
        cls.folder = cls.alice.create()

    def setUp(self):
        if hasattr(type(self), "relay"):
            return
        cls = type(self)
        cls.relay = Pinned(self.mesh, "relay")
        self.addClassCleanup(cls.relay.close)
        loaded = self.mesh.folder / "relay.loaded"
        loaded.mkdir()
        cls.relay.start("--loaded", loaded)
        cls.relay.wait_for("a trust file", lambda s: s["state"] == "good")
        cls.service = Deciding(self.mesh, RELAY, trust=cls.relay.trust, status=loaded)
        self.addClassCleanup(cls.service.close)

    def ticket(self, who):
        answer = self.mesh.post([("grant_type", harness.EXCHANGE), ("subject_token_type", harness.SAML2),
                                 ("subject_token", who.credential), ("audience", RELAY),
                                 ("resource", self.folder["url"])], who.device)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["access_token"]

    def handed_back(self):
        return sum(line.get("path") == "/v1/audit/decisions" and line.get("status") == 200 for line in self.mesh.log())

    def use(self, credential, device):
        before = self.handed_back()
        self.assertEqual(self.service.decide(credential, device, "read", self.folder["url"]), (200, ""))
        wait_until(lambda: self.handed_back() > before, "the ticket to be handed back")

    def alarms(self):
        return self.mesh.audit(action="alarm.ticket", service=self.relay.id)

    def test_tickets_of_ours(self):
        before = self.alarms()
        self.use(self.ticket(self.alice), self.alice.device)
        self.assertEqual(self.alarms(), before)

    def test_stolen_keys(self):
        thief = Thief(self.mesh)
        self.addCleanup(thief.close)
        stolen = thief.at_work(lambda: self.ticket(self.alice))
        before = len(self.alarms())
        self.use(stolen, self.alice.device)
        alarm = wait_until(lambda: self.alarms()[:-before or None], "the alarm")[0]
        ticket = self.mesh.collect_ticket(stolen)
        self.assertEqual((alarm["actor"], alarm["ticket"], alarm["digest"], alarm["reason"], alarm["outcome"]),
                         (self.relay.id, ticket.id, ticket.digest, "not-issued", "deny"))
        self.assertIn(f"ALARM: {self.relay.id} has accepted the ticket {ticket.id}", self.mesh.log_text())
        said = self.mesh.readyz()[1]
        self.assertIn(f"The service {self.relay.id} accepts tickets that were not issued here", "\n".join(said["warnings"]))

    # What is handed in by a service that is not to be trusted.

    def hand_in(self, service, body, code, problem=None):
        answer = service.call("POST", "/v1/audit/decisions", body)
        self.assertEqual(answer.status, code, answer)
        if problem:
            self.assertEqual(answer.json["type"], f"urn:meshauth:problem:{problem}")
        return answer

    def test_bad_bodies(self):
        other = Service(self.mesh, "other")
        other.login()
        good = {"number": 1, "time": "2026-11-22T10:00:00Z", "ticket": "_" + "0" * 32, "digest": "A" * 43 + "=",
                "key": "0" * 16}
        journal = "0" * 32
        for body in ({}, {"journal": "x"}, {"journal": journal, "accepted": {}}, {"journal": journal, "more": 1},
                     {"journal": journal, "accepted": [{**good, "ticket": "_1"}]},
                     {"journal": journal, "accepted": [{**good, "digest": "AAAA"}]},
                     {"journal": journal, "accepted": [{**good, "time": "now"}]},
                     {"journal": journal, "accepted": [{**good, "key": "k" * 200}]},
                     {"journal": journal, "accepted": [good] * 300}):
            self.hand_in(other, body, 400, "body")
        self.assertEqual(self.mesh.audit(action="alarm.ticket", service=other.id), [])
        said = self.hand_in(other, {"journal": journal, "accepted": [good]}, 200).json
        self.assertEqual((said["known"], said["unknown"]), (0, 1))
        self.hand_in(other, {"journal": journal, "accepted": [good]}, 200)
        self.assertEqual(len(self.mesh.audit(action="alarm.ticket", service=other.id)), 1, "told once")

    def test_services_only(self):
        answer = self.alice.call("POST", self.mesh.url + "/v1/audit/decisions", {"journal": "0" * 32})
        self.assert_problem(answer, 403, "forbidden")


if __name__ == "__main__":
    main()
