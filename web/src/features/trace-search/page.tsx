import {
  keepPreviousData,
  useInfiniteQuery,
  useIsFetching,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ValueDifference } from '@/api/spread';
import { newestTraceQuery, type TraceSummary, tracesQuery } from '@/api/traces';
import { type Duration, MINUTE, maxOf, type Nanos, now } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import { describeRange, PRESETS, rangeToSearch, type TimeRange } from '@/base/time-range';
import { formatAge } from '@/base/times';
import {
  attributeText,
  readSelection,
  SPAN_KINDS,
  type SpanSelection,
  selectionText,
  type TraceSearch,
} from '@/base/trace-search';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { useHotkeys } from '@/ui/hotkeys';
import { rememberTraceSearch } from '@/ui/last-search';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { RefreshControl, useRefreshInterval } from '@/ui/refresh-control';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui/states';
import { useTimeRange } from '@/ui/time-range';
import { TimeRangePicker } from '@/ui/time-range-picker';
import { useTitle } from '@/ui/title';
import { noteError } from '@/ui/toasts';
import { Chart } from './chart';
import { Differences } from './differences';
import { Filters, type Narrow } from './filters';
import { Onboarding } from './onboarding';
import { Results, type ResultsHandle } from './results';
import { Scatter, type Selection } from './scatter';
import { boundText, countedFilter, hasFilter, isWithin, listFilter, traceBounds } from './search';

/** Pages that refresh by themselves; a longer list stays as it is until it is asked. */
const MOST_PAGES_REFRESHED = 5;
/** Pages looked through for traces of the wanted duration before the person is asked. */
const MOST_PAGES_SEARCHED = 10;

/** Search of traces: conditions, durations over time, and the list. */
export function TraceSearchPage({ search }: { search: TraceSearch }) {
  const [range, setRange] = useTimeRange();
  const navigate = useNavigate();
  const client = useQueryClient();
  const interval = useRefreshInterval();
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<ResultsHandle>(null);
  const [highlighted, setHighlighted] = useState<string | null>(null);

  useTitle(search.service === undefined ? 'Traces' : `Traces of ${search.service}`);
  useEffect(() => rememberTraceSearch(search), [search]);

  const counted = useMemo(() => countedFilter(search), [search]);
  const filter = useMemo(() => listFilter(search), [search]);
  const part = useMemo(() => readSelection(search.sel), [search.sel]);
  const selection = search.sel === 'errors' ? 'errors' : part;
  const listed: TimeRange = useMemo(
    () => (part === null ? range : { kind: 'absolute', from: part.from, to: part.to }),
    [part, range],
  );
  const bounds = useMemo(() => traceBounds(search), [search]);
  const query = useInfiniteQuery({
    ...tracesQuery(filter, listed),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) <= MOST_PAGES_REFRESHED ? interval : false,
  });
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  const pages = query.data?.pages;
  const loaded = useMemo(() => unique(pages?.flatMap((page) => page.traces) ?? []), [pages]);
  const traces = useMemo(() => loaded.filter(({ duration }) => isWithin(duration, bounds)), [loaded, bounds]);
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const busy = useIsFetching({ queryKey: ['traces'] }) > 0;

  // When what is loaded holds few traces of the wanted duration, look further.
  const looksFurther =
    hasNextPage &&
    traces.length < 50 &&
    loaded.length > traces.length &&
    (pages?.length ?? 0) < MOST_PAGES_SEARCHED;
  useEffect(() => {
    if (looksFurther && !isFetchingNextPage && !query.isFetchNextPageError) more();
  }, [looksFurther, isFetchingNextPage, query.isFetchNextPageError, more]);

  // A failed refresh leaves the list standing; it is told beside it.
  const { error } = query;
  const isStale = error !== null && pages !== undefined && !query.isFetchNextPageError;
  useEffect(() => {
    if (isStale) noteError('The list could not be refreshed', error.message);
  }, [isStale, error]);

  const narrow: Narrow = useCallback(
    (change) => void navigate({ to: '/traces', search: (previous) => tidy({ ...previous, ...change }) }),
    [navigate],
  );
  const clear = () => void navigate({ to: '/traces', search: ({ from, to }) => tidy({ from, to }) });
  const open = (traceId: string) => void navigate({ to: '/traces/$traceId', params: { traceId } });
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ['traces'] });
    void client.invalidateQueries({ queryKey: ['services'] });
  };
  /** Selects spans. A part of the picture stays the same part: the time is fixed with it. */
  const selectSpans = (next: SpanSelection | 'errors' | null, shown?: { from: Nanos; to: Nanos }) => {
    if (next === null || next === 'errors' || shown === undefined)
      return narrow({ sel: next === null ? undefined : next === 'errors' ? next : selectionText(next) });
    const part = { ...next, from: maxOf(next.from, shown.from), to: next.to < shown.to ? next.to : shown.to };
    void navigate({
      to: '/traces',
      search: (previous) =>
        tidy({
          ...previous,
          ...rangeToSearch({ kind: 'absolute', ...shown }),
          sel: selectionText(part),
        }),
    });
  };
  /** Another time has other spans: a part of the picture that was selected is no part of it. */
  const changeRange = (next: TimeRange) => {
    if (part === null) return setRange(next);
    void navigate({
      to: '/traces',
      search: (previous) =>
        tidy({ ...previous, from: undefined, to: undefined, ...rangeToSearch(next), sel: undefined }),
    });
  };
  /** Makes the selection a condition. */
  const keep = () => {
    const root = counted.rootsOnly === true ? 'true' : undefined;
    if (part === null) return narrow({ sel: undefined, error: 'true', root });
    void navigate({
      to: '/traces',
      search: (previous) =>
        tidy({
          ...previous,
          ...rangeToSearch({ kind: 'absolute', from: part.from, to: part.to }),
          sel: undefined,
          root,
          min: boundText(filter.minDuration ?? null),
          max: boundText(filter.maxDuration ?? null),
        }),
    });
  };
  /** Looks for spans that have a value. */
  const choose = ({ place, key, value }: ValueDifference) => {
    const change: Parameters<Narrow>[0] =
      place !== 'field' && !key.includes('=')
        ? { attr: [...new Set([...(search.attr ?? []), attributeText(key, value)])] }
        : key === 'service' || key === 'operation'
          ? { [key]: value }
          : key === 'kind'
            ? { kind: SPAN_KINDS.find((kind) => kind === value.toLowerCase()) }
            : key === 'status'
              ? { error: 'true' }
              : { text: [search.text, value].filter(Boolean).join(' ') };
    narrow({ ...change, sel: undefined, ...(counted.rootsOnly === true ? { root: 'true' } : {}) });
  };
  const select = (selection: Selection) => {
    const from = selection.from;
    // A drag of one pixel still covers some time.
    const to = maxOf(selection.to, (from + 1n) as Nanos);
    void navigate({
      to: '/traces',
      search: (previous) => ({
        ...previous,
        ...rangeToSearch({ kind: 'absolute', from, to }),
        tmin: boundText(selection.min),
        tmax: boundText(selection.max),
      }),
    });
  };

  useHotkeys('Traces', [
    { keys: ['/'], label: 'Search', run: () => input.current?.focus() },
    {
      keys: ['j', 'ArrowDown'],
      shown: ['j', 'ArrowDown'],
      label: 'Next trace',
      run: () => list.current?.move(1),
    },
    {
      keys: ['k', 'ArrowUp'],
      shown: ['k', 'ArrowUp'],
      label: 'Previous trace',
      run: () => list.current?.move(-1),
    },
    { keys: ['Enter'], label: 'Open the trace', run: () => false },
    { keys: ['r'], label: 'Refresh', run: refresh },
    {
      keys: ['e'],
      label: 'Errors only',
      run: () => narrow({ error: search.error === 'true' ? undefined : 'true' }),
    },
    {
      keys: ['Escape'],
      label: 'Clear the selection',
      run: () => (search.sel === undefined ? false : selectSpans(null)),
    },
  ]);

  const latest = pages?.[0];
  return (
    <>
      <PageHeader title={<h1 className="text-[0.9375rem] font-semibold tracking-tight">Traces</h1>}>
        <TimeRangePicker range={range} onChange={changeRange} />
        <RefreshControl busy={busy} onRefresh={refresh} />
      </PageHeader>
      <Filters search={search} range={range} narrow={narrow} clear={clear} input={input} />
      {pages === undefined || latest === undefined ? (
        query.isError ? (
          <ErrorState
            title="The traces could not be loaded"
            error={query.error}
            retry={() => void query.refetch()}
          />
        ) : (
          <Loading />
        )
      ) : traces.length === 0 && selection === null && !looksFurther && !query.isPlaceholderData ? (
        <Nothing search={search} range={range} setRange={setRange} clear={clear} />
      ) : (
        <div className="@container flex min-h-0 flex-1 flex-col">
          <Chart
            filter={counted}
            range={range}
            refetchInterval={interval}
            isOfTraces={search.chart === 'traces'}
            onOfTraces={(ofTraces) =>
              narrow(
                ofTraces
                  ? { chart: 'traces', sel: undefined }
                  : { chart: undefined, tmin: undefined, tmax: undefined },
              )
            }
            selection={selection}
            onSelect={selectSpans}
          >
            <Scatter
              traces={traces}
              from={latest.from}
              to={latest.to}
              loadedFrom={hasNextPage ? (loaded.at(-1)?.start_time ?? null) : null}
              highlighted={highlighted}
              onHighlight={setHighlighted}
              onOpen={open}
              onSelect={select}
            />
          </Chart>
          <div className="flex min-h-0 flex-1 flex-col @4xl:flex-row-reverse">
            {selection !== null && (
              <Differences
                filter={counted}
                range={range}
                selection={selection}
                onChoose={choose}
                onKeep={keep}
                onClose={() => selectSpans(null)}
                className="max-h-[45%] border-b @4xl:max-h-none @4xl:w-[24rem] @4xl:border-b-0 @4xl:border-l"
              />
            )}
            <div
              className={classes(
                'flex min-h-0 min-w-0 flex-1 flex-col transition-opacity',
                query.isPlaceholderData && 'opacity-50',
              )}
            >
              <Summary traces={traces} loaded={loaded.length} hasMore={hasNextPage} />
              <Results
                traces={traces}
                hasMore={hasNextPage}
                loadingMore={isFetchingNextPage}
                problemWithMore={query.isFetchNextPageError ? query.error : null}
                onMore={more}
                highlighted={highlighted}
                onHighlight={setHighlighted}
                handle={list}
              />
            </div>
          </div>
        </div>
      )}
    </>
  );
}

/** Page after page may repeat a trace that has grown meanwhile. */
function unique(traces: readonly TraceSummary[]): TraceSummary[] {
  const seen = new Set<string>();
  return traces.filter(({ trace_id }) => !seen.has(trace_id) && seen.add(trace_id));
}

/** Without what is not set, so that links stay short. */
function tidy<T extends object>(search: T): T {
  const entries = Object.entries(search).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(entries) as T;
}

/** What is on the screen, in words. */
function Summary({
  traces,
  loaded,
  hasMore,
}: {
  traces: readonly TraceSummary[];
  loaded: number;
  hasMore: boolean;
}) {
  const failed = traces.filter(({ error_count }) => error_count > 0).length;
  return (
    <p
      role="status"
      className="tabular flex h-9 shrink-0 items-center gap-1.5 border-b border-line px-4 text-muted"
    >
      <span className="text-text">
        {hasMore ? `Newest ${plural(traces.length, 'trace')}` : plural(traces.length, 'trace')}
      </span>
      {failed > 0 && <span className="text-error">· {formatCount(failed)} with errors</span>}
      {loaded > traces.length && <span>· of {formatCount(loaded)} loaded</span>}
      {hasMore && <span className="text-faint">· older ones load as you scroll</span>}
    </p>
  );
}

/** The page's shape, before there is anything to put in. */
function Loading() {
  return (
    <div role="status" aria-label="Loading traces" className="min-h-0 flex-1 overflow-hidden">
      <div className="h-[168px] border-b border-line bg-surface p-4">
        <div className="skeleton h-full w-full opacity-40" />
      </div>
      <SkeletonRows rows={14} height={40} />
    </div>
  );
}

/** Nothing was found: because nothing was ever sent, nothing lies in the time range, or nothing matches. */
function Nothing(props: {
  search: TraceSearch;
  range: TimeRange;
  setRange: (range: TimeRange) => void;
  clear: () => void;
}) {
  const { range, setRange } = props;
  const [zone] = useZone();
  const client = useQueryClient();
  const newest = useQuery({
    ...newestTraceQuery(),
    refetchInterval: ({ state }) => (state.data == null ? 2_000 : 15_000),
  });
  const trace = newest.data;
  const isFirst = useRef(false);
  useEffect(() => {
    if (trace === null) isFirst.current = true;
    if (trace == null || !isFirst.current) return;
    // The first trace of all has just come.
    isFirst.current = false;
    void client.invalidateQueries({ queryKey: ['traces'] });
    void client.invalidateQueries({ queryKey: ['services'] });
  }, [trace, client]);

  if (newest.isPending) return <Loading />;
  if (trace === null) return <Onboarding />;
  const wider = range.kind === 'last' ? PRESETS.find(({ length }) => length > range.length) : undefined;
  const filtered = hasFilter(props.search);
  return (
    <EmptyState
      title={filtered ? 'No trace matches' : 'No traces in this time'}
      actions={
        <>
          {filtered && <Button onClick={props.clear}>Clear conditions</Button>}
          {wider !== undefined && (
            <Button icon="clock" onClick={() => setRange({ kind: 'last', length: wider.length })}>
              {wider.label}
            </Button>
          )}
          {trace !== undefined && (
            <Button icon="clock" onClick={() => setRange(around(trace.start_time))}>
              Go to the newest trace, {formatAge(trace.start_time, now())}
            </Button>
          )}
        </>
      }
    >
      {filtered
        ? 'A trace is listed when one of its spans meets all conditions. '
        : 'The programs that send here were silent. '}
      Time range: {describeRange(range, zone)}.
    </EmptyState>
  );
}

/** Half an hour that ends shortly after a moment. */
function around(time: Nanos): TimeRange {
  const length = (30n * MINUTE) as Duration;
  return { kind: 'absolute', from: (time - length) as Nanos, to: (time + MINUTE) as Nanos };
}
