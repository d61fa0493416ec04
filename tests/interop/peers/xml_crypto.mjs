// npm's xml-crypto judges assertions:   xml_crypto.mjs CERTIFICATE FILE...
//
// Read is only what it says was signed. A line for each: "accept SUBJECT", or
// "refuse: " and why. It has no ECDSA of its own but takes an implementation of it.
import { verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { DOMParser } from '@xmldom/xmldom';
import { SignedXml } from 'xml-crypto';
import xpath from 'xpath';

const select = xpath.useNamespaces({
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion', ds: 'http://www.w3.org/2000/09/xmldsig#',
});
const [certificate, ...files] = process.argv.slice(2);
const publicCert = readFileSync(certificate, 'utf8');

const ECDSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256';

class EcdsaSha256 {
  getAlgorithmName = () => ECDSA_SHA256;

  verifySignature = (signed, key, value) =>
    verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(value, 'base64'));
}

function judge(xml) {
  const document = new DOMParser({ errorHandler: { error: fail, fatalError: fail } }).parseFromString(xml, 'text/xml');
  const signatures = select('/saml:Assertion/ds:Signature', document);
  if (signatures.length !== 1) fail(`${signatures.length} signatures`);
  const checker = new SignedXml({ publicCert });
  checker.SignatureAlgorithms = { ...checker.SignatureAlgorithms, [ECDSA_SHA256]: EcdsaSha256 };
  checker.loadSignature(signatures[0]);
  if (!checker.checkSignature(xml)) fail('the signature does not verify');
  const signed = checker.getSignedReferences();
  if (signed.length !== 1) fail(`${signed.length} references`);
  const assertion = new DOMParser().parseFromString(signed[0], 'text/xml');
  // xml-crypto leaves to its caller what was signed; node-saml asks this of it.
  if (assertion.documentElement.getAttribute('ID') !== document.documentElement.getAttribute('ID')) {
    fail('something else is signed');
  }
  return select('string(/saml:Assertion/saml:Subject/saml:NameID)', assertion);
}

function fail(why) {
  throw new Error(why);
}

for (const file of files) {
  try {
    console.log('accept', judge(readFileSync(file, 'utf8')));
  } catch (e) {
    console.log('refuse:', String(e.message ?? e).replace(/\s+/g, ' '));
  }
}
