import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('schema.ts is what openapi.json says: run "npm run generate"', () => {
  const script = fileURLToPath(new URL('../../scripts/generate-api.mjs', import.meta.url));
  const fresh = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
  expect(readFileSync(new URL('schema.ts', import.meta.url), 'utf8')).toBe(fresh);
}, 30_000);
