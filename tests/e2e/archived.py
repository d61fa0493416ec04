"""A Mesh whose records leave for the archive when there are many."""
import gzip
import json
import time

from harness import MESHAUTH, MeshTest, Socket, run, wait_until

MANY = 2600  # records that are more than may stay


class Archive(MeshTest):
    settings = {"audit": {"keep_mib": 1}}  # the least that can be asked for

    def audit(self, *words, code=0):
        done = run(MESHAUTH, "audit", *words, "-c", self.mesh.conf, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def audit_error(self, *words):
        done = run(MESHAUTH, "audit", *words, "-c", self.mesh.conf, check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        return done.stderr

    def json(self, *words, code=0):
        return json.loads(self.audit(*words, "--json", code=code))

    def lines(self, *words):
        return [json.loads(line) for line in self.audit(*words, "--json").splitlines()]

    def ticket_of(self, person):
        """The ID of his identity ticket, as the record of his first login has it."""
        return self.lines("query", "--actor", person.id, "--action", "login", "--order", "oldest")[0]["ticket"]

    def fill(self):
        """Many records: questions, which are long."""
        c = Socket(self.mesh.dir / "admin.sock")
        for i in range(MANY):
            c.request("GET", f"/v1/audit?limit=1&request={i}" + "x" * 300)
            response = c.getresponse()
            response.read()
            self.assertEqual(response.status, 200)
        c.close()

    def whole(self):
        verdict = self.json("verify")
        self.assertTrue(verdict["whole"])
        self.assertEqual(verdict["left"], verdict["archived"])
        return verdict

    def left(self):
        """Once it has come to rest: how many records have left."""
        def has_left():
            return self.whole()["left"] > 0 and not self.leftovers()
        wait_until(has_left, "records to leave")
        return self.whole()["left"]

    def left_anew(self, filled):
        """The same behind a start, when the record with that number was the last: it looks at once, though for nothing
        where records left while they came."""
        end = time.monotonic() + 15
        wait_until(lambda: any(r["sequence"] > filled for r in self.mesh.audit(action="audit.archive", limit=1)) or
                   time.monotonic() > end, "more records to leave")
        return self.left()

    def leftovers(self):
        """Records that are counted twice: in the store still, and in the archive."""
        verdict = self.whole()
        return verdict["records"] + verdict["erased"] + verdict["left"] > verdict["size"]

    def segments(self):
        return sorted((self.mesh.dir / "store/audit-archive").glob("audit-*.gz"))

    def all(self):
        """Every record there ever was, by its number."""
        records = self.lines("query", "--archive", "--order", "oldest", "--limit", "1000000")
        self.assertEqual([r["sequence"] for r in records], list(range(len(records))))
        return records

    def archived(self, name):
        """What is in the archive that has this name in it: the actions of its records."""
        lines = [line for s in self.segments() for line in gzip.decompress(s.read_bytes()).decode().splitlines()]
        return {json.loads(line)["record"]["action"] for line in lines if name in line}
