/** The part of a link after `?`: names with one text or several. Never guesses at types. */

export type SearchParams = Record<string, string | string[] | undefined>;

/** `?a=1&b=2&b=3` → `{a: '1', b: ['2', '3']}`. */
export function parseSearchParams(text: string): SearchParams {
  const result: SearchParams = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = result[name];
    if (before === undefined) result[name] = value;
    else if (typeof before === 'string') result[name] = [before, value];
    else before.push(value);
  }
  return result;
}

/** The reverse. What a query may hold as it is stays readable: `service=cart&from=2026-01-31T12:00:00Z`. */
export function formatSearchParams(params: Readonly<Record<string, unknown>>): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(params)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === 'string') pairs.push(`${readable(name)}=${readable(item)}`);
    }
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function readable(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%3A', ':')
    .replaceAll('%2F', '/')
    .replaceAll('%3D', '=')
    .replaceAll('%2C', ',')
    .replaceAll('%20', '+');
}

/** The one text of a name; `undefined` when there is none or it is empty. */
export function textParam(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' && one !== '' ? one : undefined;
}

/** All texts of a name. */
export function listParam(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter(
    (item): item is string => typeof item === 'string' && item !== '',
  );
}
