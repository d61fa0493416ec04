// A stock OAuth client that we did not write, npm's openid-client, exchanges an ID token
// (RFC 8693) with the device's key proven by its TLS client certificate, or by DPoP
// (RFC 9449) with a new key of its own, ES256 or RS256.
//
//   node exchange.mjs ISSUER CA CERTIFICATE KEY <ID-TOKEN
//   node exchange.mjs ISSUER CA --dpop ALG <ID-TOKEN
//
// Prints {"answer": ..., "spki": the new key} or {"error": ..., "description": ...,
// "status": ...}.
import './node18.mjs';

import { readFileSync } from 'node:fs';

const client = await import('openid-client');
const { Agent, fetch } = await import('undici');

const [issuer, ca, certificate, key] = process.argv.slice(2);
const alg = certificate === '--dpop' ? key : undefined;
const idToken = readFileSync(0, 'utf8').trim();

// RFC 8705: the client is known by the certificate of its connection.
const dispatcher = new Agent({
  connect: alg ? { ca: readFileSync(ca) }
    : { ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key) },
});
const config = new client.Configuration(
  { issuer, token_endpoint: `${issuer}/v1/token` },
  'meshauth-interop',
  undefined,
  alg ? client.None() : client.TlsClientAuth(),
);
config[client.customFetch] = (url, options) => fetch(url, { ...options, dispatcher });

const pair = alg && await client.randomDPoPKeyPair(alg);
const spki = pair && Buffer.from(await crypto.subtle.exportKey('spki', pair.publicKey)).toString('base64');

try {
  const answer = await client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    requested_token_type: 'urn:ietf:params:oauth:token-type:saml2',
  }, pair && { DPoP: client.getDPoPHandle(config, pair) });
  console.log(JSON.stringify({ answer, expiresIn: answer.expiresIn(), spki }));
} catch (e) {
  console.log(JSON.stringify({
    error: e.error ?? e.code ?? String(e), description: e.error_description, status: e.status, kind: e.name,
  }));
}
await dispatcher.close();
