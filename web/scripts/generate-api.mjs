/**
 * Writes src/api/schema.ts, the types of the API, from src/api/openapi.json, which the server writes. With
 * `--print`, prints them instead: the test that looks for stale types compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const at = (name) => new URL(`../src/api/${name}`, import.meta.url);
const types = astToString(
  await openapiTS(JSON.parse(readFileSync(at('openapi.json'), 'utf8')), {
    alphabetize: true,
    defaultNonNullable: false,
  }),
);
const text = `// Made by "npm run generate" from openapi.json. Do not edit.\n${types}`;

if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(at('schema.ts'), text);
