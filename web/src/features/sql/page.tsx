import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import type { ApiError } from '@/api/client';
import { type SqlQuestion, sqlQuery, sqlSchemaQuery } from '@/api/sql';
import { formatCount } from '@/base/numbers';
import { parametersOf, placeOfError } from '@/base/sql';
import { describeRange } from '@/base/time-range';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { useHotkeys } from '@/ui/hotkeys';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { Splitter } from '@/ui/splitter';
import { EmptyState, SkeletonRows } from '@/ui/states';
import { stored, useStored } from '@/ui/stored';
import { useTimeRange } from '@/ui/time-range';
import { TimeRangePicker } from '@/ui/time-range-picker';
import { useTitle } from '@/ui/title';
import { AnswerChart, ChartControls } from './chart';
import { DownloadMenu } from './download';
import { Elapsed } from './elapsed';
import { EXAMPLES } from './examples';
import { AnswerTable } from './result';
import { RowPanel } from './row-panel';
import { SchemaPanel } from './schema-panel';
import { LIMITS, type SqlSearch, valuesOf } from './search';
import { Statistics } from './statistics';

const Editor = lazy(async () => ({ default: (await import('./editor')).SqlEditor }));

const editorHeight = stored<number>('sql-editor-height', 200, (text) => {
  const height = Number(text);
  return height >= 80 && height <= 1_200 ? height : null;
});
const tables = stored<'open' | 'closed'>('sql-tables', 'closed', (text) => (text === 'open' ? 'open' : null));

/** What was typed last, run or not, for whoever comes back to the page by the navigation. */
let kept = '';

/** Questions in SQL: editor, rows, chart. */
export function SqlPage({ search, actions }: { search: SqlSearch; actions?: ReactNode }) {
  const { sql: asked = '' } = search;
  const [range, setRange] = useTimeRange();
  const [zone] = useZone();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [height, setHeight] = useStored(editorHeight);
  const [schemaShown, showSchema] = useStored(tables);
  const [typed, setTyped] = useState(() => asked || kept);
  const [of, setOf] = useState(asked);
  // Another link: its statement.
  if (of !== asked) {
    setOf(asked);
    setTyped(asked);
  }
  useEffect(() => {
    kept = typed;
  }, [typed]);
  const linked = useMemo(() => valuesOf(search), [search.value]);
  const [values, setValues] = useState(linked);
  const [shownValues, setShownValues] = useState(linked);
  if (shownValues !== linked) {
    setShownValues(linked);
    setValues(linked);
  }
  useTitle('SQL');
  const schema = useQuery(sqlSchemaQuery());
  const question: SqlQuestion = {
    sql: asked,
    range,
    parameters: linked,
    limit: Number(search.limit ?? LIMITS[0]),
  };
  const options = sqlQuery(question);
  // A row belongs to its answer.
  const key = JSON.stringify(options.queryKey);
  const [opened, setOpened] = useState<{ of: string; row: number }>();
  const row = opened?.of === key ? opened.row : undefined;
  const table = useRef<HTMLDivElement>(null);
  const insert = useRef<(text: string) => void>(null);
  const openRow = (row: number) => setOpened({ of: key, row });
  const closeRow = () => {
    setOpened(undefined);
    table.current?.querySelector<HTMLElement>('[role=table]')?.focus();
  };
  const query = useQuery({ ...options, enabled: asked !== '' });
  const { data, error, fetchStatus } = query;
  const isRunning = fetchStatus === 'fetching';
  const names = parametersOf(typed);
  const isEdited = typed !== asked || names.some((name) => (values[name] ?? '') !== (linked[name] ?? ''));

  const change = (change: { [Name in keyof SqlSearch]?: SqlSearch[Name] | undefined }, replace = true) =>
    void navigate({ to: '/sql', search: (previous) => ({ ...previous, ...change }) as SqlSearch, replace });
  const run = () => {
    if (typed.trim() === '') return;
    setOpened(undefined);
    if (!isEdited) {
      void query.refetch();
      return;
    }
    const pairs = names.map((name) => `${name}=${values[name] ?? ''}`);
    const next = { sql: typed, value: pairs.length === 0 ? undefined : pairs };
    // What was chosen of another answer's columns does not suit.
    change(
      typed === asked
        ? next
        : { ...next, x: undefined, y: undefined, by: undefined, draw: undefined, sort: undefined },
      false,
    );
  };
  const cancel = () => void client.cancelQueries({ queryKey: options.queryKey });
  useHotkeys('SQL', [
    { keys: ['Ctrl+Enter'], shown: ['Ctrl', 'Enter'], label: 'Run the statement', run },
    {
      keys: ['c'],
      label: 'Table or chart',
      run: () => change({ view: search.view === 'chart' ? undefined : 'chart' }),
    },
    ...(row === undefined ? [] : [{ keys: ['Escape'], label: 'Close the row', run: closeRow }]),
  ]);
  const wrongAt = error === null || typed !== asked ? null : placeOfError(asked, error.message);
  return (
    <>
      <PageHeader title={<h1 className="text-[0.9375rem] font-semibold tracking-tight">SQL</h1>}>
        {actions}
        <TimeRangePicker range={range} onChange={setRange} />
      </PageHeader>
      <div className="flex min-h-0 flex-1">
        {schemaShown === 'open' && (
          <SchemaPanel
            schema={schema}
            onClose={() => showSchema('closed')}
            onInsert={(name, isTable) => {
              const isEmpty = typed.trim() === '';
              insert.current?.(isEmpty && isTable ? `SELECT * FROM ${name} LIMIT 100` : name);
            }}
          />
        )}
        <div className="flex min-w-0 flex-1 flex-col">
          <div className="max-h-[60vh] shrink-0 bg-surface" style={{ height }}>
            <Suspense
              fallback={
                <div role="status" aria-label="Loading the editor" className="skeleton m-3 h-4 w-64" />
              }
            >
              <Editor
                text={typed}
                onChange={setTyped}
                onRun={run}
                schema={schema.data}
                wrongAt={wrongAt}
                insert={insert}
              />
            </Suspense>
          </div>
          <Splitter
            label="Height of the editor"
            between="rows"
            size={height}
            min={80}
            max={600}
            onResize={setHeight}
          />
          <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-surface px-4 py-2">
            {isRunning ? (
              <Button icon="close" onClick={cancel} className="w-28">
                Cancel
              </Button>
            ) : (
              <Button look="primary" onClick={run} disabled={typed.trim() === ''} className="w-28">
                Run
                <kbd className="text-2xs">Ctrl ↵</kbd>
              </Button>
            )}
            {names.map((name) => (
              <label key={name} className="inline-flex items-center gap-1.5">
                <span className="font-mono text-xs text-muted">${name}</span>
                <input
                  value={values[name] ?? ''}
                  onChange={({ target }) => setValues({ ...values, [name]: target.value })}
                  onKeyDown={({ key }) => key === 'Enter' && run()}
                  className="field w-36"
                />
              </label>
            ))}
            <Button
              className="max-md:hidden"
              aria-pressed={schemaShown === 'open'}
              onClick={() => showSchema(schemaShown === 'open' ? 'closed' : 'open')}
            >
              Tables
            </Button>
            <label className="ml-auto inline-flex items-center gap-2 text-muted">
              Show at most
              <select
                value={String(question.limit)}
                onChange={({ target }) =>
                  change({ limit: target.value === String(LIMITS[0]) ? undefined : target.value })
                }
                className="field py-0"
              >
                {LIMITS.map((limit) => (
                  <option key={limit} value={limit}>
                    {formatCount(limit)} rows
                  </option>
                ))}
              </select>
            </label>
            <DownloadMenu question={question} isEdited={isEdited} />
            <div role="group" aria-label="Shown as" className="flex gap-1">
              {([undefined, 'chart'] as const).map((view) => (
                <Button
                  key={view ?? 'table'}
                  aria-pressed={view === search.view}
                  onClick={() => change({ view })}
                >
                  {view === undefined ? 'Table' : 'Chart'}
                </Button>
              ))}
            </div>
          </div>
          {error !== null && !isRunning && <Problem error={error} />}
          {data !== undefined && error === null ? (
            <div
              className={classes(
                'flex min-h-0 flex-1 flex-col transition-opacity',
                (isRunning || isEdited) && 'opacity-60',
              )}
            >
              <div className="flex min-h-9 shrink-0 items-center gap-3 border-b border-line px-4 py-1">
                {isRunning ? <Elapsed key={key} /> : <Statistics answer={data} />}
                <span className="text-xs text-faint">{describeRange(range, zone)}</span>
              </div>
              {data.columns.length === 0 ? (
                <EmptyState title="The statement gives no columns" />
              ) : search.view === 'chart' ? (
                <>
                  <ChartControls answer={data} chosen={search} onChange={change} />
                  <AnswerChart
                    answer={data}
                    chosen={search}
                    onSelect={(from, to) => setRange({ kind: 'absolute', from, to })}
                  />
                </>
              ) : data.rows.length === 0 ? (
                <EmptyState title="No rows">Of the time range: {describeRange(range, zone)}.</EmptyState>
              ) : (
                <div ref={table} className="flex min-h-0 flex-1">
                  <AnswerTable
                    answer={data}
                    sort={search.sort}
                    onSort={(sort) => change({ sort })}
                    selected={row}
                    onOpen={openRow}
                  />
                  {row !== undefined && row < data.rows.length && (
                    <RowPanel answer={data} row={row} onClose={closeRow} />
                  )}
                </div>
              )}
            </div>
          ) : isRunning ? (
            <div className="min-h-0 flex-1 overflow-hidden">
              <div className="flex h-9 items-center border-b border-line px-4">
                <Elapsed key={key} />
              </div>
              <SkeletonRows rows={12} height={30} />
            </div>
          ) : asked !== '' && error === null ? (
            <EmptyState title="Cancelled">The server has stopped working on it.</EmptyState>
          ) : (
            error === null && <Examples onChoose={setTyped} />
          )}
        </div>
      </div>
    </>
  );
}

function Problem({ error }: { error: Error }) {
  const { details } = error as ApiError;
  return (
    <div role="alert" className="shrink-0 border-b border-line bg-error-soft px-4 py-2.5">
      <p className="max-h-40 overflow-auto wrap-anywhere whitespace-pre-wrap text-error">{error.message}</p>
      {details !== undefined && <p className="text-xs wrap-anywhere text-muted">{details}</p>}
    </div>
  );
}

function Examples({ onChoose }: { onChoose: (sql: string) => void }) {
  return (
    <div className="min-h-0 flex-1 overflow-auto p-4">
      <h2 className="mb-2 font-medium">To begin with</h2>
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(22rem,100%),1fr))] gap-3">
        {EXAMPLES.map(({ title, sql }) => (
          <li key={title}>
            <button
              type="button"
              onClick={() => onChoose(sql)}
              className="flex h-full w-full flex-col gap-1.5 rounded-lg border border-line bg-surface p-3 text-left hover:bg-hover"
            >
              <span className="font-medium">{title}</span>
              <code className="font-mono text-xs whitespace-pre-wrap text-muted">{sql}</code>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
