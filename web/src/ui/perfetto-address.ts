import { stored } from './stored';

const PUBLIC = 'https://ui.perfetto.dev';

/** The address of Perfetto's user interface as it is used; `null` when the text is none. */
export function readAddress(text: string): string | null {
  const url = URL.parse(text.trim());
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : null;
}

/** Where Perfetto's user interface is, as the person has chosen. */
export const perfettoAddress = stored<string>('perfetto-address', readAddress(PUBLIC) ?? PUBLIC, readAddress);
