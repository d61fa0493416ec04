#!/usr/bin/env python3
"""The judge is judged: the golden tickets pass, forgeries that xmlsec1 alone is known
to fall for do not."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "data" / "golden"


def judge(*args):
    done = subprocess.run([HERE / "judge", *args], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def sign(folder, template, key):
    """The template, signed by the xmlsec1 command."""
    source, signed = folder / "template.xml", folder / "signed.xml"
    source.write_text(template)
    subprocess.run(["xmlsec1", "--sign", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
                    "--privkey-pem", key, "--output", signed, source], check=True, capture_output=True)
    return signed.read_text().replace('<?xml version="1.0"?>\n', "").replace("\n", "")


def template_of(ticket):
    """A ticket with its digest and signature taken out."""
    xml = re.sub(r"<ds:DigestValue>.*?</ds:DigestValue>", "<ds:DigestValue></ds:DigestValue>", ticket)
    return re.sub(r"<ds:SignatureValue>.*?</ds:SignatureValue>", "<ds:SignatureValue></ds:SignatureValue>", xml)


class Golden(unittest.TestCase):
    def test_assertions_are_genuine(self):
        files = sorted(GOLDEN.glob("*.xml"))
        code, said = judge("--trust", GOLDEN / "trust", *files)
        self.assertEqual(code, 0, said)
        self.assertEqual(said.strip(), f"{len(files)} genuine")

    def test_credentials_are_genuine_plain_and_deflated(self):
        files = sorted(GOLDEN.glob("*.credential"))
        code, said = judge("--trust", GOLDEN / "trust", *files)
        self.assertEqual(code, 0, said)
        self.assertEqual(said.strip(), f"{2 * len(files)} genuine")


class Forgery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="test_judge.")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        cls.ticket = (GOLDEN / "rights.rsa2048.xml").read_text()
        cls.stranger = cls.path / "stranger.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                        "-out", cls.stranger], check=True, capture_output=True)

    def refused(self, xml, why, trust=GOLDEN / "trust"):
        file = self.path / "forged.xml"
        file.write_text(xml)
        code, said = judge("--trust", trust, file)
        self.assertEqual(code, 1, said)
        self.assertRegex(said, why)

    def test_signing_here_makes_what_the_judge_takes(self):
        file = self.path / "good.xml"
        file.write_text(sign(self.path, template_of(self.ticket), GOLDEN / "signing-rsa2048.pem"))
        self.assertEqual(judge("--trust", GOLDEN / "trust", file)[0], 0)

    def test_signed_by_a_stranger_under_a_trusted_name(self):
        self.refused(sign(self.path, template_of(self.ticket), self.stranger), "xmlsec1: ")

    def test_brings_its_own_key(self):
        own = template_of(self.ticket).replace("</ds:KeyName>", "</ds:KeyName><ds:KeyValue></ds:KeyValue>", 1)
        signed = sign(self.path, own, self.stranger)
        self.assertIn("RSAKeyValue", signed)
        self.refused(signed, "xmlsec1: ")

    def test_names_a_key_that_nobody_trusts(self):
        self.refused(self.ticket.replace("ae95e6d95bf7140f", "0123456789abcdef"), "the trust file has not")

    def test_names_a_revoked_key(self):
        trust = self.path / "trust"
        trust.write_text((GOLDEN / "trust").read_text().replace(" retiring ", " revoked "))
        self.refused(self.ticket, "the trust file has not", trust)

    def test_well_signed_but_not_of_the_schema(self):
        conditions = re.search(r"<saml:Conditions .*</saml:Conditions>", self.ticket).group()
        moved = self.ticket.replace(conditions, "").replace("</saml:Assertion>", conditions + "</saml:Assertion>")
        self.refused(sign(self.path, template_of(moved), GOLDEN / "signing-rsa2048.pem"), "xmllint: ")

    def test_signs_a_part_only(self):
        self.refused(self.ticket.replace(' ID="_0', ' ID="_1', 1), "not to the assertion")

    def test_has_two_signatures(self):
        signature = re.search(r"<ds:Signature .*?</ds:Signature>", self.ticket).group()
        self.refused(self.ticket.replace(signature, signature * 2), "not one assertion")

    def test_has_a_document_type(self):
        self.refused("<!DOCTYPE a>" + self.ticket, "neither|form of a ticket")

    def test_is_nothing(self):
        self.refused("", "no ticket")


if __name__ == "__main__":
    os.environ.pop("XML_CATALOG_FILES", None)
    unittest.main(verbosity=1)
