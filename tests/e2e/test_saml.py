#!/usr/bin/env python3
"""Logins by SAML 2.0: SimpleSAMLphp, which is not ours, signs people in; what it signed goes
to the running service, and so does what forgers make of it."""
import base64
import json
import pathlib
import re
import threading
import time
import unittest

import people
import saml_idp
from authority import FoundProvider
from commands import User
from harness import (EXCHANGE, MESHAUTH, MESHAUTHD, SAML2, SLOW, STORAGE, Device, Mesh, MeshTest, Ticket, main, run,
                     wait_until)
from idtoken import b64

ISSUER_TAG = r"<saml:Issuer>[^<]*</saml:Issuer>"
ASSERTION = re.compile(r"<saml:Assertion .*?</saml:Assertion>", re.S)
SIGNATURE = re.compile(r"<ds:Signature .*?</ds:Signature>", re.S)
EMPTY_DIGEST = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
SAML_NS = ' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'


def xml_of(response):
    return base64.b64decode(response).decode()


def bare(xml):
    """The Assertion alone: with the namespace that it had from the Response."""
    return ASSERTION.search(xml).group(0).replace("<saml:Assertion", "<saml:Assertion" + SAML_NS, 1)


class Person(User):
    """Somebody whom SimpleSAMLphp knows."""

    def __init__(self, mesh, idp, name):
        self.idp = idp
        super().__init__(mesh, name)

    def login(self, mesh, *more, code=0):
        done = self.says(code, "login", mesh.url, "--ca", mesh.ca, "--assertion", "-", "--json", *more,
                         data=self.idp.log_in(self.name))
        state = json.loads((self.account / "account.json").read_text())
        mesh.secrets.update(t["credential"][-60:-20] for t in state["tickets"])
        return json.loads(done.stdout)


class OnDevice(people.Person):
    """One of them on a device of the test's."""

    def __init__(self, test, name):
        self.test = test
        super().__init__(test.mesh, name)

    def login(self):
        self.take(self.test.trade(xml_of(self.test.idp.log_in(self.name)), self.device))

    def renew(self):
        answer = self.mesh.post({"grant_type": EXCHANGE, "subject_token_type": SAML2, "subject_token": self.credential},
                                self.device)
        if answer.status == 200:
            self.take(answer)
        return answer

    def take(self, answer):
        self.credential = answer.json["access_token"]


class SamlTest(MeshTest):
    """A service whose other provider is SimpleSAMLphp."""

    extra = {}

    @classmethod
    def prepare(cls):
        cls.idp = saml_idp.SimpleSaml(cls.mesh.folder / "idp", cls.mesh.url, cls.mesh.url + "/v1/token")
        cls.addClassCleanup(cls.idp.close)
        cls.metadata = cls.mesh.dir / "idp.xml"
        cls.metadata.write_bytes(cls.idp.metadata())
        return {"providers": [cls.mesh.demo_provider(), cls.group()]}

    @classmethod
    def group(cls):
        return {"name": "company", "type": "saml", "issuer": cls.idp.entity, "metadata_file": "idp.xml",
                "create_users": True, "email_domains": ["example.org"], **cls.extra}

    def trade(self, xml, device=None, **more):
        """Trades an Assertion or a Response at the token endpoint."""
        raw = xml.encode() if isinstance(xml, str) else xml
        token = b64(raw)
        signature = re.search(rb"SignatureValue>\s*([A-Za-z0-9+/]{60})", raw)
        self.mesh.secrets.update([signature[1].decode()] if signature else [])
        form = {"grant_type": EXCHANGE, "subject_token_type": SAML2, "subject_token": token, **more}
        return self.mesh.post(form, device or self.device)

    def refused(self, xml, reason, device=None):
        answer = self.trade(xml, device)
        self.assertEqual((answer.status, answer.json["error"], self.mesh.log_of(answer)["reason"]),
                         (400, "invalid_request", reason), answer)
        return answer


class Login(SamlTest):
    def setUp(self):
        self.idp.acs = self.mesh.url + "/v1/token"
        self.idp.write()

    def test_a_login(self):
        xml = xml_of(self.idp.log_in("alice"))
        self.assertEqual(len(SIGNATURE.findall(xml)), 2)
        answer = self.trade(xml)
        self.assertEqual(answer.status, 200, answer)
        identity, rights = (Ticket(t["credential"]) for t in answer.json["tickets"])
        self.assertEqual((identity.audiences, rights.audiences), ([self.mesh.url], [STORAGE]))
        self.assertEqual((identity.holder, rights.holder), (self.device.spki, self.device.spki))
        self.assertTrue(answer.json["mesh"].endswith("/" + identity.subject))
        instant = re.search('AuthnInstant="([^"]*)"', xml).group(1)
        self.assertIn(f'AuthnInstant="{instant}"', identity.xml)
        record, = self.mesh.audit(ticket=identity.id)
        self.assertEqual((record["action"], record["outcome"], record["actor"]), ("login", "allow", identity.subject))
        code, said = self.mesh.verify(rights.credential, self.device)
        self.assertEqual((code, said["verdict"]), (0, "accept"), said)

    def test_the_same_person_is_the_same_user(self):
        first, second, other = (Ticket(self.trade(xml_of(self.idp.log_in(name))).json["access_token"]).subject
                                for name in ("alice", "alice", "bob"))
        self.assertEqual(first, second)
        self.assertNotEqual(first, other)
        # Who has the name alice at another provider is somebody else.
        demo = Ticket(self.mesh.login("alice", self.device).json["access_token"]).subject
        self.assertNotEqual(first, demo)

    def test_an_assertion_alone(self):
        self.assertEqual(self.trade(bare(xml_of(self.idp.log_in("alice")))).status, 200)

    def test_either_signature_will_do(self):
        for changes, count in (({"response": "false"}, 1), ({"assertion": "false"}, 1)):
            with self.subTest(changes):
                self.idp.write(**changes)
                xml = xml_of(self.idp.log_in("alice"))
                self.assertEqual(len(SIGNATURE.findall(xml)), count)
                self.assertEqual(self.trade(xml).status, 200)
        self.idp.write(response="false", assertion="false")
        self.refused(xml_of(self.idp.log_in("alice")), "saml-unsigned")

    def test_meshauth_login(self):
        for number, form in enumerate(("posted", "xml", "standard input")):
            with self.subTest(form):
                response = self.idp.log_in("alice")
                file = self.mesh.folder / f"assertion-{number}"
                file.write_text(response if form == "posted" else xml_of(response))
                home = self.mesh.folder / f"home-{number}"
                said = run(MESHAUTH, "login", self.mesh.url, "--ca", self.mesh.ca, "--assertion",
                           "-" if form == "standard input" else file, "--claim", f"laptop {number}", "--json",
                           data=file.read_text(), env={"MESHAUTH_HOME": str(home)})
                self.assertEqual(json.loads(said.stdout)["device"]["name"], f"laptop {number}")
                folder, = (pathlib.Path(home) / "accounts").iterdir()
                for ticket in json.loads((folder / "account.json").read_text())["tickets"]:
                    self.mesh.collect_ticket(ticket["credential"])
                again = run(MESHAUTH, "login", self.mesh.url, "--ca", self.mesh.ca, "--assertion", file, check=False,
                            env={"MESHAUTH_HOME": str(home)})
                self.assertEqual(again.returncode, 1)
                self.assertIn("The assertion was used before.", again.stderr)

    def test_whoever_has_no_assertion_yet_learns_what_to_give(self):
        done = run(MESHAUTH, "login", self.mesh.url, "--ca", self.mesh.ca, "--provider", "company", check=False,
                   env={"MESHAUTH_HOME": str(self.mesh.folder / "nobody")})
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("the provider company is one of SAML; log in at its page", done.stderr)
        self.assertIn("--assertion FILE", done.stderr)

    def test_an_assertion_serves_once(self):
        xml = xml_of(self.idp.log_in("alice"))
        subject = Ticket(self.trade(xml).json["access_token"]).subject
        answer = self.refused(xml, "saml-used")
        self.refused(xml, "saml-used", Device(self.mesh.folder, "thief"))
        self.refused(bare(xml), "saml-used")
        denied = [r for r in self.mesh.audit(action="login", outcome="deny") if r["request"] == answer.request_id]
        self.assertEqual([(r["actor"], r["reason"]) for r in denied], [(subject, "saml-used")])

    def test_of_many_at_once_one_gets_in(self):
        xml = xml_of(self.idp.log_in("alice"))
        devices = [Device(self.mesh.folder, f"racer-{i}") for i in range(4)]
        answers = []
        threads = [threading.Thread(target=lambda d=d: answers.append(self.trade(xml, d))) for d in devices * 2]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(a.status for a in answers), [200] + [400] * 7)
        self.assertEqual({self.mesh.log_of(a)["reason"] for a in answers if a.status == 400}, {"saml-used"})

    def set_duration(self, seconds):
        """Of sessions at the provider."""
        config = self.idp.folder / "config.php"
        config.write_text(config.read_text().replace("'timezone'", f"'session.duration' => {seconds}, 'timezone'"))

    def test_no_session_outlives_the_providers(self):
        """Unless its device is claimed, and nobody sits in front of it."""
        self.set_duration(15 * SLOW)
        ends = time.monotonic() + 15 * SLOW + 1
        attended, alone = OnDevice(self, "alice"), OnDevice(self, "bob")
        attended.claim("PC")
        server = alone.claim("server", unattended=True).json
        self.assertLessEqual(attended.renew().json["expires_in"], 15 * SLOW)
        wait_until(lambda: time.monotonic() > ends, "the sessions' end", patience_s=20 * SLOW)
        answer = attended.renew()
        self.assertEqual((answer.status, self.mesh.log_of(answer)["reason"]), (400, "session"))
        self.assertEqual(alone.renew().json["expires_in"], 3600)
        self.assertEqual(alone.delete(server["url"]).status, 204)
        answer = alone.renew()
        self.assertEqual((answer.status, self.mesh.log_of(answer)["reason"]), (400, "session"))

    def test_who_is_known_by_an_address(self):
        """Of a domain that the provider is the authority for; bob's is not."""
        carol = User(self.mesh, "carol")
        carol.text("folder", "create", "Trip")
        for name, address, code in (("alice", "alice@example.org", 0), ("bob", "bob@elsewhere.example", 1)):
            link = carol.invite("Trip", "--for", address, "--issuer", self.idp.entity)["link"]
            Person(self.mesh, self.idp, name).says(code, "invitation", "accept", "-", data=link)

    def test_what_is_asked_of_an_assertion(self):
        self.idp.write(format="transient")
        self.refused(xml_of(self.idp.log_in("alice")), "saml-subject")
        self.idp.acs = "https://127.0.0.1:1/"
        self.idp.write(acs=self.idp.acs)
        self.refused(xml_of(self.idp.log_in("alice")), "saml-recipient")

    def test_a_login_takes_no_target(self):
        xml = xml_of(self.idp.log_in("alice"))
        answer = self.trade(xml, audience=STORAGE)
        self.assertEqual((answer.status, answer.json["error"]), (400, "invalid_target"))
        self.assertEqual(self.trade(xml).status, 200)

    def test_it_takes_a_key(self):
        form = {"grant_type": EXCHANGE, "subject_token_type": SAML2,
                "subject_token": b64(xml_of(self.idp.log_in("alice")).encode())}
        answer = self.mesh.post(form)
        self.assertEqual((answer.status, self.mesh.log_of(answer)["reason"]), (400, "no-proof"))

    def test_our_own_tickets_go_their_own_way(self):
        ticket = self.mesh.login("carol", self.device).json["access_token"]
        xml = base64.urlsafe_b64decode(ticket + "==").decode()
        self.assertEqual(self.trade(xml).status, 200)  # a renewal
        self.refused(xml.replace("<saml:Subject>", "<saml:Subject> "), "ticket-form")
        # Whoever signed it: what names us is never looked at as an outsider's.
        theirs = xml_of(self.idp.log_in("alice"))
        self.refused(re.sub(ISSUER_TAG, f"<saml:Issuer>{self.mesh.url}</saml:Issuer>", theirs), "ticket-form")
        self.refused(theirs.replace(self.idp.entity + "</saml:Issuer>", "https://other.example</saml:Issuer>"),
                     "saml-issuer")


class Forgeries(SamlTest):
    """tests/unit/test_message.c has many more; these are of the provider's own bytes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.xml = xml_of(cls.idp.log_in("alice"))
        cls.assertion = ASSERTION.search(cls.xml).group(0)
        cls.signature = SIGNATURE.search(cls.assertion).group(0)
        cls.unsigned = cls.assertion.replace(cls.signature, "")
        cls.evil = re.sub(' ID="[^"]*"', ' ID="_evil"', cls.unsigned.replace(">alice<", ">bob<"), count=1)
        cls.wrapper = cls.xml.replace(SIGNATURE.search(cls.xml).group(0), "", 1)

    def by_a_stranger(self):
        """Signed by xmlsec1 with a key that it brings along, which whoever trusts it takes."""
        key = self.mesh.folder / "stranger.pem"
        run("openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
        empty = re.sub("(<ds:(DigestValue|SignatureValue)>)[^<]*", r"\1", self.signature)
        empty = re.sub("<ds:KeyInfo>.*</ds:KeyInfo>", "<ds:KeyInfo><ds:KeyValue/></ds:KeyInfo>", empty)
        empty = re.sub('URI="#[^"]*"', 'URI="#_evil"', empty)
        made, signed = self.mesh.folder / "made.xml", self.mesh.folder / "signed.xml"
        made.write_text(bare(self.evil.replace("</saml:Issuer>", "</saml:Issuer>" + empty, 1)))
        run("xmlsec1", "--sign", "--privkey-pem", key, "--id-attr:ID", "Assertion", "--output", signed, made)
        run("xmlsec1", "--verify", "--id-attr:ID", "Assertion", signed)
        return signed.read_text()

    def test_each(self):
        end, status = "</ds:SignatureValue>", "<samlp:Status>"
        behind = self.evil.replace("</saml:Issuer>", "</saml:Issuer>" + self.signature, 1)
        cases = (
            ("another name", self.xml.replace(">alice<", ">bob<"), "saml-signature"),
            ("another name in the Assertion alone", bare(self.xml).replace(">alice<", ">bob<"), "saml-signature"),
            ("XSW3", self.wrapper.replace(self.assertion, self.evil + self.assertion), "saml-form"),
            ("XSW4", self.wrapper.replace(self.assertion, self.evil.replace("</saml:Assertion>", self.assertion +
                                                                            "</saml:Assertion>")), "saml-form"),
            ("XSW5", self.wrapper.replace(self.assertion, behind + self.unsigned), "saml-form"),
            ("XSW6", self.wrapper.replace(self.assertion, behind.replace(end, end + self.unsigned)), "saml-form"),
            ("XSW7", self.wrapper.replace(status, f"<samlp:Extensions>{self.evil}</samlp:Extensions>{status}"),
             "saml-form"),
            ("XSW8", self.wrapper.replace(self.assertion, behind.replace(
                end, f"{end}<ds:Object>{self.unsigned}</ds:Object>")), "saml-form"),
            ("a comment in the name", self.xml.replace(">alice<", ">alice<!-- -->.evil<"), "saml-form"),
            ("a DTD", "<!DOCTYPE a [<!ENTITY x 'bob'>]>" + self.xml.replace(">alice<", ">&x;<"), "saml-form"),
            ("XPointer", re.sub('URI="#([^"]*)"', "URI=\"#\\1') | id('\\1\"", self.xml), "saml-form"),
            ("XPath", self.xml.replace(
                "</ds:Transforms>", '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'
                "<ds:XPath>1</ds:XPath></ds:Transform></ds:Transforms>"), "saml-alg"),
            ("XSLT", self.xml.replace(
                "</ds:Transforms>", '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>'
                "</ds:Transforms>"), "saml-alg"),
            ("the digest of nothing", re.sub("(?<=<ds:DigestValue>)[^<]*", EMPTY_DIGEST, self.xml), "saml-form"),
            ("KeyValue", self.by_a_stranger(), "saml-signature"),
            ("no c14n", re.sub('<ds:Transform Algorithm="[^"]*exc-c14n#"/>', "", self.xml), "saml-alg"),
            ("SHA-1", self.xml.replace("xmldsig-more#rsa-sha256", "xmldsig#rsa-sha1"), "saml-alg"),
            ("HMAC", self.xml.replace("rsa-sha256", "hmac-sha256"), "saml-alg"),
            ("no signature", self.wrapper.replace(self.assertion, self.unsigned), "saml-unsigned"),
            ("a failure", self.wrapper.replace("status:Success", "status:Requester"), "saml-status"),
            ("an answer", self.wrapper.replace("<samlp:Response ", '<samlp:Response InResponseTo="_q" '),
             "saml-solicited"),
            ("2,000 attributes", "<x%s/>" % "".join(f" a{i}=''" for i in range(2000)), "saml-form"),
            ("1,000 deep", "<x>" * 1000, "saml-form"),
            ("no XML", "<", "saml-form"),
        )
        before = self.mesh.cpu_ticks()
        for name, xml, reason in cases:
            with self.subTest(name):
                self.refused(xml, reason)
        self.assertLess(self.mesh.cpu_ticks() - before, 300)
        self.assertEqual(self.trade(self.xml).status, 200)  # the genuine one is still good


class Closed(SamlTest):
    extra = {"create_users": False}

    def test_who_has_no_account_gets_none(self):
        self.refused(xml_of(self.idp.log_in("alice")), "user-unknown")


class Rollover(SamlTest):
    def test_a_key_that_came_later(self):
        self.assertEqual(self.trade(xml_of(self.idp.log_in("alice"))).status, 200)
        saml_idp.certificate(self.idp.folder / "cert", "idp")
        xml = xml_of(self.idp.log_in("alice"))
        self.metadata.write_bytes(self.idp.metadata())
        # The file is read again because the signature is by no key that was in it.
        self.assertEqual(self.trade(xml).status, 200)


class Fetched(MeshTest):
    """Metadata from the network, which the pinned key must have signed."""

    @classmethod
    def prepare(cls):
        cls.idp = saml_idp.SimpleSaml(cls.mesh.folder / "idp", cls.mesh.url, cls.mesh.url + "/v1/token")
        cls.addClassCleanup(cls.idp.close)
        cls.web = FoundProvider(cls.mesh.folder)
        cls.addClassCleanup(cls.web.close)
        cls.pinned = cls.idp.folder / "cert" / "pinned.crt"
        cls.pinned.write_bytes((cls.idp.folder / "cert" / "idp.crt").read_bytes())
        cls.web.answers["/metadata"] = (200, {}, cls.idp.metadata())
        cls.web.answers["/changed"] = (200, {}, cls.idp.metadata().replace(b"<md:IDPSSODescriptor ",
                                                                            b'<md:IDPSSODescriptor ID="_i" '))
        cls.web.answers["/unsigned"] = (200, {}, re.sub(b"<ds:Signature>.*?</ds:Signature>", b"", cls.idp.metadata(),
                                                        flags=re.S))
        return {"providers": [cls.group("metadata")]}

    @classmethod
    def group(cls, path):
        return {"name": "company", "type": "saml", "issuer": cls.idp.entity, "create_users": True,
                "metadata_url": f"{cls.web.issuer}/{path}", "metadata_key": cls.pinned,
                "ca_file": cls.web.authority.ca}

    trade = SamlTest.trade

    def serve(self, path):
        self.mesh.stop()
        self.mesh.configure_in_haste(providers=[self.group(path)])
        self.mesh.start()

    def test_signed(self):
        self.assertEqual(self.trade(xml_of(self.idp.log_in("alice"))).status, 200)
        self.assertIn("/metadata", self.web.asked)

    def test_not_as_the_pinned_key_signed_it(self):
        for path in ("changed", "unsigned", "missing"):
            with self.subTest(path):
                self.serve(path)
                answer = self.trade(xml_of(self.idp.log_in("alice")))
                self.assertEqual((answer.status, self.mesh.log_of(answer)["reason"]), (503, "provider-down"))
                wait_until(lambda p=path: f"/{p}" in self.web.asked, "the metadata to be asked for")
        self.serve("metadata")


class Start(unittest.TestCase):
    def test_a_file_that_is_no_metadata(self):
        mesh = Mesh(start=False)
        self.addCleanup(mesh.close)
        (mesh.dir / "idp.xml").write_text("<html/>")
        mesh.configure(providers=[{"name": "company", "type": "saml", "issuer": "urn:idp", "metadata_file": "idp.xml"}])
        done = run(MESHAUTHD, "-c", mesh.conf, check=False)
        self.assertEqual((done.returncode, done.stderr), (3, f'meshauthd: provider "company": {mesh.dir}/idp.xml: metadata: not SAML 2.0 metadata\n'))


if __name__ == "__main__":
    main()
