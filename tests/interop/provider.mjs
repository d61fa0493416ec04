// An OpenID provider that we did not write: npm's oidc-provider, over HTTPS on loopback.
//
//   node provider.mjs CERTIFICATE KEY
//
// Prints its issuer when it serves. Anyone may log in under any name (its own
// "devInteractions"). Commands, one a line on standard input, each answered by a line:
//
//   rotate   sign with new keys from now on, and publish only these
//   asked    how often its key set was fetched
//   end
import './node18.mjs';

import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

console.info = console.error; // standard output is for answers

const { Provider } = await import('oidc-provider');
const { exportJWK, generateKeyPair } = await import('jose');

const [certificate, key] = process.argv.slice(2);
let generation = 0;
let asked = 0;
let serve; // the request handler of the provider in force

const jwk = async (alg) => ({
  ...(await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey)),
  alg,
  use: 'sig',
  kid: `${alg}-${generation}`,
});

const client = (alg) => ({
  client_id: `mesh-${alg}`,
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
  grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
  id_token_signed_response_alg: alg,
});

async function renew(issuer) {
  generation += 1;
  const provider = new Provider(issuer, {
    clients: [client('RS256'), client('ES256')],
    jwks: { keys: [await jwk('RS256'), await jwk('ES256')] },
    cookies: { keys: ['a throw-away key'] },
    features: { deviceFlow: { enabled: true } },
    pkce: { required: () => true },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  serve = provider.callback();
}

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (req, res) => {
  if (req.url === '/jwks') asked += 1;
  serve(req, res);
});
server.listen(0, '127.0.0.1', async () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  await renew(issuer);
  console.log(issuer);

  const commands = {
    rotate: async () => { await renew(issuer); return `generation ${generation}`; },
    asked: async () => String(asked),
    end: async () => process.exit(0),
  };
  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => console.log(await (commands[line] ?? (async () => 'unknown'))()));
  lines.on('close', () => process.exit(0)); // nobody is left who wants it
});
