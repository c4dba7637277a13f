/** What the server answers of services: who calls whom, and figures over time. */

const lengthOf = (span) => BigInt(span.end_time) - BigInt(span.start_time);

function figuresOf(spans) {
  const lengths = spans.map(lengthOf).sort((a, b) => (a < b ? -1 : 1));
  const quantile = (q) => lengths[Math.max(0, Math.ceil(q * lengths.length) - 1)];
  const quantiles =
    lengths.length === 0
      ? {}
      : { p50_ns: String(quantile(0.5)), p95_ns: String(quantile(0.95)), p99_ns: String(quantile(0.99)) };
  const errors = spans.filter(({ status_code }) => status_code === 'ERROR').length;
  return { count: String(spans.length), errors: String(errors), ...quantiles };
}

export const isRequest = (span) =>
  span.parent_span_id === undefined || span.kind === 'SERVER' || span.kind === 'CONSUMER';

export function mapOf(spans, all) {
  const byId = new Map(all.map((span) => [`${span.trace_id} ${span.span_id}`, span]));
  const ended = spans.filter(({ end_time }) => end_time !== undefined);
  const nodes = new Map();
  const edges = new Map();
  const note = (list, key, span) =>
    list.set(key, [...(list.get(key) ?? []), ...(span === null ? [] : [span])]);
  for (const span of ended) {
    const own = `service\u0001${span.service_name}`;
    note(nodes, own, isRequest(span) ? span : null);
    const system = span.attributes.find(({ key }) => key === 'db.system' || key === 'db.system.name');
    if (span.kind === 'CLIENT' && system !== undefined) {
      const database = `database\u0001${system.value.stringValue}`;
      note(nodes, database, span);
      note(edges, `${own}\u0002${database}`, span);
    }
    const parent = byId.get(`${span.trace_id} ${span.parent_span_id}`);
    if (parent !== undefined && parent.service_name !== span.service_name) {
      note(nodes, `service\u0001${parent.service_name}`, null);
      note(edges, `service\u0001${parent.service_name}\u0002${own}`, span);
    }
  }
  const kinds = ['service', 'database'];
  const keys = [...nodes.keys()].sort((a, b) => {
    const [[ka, na], [kb, nb]] = [a.split('\u0001'), b.split('\u0001')];
    return kinds.indexOf(ka) - kinds.indexOf(kb) || (na < nb ? -1 : 1);
  });
  return {
    nodes: keys.map((key) => {
      const [kind, name] = key.split('\u0001');
      return { kind, name, ...figuresOf(nodes.get(key)) };
    }),
    edges: [...edges].map(([key, calls]) => {
      const [from, to] = key.split('\u0002');
      return { from: keys.indexOf(from), to: keys.indexOf(to), ...figuresOf(calls) };
    }),
  };
}

export function seriesOf(spans, points) {
  const ended = spans.filter(({ end_time }) => end_time !== undefined);
  if (ended.length === 0) return { points: [] };
  const starts = ended.map(({ start_time }) => BigInt(start_time)).sort((a, b) => (a < b ? -1 : 1));
  let step = 1_000_000_000n;
  while ((starts.at(-1) - starts[0]) / step > BigInt(points)) step *= 2n;
  const byTime = new Map();
  for (const span of ended) {
    const time = (BigInt(span.start_time) / step) * step;
    byTime.set(time, [...(byTime.get(time) ?? []), span]);
  }
  return {
    step_ns: String(step),
    points: [...byTime.keys()]
      .sort((a, b) => (a < b ? -1 : 1))
      .map((time) => ({ time: String(time), ...figuresOf(byTime.get(time)) })),
  };
}

export function operationsOf(spans) {
  const found = new Map();
  for (const span of spans.filter(({ end_time }) => end_time !== undefined)) {
    const key = `${span.kind} ${span.name}`;
    found.set(key, [...(found.get(key) ?? []), span]);
  }
  return {
    operations: [...found.values()].map((list) => {
      const { count, errors, ...quantiles } = figuresOf(list);
      const longest = list.map(lengthOf).reduce((a, b) => (a > b ? a : b));
      const [{ name, kind }] = list;
      return { name, kind, span_count: count, error_count: errors, ...quantiles, max_ns: String(longest) };
    }),
  };
}
