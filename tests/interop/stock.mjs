// What the stock OAuth client, npm's openid-client, needs to begin: it discovers the
// service by RFC 8414, under the service's own authority.
import './node18.mjs';

import { readFileSync } from 'node:fs';

export const client = await import('openid-client');
const { Agent, fetch } = await import('undici');

// pair: {cert, key} of a TLS client certificate, or undefined.
export async function discover(issuer, ca, id, authentication, pair) {
  const dispatcher = new Agent({ connect: { ca: readFileSync(ca), ...pair } });
  const customFetch = (url, options) => fetch(url, { ...options, dispatcher });
  const config = await client.discovery(new URL(issuer), id, undefined, authentication, {
    algorithm: 'oauth2', [client.customFetch]: customFetch,
  });
  return { config, close: () => dispatcher.close() };
}

// How the client says what went wrong.
export const failure = (e) => ({
  error: e.error ?? e.code ?? String(e), description: e.error_description, status: e.status, kind: e.name,
});

export async function spkiOf({ publicKey }) {
  return Buffer.from(await crypto.subtle.exportKey('spki', publicKey)).toString('base64');
}
