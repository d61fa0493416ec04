#!/usr/bin/env python3
"""DPoP with npm's jose: we accept its proofs and no others, and it accepts ours."""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "data" / "golden"
DPOP = pathlib.Path(os.environ["MAUTH_BUILD"]) / "tests" / "interop" / "dpop"
ALGS = {"ES256": "p256", "RS256": "rsa2048"}
NOW = 1795341900
URL = "https://storage.example/files/a"
CREDENTIAL = "PHNhbWw6~AAAA"
ATH = base64.urlsafe_b64encode(hashlib.sha256(CREDENTIAL.encode()).digest()).rstrip(b"=").decode()
WANT = {"method": "GET", "url": URL, "credential": CREDENTIAL, "nonce": "n-1", "now": NOW}


def ask(command, questions):
    """A line of answer for each question."""
    done = subprocess.run([str(c) for c in command], input="".join(json.dumps(q) + "\n" for q in questions),
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(done.stderr or done.returncode)
    lines = done.stdout.splitlines()
    if len(lines) != len(questions):
        raise AssertionError(done.stdout)
    return lines


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def der(tag, content):
    n = len(content)
    return bytes([tag]) + (bytes([n]) if n < 128 else b"\x82" + n.to_bytes(2, "big")) + content


def key_id(jwk):
    """Of a JSON Web Key, by its SubjectPublicKeyInfo."""
    if jwk["kty"] == "EC":
        spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + unbase64(jwk["x"]) + unbase64(jwk["y"])
    else:
        numbers = b"".join(der(2, b"\0" * (unbase64(jwk[n])[0] >> 7) + unbase64(jwk[n])) for n in "ne")
        spki = der(0x30, bytes.fromhex("300d06092a864886f70d0101010500") + der(3, b"\0" + der(0x30, numbers)))
    return hashlib.sha256(spki).hexdigest()[:16]


class Jose(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="test_dpop.")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.serial = 0

    def claims(self, **changes):
        self.serial += 1
        claims = {"jti": f"jti-{self.serial}", "htm": "GET", "htu": URL, "iat": NOW, "ath": ATH, "nonce": "n-1", **changes}
        return {k: v for k, v in claims.items() if v is not None}

    def make(self, alg, *questions):
        file = self.path / "jwk"
        proofs = ask(["node", HERE / "dpop.mjs", "make", alg, file], [{"header": {}, **q} for q in questions])
        return proofs, json.loads(file.read_text())

    def check(self, proofs, **changes):
        return ask([DPOP, "check"], [{**WANT, **changes, "proof": p} for p in proofs])

    def test_we_accept_its_proofs_once(self):
        for alg in ALGS:
            with self.subTest(alg):
                proofs, jwk = self.make(alg, {"claims": self.claims()}, {"claims": self.claims()})
                good = "ok " + key_id(jwk)
                self.assertEqual(self.check([*proofs, proofs[0]]), [good, good, "conflict"])

    def test_we_refuse_what_is_not_for_us(self):
        cases = {
            "another method": ({"htm": "POST"}, "denied"),
            "another URL": ({"htu": URL + "/"}, "denied"),
            "another credential": ({"ath": ATH[::-1]}, "denied"),
            "no credential": ({"ath": None}, "malformed"),
            "no jti": ({"jti": None}, "malformed"),
            "no iat": ({"iat": None}, "malformed"),
            "too old": ({"iat": NOW - 61}, "expired"),
            "too new": ({"iat": NOW + 61}, "expired"),
            "another nonce": ({"nonce": "n-2"}, "expired"),
            "no nonce": ({"nonce": None}, "expired"),
        }
        for alg in ALGS:
            proofs, _ = self.make(alg, *({"claims": self.claims(**c)} for c, _ in cases.values()))
            for name, said in zip(cases, self.check(proofs)):
                with self.subTest(alg=alg, case=name):
                    self.assertEqual(said, cases[name][1])

    def test_we_refuse_another_header(self):
        _, stranger = self.make("ES256", {"claims": self.claims()})
        for name, header, code in (
            ("type JWT", {"typ": "JWT"}, "malformed"),
            ("another key", {"jwk": stranger}, "untrusted"),
            ("a key in an address", {"jku": "https://thief.example/jwks"}, "malformed"),
            ("a private member", {"jwk": {**stranger, "d": stranger["x"]}}, "malformed"),
        ):
            with self.subTest(name):
                proofs, _ = self.make("ES256", {"claims": self.claims(), "header": header})
                self.assertEqual(self.check(proofs), [code])
        for alg in ("ES384", "PS256", "EdDSA"):
            with self.subTest(alg):
                self.assertEqual(self.check(self.make(alg, {"claims": self.claims()})[0]), ["malformed"])

    def test_we_refuse_altered_ones(self):
        (proof,), _ = self.make("ES256", {"claims": self.claims()})
        parts = proof.split(".")
        for i in range(3):
            changed = list(parts)
            changed[i] = changed[i][:20] + ("A" if changed[i][20] != "A" else "B") + changed[i][21:]
            self.assertIn(self.check([".".join(changed)])[0], ("malformed", "untrusted"))

    def test_it_accepts_ours(self):
        for alg, key in ALGS.items():
            with self.subTest(alg):
                pem = GOLDEN / f"signing-{key}.pem"
                proofs = ask([DPOP, "prove", pem], [WANT, {"method": "POST", "url": URL + "?a=b#c", "now": NOW}])
                full, bare = (json.loads(line) for line in ask(
                    ["node", HERE / "dpop.mjs", "judge"], [{"proof": p, "now": NOW} for p in proofs]))
                jti = full["claims"].pop("jti")
                self.assertRegex(jti, "^[A-Za-z0-9_-]{22}$")
                self.assertNotEqual(jti, bare["claims"].pop("jti"))
                self.assertEqual(full["claims"], {"htm": "GET", "htu": URL, "iat": NOW, "ath": ATH, "nonce": "n-1"})
                self.assertEqual(bare["claims"], {"htm": "POST", "htu": URL, "iat": NOW})
                members = {"ES256": {"kty", "crv", "x", "y"}, "RS256": {"kty", "n", "e"}}[alg]
                self.assertEqual(set(full["jwk"]), members)
                public = json.loads((GOLDEN / "manifest.json").read_text())["signing"][key]
                self.assertEqual(key_id(full["jwk"]), public)

    def test_it_refuses_ours_when_altered(self):
        proof, = ask([DPOP, "prove", GOLDEN / "signing-p256.pem"], [WANT])
        header, claims, value = proof.split(".")
        other = json.loads(unbase64(claims))
        other["htu"] += "b"
        forged = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()
        said = ask(["node", HERE / "dpop.mjs", "judge"], [
            {"proof": f"{header}.{forged}.{value}", "now": NOW}, {"proof": proof, "now": NOW + 61}])
        self.assertEqual([json.loads(s)["error"] for s in said], ["ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "ERR_JWT_EXPIRED"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
