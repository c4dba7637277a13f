/**
 * Measures the app against a running server, into which it sends what it opens: traces of 100,000 and of 1,000,000 spans,
 * 100,000 processes, and 2,000,000 log records; it asks for spans and log records as the pages do. The server should be
 * a release build on an empty folder.
 *
 *     node scripts/measure.mjs http://127.0.0.1:9090
 */

import { createHash } from 'node:crypto';
import { chromium } from '@playwright/test';

const base = process.argv[2] ?? 'http://127.0.0.1:9090';
const start = BigInt(Date.now() - 600_000) * 1_000_000n;
const text = (key, value) => ({ key, value: { stringValue: value } });

async function send(path, body) {
  const answer = await fetch(base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** A trace of calls within calls, ten below each, of eight services. */
async function sendTrace(count) {
  const traceId = createHash('md5').update(`trace of ${count} ${start}`).digest('hex');
  const id = (number) => (number + 1).toString(16).padStart(16, '0');
  const depthOf = (number) => (number === 0 ? 0 : 1 + depthOf(Math.floor((number - 1) / 10)));
  for (let from = 0; from < count; from += 20_000) {
    const byService = new Map();
    for (let number = from; number < Math.min(from + 20_000, count); number++) {
      const begin = start + BigInt(number) * 1_000n;
      const span = {
        traceId,
        spanId: id(number),
        ...(number === 0 ? {} : { parentSpanId: id(Math.floor((number - 1) / 10)) }),
        name: `operation ${number % 50}`,
        startTimeUnixNano: String(begin),
        endTimeUnixNano: String(begin + BigInt(Math.ceil((count * 2_000) / 10 ** depthOf(number)))),
        ...(number % 997 === 5 ? { status: { code: 2, message: 'it failed' } } : {}),
        attributes: [text('http.route', `/api/${number % 20}`), text('user.id', `user-${number % 5_000}`)],
      };
      const service = `service-${number % 8}`;
      byService.set(service, [...(byService.get(service) ?? []), span]);
    }
    const resourceSpans = [...byService].map(([service, spans]) => ({
      resource: { attributes: [text('service.name', service)] },
      scopeSpans: [{ spans }],
    }));
    await send('/v1/traces', { resourceSpans });
  }
  return traceId;
}

async function sendProcesses(count) {
  for (let from = 0; from < count; from += 5_000) {
    const resourceSpans = Array.from({ length: Math.min(5_000, count - from) }, (_, at) => {
      const number = from + at;
      const hex = (number + 1).toString(16);
      const instance = `10000000-0000-4000-8000-${hex.padStart(12, '0')}`;
      const span = {
        traceId: hex.padStart(32, '0'),
        spanId: hex.padStart(16, '0'),
        name: 'work',
        startTimeUnixNano: String(start + BigInt(number)),
        endTimeUnixNano: String(start + BigInt(number) + 1_000n),
      };
      const attributes = [
        text('service.name', `fleet-${number % 40}`),
        text('service.instance.id', instance),
        text('host.name', `node-${number % 1_000}`),
      ];
      return { resource: { attributes }, scopeSpans: [{ spans: [span] }] };
    });
    await send('/v1/traces', { resourceSpans });
  }
}

const LOGS = 2_000_000;
const HOUR = 3_600_000_000_000n;

/** Log records of an hour: every eighth tells of a card that was declined, one in 450 is FATAL. */
async function sendLogs() {
  const severities = [9, 9, 9, 9, 9, 9, 5, 13, 17, 1];
  for (let from = 0; from < LOGS; from += 20_000) {
    const resourceLogs = Array.from({ length: 6 }, (_, service) => ({
      resource: { attributes: [text('service.name', `writer-${service}`)] },
      scopeLogs: [{ logRecords: [] }],
    }));
    for (let number = from; number < from + 20_000; number++) {
      resourceLogs[number % 6].scopeLogs[0].logRecords.push({
        timeUnixNano: String(start - HOUR + (BigInt(number) * HOUR) / BigInt(LOGS)),
        severityNumber: number % 450 === 0 ? 21 : severities[number % 10],
        body: { stringValue: number % 8 === 0 ? `payment ${number} declined` : `request ${number} served` },
        attributes: [text('user.id', `u${number % 100}`), text('http.route', '/api/cart/{id}')],
      });
    }
    await send('/v1/logs', { resourceLogs });
  }
}

/** Milliseconds to answer a question; the median of five. */
async function answering(path) {
  const times = [];
  for (let question = 0; question < 5; question++) {
    const began = performance.now();
    const answer = await fetch(base + path);
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    times.push(performance.now() - began);
  }
  return median(times);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const percentile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)];

/** Milliseconds from the click on the address to what is waited for; the median of five loads. What fails is thrown. */
async function opening(page, path, ready) {
  const times = [];
  for (let load = 0; load < 5; load++) {
    await page.goto('about:blank');
    const began = performance.now();
    await page.goto(base + path, { waitUntil: 'commit' });
    const alert = page.getByRole('alert');
    await ready(page).or(alert).first().waitFor({ timeout: 120_000 });
    if (await alert.isVisible()) throw new Error((await alert.textContent()) ?? '');
    times.push(performance.now() - began);
  }
  return median(times);
}

/** Milliseconds of each frame while an element is scrolled for two seconds. */
async function frames(element) {
  return await element.evaluate(
    (node) =>
      new Promise((resolve) => {
        const lengths = [];
        let [last, begun] = [performance.now(), performance.now()];
        const frame = (now) => {
          lengths.push(now - last);
          last = now;
          node.scrollTop += 120;
          if (now - begun < 2_000) requestAnimationFrame(frame);
          else resolve(lengths.slice(2));
        };
        requestAnimationFrame((now) => {
          [last, begun] = [now, now];
          requestAnimationFrame(frame);
        });
      }),
  );
}

const framesText = (lengths) =>
  `${median(lengths).toFixed(1)} ms, 95th percentile ${percentile(lengths, 0.95).toFixed(1)} ms`;

function tell(name, value) {
  console.log(`${name.padEnd(68)}${value}`);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });

  await page.goto(`${base}/traces`, { waitUntil: 'networkidle' });
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.endsWith('.js'))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  );
  tell('JavaScript of the first page, as sent', `${(scripts / 1_000).toFixed(0)} kB`);

  for (const count of [100_000, 1_000_000]) {
    const traceId = await sendTrace(count);
    const tree = (page) => page.getByRole('treeitem').first();
    const name = `trace of ${count.toLocaleString('en-GB')} spans`;
    try {
      const opened = await opening(page, `/traces/${traceId}`, tree);
      const scrolled = await frames(page.getByRole('tree', { name: 'Spans' }));
      const views = [];
      for (const [key, name] of [
        ['2', 'flame graph'],
        ['3', 'operations'],
        ['4', 'table of spans'],
        ['1', 'waterfall'],
      ]) {
        const began = performance.now();
        await page.keyboard.press(key);
        await page.evaluate(
          () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
        );
        views.push(`${name} ${(performance.now() - began).toFixed(0)} ms`);
      }
      tell(`${name}: first rows`, `${(opened / 1_000).toFixed(2)} s`);
      tell(`${name}: frame while scrolling`, framesText(scrolled));
      tell(`${name}: from view to view`, views.join(', '));
    } catch (error) {
      tell(`${name}: does not open`, error.message);
    }
  }

  await sendProcesses(100_000);
  const row = (page) => page.getByRole('table', { name: 'Processes' }).getByRole('link').first();
  const listed = await opening(page, '/processes', row);
  const scrolled = await frames(page.getByLabel('List of processes'));
  tell('list of 100,000 processes: first rows', `${(listed / 1_000).toFixed(2)} s`);
  tell('list of 100,000 processes: frame while scrolling', framesText(scrolled));

  // Those of both traces and of the processes.
  const spans = `from=${start - HOUR}&to=${start + HOUR}`;
  const ofSpans = [
    ['newest 20 traces', '/v1/traces?limit=20'],
    ['newest 500 traces', '/v1/traces?limit=500'],
    ['… with a text that few have', '/v1/traces?limit=500&text=user-4711'],
    ['heatmap', '/api/traces/heatmap?columns=160'],
    ['… of a service', '/api/traces/heatmap?columns=160&service=service-3'],
    ['… with a text that few have', '/api/traces/heatmap?columns=160&text=user-4711'],
    ['what differs where spans failed', '/api/traces/differences?selected_error=true'],
    ['rate, errors and durations over time', '/api/traces/series?points=60'],
    ['map of the services', '/api/services/map?'],
    ['attributes to suggest', '/api/traces/attributes?'],
  ];
  for (const [name, question] of ofSpans)
    tell(`1,200,000 spans: ${name}`, `${(await answering(`${question}&${spans}`)).toFixed(0)} ms`);

  await sendLogs();
  const hour = `from=${start - HOUR}&to=${start}`;
  const questions = [
    ['newest 200', 'logs?limit=200'],
    ['… with a text that every eighth has', 'logs?limit=200&search=declined'],
    ['… with a text that none has', 'logs?limit=200&search=nosuchtext'],
    ['… of FATAL', 'logs?limit=200&level=FATAL'],
    ['… of a service', 'logs?limit=200&service=writer-3'],
    ['… with an attribute', 'logs?limit=200&attr.user.id=u7'],
    ['counts by level', 'logs/histogram?buckets=100'],
    ['… with a text', 'logs/histogram?buckets=100&search=declined'],
  ];
  for (const [name, question] of questions) {
    tell(`2,000,000 log records: ${name}`, `${(await answering(`/api/${question}&${hour}`)).toFixed(0)} ms`);
  }
} finally {
  await browser.close();
}
