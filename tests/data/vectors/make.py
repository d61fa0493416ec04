#!/usr/bin/env python3
"""Writes the vectors (README.md): keys, trust files, and *.json. Needs only Python's
standard library and the openssl command. What each vector expects is said here by hand.

Keys are made once and kept. ECDSA signatures differ from run to run.
"""
import base64
import hashlib
import hmac
import json
import re
import sys

sys.dont_write_bytecode = True

from issuer import (ALICE, BOB, DS, EXC, GOLDEN, HERE, ISSUER, KEY_LINES, MORE, NOW, PC, PHONE, RELAY, REVOKED,  # noqa: E402
                    SERVICE, SESSION, SHA256, SPKI, STORAGE, TRIP, TRIP_URL, TRUST, VKEY, WORK, WORK_URL, b64, bearer,
                    deflate, facts, golden, ident, identity, key_id, key_line, openssl, raw_signature, rights, rs, sub,
                    sync_facts, trust_of, url64, xml_of)

groups = {}


def group(name, about):
    groups[name] = {"about": about, "vectors": []}
    return groups[name]["vectors"]


def credential(t, form="plain", **how):
    xml = t if isinstance(t, bytes) else xml_of(t, **how)
    return url64(xml if form == "plain" else deflate(xml))


def vector(into, name, authorization, reason="", **more):
    """authorization: the header's value, or what makes up a credential for Bearer."""
    v = {"name": name, "trust": "trust/main", "root": VKEY, "rules": "rules/example.rules", "audience": STORAGE, "skew": 60,
         "allow_bearer": False, "now": NOW, "authorization": authorization, "key": b64(SPKI["device"]), "action": "read",
         "args": [f"{TRIP_URL}/photos/a.jpg"]}
    says = {k: more.pop(k) for k in list(more) if k in ("subject", "session", "holder", "ticket")}
    v.update(more, verdict="deny" if reason else "allow", reason=reason)
    if not reason:
        v.update({"subject": ALICE, "session": SESSION, "holder": PC, "ticket": "_" + "0a" * 16, **says})
    assert all(v["name"] != other["name"] for other in into), name
    into.append(v)


def ticket(into, name, t, reason="", form="plain", how=None, **more):
    vector(into, name, "Bearer " + credential(t, form, **(how or {})), reason, **more)


def golden_vectors():
    g = group("golden", "The tickets of tests/data/golden, under their own trust file.")
    device = b64(openssl("pkey", "-in", str(GOLDEN / "device.pem"), "-pubout", "-outform", "DER"))
    dev_x, dev_y = ident("dev", "x"), ident("dev", "y")
    folder = f"{ISSUER}/v1/mesh/folders/{ident('fld', 'f')}"
    common = {"trust": "../golden/trust", "root": (GOLDEN / "root.vkey").read_text().strip(), "key": device}
    for alg in ("p256", "rsa2048"):
        for i, form in enumerate(("plain", "deflated")):
            def one(kind):
                return "Bearer " + (GOLDEN / f"{kind}.{alg}.credential").read_text().split("\n")[i]

            def add(kind, reason="", what="", **more):
                vector(g, f"{kind} {alg} {form}{what}", one(kind), reason, **{**common, "holder": dev_x, **more})
            add("rights", action="write", args=[folder + "/a"], ticket="_" + "03" * 16)
            add("p2p-same-user", audience=RELAY, action="sync", args=[dev_x, dev_y], ticket="_" + "04" * 16)
            add("p2p-shared-folder", "revoked", audience=RELAY, action="sync", args=[dev_x, dev_y])
            add("bearer", action="subscribe", args=[folder + "/R&D/a'b(1)/c"], key=None, allow_bearer=True, holder="",
                ticket="_" + "06" * 16)
            add("bearer", "no-proof", " where none is allowed", action="subscribe", args=[folder + "/R&D/a'b(1)"])
            if form == "plain":
                add("identity", "no-rule", audience=ISSUER, args=[folder])
                add("identity-new-device", "no-rule", audience=ISSUER, args=[folder])
                add("service", "no-rule", audience=ISSUER, args=[folder])


def accepted():
    g = group("accepted", "Good ones that are easily refused by mistake.")
    for key in ("p256", "rsa2048", "rsa4096", "next", "storage-only"):
        ticket(g, f"signed by {key}", rights(), how={"key": key})
    ticket(g, "deflated", rights(), form="deflated")
    vector(g, "deflated as stored blocks", "Bearer " + url64(deflate(xml_of(rights()), level=0)))
    vector(g, "scheme DPoP", "DPoP " + credential(rights()))
    vector(g, "scheme in another case", "bEARER " + credential(rights()))
    ticket(g, "bound to an RSA key", rights(holder_spki=b64(SPKI["device-rsa"])), key=b64(SPKI["device-rsa"]))
    ticket(g, "bearer", bearer(), allow_bearer=True, holder="", key=None)
    ticket(g, "bearer, and a key was proven all the same", bearer(), allow_bearer=True, holder="")
    ticket(g, "bound to a key of no registered device", rights(facts=facts()), holder="")
    ticket(g, "four audiences", rights(audiences=["urn:meshauth:service:a", RELAY, f"urn:meshauth:device:{PHONE}", STORAGE]))
    ticket(g, "a resource with an ampersand", rights(permits=[{"resource": TRIP_URL + "/R&D", "actions": ["read"]}]),
           args=[TRIP_URL + "/R&D/x"])
    ticket(g, "fourteen permits", rights(permits=[{"resource": f"{TRIP_URL}/{n:02}", "actions": ["read"]} for n in range(14)]),
           args=[TRIP_URL + "/13/x"])
    ticket(g, "64 facts", rights(facts=facts(("claimed", PC, ALICE), ("holder", PC), *(
        ("service", f"svc_{n:026}") for n in range(60)))))
    ticket(g, "no facts but the two", rights(facts=facts(asof="0")), holder="")
    ticket(g, "the largest number", rights(facts=facts(asof="9" * 18)), holder="")
    ticket(g, "the permit's very node", rights(), args=[TRIP_URL])
    ticket(g, "a queue of its own device", rights(permits=[]), action="receive", args=[PC])
    ticket(g, "sync with a device of another user", rights(permits=[], audiences=[RELAY], facts=sync_facts()), audience=RELAY,
           action="sync", args=[PC, PHONE])
    ticket(g, "a service by its role", rights(subject=SERVICE, permits=[], facts=facts(("role", SERVICE, "publish"))), subject=SERVICE,
           holder="", action="publish", args=["anything"])


def header():
    g = group("header", "The Authorization header.")
    good = credential(rights())
    vector(g, "no scheme", good, "form")
    vector(g, "another scheme", "Basic " + good, "form")
    vector(g, "scheme alone", "Bearer", "form")
    vector(g, "nothing behind the scheme", "Bearer ", "form")
    vector(g, "two spaces", "Bearer  " + good, "form")
    vector(g, "a tab", "Bearer\t" + good, "form")
    vector(g, "space at the end", f"Bearer {good} ", "form")
    vector(g, "two credentials by a comma", f"Bearer {good}, Bearer {good}", "form")
    vector(g, "empty alternative at the end", f"Bearer {good}~", "form")
    vector(g, "empty alternative at the start", f"Bearer ~{good}", "form")
    short = "~".join([url64(deflate(xml_of(rights())))] * 9)
    vector(g, "eight alternatives", "Bearer " + short.rsplit("~", 1)[0])
    vector(g, "nine alternatives", "Bearer " + short, "size")
    vector(g, "60,001 characters", "Bearer " + "A" * 60001, "size")
    vector(g, "60,000 characters of nothing", "Bearer " + "A" * 60000, "form")
    vector(g, "padding", "Bearer " + base64.urlsafe_b64encode(next(
        x for x in (deflate(xml_of(rights())) for _ in range(100)) if len(x) % 3)).decode(), "form")
    plain = next(p for p in (base64.b64encode(deflate(xml_of(rights()))).decode().rstrip("=") for _ in range(100)) if "+" in p and "/" in p)
    vector(g, "base64, not base64url", "Bearer " + plain, "form")
    vector(g, "white space inside", f"Bearer {good[:40]} {good[40:]}", "form")
    stream = next(x for x in (deflate(xml_of(rights())) for _ in range(100)) if len(x) % 3)
    text = url64(stream)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    vector(g, "bits left over that are not zero", "Bearer " + text[:-1] + alphabet[alphabet.index(text[-1]) + 1], "form")
    flat = deflate(xml_of(rights()))
    vector(g, "a byte behind the DEFLATE stream", "Bearer " + url64(flat + b"\0"), "form")
    vector(g, "DEFLATE stream cut short", "Bearer " + url64(flat[:-1]), "form")
    vector(g, "zlib header", "Bearer " + url64(deflate(xml_of(rights()), bits=15)), "form")
    vector(g, "gzip", "Bearer " + url64(deflate(xml_of(rights()), bits=31)), "form")
    vector(g, "deflated twice", "Bearer " + url64(deflate(deflate(xml_of(rights())))), "form")
    vector(g, "a bomb", "Bearer " + url64(deflate(b"<" + b"A" * 4000000)), "size")
    big = xml_of(rights())
    vector(g, "16,384 bytes of no ticket", "Bearer " + url64(big + b" " * (16384 - len(big))), "form")
    vector(g, "16,385 bytes", "Bearer " + url64(big + b" " * (16385 - len(big))), "size")
    vector(g, "16,385 bytes inflated", "Bearer " + url64(deflate(big + b" " * (16385 - len(big)))), "size")


def form():
    g = group("form", "Well signed, and in nothing but their form not tickets.")

    def bad(name, t=None, **how):
        key = how.pop("device", b64(SPKI["device"]))
        ticket(g, name, t or rights(), "form", how=how, key=key, allow_bearer=True)

    for name, old, new in (
        ("comment in NameID", ALICE, ALICE[:9] + "<!-- -->" + ALICE[9:]),
        ("processing instruction", "<saml:Subject>", "<?a b?><saml:Subject>"),
        ("CDATA", f">{ALICE}<", f"><![CDATA[{ALICE}]]><"),
        ("character reference", f">{ALICE}<", f">&#117;{ALICE[1:]}<"),
        ("white space between elements", "<saml:Subject>", "\n<saml:Subject>"),
        ("white space in a tag", "<saml:Subject>", "<saml:Subject >"),
        ("apostrophes around an attribute", 'Version="2.0"', "Version='2.0'"),
        ("attributes in another order", 'Decision="Permit" Resource="' + TRIP_URL + '"', f'Resource="{TRIP_URL}" Decision="Permit"'),
        ("Decision Deny", 'Decision="Permit"', 'Decision="Deny"'),
        ("Version 2.1", 'Version="2.0"', 'Version="2.1"'),
        ("a namespace too many", "<saml:Conditions ", '<saml:Conditions xmlns:x="urn:x:y" '),
        ("an attribute too many", "<saml:Conditions ", '<saml:Conditions Id="x" '),
        ("OneTimeUse", "</saml:Conditions>", "<saml:OneTimeUse></saml:OneTimeUse></saml:Conditions>"),
        ("second AudienceRestriction", "</saml:Conditions>",
         f"<saml:AudienceRestriction><saml:Audience>{RELAY}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"),
        ("second SubjectConfirmation", "</saml:Subject>",
         '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"></saml:SubjectConfirmation></saml:Subject>'),
        ("unknown fact", "fact:member", "fact:owner"),
        ("fact with too many arguments", "<saml:AttributeValue>4711</saml:AttributeValue>",
         "<saml:AttributeValue>4711</saml:AttributeValue><saml:AttributeValue>4711</saml:AttributeValue>"),
        ("number with a leading zero", ">4711<", ">04711<"),
        ("number of 19 digits", ">4711<", f">{'1' * 19}<"),
        ("id that begins with 8", f">{SESSION}<", f">ses_8{'s' * 25}<"),
        ("id with a letter that base32 has not", f">{SESSION}<", f">ses_0{'l' * 25}<"),
        ("user where a session belongs", f">{SESSION}<", f">{ALICE}<"),
        ("role in capitals", ">contributor<", ">Contributor<"),
        ("Action of the wrong namespace", golden.RWEDC, "urn:meshauth:action"),
        ("our spelling of rwedc's Read", ">Read<", ">read<"),
        ("30 February", "2026-11-22T10:10:00Z", "2026-02-30T10:10:00Z"),
        ("a leap second", "2026-11-22T10:10:00Z", "2026-11-22T10:10:60Z"),
        ("fraction of a second", "2026-11-22T10:10:00Z", "2026-11-22T10:10:00.0Z"),
        ("time without zone", "2026-11-22T10:10:00Z", "2026-11-22T10:10:00"),
        ("white space in a URI", f'"{TRIP_URL}"', f'"{TRIP_URL}/a b"'),
        ("URI beyond ASCII", f'"{TRIP_URL}"', f'"{TRIP_URL}/\u00e9"'),
        ("% with one digit", f'"{TRIP_URL}"', f'"{TRIP_URL}/%2"'),
        ("unknown audience form", STORAGE, "urn:example:storage"),
        ("NameID of a device", f">{ALICE}</saml:NameID>", f">{PC}</saml:NameID>"),
        ("empty NameID", f">{ALICE}</saml:NameID>", "></saml:NameID>"),
    ):
        bad(name, text=sub(old, new))
    bad("no asof", rights(facts=facts()[1:]))
    bad("two sessions", rights(facts=facts(("session", ident("ses", "t")))))
    bad("two holders", rights(facts=facts(("holder", PC), ("holder", PHONE))))
    bad("facts in another order", text=lambda s: re.sub("(<saml:Attribute .*?</saml:Attribute>)(<saml:Attribute .*?</saml:Attribute>)",
                                                        r"\2\1", s, count=1))
    bad("a fact twice", rights(facts=facts(("holder", PC), ("claimed", PC, ALICE), ("claimed", PC, ALICE))))
    bad("permits in another order", rights(permits=[{"resource": u, "actions": ["read"]} for u in (WORK_URL, TRIP_URL)]))
    bad("a permit twice", rights(permits=[{"resource": TRIP_URL, "actions": ["read"]}] * 2))
    bad("a permit without actions", rights(permits=[{"resource": TRIP_URL, "actions": []}]))
    bad("an action twice", rights(permits=[{"resource": TRIP_URL, "actions": ["read", "read"]}]))
    bad("fifteen permits", rights(permits=[{"resource": f"{TRIP_URL}/{n:02}", "actions": ["read"]} for n in range(15)]))
    bad("65 actions", rights(permits=[{"resource": TRIP_URL, "actions": [f"a{n:02}" for n in range(65)]}]))
    bad("65 facts", rights(facts=facts(*(("service", f"svc_{n:026}") for n in range(63)))))
    bad("no audience", rights(audiences=[]))
    bad("five audiences", rights(audiences=[STORAGE, *(f"urn:meshauth:service:a{n}" for n in range(4))]))
    bad("an audience twice", rights(audiences=[STORAGE, STORAGE]))
    bad("NotBefore is NotOnOrAfter", rights(not_before="2026-11-22T10:10:00Z"))
    bad("a rights ticket for the issuer", rights(audiences=[ISSUER]))
    bad("an identity ticket for the storage", identity(audiences=[STORAGE]))
    bad("an identity ticket with a permit", identity(permits=rights()["permits"]))
    bad("SessionIndex of another session", identity(authn={**identity()["authn"], "session": ident("ses", "t")}))
    bad("holder in a bearer ticket", bearer(facts=facts(("holder", PC))))
    bad("bearer with two audiences", bearer(audiences=[STORAGE, RELAY]))
    bad("bearer whose Recipient is another", bearer(), text=sub(f'Recipient="{STORAGE}"', f'Recipient="{RELAY}"'))
    bad("bearer whose NotOnOrAfter is another", bearer(), text=sub('Data NotOnOrAfter="2026-11-22T10:10:00Z"', 'Data NotOnOrAfter="2026-11-22T10:11:00Z"'))
    bad("ID in capitals", rights(id="_" + "0A" * 16))
    bad("ID of 31 digits", rights(id="_" + "0" * 31))
    spki = SPKI["device"]
    for name, key in (
        ("holder's key compressed", spki[:24].replace(b"\x30\x59", b"\x30\x39", 1) + b"\x22\x00" + bytes([2 + (spki[-1] & 1)]) + spki[27:59]),
        ("holder's key with a byte behind it", spki + b"\0"),
        ("holder's key of 1024 bits", rsa1024()),
    ):
        bad(name, rights(holder_spki=b64(key)), device=b64(key))
    bad("holder's key in base64 with a line end", rights(), text=sub(b64(spki), b64(spki)[:64] + "\n" + b64(spki)[64:]))
    # What goes into the signature is not signed, so this is as easy for a thief.
    bad("signature in base64 with a line end", signed=lambda s: re.sub("(<ds:SignatureValue>.{40})", "\\1\n", s))
    bad("signature without padding", signed=lambda s: s.replace("==</ds:SignatureValue>", "</ds:SignatureValue>"))
    bad("ECDSA value of 63 bytes", value=lambda raw, _: raw[:-1])
    bad("ECDSA value of 65 bytes", value=lambda raw, _: raw + b"\0")
    bad("ECDSA value in DER", value=lambda raw, covered: openssl("dgst", "-sha256", "-sign", str(HERE / "keys/p256.pem"), data=covered))
    bad("an X.509 certificate beside KeyName", signed=sub("</ds:KeyName>", "</ds:KeyName><ds:X509Data></ds:X509Data>"))
    bad("a KeyValue in place of KeyName", signed=lambda s: re.sub("<ds:KeyName>.*</ds:KeyName>", "<ds:KeyValue></ds:KeyValue>", s))
    bad("ds:Object", signed=sub("</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>"))
    bad("two signatures", signed=lambda s: re.sub("(<ds:Signature .*</ds:Signature>)", r"\1\1", s))
    bad("no signature", signed=lambda s: re.sub("<ds:Signature .*</ds:Signature>", "", s))
    bad("rsa-sha1", key="rsa2048", info=sub(MORE + "rsa-sha256", DS + "rsa-sha1"))
    bad("hmac-sha256", info=sub("ecdsa-sha256", "hmac-sha256"), value=lambda _, covered: hmac.digest(spki, covered, "sha256"))
    bad("digest SHA-1", info=sub(SHA256, DS + "sha1"))
    bad("reference to nothing", info=lambda s: re.sub('URI="#[^"]*"', 'URI=""', s))
    bad("reference to another ID", info=sub('URI="#_0a', 'URI="#_0b'))
    bad("two references", info=lambda s: re.sub("(<ds:Reference .*</ds:Reference>)", r"\1\1", s))
    bad("inclusive canonicalization", info=sub(EXC, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"))
    bad("a transform left out", info=sub(f'<ds:Transform Algorithm="{EXC}"></ds:Transform>', ""))
    bad("wrapped in another assertion", signed=lambda s: re.sub("<ds:Signature .*</ds:Signature>", "", s).replace(
        "</saml:Subject>", s + "</saml:Subject>"))
    bad("an XML declaration", signed=lambda s: '<?xml version="1.0"?>' + s)
    bad("a byte order mark", signed=lambda s: "\ufeff" + s)
    bad("a DTD", signed=lambda s: "<!DOCTYPE a>" + s)
    bad("a line end behind it", signed=lambda s: s + "\n")
    bad("cut short", signed=lambda s: s[:-1])
    bad("UTF-16", signed=lambda s: s.encode("utf-16-le").decode("latin-1").replace("\x00", "\0"))


def rsa1024():
    path = HERE / "keys" / "rsa1024"
    return golden.new_key(str(path), "rsa1024")


def trust():
    g = group("trust", "The trust file's time, the issuer, and the key that signed.")
    ticket(g, "now is its expires", rights(), "trust-expired", trust="trust/ends-now")
    ticket(g, "one second before its expires", rights(), trust="trust/ends-in-1-s")
    ticket(g, "issued a skew ahead", rights(), trust="trust/begins-in-60-s")
    ticket(g, "issued a second more than a skew ahead", rights(), "clock", trust="trust/begins-in-61-s")
    ticket(g, "the smallest skew", rights(), "clock", trust="trust/begins-in-60-s", skew=59)
    ticket(g, "the largest skew", rights(), trust="trust/begins-in-61-s", skew=180)
    ticket(g, "form comes before", rights(), "form", how={"signed": lambda s: s + " "}, trust="trust/ends-now")
    ticket(g, "trust-expired comes before issuer", rights(issuer="https://auth.other.example"), "trust-expired", trust="trust/ends-now")
    ticket(g, "another issuer", rights(issuer="https://auth.other.example"), "issuer")
    ticket(g, "the issuer with a slash", rights(issuer=ISSUER + "/"), "issuer")
    ticket(g, "issuer comes before key-unknown", rights(issuer="https://auth.other.example"), "issuer", how={"key": "stranger"})
    ticket(g, "a key that is not in the file", rights(), "key-unknown", how={"key": "stranger"})
    ticket(g, "a revoked key", rights(), "key-revoked", how={"key": "revoked"})
    ticket(g, "a revoked key, and a bad signature", rights(), "key-revoked", how={"key": "stranger", "name": "revoked"})
    within = {"issued": "2026-11-22T10:00:00Z", "not_on_or_after": "2026-11-22T10:08:00Z"}
    ticket(g, "just inside the key's window", rights(**within), how={"key": "narrow"})
    ticket(g, "issued before the key's window", rights(**{**within, "issued": "2026-11-22T09:59:59Z"}), "key-window", how={"key": "narrow"})
    ticket(g, "ends after the key's window", rights(**{**within, "not_on_or_after": "2026-11-22T10:08:01Z"}), "key-window", how={"key": "narrow"})


def signature():
    g = group("signature", "Of the right form, and not signed by the key that is named.")

    def bad(what, t=None, **how):
        ticket(g, what, t or rights(), "signature", how=how)
    bad("another subject", signed=sub(f">{ALICE}</saml:NameID>", f">{BOB}</saml:NameID>"))
    bad("another action", signed=sub(">Write<", ">Delete<"), t=rights(permits=[{"resource": TRIP_URL, "actions": ["write"]}]))
    bad("another time", signed=sub('NotOnOrAfter="2026-11-22T10:10:00Z"', 'NotOnOrAfter="2026-11-22T11:10:00Z"'))
    bad("another holder", signed=sub(b64(SPKI["device"]), b64(SPKI["thief"])))
    bad("digest of nothing", info=lambda s: re.sub("(<ds:DigestValue>)[^<]*", lambda m: m.group(1) + b64(hashlib.sha256(b"").digest()), s))
    bad("digest made to fit, SignedInfo not signed anew", signed=refit)
    bad("signed by a stranger", key="stranger", name="p256")
    bad("signed by a stranger's RSA key", key="stranger-rsa", name="rsa2048")
    bad("signed by another trusted key", key="next", name="p256")
    bad("RSA key named, ECDSA signature", key="p256", name="rsa2048")
    bad("ECDSA key named, RSA signature", key="rsa2048", name="p256")
    bad("high s", value=rs(s=lambda r, s: golden.P256_ORDER - s))
    bad("r is 0", value=rs(r=lambda r, s: 0))
    bad("s is 0", value=rs(s=lambda r, s: 0))
    bad("both are 0", value=rs(lambda r, s: 0, lambda r, s: 0))
    bad("r and s exchanged", value=lambda raw, _: raw[32:] + raw[:32])
    bad("r is the order", value=rs(r=lambda r, s: golden.P256_ORDER))
    bad("s is the order", value=rs(s=lambda r, s: golden.P256_ORDER))
    bad("r is all ones", value=rs(r=lambda r, s: 2**256 - 1))
    bad("RSA value a byte short", key="rsa2048", value=lambda raw, _: raw[1:])
    bad("RSA value with a zero before it", key="rsa2048", value=lambda raw, _: b"\0" + raw)
    bad("RSA value of zeros", key="rsa2048", value=lambda raw, _: bytes(256))
    bad("RSA value plus the modulus", key="rsa2048", value=plus_modulus)
    bad("SHA-1 under RSA", key="rsa2048", value=lambda _, covered: openssl("dgst", "-sha1", "-sign", str(HERE / "keys/rsa2048.pem"), data=covered))
    bad("RSA-PSS", key="rsa2048", value=lambda _, covered: openssl(
        "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sign", str(HERE / "keys/rsa2048.pem"), data=covered))
    bad("signature of the assertion itself", value=lambda raw, _: raw_signature(b"".join(p.encode() for p in golden.parts(rights())), "p256"))
    bad("SignedInfo signed without its namespace", value=lambda _, covered: raw_signature(covered.replace(f' xmlns:ds="{DS}"'.encode(), b""), "p256"))
    ticket(g, "signature comes before expired", rights(not_on_or_after="2026-11-22T10:01:00Z"), "signature", how={"key": "next", "name": "p256"})


def refit(s):
    s = s.replace(f">{ALICE}</saml:NameID>", f">{BOB}</saml:NameID>")
    digest = b64(hashlib.sha256(re.sub("<ds:Signature .*</ds:Signature>", "", s).encode()).digest())
    return re.sub("(<ds:DigestValue>)[^<]*", lambda m: m.group(1) + digest, s)


def plus_modulus(raw, _):
    modulus = int(openssl("rsa", "-pubin", "-in", str(HERE / "keys/rsa2048.pub.pem"), "-noout", "-modulus").decode().strip()[8:], 16)
    more = int.from_bytes(raw, "big") + modulus
    return more.to_bytes(256 if more < 2**2048 else 257, "big")


def time():
    g = group("time", "The ticket's own times. The trust file is of 10:04 to 11:04.")
    soon = {"issued": "2026-11-22T10:06:00Z", "not_before": "2026-11-22T10:06:00Z"}
    ticket(g, "opens in a skew", rights(**soon))
    ticket(g, "opens a second later", rights(not_before="2026-11-22T10:06:01Z"), "not-yet")
    ticket(g, "issued a second later", rights(issued="2026-11-22T10:06:01Z"), "not-yet")
    ticket(g, "opens in a skew, none is granted", rights(**soon), "not-yet", skew=59)
    ticket(g, "closes now", rights(not_on_or_after=NOW))
    ticket(g, "closed a second less than a skew ago", rights(not_on_or_after="2026-11-22T10:04:01Z"))
    ticket(g, "closed a skew ago", rights(not_on_or_after="2026-11-22T10:04:00Z"), "expired")
    ticket(g, "closed long ago", rights(issued="2026-11-20T10:00:00Z", not_before="2026-11-20T10:00:00Z", not_on_or_after="2026-11-20T10:10:00Z"), "expired")
    ticket(g, "twelve hours", rights(not_on_or_after="2026-11-22T22:00:00Z"))
    ticket(g, "twelve hours and a second", rights(not_on_or_after="2026-11-22T22:00:01Z"), "lifetime")
    ticket(g, "twelve hours and a second, but opens later", rights(not_before="2026-11-22T10:04:00Z", not_on_or_after="2026-11-22T22:00:01Z"), "lifetime")
    ticket(g, "lifetime comes before audience", rights(not_on_or_after="2026-11-22T22:00:01Z", audiences=[RELAY]), "lifetime")


def audience():
    g = group("audience", "Whom a ticket, and the key that signed it, is meant for.")
    ticket(g, "another service", rights(audiences=[RELAY]), "audience")
    ticket(g, "the same name and more", rights(audiences=[STORAGE + "2"]), "audience")
    ticket(g, "an identity ticket at a service", identity(), "audience")
    ticket(g, "a key that is not meant for one of the audiences", rights(audiences=[STORAGE, "urn:meshauth:service:pub-sub"]), "audience",
           how={"key": "storage-only"})
    ticket(g, "a key that is meant for both", rights(audiences=[RELAY, STORAGE]), how={"key": "storage-only"})
    ticket(g, "audience comes before revoked", rights(audiences=[RELAY], subject=ident("usr", "j")), "audience")
    ticket(g, "audience comes before holder", rights(audiences=[RELAY]), "audience", key=b64(SPKI["thief"]))


def revocation():
    g = group("revocation", "What is mentioned together, and since when. Tickets are as of 4711.")

    def mention(*more, **changes):
        return rights(facts=facts(("claimed", PC, ALICE), ("holder", PC), *more), **changes)
    ticket(g, "as of the very number", mention(("claimed", ident("dev", "e"), ALICE)))
    ticket(g, "one number later", mention(("claimed", ident("dev", "f"), ALICE)), "revoked")
    ticket(g, "as of later", rights(facts=facts(("claimed", PC, ALICE), ("holder", PC), ("claimed", ident("dev", "f"), ALICE), asof="4712")))
    ticket(g, "one of two ids", mention(("claimed", ident("dev", "g"), ALICE)))
    ticket(g, "two ids in one fact", mention(("mapped", ident("dev", "g"), ident("fld", "g"))), "revoked")
    ticket(g, "two ids in two facts", mention(("claimed", ident("dev", "g"), ALICE), ("member", ALICE, ident("fld", "g"), "reader")), "revoked")
    ticket(g, "two of three ids", mention(("mapped", ident("dev", "h"), ident("fld", "h"))))
    ticket(g, "three ids", mention(("mapped", ident("dev", "h"), ident("fld", "h")), ("claimed", PHONE, ident("usr", "h"))), "revoked")
    ticket(g, "the subject", rights(subject=ident("usr", "j")), "revoked")
    ticket(g, "a session", rights(facts=facts(session=ident("ses", "m"))), "revoked")
    ticket(g, "the ticket's ID", rights(id="_" + "0e" * 16), "revoked")
    ticket(g, "a folder in a resource", rights(permits=[
        {"resource": f"{ISSUER}/v1/mesh/folders/{ident('fld', 'k')}/a", "actions": ["read"]}, {"resource": TRIP_URL, "actions": ["read"]}]), "revoked")
    ticket(g, "a folder as the last segment of a resource", rights(permits=[{
        "resource": f"{ISSUER}/v1/mesh/folders/{ident('fld', 'k')}", "actions": ["read"]}]), "revoked")
    ticket(g, "an id in the query of a resource", rights(permits=[{"resource": TRIP_URL, "actions": ["read"]}, {
        "resource": f"{TRIP_URL}/a?b={ident('fld', 'k')}", "actions": ["read"]}]))
    ticket(g, "an id and more in a segment", rights(permits=[{"resource": TRIP_URL, "actions": ["read"]}, {
        "resource": f"{TRIP_URL}/{ident('fld', 'k')}x", "actions": ["read"]}]))
    ticket(g, "everything", rights(), "revoked", trust="trust/all-revoked")
    ticket(g, "everything before this one", rights(facts=facts(asof="5000")), trust="trust/all-revoked", holder="")
    ticket(g, "revoked comes before holder", rights(subject=ident("usr", "j")), "revoked", key=b64(SPKI["thief"]))


def holder():
    g = group("holder", "The key that was proven.")
    ticket(g, "a thief's key", rights(), "holder", key=b64(SPKI["thief"]))
    ticket(g, "no key", rights(), "no-proof", key=None)
    vector(g, "no key, under DPoP", "DPoP " + credential(rights()), "no-proof", key=None)
    ticket(g, "no key, where bearers are allowed", rights(), "no-proof", key=None, allow_bearer=True)
    ticket(g, "an RSA key where P-256 is bound", rights(), "holder", key=b64(SPKI["device-rsa"]))
    ticket(g, "a bearer ticket where none is allowed", bearer(), "no-proof")
    ticket(g, "no-proof comes before no-rule", bearer(), "no-proof", action="delete")


def sets():
    g = group("sets", "Several tickets in one credential: all good or refused; the decision comes from one.")
    work = rights(id="_" + "0b" * 16, permits=[{"resource": WORK_URL, "actions": ["read"]}])

    def joined(name, *tickets, reason="", **more):
        vector(g, name, "Bearer " + "~".join(tickets), reason, **more)
    a, b = credential(rights()), credential(work, "deflated")
    joined("answered by the first", a, b)
    joined("answered by the second", a, b, args=[WORK_URL + "/x"], ticket="_" + "0b" * 16)
    joined("answered by none", a, b, args=[WORK_URL + "/x"], action="write", reason="no-rule")
    joined("the same twice", a, a)
    joined("signed by two keys", a, credential(work, key="rsa2048"), args=[WORK_URL], ticket="_" + "0b" * 16)
    joined("another subject", a, credential(rights(subject=BOB, facts=facts())), reason="mixed-set")
    joined("another session", a, credential(rights(facts=facts(session=ident("ses", "t")))), reason="mixed-set")
    joined("a bearer ticket among bound ones", a, credential(bearer()), allow_bearer=True, reason="mixed-set")
    joined("a good one and an expired one", a, credential(rights(not_on_or_after="2026-11-22T10:01:00Z")), reason="expired")
    joined("a good one and nonsense", a, "AAAA", reason="form")
    joined("the first that fails: audience", a, credential(rights(audiences=[RELAY])), credential(rights(), key="revoked"), reason="audience")
    joined("the first that fails: key-revoked", a, credential(rights(), key="revoked"), credential(rights(audiences=[RELAY])), reason="key-revoked")
    joined("expired comes before mixed-set in one ticket", a,
           credential(rights(subject=BOB, facts=facts(), not_on_or_after="2026-11-22T10:01:00Z")), reason="expired")
    joined("mixed-set before a later one's expired", a, credential(rights(subject=BOB, facts=facts())),
           credential(rights(not_on_or_after="2026-11-22T10:01:00Z")), reason="mixed-set")
    half = credential(rights(permits=[], facts=sync_facts(("mapped", PHONE, TRIP))))
    other = credential(rights(permits=[], facts=sync_facts(("mapped", PC, TRIP)), id="_" + "0c" * 16))
    joined("facts of two are never joined", half, other, action="sync", args=[PC, PHONE], reason="no-rule")


def rules():
    g = group("rules", "Good tickets, and what they do not allow.")
    for name, url in (
        ("a sibling that begins the same", TRIP_URL + "2"),
        ("another folder", WORK_URL),
        ("what lies above", f"{ISSUER}/v1/mesh/folders"),
        ("two dots", f"{TRIP_URL}/../{WORK}"),
        ("one dot", f"{TRIP_URL}/./a"),
        ("two slashes", f"{TRIP_URL}//a"),
        ("a backslash", f"{TRIP_URL}/a\\b"),
        ("a semicolon", f"{TRIP_URL}/a;b"),
        ("an escaped slash", f"{TRIP_URL}/a%2Fb"),
        ("escaped dots", f"{TRIP_URL}/%2e%2e/{WORK}"),
        ("an escape that need not be", f"{TRIP_URL}/%41"),
        ("an escape in lower case", f"{TRIP_URL}/%c3%a9"),
        ("an escape that is no UTF-8", f"{TRIP_URL}/%FF"),
        ("an escaped NUL", f"{TRIP_URL}/%00"),
        ("a query", f"{TRIP_URL}/a?b"),
        ("a fragment", f"{TRIP_URL}/a#b"),
        ("the host in capitals", TRIP_URL.replace("auth", "AUTH")),
        ("the default port", TRIP_URL.replace(".example", ".example:443")),
        ("http", TRIP_URL.replace("https", "http")),
        ("userinfo", TRIP_URL.replace("//", "//a@")),
    ):
        ticket(g, name, rights(), "no-rule", args=[url])
    ticket(g, "an action that is not permitted", rights(), "no-rule", action="subscribe")
    ticket(g, "an action of no rule", rights(), "no-rule", action="publishes")
    ticket(g, "no argument", rights(), "no-rule", args=[])
    ticket(g, "an argument too many", rights(), "no-rule", args=[TRIP_URL, TRIP_URL])
    ticket(g, "the queue of another device", rights(), "no-rule", action="receive", args=[PHONE])
    ticket(g, "sync with itself", rights(permits=[], facts=sync_facts()), "no-rule", action="sync", args=[PC, PC])
    ticket(g, "sync in the other's place", rights(permits=[], facts=sync_facts()), "no-rule", action="sync", args=[PHONE, PC])
    for missing in sync_facts()[2:]:
        ticket(g, f"sync without {missing[0]}({', '.join(missing[1:])})", rights(permits=[], facts=sync_facts(missing)), "no-rule",
               action="sync", args=[PC, PHONE])
    many = rights(permits=[{"resource": TRIP_URL, "actions": [f"a{n:02}" for n in range(60)]}], facts=facts())
    ticket(g, "undecided after too many steps", many, "bound", rules="rules/bound.rules")


def trust_files():
    def of(name, outcome, text):
        return {"name": name, "root": VKEY, "trust": text, "outcome": outcome}
    other = golden.vkey("auth.mesh.example/root", SPKI["another-root"])
    return [
        of("good", "ok", TRUST["main"]),
        of("no revocations", "ok", trust_of()),
        of("one key", "ok", trust_of(keys=KEY_LINES[:1])),
        {**of("another root", "untrusted", TRUST["main"]), "root": other},
        of("signed by another root", "untrusted", trust_of(root="another-root")),
        of("signed by another authority", "untrusted", trust_of(authority="another-root")),
        of("authority whose window is over", "untrusted", trust_of(authority_window=("2025-11-01T00:00:00Z", "2026-11-22T10:04:00Z"))),
        of("statement altered", "untrusted", TRUST["main"].replace("sequence 42", "sequence 43")),
        of("delegation altered", "untrusted", TRUST["main"].replace("2027-11-01", "2028-11-01")),
        of("another epoch in the statement", "untrusted", trust_of(statement=sub("epoch 7", "epoch 8"))),
        of("another issuer in the statement", "untrusted", trust_of(statement=sub(ISSUER, ISSUER + ".org"))),
        of("a revocation left out", "untrusted", trust_of(revoked=REVOKED, listed=lambda s: s.split("\n", 1)[1])),
        of("a revocation altered", "untrusted", trust_of(revoked=REVOKED, listed=sub("revoke 4711", "revoke 4710"))),
        of("ids of a line in another order", "malformed", trust_of(revoked=[f"revoke 1 {TRIP} {PC}"])),
        of("four ids", "malformed", trust_of(revoked=[f"revoke 1 {PC} {TRIP} {SESSION} {ALICE}"])),
        of("an unknown line", "malformed", trust_of(statement=sub("revocations", "comment x\nrevocations"))),
        of("a key under another's id", "malformed", trust_of(keys=[key_line("p256").replace(key_id("p256"), key_id("next"))])),
        of("a key twice", "malformed", trust_of(keys=KEY_LINES[:1] * 2)),
        of("an algorithm that is not the key's", "malformed", trust_of(keys=[key_line("p256").replace("ecdsa", "rsa")])),
        of("expires more than 12 hours after issued", "malformed", trust_of(expires="2026-11-22T22:04:01Z")),
        of("a number with a leading zero", "malformed", trust_of(statement=sub("sequence 42", "sequence 042"))),
        of("CR LF", "malformed", TRUST["main"].replace("\n", "\r\n")),
        of("no empty line before the list", "malformed", trust_of()[:-1]),
        of("nothing", "malformed", ""),
    ]


def write(path, data):
    (HERE / path).write_text(json.dumps(data, indent=1, ensure_ascii=True) + "\n")


def main():
    for name, text in TRUST.items():
        (HERE / "trust" / name).write_text(text)
    for make in (golden_vectors, accepted, header, form, trust, signature, time, audience, revocation, holder, sets, rules):
        make()
    for name, g in groups.items():
        write(f"{name}.json", {"format": "meshauth-vectors v1", "group": name, **g})
    write("trust-files.json", {"format": "meshauth-vectors v1", "group": "trust-files",
                               "about": "Trust files: read and checked, or why not.", "files": trust_files()})
    print(sum(len(g["vectors"]) for g in groups.values()), "vectors")


if __name__ == "__main__":
    main()
