"""python3-saml reads SAML metadata:   python3_saml_metadata.py METADATA PINNED-CERTIFICATE ENTITY

Its signature must be of the pinned certificate. A line of JSON: the entity's settings
as a service provider would take them over.
"""
import json
import sys

from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.utils import OneLogin_Saml2_Utils


def main(metadata, pinned, entity):
    xml = open(metadata, encoding="utf-8").read()
    certificate = open(pinned, encoding="utf-8").read()
    OneLogin_Saml2_Utils.validate_metadata_sign(xml.encode(), cert=certificate, raise_exceptions=True)
    print(json.dumps(OneLogin_Saml2_IdPMetadataParser.parse(xml.encode(), entity_id=entity)))


main(*sys.argv[1:])
