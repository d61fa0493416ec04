// npm's xml-crypto, made ready for assertions. It has no ECDSA of its own but takes an
// implementation of it.
import { verify } from 'node:crypto';

import { DOMParser } from '@xmldom/xmldom';
import { SignedXml } from 'xml-crypto';
import xpath from 'xpath';

const select = xpath.useNamespaces({
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion', ds: 'http://www.w3.org/2000/09/xmldsig#',
});

const ECDSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256';

class EcdsaSha256 {
  getAlgorithmName = () => ECDSA_SHA256;

  verifySignature = (signed, key, value) =>
    verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(value, 'base64'));
}

function fail(why) {
  throw new Error(why);
}

const parse = (xml) =>
  new DOMParser({ errorHandler: { error: fail, fatalError: fail } }).parseFromString(xml, 'text/xml');

// Which key it names, and with what algorithm: no more than its bearer's word.
export function claimed(xml) {
  const signature = '/saml:Assertion/ds:Signature';
  const document = parse(xml);
  return {
    name: select(`string(${signature}/ds:KeyInfo/ds:KeyName)`, document),
    alg: select(`string(${signature}/ds:SignedInfo/ds:SignatureMethod/@Algorithm)`, document) === ECDSA_SHA256
      ? 'ES256' : 'RS256',
  };
}

// The subject that the key (PEM) has signed; throws when it has signed none.
export function judge(xml, publicCert) {
  const document = parse(xml);
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

// A line for each: "accept SUBJECT", or "refuse: " and why.
export async function answer(subjectOf) {
  try {
    console.log('accept', await subjectOf());
  } catch (e) {
    console.log('refuse:', String(e.message ?? e).replace(/\s+/g, ' '));
  }
}
