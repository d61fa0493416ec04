"""An account service of the vectors' own: keys, tickets good and bad, trust files.

Tickets are made by golden/make.py, an implementation of its own, so that nothing here
is what meshauth thinks of itself.
"""
import base64
import hashlib
import importlib.util
import pathlib
import zlib

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"

loader = importlib.util.spec_from_file_location("golden", GOLDEN / "make.py")
golden = importlib.util.module_from_spec(loader)
loader.loader.exec_module(golden)
b64, openssl = golden.b64, golden.openssl
DS, EXC, MORE, SHA256 = golden.DS, golden.EXC, golden.MORE, golden.SHA256

ISSUER = "https://auth.mesh.example"
STORAGE = "urn:meshauth:service:storage"
RELAY = "urn:meshauth:service:relay"
NOW = "2026-11-22T10:05:00Z"


def ident(kind, c):
    return f"{kind}_0" + c * 25


ALICE, BOB = ident("usr", "a"), ident("usr", "b")
PC, PHONE = ident("dev", "c"), ident("dev", "d")
TRIP, WORK = ident("fld", "t"), ident("fld", "w")
SESSION, SERVICE = ident("ses", "s"), ident("svc", "v")
TRIP_URL, WORK_URL = (f"{ISSUER}/v1/mesh/folders/{f}" for f in (TRIP, WORK))

# Keys.

KINDS = {
    "root": "ed25519", "authority": "ed25519", "another-root": "ed25519",
    "p256": "p256", "rsa2048": "rsa", "rsa4096": "rsa4096", "next": "p256", "revoked": "p256", "narrow": "p256",
    "storage-only": "p256", "stranger": "p256", "stranger-rsa": "rsa",
    "device": "p256", "device-rsa": "rsa", "thief": "p256",
}
golden.KINDS["rsa4096"] = ["RSA", "-pkeyopt", "rsa_keygen_bits:4096"]
golden.KINDS["rsa1024"] = ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"]
SPKI = {name: golden.new_key(str(HERE / "keys" / name), kind) for name, kind in KINDS.items()}


def key_id(name):
    return hashlib.sha256(SPKI[name]).hexdigest()[:16]


def is_rsa(name):
    return KINDS[name].startswith("rsa")


# Tickets.

def rights(**changes):
    """Alice's PC may read and write the Trip at the storage."""
    return {"id": "_" + "0a" * 16, "issuer": ISSUER, "issued": "2026-11-22T10:00:00Z", "not_before": "2026-11-22T10:00:00Z",
            "not_on_or_after": "2026-11-22T10:10:00Z", "subject": ALICE, "holder_spki": b64(SPKI["device"]),
            "audiences": [STORAGE], "permits": [{"resource": TRIP_URL, "actions": ["read", "write"]}],
            "facts": facts(("claimed", PC, ALICE), ("holder", PC), ("member", ALICE, TRIP, "contributor")), **changes}


def facts(*more, asof="4711", session=SESSION):
    return [("asof", asof), ("session", session), *more]


def bearer(**changes):
    return rights(**{"holder_spki": None, "facts": facts(("member", ALICE, TRIP, "reader")), **changes})


def identity(**changes):
    return rights(**{"audiences": [ISSUER], "permits": [], "facts": facts(("claimed", PC, ALICE), ("holder", PC)),
                     "authn": {"instant": "2026-11-22T09:59:58Z", "session": SESSION,
                               "class": "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"}, **changes})


def sync_facts(*left_out):
    all_of_it = [("claimed", PC, ALICE), ("claimed", PHONE, BOB), ("holder", PC), ("mapped", PC, TRIP), ("mapped", PHONE, TRIP),
                 ("member", ALICE, TRIP, "reader"), ("member", BOB, TRIP, "owner")]
    return facts(*(f for f in all_of_it if f not in left_out))


def raw_signature(data, key):
    value = openssl("dgst", "-sha256", "-sign", str(HERE / "keys" / f"{key}.pem"), data=data)
    return value if is_rsa(key) else golden.raw_ecdsa(value)


def xml_of(t, key="p256", name=None, alg=None, text=None, info=None, value=None, signed=None):
    """A ticket's XML.

      key     signs; name: the KeyName that it stands under; alg: the algorithm said
      text    changes the assertion before it is signed (NUL is where the signature goes)
      info    changes SignedInfo before it is signed
      value   changes the raw signature, or makes one: f(raw, signed bytes)
      signed  changes what was signed
    """
    whole = "\0".join(golden.parts(t))
    head, tail = (text(whole) if text else whole).split("\0")
    alg = alg or ("rsa-sha256" if is_rsa(key) else "ecdsa-sha256")
    digest = b64(hashlib.sha256((head + tail).encode()).digest())
    inner = (f'<ds:CanonicalizationMethod Algorithm="{EXC}"></ds:CanonicalizationMethod>'
             f'<ds:SignatureMethod Algorithm="{MORE}{alg}"></ds:SignatureMethod><ds:Reference URI="#{t["id"]}"><ds:Transforms>'
             f'<ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform><ds:Transform Algorithm="{EXC}"></ds:Transform>'
             f'</ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue>'
             '</ds:Reference></ds:SignedInfo>')
    inner = info(inner) if info else inner
    covered = f'<ds:SignedInfo xmlns:ds="{DS}">{inner}'.encode()
    raw = raw_signature(covered, key)
    raw = value(raw, covered) if value else raw
    whole = (f'{head}<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{inner}<ds:SignatureValue>{b64(raw)}</ds:SignatureValue>'
             f'<ds:KeyInfo><ds:KeyName>{key_id(name or key)}</ds:KeyName></ds:KeyInfo></ds:Signature>{tail}')
    return (signed(whole) if signed else whole).encode()


def url64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def deflate(xml, level=9, bits=-15):
    squeeze = zlib.compressobj(level, zlib.DEFLATED, bits)
    return squeeze.compress(xml) + squeeze.flush()


def sub(old, new, count=1):
    def change(s):
        assert old in s, old
        return s.replace(old, new, count)
    return change


def rs(r=lambda r, s: r, s=lambda r, s: s):
    """Another pair of numbers in an ECDSA signature."""
    def change(raw, covered):
        a, b = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        return r(a, b).to_bytes(32, "big") + s(a, b).to_bytes(32, "big")
    return change


# Trust files.

WIDE = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
VKEY = golden.vkey("auth.mesh.example/root", SPKI["root"])


def key_line(name, state="active", window=WIDE, audiences="*"):
    return f"key {key_id(name)} {state} {'rsa' if is_rsa(name) else 'ecdsa'}-sha256 {' '.join(window)} {audiences} {b64(SPKI[name])}\n"


KEY_LINES = [
    key_line("p256"), key_line("rsa2048", "retiring"), key_line("rsa4096"), key_line("next", "next"), key_line("revoked", "revoked"),
    key_line("narrow", window=("2026-11-22T10:00:00Z", "2026-11-22T10:08:00Z")), key_line("storage-only", audiences=f"{STORAGE},{RELAY}"),
]


def signed_note(text, name, key):
    return golden.note(text, f"auth.mesh.example/{name}", str(HERE / "keys" / key), SPKI[key])


def trust_of(issued="2026-11-22T10:04:00Z", expires="2026-11-22T11:04:00Z", revoked=(), keys=KEY_LINES, epoch=7, sequence=42,
             statement=None, delegation=None, listed=None, root="root", authority="authority",
             authority_window=("2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z")):
    lines = "".join(line + "\n" for line in sorted(revoked))
    first = (f"meshauth-authority v1\nissuer {ISSUER}\nepoch {epoch}\n"
             f"authority {golden.vkey('auth.mesh.example/authority', SPKI['authority'])} {' '.join(authority_window)}\n")
    second = (f"meshauth-trust v1\nissuer {ISSUER}\nepoch {epoch}\nsequence {sequence}\nissued {issued}\nexpires {expires}\n"
              f"checkpoint 1234 {b64(hashlib.sha256(b'example').digest())}\n{''.join(keys)}"
              f"revocations {len(revoked)} {b64(hashlib.sha256(lines.encode()).digest())}\n")
    first = delegation(first) if delegation else first
    second = statement(second) if statement else second
    return (signed_note(first, "root", root) + "\n" + signed_note(second, "authority", authority) + "\n"
            + (listed(lines) if listed else lines))


REVOKED = [
    f"revoke 4711 {ident('dev', 'e')}",        # a ticket as of 4711 is not older
    f"revoke 4712 {ident('dev', 'f')}",
    f"revoke 4712 {PC} {ident('usr', 'e')}",   # and mentions only one of these
    f"revoke 4713 {ident('dev', 'g')} {ident('fld', 'g')}",
    f"revoke 4714 {ident('dev', 'h')} {ident('fld', 'h')} {ident('usr', 'h')}",
    f"revoke 4715 {ident('usr', 'j')}", f"revoke 4716 {ident('fld', 'k')}", f"revoke 4717 {ident('ses', 'm')}",
    "revoke 4718 _" + "0e" * 16,
]
TRUST = {
    "main": trust_of(revoked=REVOKED),
    "ends-now": trust_of(issued="2026-11-22T09:05:00Z", expires=NOW),
    "ends-in-1-s": trust_of(issued="2026-11-22T09:05:00Z", expires="2026-11-22T10:05:01Z"),
    "begins-in-60-s": trust_of(issued="2026-11-22T10:06:00Z"),
    "begins-in-61-s": trust_of(issued="2026-11-22T10:06:01Z"),
    "all-revoked": trust_of(revoked=["revoke 5000 *"]),
}
