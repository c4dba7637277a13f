import { Outline } from '@/api/outline';

/** A span of a made-up trace: times are nanoseconds after a common start. */
export interface MadeSpan {
  id: string;
  parent: string | null;
  start: number;
  /** `null` for an open span. */
  end: number | null;
  service?: string;
  name?: string;
  failed?: boolean;
}

export function made(
  id: string,
  parent: string | null,
  start: number,
  end: number | null,
  more: Partial<MadeSpan> = {},
): MadeSpan {
  return { id, parent, start, end, ...more };
}

/** Ids of tests are short; those of traces have 16 digits. */
export const longId = (id: string) => id.padStart(16, '0');
export const shortId = (id: string) => id.replace(/^0+/, '');

/** What the server would answer. */
export function outlineOf(spans: readonly MadeSpan[]): Outline {
  const sorted = [...spans].sort((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1));
  const first = sorted[0]!.start;
  const numbers = new Map(sorted.map(({ id }, number) => [id, number]));
  const [missing, services, names] = [new Map(), new Map(), new Map()] as Map<string, number>[];
  const position = (list: Map<string, number>, text: string) => {
    if (!list.has(text)) list.set(text, list.size);
    return list.get(text)!;
  };
  const parents = sorted.map(({ parent }) => {
    if (parent === null) return -1;
    return numbers.get(parent) ?? sorted.length + position(missing!, parent);
  });
  return new Outline({
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    start_time: String(1_763_726_729_000_000_000n + BigInt(first)),
    span_ids: sorted.map(({ id }) => longId(id)).join(''),
    parents,
    missing_parents: [...missing!.keys()].map(longId).join(''),
    starts: sorted.map(({ start }) => start - first),
    durations: sorted.map(({ start, end }) => (end === null ? null : end - start)),
    span_services: sorted.map(({ service = 'shop' }) => position(services!, service)),
    span_names: sorted.map(({ id, name = id }) => position(names!, name)),
    kinds: '1'.repeat(sorted.length),
    status_codes: sorted.map(({ failed }) => (failed ? '2' : '0')).join(''),
    services: [...services!.keys()],
    names: [...names!.keys()],
    events: { spans: [], times: [], names: [] },
  });
}
