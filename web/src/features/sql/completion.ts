import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { SqlSchema } from '@/api/sql';
import { tablesOf } from '@/base/sql';

/** Functions that give spans, and the table whose columns those have. */
const ROWS_OF: Readonly<Record<string, string>> = {
  trace_spans: 'spans',
  process_spans: 'spans',
  thread_spans: 'spans',
  async_spans: 'spans',
};

/** The columns that a statement may name without saying whose they are: those of the tables it reads. */
export function columnsInSight(sql: string, schema: SqlSchema): Completion[] {
  const names = new Set(tablesOf(sql).map((name) => ROWS_OF[name] ?? name));
  const tables = schema.tables.filter(({ name }) => names.has(name));
  const known = new Set<string>();
  return tables.flatMap((table) =>
    table.columns
      .filter(({ name }) => !known.has(name) && known.add(name))
      .map(({ name, type, description }) => ({
        label: name,
        type: 'property',
        detail: type,
        info: description,
        // What is read is meant more often than any other name.
        boost: 10,
      })),
  );
}

/** What can be called. */
export function functionCompletions({ functions }: SqlSchema): Completion[] {
  return functions.map(({ name, syntax, description, isTable }) => ({
    label: name,
    type: 'function',
    detail: isTable ? 'table function' : '',
    info: [syntax, description].filter((text) => text !== '').join('\n\n'),
    apply: `${name}(`,
  }));
}

/** Offers columns of the tables that the statement reads, and functions. */
export function completionSource(schema: SqlSchema) {
  const functions = functionCompletions(schema);
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/\w+/);
    if (word === null && !context.explicit) return null;
    const from = word?.from ?? context.pos;
    // After a dot, whose columns are meant is said.
    if (context.state.sliceDoc(from - 1, from) === '.') return null;
    const options = [...columnsInSight(context.state.doc.toString(), schema), ...functions];
    return { from, options, validFor: /^\w*$/ };
  };
}
