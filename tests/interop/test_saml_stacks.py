#!/usr/bin/env python3
"""Other people's SAML software judges our tickets: the golden ones, fresh ones of each
kind, and what is left of them when somebody has tampered."""
import base64
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from test_judge import sign, template_of

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "data" / "golden"
PROGRAMS = pathlib.Path(os.environ["MAUTH_BUILD"]) / "tests" / "interop"
ALGS = ("p256", "rsa2048")

# Each is given a certificate and files, and prints a line for each file. Debian's
# Python has Debian's packages.
STACKS = {
    "OpenSAML-C": ([PROGRAMS / "peer_opensaml"], ALGS),
    "python3-saml": (["/usr/bin/python3", "-B", HERE / "peers" / "python3_saml.py"], ALGS),
    "xml-crypto": (["node", HERE / "peers" / "xml_crypto.mjs"], ALGS),
    "Lasso": ([PROGRAMS / "peer_lasso"], ("rsa2048",)),  # 2.8 knows no ECDSA
}


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60).stdout


def swap(place):
    """Another character at the end of the first group."""
    def change(xml):
        at = re.search(place, xml).end(1) - 1
        return xml[:at] + ("1" if xml[at] == "0" else "0" if xml[at].isdigit() else
                           "b" if xml[at] == "a" else "B" if xml[at] == "A" else
                           "A" if xml[at].isupper() else "a") + xml[at + 1:]
    return change


def replace(old, new):
    def change(xml):
        assert old in xml, old
        return xml.replace(old, new, 1)
    return change


def without_signature(xml):
    return re.sub("<ds:Signature .*?</ds:Signature>", "", xml)


def wrapped(xml):
    """A forged assertion around the genuine one, which its signature still covers."""
    forged = without_signature(xml).replace(' ID="_', ' ID="_f').replace("usr_0a", "usr_0b")
    signature = re.search("<ds:Signature .*?</ds:Signature>", xml).group()
    inside = signature.replace("</ds:Signature>", f"<ds:Object>{without_signature(xml)}</ds:Object></ds:Signature>")
    return forged.replace("</saml:Issuer>", "</saml:Issuer>" + inside, 1)


TAMPERED = {
    "ID": swap(r' ID="([^"]+)"'),
    "IssueInstant": swap(r' IssueInstant="(\d+)'),
    "Issuer": swap(r"<saml:Issuer>([^<]+)"),
    "NameID": swap(r"<saml:NameID[^>]*>([^<]+)"),
    "holder's key": swap(r"<dsig11:DEREncodedKeyValue[^>]*>([^<]{60})"),
    "NotBefore": swap(r' NotBefore="(\d+)'),
    "NotOnOrAfter": swap(r'<saml:Conditions [^>]*NotOnOrAfter="(\d+)'),
    "audience": swap(r"<saml:Audience>([^<]+)"),
    "further audience": replace("</saml:Audience>", "</saml:Audience><saml:Audience>urn:x:y</saml:Audience>"),
    "resource": swap(r' Resource="([^"]+)"'),
    "action": replace(">Read<", ">Write<"),
    "fact's relation": replace("fact:member", "fact:mapped"),
    "fact's value": replace(">contributor<", ">owner<"),
    "fact left out": lambda xml: re.sub(r'<saml:Attribute Name="urn:meshauth:fact:asof".*?</saml:Attribute>', "", xml),
    "white space": replace("><saml:Conditions", "> <saml:Conditions"),
    "digest": swap(r"<ds:DigestValue>([^<]{10})"),
    "signature": swap(r"<ds:SignatureValue>([^<]{10})"),
    "SignedInfo": replace('#enveloped-signature"', '#base64"'),
    "another reference": swap(r'<ds:Reference URI="([^"]+)"'),
    "HMAC under the public key": lambda xml: re.sub("xmldsig-more#(ecdsa|rsa)-sha256", "xmldsig-more#hmac-sha256", xml),
    "no signature": without_signature,
    "wrapped": wrapped,
    "cut": lambda xml: xml[:-1],
    "doctype": lambda xml: "<!DOCTYPE a [<!ENTITY e 'x'>]>" + xml.replace("contributor", "&e;"),
}


class Stacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="test_saml_stacks.")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        for alg in ALGS:
            cls.certify(alg, GOLDEN / f"signing-{alg}.pem")
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", cls.path / "stranger.pem")
        cls.certify("stranger", cls.path / "stranger.pem")

    @classmethod
    def certify(cls, name, key):
        openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=issuer", "-days", "36500",
                "-out", cls.path / f"{name}.crt")

    def certificate(self, name):
        return self.path / f"{name}.crt"

    def ask(self, stack, certificate, files):
        """What a stack says of each file."""
        command, _ = STACKS[stack]
        done = subprocess.run([*command, certificate, *files], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), len(files), done.stdout)
        return lines

    def accepted(self, files, alg):
        """Each is accepted, and the subject, and by OpenSAML the key, are read as they stand there."""
        self.assertTrue(files)
        for stack, (_, algs) in STACKS.items():
            if alg not in algs:
                continue
            for file, said in zip(files, self.ask(stack, self.certificate(alg), files)):
                with self.subTest(stack=stack, file=file.name):
                    xml = file.read_text()
                    subject = re.search("<saml:NameID[^>]*>([^<]+)", xml).group(1)
                    holder = re.search("<dsig11:DEREncodedKeyValue[^>]*>([^<]+)", xml)
                    read = [subject, holder.group(1)] if holder and stack == "OpenSAML-C" else [subject]
                    self.assertEqual(said.split(" "), ["accept", *read])

    def refused(self, files, certificate, alg, why="refuse: "):
        for stack, (_, algs) in STACKS.items():
            if alg not in algs:
                continue
            for file, said in zip(files, self.ask(stack, certificate, files)):
                with self.subTest(stack=stack, file=file.name):
                    self.assertTrue(said.startswith(why), said)

    def write(self, name, xml):
        file = self.path / f"{name.replace(' ', '-')}.xml"
        file.write_text(xml)
        return file

    def test_golden(self):
        for alg in ALGS:
            self.accepted(sorted(GOLDEN.glob(f"*.{alg}.xml")), alg)

    def test_fresh(self):
        """From our encoder, at this moment: the least, the most, the oddest that a ticket holds."""
        for alg in ALGS:
            for holder in ("device", "signing-rsa2048"):
                folder = self.path / f"fresh-{alg}-{holder}"
                folder.mkdir()
                openssl("pkcs8", "-topk8", "-nocrypt", "-in", GOLDEN / f"signing-{alg}.pem", "-outform", "DER",
                        "-out", folder / "key")
                openssl("pkey", "-pubin", "-in", GOLDEN / f"{holder}.pub.pem", "-outform", "DER", "-out", folder / "spki")
                subprocess.run([PROGRAMS / "mint", folder / "key", folder / "spki", str(int(time.time())), folder],
                               check=True, timeout=60)
                files = sorted(folder.glob("*.xml"))
                self.assertEqual(len(files), 5)
                self.accepted(files, alg)

    def test_tampered(self):
        for alg in ALGS:
            xml = (GOLDEN / f"rights.{alg}.xml").read_text()
            files = []
            for name, change in TAMPERED.items():
                changed = change(xml)
                self.assertNotEqual(changed, xml, name)
                files.append(self.write(f"{alg} {name}", changed))
            self.refused(files, self.certificate(alg), alg)

    def test_of_another_key(self):
        """Genuine, but not of the key that was pinned; and a stranger's under our name."""
        for alg, other in (("p256", "rsa2048"), ("rsa2048", "p256"), ("rsa2048", "stranger")):
            self.refused([GOLDEN / f"rights.{alg}.xml"], self.certificate(other), alg)
        template = template_of((GOLDEN / "rights.rsa2048.xml").read_text())
        key = "</ds:KeyName><ds:KeyValue></ds:KeyValue>"
        for name, form in (("stranger", template), ("own key", template.replace("</ds:KeyName>", key, 1))):
            file = self.write(name, sign(self.path, form, self.path / "stranger.pem"))
            self.refused([file], self.certificate("rsa2048"), "rsa2048")

    def test_signed_but_not_of_the_schema(self):
        """OpenSAML validates: the same file in the right order is accepted."""
        xml = template_of((GOLDEN / "rights.rsa2048.xml").read_text())
        conditions = re.search("<saml:Conditions .*</saml:Conditions>", xml).group()
        moved = xml.replace(conditions, "").replace("</saml:Assertion>", conditions + "</saml:Assertion>")
        for form, said in ((xml, "accept usr_"), (moved, "refuse: XML error")):
            file = self.write("schema", sign(self.path, form, GOLDEN / "signing-rsa2048.pem"))
            self.assertTrue(self.ask("OpenSAML-C", self.certificate("rsa2048"), [file])[0].startswith(said))


if __name__ == "__main__":
    unittest.main(verbosity=1)
