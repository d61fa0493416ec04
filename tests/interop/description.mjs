// authsvc/openapi.json, made ready to ask: which operation is this, does this fit?
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const ROOT = 'openapi.json';
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

export const document = JSON.parse(readFileSync(new URL('../../authsvc/openapi.json', import.meta.url)));

// Strict: a keyword that is misspelt is an error. Subschemas of an allOf need no type.
const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
addFormats(ajv);
ajv.addVocabulary(Object.keys(document)); // of its root, where its references begin
ajv.addSchema(document, ROOT);

const validators = new Map(); // by the place of their schema

const escape = (name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));

// A part of the document and where it stands: references are followed.
class Part {
  constructor(value, place) {
    this.value = value;
    this.place = place;
  }

  at(...names) {
    let part = this;
    for (const name of names) {
      part = new Part(part.value?.[name], `${part.place}/${escape(name)}`);
      while (part.value?.$ref && part.value.$ref.startsWith('#/') && name !== 'schema') {
        const where = part.value.$ref.slice(2).split('/');
        part = where.reduce((p, n) => new Part(p.value?.[n], `${p.place}/${escape(n)}`), root);
      }
    }
    return part;
  }

  // What does not fit the schema that stands here, as sentences.
  flaws(value, what) {
    if (!validators.has(this.place))
      validators.set(this.place, ajv.compile({ $ref: `${ROOT}#${this.place}` }));
    const validate = validators.get(this.place);
    if (validate(value))
      return [];
    return validate.errors.map((e) => {
      const extra = e.params.additionalProperty ?? e.params.allowedValues ?? e.params.allowedValue ?? '';
      return `${what}${e.instancePath}: ${e.message} ${extra}`.trim();
    });
  }
}

const root = new Part(document, '');

export const part = (...names) => root.at(...names);

function parametersOf(path, method) {
  return (part('paths', path, method).value.parameters ?? []).map((_, i) => {
    const found = part('paths', path, method, 'parameters', String(i));
    return { ...found.value, schemaPart: found.at('schema') };
  });
}

export const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({
    path,
    method,
    id: item[method].operationId,
    segments: path.split('/'),
    parameters: parametersOf(path, method),
    security: item[method].security ?? document.security,
    body: part('paths', path, method, 'requestBody'),
    responses: part('paths', path, method, 'responses'),
  })));

// A segment of a path; what is no UTF-8 fits nothing.
function unescape(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const isTemplate = (segment) => segment.startsWith('{');

// The operations of a path, with what stands for its templates.
export function operationsAt(path) {
  const segments = path.split('/');
  return operations.filter((o) => o.segments.length === segments.length &&
      o.segments.every((s, i) => isTemplate(s) ? segments[i] !== '' : s === segments[i]))
    .map((o) => ({
      ...o,
      values: Object.fromEntries(o.segments.flatMap((s, i) => isTemplate(s) ? [[s.slice(1, -1), segments[i]]] : [])),
    }));
}

export const bytes = (base64) => Buffer.from(base64 ?? '', 'base64');
// All text is UTF-8, whether or not it is said.
const mediaType = (value) => (value ?? '').toLowerCase().replace(/\s*;\s*charset="?utf-8"?$/, '');

// A header or a query's value, which is text, as its schema has it.
export function typed(text, schema) {
  return schema.value.type === 'integer' && /^-?[0-9]+$/.test(text) ? Number(text) : text;
}

function parseForm(text) {
  const form = {};
  for (const [name, value] of new URLSearchParams(text))
    form[name] = name in form ? [form[name], value].flat() : value;
  return form;
}

function members(value) {
  return typeof value !== 'object' || value === null ? 0
    : (Array.isArray(value) ? 0 : Object.keys(value).length) + Object.values(value).reduce((n, v) => n + members(v), 0);
}

// Each member once, which JSON.parse() does not mind.
function parseJson(raw) {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  const value = JSON.parse(text);
  const written = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter((m) => m[1]).length;
  if (written !== members(value))
    throw new Error('a member stands twice');
  return value;
}

function parseBody(type, raw) {
  if (type === 'application/x-www-form-urlencoded')
    return parseForm(raw.toString());
  if (type.endsWith('json'))
    return parseJson(raw);
  return raw.toString();
}

export function contentFlaws(content, contentType, raw, what) {
  const type = mediaType(contentType);
  const media = content.value?.[type];
  if (!media)
    return [`${what}: content type "${type}" is not described`];
  let value;
  try {
    value = parseBody(type, raw);
  } catch (e) {
    return [`${what}: ${e.message}`];
  }
  return media.schema ? content.at(type, 'schema').flaws(value, what) : [];
}

function schemeHolds(name, x) {
  const scheme = part('components', 'securitySchemes', name).value;
  if (scheme.type === 'mutualTLS')
    return x.certificate;
  if (scheme.type === 'http')
    return (x.headers.authorization ?? '').toLowerCase().startsWith(`${scheme.scheme} `);
  return x.headers[scheme.name.toLowerCase()] !== undefined;
}

// An exploded object: the query, whatever its names.
export const isWholeQuery = (p) => p.in === 'query' && p.schema.type === 'object';

function parameterFlaws(operation, x, query) {
  const flaws = [];
  const known = operation.parameters.filter((p) => p.in === 'query').map((p) => p.name);
  if (operation.parameters.some(isWholeQuery))
    query = new URLSearchParams();
  for (const name of new Set(query.keys()))
    if (!known.includes(name) || query.getAll(name).length > 1)
      flaws.push(`request: query "${name}" is not described, or not as often`);
  for (const p of operation.parameters) {
    const value = p.in === 'path' ? unescape(operation.values[p.name])
      : p.in === 'query' ? query.get(p.name) ?? undefined : x.headers[p.name.toLowerCase()];
    if (value !== undefined)
      flaws.push(...p.schemaPart.flaws(typed(value, p.schemaPart), `request: ${p.name}`));
    else if (p.required)
      flaws.push(`request: ${p.name} is missing`);
  }
  return flaws;
}

// What keeps an exchange from being a request as it is described.
export function requestFlaws(operation, x) {
  const text = x.path.split('?').slice(1).join('?');
  // What has no value counts as not sent.
  const query = new URLSearchParams([...new URLSearchParams(text)].filter(([, value]) => value !== ''));
  const flaws = parameterFlaws(operation, x, query);
  if (text && !operation.parameters.some((p) => p.in === 'query'))
    flaws.push('request: a query is not described');
  const raw = bytes(x.body);
  if (!x.local && operation.security.length &&
      !operation.security.some((all) => Object.keys(all).every((name) => schemeHolds(name, x))))
    flaws.push('request: it proves nothing that the operation asks for');
  if (operation.body.value && (raw.length || operation.body.value.required))
    flaws.push(...contentFlaws(operation.body.at('content'), x.headers['content-type'], raw, 'request'));
  else if (raw.length)
    flaws.push('request: a body is not described');
  return flaws;
}
