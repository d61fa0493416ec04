#!/usr/bin/env python3
"""Requests that two parsers could read differently, and clients that take their time:
raw bytes over TLS, an answer of 400 and the end of the connection, nothing of what
follows executed."""
import itertools
import os
import re
import socket
import ssl
import time

from harness import FORM, SLOW, MeshTest, main, read_all, wait_until

REQUEST_S = 2
IDLE_S = 3
SLACK_S = 5 * SLOW


def head(line, *fields):
    return "\r\n".join([line, *fields, "", ""])


class Gate(MeshTest):
    settings = {"limits": {"threads": 2, "request_s": 10}}

    marks = itertools.count()

    @property
    def host(self):
        return f"Host: 127.0.0.1:{self.mesh.port}"

    def send(self, data):
        """Writes it, then what must not be read as a request; all that comes back."""
        self.mark = f"/smuggled-{next(self.marks)}"
        data = data if isinstance(data, bytes) else data.encode("latin-1")
        data += head(f"GET {self.mark} HTTP/1.1", self.host).encode()
        with self.mesh.raw() as s:
            try:
                s.sendall(data)
            except OSError:
                pass  # refused before it was all said
            return read_all(s, 5 * SLOW)

    def executed(self):
        """Was the request behind it?"""
        return f'"{self.mark}"' in self.mesh.log_text()

    def refused(self, data, reason=None, status="400"):
        """Refused, by us for this reason, or by the library: it says it twice, as its
        answer's body."""
        said, closed = self.send(data)
        self.assertTrue(closed, said)
        self.assertRegex(said, f"^HTTP/1.1 {status} ".encode())
        self.assertLessEqual(len(set(re.findall(rb"HTTP/1\.[01] \d+", said))), 1, said)
        self.assertFalse(self.executed())
        if reason:
            self.assertIn(f"urn:meshauth:problem:{reason}".encode(), said)

    def post(self, *fields, body=""):
        return head("POST /v1/token HTTP/1.1", self.host, f"Content-Type: {FORM}", *fields) + body

    def get(self, *fields, target="/healthz", version="HTTP/1.1"):
        return head(f"GET {target} {version}", self.host, *fields)

    def test_a_good_one_is_answered_and_so_is_the_next(self):
        said, _ = self.send(self.get())
        self.assertRegex(said, b"^HTTP/1.1 200 ")
        self.assertEqual(len(re.findall(rb"HTTP/1\.1 \d", said)), 2)
        self.assertTrue(self.executed())

    # The rows of what the library below lets through.

    def test_length_and_coding(self):
        smuggled = head("GET /x HTTP/1.1", self.host)
        for body in ("0\r\n\r\n", f"0\r\n\r\n{smuggled}", "5\r\nhello\r\n0\r\n\r\n"):
            self.refused(self.post(f"Content-Length: {len(body)}", "Transfer-Encoding: chunked", body=body), "length")
            self.refused(self.post("Transfer-Encoding: chunked", f"Content-Length: {len(body)}", body=body), "length")

    def test_two_lengths(self):
        smuggled = head("GET /x HTTP/1.1", self.host)
        for first, second in ((0, len(smuggled)), (len(smuggled), 0), (0, 0), (3, 3)):
            with self.subTest(f"{first} and {second}"):
                self.refused(self.post(f"Content-Length: {first}", f"Content-Length: {second}", body=smuggled),
                             "header-repeated")
        self.refused(self.get("Content-Length: 0", f"content-length: {len(smuggled)}") + smuggled)

    def test_codings(self):
        for coding in ("gzip, chunked", "chunked, gzip", "xchunked", "chunkedx", "identity", "gzip", "chunked, chunked",
                       '"chunked"', "chunked;x=1", ""):
            with self.subTest(coding):
                self.refused(self.post(f"Transfer-Encoding: {coding}", body="0\r\n\r\n"))

    def test_two_codings(self):
        self.refused(self.post("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body="0\r\n\r\n"))
        self.refused(self.post("Transfer-Encoding: identity", "Transfer-Encoding: chunked", body="0\r\n\r\n"))

    def test_a_space_before_the_colon(self):
        for field in ("Transfer-Encoding : chunked", "Content-Length : 5", "Host\t: x", "X y: z", "X\x01: z"):
            with self.subTest(field):
                self.refused(self.post("Content-Length: 0", field))

    def test_control_bytes_in_a_value(self):
        for name, value in (("bare CR", "a\rb"), ("bare CR and a field", "a\rContent-Length: 5"), ("DEL", "a\x7fb"),
                            ("ESC", "a\x1b[0m"), ("BEL", "\x07")):
            with self.subTest(name):
                self.refused(self.get(f"X-Test: {value}"))

    def test_two_hosts(self):
        self.refused(self.get(self.host), "header-repeated")
        self.refused(self.get("Host: other.example"), "header-repeated")
        self.refused(self.get("host: other.example"), "header-repeated")

    def test_two_authorizations_and_content_types(self):
        self.refused(self.get("Authorization: Bearer a", "Authorization: Bearer b"), "header-repeated")
        self.refused(self.post("Content-Length: 0", "Content-Type: text/plain"), "header-repeated")

    def test_no_host(self):
        self.refused(head("GET /healthz HTTP/1.1"))

    def test_a_folded_header(self):
        smuggled = head("GET /x HTTP/1.1", self.host)
        for name, data in (
            ("a value in two lines", self.get("Authorization: Bea", " rer x")),
            ("a value in one word", self.get("Authorization: Bea", " rer")),
            ("an empty second line", self.get("X-Test: a", " ")),
            ("after a tab", self.get("X-Test: a", "\tb")),
            ("a length that the library loses", self.post("Content-Length:", f" {len(smuggled)}", body=smuggled)),
            ("a length where none belongs", self.get("Content-Length:", f" {len(smuggled)}") + smuggled),
            ("a coding that it loses", self.post("Content-Length: 5", "Transfer-Encoding:", " chunked",
                                                 body="0\r\n\r\n")),
            ("a length that it makes", self.get("Content-Len: 5", " gth") + "hello"),
            ("three lines", self.get("X-Test: a", " b", " c")),
            ("the first line", head("GET /healthz HTTP/1.1", " X-Test: y", self.host)),
        ):
            with self.subTest(name):
                self.refused(data)

    def test_old_and_odd_versions(self):
        self.refused(self.get(version="HTTP/1.0"), "version")
        self.refused(head("POST /v1/token HTTP/1.0", self.host, "Transfer-Encoding: chunked") + "0\r\n\r\n")
        for version in ("HTTP/9.9", "HTTP/2.0", "HTTP/1.2", "http/1.1"):
            with self.subTest(version):
                said, closed = self.send(self.get(version=version))
                self.assertTrue(closed)
                self.assertRegex(said, b"^(HTTP/1.1 (400|505) .*|)", version)
                self.assertNotIn(b"200 OK", said)
                self.assertFalse(self.executed())

    def test_no_version(self):
        said, closed = self.send("GET /healthz\r\n\r\n")
        self.assertTrue(closed)
        self.assertNotIn(b" 200 ", said)
        self.assertNotIn(b'"ok"', said)

    def test_a_body_where_none_belongs(self):
        self.refused(self.get("Content-Length: 5") + "hello", "body")
        self.refused(self.get("Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", "body")
        self.refused(head("DELETE /v1/token HTTP/1.1", self.host, "Content-Length: 5") + "hello", "body")

    def test_lengths_that_are_no_numbers(self):
        for length in ("+5", "5, 5", "-1", "0x5", "5 5", "", "5;", "\xb9"):
            with self.subTest(length):
                self.refused(self.post(f"Content-Length: {length}", body="hello"))
        self.refused(self.post("Content-Length: 99999999999999999999", body="hello"), status="413")

    def test_chunks_that_are_none(self):
        for chunk in ("0x5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "-5\r\nhello\r\n", "\r\n",
                      "fffffffffffffffff\r\nx"):
            with self.subTest(chunk):
                said, closed = self.send(self.post("Transfer-Encoding: chunked", body=chunk))
                self.assertTrue(closed)
                self.assertRegex(said, b"^(HTTP/1.1 4(00|13) .*|)$|^HTTP/1.1 4")
                self.assertFalse(self.executed())

    # Two shapes that the library does not show (the gate's header says so): what it does
    # show of them is looked at all the same.

    def test_a_nul_in_a_header(self):
        said, _ = self.send(self.get("X-Test: a\0b"))
        self.assertRegex(said, b"^HTTP/1.1 (400|200) ")
        self.refused(self.post("Content-Length: 5", "Content-Length: 5\0", body="hello"))
        self.refused(self.post("Transfer-Encoding: chunked\0, gzip", "Content-Length: 5", body="0\r\n\r\n"))
        self.refused(self.post("Content-Length\0: 5", body="hello"))

    def test_bare_line_feeds(self):
        said, _ = self.send(f"GET /healthz HTTP/1.1\n{self.host}\n\n")
        self.assertRegex(said, b"^HTTP/1.1 (400|200) ")
        self.refused(f"POST /v1/token HTTP/1.1\n{self.host}\nContent-Length: 0\nContent-Length: 5\n\nhello")
        self.refused(f"GET /healthz HTTP/1.1\n{self.host}\nX: a\n b\n\n")

    # The target.

    def test_targets(self):
        for target in ("/healthz%00", "/healthz%00x", "/%2e%2e/healthz", "/v1%2ftoken", "/v1%2Ftoken", "/v1/%5ctoken",
                       "/../healthz", "/./healthz", "/v1/../healthz", "/..", "//healthz", "/v1//token", "/healthz%0a",
                       "/healthz%7f", "/healthz%", "/healthz%4", "/healthz%zz", "/healthz#x", "/health\\z", "/<x>",
                       "/{x}", "/\xe4", "/\x7f", "healthz", "*", "https://127.0.0.1/healthz",
                       "http://127.0.0.1/healthz", "127.0.0.1:443", "/%2e%2e%2fetc/passwd"):
            with self.subTest(target):
                said, closed = self.send(self.get(target=target))
                self.assertTrue(closed, said)
                self.assertNotIn(b" 200 ", said[:20])
                self.assertFalse(self.executed())
                status = 404 if target == "/%2e%2e/healthz" and b" 404 " in said[:20] else 400
                self.assertRegex(said, f"^HTTP/1.1 {status} ".encode())

    def test_control_bytes_in_the_target(self):
        for byte in (b"\x01", b"\x08", b"\x1b", b"\x00", b"\r", b"\x0b"):
            with self.subTest(byte):
                said, closed = self.send(b"GET /health" + byte + b"z HTTP/1.1\r\n" + self.host.encode() + b"\r\n\r\n")
                self.assertTrue(closed)
                self.assertNotIn(b" 200 ", said[:20])
                self.assertFalse(self.executed())

    def test_spaces_in_the_request_line(self):
        for line in ("GET /healthz x HTTP/1.1", "GET  /healthz HTTP/1.1", "GET\t/healthz HTTP/1.1",
                     " GET /healthz HTTP/1.1", "GET /healthz  HTTP/1.1"):
            with self.subTest(line):
                said, closed = self.send(head(line, self.host))
                if b" 200 " in said[:20]:  # more white space than there should be, and nothing else
                    self.assertEqual(len(re.findall(rb"HTTP/1\.1 \d", said)), 2)
                else:
                    self.assertTrue(closed)

    def test_a_query_is_no_part_of_the_path(self):
        said, _ = self.send(self.get(target="/healthz?a=%2f..&b=%00"))
        self.assertRegex(said, b"^HTTP/1.1 200 ")

    # Sizes.

    def test_a_credential_of_60000_bytes_fits(self):
        said, _ = self.send(self.get("Authorization: Bearer " + "a" * 60000))
        self.assertRegex(said, b"^HTTP/1.1 200 ")

    def test_too_much_header(self):
        for name, data in (("one header", self.get("X: " + "a" * 120000)),
                           ("many headers", self.get(*(f"X-{i}: {'a' * 100}" for i in range(2000)))),
                           ("target", self.get(target="/" + "a" * 120000))):
            with self.subTest(name):
                said, closed = self.send(data)
                self.assertTrue(closed)
                self.assertRegex(said, b"^(HTTP/1.1 4(00|13|14|31) .*|)")
                self.assertNotIn(b" 200 ", said[:20])
                self.assertFalse(self.executed())

    def test_a_body_is_refused_before_it_comes(self):
        with self.mesh.raw() as s:
            s.sendall(self.post("Content-Length: 100000000").encode())
            said, closed = read_all(s, 5 * SLOW)
        self.assertRegex(said, b"^HTTP/1.1 413 ")
        self.assertTrue(closed)

    def test_expect_is_honoured_only_for_what_is_wanted(self):
        with self.mesh.raw() as s:
            s.sendall(self.post("Content-Length: 100000000", "Expect: 100-continue").encode())
            said, _ = read_all(s, 5 * SLOW)
        self.assertRegex(said, b"^HTTP/1.1 413 ")

    def test_a_refused_request_is_on_the_log_quoted(self):
        self.refused(b"GET /\x1b]0;x\x07 HTTP/1.1\r\n" + self.host.encode() + b"\r\n\r\n")
        self.assertNotIn("\x1b", self.mesh.log_text())


class Time(MeshTest):
    """Deadlines of our own: the library below counts idle time only."""

    settings = {"limits": {"threads": 2, "request_s": REQUEST_S, "idle_s": IDLE_S, "connections_per_ip": 60}}

    def cut(self, sock, started, limit_s):
        """The peer closes it, neither early nor late."""
        said, closed = read_all(sock, limit_s + SLACK_S)
        took = time.monotonic() - started
        self.assertTrue(closed, f"open after {took:.1f} s")
        self.assertGreater(took, limit_s * 0.7)
        return said

    def drip(self, sock, data, started):
        """A byte at a time until it is cut."""
        try:
            for byte in data:
                sock.sendall(bytes([byte]))
                time.sleep(0.2)
                if time.monotonic() - started > REQUEST_S + SLACK_S:
                    self.fail("still read after the deadline")
        except OSError:
            pass
        self.assertGreater(time.monotonic() - started, REQUEST_S * 0.7)

    def test_a_header_byte_by_byte(self):
        with self.mesh.raw() as s:
            started = time.monotonic()
            self.drip(s, b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 200, started)
            self.assertNotIn(b" 200 ", read_all(s, SLACK_S)[0])

    def test_a_body_byte_by_byte(self):
        with self.mesh.raw() as s:
            started = time.monotonic()
            s.sendall(f"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 500\r\n\r\n"
                      .encode())
            self.drip(s, b"a" * 500, started)

    def test_nothing_after_the_handshake(self):
        with self.mesh.raw() as s:
            self.cut(s, time.monotonic(), REQUEST_S)

    def test_nothing_after_an_answer(self):
        with self.mesh.raw() as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            said = self.cut(s, time.monotonic(), IDLE_S)
            self.assertRegex(said, b"^HTTP/1.1 200 ")

    def hello(self):
        """The first bytes that a TLS client sends."""
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.mesh.context().wrap_bio(into, out, server_hostname="127.0.0.1")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        return out.read()

    def test_half_a_handshake_costs_no_cpu_and_is_cut(self):
        hello = self.hello()
        for name, part in (("half a hello", hello[:len(hello) // 2]), ("a whole one", hello), ("one byte", hello[:1])):
            with self.subTest(name):
                stalled = [socket.create_connection(("127.0.0.1", self.mesh.port), 30) for _ in range(8)]
                started = time.monotonic()
                for s in stalled:
                    s.sendall(part)
                time.sleep(0.2)
                before = self.mesh.cpu_ticks()
                time.sleep(REQUEST_S * 0.6)
                used = (self.mesh.cpu_ticks() - before) / os.sysconf("SC_CLK_TCK")
                self.assertLess(used, 0.05 * REQUEST_S * 0.6)
                self.assertTrue(self.mesh.healthy(), "others are served meanwhile")
                for s in stalled:
                    self.cut(s, started, REQUEST_S)
                    s.close()

    def test_a_handshake_byte_by_byte(self):
        with socket.create_connection(("127.0.0.1", self.mesh.port), 30) as s:
            self.drip(s, self.hello(), time.monotonic())

    def test_one_address_has_its_share_of_connections(self):
        held = []
        try:
            for _ in range(100):
                held.append(socket.create_connection(("127.0.0.1", self.mesh.port), 30))
            wait_until(self.mesh.healthy, "them to be cut, so that others are served")
        finally:
            for s in held:
                s.close()


if __name__ == "__main__":
    main()
