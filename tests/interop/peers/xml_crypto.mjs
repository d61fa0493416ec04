// npm's xml-crypto judges assertions:   xml_crypto.mjs CERTIFICATE FILE...
//
// Read is only what it says was signed. A line for each: "accept SUBJECT", or
// "refuse: " and why.
import { readFileSync } from 'node:fs';

import { answer, judge } from './xml_signature.mjs';

const [certificate, ...files] = process.argv.slice(2);
const publicCert = readFileSync(certificate, 'utf8');

for (const file of files) await answer(() => judge(readFileSync(file, 'utf8'), publicCert));
