#!/usr/bin/env python3
"""What the commands on the mesh send, and what they make of services that are not as they
must be."""
import contextlib
import http.server
import json
import secrets
import ssl
import threading

from commands import DEV, FLD, INV, USR, User
from harness import MeshTest, main


class Foreign(MeshTest):
    """In meshauthd's place, with its name and certificate, something else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = User(cls.mesh, "alice", "PC")
        cls.mesh.stop()
        cls.requests, cls.answers = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                cls.requests.append((self.command, self.path, dict(self.headers.items()), body.decode()))
                status, said = cls.answers.pop(0) if len(cls.answers) > 1 else cls.answers[0]
                said = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(said)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

            def log_message(self, *args):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.mesh.ca, cls.mesh.dir / "tls.key")
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", cls.mesh.port), Handler)
        cls.server.daemon_threads = True
        cls.server.socket = context.wrap_socket(cls.server.socket, server_side=True)
        thread = threading.Thread(target=cls.server.serve_forever)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)

    def asked(self, code, *words, answers, data=None):
        """The finished command, and what it has sent."""
        cls = type(self)
        cls.requests, cls.answers = [], list(answers)
        done = self.alice.says(code, *words, data=data)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertNotIn("‮", done.stdout + done.stderr)
        return done, list(cls.requests)

    def test_what_is_sent(self):
        url = f"folders/{FLD}/members/{USR}"
        node = {"id": USR, "version": 7, "role": "reader"}
        _, sent = self.asked(0, "folder", "role", FLD, USR, "contributor", answers=[(200, node)])
        self.assertEqual([(m, p, b) for m, p, _, b in sent],
                         [("GET", "/v1/mesh/" + url, ""), ("PATCH", "/v1/mesh/" + url, '{"role":"contributor"}')])
        self.assertEqual(sent[1][2]["If-Match"], '"7"')
        self.assertEqual(sent[1][2]["Content-Type"], "application/merge-patch+json")
        self.assertTrue(all(h["Authorization"].startswith("Bearer ") for _, _, h, _ in sent))
        _, sent = self.asked(0, "folder", "delete", FLD, answers=[(200, node), (204, b"")])
        self.assertEqual([(m, p, b) for m, p, _, b in sent],
                         [("GET", f"/v1/mesh/folders/{FLD}", ""), ("DELETE", f"/v1/mesh/folders/{FLD}", "")])
        self.assertEqual(sent[1][2]["If-Match"], '"7"')
        _, sent = self.asked(0, "folder", "map", FLD, DEV, answers=[(201, {})])
        self.assertEqual([(m, p) for m, p, _, _ in sent], [("PUT", f"/v1/mesh/folders/{FLD}/mappings/{DEV}")])
        self.assertNotIn("If-Match", sent[0][2])

    def test_a_secret_goes_into_the_body_alone(self):
        secret = secrets.token_urlsafe(32)
        link = f"{self.mesh.url}/v1/mesh/invitations/{INV}#{secret}"
        for verb, paths in (("show", ["view"]), ("accept", ["view", "accept"]), ("decline", ["decline"])):
            for words, data in (((link,), None), (("-",), link)):
                done, sent = self.asked(0, "invitation", verb, *words, data=data, answers=[(200, {})])
                self.assertEqual([(method, target) for method, target, _, _ in sent],
                                 [("POST", f"/v1/mesh/invitations/{INV}/{path}") for path in paths])
                for _, target, headers, body in sent:
                    self.assertEqual(body, json.dumps({"secret": secret}, separators=(",", ":")))
                    self.assertNotIn(secret, target + str(headers))
                    # Who may look and decline is whoever has the secret; a ticket is not their business.
                    self.assertEqual("Authorization" in headers, target.endswith("/accept"))
                self.assertNotIn(secret, done.stdout + done.stderr)
            done, _ = self.asked(1, "invitation", verb, link, answers=[(404, {})])
            self.assertNotIn(secret, done.stderr)
        _, sent = self.asked(0, "invitation", "accept", "--json", link, answers=[(200, {})])
        self.assertEqual([target.rsplit("/", 1)[1] for _, target, _, _ in sent], ["accept"])

    def test_changed_meanwhile(self):
        stale = (412, {"type": "urn:meshauth:problem:version", "title": "It has changed since; read it again.",
                       "status": 412, "request_id": "r"})
        answers = [(200, {"version": 1}), stale, (200, {"version": 2}), (200, {"version": 3})]
        _, sent = self.asked(0, "folder", "rename", FLD, "x", answers=answers)
        self.assertEqual([(m, h.get("If-Match")) for m, _, h, _ in sent],
                         [("GET", None), ("PATCH", '"1"'), ("GET", None), ("PATCH", '"2"')])
        done, sent = self.asked(1, "folder", "rename", FLD, "x",
                                answers=[(200, {"version": 1}), stale, (200, {"version": 2}), stale])
        self.assertEqual(len(sent), 4)
        self.assertIn("It has changed since; read it again. Others change it, too; try again.", done.stderr)
        self.assertEqual(done.stdout, "")
        done, sent = self.asked(1, "device", "release", DEV, answers=[(200, {"key": "0"}), (200, {"version": 1}), stale])
        self.assertEqual(len(sent), 4)  # the last answer goes on: it cannot be read again
        self.assertEqual(done.stdout, "")

    def test_the_ticket_goes_nowhere_else(self):
        evil = "https://127.0.0.1:1"
        for link in (f"{evil}/x", f"{self.mesh.url}0/x", f"{self.mesh.url}@evil.example/x", f"{self.mesh.url}.evil/x",
                     f"http://127.0.0.1:{self.mesh.port}/x"):
            done, sent = self.asked(3, "folder", "list", answers=[(200, {"items": [], "next": link})])
            self.assertEqual(len(sent), 1)
            self.assertIn("a place that is not its own", done.stderr)
            done, sent = self.asked(3, "folder", "show", FLD, answers=[(200, {"links": {"members": link}})])
            self.assertEqual(len(sent), 1)
        moved = self.asked(1, "folder", "list", answers=[(307, b"")])
        self.assertEqual(len(moved[1]), 1)
        self.assertIn("status 307", moved[0].stderr)

    def test_what_controls_a_terminal_is_escaped(self):
        bad = "a\x1b[2J\x07\n‮b"
        node = {k: bad for k in ("id", "name", "role", "key", "user", "created", "updated", "url", "folder", "device",
                                 "folder_name", "inviter", "state", "expires", "link", "secret", "type")}
        node.update({"version": 1, "for": {"email": bad, "issuer": bad}, "links": {}})
        page = [(200, {"items": [node]})]
        for words in (("device", "list"), ("folder", "list"), ("folder", "members", FLD), ("invitation", "list", FLD)):
            done, _ = self.asked(0, *words, answers=page)
            self.assertIn("a\\x1b[2J\\x07\\x0a\\xe2\\x80\\xaeb", done.stdout)
        link = f"{self.mesh.url}/v1/mesh/invitations/{INV}#{secrets.token_urlsafe(32)}"
        for words in (("device", "show", DEV), ("folder", "invite", FLD), ("invitation", "show", link),
                      ("invitation", "accept", link), ("invitation", "decline", link),
                      ("folder", "role", FLD, USR, "reader"), ("folder", "create", "x")):
            done, _ = self.asked(0, *words, answers=[(200, node)])
            self.assertIn("\\x1b[2J", done.stdout)
        root = {"name": bad, "id": bad, "links": {"members": f"{self.mesh.url}/m", "mappings": f"{self.mesh.url}/n"}}
        done, _ = self.asked(0, "folder", "show", FLD, answers=[(200, root), *page])
        self.assertEqual(done.stdout.count("\\x1b[2J"), 5)  # name, id, member, role, device
        problem = {"type": "urn:meshauth:problem:" + bad, "title": bad, "detail": bad, "request_id": bad}
        done, _ = self.asked(1, "folder", "list", answers=[(400, problem)])
        self.assertEqual(done.stderr.count("\\x1b[2J"), 4)
        self.asked(1, "folder", "show", "Trip", answers=[(200, {"items": []})])
        two = [{"id": bad, "name": "Trip", "role": bad}] * 2
        done, _ = self.asked(1, "folder", "show", "Trip", answers=[(200, {"items": two})])
        self.assertEqual(done.stderr.count("\\x1b[2J"), 4)

    def test_answers_of_no_form(self):
        for code, status, said, says in (
                (3, 200, b"", "is no list"), (3, 200, b"\x1b[2J", "no object"), (3, 200, b"[]", "no object"),
                (3, 200, {"items": 1}, "is no list"), (3, 200, b'{"items":[],"items":[]}', "no object"),
                (3, 200, b"[" * 100000, "no object"), (3, 200, b" " * (2 << 20), "longer answer"),
                (1, 404, b"<html>nothing</html>", "status 404 and no reason"), (1, 400, {"title": 7}, "status 400"),
                (3, 500, b"", "status 500"), (3, 502, {}, "status 502"), (3, 429, {}, "status 429"),
                (3, 503, {"type": "urn:meshauth:problem:unavailable", "title": "Later.", "request_id": "r7"},
                 "Later. (unavailable, request r7)"),
                (1, 400, {"type": "urn:meshauth:problem:body", "title": "Not so.", "detail": "'x' is unknown"},
                 "Not so. 'x' is unknown (body)"),
                (1, 400, {"type": "urn:meshauth:problem:" + "x" * 5000, "title": "y" * 5000}, "y" * 300 + " (" + "x" * 64)):
            done, _ = self.asked(code, "folder", "list", answers=[(status, said)])
            self.assertIn(says, done.stderr)
            self.assertEqual(done.stdout, "")
        # An id of the service's becomes part of no URL before it is looked at.
        done, sent = self.asked(3, "folder", "delete", "Trip", answers=[(200, {"items": [{"name": "Trip", "id": "../x"}]})])
        self.assertEqual(len(sent), 1)
        self.assertIn("names no id", done.stderr)


if __name__ == "__main__":
    main()
