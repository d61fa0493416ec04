#!/usr/bin/env python3
"""Logins that must not be: each with its own OAuth error, its own sentence, and its
own reason in the log. Nothing of them reaches the audit log one by one."""
import json
import socket
import ssl
import time
import warnings

import idtoken
from harness import EXCHANGE, FORM, ID_TOKEN, SAML2, STORAGE, TOKEN, Device, MeshTest, main, read_all, wait_until

SKEW_S = 60
MAX_AGE_S = 600

# What the client hears; the reason is the log's. Both are a contract.
SAYS = {
    "form": ("invalid_request", "The body is not a well-formed form."),
    "repeated": ("invalid_request", "Only 'resource' and 'audience' may occur more than once."),
    "grant-type": ("unsupported_grant_type", "Use urn:ietf:params:oauth:grant-type:token-exchange or client_credentials."),
    "grant-type-missing": ("invalid_request", "'grant_type' is missing."),
    "subject-token-missing": ("invalid_request", "'subject_token' or 'subject_token_type' is missing."),
    "subject-token-type": ("invalid_request",
                           "'subject_token_type' must be urn:ietf:params:oauth:token-type:id_token or "
                           "urn:ietf:params:oauth:token-type:saml2."),
    "requested-token-type": ("invalid_request",
                             "'requested_token_type' must be urn:ietf:params:oauth:token-type:saml2."),
    "actor-token": ("invalid_request", "'actor_token' is not supported."),
    "target": ("invalid_target", "A login takes neither 'audience' nor 'resource'."),
    "scope": ("invalid_scope", "A login takes no 'scope'."),
    "no-proof": ("invalid_request", "Prove the device's key with a TLS client certificate or a DPoP proof."),
    "key-kind": ("invalid_request", "The device's key must be P-256, or RSA of 2048 to 4096 bits."),
    "token-form": ("invalid_request", "The subject token is not a signed JSON Web Token."),
    "token-issuer": ("invalid_request", "The subject token is of no identity provider known here."),
    "token-alg": ("invalid_request", "The subject token must be signed with RS256 or ES256, as its key says."),
    "token-header": ("invalid_request", "The subject token's header holds what is not allowed."),
    "token-key": ("invalid_request", "The subject token names a key that its provider does not publish."),
    "token-signature": ("invalid_request", "The subject token's signature does not verify."),
    "token-audience": ("invalid_request", "The subject token is for another client."),
    "token-party": ("invalid_request", "The subject token was given to another client."),
    "token-expired": ("invalid_request", "The subject token has expired."),
    "token-not-yet": ("invalid_request", "The subject token is not yet valid."),
    "token-age": ("invalid_request", "The subject token is too old."),
    "token-claims": ("invalid_request", "The subject token lacks a claim, or one is not of its form."),
    "user-unknown": ("invalid_request", "There is no account for this identity, and none is made by logging in."),
}


class Refusals(MeshTest):
    @classmethod
    def prepare(cls):
        folder = cls.mesh.folder
        cls.ec = idtoken.Key(folder, "ec-1")
        cls.rsa = idtoken.Key(folder, "rsa-1", "RS256")
        cls.stranger = idtoken.Key(folder, "ec-1x")
        cls.stranger.kid = "ec-1"
        (cls.mesh.dir / "idp-example.jwks").write_text(idtoken.jwks(cls.ec, cls.rsa))
        cls.idp = idtoken.Provider("https://idp.example", "app-1")
        closed = {"name": "closed", "issuer": "https://closed.example", "client_ids": ["app-1"],
                  "jwks_file": "idp-example.jwks"}
        example = {"name": "example", "issuer": cls.idp.issuer, "client_ids": ["app-1", "app-2"],
                   "jwks_file": "idp-example.jwks", "create_users": True, "max_age_s": MAX_AGE_S}
        return {"providers": [example, {**closed, "create_users": False}]}

    def refuse(self, reason, token, device=None, **form):
        answer = self.mesh.exchange(token, device or self.device, **form)
        self.assert_refused(answer, 400, *SAYS[reason], reason)

    def accept(self, token):
        answer = self.mesh.exchange(token, self.device)
        self.assertEqual(answer.status, 200, answer)

    def sign(self, key=None, header=None, **claims):
        return (key or self.ec).sign(self.idp.claims(**claims), header)

    # The token's claims. What is just inside a bound is taken, so each bound is where it is said to be.

    def test_good_tokens_pass(self):
        now = int(time.time())
        for name, token in (
            ("ES256", self.sign()),
            ("RS256", self.sign(self.rsa)),
            ("the only key of its kind", self.sign(header={"kid": None})),
            ("no typ", self.sign(header={"typ": None})),
            ("the second client", self.sign(aud="app-2")),
            ("a list of one audience", self.sign(aud=["app-1"])),
            ("azp is us", self.sign(aud=["app-1", "other"], azp="app-1")),
            ("expired within the skew", self.sign(exp=now - SKEW_S // 2)),
            ("not yet, within the skew", self.sign(nbf=now + SKEW_S // 2)),
            ("old, but not too old", self.sign(iat=now - MAX_AGE_S + SKEW_S // 2)),
            ("claims that nobody knows", self.sign(nonce="n", name="Alice \u00c4", amr=["pwd"])),
        ):
            with self.subTest(name):
                self.accept(token)

    def test_claims(self):
        now = int(time.time())
        for reason, name, claims in (
            ("token-expired", "expired", {"exp": now - SKEW_S - 30}),
            ("token-not-yet", "not before", {"nbf": now + SKEW_S + 30}),
            ("token-not-yet", "issued in the future", {"iat": now + SKEW_S + 30}),
            ("token-age", "too old", {"iat": now - MAX_AGE_S - SKEW_S - 30, "exp": now + 600}),
            ("token-issuer", "wrong issuer", {"iss": "https://idp2.example"}),
            ("token-issuer", "issuer with a slash", {"iss": "https://idp.example/"}),
            ("token-issuer", "issuer in capitals", {"iss": "https://IDP.example"}),
            ("token-audience", "foreign client", {"aud": "app-3"}),
            ("token-audience", "client in capitals", {"aud": "APP-1"}),
            ("token-audience", "list of foreign clients", {"aud": ["app-3", "app-4"]}),
            ("token-audience", "others too, and no azp", {"aud": ["app-1", "app-3"]}),
            ("token-party", "azp foreign", {"azp": "app-3"}),
            ("token-party", "azp foreign among several", {"aud": ["app-1", "app-3"], "azp": "app-3"}),
            ("token-claims", "no sub", {"sub": None}),
            ("token-claims", "empty sub", {"sub": ""}),
            ("token-claims", "sub is a number", {"sub": 7}),
            ("token-claims", "sub too long", {"sub": "a" * 256}),
            ("token-claims", "sub with a line end", {"sub": "a\nb"}),
            ("token-claims", "no exp", {"exp": None}),
            ("token-claims", "exp is text", {"exp": str(now + 600)}),
            ("token-claims", "no iat", {"iat": None}),
        ):
            with self.subTest(name):
                self.refuse(reason, self.sign(**claims))

    def test_a_token_without_an_issuer(self):
        for name, claims in (("none", {"iss": None}), ("a number", {"iss": 1})):
            with self.subTest(name):
                answer = self.mesh.exchange(self.sign(**claims), self.device)
                reason = self.mesh.log_of(answer)["reason"]
                self.assertIn(reason, ("token-issuer", "token-claims", "token-form"))
                self.assert_refused(answer, 400, *SAYS[reason], reason)

    # Its header and signature.

    def test_headers(self):
        own = {"kty": "EC", "crv": "P-256", **{k: self.stranger.jwk[k] for k in ("x", "y")}}
        for reason, name, token in (
            ("token-key", "unknown kid", self.sign(header={"kid": "ec-2"})),
            ("token-key", "empty kid", self.sign(header={"kid": ""})),
            ("token-alg", "none", idtoken.unsigned(self.idp.claims(), "ec-1")),
            ("token-alg", "None", self.sign(header={"alg": "None"})),
            ("token-alg", "HS256 with the public key", idtoken.hs256(self.idp.claims(), self.ec.spki, "ec-1")),
            ("token-alg", "RS256 of an EC key", self.sign(header={"alg": "RS256"})),
            ("token-alg", "ES256 of an RSA key", self.sign(self.rsa, header={"alg": "ES256"})),
            ("token-alg", "ES384", self.sign(header={"alg": "ES384"})),
            ("token-alg", "PS256", self.sign(self.rsa, header={"alg": "PS256"})),
            ("token-header", "crit", self.sign(header={"crit": ["exp"], "exp": 1})),
            ("token-header", "jku", self.sign(header={"jku": "https://127.0.0.1/keys"})),
            ("token-header", "embedded jwk", self.sign(self.stranger, header={"jwk": own})),
            ("token-header", "embedded jwk, well signed", self.sign(header={"jwk": self.ec.jwk})),
            ("token-header", "x5u", self.sign(header={"x5u": "https://127.0.0.1/c"})),
            ("token-header", "x5c", self.sign(header={"x5c": ["MA=="]})),
            ("token-header", "b64", self.sign(header={"b64": False})),
            ("token-header", "an access token", self.sign(header={"typ": "at+jwt"})),
            ("token-signature", "signed by a stranger", self.sign(self.stranger)),
        ):
            with self.subTest(name):
                self.refuse(reason, token)

    def test_no_alg(self):
        answer = self.mesh.exchange(self.sign(header={"alg": None}), self.device)
        self.assertIn(self.mesh.log_of(answer)["reason"], ("token-alg", "token-form"))
        self.assertEqual(answer.status, 400)

    def test_tampering(self):
        for key in (self.ec, self.rsa):
            head, claims, signature = self.sign(key).split(".")
            raw = idtoken.base64.urlsafe_b64decode(signature + "==")
            alice = idtoken.base64.urlsafe_b64decode(claims + "==").replace(b"alice", b"root!")
            for name, token in (
                ("signature's first bit", f"{head}.{claims}.{idtoken.b64(bytes([raw[0] ^ 0x80]) + raw[1:])}"),
                ("signature's last bit", f"{head}.{claims}.{idtoken.b64(raw[:-1] + bytes([raw[-1] ^ 1]))}"),
                ("signature of zeros", f"{head}.{claims}.{idtoken.b64(bytes(len(raw)))}"),
                ("another's claims", f"{head}.{idtoken.b64(alice)}.{signature}"),
            ):
                with self.subTest(f"{key.alg}: {name}"):
                    self.refuse("token-signature", token)

    def test_forms(self):
        good = self.sign()
        head, claims, signature = good.split(".")
        twice = idtoken.b64(json.dumps(self.idp.claims()).encode()[:-1] + b', "sub": "root"}')
        for name, token in (
            ("a word", "abc"),
            ("two parts", f"{head}.{claims}"),
            ("four parts", good + ".x"),
            ("five parts", good + ".x.y"),
            ("no header", f".{claims}.{signature}"),
            ("no claims", f"{head}..{signature}"),
            ("padding", f"{head}=.{claims}.{signature}"),
            ("not base64url", f"{head}.{claims}+.{signature}"),
            ("a space in front", " " + good),
            ("a line end behind", good + "\r\n"),
            ("header is a list", f"{idtoken.b64(b'[]')}.{claims}.{signature}"),
            ("claims are no JSON", f"{head}.{idtoken.b64(b'{')}.{signature}"),
            ("a claim twice", f"{head}.{twice}.{signature}"),
            ("too long", self.sign(pad="x" * 16384)),
        ):
            with self.subTest(name):
                answer = self.mesh.exchange(token, self.device)
                reason = self.mesh.log_of(answer).get("reason")
                # A control byte is refused with the form that it comes in.
                self.assertEqual(reason, "form" if name == "a line end behind" else "token-form")
                self.assert_refused(answer, 400, *SAYS[reason], reason)

    def test_no_signature_at_all(self):
        head, claims, _ = self.sign().split(".")
        answer = self.mesh.exchange(f"{head}.{claims}.", self.device)
        reason = self.mesh.log_of(answer)["reason"]
        self.assertIn(reason, ("token-form", "token-signature"))
        self.assert_refused(answer, 400, *SAYS[reason], reason)

    def test_a_provider_that_makes_no_users(self):
        token = self.ec.sign(self.idp.claims(iss="https://closed.example"))
        self.refuse("user-unknown", token)

    # Who asks, and how.

    def test_no_client_certificate(self):
        answer = self.mesh.exchange(self.sign(), None)
        self.assert_refused(answer, 400, *SAYS["no-proof"], "no-proof")

    def test_keys_that_tickets_are_not_bound_to(self):
        for kind in ("p384", "ed25519"):
            with self.subTest(kind):
                self.refuse("key-kind", self.sign(), Device(self.mesh.folder, kind, kind))

    def test_a_short_rsa_key(self):
        device = Device(self.mesh.folder, "rsa1024", "rsa1024")
        try:
            self.refuse("key-kind", self.sign(), device)
        except (ssl.SSLError, ConnectionError) as e:
            self.fail(f"the handshake refused it, which a client cannot tell from a broken one: {e}")

    def test_parameters(self):
        for reason, name, change in (
            ("grant-type-missing", "no grant_type", {"grant_type": None}),
            ("grant-type", "password", {"grant_type": "password"}),
            ("grant-type", "in capitals", {"grant_type": EXCHANGE.upper()}),
            ("subject-token-missing", "no subject_token", {"subject_token": None}),
            ("subject-token-missing", "no subject_token_type", {"subject_token_type": None}),
            ("subject-token-type", "an access token", {"subject_token_type": ID_TOKEN.replace("id_", "access_")}),
            ("requested-token-type", "wants a JWT", {"requested_token_type": ID_TOKEN}),
            ("actor-token", "an actor", {"actor_token": "x", "actor_token_type": SAML2}),
            ("target", "an audience", {"audience": STORAGE}),
            ("target", "a resource", {"resource": "https://127.0.0.1/x"}),
            ("scope", "a scope", {"scope": "read"}),
        ):
            with self.subTest(name):
                self.refuse(reason, self.sign(), **change)

    def form(self, token):
        return f"grant_type={EXCHANGE}&subject_token_type={ID_TOKEN}&subject_token={token}"

    def test_bodies(self):
        good = self.form(self.sign())
        for reason, name, body in (
            ("repeated", "subject_token twice", good + "&subject_token=x"),
            ("repeated", "the same grant twice", good + "&grant_type=" + EXCHANGE),
            ("repeated", "an unknown parameter twice", good + "&a=1&a=2"),
            ("form", "half an escape", good + "&a=%4"),
            ("form", "a NUL", good + "&a=%00"),
            ("form", "no UTF-8", good + "&a=%ff"),
            ("grant-type-missing", "empty", ""),
            ("form", "JSON", json.dumps({"grant_type": EXCHANGE})),
        ):
            with self.subTest(name):
                self.assert_refused(self.mesh.post(body, self.device), 400, *SAYS[reason], reason)

    def test_a_body_too_large(self):
        body = self.form(self.sign()) + "&a=" + "x" * 65536
        for name, field, sent in (
            ("length said", f"Content-Length: {len(body)}", body),
            ("chunked", "Transfer-Encoding: chunked", f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"),
        ):
            with self.subTest(name), self.mesh.raw(self.device) as s:
                try:
                    s.sendall(f"POST {TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n{field}\r\n\r\n{sent}"
                              .encode())
                except OSError:
                    pass  # refused before it was all said
                said, closed = read_all(s)
                self.assertTrue(closed)
                self.assertRegex(said, b"^HTTP/1.1 413 ")
                self.assertIn(b"urn:meshauth:problem:too-large", said)

    def test_the_largest_body_is_read(self):
        good = self.form(self.sign())
        answer = self.mesh.post(good + "&a=" + "x" * (65536 - len(good) - 3), self.device)
        self.assertEqual(answer.status, 200, answer)

    def test_content_types(self):
        for kind in (None, "application/json", "text/plain", "multipart/form-data; boundary=x", FORM + "x",
                     FORM + "; charset=ISO-8859-1"):
            with self.subTest(kind):
                headers = {"Content-Type": kind} if kind else {}
                answer = self.mesh.request("POST", TOKEN, self.form(self.sign()), headers, self.device)
                self.assert_problem(answer, 415, "content-type")
                self.assertIn(FORM, answer.json["title"])

    def test_paths_and_methods(self):
        for method, path in (("GET", "/"), ("GET", "/v1"), ("GET", "/v1/audits"), ("POST", "/v1/token/"),
                             ("GET", "/V1/token"), ("GET", "/healthz2")):
            with self.subTest(f"{method} {path}"):
                self.assert_problem(self.mesh.request(method, path), 404, "not-found")
        for method, path, allow in (("GET", TOKEN, "POST"), ("DELETE", TOKEN, "POST"), ("POST", "/healthz", "GET, HEAD"),
                                    ("OPTIONS", TOKEN, "POST")):
            with self.subTest(f"{method} {path}"):
                answer = self.mesh.request(method, path)
                self.assert_problem(answer, 405, "method")
                self.assertEqual(answer.headers["Allow"], allow)

    def test_head(self):
        """RFC 9110 9.3.2: what GET says of its answer, without the answer."""
        c = self.mesh.connection()
        for path, status in (("/healthz", 200), ("/v1/openapi.json", 200), ("/v1/mesh/devices/dev_x", 401), (TOKEN, 405)):
            get = self.mesh.request("GET", path)
            c.request("HEAD", path)
            head = c.getresponse()
            self.assertEqual((head.status, head.read()), (status, b""))
            for name in ("Content-Type", "Content-Length", "Cache-Control", "ETag", "WWW-Authenticate", "Allow"):
                self.assertEqual(head.headers[name], get.headers[name])
        c.close()

    def test_plain_http(self):
        with socket.create_connection(("127.0.0.1", self.mesh.port), 30) as s:
            s.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{self.mesh.port}\r\n\r\n".encode())
            said, closed = read_all(s)
        self.assertTrue(closed)
        self.assertNotIn(b"HTTP/1", said)
        self.assertNotIn(b"status", said)

    def test_old_tls(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version.name):
                context = ssl.create_default_context(cafile=self.mesh.ca)
                context.set_ciphers("ALL:@SECLEVEL=0")
                with warnings.catch_warnings(action="ignore"):
                    context.minimum_version = context.maximum_version = version
                with socket.create_connection(("127.0.0.1", self.mesh.port), 30) as s:
                    with self.assertRaises((ssl.SSLError, ConnectionError)) as e:
                        context.wrap_socket(s, server_hostname="127.0.0.1")
                # The server's doing, not our own library's. Python 3.11.2 has another name for an early end than later ones.
                if isinstance(e.exception, ssl.SSLError) and not isinstance(e.exception, ssl.SSLZeroReturnError):
                    self.assertIn(e.exception.reason, ("TLSV1_ALERT_PROTOCOL_VERSION", "UNEXPECTED_EOF_WHILE_READING"))

    # What of it is on record.

    def test_refusals_of_strangers_are_counted_not_recorded(self):
        for _ in range(5):
            self.refuse("token-party", self.sign(azp="app-3"))
        self.mesh.signal(1)  # SIGHUP: the housekeeper's turn

        def counted():
            return sum(r["count"] for r in self.mesh.audit(action="refused", reason="token-party"))
        wait_until(lambda: counted() >= 5, "the refusals to be on record")
        for r in self.mesh.audit(action="refused"):
            self.assertEqual((r["client"], r["outcome"], r["actor"]), ("127.0.0.0/24", "deny", "meshauthd"))
        keys = [(r["time"], r["reason"]) for r in self.mesh.audit(action="refused", reason="token-party")]
        self.assertLessEqual(len(keys), 4)


if __name__ == "__main__":
    main()
