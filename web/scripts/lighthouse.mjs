/**
 * Lighthouse's scores of the main pages of a running server, which should have received the demo shop's traffic. Fails
 * when one is below what we want. Lighthouse itself is fetched by npx; CHROME_PATH names the browser.
 *
 *     node scripts/lighthouse.mjs http://127.0.0.1:9090
 */

import { execFileSync } from 'node:child_process';

const LIGHTHOUSE = 'lighthouse@12.8.2';
const WANTED = { performance: 0.9, accessibility: 0.95, 'best-practices': 0.95 };
const base = process.argv[2] ?? 'http://127.0.0.1:9090';

async function newestTrace() {
  const { traces } = await (await fetch(`${base}/v1/traces?limit=1`)).json();
  return traces[0]?.trace_id;
}

const sql = encodeURIComponent('SELECT service_name, count(*) AS spans FROM spans GROUP BY service_name');
const pages = [
  '/traces',
  `/traces/${await newestTrace()}`,
  '/services',
  '/services?view=map',
  '/logs',
  '/explore?name=server.request.duration&type=HISTOGRAM',
  '/processes',
  `/sql?sql=${sql}`,
];

let isBelow = false;
for (const page of pages) {
  const flags = ['--quiet', '--preset=desktop', '--output=json', `--only-categories=${Object.keys(WANTED)}`];
  const chrome = '--chrome-flags=--headless=new --no-sandbox --disable-gpu';
  const report = execFileSync('npx', ['--yes', LIGHTHOUSE, base + page, ...flags, chrome], {
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { categories, audits } = JSON.parse(report.toString());
  const scores = Object.keys(WANTED).map((name) => `${name} ${categories[name].score}`);
  console.log(`${page.split('?')[0]}: ${scores.join(', ')}`);
  for (const [name, least] of Object.entries(WANTED)) {
    if (categories[name].score >= least) continue;
    isBelow = true;
    const failing = categories[name].auditRefs
      .filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 0.9)
      .map(({ id }) => `${id} (${audits[id].displayValue ?? audits[id].title})`);
    console.log(`  below ${least}: ${failing.join(', ')}`);
  }
}
process.exitCode = isBelow ? 1 : 0;
