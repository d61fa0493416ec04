// A stock OAuth client that we did not write, npm's openid-client, logs a service in:
// client_credentials with private_key_jwt (RFC 7523), bound to the registered key, or by
// DPoP (RFC 9449) to a new key of its own; or with the registered key in a certificate
// that it signed itself (RFC 8705 2.2).
//
//   node service.mjs ISSUER CA CLIENT-ID ALG [--dpop | --tls CERTIFICATE] [--ask FILE] <PKCS8-PEM
//
// Or, with FILE, it asks about the ticket in it (RFC 7662), proven in the same way.
//
// Prints {"answer": ..., "spki": the new key}, {"introspection": ...} or {"error": ..., "description": ...,
// "status": ...}.
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { client, discover, failure, spkiOf } from './stock.mjs';

const [issuer, ca, id, alg, ...options] = process.argv.slice(2);
const [how, certificate] = options;
const asked = options.includes('--ask') && options[options.indexOf('--ask') + 1];
const pem = readFileSync(0);
const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
const key = await crypto.subtle.importKey('pkcs8', der, alg === 'ES256'
  ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign']);

const { config, close } = await (how === '--tls'
  ? discover(issuer, ca, id, client.TlsClientAuth(), { cert: readFileSync(certificate), key: pem })
  : discover(issuer, ca, id, client.PrivateKeyJwt({ key, kid: 'whatever-we-call-it' })));
const pair = how === '--dpop' && await client.randomDPoPKeyPair(alg);

async function ask() {
  const introspection = await client.tokenIntrospection(config, readFileSync(asked, 'utf8'));
  console.log(JSON.stringify({ introspection }));
}

async function logIn() {
  const proof = pair ? { DPoP: client.getDPoPHandle(config, pair) } : undefined;
  const answer = await client.clientCredentialsGrant(config, {}, proof);
  console.log(JSON.stringify({ answer, expiresIn: answer.expiresIn(), spki: pair ? await spkiOf(pair) : undefined }));
}

try {
  await (asked ? ask() : logIn());
} catch (e) {
  console.log(JSON.stringify(failure(e)));
}
await close();
