"""ID tokens as a provider signs them, and as nobody should: a header and claims of
any shape, signed with the openssl command."""
import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import time


def b64(data):
    if isinstance(data, dict):
        data = json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*args, data=None):
    return subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, check=True).stdout


def der_elements(data):
    """The elements of a DER sequence's contents: (tag, contents)."""
    out = []
    while data:
        size, at = data[1], 2
        if size & 0x80:
            at += size & 0x7F
            size = int.from_bytes(data[2:at], "big")
        out.append((data[0], data[at:at + size]))
        data = data[at + size:]
    return out


def der_sequence(data):
    return [contents for _, contents in der_elements(der_elements(data)[0][1])]


class Key:
    """A provider's signing key: "ES256" or "RS256"."""

    def __init__(self, folder, kid, alg="ES256", path=None):
        self.kid = kid
        self.alg = alg
        self.path = path or pathlib.Path(folder) / f"idp-{kid}.key"
        if not path:
            kind = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if alg == "ES256" else \
                ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
            openssl("genpkey", "-algorithm", *kind, "-out", self.path)
        self.spki = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")

    @property
    def jwk(self):
        use = {"kid": self.kid, "alg": self.alg, "use": "sig"}
        if self.alg == "ES256":
            return {**use, "kty": "EC", "crv": "P-256", "x": b64(self.spki[-64:-32]), "y": b64(self.spki[-32:])}
        n, e = der_sequence(der_sequence(self.spki)[1][1:])
        return {**use, "kty": "RSA", "n": b64(n.lstrip(b"\0")), "e": b64(e)}

    def signature(self, data):
        value = openssl("dgst", "-sha256", "-sign", self.path, data=data)
        if self.alg == "ES256":
            value = b"".join(int.from_bytes(i, "big").to_bytes(32, "big") for i in der_sequence(value))
        return value

    def sign(self, claims, header=None):
        """A token; header members replace those of the key, None removes one."""
        h = {"alg": self.alg, "kid": self.kid, "typ": "JWT", **(header or {})}
        signed = b64({k: v for k, v in h.items() if v is not None}) + "." + b64(claims)
        return signed + "." + b64(self.signature(signed.encode()))


def hs256(claims, secret, kid):
    """What comes of taking a public key for a shared secret."""
    signed = b64({"alg": "HS256", "kid": kid, "typ": "JWT"}) + "." + b64(claims)
    return signed + "." + b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())


def unsigned(claims, kid):
    return b64({"alg": "none", "kid": kid, "typ": "JWT"}) + "." + b64(claims) + "."


def jwks(*keys):
    return json.dumps({"keys": [k.jwk for k in keys]})


class Provider:
    """What meshauthd knows of a provider, and what that provider could sign."""

    def __init__(self, issuer, client_id):
        self.issuer = issuer
        self.client_id = client_id
        self.serial = 0

    def claims(self, **changes):
        """Those of a good token of now; None removes one."""
        now = int(time.time())
        self.serial += 1
        good = {"iss": self.issuer, "sub": "alice", "aud": self.client_id, "iat": now, "exp": now + 600,
                "jti": str(self.serial)}
        return {k: v for k, v in {**good, **changes}.items() if v is not None}
