// A stock OAuth client that we did not write, npm's openid-client, exchanges an ID token
// (RFC 8693) with the device's key proven by its TLS client certificate, or by DPoP
// (RFC 9449) with a new key of its own, ES256 or RS256; then the identity ticket that it
// got for rights, and with DPoP it also reads the root of the mesh.
//
//   node exchange.mjs ISSUER CA CERTIFICATE KEY [RIGHTS | revoke] <ID-TOKEN
//   node exchange.mjs ISSUER CA --dpop ALG [RIGHTS] <ID-TOKEN
//
// RIGHTS is JSON: "audience", "resource", "scope". With revoke it revokes the identity
// ticket (RFC 7009) and then tries to renew it. Prints {"server": what it discovered,
// "answer": ..., "spki": the new key, "rights": the second answer, "root": {"status", "body"}}
// or {"error": ..., "description": ..., "status": ...}.
import { readFileSync } from 'node:fs';

import { client, discover, failure, spkiOf } from './stock.mjs';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPE = 'urn:ietf:params:oauth:token-type:';

const [issuer, ca, certificate, key, rights] = process.argv.slice(2);
const alg = certificate === '--dpop' ? key : undefined;
const idToken = readFileSync(0, 'utf8').trim();

// RFC 8705: the client is known by the certificate of its connection.
const { config, close } = await discover(issuer, ca, 'meshauth-interop', alg ? client.None() : client.TlsClientAuth(),
  alg ? undefined : { cert: readFileSync(certificate), key: readFileSync(key) });
const pair = alg && await client.randomDPoPKeyPair(alg);
const proof = pair && { DPoP: client.getDPoPHandle(config, pair) };

const exchange = (token, type, more) => client.genericGrantRequest(config, GRANT, {
  subject_token: token, subject_token_type: TYPE + type, requested_token_type: `${TYPE}saml2`, ...more,
}, proof);

try {
  const answer = await exchange(idToken, 'id_token');
  const said = { server: config.serverMetadata(), answer, expiresIn: answer.expiresIn() };
  if (pair)
    said.spki = await spkiOf(pair);
  if (rights === 'revoke') {
    await client.tokenRevocation(config, answer.access_token);
    said.renewal = await exchange(answer.access_token, 'saml2').catch(failure);
  } else if (rights)
    said.rights = await exchange(answer.access_token, 'saml2', JSON.parse(rights));
  if (pair) {
    const root = await client.fetchProtectedResource(config, answer.access_token, new URL(answer.mesh), 'GET', undefined,
      undefined, proof);
    said.root = { status: root.status, body: await root.json() };
  }
  console.log(JSON.stringify(said));
} catch (e) {
  console.log(JSON.stringify(failure(e)));
}
await close();
