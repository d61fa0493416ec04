"""python3-saml judges assertions:   python3_saml.py CERTIFICATE FILE...

A line for each: "accept SUBJECT", or "refuse: " and why.
"""
import sys

from onelogin.saml2.utils import OneLogin_Saml2_Utils
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML


def judge(xml, certificate):
    OneLogin_Saml2_Utils.validate_sign(xml, cert=certificate, xpath="/saml:Assertion/ds:Signature",
                                       raise_exceptions=True)
    return OneLogin_Saml2_XML.query(OneLogin_Saml2_XML.to_etree(xml), "/saml:Assertion/saml:Subject/saml:NameID")[0].text


def main(certificate, *files):
    for file in files:
        try:
            print("accept", judge(open(file, encoding="utf-8").read(), open(certificate, encoding="utf-8").read()))
        except Exception as e:  # whatever it is, it was not accepted
            print("refuse:", " ".join(str(e).split()))


main(*sys.argv[1:])
