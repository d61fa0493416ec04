// npm's jose finds the keys that verify, by the issuer's metadata, and xml-crypto judges
// assertions by them:
//
//     jose.mjs ISSUER CA FILE...
//
// First a line "keys KID..."; each key's x5c holds a certificate that the key signed.
// Then a line for each file: "accept SUBJECT", or "refuse: " and why.
import '../node18.mjs';

import { KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { createRemoteJWKSet, customFetch, exportSPKI, importJWK } from 'jose';
import { Agent, fetch } from 'undici';

import { answer, claimed, judge } from './xml_signature.mjs';

const [issuer, ca, ...files] = process.argv.slice(2);
const dispatcher = new Agent({ connect: { ca: readFileSync(ca) } });
const get = (url, options) => fetch(url, { ...options, dispatcher });

const server = await (await get(`${issuer}/.well-known/oauth-authorization-server`)).json();
const set = createRemoteJWKSet(new URL(server.jwks_uri), { [customFetch]: get });
await set.reload();

for (const jwk of set.jwks().keys) {
  const key = KeyObject.from(await importJWK(jwk, undefined, { extractable: true }));
  const certificate = new X509Certificate(Buffer.from(jwk.x5c[0], 'base64'));
  if (!certificate.publicKey.equals(key) || !certificate.verify(key))
    throw new Error(`the certificate of ${jwk.kid} is not its own`);
}
console.log(['keys', ...set.jwks().keys.map((jwk) => jwk.kid)].join(' '));

for (const file of files) {
  const xml = readFileSync(file, 'utf8');
  await answer(async () => {
    const { name, alg } = claimed(xml);
    return judge(xml, await exportSPKI(KeyObject.from(await set({ kid: name, alg }))));
  });
}
await dispatcher.close();
