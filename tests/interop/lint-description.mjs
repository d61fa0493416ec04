// Is authsvc/openapi.json a good OpenAPI 3.1 description? Prints what is wrong, one problem
// a line; nothing when all is well. Two judges: one by the schema of the OpenAPI
// initiative, the other by its own rules, which also try the examples.
import { fileURLToPath } from 'node:url';
import { createConfig, lint } from '@redocly/openapi-core';
import { Validator } from '@seriousme/openapi-schema-validator';

const file = process.argv[2] ?? fileURLToPath(new URL('../../authsvc/openapi.json', import.meta.url));

const verdict = await new Validator().validate(file);
for (const e of verdict.valid ? [] : [verdict.errors].flat())
  console.log(typeof e === 'string' ? e : `${e.instancePath}: ${e.message}`);

const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    'info-license': 'off',
    'no-server-example.com': 'off',
    'operation-4xx-response': 'off', // health and the description refuse nobody
    'no-invalid-media-type-examples': 'error',
    'no-invalid-schema-examples': 'error',
    'no-invalid-parameter-examples': 'error',
    'operation-description': 'off',
    'no-required-schema-properties-undefined': 'error',
    'no-unused-components': 'error',
  },
});
for (const p of await lint({ ref: file, config }))
  console.log(`${p.location[0]?.pointer}: ${p.message} (${p.ruleId})`);
