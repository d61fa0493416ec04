#!/usr/bin/env python3
"""A disk that fills up under load, on a small file system of its own: what was answered
is on record, once; what cannot be put on record is not issued; an admin can still end
rights; and when there is room again the service is back by itself."""
import os
import pathlib
import shutil
import subprocess
import threading
import unittest

from harness import MESHAUTH, MESHAUTHD, Device, Mesh, Ticket, main, run, wait_until

DISK_MIB = 24
RESERVE_MIB = 4
CLIENTS = 4
MIB = 1 << 20


class Disk:
    """A tmpfs over a folder, in a mount namespace of its own that a process holds."""

    def __init__(self, folder, size_mib):
        self.folder = folder
        kept = folder.with_name("store-kept")
        shutil.copytree(folder, kept)
        script = (f"mount -t tmpfs -o size={size_mib}m,mode=700 none '{folder}' && cp '{kept}'/* '{folder}' && "
                  "echo there && exec sleep 3600")
        self.holder = subprocess.Popen(["unshare", "--map-root-user", "--mount", "sh", "-c", script],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "there\n":
            raise unittest.SkipTest(f"no file system can be mounted here: {self.holder.communicate()[1].strip()}")

    @property
    def inside(self):
        """The folder as seen from here."""
        return pathlib.Path(f"/proc/{self.holder.pid}/root{self.folder}")

    @property
    def free(self):
        fs = os.statvfs(self.inside)
        return fs.f_bavail * fs.f_frsize

    def enter(self, *command):
        return ["nsenter", "--target", str(self.holder.pid), "--user", "--mount", "--preserve-credentials", *command]

    def fill(self, leave):
        """Takes all of the disk but so many bytes."""
        with open(self.inside / "filler", "ab") as f:
            while (wanted := self.free - leave) > 0:
                try:
                    f.write(b"\0" * min(wanted, MIB))
                    f.flush()
                except OSError:
                    return

    def make_room(self):
        (self.inside / "filler").unlink()

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()


class OnDisk(Mesh):
    disk = None

    def command(self):
        if not self.disk:
            self.disk = Disk(self.dir / "store", DISK_MIB)
        return self.disk.enter(MESHAUTHD, "-c", self.conf)

    def discard(self):
        super().discard()
        if self.disk:
            self.disk.close()


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.mesh = OnDisk(limits={"disk_reserve_mib": RESERVE_MIB})
        self.addCleanup(self.mesh.close)
        self.devices = [Device(self.mesh.folder, f"load-{i}") for i in range(CLIENTS)]
        self.tokens = [self.mesh.mint(f"user-{i}") for i in range(CLIENTS)]
        self.answered, self.refused = [], []

    def client(self, i):
        """Logs in again and again until it is refused."""
        c = self.mesh.connection(self.devices[i])
        try:
            while True:
                answer = self.mesh.exchange(self.tokens[i], self.devices[i], c)
                if answer.status != 200:
                    self.refused.append(answer)
                    return
                self.answered.extend(Ticket(t["credential"]) for t in answer.json["tickets"])
        finally:
            c.close()

    def load(self):
        threads = [threading.Thread(target=self.client, args=(i,)) for i in range(CLIENTS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def assert_all_on_record(self):
        records = self.mesh.audit()
        self.assertEqual(sorted(r["sequence"] for r in records), list(range(len(records))))
        tickets = [r["ticket"] for r in records if "ticket" in r]
        self.assertEqual(len(tickets), len(set(tickets)), "a ticket is on record twice")
        self.assertEqual({t.id for t in self.answered} - set(tickets), set(), "a ticket left that is not on record")

    def test_fills_up_under_load(self):
        self.assertEqual(self.mesh.readyz()[0], 200)
        self.mesh.disk.fill(RESERVE_MIB * MIB + MIB // 2)
        self.load()
        self.assertGreater(len(self.answered), 0)
        for answer in self.refused:
            self.assertEqual((answer.status, answer.json["error"]), (503, "temporarily_unavailable"), answer)
        status, said = self.mesh.readyz()
        self.assertEqual((status, said["status"]), (503, "not-ready"))
        self.assertRegex(said["problems"][0], f"^Nothing can be put on record: store: less than {RESERVE_MIB} MiB")
        self.assertGreater(self.mesh.disk.free, (RESERVE_MIB - 1) * MIB, "the reserve is left alone")

        # What ends a right is written all the same, with its record.
        user = self.answered[0].subject
        run(MESHAUTH, "revoke", user, "-c", self.mesh.conf)
        self.assertEqual([r["resources"][0] for r in self.mesh.audit(action="user.revoke")], [user])

        # Without a byte left it may or may not be, but never by halves.
        self.mesh.disk.fill(0)
        other = next(t.subject for t in self.answered if t.subject != user)
        done = run(MESHAUTH, "revoke", other, "-c", self.mesh.conf, check=False).returncode
        self.assertIn(done, (0, 3))
        self.refused.clear()
        self.load()
        self.assertEqual({a.status for a in self.refused}, {503})
        self.assertEqual(self.mesh.readyz()[0], 503)

        # Room again: it goes on by itself.
        self.mesh.disk.make_room()
        wait_until(lambda: self.mesh.readyz()[0] == 200, "the service to be ready again", patience_s=90)
        count = len(self.answered)
        answer = self.mesh.exchange(self.tokens[2], self.devices[2])
        self.assertEqual(answer.status, 200, answer)
        self.answered.extend(Ticket(t["credential"]) for t in answer.json["tickets"])
        self.assertGreater(len(self.answered), count)
        self.assertEqual(len(self.mesh.audit(action="user.revoke", user=other)), 1 if done == 0 else 0)
        self.assert_all_on_record()
        self.mesh.kill()
        self.mesh.start()
        self.assert_all_on_record()


if __name__ == "__main__":
    main()
