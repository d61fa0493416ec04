// Random requests from authsvc/openapi.json: values by json-schema-faker, about half of the
// requests then broken in one way.
//
//   requests.mjs SEED
//
// For each line it reads, {"path", "etag", "text"} of the last answer or {}, it writes one
// request: {"id", "who", "method", "path", "headers", "body", "fits"}, the body in base64
// or null. fits: the request is as described, so that the service must not call it malformed.
// What answers tell, ids, versions and secrets, goes into later requests.
import { createInterface } from 'node:readline';
import { generateSync } from 'json-schema-faker';
import { document, isWholeQuery, operations, operationsAt, requestFlaws } from './description.mjs';

const KEPT = 24; // of each kind of what was learned
const LEAVE_ALONE = new Set(['login']); // needs a provider's tokens; has tests of its own

let state = Number(process.argv[2]) >>> 0;

// mulberry32
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const one = (list) => list[below(list.length)];

// What was learned.

const ids = new Map(); // kind: ids
const etags = new Map(); // path: ETag
const secrets = new Map(); // invitation: secret

function keep(map, key, value) {
  map.delete(key);
  map.set(key, value);
  if (map.size > KEPT)
    map.delete(map.keys().next().value);
}

function learn({ path, etag, text }) {
  if (!/\/v1\/(mesh|admin)\//.test(path))
    return;
  for (const [id, kind] of (text ?? '').matchAll(/\b(usr|dev|fld|inv|svc)_[0-7][0-9a-z]{25}\b/g)) {
    if (!ids.has(kind))
      ids.set(kind, new Map());
    keep(ids.get(kind), id, true);
  }
  if (etag)
    keep(etags, path, etag);
  const secret = /"id":"(inv_\w+)".*"secret":"([\w-]+)"/.exec(text ?? '');
  if (secret)
    keep(secrets, secret[1], secret[2]);
}

const known = (kind) => (ids.has(kind) ? one([...ids.get(kind).keys()]) : undefined);

// Values.

// A schema with its references in place.
function inline(schema) {
  if (Array.isArray(schema))
    return schema.map(inline);
  if (typeof schema !== 'object' || schema === null)
    return schema;
  const { $ref, ...rest } = schema;
  const target = $ref?.slice(2).split('/').reduce((v, n) => v[n], document);
  const own = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, inline(value)]));
  return { ...(target && inline(target)), ...own };
}

const NAMES = ['<script>alert(1)</script>', 'Ünïcödé 旅行 🧳', "O'Neil \"quoted\" \\ back", '{"name":"x"}', ' ', 'x'.repeat(128),
  'null', '%00%n%s', '../../etc/passwd', "'; DROP TABLE folders; --"];

function fake(schema) {
  const full = inline(schema);
  if (full.pattern?.startsWith('^[^')) // a name
    return chance(0.5) ? one(NAMES) : generateSync({ type: 'string', minLength: 1 }, { seed: below(1e9) });
  if (full.pattern?.startsWith('^[a-z]') && chance(0.3)) // a service's name is good for its id
    return known('svc') ?? 'storage';
  const kind = /^\^(usr|dev|fld|inv|svc)_/.exec(full.pattern ?? '')?.[1];
  if (kind && known(kind) && chance(0.8))
    return known(kind);
  if (full.examples && chance(0.3))
    return one(full.examples);
  if (full.properties)
    return Object.fromEntries(Object.entries(full.properties)
      .filter(([name]) => full.required?.includes(name) || chance(0.4))
      .map(([name, s]) => [name, fake(s)]));
  if (full.oneOf)
    return fake(one(full.oneOf));
  return generateSync(full, { seed: below(1e9) });
}

const SEGMENTS = ['usr_', 'x', '*', '~', 'a'.repeat(400), '%F0%9F%A7%B3', '%C3%28', "'", 'fld_8zzzzzzzzzzzzzzzzzzzzzzzzz',
  'USR_0AAAAAAAAAAAAAAAAAAAAAAAAA', 'usr_0aaaaaaaaaaaaaaaaaaaaaaaai', 'me', '%00', '-1', ';a=b'];
const TAGS = ['"0"', '3', '"18446744073709551616"', '""', '"3', 'W/"3"', '"a", "b"', ',', '*, *', '"1"; "2"'];
const QUERIES = ['after=', 'limit=0', 'limit=65', 'limit=-1', 'limit=1e3', 'limit=99999999999999999999', 'after=%00', 'after=%ff',
  'limit=1&limit=2', 'a=b', '=', '&&&', 'after=../x', 'x'.repeat(3000)];

// Bodies that are wrong, made of one that is right.

const VALUES = [null, true, 0, -1, 1.5, 1e300, '', 'x', [], {}, ['a'], { a: { b: { c: { d: { e: 1 } } } } }, 'y'.repeat(129), '\u0000',
  '\u202eabc', '\u200b', '\u001b[31m', '\u0085', '-----BEGIN PRIVATE KEY-----', { kty: 'EC', d: 'x' }];

const withMember = (text, member) => text.replace(/\}$/, `${text === '{}' ? '' : ','}${member}}`);

const BREAKS = [
  (o) => { const { [one(Object.keys(o).concat('name'))]: _, ...rest } = o; return JSON.stringify(rest); },
  (o) => JSON.stringify({ ...o, [one(Object.keys(o).concat('name'))]: one(VALUES) }),
  (o) => JSON.stringify({ ...o, [one(['colour', 'id', 'owner', '', '__proto__', 'privateKey', 'Name', 'd'])]: one(VALUES) }),
  (o) => withMember(JSON.stringify(o), JSON.stringify(one(Object.keys(o).concat('name'))) + ':"twice"'),
  (o) => JSON.stringify(o).slice(0, -1 - below(3)),
  (o) => JSON.stringify(o) + one([' ', '\n', '{}', 'x', '\u0000', ',']),
  (o) => JSON.stringify([o]),
  (o) => withMember(JSON.stringify(o), '"n":' + one(['1e999', '99999999999999999999', '01', 'NaN', '+1', '.5', '-0', 'tru'])),
  (o) => withMember(JSON.stringify(o), '"s":"' + one(['\\ud800', '\\u0000', '\\x', '\t', '\\'])),
  (o) => '['.repeat(below(5000)) + JSON.stringify(o),
  (o) => withMember(JSON.stringify(o), `"pad":"${'p'.repeat(one([8000, 8192, 9000, 20000, 300000]))}"`),
  (o) => Buffer.concat([Buffer.from(JSON.stringify(o).slice(0, -2)), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]),
  () => one(['', 'null', '""', '1', 'true', '[]', '{', '\ufeff{}', "{'name':'x'}", '{"name":"x",}', 'name=x']),
  () => Buffer.from(Array.from({ length: below(300) }, () => below(256))),
];

// Requests.

const PEOPLE = ['alice', 'bob', 'carol'];
const STRANGERS = ['nobody', 'thief', 'junk'];
const METHODS = ['PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'BREW'];
const TYPES = ['text/plain', 'application/xml', ''];

// A request that waits tells nothing.
const longAgo = (schema) => (schema.type === 'integer' ? '0' : '0.0');

// The path, and the values that are in it.
function makePath(o, broken) {
  const values = {};
  const path = o.segments.map((s) => {
    if (!s.startsWith('{'))
      return s;
    const parameter = o.parameters.find((p) => p.in === 'path' && p.name === s.slice(1, -1));
    return (values[parameter.name] = broken ? one(SEGMENTS) : fake(parameter.schema));
  }).join('/');
  const query = o.parameters.filter((p) => p.in === 'query' && !isWholeQuery(p) && chance(0.25))
    .map((p) => `${p.name}=${p['x-waits-s'] ? longAgo(p.schema) : fake(p.schema)}`);
  return { path, values, query };
}

// Of the node as it was last seen; or of some node.
const makeTag = (path) => (etags.has(path) && chance(0.8) ? etags.get(path) : `"${1 + below(4)}"`);

function makeHeaders(o, path, broken) {
  const headers = {};
  for (const p of o.parameters.filter((q) => q.in === 'header' && (q.required || chance(0.3)))) {
    if (broken && chance(0.5))
      continue;
    headers[p.name.toLowerCase()] = broken ? one(TAGS) : p.schema.const ?? makeTag(path);
  }
  return headers;
}

function makeBody(o, values, broken) {
  const [[type, media]] = Object.entries(o.body.value.content);
  const value = fake(media.schema);
  if ('secret' in value && secrets.has(values.invitation) && chance(0.8))
    value.secret = secrets.get(values.invitation);
  return { type, data: Buffer.from(broken ? one(BREAKS)(value) : JSON.stringify(value)) };
}

// Nodes shall live for a while, and most requests get through to something.
const often = (o) => (o.method === 'delete' ? 1 : o.method === 'post' || o.method === 'put' ? 4 : 3);
const lots = operations.filter((o) => !LEAVE_ALONE.has(o.id)).flatMap((o) => Array(often(o)).fill(o));

function makeRequest() {
  const o = one(lots);
  const flaw = chance(0.5) ? null : one(['path', 'query', 'headers', 'body', 'body', 'body', 'type', 'who', 'method']);
  const { path, values, query } = makePath(o, flaw === 'path');
  const headers = makeHeaders(o, path, flaw === 'headers');
  let body = null;
  if (o.body.value) {
    const made = makeBody(o, values, flaw === 'body');
    body = made.data;
    headers['content-type'] = flaw === 'type' ? one([...TYPES, `${made.type}; charset=latin1`]) : made.type;
  }
  if (flaw === 'query')
    query.push(one(QUERIES));
  return {
    id: o.id,
    method: flaw === 'method' ? one(METHODS) : o.method.toUpperCase(),
    path: query.length ? `${path}?${query.join('&')}` : path,
    headers,
    body: body && body.toString('base64'),
    who: one(flaw === 'who' ? STRANGERS : PEOPLE),
  };
}

// Of those who prove what they are. Whether "after=" is an error, places see differently.
function fits(request) {
  if (/[?&][^=&]*=?(&|$)/.test(request.path))
    return false;
  const operation = operationsAt(request.path.split('?')[0]).find((o) => o.method.toUpperCase() === request.method);
  const headers = { ...request.headers, authorization: 'Bearer x' };
  return PEOPLE.includes(request.who) && operation !== undefined &&
    requestFlaws(operation, { ...request, headers, certificate: true }).length === 0;
}

for await (const line of createInterface({ input: process.stdin })) {
  learn(JSON.parse(line));
  const request = makeRequest();
  process.stdout.write(JSON.stringify({ ...request, fits: fits(request) }) + '\n');
}
