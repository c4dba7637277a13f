import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type Process, processesQuery } from '@/api/processes';
import { plural } from '@/base/numbers';
import { describeRange, PRESETS, type TimeRange } from '@/base/time-range';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { useHotkeys } from '@/ui/hotkeys';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { RefreshControl, useRefreshInterval } from '@/ui/refresh-control';
import { SearchBox } from '@/ui/search-box';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui/states';
import { useTimeRange } from '@/ui/time-range';
import { TimeRangePicker } from '@/ui/time-range-picker';
import { useTitle } from '@/ui/title';
import { noteError } from '@/ui/toasts';
import { filterOf, type ProcessSearch, sortedBy } from './search';
import { ProcessTable, type ProcessTableHandle } from './table';

/** Pages that refresh by themselves; a longer list stays as it is until it is asked. */
const MOST_PAGES_REFRESHED = 5;

/** All processes that were active in a time: found by text, sorted, newest activity first. */
export function ProcessesPage(props: {
  search: ProcessSearch;
  /** What can be done with several; `done` takes the choice back. */
  actions: (processes: readonly Process[], done: () => void) => ReactNode;
  /** What is under way. */
  underWay: ReactNode;
}) {
  const { search } = props;
  const [range, setRange] = useTimeRange();
  const navigate = useNavigate();
  const interval = useRefreshInterval();
  const input = useRef<HTMLInputElement>(null);
  const table = useRef<ProcessTableHandle>(null);
  useTitle('Processes');

  const filter = useMemo(() => filterOf(search), [search]);
  const query = useInfiniteQuery({
    ...processesQuery(filter, range),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) <= MOST_PAGES_REFRESHED ? interval : false,
  });
  const { fetchNextPage, hasNextPage } = query;
  const pages = query.data?.pages;
  const processes = useMemo(() => unique(pages?.flatMap((page) => page.processes) ?? []), [pages]);
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const refresh = () => void query.refetch();

  // A failed refresh leaves the list standing; it is told beside it.
  const { error } = query;
  const isStale = error !== null && pages !== undefined && !query.isFetchNextPageError;
  useEffect(() => {
    if (isStale) noteError('The list could not be refreshed', error.message);
  }, [isStale, error]);

  const change = useCallback(
    (next: ProcessSearch, replace = false) =>
      void navigate({
        to: '/processes',
        search: ({ from, to }) => ({
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...next,
        }),
        replace,
      }),
    [navigate],
  );
  const { q, ...sorting } = search;
  const [chosen, setChosen] = useState<ReadonlyMap<string, Process>>(() => new Map());
  const choose = useCallback((some: readonly Process[], isChosen: boolean) => {
    setChosen((before) => {
      const next = new Map(before);
      for (const process of some) {
        if (isChosen) next.set(process.process_id, process);
        else next.delete(process.process_id);
      }
      return next;
    });
  }, []);
  const find = (text: string) => change(text === '' ? sorting : { ...sorting, q: text }, true);

  useHotkeys('Processes', [
    { keys: ['/'], label: 'Search', run: () => input.current?.focus() },
    {
      keys: ['j', 'ArrowDown'],
      shown: ['j', 'ArrowDown'],
      label: 'Next process',
      run: () => table.current?.move(1),
    },
    {
      keys: ['k', 'ArrowUp'],
      shown: ['k', 'ArrowUp'],
      label: 'Previous process',
      run: () => table.current?.move(-1),
    },
    { keys: ['Enter'], label: 'Open the process', run: () => false },
    { keys: ['r'], label: 'Refresh', run: refresh },
  ]);

  return (
    <>
      <PageHeader title={<h1 className="text-[0.9375rem] font-semibold tracking-tight">Processes</h1>}>
        {props.underWay}
        <TimeRangePicker range={range} onChange={setRange} />
        <RefreshControl busy={query.isFetching} onRefresh={refresh} />
      </PageHeader>
      <div className="shrink-0 border-b border-line bg-surface px-4 py-2.5">
        <SearchBox
          label="Search processes"
          placeholder="Name, id, host, user, command, or any property"
          text={q ?? ''}
          find={find}
          input={input}
        />
      </div>
      {pages === undefined ? (
        query.isError ? (
          <ErrorState title="The processes could not be loaded" error={query.error} retry={refresh} />
        ) : (
          <div role="status" aria-label="Loading processes" className="min-h-0 flex-1 overflow-hidden">
            <SkeletonRows rows={14} height={52} />
          </div>
        )
      ) : processes.length === 0 && !query.isPlaceholderData ? (
        <Nothing q={q} range={range} setRange={setRange} clear={() => find('')} />
      ) : (
        <div
          className={classes(
            'flex min-h-0 flex-1 flex-col transition-opacity',
            query.isPlaceholderData && 'opacity-50',
          )}
        >
          <p
            role="status"
            className="tabular flex h-9 shrink-0 items-center gap-1.5 border-b border-line px-4 text-muted"
          >
            <span className="text-text">
              {query.isPlaceholderData
                ? 'Searching…'
                : hasNextPage
                  ? `First ${plural(processes.length, 'process', 'processes')}`
                  : plural(processes.length, 'process', 'processes')}
            </span>
            {hasNextPage && <span className="text-faint">· others load as you scroll</span>}
          </p>
          {chosen.size > 0 && (
            <section
              aria-label="Chosen processes"
              className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line bg-selected px-4 py-1.5"
            >
              <span className="tabular">{plural(chosen.size, 'process', 'processes')} chosen</span>
              {props.actions([...chosen.values()], () => setChosen(new Map()))}
              <Button look="ghost" onClick={() => setChosen(new Map())}>
                Choose none
              </Button>
            </section>
          )}
          <ProcessTable
            processes={processes}
            filter={filter}
            onSort={(sort) => change({ ...(q === undefined ? {} : { q }), ...sortedBy(search, sort) })}
            hasMore={hasNextPage}
            isOld={query.isPlaceholderData}
            loadingMore={query.isFetchingNextPage}
            problemWithMore={query.isFetchNextPageError ? query.error : null}
            onMore={more}
            chosen={chosen}
            onChoose={choose}
            handle={table}
          />
        </div>
      )}
    </>
  );
}

/** A process that was active meanwhile may come on two pages. */
function unique(processes: readonly Process[]): Process[] {
  const seen = new Set<string>();
  return processes.filter(({ process_id }) => !seen.has(process_id) && seen.add(process_id));
}

function Nothing(props: {
  q: string | undefined;
  range: TimeRange;
  setRange: (range: TimeRange) => void;
  clear: () => void;
}) {
  const { q, range, setRange } = props;
  const [zone] = useZone();
  const wider = range.kind === 'last' ? PRESETS.find(({ length }) => length > range.length) : undefined;
  return (
    <EmptyState
      icon="processes"
      title={q === undefined ? 'No process was active in this time' : 'No process matches'}
      actions={
        <>
          {q !== undefined && <Button onClick={props.clear}>Clear the search</Button>}
          {wider !== undefined && (
            <Button icon="clock" onClick={() => setRange({ kind: 'last', length: wider.length })}>
              {wider.label}
            </Button>
          )}
        </>
      }
    >
      A process is listed when it sent something. Time range: {describeRange(range, zone)}.
    </EmptyState>
  );
}
