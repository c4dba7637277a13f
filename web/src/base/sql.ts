/** What can be told of a statement in SQL without knowing the tables. */

/** A stretch of a statement that is neither a comment nor within quotes, and where it begins. */
function* bareStretches(sql: string): Generator<readonly [text: string, at: number]> {
  let begin = 0;
  // Comments, and what is within quotes of either kind; a quote that is not closed reaches to the end.
  const closed = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)/g;
  for (const match of sql.matchAll(closed)) {
    yield [sql.slice(begin, match.index), begin];
    begin = match.index + match[0].length;
  }
  yield [sql.slice(begin), begin];
}

/** The names of `$name` in a statement, in order, each once. */
export function parametersOf(sql: string): string[] {
  const names = new Set<string>();
  for (const [text] of bareStretches(sql)) {
    for (const match of text.matchAll(/\$([A-Za-z_]\w*)/g)) names.add(match[1]!);
  }
  return [...names];
}

/** The tables and table functions that a statement reads, by name, in lower case, each once. */
export function tablesOf(sql: string): string[] {
  const names = new Set<string>();
  for (const [text] of bareStretches(sql)) {
    for (const match of text.matchAll(/\b(?:from|join)\s+([A-Za-z_][\w.]*)/gi))
      names.add(match[1]!.toLowerCase());
  }
  return [...names];
}

/** Where the parser says that it stumbled, as a position in the statement; `null` when it does not say. */
export function placeOfError(sql: string, message: string): number | null {
  const match = /Line: (\d+), Column: (\d+)/.exec(message);
  if (match === null) return null;
  const [line, column] = [Number(match[1]), Number(match[2])];
  const lines = sql.split('\n');
  const before = lines.slice(0, line - 1).reduce((length, text) => length + text.length + 1, 0);
  const place = before + column - 1;
  return line >= 1 && line <= lines.length && place <= sql.length ? place : null;
}
