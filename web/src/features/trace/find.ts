import type { Span } from '@/api/traces';
import { textOf } from '@/base/values';
import type { TraceTree } from './tree';

/** Text of spans in lower case, made when it is first searched. */
const texts = new WeakMap<Span, string>();

/** A separator that nobody types, so that a match never spans two fields. */
const GAP = '\u0001';

function textOfSpan(span: Span): string {
  let text = texts.get(span);
  if (text === undefined) {
    const parts = [span.name, span.service_name, span.span_id, span.status_message];
    for (const { key, value } of span.attributes) parts.push(`${key}=${textOf(value)}`);
    for (const { name } of span.events) parts.push(name);
    text = parts.join(GAP).toLowerCase();
    texts.set(span, text);
  }
  return text;
}

/**
 * Positions of the spans that hold every word: in the name, the service, the id, the status message, an attribute
 * (`key=value`) or the name of an event.
 */
export function findSpans(tree: TraceTree, text: string): number[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found: number[] = [];
  for (const { span, index } of tree.nodes) {
    if (span === null) continue;
    const own = textOfSpan(span);
    if (words.every((word) => own.includes(word))) found.push(index);
  }
  return found;
}

/** The next position after (or before) one, round and round; `undefined` when there is none. */
export function stepFrom(positions: readonly number[], from: number, by: 1 | -1): number | undefined {
  if (positions.length === 0) return undefined;
  if (by > 0) return positions.find((position) => position > from) ?? positions[0];
  return positions.findLast((position) => position < from) ?? positions.at(-1);
}
