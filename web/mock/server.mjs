/**
 * Answers the API calls of the web app with the traces of a small shop, for `npm run dev` and for tests. With
 * `--dist`, it also serves the built app, under the Content-Security-Policy of the real server.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { found, hasWords, outlineOf, spanOf } from './outline.mjs';
import { isRequest, mapOf, operationsOf, seriesOf } from './services.mjs';
import { makeTrace } from './shop.mjs';
import { largeTrace, troubledTrace } from './special.mjs';
import { differencesOf, heatmapOf, surveyOf } from './spread.mjs';

const option = (name) => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];
const port = Number(option('port') ?? 9091);
const serveDist = process.argv.includes('--dist');
const dist = fileURLToPath(new URL('../dist', import.meta.url));

export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SECOND = 1_000_000_000n;
const started = BigInt(Date.now()) * 1_000_000n;

/** A trace every two and a half seconds, for the last 50 minutes; each belongs to a place in time, so that it stays. */
const PACE = 2_500n * 1_000_000n;
const KEPT = 1_200n;
const byPlace = new Map();
const byId = new Map();

/** The traces there are now, newest first. */
function shop() {
  const last = (BigInt(Date.now()) * 1_000_000n - SECOND) / PACE;
  for (let place = last - KEPT; place <= last; place++) {
    if (byPlace.has(place)) continue;
    const made = makeTrace(Number(place % 1_000_000_007n), place * PACE + ((place * 7_919_333_111n) % PACE));
    byPlace.set(place, made);
    byId.set(made.summary.trace_id, made);
  }
  for (const place of byPlace.keys()) {
    if (place < last - KEPT) byPlace.delete(place);
  }
  return [...byPlace.values()].sort((a, b) =>
    BigInt(a.summary.start_time) > BigInt(b.summary.start_time) ? -1 : 1,
  );
}

/** `00…0100000` is a trace of 100,000 spans; `00…bad` is one in which much is wrong. */
function find(traceId) {
  const known = byId.get(traceId);
  if (known !== undefined) return known;
  let made;
  if (traceId === 'bad'.padStart(32, '0')) made = troubledTrace(traceId, started - 90n * SECOND);
  else if (/^0{24}\d{8}$/.test(traceId) && Number(traceId) > 0)
    made = largeTrace(traceId, Number(traceId), started - 600n * SECOND);
  else return undefined;
  byId.set(traceId, made);
  return made;
}

const textOf = ({ value }) =>
  String(value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue ?? '');
const nanosOf = (duration) => {
  const [, number, unit] = /^(\d+)(ns|us|ms|s|m|h)$/.exec(duration);
  return (
    BigInt(number) *
    { ns: 1n, us: 1_000n, ms: 1_000_000n, s: SECOND, m: 60n * SECOND, h: 3_600n * SECOND }[unit]
  );
};

/** Whether a span meets the conditions of a search. */
function condition(query) {
  const get = (name) => query.get(name) ?? undefined;
  const attributes = [...query]
    .filter(([name]) => name.startsWith('attr.'))
    .map(([name, value]) => [name.slice(5), value]);
  const [min, max] = [get('min_duration'), get('max_duration')].map((bound) => bound && nanosOf(bound));
  return (span) => {
    const length = BigInt(span.end_time ?? span.start_time) - BigInt(span.start_time);
    return (
      (get('service') === undefined || span.service_name === get('service')) &&
      (get('operation') === undefined || span.name === get('operation')) &&
      (get('kind') === undefined || span.kind === get('kind').toUpperCase()) &&
      (get('root') === undefined || (span.parent_span_id === undefined) === (get('root') === 'true')) &&
      (get('request') === undefined || isRequest(span) === (get('request') === 'true')) &&
      (get('text') === undefined || hasWords(span, get('text'))) &&
      (get('error') !== 'true' || span.status_code === 'ERROR') &&
      (min === undefined || length >= min) &&
      (max === undefined || length <= max) &&
      attributes.every(([key, value]) =>
        span.attributes.some((attribute) => attribute.key === key && textOf(attribute) === value),
      )
    );
  };
}

function search(query) {
  const get = (name) => query.get(name) ?? undefined;
  const [from, to, limit] = [get('from'), get('to'), Number(get('limit') ?? 20)];
  const meets = condition(query);
  const matching = shop().filter(
    ({ summary, trace }) =>
      (from === undefined || BigInt(summary.start_time) >= BigInt(from)) &&
      (to === undefined || BigInt(summary.start_time) < BigInt(to)) &&
      trace.spans.some(meets),
  );
  const first =
    get('cursor') === undefined ? 0 : matching.findIndex((item) => cursorOf(item) === get('cursor')) + 1;
  const page = matching.slice(first, first + limit);
  const more = first + limit < matching.length;
  return {
    traces: page.map(({ summary }) => summary),
    ...(more ? { next_cursor: cursorOf(page.at(-1)) } : {}),
  };
}
const cursorOf = ({ summary }) => `${summary.start_time}-${summary.trace_id}`;

/** The spans that meet the conditions of a search, and all processes by id. */
function matchingSpans(query) {
  const meets = condition(query);
  const [from, to] = [query.get('from'), query.get('to')];
  const traces = shop().map(({ trace }) => trace);
  const spans = traces
    .flatMap((trace) => trace.spans)
    .filter(
      (span) =>
        (from === null || BigInt(span.start_time) >= BigInt(from)) &&
        (to === null || BigInt(span.start_time) < BigInt(to)) &&
        meets(span),
    );
  const processes = new Map(
    traces.flatMap((trace) => trace.processes.map((process) => [process.process_id, process])),
  );
  return [spans, processes];
}

function spread(question, query) {
  const [spans, processes] = matchingSpans(query);
  if (question === 'heatmap') return heatmapOf(spans, Number(query.get('columns') ?? 120));
  if (question === 'differences') return differencesOf(spans, processes, query, nanosOf);
  if (question === 'series') return seriesOf(spans, Number(query.get('points') ?? 100));
  if (question === 'attributes') return surveyOf(spans.slice(0, 20_000), processes);
  return undefined;
}

function services() {
  const names = [...new Set(shop().flatMap(({ summary }) => summary.services))].sort();
  return {
    services: names.map((name) => ({
      name,
      span_count: '1',
      request_count: '1',
      error_count: '0',
      process_count: '1',
      first_seen: '0',
      last_seen: '0',
    })),
  };
}

function operations(service, query) {
  const of = new URLSearchParams(query);
  of.set('service', service);
  return operationsOf(matchingSpans(of)[0]);
}

function serviceMap(query) {
  return mapOf(
    matchingSpans(query)[0],
    shop().flatMap(({ trace }) => trace.spans),
  );
}

function answer(url) {
  const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  if (url.pathname === '/v1/traces') return search(url.searchParams);
  if (url.pathname === '/api/services') return services();
  if (url.pathname === '/api/views') return { views: [] };
  if (url.pathname === '/api/services/map') return serviceMap(url.searchParams);
  if (parts[0] === 'api' && parts[1] === 'services' && parts[3] === 'operations')
    return operations(parts[2], url.searchParams);
  if (parts[0] === 'api' && parts[1] === 'traces') return spread(parts[2], url.searchParams);
  if (parts[0] === 'v1' && parts[1] === 'traces') {
    const item = find(parts[2]);
    if (item === undefined) return undefined;
    if (parts[3] === undefined) return item.trace;
    if (parts[3] === 'outline') return outlineOf(item);
    if (parts[3] === 'spans')
      return parts[4] === undefined ? found(item, url.searchParams) : spanOf(item, parts[4]);
    const spanId = url.searchParams.get('span_id');
    if (parts[3] === 'logs')
      return { logs: item.logs.filter((log) => spanId === null || log.span_id === spanId) };
  }
  return undefined;
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

function serveFile(pathname, response) {
  const wanted = join(dist, normalize(pathname));
  const file = extname(pathname) !== '' && existsSync(wanted) ? wanted : join(dist, 'index.html');
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
  });
  response.end(readFileSync(file));
}

createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (!/^\/(v1|api)\//.test(url.pathname)) {
    if (serveDist) return serveFile(url.pathname, response);
    response.writeHead(404).end();
    return;
  }
  const body = answer(url);
  const json = JSON.stringify(
    body ?? { error: { type: 'not_found', message: 'no span of this trace is known' } },
  );
  response.writeHead(body === undefined ? 404 : 200, {
    'content-type': 'application/json',
    'content-encoding': 'gzip',
  });
  response.end(gzipSync(json, { level: 1 }));
}).listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${port}`));
