// Which operations of authsvc/openapi.json has nobody seen succeed?
//
//   node exercised.mjs FOLDER    of the files that contract.mjs wrote there
//
// Exits with 1 when there is one: no operation is exempt. Refusals that are described and
// were not met are told, and are no failure: a full disk is not for every day.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from './description.mjs';

const [folder] = process.argv.slice(2);
const files = existsSync(folder) ? readdirSync(folder) : [];
const seen = new Set(files.flatMap((name) => JSON.parse(readFileSync(join(folder, name)))));

const statuses = (o) => Object.keys(o.responses.value);
const unseen = (o) => statuses(o).filter((status) => !seen.has(`${o.id} ${status}`));
const never = operations.filter((o) => !statuses(o).some((s) => s < 300 && seen.has(`${o.id} ${s}`)));

for (const o of operations.filter((o) => unseen(o).length))
  console.log(`${o.id}: not met: ${unseen(o).join(' ')}`);
for (const o of never)
  console.log(`${o.id}: never succeeded: ${o.method.toUpperCase()} ${o.path}`);
console.log(`${never.length} of ${operations.length} operations never succeeded`);
process.exitCode = never.length ? 1 : 0;
