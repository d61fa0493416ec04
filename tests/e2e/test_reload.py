"""Other rules, by SIGHUP and at start: what they end, and that bad ones change nothing."""
import signal
import subprocess

import harness
from people import Person, revoked

CREATE = "allow create       if caller(U), account(U).\n"
BAD = {
    "no rule": ("allow\n", "line 2, column 1"),
    "unknown fact": ("allow create if nobody(U).\n", "line 1, column 17"),
}


class Reload(harness.MeshTest):
    def setUp(self):
        self.file = self.mesh.dir / "mesh.rules"
        self.rules = self.file.read_text()
        self.addCleanup(self.file.write_text, self.rules)
        self.assertIn(CREATE, self.rules)
        self.alice = Person(self.mesh, "alice")

    def signal(self, says):
        """The line of log that tells what came of a SIGHUP, and of no earlier one."""
        def told():
            return [line for line in self.mesh.log()[before:] if says in line.get("message", "")]

        before = len(self.mesh.log())
        self.mesh.signal(signal.SIGHUP)
        return harness.wait_until(told, f"the log to say: {says}")[0]

    def reload(self, rules, says):
        self.file.write_text(rules)
        return self.signal(says)

    def warnings(self):
        return self.mesh.readyz()[1]["warnings"]

    def since(self):
        """The number below which every ticket is dead; 0 if none is."""
        return revoked(self.mesh).get(("*",), 0)

    def verdict(self):
        code, said = self.mesh.verify(self.alice.ticket, self.alice.device)
        return said.get("reason") if code else "accept"

    def records(self):
        return self.mesh.audit(action="rules.load")

    def assert_other_rules(self, before, records):
        """Each ticket from before is dead, within a second; one of now lives."""
        harness.wait_until(lambda: self.since() > before, "revoke N *", harness.PROMPT_S)
        self.assertEqual(self.verdict(), "revoked")
        self.assertEqual(self.alice.get(self.alice.root).status, 401)
        self.alice.login()
        self.assertEqual(self.verdict(), "accept")
        self.assertEqual(len(self.records()), records + 1)
        self.assertEqual(self.records()[0]["actor"], "meshauthd")

    def test_who_may_need_not_know(self):
        """Knowing tells 403 from 404; it takes a walk that may be cut short, and then removes nobody's right."""
        know = "allow know(R)      if caller(U), user(R, V), member(V, F, _), member(U, F, _).\n"
        self.assertIn(know, self.rules)
        self.reload(self.rules.replace(know, ""), "other rules are in force")
        self.alice.login()
        folder, bob = self.alice.create(), Person(self.mesh, "bob")
        member = self.alice.join(folder, bob)
        alice = f"{folder['links']['members']}/{self.alice.id}"
        self.assert_problem(bob.call("DELETE", alice, if_match="*"), 404, "not-found")
        self.assertEqual(self.alice.delete(member["url"]).status, 204)
        self.reload(self.rules, "other rules are in force")

    def test_a_role_that_only_the_file_knows(self):
        """An editor reads and renames a folder: without a line of C."""
        folder, bob = self.alice.create(), Person(self.mesh, "bob")
        member = self.alice.join(folder, bob)
        url = folder["links"]["invitations"]
        for answer in (self.alice.call("POST", url, {"role": "editor"}), self.alice.change(member["url"], {"role": "editor"})):
            self.assert_problem(answer, 403, "forbidden")
        self.reload(self.rules + "can(editor, read).\ncan(editor, control).\nmay_give(owner, editor).\n",
                    "other rules are in force")
        self.alice.login()
        bob.login()
        self.assertEqual(self.alice.change(member["url"], {"role": "editor"}).json["role"], "editor")
        self.assertEqual(bob.change(folder["url"], {"name": "Journey"}).json["role"], "editor")
        invited = self.alice.invite(folder, "editor")
        self.assertEqual(self.alice.node(invited["url"])["role"], "editor")
        carol = Person(self.mesh, "carol")
        self.assertEqual(carol.accept(invited).json["role"], "editor")

        # Without it the role is a name that opens nothing.
        self.reload(self.rules, "other rules are in force")
        bob.login()
        self.assert_problem(bob.get(folder["url"]), 403, "forbidden")

    def test_sighup(self):
        before, records = self.since(), len(self.records())
        self.alice.create()
        self.assertEqual(self.verdict(), "accept")
        self.reload(self.rules.replace(CREATE, ""), "other rules are in force")
        self.assert_other_rules(before, records)
        self.assert_problem(self.alice.call("POST", "folders", {"name": "x"}), 403, "forbidden")
        before = self.since()
        self.reload(self.rules, "other rules are in force")
        self.assert_other_rules(before, records + 1)
        self.alice.create()

    def test_the_same_rules_end_nothing(self):
        before, records = self.since(), len(self.records())
        sequence = self.sequence()
        self.reload(self.rules, "the rules are as they were")
        harness.wait_until(lambda: self.sequence() > sequence, "a newer trust file")
        self.assertEqual((self.since(), len(self.records()), self.verdict()), (before, records, "accept"))

    def sequence(self):
        return int(next(line.split(" ")[1] for line in self.mesh.trust.read_text().splitlines()
                        if line.startswith("sequence ")))

    def test_bad_ones_at_sighup(self):
        before, records = self.since(), len(self.records())
        for name, (text, where) in BAD.items():
            with self.subTest(name):
                sequence = self.sequence()
                line = self.reload(text, "the rules stay as they were")
                self.assertIn(f"mesh.rules: {where}", line["message"])
                self.assertIn(where, "\n".join(self.warnings()))  # a start would fail
                harness.wait_until(lambda: self.sequence() > sequence, "a newer trust file")
                self.assertEqual((self.since(), len(self.records()), self.verdict()), (before, records, "accept"))
                self.alice.create()
        self.file.unlink()
        self.assertIn("No such file", self.signal("the rules stay as they were")["message"])
        self.alice.create()
        self.reload(self.rules, "the rules are as they were")
        self.assertEqual(self.warnings(), [])

    def test_bad_ones_at_start(self):
        before, records = self.since(), len(self.records())
        self.mesh.stop()
        for name, (text, where) in BAD.items():
            with self.subTest(name):
                self.file.write_text(text)
                done = subprocess.run([harness.MESHAUTHD, "-c", self.mesh.conf], stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, timeout=harness.PATIENCE_S)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(f"mesh.rules: {where}", done.stderr)
        self.file.write_text(self.rules)
        self.mesh.start()
        self.assertEqual((self.since(), len(self.records()), self.verdict()), (before, records, "accept"))

    def test_others_at_start(self):
        before, records = self.since(), len(self.records())
        self.mesh.stop()
        self.file.write_text(self.rules.replace(CREATE, ""))
        self.mesh.start()
        self.assert_other_rules(before, records)
        self.assert_problem(self.alice.call("POST", "folders", {"name": "x"}), 403, "forbidden")
        self.reload(self.rules, "other rules are in force")


if __name__ == "__main__":
    harness.main()
