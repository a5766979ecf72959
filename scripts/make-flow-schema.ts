/** Writes ivr-flows/flow.schema.json from the zod schema: `npx tsx scripts/make-flow-schema.ts`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { flowJsonSchemaText } from '../src/config/flow-json-schema.ts';

const file = fileURLToPath(new URL('../ivr-flows/flow.schema.json', import.meta.url));
writeFileSync(file, flowJsonSchemaText());
// The formatter keeps short lists on one line, so that the file passes the same check as all others.
execFileSync('npx', ['biome', 'format', '--write', file], { stdio: 'inherit', timeout: 60_000 });
