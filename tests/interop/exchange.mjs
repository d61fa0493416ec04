// A stock OAuth client that we did not write, npm's openid-client, exchanges an ID token
// (RFC 8693) with the device's key proven by its TLS client certificate.
//
//   node exchange.mjs ISSUER CA CERTIFICATE KEY <ID-TOKEN
//
// Prints {"answer": ...} or {"error": ..., "description": ..., "status": ...}.
import './node18.mjs';

import { readFileSync } from 'node:fs';

const client = await import('openid-client');
const { Agent, fetch } = await import('undici');

const [issuer, ca, certificate, key] = process.argv.slice(2);
const idToken = readFileSync(0, 'utf8').trim();

// RFC 8705: the client is known by the certificate of its connection.
const dispatcher = new Agent({
  connect: { ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key) },
});
const config = new client.Configuration(
  { issuer, token_endpoint: `${issuer}/v1/token` },
  'meshauth-interop',
  undefined,
  client.TlsClientAuth(),
);
config[client.customFetch] = (url, options) => fetch(url, { ...options, dispatcher });

try {
  const answer = await client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    requested_token_type: 'urn:ietf:params:oauth:token-type:saml2',
  });
  console.log(JSON.stringify({ answer, expiresIn: answer.expiresIn() }));
} catch (e) {
  console.log(JSON.stringify({
    error: e.error ?? e.code ?? String(e), description: e.error_description, status: e.status, kind: e.name,
  }));
}
await dispatcher.close();
