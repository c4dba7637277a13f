/** Something that can be done, by its name. */
export interface Command {
  kind: 'page' | 'trace' | 'process' | 'search' | 'service' | 'view' | 'action';
  label: string;
  /** Its shortcut. */
  keys?: readonly string[];
  run: () => unknown;
}

/** What follows from what is typed: an id leads to what it is of, everything can be searched for. */
export function typedCommands(
  typed: string,
): { kind: Command['kind']; label: string; target: { to: string; search?: object } }[] {
  const text = typed.trim();
  if (text === '') return [];
  const digits = text.replaceAll('-', '').toLowerCase();
  const isId = /^[0-9a-f]{32}$/.test(digits);
  const uuid = `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
  const trace = {
    kind: 'trace',
    label: `Open trace ${digits}`,
    target: { to: `/traces/${digits}` },
  } as const;
  const process = {
    kind: 'process',
    label: `Open process ${uuid}`,
    target: { to: `/processes/${uuid}` },
  } as const;
  // With hyphens it is how processes are written.
  const ids = !isId ? [] : text.includes('-') ? [process, trace] : [trace, process];
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return [
    ...ids,
    { kind: 'search', label: `Search traces for “${shown}”`, target: { to: '/traces', search: { text } } },
    { kind: 'search', label: `Search logs for “${shown}”`, target: { to: '/logs', search: { q: text } } },
    {
      kind: 'search',
      label: `Search processes for “${shown}”`,
      target: { to: '/processes', search: { q: text } },
    },
  ];
}

/** Commands whose name has every word, before what was typed: those in which one begins a word come first. */
export function matching<T extends { label: string }>(commands: readonly T[], typed: string): T[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const known = new Set<string>();
  const found = commands.filter(({ label }) => {
    const text = label.toLowerCase();
    return words.every((word) => text.includes(word)) && !known.has(label) && known.add(label);
  });
  const begins = ({ label }: T) => {
    const text = ` ${label.toLowerCase()}`;
    return words.every((word) => text.includes(` ${word}`));
  };
  return [...found.filter(begins), ...found.filter((command) => !begins(command))];
}
