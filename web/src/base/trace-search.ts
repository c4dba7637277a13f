import { parseDuration } from './durations';
import type { Duration, Nanos } from './nanos';
import { listParam, textParam } from './search-params';

/** What a link to the trace search holds, beside the time range. */
export interface TraceSearch {
  service?: string;
  operation?: string;
  /** Role of the span in a call. */
  kind?: SpanKindName;
  /** `true`: only spans without a parent. */
  root?: 'true';
  /** Words that the span's name, service, status message or attributes contain. */
  text?: string;
  /** Least and greatest duration of the span that matches, such as `250ms`. */
  min?: string;
  max?: string;
  /** `true`: only traces with a failing span that matches. */
  error?: 'true';
  /** `key=value`, all of which the span has. */
  attr?: string[];
  /** Least and greatest duration of the whole trace; narrows the list in the browser. */
  tmin?: string;
  tmax?: string;
  /** Spans that are selected among those: `errors`, or a part of the heatmap as {@link selectionText} writes it. */
  sel?: string;
  /** What is drawn above the list; a heatmap when left out. */
  chart?: 'traces';
}

export const SPAN_KINDS = ['server', 'client', 'internal', 'producer', 'consumer'] as const;
export type SpanKindName = (typeof SPAN_KINDS)[number];

/** A part of the heatmap: times and durations in nanoseconds; `null` for no bound. */
export interface SpanSelection {
  from: Nanos;
  to: Nanos;
  min: Duration | null;
  max: Duration | null;
}

/** As links hold it: `1763726729000000000-1763726730000000000,250000000-`. */
export function selectionText({ from, to, min, max }: SpanSelection): string {
  return `${from}-${to},${min ?? ''}-${max ?? ''}`;
}

export function readSelection(text: string | undefined): SpanSelection | null {
  const match = /^(\d{1,19})-(\d{1,19}),(\d{0,19})-(\d{0,19})$/.exec(text ?? '');
  if (match === null) return null;
  const [from, to] = [BigInt(match[1]!) as Nanos, BigInt(match[2]!) as Nanos];
  const bound = (digits: string) => (digits === '' ? null : (BigInt(digits) as Duration));
  const [min, max] = [bound(match[3]!), bound(match[4]!)];
  if (from >= to || (min !== null && max !== null && min > max)) return null;
  return { from, to, min, max };
}

/** Reads a link; what makes no sense is left out. */
export function readTraceSearch(raw: Record<string, unknown>): TraceSearch {
  const search: TraceSearch = {};
  const service = textParam(raw.service);
  const operation = textParam(raw.operation);
  if (service !== undefined) search.service = service;
  if (operation !== undefined) search.operation = operation;
  for (const name of ['min', 'max', 'tmin', 'tmax'] as const) {
    const text = textParam(raw[name]);
    if (text !== undefined && parseDuration(text) !== null) search[name] = text;
  }
  if (textParam(raw.error) === 'true') search.error = 'true';
  const [kind, text] = [SPAN_KINDS.find((kind) => kind === raw.kind), textParam(raw.text)];
  if (kind !== undefined) search.kind = kind;
  if (textParam(raw.root) === 'true') search.root = 'true';
  if (text !== undefined) search.text = text;
  const selection = textParam(raw.sel);
  if (selection === 'errors' || readSelection(selection) !== null) search.sel = selection!;
  if (raw.chart === 'traces') search.chart = 'traces';
  const attributes = listParam(raw.attr).filter((text) => readAttribute(text) !== null);
  if (attributes.length > 0) search.attr = attributes;
  return search;
}

/** An attribute as {@link readAttribute} reads it back: a value that is empty, quoted or has blanks at its ends in quotes. */
export function attributeText(key: string, value: string): string {
  const isPlain = value !== '' && value === value.trim() && !/^".*"$/s.test(value);
  return `${key}=${isPlain ? value : `"${value}"`}`;
}

/** `key=value` as typed; quotes around the value are dropped. `null` when it is not of that form. */
export function readAttribute(text: string): { key: string; value: string } | null {
  const at = text.indexOf('=');
  const key = text.slice(0, at).trim();
  if (at <= 0 || key === '') return null;
  const value = text.slice(at + 1).trim();
  const quoted = /^"(.*)"$/s.exec(value);
  return { key, value: quoted?.[1] ?? value };
}
