import type { AttributeSurvey } from '@/api/spread';
import { attributeText } from '@/base/trace-search';

/** How many are offered. */
const MOST = 10;

/** An attribute that is offered. */
export interface Suggestion {
  /** What the field takes. */
  text: string;
  key: string;
  value: string;
  /** Whether it has a value; otherwise the values follow. */
  isWhole: boolean;
}

/**
 * Attributes that fit what is typed: keys that contain it and values that do, or after `=` the values of that key. What
 * begins with it comes first.
 */
export function suggestionsFor(text: string, survey: AttributeSurvey): Suggestion[] {
  const typed = text.trimStart();
  const at = typed.indexOf('=');
  const offer = (key: string, value?: string): Suggestion => ({
    text: value === undefined ? `${key}=` : attributeText(key, value),
    key,
    value: value ?? '',
    isWhole: value !== undefined,
  });
  if (at > 0) {
    const key = typed.slice(0, at).trim();
    const wanted = typed
      .slice(at + 1)
      .trim()
      .replace(/^"/, '')
      .toLowerCase();
    const values = survey.filter((known) => known.key === key).flatMap(({ values }) => values);
    return ranked([...new Set(values)], wanted, (value) => value)
      .slice(0, MOST)
      .map((value) => offer(key, value));
  }
  const wanted = typed.trim().toLowerCase();
  const keys = ranked([...new Set(survey.map(({ key }) => key))], wanted, (key) => key);
  const offered = keys.slice(0, wanted === '' ? MOST : MOST / 2).map((key) => offer(key));
  if (wanted === '') return offered;
  const pairs = survey.flatMap(({ key, values }) => values.map((value) => ({ key, value })));
  const known = new Set<string>();
  for (const { key, value } of ranked(pairs, wanted, ({ value }) => value)) {
    const suggestion = offer(key, value);
    if (offered.length >= MOST) break;
    if (!known.has(suggestion.text)) offered.push(suggestion);
    known.add(suggestion.text);
  }
  return offered;
}

/** Those that contain the text; those that begin with it first, otherwise in their order. */
function ranked<T>(items: readonly T[], wanted: string, textOf: (item: T) => string): T[] {
  const matching = items.filter((item) => textOf(item).toLowerCase().includes(wanted));
  const begins = (item: T) => textOf(item).toLowerCase().startsWith(wanted);
  return [...matching.filter(begins), ...matching.filter((item) => !begins(item))];
}
