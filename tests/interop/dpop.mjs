// DPoP (RFC 9449) by npm's jose.   dpop.mjs make ALG JWK-FILE | dpop.mjs judge
//
// Questions on standard input, one JSON object a line; answers on standard output.
//
//   make   {header, claims}  ->  a proof under a new key, whose public half goes into
//                                JWK-FILE; header and claims replace what is right
//   judge  {proof}           ->  {"claims", "jwk"}, or {"error"}
import './node18.mjs';

import { readFileSync, writeFileSync } from 'node:fs';

const { EmbeddedJWK, SignJWT, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify } = await import('jose');

const [command, alg, file] = process.argv.slice(2);
const questions = readFileSync(0, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));

async function make() {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  writeFileSync(file, JSON.stringify(jwk));
  for (const { header, claims } of questions) {
    const signing = new SignJWT(claims).setProtectedHeader({ typ: 'dpop+jwt', alg, jwk, ...header });
    console.log(await signing.sign(privateKey));
  }
}

async function judge() {
  for (const { proof, now } of questions) {
    try {
      const { payload } = await jwtVerify(proof, EmbeddedJWK, {
        typ: 'dpop+jwt', algorithms: ['ES256', 'RS256'], maxTokenAge: '60s', currentDate: new Date(now * 1000),
        requiredClaims: ['jti', 'htm', 'htu', 'iat'],
      });
      console.log(JSON.stringify({ claims: payload, jwk: decodeProtectedHeader(proof).jwk }));
    } catch (e) {
      console.log(JSON.stringify({ error: e.code ?? String(e) }));
    }
  }
}

await (command === 'make' ? make() : judge());
