#!/usr/bin/env python3
"""What other people's software makes of the key set and of the SAML metadata of meshauthd:
xmlsec1, the OASIS schema, OpenSAML-C as in Shibboleth, python3-saml, npm's jose."""
import json
import pathlib
import re
import sys
import textwrap
import time
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from harness import BUILD, DS, PROMPT_S, MeshTest, Ticket, main, run, wait_until  # noqa: E402
from people import Person, another  # noqa: E402
from services import Socket  # noqa: E402

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
CERTIFICATE = f"{DS}X509Data/{DS}X509Certificate"
XMLSEC = ["xmlsec1", "--verify", "--enabled-key-data", "x509", "--enabled-reference-uris", "same-doc",
          "--ignore-manifests", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"]


def pem_of(certificate):
    body = "\n".join(textwrap.wrap("".join(certificate.split()), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


class Judges(MeshTest):
    """What they say of the documents as they are served now."""

    def fetch(self):
        """The metadata in a file, and its root."""
        xml = self.mesh.request("GET", "/saml/metadata").body.decode()
        return self.write("metadata.xml", xml), ElementTree.fromstring(xml)

    def write(self, name, text):
        file = self.mesh.folder / name
        file.write_text(text)
        return file

    def pinned(self, root):
        return self.write("pinned.crt", pem_of(root.findtext(f"{DS}Signature/{DS}KeyInfo/{CERTIFICATE}")))

    def trusted(self):
        """The keys that verify, by the trust file."""
        return sorted(re.findall("^key ([0-9a-f]{16}) (?:next|active|retiring) ", self.mesh.trust.read_text(), re.M))

    def ticket(self, name):
        """A rights ticket, as a file, and a copy of it for another subject."""
        person = Person(self.mesh, name)
        ticket = Ticket(person.ticket)
        forged = ticket.xml.replace(f">{person.id}</saml:NameID>", f">{another(person.id)}</saml:NameID>")
        self.assertNotEqual(forged, ticket.xml)
        return person, [self.write(f"{name}.xml", ticket.xml), self.write(f"{name}-forged.xml", forged)]

    def verified(self, certificate, file):
        return run(*XMLSEC, "--pubkey-cert-pem", certificate, file, check=False).returncode == 0

    def valid(self, file):
        return run("xmllint", "--nonet", "--noout", "--schema", HERE / "schema" / "metadata.xsd", file, check=False,
                   env={"XML_CATALOG_FILES": str(HERE / "schema" / "catalog.xml")}).returncode == 0

    def opensaml(self, metadata, pinned, *files):
        program = BUILD / "tests" / "interop" / "peer_opensaml_metadata"
        return run(program, metadata, pinned, self.mesh.url, *files).stdout.splitlines()

    def jose(self, *files):
        return run("node", HERE / "peers" / "jose.mjs", self.mesh.url, self.mesh.ca, *files).stdout.splitlines()


class Documents(Judges):
    def test_xmlsec(self):
        file, root = self.fetch()
        pinned = self.pinned(root)
        self.assertTrue(self.verified(pinned, file))
        self.assertFalse(self.verified(self.mesh.ca, file))
        xml = file.read_text()
        for old, new in (("validUntil=\"20", "validUntil=\"21"), ("use=\"signing\"", ""), ("/v1/token", "/v1/other")):
            self.assertIn(old, xml)
            self.assertFalse(self.verified(pinned, self.write("altered.xml", xml.replace(old, new, 1))), old)

    def test_the_schema(self):
        file, _ = self.fetch()
        self.assertTrue(self.valid(file))
        xml = re.sub("<md:SingleSignOnService[^>]*>", "", file.read_text())
        self.assertFalse(self.valid(self.write("altered.xml", xml)))

    def test_opensaml(self):
        file, root = self.fetch()
        pinned = self.pinned(root)
        alice, tickets = self.ticket("alice")
        said = self.opensaml(file, pinned, *tickets)
        self.assertEqual(said[:2], ["keys " + " ".join(self.trusted()), f"accept {alice.id}"])
        self.assertRegex(said[2], "^refuse: ")
        self.assertRegex(self.opensaml(file, self.mesh.ca)[0], "^refuse: .*verify signature")
        altered = self.write("altered.xml", file.read_text().replace("PT3600S", "PT3601S"))
        self.assertRegex(self.opensaml(altered, pinned)[0], "^refuse: .*verify signature")

    def test_python3_saml(self):
        file, root = self.fetch()
        said = json.loads(run("/usr/bin/python3", "-B", HERE / "peers" / "python3_saml_metadata.py", file,
                              self.pinned(root), self.mesh.url).stdout)
        listed = root.findtext(f"{MD}IDPSSODescriptor/{MD}KeyDescriptor/{DS}KeyInfo/{CERTIFICATE}")
        # No browser can be sent anywhere: it takes over no address.
        self.assertEqual(said, {"idp": {"entityId": self.mesh.url, "x509cert": listed}})

    def test_jose(self):
        bob, tickets = self.ticket("bob")
        said = self.jose(*tickets)
        self.assertEqual(sorted(said[0].split()[1:]), self.trusted())
        self.assertEqual(said[1], f"accept {bob.id}")
        self.assertRegex(said[2], "^refuse: ")

    def test_both_list_the_same(self):
        _, root = self.fetch()
        keys = self.mesh.request("GET", "/.well-known/jwks.json").json["keys"]
        described = {k.findtext(f"{DS}KeyInfo/{DS}KeyName"): k.findtext(f"{DS}KeyInfo/{CERTIFICATE}")
                     for k in root.iter(f"{MD}KeyDescriptor")}
        self.assertEqual(described, {k["kid"]: k["x5c"][0] for k in keys})
        self.assertEqual(sorted(described), self.trusted())
        self.assertEqual({k.get("use") for k in root.iter(f"{MD}KeyDescriptor")}, {"signing"})


class Rotation(Judges):
    def listed(self):
        """The keys of both documents, by others' software, and the verdicts on the tickets at hand."""
        file, root = self.fetch()
        opensaml = self.opensaml(file, self.pinned(root), *self.files)
        jose = self.jose(*self.files)
        self.assertEqual(sorted(jose[0].split()), sorted(opensaml[0].split()))
        self.assertEqual([said[:6] for said in jose[1:]], [said[:6] for said in opensaml[1:]])
        self.assertTrue(self.verified(self.pinned(root), file) and self.valid(file))
        return sorted(jose[0].split()[1:]), [said[:6] for said in jose[1:]]

    def both_show(self, *ids):
        """Within a second or so of what was done: these, and no other."""
        def shown():
            keys = self.mesh.request("GET", "/.well-known/jwks.json").json["keys"]
            return sorted(k["kid"] for k in keys) == sorted(ids)
        start = time.monotonic()
        wait_until(shown, "the keys to be listed")
        self.assertLess(time.monotonic() - start, PROMPT_S)
        return self.listed()

    def test_it(self):
        """Next, active and retiring keys are in both documents, revoked ones in none."""
        admin, (old,) = Socket(self.mesh), self.trusted()
        first, files = self.ticket("carol")
        self.files = files[:1]
        self.assertEqual(self.both_show(old), ([old], ["accept"]))
        rsa = admin.call("POST", "keys", {"algorithm": "RSA-3072"}).json["id"]
        unused = admin.call("POST", "keys", {}).json["id"]
        self.assertEqual(self.both_show(old, rsa, unused)[1], ["accept"])
        admin.call("POST", f"keys/{rsa}/activate", {"force": True})
        wait_until(lambda: Ticket(Person(self.mesh, "dave").ticket).key == rsa, "the new key to sign")
        self.files += self.ticket("dave")[1][:1]
        self.assertEqual(self.both_show(old, rsa, unused)[1], ["accept", "accept"])
        admin.call("POST", f"keys/{unused}/revoke")
        self.assertEqual(self.both_show(old, rsa)[1], ["accept", "accept"])
        admin.call("POST", f"keys/{old}/revoke")  # one that retires
        self.assertEqual(self.both_show(rsa)[1], ["refuse", "accept"])
        wait_until(lambda: self.trusted() == [rsa], "the trust file to say the same")
        # The harness's judge has the trust file of the end.
        self.mesh.tickets = {id: xml for id, xml in self.mesh.tickets.items() if f">{old}</ds:KeyName>" not in xml}


if __name__ == "__main__":
    main()
