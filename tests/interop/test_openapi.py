#!/usr/bin/env python3
"""authsvc/openapi.json: is it good OpenAPI, is it what is served, is it what there is, and
would the end-to-end tests notice if it were not?"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from harness import CONTRACT, ROOT, Answer, Contract, MeshTest, main, run  # noqa: E402

FILE = ROOT / "authsvc" / "openapi.json"
LINT = HERE / "lint-description.mjs"
EXAMPLES = {"user": "usr_0k3m9vq2x7f4h8n1c5r6t0wyzd", "device": "dev_2h8x4c7n1v5q9w3e6r0tyzpmka",
            "folder": "fld_3z7m1k5d9q2x6v0c4n8hrtw1pb", "invitation": "inv_4d9q1x5v8c2n6m0k3z7hrtwpya",
            "service": "storage", "principal": "storage", "role": "auditor",
            "session": "ses_4w8r0t5v1x6z3k7m2p9q0n4h8c", "ticket": "_0f8a3c5e7d9b1f2a4c6e8d0b2f4a6c8e",
            "key": "6f0c9e51d2a84b37", "level": "0", "tile": "000", "width": "3"}


class Description(MeshTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.description = json.loads(FILE.read_text())

    def test_it_is_valid(self):
        """By two judges; neither may be asleep."""
        self.assertEqual(run("node", LINT, timeout=60).stdout, "")
        for spoil in (lambda d: d["paths"]["/healthz"]["get"].pop("responses"),
                      lambda d: d["components"]["schemas"]["Folder"]["examples"][0].pop("id"),
                      lambda d: d["paths"]["/v1/mesh/folders"]["post"].update(operationId="health")):
            other = json.loads(FILE.read_text())
            spoil(other)
            file = self.mesh.folder / "spoilt.json"
            file.write_text(json.dumps(other))
            self.assertNotEqual(run("node", LINT, file, timeout=60).stdout, "")

    def test_it_is_served(self):
        answer = self.mesh.request("GET", "/v1/openapi.json")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(answer.body, FILE.read_bytes())

    def test_it_names_every_method(self):
        """The service says at each path which methods it has."""
        for path, item in self.description["paths"].items():
            with self.subTest(path):
                concrete = re.sub(r"\{(\w+)\}", lambda m: EXAMPLES[m.group(1)], path)
                answer = self.mesh.request("OPTIONS", concrete)
                self.assert_problem(answer, 405, "method")
                self.assertEqual(sorted(answer.headers["Allow"].split(", ")), sorted([m.upper() for m in item] + ["HEAD"] * ("get" in item)))


class Checker(MeshTest):
    """contract.mjs sees what is wrong, and nothing else."""

    def held(self, method, path, answer, body=None, headers=None, certificate=True):
        contract = Contract()
        contract.hold(method, path, body, headers, certificate, answer)
        odd = contract.verdict()
        contract.stop()
        return odd

    def changed(self, answer, status=None, body=None, drop=None, **headers):
        kept = {k: v for k, v in answer.headers.items() if k.lower() != drop}
        kept.update({k.replace("_", "-"): v for k, v in headers.items()})
        return Answer(status or answer.status, kept, answer.body if body is None else body)

    def test_what_it_sees(self):
        login = self.mesh.login("alice", self.device).json
        ticket = {"Authorization": f"Bearer {login['access_token']}"}
        root = login["mesh"].removeprefix(self.mesh.url)
        read = self.mesh.request("GET", root, headers=ticket, device=self.device)
        named = {**ticket, "Content-Type": "application/json"}
        make = self.mesh.request("POST", "/v1/mesh/folders", '{"name":"Trip"}', named, self.device)
        node = make.json
        lost = self.mesh.request("GET", "/nowhere")
        self.assertEqual((read.status, make.status, lost.status), (200, 201, 404))

        def reading(answer, path=root, headers=ticket, certificate=True):
            return self.held("GET", path, answer, None, headers, certificate)

        def making(body, answer=make, headers=named):
            return self.held("POST", "/v1/mesh/folders", answer, body, headers)

        def bytes_of(**change):
            return json.dumps({k: v for k, v in {**node, **change}.items() if v is not None}).encode()

        for name, odd in (
            ("all is well", reading(read)),
            ("all is well, too", making('{"name":"Trip","contributors_invite":true}')),
            ("a path that is none", self.held("GET", "/nowhere", lost)),
        ):
            with self.subTest(name):
                self.assertEqual(odd, [])

        for name, odd, said in (
            ("status", reading(self.changed(read, 418)), "the status is not described"),
            ("method", self.held("PUT", root, self.changed(read)), "the path or its method is not described"),
            ("path", self.held("GET", "/nowhere", read), "the path or its method is not described"),
            ("missing header", reading(self.changed(read, drop="etag")), "header ETag is missing"),
            ("bad header", reading(self.changed(read, drop="etag", ETag="3")), "ETag: must match pattern"),
            ("new header", reading(self.changed(read, Set_Cookie="x=1")), "header set-cookie is not described"),
            ("content type", reading(self.changed(read, drop="content-type", Content_Type="text/html")), "content type"),
            ("no JSON", reading(self.changed(read, body=b"{")), "answer: "),
            ("body of an empty answer", reading(self.changed(read, 304)), "a body is not described"),
            ("missing member", making('{"name":"Trip"}', self.changed(make, body=bytes_of(role=None))),
             "answer: must have required property 'role'"),
            ("new member", making('{"name":"Trip"}', self.changed(make, body=bytes_of(colour="red"))),
             "answer: must NOT have additional properties colour"),
            ("other type", making('{"name":"Trip"}', self.changed(make, body=bytes_of(version="1"))),
             "answer/version: must be integer"),
            ("foreign id", making('{"name":"Trip"}', self.changed(make, body=bytes_of(id=EXAMPLES["user"]))),
             "answer/id: must match pattern"),
            ("problem of another status", self.held("GET", "/nowhere", self.changed(lost, body=lost.body.replace(b"404", b"403"))),
             "answer/status: must be equal to constant"),
            ("member that is not described", making('{"name":"Trip","colour":"red"}'),
             "request: must NOT have additional properties colour"),
            ("member of another type", making('{"name":3}'), "request/name: must be string"),
            ("no body", making(None), "request: content type"[:9]),
            ("body of another type", making('{"name":"Trip"}', headers={**named, "Content-Type": "text/plain"}),
             'request: content type "text/plain" is not described'),
            ("query", reading(read, root + "?after=1"), 'request: query "after" is not described'),
            ("no ticket", reading(read, headers={}), "request: it proves nothing"),
            ("no proof", reading(read, certificate=False), "request: it proves nothing"),
            ("id in the path", self.held("GET", root[:-1] + "!", read, None, ticket), "request: user: must match pattern"),
        ):
            with self.subTest(name):
                self.assertTrue(any(said in line for line in odd), odd)

    def test_a_class_fails(self):
        """With what was said, at the end of its mesh."""
        script = ("import sys; sys.path.insert(0, sys.argv[1]); import harness\n"
                  "mesh = harness.Mesh()\n"
                  "answer = mesh.request('GET', '/healthz')\n"
                  "harness.contract.hold('GET', '/healthz', None, {}, False, harness.Answer(418, answer.headers, b''))\n"
                  "mesh.close()\n")
        done = subprocess.run([sys.executable, "-B", "-c", script, ROOT / "tests" / "e2e"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("GET /healthz 418: the status is not described", done.stderr)


if __name__ == "__main__":
    main()
