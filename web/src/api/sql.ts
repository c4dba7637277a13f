import { queryOptions } from '@tanstack/react-query';
import type { Cell, CellType } from '@/base/cells';
import { type Duration, duration } from '@/base/nanos';
import type { TimeRange } from '@/base/time-range';
import { keyOf, postJson, rangeParameters } from './client';
import type * as wire from './wire';

/** A question in SQL. */
export interface SqlQuestion {
  sql: string;
  /** Only rows of this time are read. */
  range: TimeRange;
  /** Values of `$name`, by name. */
  parameters: Readonly<Record<string, string>>;
  /** Most rows to show. */
  limit: number;
}

export interface SqlColumn {
  name: string;
  type: CellType;
  arrowType: string;
}

/** What an answer took. */
export interface SqlStatistics {
  planning: Duration;
  elapsed: Duration;
  rowsRead: bigint;
  bytesRead: number;
  filesRead: number;
  filesSkipped: number;
  peakMemory: number;
  spilled: number;
}

export interface SqlAnswer {
  columns: readonly SqlColumn[];
  rows: readonly (readonly Cell[])[];
  /** Whether there are more rows than were asked for. */
  hasMore: boolean;
  statistics: SqlStatistics | null;
}

/** The rows of a statement. It is asked again only by whoever wants it: a statement may take long. */
export function sqlQuery(question: SqlQuestion) {
  const { sql, range, parameters, limit } = question;
  return queryOptions({
    queryKey: ['sql', sql, keyOf(range), keyOf(parameters), limit],
    queryFn: ({ signal }) => runSql(question, signal),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

async function runSql(question: SqlQuestion, signal: AbortSignal): Promise<SqlAnswer> {
  const { sql, range, parameters, limit } = question;
  // One row more tells whether there are more.
  const body = { sql, parameters, limit: limit + 1, ...Object.fromEntries(rangeParameters(range)) };
  const answer = await postJson<wire.QueryResult>('/api/query', body, signal);
  const rows = answer.rows as unknown as readonly (readonly Cell[])[];
  return {
    columns: answer.columns.map(({ name, type, arrow_type }) => ({ name, type, arrowType: arrow_type })),
    rows: rows.length > limit ? rows.slice(0, limit) : rows,
    hasMore: rows.length > limit,
    statistics: answer.statistics === undefined ? null : reviveStatistics(answer.statistics),
  };
}

function reviveStatistics(statistics: wire.QueryStatistics): SqlStatistics {
  return {
    planning: duration(statistics.planning_ns),
    elapsed: duration(statistics.elapsed_ns),
    rowsRead: BigInt(statistics.rows_read),
    bytesRead: Number(statistics.bytes_read),
    filesRead: statistics.files_read,
    filesSkipped: statistics.files_skipped,
    peakMemory: Number(statistics.peak_memory),
    spilled: Number(statistics.spilled_bytes),
  };
}

/** Where all rows of a statement come as a file. */
export function sqlFile({ sql, range, parameters }: Omit<SqlQuestion, 'limit'>, format: string): string {
  const query = new URLSearchParams({ format, sql });
  for (const [name, value] of rangeParameters(range)) {
    if (value !== undefined) query.append(name, value);
  }
  for (const [name, value] of Object.entries(parameters)) query.append(`param.${name}`, value);
  return `/api/query?${query}`;
}

export interface SchemaColumn {
  name: string;
  type: string;
  description: string;
}

/** What a statement may name. */
export interface SqlSchema {
  tables: readonly { name: string; description: string; columns: readonly SchemaColumn[] }[];
  functions: readonly { name: string; syntax: string; description: string; isTable: boolean }[];
}

/** The tables, columns and functions that statements may name. */
export function sqlSchemaQuery() {
  return queryOptions({
    queryKey: ['sql-schema'],
    queryFn: async ({ signal }): Promise<SqlSchema> => {
      const ask = async (sql: string) =>
        (await postJson<wire.QueryResult>('/api/query', { sql }, signal)).rows as unknown as string[][];
      const [tables, columns, own, others] = await Promise.all([
        ask('SELECT table_name, description FROM glasshouse.tables'),
        ask('SELECT table_name, column_name, data_type, description FROM glasshouse.columns'),
        ask('SELECT function_name, syntax, description FROM glasshouse.functions'),
        ask(
          "SELECT routine_name, coalesce(min(syntax_example), ''), coalesce(min(description), '') " +
            'FROM information_schema.routines GROUP BY routine_name ORDER BY routine_name',
        ),
      ]);
      const known = new Set(own.map(([name]) => name));
      return {
        tables: tables.map(([name, description]) => ({
          name: name!,
          description: description!,
          columns: columns
            .filter(([table]) => table === name)
            .map(([, name, type, description]) => ({ name: name!, type: type!, description: description! })),
        })),
        functions: [...own, ...others.filter(([name]) => !known.has(name))].map(
          ([name, syntax, description]) => ({
            name: name!,
            syntax: syntax!,
            description: description!,
            isTable: /_spans$|^perfetto_trace$/.test(name!),
          }),
        ),
      };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
