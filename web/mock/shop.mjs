/** A small shop: which service calls which, and what its spans carry. Made for looking at, not for measuring. */
import { random } from './random.mjs';

export const text = (key, value) => ({ key, value: { stringValue: value } });
export const int = (key, value) => ({ key, value: { intValue: String(value) } });
export const double = (key, value) => ({ key, value: { doubleValue: value } });
export const bool = (key, value) => ({ key, value: { boolValue: value } });
export const list = (key, values) => ({
  key,
  value: { arrayValue: { values: values.map((stringValue) => ({ stringValue })) } },
});

const MS = 1e6;

const LANGUAGES = {
  frontend: 'nodejs',
  gateway: 'go',
  checkout: 'go',
  cart: 'dotnet',
  catalog: 'go',
  currency: 'cpp',
  payment: 'nodejs',
  shipping: 'rust',
  email: 'ruby',
  recommendation: 'python',
  accounting: 'java',
  inventory: 'rust',
};

const http = (random, method, route, status) => [
  text('http.request.method', method),
  text('http.route', route),
  int('http.response.status_code', status),
  text('url.scheme', 'https'),
  text('server.address', 'shop.example.com'),
  text(
    'user_agent.original',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36',
  ),
  text('user.id', `u-${random.int(1000, 9999)}`),
  text('customer.tier', random.pick(['free', 'free', 'plus', 'enterprise'])),
];
const rpc = (_, service, method) => [
  text('rpc.system', 'grpc'),
  text('rpc.service', service),
  text('rpc.method', method),
  int('rpc.grpc.status_code', 0),
];
const sql = (_, table, statement) => [
  text('db.system.name', 'postgresql'),
  text('db.namespace', 'shop'),
  text('db.collection.name', table),
  text('db.query.text', statement),
  int('db.response.returned_rows', 1 + (statement.length % 40)),
];

/** An operation: service, name, kind, own time, attributes, and what it calls (in turn, or side by side). */
const OPERATIONS = {
  'POST /api/checkout': {
    service: 'frontend',
    kind: 'SERVER',
    own: 6 * MS,
    attributes: (r) => http(r, 'POST', '/api/checkout', 200),
    calls: ['checkout.PlaceOrder'],
  },
  'GET /api/products/{id}': {
    service: 'frontend',
    kind: 'SERVER',
    own: 3 * MS,
    attributes: (r) => http(r, 'GET', '/api/products/{id}', 200),
    calls: [['catalog.GetProduct', 'recommendation.List', 'currency.Convert']],
  },
  'GET /api/cart': {
    service: 'frontend',
    kind: 'SERVER',
    own: 2 * MS,
    attributes: (r) => http(r, 'GET', '/api/cart', 200),
    calls: ['cart.GetCart', 'catalog.GetProduct'],
  },
  'GET /': {
    service: 'frontend',
    kind: 'SERVER',
    own: 1.4 * MS,
    attributes: (r) => http(r, 'GET', '/', 200),
    calls: ['catalog.ListProducts'],
  },
  'checkout.PlaceOrder': {
    service: 'checkout',
    kind: 'SERVER',
    own: 5 * MS,
    attributes: (r) => [
      ...rpc(r, 'oteldemo.CheckoutService', 'PlaceOrder'),
      double('app.order.amount', r.int(900, 90_000) / 100),
      int('app.order.items.count', r.int(1, 9)),
      bool('app.order.gift', r.chance(0.2)),
      list('app.order.skus', ['OLJCESPC7Z', '66VCHSJNUP', '1YMWWN1N4O'].slice(0, r.int(1, 3))),
    ],
    calls: [
      'prepareOrder',
      'payment.Charge',
      'shipping.ShipOrder',
      'cart.EmptyCart',
      ['email.Confirm', 'publish orders'],
    ],
  },
  prepareOrder: {
    service: 'checkout',
    kind: 'INTERNAL',
    own: 1 * MS,
    attributes: () => [],
    calls: [
      'cart.GetCart',
      ['catalog.GetProduct', 'catalog.GetProduct', 'catalog.GetProduct'],
      'currency.Convert',
      'shipping.GetQuote',
    ],
  },
  'cart.GetCart': {
    service: 'cart',
    kind: 'SERVER',
    own: 1.2 * MS,
    attributes: (r) => rpc(r, 'oteldemo.CartService', 'GetCart'),
    calls: ['HGET cart'],
  },
  'cart.EmptyCart': {
    service: 'cart',
    kind: 'SERVER',
    own: 0.9 * MS,
    attributes: (r) => rpc(r, 'oteldemo.CartService', 'EmptyCart'),
    calls: ['HMSET cart'],
  },
  'HGET cart': {
    service: 'cart',
    kind: 'CLIENT',
    own: 0.5 * MS,
    attributes: () => [text('db.system.name', 'valkey'), text('db.operation.name', 'HGET')],
    calls: [],
  },
  'HMSET cart': {
    service: 'cart',
    kind: 'CLIENT',
    own: 0.6 * MS,
    attributes: () => [text('db.system.name', 'valkey'), text('db.operation.name', 'HMSET')],
    calls: [],
  },
  'catalog.GetProduct': {
    service: 'catalog',
    kind: 'SERVER',
    own: 0.8 * MS,
    attributes: (r) => rpc(r, 'oteldemo.ProductCatalogService', 'GetProduct'),
    calls: ['SELECT products'],
  },
  'catalog.ListProducts': {
    service: 'catalog',
    kind: 'SERVER',
    own: 1.6 * MS,
    attributes: (r) => rpc(r, 'oteldemo.ProductCatalogService', 'ListProducts'),
    calls: ['SELECT products', 'inventory.Levels'],
  },
  'SELECT products': {
    service: 'catalog',
    kind: 'CLIENT',
    own: 2.2 * MS,
    attributes: (r) =>
      sql(
        r,
        'products',
        'SELECT id, name, description, picture, price_units FROM products WHERE id = $1 AND deleted_at IS NULL ORDER BY updated_at DESC LIMIT 1',
      ),
    calls: [],
  },
  'inventory.Levels': {
    service: 'inventory',
    kind: 'SERVER',
    own: 1.1 * MS,
    attributes: (r) => rpc(r, 'shop.Inventory', 'Levels'),
    calls: ['SELECT stock'],
  },
  'SELECT stock': {
    service: 'inventory',
    kind: 'CLIENT',
    own: 3.1 * MS,
    attributes: (r) =>
      sql(r, 'stock', 'SELECT sku, on_hand - reserved AS available FROM stock WHERE sku = ANY($1)'),
    calls: [],
  },
  'currency.Convert': {
    service: 'currency',
    kind: 'SERVER',
    own: 0.4 * MS,
    attributes: (r) => [
      ...rpc(r, 'oteldemo.CurrencyService', 'Convert'),
      text('app.currency.conversion.to', r.pick(['EUR', 'USD', 'JPY'])),
    ],
    calls: [],
  },
  'recommendation.List': {
    service: 'recommendation',
    kind: 'SERVER',
    own: 7 * MS,
    attributes: (r) => rpc(r, 'oteldemo.RecommendationService', 'ListRecommendations'),
    calls: ['catalog.ListProducts'],
  },
  'payment.Charge': {
    service: 'payment',
    kind: 'SERVER',
    own: 9 * MS,
    attributes: (r) => [
      ...rpc(r, 'oteldemo.PaymentService', 'Charge'),
      text('app.payment.card_type', r.pick(['visa', 'mastercard'])),
      text('app.loyalty.level', r.pick(['gold', 'silver', 'bronze'])),
    ],
    calls: ['POST https://bank.example/charges'],
    fails: 0.07,
  },
  'POST https://bank.example/charges': {
    service: 'payment',
    kind: 'CLIENT',
    own: 42 * MS,
    attributes: (r) => [
      text('http.request.method', 'POST'),
      text('url.full', 'https://bank.example/v2/charges'),
      int('http.response.status_code', 201),
      text('peer.service', r.pick(['bank-eu', 'bank-us'])),
    ],
    calls: [],
  },
  'shipping.GetQuote': {
    service: 'shipping',
    kind: 'SERVER',
    own: 2.6 * MS,
    attributes: () => [text('http.request.method', 'POST'), text('http.route', '/get-quote')],
    calls: [],
  },
  'shipping.ShipOrder': {
    service: 'shipping',
    kind: 'SERVER',
    own: 1.9 * MS,
    attributes: () => [text('http.request.method', 'POST'), text('http.route', '/ship-order')],
    calls: [],
  },
  'email.Confirm': {
    service: 'email',
    kind: 'SERVER',
    own: 12 * MS,
    attributes: () => [text('http.request.method', 'POST'), text('http.route', '/send_order_confirmation')],
    calls: [],
  },
  'publish orders': {
    service: 'checkout',
    kind: 'PRODUCER',
    own: 0.7 * MS,
    attributes: () => [text('messaging.system', 'kafka'), text('messaging.destination.name', 'orders')],
    calls: ['process orders'],
  },
  'process orders': {
    service: 'accounting',
    kind: 'CONSUMER',
    own: 6 * MS,
    attributes: () => [text('messaging.system', 'kafka'), text('messaging.operation.type', 'process')],
    calls: ['INSERT orders'],
  },
  'INSERT orders': {
    service: 'accounting',
    kind: 'CLIENT',
    own: 4 * MS,
    attributes: (r) =>
      sql(
        r,
        'orders',
        'INSERT INTO orders (id, user_id, total, currency, placed_at) VALUES ($1, $2, $3, $4, now())',
      ),
    calls: [],
  },
};

const ENTRIES = [
  'GET /',
  'GET /',
  'GET /api/cart',
  'GET /api/products/{id}',
  'GET /api/products/{id}',
  'POST /api/checkout',
];

/** The process that runs a service. */
export function processOf(service) {
  const seed = [...service].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);
  const r = random(seed);
  const id = r.hex(32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-5$3-a$4-$5');
  return {
    process_id: id,
    service_name: service,
    resource: [
      text('service.name', service),
      text('service.namespace', 'shop'),
      text('service.version', `2.${r.int(0, 9)}.${r.int(0, 20)}`),
      text('service.instance.id', id),
      text('deployment.environment.name', 'production'),
      text('host.name', `node-${r.int(1, 6)}`),
      text('os.type', 'linux'),
      text('host.arch', 'amd64'),
      int('process.pid', r.int(12, 40_000)),
      text('process.executable.path', `/app/${service}`),
      list('process.command_args', [`/app/${service}`, '--listen', '0.0.0.0:8080']),
      text('telemetry.sdk.language', LANGUAGES[service] ?? 'rust'),
      text('telemetry.sdk.name', 'opentelemetry'),
    ],
  };
}

/** A trace that starts at `start` (bigint, nanoseconds). The same seed gives the same trace. */
export function makeTrace(seed, start) {
  const r = random(seed);
  const traceId = r.hex(32);
  const spans = [];
  const logs = [];
  // Among so many there is always a checkout whose payment fails; else an hour may be without one.
  const declined = seed % 60 === 0;
  const failing = r.chance(0.16);
  const slow = r.chance(0.08) ? r.int(4, 22) : 1;

  const run = (name, parent, at) => {
    const operation = OPERATIONS[name];
    const { process_id } = processOf(operation.service);
    const span = {
      trace_id: traceId,
      span_id: r.hex(16),
      ...(parent === null ? {} : { parent_span_id: parent.span_id }),
      process_id,
      service_name: operation.service,
      name,
      kind: operation.kind,
      start_time: '',
      status_code: 'UNSET',
      status_message: '',
      scope_name: `shop.${operation.service}`,
      scope_version: '1.4.0',
      trace_state: '',
      flags: 257,
      attributes: operation.attributes(r),
      events: [],
      links: [],
      dropped_attributes_count: 0,
      dropped_events_count: 0,
      dropped_links_count: 0,
      at,
    };
    spans.push(span);
    const own = r.latency(operation.own) * (name === 'SELECT products' ? slow : 1);
    let now = at + own * 0.4;
    let failed = declined ? operation.fails !== undefined : failing && r.chance(operation.fails ?? 0.02);
    for (const call of operation.calls) {
      const together = [call].flat();
      const children = together.map((child, order) => run(child, span, now + (0.05 + order * 0.02) * MS));
      now = Math.max(...children.map((child) => child.until)) + 0.06 * MS;
      failed ||= children.some((child) => child.status_code === 'ERROR') && r.chance(0.85);
    }
    span.until = now + own * 0.6;
    const time = (offset) => (start + BigInt(Math.round(offset))).toString();
    const log = (offset, severity, body, attributes = []) =>
      logs.push({
        time: time(offset),
        observed_time: time(offset + 4_000),
        process_id,
        service_name: operation.service,
        severity_number: severity,
        severity_text: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'][Math.floor((severity - 1) / 4)],
        level: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'][Math.floor((severity - 1) / 4)],
        scope_name: `shop.${operation.service}`,
        event_name: '',
        body: { stringValue: body },
        trace_id: traceId,
        span_id: span.span_id,
        flags: 1,
        attributes,
      });
    if (name === 'checkout.PlaceOrder') {
      span.events.push({ time: time(at + own * 0.2), name: 'prepared', attributes: [] });
      span.events.push({
        time: time(now),
        name: 'charged',
        attributes: [text('app.payment.transaction.id', r.hex(12))],
      });
      log(at + own * 0.1, 9, `[PlaceOrder] user_id="u-${r.int(1000, 9999)}" user_currency="EUR"`, [
        int('order.items', 3),
      ]);
      log(at + own * 0.3, 5, 'order prepared, 3 lines, quote received');
      if (slow > 1) log(now, 13, 'order took longer than 200 ms');
    }
    if (operation.service === 'payment' && operation.kind === 'SERVER')
      log(at + own * 0.3, 9, 'Charge request received.', [text('request.id', r.hex(16))]);
    if (name === 'process orders') {
      span.links.push({
        trace_id: r.hex(32),
        span_id: r.hex(16),
        trace_state: '',
        attributes: [text('messaging.operation.name', 'poll')],
      });
    }
    if (failed) {
      span.status_code = 'ERROR';
      const own = operation.fails !== undefined;
      span.status_message = own
        ? 'Payment request failed. Invalid token. app.loyalty.level=gold'
        : 'could not charge the card: rpc error: code = Unknown';
      if (own) {
        span.events.push({
          time: time(now),
          name: 'exception',
          attributes: [
            text('exception.type', 'InvalidTokenError'),
            text('exception.message', 'Payment request failed. Invalid token. app.loyalty.level=gold'),
            text(
              'exception.stacktrace',
              'InvalidTokenError: Payment request failed. Invalid token.\n    at module.exports.charge (/app/charge.js:37:13)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)\n    at async Object.chargeServiceHandler [as charge] (/app/index.js:21:22)',
            ),
          ],
        });
        log(now, 17, 'Payment request failed. Invalid token.', [text('exception.type', 'InvalidTokenError')]);
      }
    }
    return span;
  };
  run(declined ? 'POST /api/checkout' : r.pick(ENTRIES), null, 0);
  for (const span of spans) {
    span.start_time = (start + BigInt(Math.round(span.at))).toString();
    span.end_time = (start + BigInt(Math.round(span.until))).toString();
    delete span.at;
    delete span.until;
  }
  return finish(traceId, spans, logs);
}

/** What the server says of a trace, from its spans. */
export function finish(traceId, spans, logs) {
  spans.sort((a, b) =>
    a.start_time < b.start_time ? -1 : a.start_time > b.start_time ? 1 : a.span_id < b.span_id ? -1 : 1,
  );
  const known = new Set(spans.map((span) => span.span_id));
  const root =
    spans.find((span) => span.parent_span_id === undefined || !known.has(span.parent_span_id)) ?? spans[0];
  const start = spans.reduce(
    (least, span) => (BigInt(span.start_time) < least ? BigInt(span.start_time) : least),
    BigInt(spans[0].start_time),
  );
  const end = spans.reduce((most, span) => {
    const time = BigInt(span.end_time ?? span.start_time);
    return time > most ? time : most;
  }, start);
  const services = [...new Set(spans.map((span) => span.service_name))].sort();
  return {
    summary: {
      trace_id: traceId,
      root_service: root.service_name,
      root_name: root.name,
      start_time: start.toString(),
      duration_ns: (end - start).toString(),
      span_count: spans.length,
      error_count: spans.filter((span) => span.status_code === 'ERROR').length,
      services,
      kind: root.kind === 'CONSUMER' ? 'messaging' : 'http',
    },
    trace: { trace_id: traceId, processes: services.map(processOf), spans },
    logs: logs.sort((a, b) => (a.time < b.time ? -1 : 1)),
  };
}
