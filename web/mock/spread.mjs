/** What the server answers of the spans of a search. */
import { textOfValue } from './outline.mjs';

const BOUNDS = ['0'];
for (let row = 0; row < 130; row++) {
  const bound = String(Math.round(10 ** (row / 10)));
  if (BOUNDS.at(-1) !== bound) BOUNDS.push(bound);
}

const lengthOf = (span) => BigInt(span.end_time) - BigInt(span.start_time);

export function heatmapOf(spans, columns) {
  const ended = spans.filter(({ end_time }) => end_time !== undefined);
  if (ended.length === 0) return { bounds_ns: [], cells: [] };
  const starts = ended.map(({ start_time }) => BigInt(start_time));
  const first = starts.reduce((a, b) => (a < b ? a : b));
  const last = starts.reduce((a, b) => (a > b ? a : b));
  let step = 1_000_000_000n;
  while ((last - first) / step > BigInt(columns)) step *= 2n;
  const cells = new Map();
  for (const span of ended) {
    const time = (BigInt(span.start_time) / step) * step;
    const row = BOUNDS.findLastIndex((bound) => BigInt(bound) <= lengthOf(span));
    const key = `${time}-${String(row).padStart(3, '0')}`;
    const cell = cells.get(key) ?? { time: String(time), row, spans: 0, errors: 0 };
    cell.spans++;
    if (span.status_code === 'ERROR') cell.errors++;
    cells.set(key, cell);
  }
  return {
    step_ns: String(step),
    bounds_ns: BOUNDS,
    cells: [...cells.keys()].sort().map((key) => {
      const { spans, errors, ...cell } = cells.get(key);
      return { ...cell, spans: String(spans), errors: String(errors) };
    }),
  };
}

/** Keys and values of a span and its process. */
function* valuesOf(span, processes) {
  yield ['field', 'service', span.service_name];
  yield ['field', 'operation', span.name];
  yield ['field', 'kind', span.kind];
  yield ['field', 'status', span.status_code];
  if (span.status_message !== '') yield ['field', 'status_message', span.status_message];
  for (const attribute of span.attributes) yield ['span', attribute.key, textOfValue(attribute)];
  for (const attribute of processes.get(span.process_id)?.resource ?? [])
    yield ['resource', attribute.key, textOfValue(attribute)];
}

function countsOf(spans, processes) {
  const counts = new Map();
  for (const span of spans) {
    for (const value of valuesOf(span, processes)) {
      const key = JSON.stringify(value);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

export function differencesOf(spans, processes, query, nanosOf) {
  const get = (name) => query.get(name) ?? undefined;
  const isSelected = (span) =>
    (get('selected_from') === undefined || BigInt(span.start_time) >= BigInt(get('selected_from'))) &&
    (get('selected_to') === undefined || BigInt(span.start_time) < BigInt(get('selected_to'))) &&
    (get('selected_min_duration') === undefined || lengthOf(span) >= nanosOf(get('selected_min_duration'))) &&
    (get('selected_max_duration') === undefined || lengthOf(span) <= nanosOf(get('selected_max_duration'))) &&
    (get('selected_error') === undefined ||
      (span.status_code === 'ERROR') === (get('selected_error') === 'true'));
  const ended = spans.filter(({ end_time }) => end_time !== undefined);
  const selected = ended.filter(isSelected);
  const rest = ended.filter((span) => !isSelected(span));
  const [of, others] = [countsOf(selected, processes), countsOf(rest, processes)];
  const values = [...of]
    .map(([key, count]) => {
      const [place, name, value] = JSON.parse(key);
      return { place, key: name, value, selected: count, rest: others.get(key) ?? 0 };
    })
    .map((value) => ({ value, by: value.selected / selected.length - value.rest / Math.max(rest.length, 1) }))
    .filter(({ by }) => by >= 0.05)
    .sort((a, b) => b.by - a.by)
    .slice(0, Number(get('limit') ?? 30));
  return {
    selected: String(selected.length),
    rest: String(rest.length),
    values: values.map(({ value }) => ({
      ...value,
      selected: String(value.selected),
      rest: String(value.rest),
    })),
  };
}

export function surveyOf(spans, processes) {
  const keys = new Map();
  for (const [text, count] of countsOf(spans, processes)) {
    const [place, key, value] = JSON.parse(text);
    if (place === 'field') continue;
    const entry = keys.get(`${place} ${key}`) ?? { place, key, spans: 0, values: [] };
    entry.spans += count;
    entry.values.push({ value, spans: count });
    keys.set(`${place} ${key}`, entry);
  }
  return {
    spans: String(spans.length),
    keys: [...keys.values()]
      .sort((a, b) => b.spans - a.spans)
      .map((entry) => ({
        ...entry,
        spans: String(entry.spans),
        values: entry.values
          .sort((a, b) => b.spans - a.spans)
          .slice(0, 20)
          .map(({ value, spans }) => ({ value, spans: String(spans) })),
      })),
  };
}
