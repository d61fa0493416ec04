// A stock OAuth client that we did not write, npm's openid-client, logs a service in:
// client_credentials with private_key_jwt (RFC 7523), bound to the registered key, or by
// DPoP (RFC 9449) to a new key of its own.
//
//   node service.mjs ISSUER CA CLIENT-ID ALG [--dpop] <PKCS8-PEM
//
// Prints {"answer": ..., "spki": the new key} or {"error": ..., "description": ...,
// "status": ...}.
import './node18.mjs';

import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const client = await import('openid-client');
const { Agent, fetch } = await import('undici');

const [issuer, ca, id, alg, dpop] = process.argv.slice(2);
const der = createPrivateKey(readFileSync(0)).export({ type: 'pkcs8', format: 'der' });
const key = await crypto.subtle.importKey('pkcs8', der, alg === 'ES256'
  ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign']);

const dispatcher = new Agent({ connect: { ca: readFileSync(ca) } });
const config = new client.Configuration(
  { issuer, token_endpoint: `${issuer}/v1/token` },
  id,
  undefined,
  client.PrivateKeyJwt({ key, kid: 'whatever-we-call-it' }),
);
config[client.customFetch] = (url, options) => fetch(url, { ...options, dispatcher });

const pair = dpop && await client.randomDPoPKeyPair(alg);
const spki = pair && Buffer.from(await crypto.subtle.exportKey('spki', pair.publicKey)).toString('base64');

try {
  const answer = await client.clientCredentialsGrant(config, {}, pair && { DPoP: client.getDPoPHandle(config, pair) });
  console.log(JSON.stringify({ answer, expiresIn: answer.expiresIn(), spki }));
} catch (e) {
  console.log(JSON.stringify({
    error: e.error ?? e.code ?? String(e), description: e.error_description, status: e.status, kind: e.name,
  }));
}
await dispatcher.close();
