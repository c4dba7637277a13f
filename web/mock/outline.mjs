/** What the server answers of one trace. */

/** The spans as the server tells them: each once, the complete record before the open one, in order of start. */
export function spansOf({ trace }) {
  const byId = new Map();
  for (const span of trace.spans) {
    const known = byId.get(span.span_id);
    if (known === undefined || known.end_time === undefined || span.end_time !== undefined)
      byId.set(span.span_id, span);
  }
  const start = ({ start_time }) => BigInt(start_time);
  return [...byId.values()].sort((a, b) =>
    start(a) !== start(b) ? (start(a) < start(b) ? -1 : 1) : a.span_id < b.span_id ? -1 : 1,
  );
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const CODES = ['UNSET', 'OK', 'ERROR'];

export function outlineOf(made) {
  const spans = spansOf(made);
  const start = BigInt(spans[0].start_time);
  const after = (time) => Number(BigInt(time) - start);
  const [services, names, missing] = [new Map(), new Map(), new Map()];
  const position = (list, text) => {
    if (!list.has(text)) list.set(text, list.size);
    return list.get(text);
  };
  const numbers = new Map(spans.map(({ span_id }, number) => [span_id, number]));
  const parents = spans.map(({ parent_span_id: parent }) =>
    parent === undefined ? -1 : (numbers.get(parent) ?? spans.length + position(missing, parent)),
  );
  const outline = {
    trace_id: made.trace.trace_id,
    start_time: String(start),
    span_ids: spans.map(({ span_id }) => span_id).join(''),
    parents,
    missing_parents: [...missing.keys()].join(''),
    starts: spans.map(({ start_time }) => after(start_time)),
    durations: spans.map(({ start_time, end_time }) =>
      end_time === undefined ? null : Number(BigInt(end_time) - BigInt(start_time)),
    ),
    span_services: spans.map(({ service_name }) => position(services, service_name)),
    span_names: spans.map(({ name }) => position(names, name)),
    kinds: spans.map(({ kind }) => KINDS.indexOf(kind)).join(''),
    status_codes: spans.map(({ status_code }) => CODES.indexOf(status_code)).join(''),
    events: { spans: [], times: [], names: [] },
  };
  for (const [number, span] of spans.entries()) {
    for (const { time, name } of span.events) {
      outline.events.spans.push(number);
      outline.events.times.push(after(time));
      outline.events.names.push(position(names, name));
    }
  }
  return { ...outline, services: [...services.keys()], names: [...names.keys()] };
}

export function spanOf(made, spanId) {
  const span = spansOf(made).find(({ span_id }) => span_id === spanId);
  if (span === undefined) return undefined;
  const process = made.trace.processes.find(({ process_id }) => process_id === span.process_id);
  return { span, process };
}

const textOfValue = ({ value }) =>
  String(
    value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue ?? JSON.stringify(value),
  );

/** Whether each word is somewhere in what a span says. */
export function hasWords(span, text, withEvents = false) {
  const attributes = [
    ...span.attributes,
    ...(withEvents ? span.events.flatMap((event) => event.attributes) : []),
  ];
  const all = [
    span.name,
    span.service_name,
    span.status_message,
    ...(withEvents ? span.events.map(({ name }) => name) : []),
    ...attributes.map((attribute) => `${attribute.key}=${textOfValue(attribute)}`),
  ].map((part) => part.toLowerCase());
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => all.some((part) => part.includes(word)));
}

export function found(made, query) {
  const limit = Number(query.get('limit') ?? 10_000);
  const spans = spansOf(made).filter((span) => hasWords(span, query.get('text') ?? '', true));
  return { span_ids: spans.slice(0, limit).map(({ span_id }) => span_id), more: spans.length > limit };
}

export { textOfValue };
