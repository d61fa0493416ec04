#!/usr/bin/env python3
"""Questions to the audit log, over HTTPS and by `meshauth audit`: who may ask, what is
found in which order, counted, waited for, and who had which right in a folder when."""
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.parse

from harness import MESHAUTH, PATIENCE_S, SLOW, MeshTest, documented_actions, main, run, wait_until
from people import Person, new_id
from services import Service, Socket, ask_later

AUDIT = "/v1/audit"


def query(**filters):
    return "?" + urllib.parse.urlencode(filters) if filters else ""


class Auditor(Person):
    """A user with the role."""

    def __init__(self, mesh, name):
        super().__init__(mesh, name)
        Socket(mesh).call("PUT", f"roles/{self.id}/auditor")

    def ask(self, path=AUDIT, **filters):
        return self.get(path + query(**filters))

    def records(self, **filters):
        answer = self.ask(**filters)
        if answer.status != 200:
            raise AssertionError(f"{filters}: {answer}")
        return answer.json["items"]

    def last(self):
        """The number of the newest record; that of this question is the next one."""
        return self.records(limit=1)[0]["sequence"]

    def who(self, folder, **more):
        answer = self.ask(AUDIT + "/who", folder=folder["id"], **more)
        if answer.status != 200:
            raise AssertionError(f"{folder['id']}: {answer}")
        return answer.json


class AuditTest(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.auditor = Auditor(cls.mesh, "auditor")
        cls.alice, cls.bob, cls.carol = (Person(cls.mesh, n) for n in ("alice", "bob", "carol"))
        cls.conf = cls.mesh.conf

    def audit(self, *words, code=0):
        done = run(MESHAUTH, "audit", *words, "-c", self.conf, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def lines(self, *words):
        return [json.loads(line) for line in self.audit(*words, "--json").stdout.splitlines()]


class Who(AuditTest):
    """Who may ask."""

    def test_with_the_role_only(self):
        for path in (AUDIT, AUDIT + "/count?by=action", AUDIT + "/who?folder=" + new_id("fld_")):
            with self.subTest(path):
                self.assert_problem(self.mesh.request("GET", path), 401, "no-ticket")
                self.assert_problem(self.alice.get(path), 403, "forbidden")
                self.assertEqual(self.auditor.get(path).status, 200)
        service = Service(self.mesh, "asks")
        service.login()
        self.assert_problem(service.call("GET", AUDIT), 403, "forbidden")

    def test_the_question_is_on_record(self):
        answer = self.auditor.ask(action="folder.create", limit=3)
        record = self.auditor.records(request=answer.request_id)[0]
        self.assertEqual((record["actor"], record["action"], record["outcome"], record["resources"]),
                         (self.auditor.id, "audit.query", "allow", ["action=folder.create&limit=3"]))
        refused = self.alice.get(AUDIT)
        self.assertEqual(self.auditor.records(request=refused.request_id), [])

    def test_no_question_hides_behind_its_spelling(self):
        answer = self.auditor.get(f"{AUDIT}?limit=5{'&' * 600}user={self.alice.id}")
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.auditor.records(request=answer.request_id)[0]["resources"],
                         [f"user={self.alice.id}&limit=5"])
        rule = "grant read(R) if subject(U), user(R, U)."
        answer = self.auditor.ask(rule=rule, user=self.alice.id)
        self.assertEqual(self.auditor.records(request=answer.request_id)[0]["resources"],
                         [f"user={self.alice.id}", rule])
        for query in (f"reason={'x' * 500}&user={self.alice.id}", f"rule={'x' * 513}"):
            self.assert_problem(self.auditor.get(f"{AUDIT}?{query}"), 400, "query")

    def test_bad_questions(self):
        records = ["since=yesterday", "until=2026", "outcome=perhaps", "order=random", "limit=0", "limit=10001",
                   "after=-1", "after=x", "nonsense=1", "by=day", "actor=a&actor=b", "wait=5", "wait=5&after=1",
                   "wait=5&order=oldest", "order=oldest&after=1&wait=56", "order=oldest&after=1&wait=0",
                   "folder=%zz", "sequence=x", "action=logn"]
        counts = ["", "by=weather", "by=day&after=1", "by=day&order=oldest", "by=day&wait=1"]
        folder = new_id("fld_")
        who = ["", "folder=" + new_id("usr_"), f"folder={folder}&at=then", f"folder={folder}&user={new_id('usr')}"]
        for path, queries in (("", records), ("/count", counts), ("/who", who)):
            for q in queries:
                with self.subTest(path + "?" + q):
                    self.assert_problem(self.auditor.get(f"{AUDIT}{path}?{q}"), 400, "query")


class Records(AuditTest):
    """What is found, and in which order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.alice.create()
        cls.device = cls.alice.claim().json
        cls.alice.map(cls.folder, cls.device)
        cls.alice.join(cls.folder, cls.bob)

    def all_records(self):
        return list(reversed(self.mesh.audit()))

    def test_by_each_field(self):
        """Whatever a record has, it is found by, and by nothing else."""
        every = {r["sequence"]: r for r in self.all_records()}
        seen = set()
        for r in every.values():
            for field in ("action", "actor", "client", "key", "outcome", "reason", "request", "session", "ticket"):
                if field in r and (field, r[field]) not in seen:
                    seen.add((field, r[field]))
                    found = [f["sequence"] for f in self.mesh.audit(**{field: r[field], "order": "oldest"})]
                    want = [s for s, other in every.items() if other.get(field) == r[field]]
                    self.assertEqual([s for s in found if s in every], want, (field, r[field]))
        self.assertGreater(len({f for f, _ in seen}), 6)

    def test_by_ids_wherever_they_stand(self):
        by_folder = {r["action"] for r in self.auditor.records(folder=self.folder["id"])}
        self.assertLessEqual({"folder.create", "mapping.add", "invitation.create", "invitation.accept"}, by_folder)
        self.assertNotIn("login", by_folder)
        by_device = {r["action"] for r in self.auditor.records(device=self.device["id"])}
        self.assertLessEqual({"device.claim", "mapping.add"}, by_device)
        self.assertEqual({r["actor"] for r in self.auditor.records(user=self.bob.id, action="invitation.accept")},
                         {self.bob.id})
        both = self.auditor.records(folder=self.folder["id"], user=self.bob.id, outcome="done")
        self.assertEqual([r["action"] for r in both], ["invitation.accept"])

    def test_page_by_page(self):
        for order in ("newest", "oldest"):
            whole = self.auditor.records(user=self.alice.id, outcome="done", order=order, limit=10000)
            found, url = [], f"{AUDIT}?user={self.alice.id}&outcome=done&order={order}&limit=3"
            for _ in range(len(whole)):
                page = self.auditor.get(url)
                self.assertEqual(page.status, 200, page)
                found += page.json["items"]
                if "next" not in page.json:
                    break
                self.assertEqual(len(page.json["items"]), 3)
                url = page.json["next"]
            self.assertEqual(found, whole)
            numbers = [r["sequence"] for r in whole]
            self.assertEqual(numbers, sorted(numbers, reverse=order == "newest"))
            self.assertGreater(len(whole), 3)

    def test_by_time(self):
        every = self.auditor.records(limit=10000)
        middle = every[len(every) // 2]["time"][:19] + "Z"
        before = self.auditor.records(until=middle, limit=10000)
        since = self.auditor.records(since=middle, limit=10000)
        self.assertTrue(all(r["time"][:19] < middle[:19] for r in before))
        self.assertTrue(all(r["time"][:19] >= middle[:19] for r in since))
        self.assertLessEqual({r["sequence"] for r in every}, {r["sequence"] for r in [*before, *since]})

    def test_by_command(self):
        told = self.lines("query", "--folder", self.folder["id"], "--outcome", "done", "--limit", "2")
        want = self.mesh.audit(folder=self.folder["id"], outcome="done", limit=2)
        self.assertEqual(told, list(reversed(want)))
        oldest = self.lines("query", "--user", self.alice.id, "--order", "oldest", "--limit", "1")
        self.assertEqual([r["action"] for r in oldest], ["user.create"])
        for asked in told:
            self.assertEqual(self.lines("query", "--sequence", str(asked["sequence"])), [asked])
        self.assertEqual(self.lines("query", "--sequence", str(10 ** 17)), [])
        table = self.audit("query", "--folder", self.folder["id"], "--since", "1d").stdout
        self.assertRegex(table, r"folder\.create +done +" + self.alice.id + " +folders/" + self.folder["id"])
        self.assertIn("No record", self.audit("query", "--device", new_id("dev_")).stdout)

    def test_every_action(self):
        """Those that the documentation has are taken, and no others."""
        for action in documented_actions():
            self.auditor.records(action=action, limit=1)
        done = run(MESHAUTH, "audit", "count", "-c", self.mesh.conf, "--by", "user", "--action", "logn", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn('there is no "logn"; "login" may be meant', done.stderr)

    def test_more_than_a_page(self):
        """The command asks for one page after the other."""
        for _ in range(1010):
            self.mesh.request("GET", "/v1/mesh/nothing")
        for _ in range(1010):
            self.mesh.audit(limit=1)
        told = self.lines("query", "--action", "audit.query", "--limit", "1005")
        self.assertEqual(len(told), 1005)
        self.assertEqual(len({r["sequence"] for r in told}), 1005)
        self.assertEqual(told, sorted(told, key=lambda r: r["sequence"]))


class Counts(AuditTest):
    def count(self, by, **filters):
        answer = self.auditor.ask(AUDIT + "/count", by=by, **filters)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_by_field_and_time(self):
        for _ in range(3):
            self.bob.create()
        until = max(r["time"] for r in self.mesh.audit())
        wait_until(lambda: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) > until[:19], "the next second")
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        every = self.mesh.audit(until=until)
        counts = self.count("action", until=until, limit=10000)
        want = {a: sum(r["action"] == a for r in every) for a in {r["action"] for r in every}}
        self.assertEqual({i["value"]: i["count"] for i in counts["items"]}, want)
        numbers = [i["count"] for i in counts["items"]]
        self.assertEqual(numbers, sorted(numbers, reverse=True))
        self.assertEqual((counts["kinds"], counts["total"]), (len(want), len(every)))
        for by, length in (("minute", 16), ("hour", 13), ("day", 10)):
            spans = {t: sum(r["time"].startswith(t) for r in every) for t in {r["time"][:length] for r in every}}
            counts = self.count(by, until=until)
            self.assertEqual([(i["value"][:length], i["count"]) for i in counts["items"]], sorted(spans.items()))
        few = self.count("action", until=until, limit=1)
        self.assertEqual((len(few["items"]), few["kinds"], few["total"]), (1, len(want), len(every)))
        self.assertEqual(self.count("user", folder=new_id("fld_")), {"items": [], "first": 0, "kinds": 0, "total": 0})

    def test_by_command(self):
        by_service = self.count("outcome", user=self.bob.id, action="folder.create")
        told = self.lines("count", "--by", "outcome", "--user", self.bob.id, "--action", "folder.create")
        self.assertEqual(told, [by_service])
        chart = self.audit("count", "--by", "action").stdout
        bars = [line for line in chart.splitlines() if line.endswith("#")]
        self.assertEqual(max(line.count("#") for line in bars), 40)
        self.assertTrue(all(len(line) <= 80 for line in bars), chart)
        self.assertRegex(chart, r"\d+ records fit\.")
        self.assertIn("--by", self.audit("count", code=2).stderr)


class Follow(AuditTest):
    def wait(self, after, sent=None, seconds=55, **filters):
        path = AUDIT + query(order="oldest", after=after, wait=seconds, **filters)
        headers = {"Authorization": f"Bearer {self.auditor.credential}"}
        answer = self.mesh.request("GET", path, None, headers, self.auditor.device, sent=sent)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_waits_for_the_next(self):
        after, start = self.auditor.last(), time.monotonic()
        page = self.wait(after, lambda: self.alice.create("news"), action="folder.create")
        self.assertEqual([r["actor"] for r in page["items"]], [self.alice.id])
        self.assertLess(time.monotonic() - start, 5 * SLOW)
        next_one = urllib.parse.parse_qs(urllib.parse.urlsplit(page["next"]).query)
        self.assertEqual(next_one, {"order": ["oldest"], "wait": ["55"], "action": ["folder.create"],
                                    "after": [str(page["items"][0]["sequence"])]})

    def test_waits_so_long(self):
        after, start = self.auditor.last(), time.monotonic()
        page = self.wait(after, seconds=1, action="restore")
        self.assertEqual(page["items"], [])
        self.assertIn(f"after={after}", page["next"])
        self.assertGreater(time.monotonic() - start, 0.9)

    def test_is_on_record_once(self):
        for _ in range(5):
            self.wait(0, seconds=2, limit=1, action="user.create")
        questions = [r for r in self.auditor.records(action="audit.query", limit=10000)
                     if "action=user.create" in r["resources"][0]]
        self.assertEqual(len(questions), 1)

    def test_what_lies_before_is_on_record(self):
        """Who follows has not asked for the past: that he reads it is another question."""
        last = self.auditor.last()
        for after in (last, last + 1, 0, 3, last):
            self.wait(after, seconds=1, limit=1, action="service.create", outcome="done")
        questions = [r["resources"][0] for r in self.auditor.records(action="audit.query", limit=10000)
                     if "action=service.create" in r["resources"][0]]
        self.assertEqual([re.search("after=([0-9]+)", q).group(1) for q in questions], ["0", str(last)])

    def test_is_on_record_before_it_is_known(self):
        """A question that was refused is on no record, so it is not known when it is asked again."""
        late = Person(self.mesh, "late")
        path = AUDIT + query(order="oldest", after=0, wait=1, limit=1)
        self.assertEqual(late.get(path).status, 403)
        Socket(self.mesh).call("PUT", f"roles/{late.id}/auditor")
        self.assertEqual(late.get(path).status, 200)
        self.assertEqual(len(self.auditor.records(action="audit.query", actor=late.id)), 1)

    def test_whoever_loses_the_role_waits_in_vain(self):
        leaving = Auditor(self.mesh, "leaving")
        path = AUDIT + query(order="oldest", after=self.auditor.last(), wait=55, action="folder.create")
        c = self.mesh.connection(leaving.device)
        answer = ask_later(c, path, {"Authorization": f"Bearer {leaving.credential}"})
        wait_until(lambda: self.auditor.records(action="audit.query", actor=leaving.id), "the question")
        Socket(self.mesh).call("DELETE", f"roles/{leaving.id}/auditor")
        self.alice.create("secret")
        self.assertEqual(answer().status, 403)
        c.close()

    def follow(self, *words, form=("--json",)):
        p = subprocess.Popen([MESHAUTH, "audit", "follow", "-c", self.conf, *form, *words], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"})
        self.addCleanup(p.wait)
        self.addCleanup(p.stderr.close)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.kill)
        return p

    def test_by_command(self):
        state = self.mesh.folder / "at"
        state.write_text(f"{self.auditor.last()}\n")
        p = self.follow("--action", "folder.create", "--state", state)
        made = []
        for i in range(3):
            made.append(self.bob.create(f"followed {i}")["url"])
            self.assertEqual(json.loads(p.stdout.readline())["resources"], [made[-1]])
        wait_until(lambda: state.read_text() == f"{self.mesh.audit(action='folder.create')[0]['sequence']}\n",
                   "the place")
        p.send_signal(signal.SIGTERM)
        p.wait(PATIENCE_S)
        missed = self.bob.create("meanwhile")["url"]
        p = self.follow("--action", "folder.create", "--state", state)
        self.assertEqual(json.loads(p.stdout.readline())["resources"], [missed])

    def test_ended_before_anything_came(self):
        state = self.mesh.folder / "fresh"
        p = self.follow("--action", "folder.create", "--state", state)
        wait_until(state.exists, "the place to begin at")
        p.send_signal(signal.SIGTERM)
        p.wait(PATIENCE_S)
        missed = self.bob.create("meanwhile")["url"]
        p = self.follow("--action", "folder.create", "--state", state)
        self.assertEqual(json.loads(p.stdout.readline())["resources"], [missed])

    def test_columns(self):
        """Each line comes alone, and still stands below the one before it."""
        after = self.auditor.last()
        folder = self.bob.create("wide")
        self.bob.delete(folder["url"])
        p = self.follow("--user", self.bob.id, "--after", str(after), form=())
        lines = []
        while not any("folder.delete" in line for line in lines):
            lines.append(p.stdout.readline())
        self.assertGreater(len(lines), 1)
        self.assertEqual(len({line.index(self.bob.id) for line in lines}), 1, lines)

    def test_through_a_restart(self):
        p = self.follow("--action", "folder.create", "--after", str(self.auditor.last()))
        first = self.bob.create("before")["url"]
        self.assertEqual(json.loads(p.stdout.readline())["resources"], [first])
        self.mesh.stop()
        self.mesh.start()
        second = self.bob.create("after")["url"]
        self.assertEqual(json.loads(p.stdout.readline())["resources"], [second])


class Folder(AuditTest):
    """Who had which right in a folder: the records tell the same as the graph did."""

    def live(self, owner, folder):
        members = {m["user"].rsplit("/", 1)[1]: m["role"] for m in owner.items(folder["links"]["members"])}
        devices = {m["device"].rsplit("/", 1)[1] for m in owner.items(folder["links"]["mappings"])}
        return members, devices

    def told(self, answer):
        return ({m["user"]: m["role"] for m in answer["members"]}, {d["device"] for d in answer["devices"]})

    def moment(self):
        """A time behind what has been, and before what follows."""
        next_s = int(time.time()) + 1
        wait_until(lambda: time.time() >= next_s + 0.01, "the next second")
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(next_s))

    def step(self, dice, folder, people, devices):
        """Something that somebody may or may not do."""
        who, other = dice.choice(people), dice.choice(people)
        device = dice.choice(devices[who.name]) if devices[who.name] else None
        member = f"{folder['url']}/members/{other.id}"
        kind = dice.choice(["join", "join", "role", "pass", "remove", "leave", "map", "map", "unmap", "release"])
        if kind == "join":
            answer = who.call("POST", folder["links"]["invitations"], {"role": dice.choice(["reader", "contributor"])})
            if answer.status == 201:
                self.mesh.secrets.add(answer.json["secret"])
                other.accept(answer.json)
        elif kind in ("role", "pass"):
            role = "owner" if kind == "pass" else dice.choice(["reader", "contributor"])
            who.call("PATCH", member, {"role": role}, "*")
        elif kind == "remove":
            who.call("DELETE", member, if_match="*")
        elif kind == "leave":
            who.call("DELETE", f"{folder['url']}/members/{who.id}", if_match="*")
        elif device and kind == "map":
            who.map(folder, device)
        elif device and kind == "unmap":
            who.call("DELETE", f"{folder['links']['mappings']}/{device['id']}", if_match="*")
        elif device and kind == "release" and dice.random() < 0.3:
            who.call("DELETE", device["url"], if_match="*")
            who.login()
            devices[who.name] = [who.claim().json]

    def test_as_the_graph_was(self):
        people = [self.alice, self.bob, self.carol]
        devices = {p.name: [p.claim().json] for p in people}
        folder, seed = self.alice.create(), int(os.environ.get("SEED", random.randrange(1 << 30)))
        dice, moments = random.Random(seed), []
        with self.subTest(seed=seed):
            for i in range(120):
                self.step(dice, folder, people, devices)
                members = self.told(self.auditor.who(folder))[0]
                owner = next(p for p in people if members.get(p.id) == "owner")
                live = self.live(owner, folder)
                self.assertEqual(self.told(self.auditor.who(folder)), live, f"step {i}")
                if i % 40 == 20:
                    moments.append((self.moment(), live))
            owner.delete(folder["url"])
            for when, live in moments:
                self.assertEqual(self.told(self.auditor.who(folder, at=when)), live, when)
            now = self.auditor.who(folder)
            self.assertEqual((now["exists"], now["complete"], now["members"], now["devices"]), (False, True, [], []))

    def test_by_which_record(self):
        folder, device = self.alice.create(), self.bob.claim().json
        self.alice.join(folder, self.bob, "contributor")
        self.bob.map(folder, device)
        told = self.auditor.who(folder)
        self.assertNotIn("rules_changed", told)
        records = {r["sequence"]: r for r in self.mesh.audit(folder=folder["id"])}
        for row, action in ((told["members"][0], "folder.create"), (told["members"][1], "invitation.accept"),
                            (told["devices"][0], "mapping.add")):
            record = records[row["sequence"]]
            self.assertEqual((record["action"], record["actor"], record["time"]), (action, row["by"], row["since"]))
        self.assertEqual([m["rights"] for m in told["members"]],
                         [["control", "delete", "read", "subscribe", "write"], ["delete", "read", "subscribe", "write"]])
        self.assertEqual(told["devices"][0]["user"], self.bob.id)

    def test_admins_end_things(self):
        dave = Person(self.mesh, "dave")
        folder, device = dave.create(), dave.claim().json
        dave.map(folder, device)
        dave.join(folder, self.bob)
        run(MESHAUTH, "revoke", f"{device['id']}+{folder['id']}", "-c", self.conf)
        self.assertEqual(self.told(self.auditor.who(folder)), ({dave.id: "owner", self.bob.id: "reader"}, set()))
        dave.map(folder, device)
        run(MESHAUTH, "revoke", f"{folder['id']}+{self.bob.id}", "-c", self.conf)
        self.assertEqual(self.told(self.auditor.who(folder)), ({dave.id: "owner"}, {device["id"]}))
        run(MESHAUTH, "revoke", device["id"], "-c", self.conf)
        self.assertEqual(self.told(self.auditor.who(folder)), ({dave.id: "owner"}, set()))
        when = self.moment()
        Socket(self.mesh).call("DELETE", f"users/{dave.id}", if_match="*")
        self.assertFalse(self.auditor.who(folder)["exists"])
        self.assertEqual(self.told(self.auditor.who(folder, at=when))[0], {dave.id: "owner"})

    def test_by_command(self):
        folder = self.alice.create()
        self.alice.join(folder, self.bob)
        self.assertEqual(self.lines("who", folder["id"])[0]["members"], self.auditor.who(folder)["members"])
        table = self.audit("who", folder["id"]).stdout
        self.assertRegex(table, f"{self.bob.id} +reader +read subscribe +")
        self.assertIn("no such folder", self.audit("who", folder["id"], "--at", "1d", code=1).stdout)
        self.assertIn("no such folder", self.audit("who", new_id("fld_"), code=1).stdout)
        self.assertIn("fld_", self.audit("who", "trip", code=2).stderr)
        self.assertIn("--at", self.audit("who", folder["id"], "--at", "then", code=2).stderr)

    def test_other_rules(self):
        """What a role was good for is told by the rules of then, or not at all."""
        folder, when = self.alice.create(), self.moment()
        rules = self.mesh.dir / "mesh.rules"
        rules.write_text(rules.read_text().replace("can(owner, delete).", ""))
        self.mesh.signal(signal.SIGHUP)
        wait_until(lambda: self.mesh.audit(action="rules.load", since=when), "the record of other rules")
        self.auditor.login()  # other rules end all tickets
        wait_until(lambda: self.auditor.who(folder)["members"][0]["rights"] == ["control", "read", "subscribe", "write"],
                   "the other rules")
        then = self.auditor.who(folder, at=when)
        self.assertNotIn("rights", then["members"][0])
        self.assertEqual(then["rules_changed"], self.mesh.audit(action="rules.load")[0]["time"])
        self.assertIn("Other rules", self.audit("who", folder["id"], "--at", when).stdout)


class Configuration(AuditTest):
    def test_each_change_of_the_file(self):
        def loads():
            return [r["resources"] for r in self.lines("query", "--action", "config.load")]

        def state():
            return [str(self.conf), "sha256:" + hashlib.sha256(self.conf.read_bytes()).hexdigest()]

        first = state()
        self.assertEqual(loads(), [first])
        self.mesh.stop()
        self.mesh.start()
        self.assertEqual(loads(), [first])
        with open(self.conf, "a", encoding="utf-8") as f:
            f.write("# changed\n")
        self.mesh.stop()
        self.mesh.start()
        self.assertEqual(loads(), [first, state()])


class Stopped(AuditTest):
    """The store tells the same when no service has it."""

    def test_the_same(self):
        folder = self.alice.create()
        self.alice.join(folder, self.bob)
        ask = (("query", "--folder", folder["id"], "--outcome", "done"), ("count", "--by", "action", "--user", self.bob.id, "--outcome", "done"),
               ("who", folder["id"]))
        served = [self.lines(*words) for words in ask]
        self.mesh.stop()
        stored = [self.lines(*words) for words in ask]
        for answer in (*served, *stored):
            answer[-1].pop("at", None)
        self.assertEqual(stored, served)
        questions = [r["resources"] for r in self.lines("query", "--action", "audit.query", "--client", "local")]
        self.assertIn([f"folder={folder['id']}"], questions)
        self.assertIn("meshauthd does not run", self.audit("follow", code=3).stderr)


if __name__ == "__main__":
    main()
