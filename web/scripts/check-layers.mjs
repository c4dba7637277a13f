// The layers of src/: base ← api, ui ← features ← routes. A layer uses only the layers left of it, and
// a feature never uses another feature.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const mayUse = {
  base: ['base'],
  api: ['base', 'api'],
  ui: ['base', 'ui'],
  features: ['base', 'api', 'ui', 'features'],
  routes: ['base', 'api', 'ui', 'features', 'routes'],
};

const src = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
const problems = [];

for (const file of files) {
  const [layer, feature] = file.split('/');
  if (!(layer in mayUse)) continue; // main.tsx and the like stand above all layers
  const text = readFileSync(join(src, file), 'utf8');
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    let target;
    if (specifier.startsWith('@/')) target = specifier.slice(2);
    else if (specifier.startsWith('.')) target = relative(src, resolve(src, dirname(file), specifier));
    else continue;
    const [targetLayer, targetFeature] = target.split('/');
    if (!mayUse[layer].includes(targetLayer)) {
      problems.push(`src/${file}: ${layer} must not use ${targetLayer} (${specifier})`);
    } else if (layer === 'features' && targetLayer === 'features' && feature !== targetFeature) {
      problems.push(`src/${file}: feature ${feature} must not use feature ${targetFeature} (${specifier})`);
    }
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`layers: ${files.length} files in order`);
