"""A server for tests: HTTPS on 127.0.0.1, or plain HTTP on a Unix socket.

Prints its port (or 0) when it listens and ends when its standard input does.
Serves the files under --root, each request noted in ROOT/requests.log; some
paths behave in ways of their own, see Handler.special.
"""
import argparse
import http.server
import json
import os
import socketserver
import ssl
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--root", required=True)
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--client-ca")
parser.add_argument("--unix")
parser.add_argument("--port", type=int, default=0)
args = parser.parse_args()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def echo(self, body):
        cert = self.connection.getpeercert() if args.client_ca else None
        said = {
            "method": self.command,
            "body": body.decode(),
            "type": self.headers.get("Content-Type"),
            "test": self.headers.get("X-Test"),
            "encoding": self.headers.get("Accept-Encoding"),
            "client": cert["subject"][0][0][1] if cert else None,
            "peer": str(self.client_address),
        }
        self.answer(200, json.dumps(said).encode())

    def special(self, path, body):
        name, _, number = path.strip("/").partition("/")
        if name == "echo":
            self.echo(body)
        elif name == "bytes":
            self.answer(200, b"x" * int(number))
        elif name == "endless":  # no length is announced
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            for _ in range(int(number)):
                self.wfile.write(b"x" * 1000)
        elif name == "busy":
            self.answer(503, b"later", [("Retry-After", number), ("Content-Type", "text/x; a=b")])
        elif name == "slow":
            time.sleep(float(number))
            self.answer(200, b"late")
        elif name == "drip":  # always something, never all
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.1)
        elif name == "redirect":
            self.answer(302, b"elsewhere", [("Location", "/echo")])
        elif name == "gzip":
            self.answer(200, b"\x1f\x8b\x08", [("Content-Encoding", "gzip")])
        else:
            return False
        return True

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(os.path.join(args.root, "requests.log"), "a") as log:
            log.write(self.path + "\n")
        if self.special(self.path, body):
            return
        try:
            with open(args.root + self.path, "rb") as file:
                data = file.read()
        except OSError:
            self.answer(404, b"no such file")
            return
        self.answer(200, data)

    do_GET = do_POST = do_PUT = do_DELETE = serve


class Tcp(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients of these tests leave in all sorts of ways


class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def leave_with_parent():
    sys.stdin.read()
    os._exit(0)


if args.unix:
    server = Unix(args.unix, Handler)
else:
    server = Tcp(("127.0.0.1", args.port), Handler)
if args.cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.cert, args.key)
    if args.client_ca:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(args.client_ca)
    # The handshake is the handler thread's: nobody can stall the others.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False)
threading.Thread(target=leave_with_parent, daemon=True).start()
print(0 if args.unix else server.server_address[1], flush=True)
server.serve_forever()
