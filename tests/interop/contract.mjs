// Does what was asked and answered fit authsvc/openapi.json?
//
// Reads a line for each exchange:
//   {"method", "path", "certificate", "local", "headers", "body", "status", "answer",
//    "answer_headers"}
// with headers as objects of lower-case names, bodies in base64 (null: none). At
// {"verdict": true} it writes one line: the list of what did not fit since the last one.
//
// What got a 2xx must have been a request as described; every answer must be described.
//
// In the end it writes to $MAUTH_EXERCISED, a file, which operations were answered how
// ("readUser 304"), as far as that fitted: for exercised.mjs.
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bytes, contentFlaws, operationsAt, part, requestFlaws, typed } from './description.mjs';

// Of every answer, or of none that is described.
const ALWAYS = new Set(['date', 'content-length', 'content-type', 'connection', 'cache-control',
  'x-content-type-options', 'strict-transport-security']);

function headerFlaws(response, headers) {
  const described = Object.keys(response.value.headers ?? {});
  const flaws = Object.keys(headers)
    .filter((name) => !ALWAYS.has(name) && !described.some((d) => d.toLowerCase() === name))
    .map((name) => `header ${name} is not described`);
  for (const name of described) {
    const header = response.at('headers', name);
    const value = headers[name.toLowerCase()];
    if (value !== undefined)
      flaws.push(...header.at('schema').flaws(typed(value, header.at('schema')), name));
    else if (header.value.required)
      flaws.push(`header ${name} is missing`);
  }
  return flaws;
}

function answerFlaws(x, response) {
  const raw = bytes(x.answer);
  const flaws = headerFlaws(response, x.answer_headers);
  if (response.value.content && x.method !== 'HEAD')
    flaws.push(...contentFlaws(response.at('content'), x.answer_headers['content-type'], raw, 'answer'));
  else if (raw.length > 0)
    flaws.push('a body is not described');
  return flaws;
}

function flawsOf(x) {
  const there = operationsAt(x.path.split('?')[0]);
  const method = x.method === 'HEAD' ? 'GET' : x.method; // RFC 9110 9.3.2: which is described
  const operation = there.find((o) => o.method.toUpperCase() === method);
  if (!operation) {
    const elsewhere = part('x-elsewhere', 'responses', String(x.status));
    return elsewhere.value && (there.length || x.status !== 405) ? answerFlaws(x, elsewhere)
      : ['the path or its method is not described'];
  }
  if (!operation.responses.value[x.status])
    return ['the status is not described'];
  const flaws = answerFlaws(x, operation.responses.at(String(x.status)));
  if (x.status < 400)
    flaws.push(...requestFlaws(operation, x));
  return flaws;
}

const found = new Set();
const exercised = new Set();

function note(x) {
  const operation = operationsAt(x.path.split('?')[0]).find((o) => o.method.toUpperCase() === x.method);
  if (operation)
    exercised.add(`${operation.id} ${x.status}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const x = JSON.parse(line);
  if (x.verdict) {
    process.stdout.write(JSON.stringify([...found]) + '\n');
    found.clear();
    continue;
  }
  const flaws = flawsOf(x);
  if (!flaws.length)
    note(x);
  for (const flaw of flaws)
    if (found.size < 100)
      found.add(`${x.method} ${x.path} ${x.status}: ${flaw}`);
}

if (process.env.MAUTH_EXERCISED)
  writeFileSync(process.env.MAUTH_EXERCISED, JSON.stringify([...exercised]));
