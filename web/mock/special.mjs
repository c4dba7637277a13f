/** Traces that are asked for by their id: very large ones, and ones in which much is wrong. */
import { random } from './random.mjs';
import { bool, finish, int, processOf, text } from './shop.mjs';

const SERVICES = [
  'frontend',
  'checkout',
  'cart',
  'catalog',
  'payment',
  'shipping',
  'inventory',
  'accounting',
];

function span(traceId, spanId, parent, service, name, start, end, more = {}) {
  return {
    trace_id: traceId,
    span_id: spanId,
    ...(parent === null ? {} : { parent_span_id: parent }),
    process_id: processOf(service).process_id,
    service_name: service,
    name,
    kind: 'INTERNAL',
    start_time: start.toString(),
    ...(end === null ? {} : { end_time: end.toString() }),
    status_code: 'UNSET',
    status_message: '',
    scope_name: 'mock',
    scope_version: '',
    trace_state: '',
    flags: 1,
    attributes: [],
    events: [],
    links: [],
    dropped_attributes_count: 0,
    dropped_events_count: 0,
    dropped_links_count: 0,
    ...more,
  };
}

const idOf = (number) => number.toString(16).padStart(16, '0');

/** A batch job of `count` spans: steps that call each other up to twelve deep. */
export function largeTrace(traceId, count, start) {
  const r = random(count);
  const spans = [
    span(traceId, idOf(1), null, 'accounting', 'nightly settlement', start, start + BigInt(count) * 40_000n),
  ];
  const open = [{ id: idOf(1), depth: 0, from: 0, to: count * 40_000 }];
  for (let number = 2; spans.length < count; number++) {
    while (open.length > 1 && r.chance(0.32)) open.pop();
    const parent = open.at(-1);
    const depth = parent.depth + 1;
    const share = (number / count) * count * 40_000;
    const from = Math.max(parent.from, Math.min(share, parent.to - 2_000));
    const to = Math.min(parent.to, from + r.latency(depth < 3 ? 9e6 / depth : 4e5));
    const service = SERVICES[(depth * 3 + Math.floor(number / 400)) % SERVICES.length];
    const failed = r.chance(0.002);
    spans.push(
      span(
        traceId,
        idOf(number),
        parent.id,
        service,
        `${r.pick(['settle', 'load', 'verify', 'write', 'fetch', 'lock'])} ${r.pick(['invoice', 'account', 'ledger', 'batch', 'order'])}`,
        start + BigInt(Math.round(from)),
        start + BigInt(Math.round(Math.max(to, from + 500))),
        {
          status_code: failed ? 'ERROR' : 'UNSET',
          status_message: failed ? 'deadlock detected' : '',
          attributes: [
            int('batch.number', Math.floor(number / 100)),
            text('account.id', `a-${r.int(1, 99_999)}`),
            bool('retry', r.chance(0.1)),
          ],
        },
      ),
    );
    if (depth < 12 && to - from > 3_000) open.push({ id: idOf(number), depth, from, to });
  }
  return finish(traceId, spans, []);
}

/** Missing parents, several roots, an open span, clocks that differ, a ring, a span twice, hostile text. */
export function troubledTrace(traceId, start) {
  const at = (ms) => start + BigInt(Math.round(ms * 1e6));
  const hostile = '<img src=x onerror=alert(1)> \u202Egnp.exe\u202C \u0000 {{7*7}} ${x}';
  const spans = [
    span(traceId, idOf(1), null, 'frontend', 'POST /api/checkout', at(0), at(420), {
      kind: 'SERVER',
      attributes: [text('note', hostile), text('long', 'lorem ipsum '.repeat(400))],
    }),
    span(traceId, idOf(2), idOf(1), 'checkout', 'checkout.PlaceOrder', at(-14), at(380), { kind: 'SERVER' }),
    span(traceId, idOf(3), idOf(2), 'cart', hostile, at(20), at(60)),
    span(traceId, idOf(4), idOf(2), 'payment', 'payment.Charge', at(90), null, { kind: 'SERVER' }),
    span(traceId, idOf(5), idOf(0xdead), 'shipping', 'shipping.ShipOrder', at(150), at(240), {
      kind: 'SERVER',
    }),
    span(traceId, idOf(6), idOf(0xdead), 'shipping', 'print label', at(180), at(235)),
    span(traceId, idOf(7), null, 'accounting', 'process orders', at(300), at(520), {
      kind: 'CONSUMER',
      status_code: 'ERROR',
      status_message: 'out of paper',
    }),
    span(traceId, idOf(8), idOf(9), 'inventory', 'reserve', at(310), at(350)),
    span(traceId, idOf(9), idOf(8), 'inventory', 'release', at(330), at(340)),
    span(traceId, idOf(3), idOf(2), 'cart', hostile, at(20), at(60)),
    span(traceId, idOf(10), idOf(7), '', '', at(400), at(400)),
  ];
  return finish(traceId, spans, []);
}
