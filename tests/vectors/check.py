#!/usr/bin/env python3
"""Judges the vectors by a verifier that has nothing of libmeshauth in it.

    check.py FOLDER FILE...

A second implementation of docs/tickets.md and docs/trust-file.md, written to be read:
only Python's standard library and, for Ed25519, the openssl command. It judges trust
files and tickets, not rules: where those decide (no-rule, bound, or a yes) it must
find the tickets good.
"""
import base64
import calendar
import functools
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "data" / "golden"))
import make as golden  # noqa: E402  its encoder: what was read, written again, must be what was there

SAML, DS, DS11 = (f"{{{n}}}" for n in (golden.SAML, golden.DS, golden.DS11))
REASONS = ("size form trust-expired clock issuer key-unknown key-revoked key-window signature not-yet expired lifetime audience "
           "revoked holder no-proof mixed-set no-rule bound").split()
HEADER_MAX, XML_MAX, SET_MAX, LIFETIME_MAX_S = 60000, 16384, 8, 43200


class Refused(Exception):
    """With a reason of docs/tickets.md, or the outcome of a trust file."""


def demand(true, reason):
    if not true:
        raise Refused(reason)


# Values.

ID = "[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}"
KINDS = {k: f"{k}_{ID}" for k in ("usr", "dev", "fld", "inv", "ses", "svc")}
PRINCIPAL = f"(usr|svc)_{ID}"
NAME = "[a-z][a-z0-9_.-]{0,63}"
NUMBER = "0|[1-9][0-9]{0,17}"
URI = r"[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
AUDIENCE = f"https://.+|urn:meshauth:service:{NAME}|urn:meshauth:device:{KINDS['dev']}"
FACTS = {"asof": [NUMBER], "claimed": [KINDS["dev"], KINDS["usr"]], "holder": [KINDS["dev"]],
         "mapped": [KINDS["dev"], KINDS["fld"]], "member": [KINDS["usr"], KINDS["fld"], NAME],
         "role": [PRINCIPAL, NAME], "service": [KINDS["svc"]], "session": [KINDS["ses"]]}
RWEDC = {v: k for k, v in golden.RWEDC_NAME.items()}


def is_a(pattern, text):
    return text is not None and re.fullmatch(pattern, text) is not None


def seconds(text, reason="form"):
    demand(is_a(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\dZ", text), reason)
    try:
        found = calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        raise Refused(reason) from None
    demand(found >= 0, reason)
    return found


def unbase64(text, reason="form", url=False):
    """Strictly: what is decoded encodes to the same text."""
    encode, decode = ((base64.urlsafe_b64encode, base64.urlsafe_b64decode) if url else (base64.b64encode, base64.b64decode))
    try:
        data = decode(text + "=" * (-len(text) % 4 if url else 0))
    except (ValueError, TypeError):
        raise Refused(reason) from None
    demand(encode(data).decode().rstrip("=" if url else "") == text, reason)
    return data


# Keys and signatures.

P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
RSA_ALG = bytes.fromhex("300d06092a864886f70d0101010500")
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = golden.P256_ORDER
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def der(tag, content):
    n = len(content)
    size = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + content


def der_integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def rsa_spki(n, e):
    return der(0x30, RSA_ALG + der(3, b"\0" + der(0x30, der_integer(n) + der_integer(e))))


def rsa_key(spki):
    """(modulus, exponent), or None. Read loosely; then there is one way to write it."""
    integers = re.search(rb"\x02(?:\x82(..)|\x81(.))(.*)$", spki, re.DOTALL)
    if not spki.startswith(b"\x30\x82") or RSA_ALG not in spki[:20] or not integers:
        return None
    n_len = int.from_bytes(integers.group(1) or integers.group(2), "big")
    rest = integers.group(3)
    n, e = int.from_bytes(rest[:n_len], "big"), int.from_bytes(rest[n_len + 2:], "big")
    good = 2048 <= n.bit_length() <= 4096 and e % 2 and 3 <= e < 2**32
    return (n, e) if good and rsa_spki(n, e) == spki else None


def is_device_key(spki):
    return len(spki) == 91 and spki.startswith(P256_SPKI) or rsa_key(spki) is not None


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * (a[0] * a[0] - 1) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    total = None
    while k:
        total = add(total, point) if k & 1 else total
        point, k = add(point, point), k >> 1
    return total


def ecdsa_verifies(spki, data, value):
    r, s = int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
    if not (0 < r < N and 0 < s <= N // 2):  # low-S only
        return False
    point = int.from_bytes(spki[27:59], "big"), int.from_bytes(spki[59:], "big")
    w = pow(s, -1, N)
    found = add(multiply(int.from_bytes(hashlib.sha256(data).digest(), "big") * w % N, G), multiply(r * w % N, point))
    return found is not None and found[0] % N == r


def rsa_verifies(spki, data, value):
    n, e = rsa_key(spki)
    size = (n.bit_length() + 7) // 8
    wanted = SHA256_INFO + hashlib.sha256(data).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - 3 - len(wanted)) + b"\x00" + wanted
    number = int.from_bytes(value, "big")
    return len(value) == size and number < n and pow(number, e, n).to_bytes(size, "big") == wanted


def ed25519_verifies(public, data, value):
    with tempfile.TemporaryDirectory(prefix="vectors.") as folder:
        path = pathlib.Path(folder)
        (path / "key").write_bytes(bytes.fromhex("302a300506032b6570032100") + public)
        (path / "data").write_bytes(data)
        (path / "value").write_bytes(value)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", path / "key", "-rawin",
                               "-in", path / "data", "-sigfile", path / "value"], capture_output=True, timeout=60).returncode == 0


# Trust files.

def vkey_of(text):
    """name+hash+base64 of a verifier key (c2sp.org/signed-note): name, hash, Ed25519 key."""
    name, short, key = text.split("+", 2)
    raw = unbase64(key, "malformed")
    demand(len(raw) == 33 and raw[0] == 1 and hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] == short, "malformed")
    return name, bytes.fromhex(short), raw[1:]


def open_note(text, vkey):
    """The lines that a note signs."""
    name, short, public = vkey_of(vkey)
    body, signature = re.fullmatch("(.*\n)\n(\u2014 [^\n]*\n)", text, re.DOTALL).groups()
    _, signer, value = signature[:-1].split(" ")
    value = unbase64(value, "malformed")
    demand(signer == name and value[:4] == short and ed25519_verifies(public, body.encode(), value[4:]), "untrusted")
    return [line.split(" ") for line in body[:-1].split("\n")]


def fields(lines, *names):
    """The words of the next lines, which must be these."""
    for name in names:
        demand(lines and lines[0][0] == name, "malformed")
        yield lines.pop(0)[1:]


def number(text):
    demand(is_a(NUMBER, text), "malformed")
    return int(text)


class Trust:
    def __init__(self, text, root):
        try:
            self.read(text, root)
        except (AttributeError, IndexError, ValueError, KeyError):
            raise Refused("malformed") from None

    def read(self, text, root):
        demand("\r" not in text, "malformed")
        first, second, listed = re.fullmatch("(.*?\n\n\u2014 [^\n]*\n)\n(.*?\n\n\u2014 [^\n]*\n)\n(.*)", text, re.DOTALL).groups()
        lines = open_note(first, root)
        _, (issuer,), (epoch,), (authority, begins, ends) = fields(lines, "meshauth-authority", "issuer", "epoch", "authority")
        demand(not lines, "malformed")
        lines = open_note(second, authority)
        _, (self.issuer,), (epoch_again,), (sequence,), (issued,), (expires,), _ = fields(
            lines, "meshauth-trust", "issuer", "epoch", "sequence", "issued", "expires", "checkpoint")
        demand((issuer, epoch) == (self.issuer, epoch_again), "untrusted")
        number(epoch), number(sequence)
        self.issued_s, self.expires_s = seconds(issued, "malformed"), seconds(expires, "malformed")
        demand(self.issued_s < self.expires_s <= self.issued_s + LIFETIME_MAX_S, "malformed")
        demand(seconds(begins, "malformed") <= self.issued_s < seconds(ends, "malformed"), "untrusted")
        self.keys = {}
        while lines[0][0] == "key":
            self.take_key(*lines.pop(0)[1:])
        (count, digest), = fields(lines, "revocations")
        demand(not lines, "malformed")
        demand(base64.b64encode(hashlib.sha256(listed.encode()).digest()).decode() == digest, "untrusted")
        rows = listed.splitlines()
        demand(len(rows) == number(count) and rows == sorted(set(rows)), "malformed")
        self.revocations = [self.revocation(*row.split(" ")) for row in rows]

    def take_key(self, name, state, alg, begins, ends, audiences, spki):
        spki = unbase64(spki, "malformed")
        demand(is_device_key(spki) and hashlib.sha256(spki).hexdigest()[:16] == name and name not in self.keys, "malformed")
        demand(alg == ("ecdsa-sha256" if len(spki) == 91 else "rsa-sha256"), "malformed")
        demand(state in ("next", "active", "retiring", "revoked"), "malformed")
        self.keys[name] = {"state": state, "alg": alg, "begins_s": seconds(begins, "malformed"), "ends_s": seconds(ends, "malformed"),
                           "audiences": None if audiences == "*" else audiences.split(","), "spki": spki}

    @staticmethod
    def revocation(word, at, *ids):
        demand(word == "revoke" and (ids == ("*",) or 1 <= len(ids) <= 3 and list(ids) == sorted(set(ids))), "malformed")
        return number(at), set(ids)


# Tickets.

def xml_of(credential):
    raw = unbase64(credential, url=True)
    demand(raw, "form")
    if raw[:1] != b"<":
        stream = zlib.decompressobj(-15)
        try:
            raw = stream.decompress(raw, XML_MAX + 1)
        except zlib.error:
            raise Refused("form") from None
        demand(len(raw) <= XML_MAX, "size")
        demand(stream.eof and not stream.unused_data, "form")
    demand(len(raw) <= XML_MAX, "size")
    return raw


def read(xml):
    """The values of an assertion, as golden/make.py takes them, and those of its signature."""
    root = ElementTree.fromstring(xml)
    confirmation = root.find(f"{SAML}Subject/{SAML}SubjectConfirmation/{SAML}SubjectConfirmationData")
    conditions = root.find(f"{SAML}Conditions")
    authn = root.find(f"{SAML}AuthnStatement")
    holder = confirmation.find(f".//{DS11}DEREncodedKeyValue")
    t = {"id": root.get("ID"), "issued": root.get("IssueInstant"), "issuer": root.findtext(f"{SAML}Issuer"),
         "subject": root.findtext(f"{SAML}Subject/{SAML}NameID"), "holder_spki": None if holder is None else holder.text,
         "not_before": conditions.get("NotBefore"), "not_on_or_after": conditions.get("NotOnOrAfter"),
         "audiences": [a.text for a in conditions.iter(f"{SAML}Audience")],
         "permits": [{"resource": p.get("Resource"), "actions": [action_of(a) for a in p]}
                     for p in root.iter(f"{SAML}AuthzDecisionStatement")],
         "facts": [(a.get("Name").removeprefix(golden.FACT), *(v.text for v in a)) for a in root.iter(f"{SAML}Attribute")]}
    if authn is not None:
        t["authn"] = {"instant": authn.get("AuthnInstant"), "session": authn.get("SessionIndex"),
                      "class": authn.findtext(f".//{SAML}AuthnContextClassRef")}
    signature = root.find(f"{DS}Signature")
    method = signature.find(f"{DS}SignedInfo/{DS}SignatureMethod").get("Algorithm")
    return t, {"alg": method.removeprefix(golden.MORE), "digest": signature.findtext(f".//{DS}DigestValue"),
               "value": signature.findtext(f"{DS}SignatureValue"), "key": signature.findtext(f"{DS}KeyInfo/{DS}KeyName")}


def action_of(element):
    namespace, name = element.get("Namespace"), element.text
    if namespace == golden.RWEDC:
        return RWEDC[name]
    demand(namespace == golden.OWN_ACTION and name not in RWEDC.values(), "form")
    return name


def signed_info(t, s):
    """What SignedInfo must look like, without its first tag."""
    return (f'<ds:CanonicalizationMethod Algorithm="{golden.EXC}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{golden.MORE}{s["alg"]}"></ds:SignatureMethod><ds:Reference URI="#{t["id"]}"><ds:Transforms>'
            f'<ds:Transform Algorithm="{golden.DS}enveloped-signature"></ds:Transform>'
            f'<ds:Transform Algorithm="{golden.EXC}"></ds:Transform></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{golden.SHA256}"></ds:DigestMethod><ds:DigestValue>{s["digest"]}</ds:DigestValue>'
            '</ds:Reference></ds:SignedInfo>')


def written_again(t, s):
    head, tail = golden.parts(t)
    return (f'{head}<ds:Signature xmlns:ds="{golden.DS}"><ds:SignedInfo>{signed_info(t, s)}<ds:SignatureValue>{s["value"]}'
            f'</ds:SignatureValue><ds:KeyInfo><ds:KeyName>{s["key"]}</ds:KeyName></ds:KeyInfo></ds:Signature>{tail}').encode()


def check_values(t, s):
    """What the one byte form does not show: values, orders, counts, what goes with what."""
    relations = [f[0] for f in t["facts"]]
    authn, issuer = t.get("authn"), t["issuer"]
    resources = [p["resource"] for p in t["permits"]]
    actions = [a for p in t["permits"] for a in p["actions"]]
    arguments = [a for f in t["facts"] for a in zip(FACTS[f[0]], f[1:], strict=True)]
    demand(is_a("_[0-9a-f]{32}", t["id"]) and is_a(URI, issuer) and is_a(PRINCIPAL, t["subject"]), "form")
    demand(all(is_a(*a) for a in arguments) and all(is_a(URI, r) for r in resources), "form")
    demand(t["facts"] == sorted(set(t["facts"])) and resources == sorted(set(resources)), "form")
    demand(all(p["actions"] and len(set(p["actions"])) == len(p["actions"]) for p in t["permits"]), "form")
    demand(all(is_a(NAME, a) for a in actions), "form")
    demand(len(t["facts"]) <= 64 and len(resources) <= 14 and len(actions) <= 64, "form")
    demand(1 <= len(t["audiences"]) <= 4 and len(set(t["audiences"])) == len(t["audiences"]), "form")
    demand(all(a == issuer or is_a(AUDIENCE, a) and is_a(URI, a) for a in t["audiences"]), "form")
    demand(relations.count("asof") == relations.count("session") == 1 and relations.count("holder") <= 1, "form")
    demand(seconds(t["issued"]) >= 0 and seconds(t["not_before"]) < seconds(t["not_on_or_after"]), "form")
    if authn:
        demand(not resources and t["audiences"] == [issuer] and authn["session"] == fact(t, "session"), "form")
        demand(is_a(URI, authn["class"]) and seconds(authn["instant"]) >= 0, "form")
    else:
        demand(issuer not in t["audiences"], "form")
    if t["holder_spki"]:
        demand(is_device_key(unbase64(t["holder_spki"])), "form")
    else:
        demand(len(t["audiences"]) == 1 and "holder" not in relations, "form")
    demand(is_a("[0-9a-f]{16}", s["key"]) and s["alg"] in ("ecdsa-sha256", "rsa-sha256") and len(unbase64(s["digest"])) == 32, "form")
    demand(s["alg"] != "ecdsa-sha256" or len(unbase64(s["value"])) == 64, "form")
    unbase64(s["value"])


def fact(t, relation):
    return next((f[1] for f in t["facts"] if f[0] == relation), "")


def decode(xml):
    demand(b"<!" not in xml, "form")  # neither a DTD nor a comment is for the parser
    try:
        t, s = read(xml)
        demand(written_again(t, s) == xml, "form")
        check_values(t, s)
    except (ElementTree.ParseError, AttributeError, AssertionError, KeyError, TypeError, ValueError):
        raise Refused("form") from None
    return t, s


def mentions(t):
    """Ids that a ticket speaks of."""
    found = {t["id"], t["subject"], *(a for f in t["facts"] for a in f[1:])}
    for p in t["permits"]:
        path = re.sub("^[^:]*:(//[^/?#]*)?", "", p["resource"])
        found.update(s for s in re.split("[?#]", path)[0].split("/") if is_a(f"(usr|dev|fld|inv|ses|svc)_{ID}", s))
    return found


def check_ticket(xml, trust, v):
    t, s = decode(xml)
    now_s, skew_s = seconds(v["now"]), v["skew"]
    demand(now_s < trust.expires_s, "trust-expired")
    demand(now_s >= trust.issued_s - skew_s, "clock")
    demand(t["issuer"] == trust.issuer, "issuer")
    demand(s["key"] in trust.keys, "key-unknown")
    key = trust.keys[s["key"]]
    issued_s, ends_s = seconds(t["issued"]), seconds(t["not_on_or_after"])
    demand(key["state"] != "revoked", "key-revoked")
    demand(key["begins_s"] <= issued_s and ends_s <= key["ends_s"], "key-window")
    demand(s["alg"] == key["alg"], "signature")
    demand(base64.b64encode(hashlib.sha256("".join(golden.parts(t)).encode()).digest()).decode() == s["digest"], "signature")
    covered = f'<ds:SignedInfo xmlns:ds="{golden.DS}">{signed_info(t, s)}'.encode()
    verifies = ecdsa_verifies if key["alg"] == "ecdsa-sha256" else rsa_verifies
    demand(verifies(key["spki"], covered, unbase64(s["value"])), "signature")
    demand(max(seconds(t["not_before"]), issued_s) <= now_s + skew_s, "not-yet")
    demand(now_s - skew_s < ends_s, "expired")
    demand(ends_s - issued_s <= LIFETIME_MAX_S, "lifetime")
    demand(key["audiences"] is None or set(t["audiences"]) <= set(key["audiences"]), "audience")
    demand(v["audience"] in t["audiences"], "audience")
    ids = mentions(t)
    demand(not any(int(fact(t, "asof")) < at and (what == {"*"} or what <= ids) for at, what in trust.revocations), "revoked")
    if t["holder_spki"]:
        demand(v["key"] is None or v["key"] == t["holder_spki"], "holder")
        demand(v["key"] is not None, "no-proof")
    else:
        demand(v["allow_bearer"], "no-proof")
    return t


def check_header(v, trust):
    """The tickets of an Authorization header, all of them good."""
    header = re.fullmatch("(?:bearer|dpop) (.*)", v["authorization"], re.DOTALL | re.IGNORECASE)
    demand(header, "form")
    demand(len(header.group(1)) <= HEADER_MAX, "size")
    credentials = header.group(1).split("~")
    demand(len(credentials) <= SET_MAX, "size")
    demand(all(credentials), "form")
    tickets = []
    for credential in credentials:
        t = check_ticket(xml_of(credential), trust, v)
        tickets.append((t["subject"], fact(t, "session"), bool(t["holder_spki"]), t["id"], fact(t, "holder")))
        demand(tickets[-1][:3] == tickets[0][:3], "mixed-set")
    return tickets


# The vectors.

@functools.cache
def trust_file(path, root):
    return Trust(path.read_text(encoding="utf-8"), root)


def verdict(v, folder):
    """What there is to complain of, or None."""
    wanted = "" if v["reason"] in ("no-rule", "bound") else v["reason"]
    try:
        tickets = check_header(v, trust_file(folder / v["trust"], v["root"]))
    except Refused as e:
        return None if wanted == str(e) else f"{wanted or 'a good ticket'} wanted, got {e}"
    if wanted:
        return f"{wanted} wanted, found good"
    says = v["verdict"] == "deny" or any(
        (v["subject"], v["session"], v["ticket"], v["holder"]) == (t[0], t[1], t[3], t[4]) for t in tickets)
    return None if says else f"none of the tickets says what is wanted: {tickets}"


def outcome(v):
    try:
        Trust(v["trust"], v["root"])
        got = "ok"
    except Refused as e:
        got = str(e)
    return None if got == v["outcome"] else f"{v['outcome']} wanted, got {got}"


def main(folder, *paths):
    asked = failed = 0
    unseen = set(REASONS)
    for path in paths:
        file = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        found = [(v, verdict(v, pathlib.Path(folder))) for v in file.get("vectors", [])]
        found += [(v, outcome(v)) for v in file.get("files", [])]
        for v, complaint in found:
            asked += 1
            unseen.discard(v.get("reason"))
            if complaint:
                failed += 1
                print(f"{file['group']}, \"{v['name']}\": {complaint}")
    print(f"{asked} vectors, {failed} failures", *(f"no vector shows {r}" for r in unseen), sep="\n")
    return 1 if failed or unseen else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
