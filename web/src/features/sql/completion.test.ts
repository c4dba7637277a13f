import { expect, it } from 'vitest';
import type { SqlSchema } from '@/api/sql';
import { columnsInSight, functionCompletions } from './completion';

const column = (name: string) => ({ name, type: 'VARCHAR', description: `what ${name} holds` });
const schema: SqlSchema = {
  tables: [
    { name: 'spans', description: '', columns: [column('trace_id'), column('duration_ns')] },
    { name: 'logs', description: '', columns: [column('trace_id'), column('body')] },
  ],
  functions: [
    { name: 'duration_ms', syntax: 'duration_ms(ns)', description: 'Milliseconds', isTable: false },
  ],
};

it('offers the columns of the tables that are read, each once', () => {
  const names = (sql: string) => columnsInSight(sql, schema).map(({ label }) => label);
  expect(names('SELECT  FROM spans')).toEqual(['trace_id', 'duration_ns']);
  expect(names('SELECT  FROM spans JOIN logs USING (trace_id)')).toEqual(['trace_id', 'duration_ns', 'body']);
  expect(names("SELECT  FROM trace_spans('x')")).toEqual(['trace_id', 'duration_ns']);
  expect(names('SELECT ')).toEqual([]);
});

it('tells how functions are called', () => {
  expect(functionCompletions(schema)).toMatchObject([
    { label: 'duration_ms', apply: 'duration_ms(', info: 'duration_ms(ns)\n\nMilliseconds' },
  ]);
});
