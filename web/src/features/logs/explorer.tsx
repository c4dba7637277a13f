import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { LOGS_FOLLOWED, logHistogramQuery, logsQuery, newestLogsQuery, refreshLogs } from '@/api/logs';
import { LOG_LIMITS, type LogSearch, levelsOf } from '@/base/log-search';
import { after, type Duration, type Nanos, now } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import { LEVELS } from '@/base/severity';
import { resolveRange, type TimeRange } from '@/base/time-range';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { useHotkeys } from '@/ui/hotkeys';
import { Icon } from '@/ui/icons';
import { useRefreshInterval } from '@/ui/refresh-control';
import { SearchBox } from '@/ui/search-box';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui/states';
import { noteError } from '@/ui/toasts';
import { Columns } from './columns';
import { filterOf } from './filter';
import { Histogram } from './histogram';
import { Levels } from './levels';
import { LogList, type LogListHandle } from './list';

const BUCKETS = 100;
/** Pages that refresh by themselves; a longer list stays as it is until it is asked. */
const MOST_PAGES_REFRESHED = 3;

export type Change = (change: { [Name in keyof LogSearch]?: LogSearch[Name] | undefined }) => void;

/** Log records of everything or of a process: searched, counted over time, followed. */
export function LogExplorer(props: {
  search: LogSearch;
  change: Change;
  /** `null` for all time. */
  range: TimeRange | null;
  setRange: (range: TimeRange | null) => void;
  /** Only what this process wrote. */
  process?: string;
  /** More conditions, such as the service. */
  children?: ReactNode;
}) {
  const { search, change, range, setRange, process } = props;
  const client = useQueryClient();
  const interval = useRefreshInterval();
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<LogListHandle>(null);
  const [isLive, setLive] = useState(false);
  const filter = useMemo(() => filterOf(search, process), [search, process]);
  const levels = levelsOf(search.level);
  const most = search.most === undefined ? null : Number(search.most);
  // What has ended does not go on.
  const canFollow = range?.kind !== 'absolute';
  const follows = isLive && canFollow;

  const pages = useInfiniteQuery({
    ...logsQuery(filter, range, search.order ?? 'desc', most),
    placeholderData: keepPreviousData,
    enabled: !follows,
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) <= MOST_PAGES_REFRESHED ? interval : false,
  });
  const newest = useQuery({
    ...newestLogsQuery(filter, range),
    enabled: follows,
    placeholderData: keepPreviousData,
  });
  const histogram = useQuery({
    ...logHistogramQuery(filter, range, BUCKETS),
    placeholderData: keepPreviousData,
    refetchInterval: follows ? 2_000 : interval,
  });
  const query = follows ? newest : pages;
  const loaded = useMemo(() => pages.data?.pages.flatMap(({ logs }) => logs), [pages.data]);
  // What is there stays until the others have come.
  const records = follows ? (newest.data?.logs ?? loaded) : loaded;
  const { fetchNextPage } = pages;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const isStale = query.error !== null && records !== undefined && !pages.isFetchNextPageError;
  useEffect(() => {
    if (isStale) noteError('The list could not be refreshed', query.error?.message);
  }, [isStale, query.error]);
  const isCountOld = histogram.isError && histogram.data !== undefined;
  useEffect(() => {
    if (isCountOld) noteError('The records could not be counted again', histogram.error?.message);
  }, [isCountOld, histogram.error]);
  const isOld = query.isPlaceholderData;
  // The time that the histogram shows: what was asked for when it was answered, or what there is.
  const shownRange = useMemo(
    () => rangeOf(range, histogram.data?.buckets.map(({ time }) => time) ?? [], histogram.data?.step ?? null),
    [range, histogram.data],
  );
  const total = LEVELS.filter((level) => levels === null || levels.includes(level)).reduce(
    (sum, level) => sum + (histogram.data?.levels[level] ?? 0),
    0,
  );

  const refresh = () => void refreshLogs(client);
  const toggleLive = () => {
    if (!canFollow) return;
    setLive(!isLive);
    if (isLive) refresh();
  };
  useHotkeys('Logs', [
    { keys: ['/'], label: 'Search', run: () => input.current?.focus() },
    {
      keys: ['j', 'ArrowDown'],
      shown: ['j', 'ArrowDown'],
      label: 'Next record',
      run: () => list.current?.move(1),
    },
    {
      keys: ['k', 'ArrowUp'],
      shown: ['k', 'ArrowUp'],
      label: 'Record before',
      run: () => list.current?.move(-1),
    },
    { keys: ['o'], label: 'Open or close the record', run: () => list.current?.toggle() },
    { keys: ['l'], label: 'Follow what comes', run: toggleLive },
    // The page of a process has this key for all of it.
    ...(process === undefined ? [{ keys: ['r'], label: 'Refresh', run: refresh }] : []),
  ]);

  const find = (text: string) => change({ q: text === '' ? undefined : text });
  return (
    <>
      <div className="shrink-0 space-y-2 border-b border-line bg-surface px-4 py-2.5">
        <div className="flex flex-wrap items-center gap-2">
          <div className="min-w-52 flex-1">
            <SearchBox
              label="Search log records"
              placeholder="Text in the message, the event or the attributes"
              text={search.q ?? ''}
              find={find}
              input={input}
            />
          </div>
          {props.children}
          <button
            type="button"
            aria-pressed={follows}
            disabled={!canFollow}
            title={canFollow ? 'Shows what comes, as it comes (l)' : 'The time range has an end'}
            onClick={toggleLive}
            className={classes(
              'inline-flex h-8 items-center gap-1.5 rounded-md border px-2.5 disabled:opacity-45',
              follows
                ? 'border-ok bg-selected text-text'
                : 'border-line-strong bg-surface text-muted hover:bg-hover',
            )}
          >
            <span
              aria-hidden="true"
              className={classes('size-2 rounded-full', follows ? 'bg-ok' : 'bg-line-strong')}
            />
            Live
          </button>
          <Button
            disabled={follows}
            onClick={() => change({ order: search.order === 'asc' ? undefined : 'asc' })}
          >
            {search.order === 'asc' && !follows ? 'Oldest first' : 'Newest first'}
          </Button>
          <Columns
            records={records ?? []}
            columns={search.column ?? []}
            onChange={(columns) => change({ column: columns.length === 0 ? undefined : [...columns] })}
          />
        </div>
        <div className="flex flex-wrap items-center justify-between gap-2">
          <Levels
            counts={histogram.data?.levels}
            chosen={levels}
            onChange={(chosen) => change({ level: chosen === null ? undefined : chosen.join(',') })}
          />
          <label className="flex items-center gap-1.5 text-xs text-muted">
            Show
            <select
              value={search.most ?? 'all'}
              disabled={follows}
              onChange={({ target }) => change({ most: target.value === 'all' ? undefined : target.value })}
              className="field h-7 py-0 text-xs"
            >
              {LOG_LIMITS.map((limit) => (
                <option key={limit} value={limit}>
                  {limit}
                </option>
              ))}
              <option value="all">all, as one scrolls</option>
            </select>
          </label>
        </div>
        {(search.attr ?? []).length > 0 && (
          <ul aria-label="Conditions" className="flex flex-wrap gap-1.5">
            {search.attr?.map((text) => (
              <li key={text}>
                <button
                  type="button"
                  aria-label={`Remove ${text}`}
                  onClick={() => {
                    const rest = search.attr?.filter((other) => other !== text) ?? [];
                    change({ attr: rest.length === 0 ? undefined : rest });
                  }}
                  className="inline-flex h-6 max-w-96 items-center gap-1 rounded border border-accent bg-selected px-2 text-xs hover:bg-hover"
                >
                  <span className="truncate">{text}</span>
                  <Icon name="close" size={12} className="text-faint" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      {histogram.isError && histogram.data === undefined ? (
        <p
          role="alert"
          className="flex shrink-0 items-center gap-3 border-b border-line px-4 py-2 text-error"
        >
          The records could not be counted: {histogram.error.message}
          <Button onClick={() => void histogram.refetch()}>Try again</Button>
        </p>
      ) : histogram.data === undefined || shownRange === null ? (
        <div className="h-[97px] shrink-0 border-b border-line bg-surface" />
      ) : (
        <Histogram
          histogram={histogram.data}
          levels={levels}
          from={shownRange.from}
          to={shownRange.to}
          onSelect={(from, to) => {
            setLive(false);
            setRange({ kind: 'absolute', from, to: to > from ? to : after(from, 1n as Duration) });
          }}
        />
      )}
      {records === undefined ? (
        query.isError ? (
          <ErrorState
            title="The log records could not be loaded"
            error={query.error}
            retry={() => void query.refetch()}
          />
        ) : (
          <div role="status" aria-label="Loading log records" className="min-h-0 flex-1 overflow-hidden">
            <SkeletonRows rows={20} height={25} />
          </div>
        )
      ) : records.length === 0 && !isOld ? (
        <EmptyState
          title={
            hasCondition(search)
              ? 'No log record matches'
              : range === null
                ? 'There are no log records'
                : 'There are no log records in this time'
          }
          actions={
            <>
              {range?.kind === 'absolute' && process !== undefined && (
                <Button onClick={() => setRange(null)}>All of the time</Button>
              )}
              {hasCondition(search) && (
                <Button
                  onClick={() =>
                    change({ q: undefined, level: undefined, service: undefined, attr: undefined })
                  }
                >
                  Clear the search
                </Button>
              )}
            </>
          }
        >
          {follows
            ? 'Whatever comes appears here at once.'
            : range === null
              ? 'This process has written none that is known.'
              : 'Another time may have some.'}
        </EmptyState>
      ) : (
        <div className={classes('flex min-h-0 flex-1 flex-col transition-opacity', isOld && 'opacity-50')}>
          <p
            role="status"
            className="tabular flex h-8 shrink-0 items-center gap-1.5 border-b border-line px-4 text-xs text-muted"
          >
            {isOld
              ? 'Searching…'
              : told(records.length, histogram.data === undefined ? null : total, follows, pages.hasNextPage)}
            {range?.kind === 'absolute' && process !== undefined && (
              <Button look="ghost" small onClick={() => setRange(null)}>
                All of the time
              </Button>
            )}
            {(search.column ?? []).length > 0 && (
              <span className="ml-auto truncate text-faint">Columns: {search.column?.join(', ')}</span>
            )}
          </p>
          <LogList
            // Other records begin at the top.
            key={JSON.stringify({ ...search, column: undefined })}
            records={records}
            isOfProcess={process !== undefined}
            columns={search.column ?? []}
            hasMore={!follows && pages.hasNextPage && !isOld}
            loadingMore={pages.isFetchingNextPage}
            problemWithMore={pages.isFetchNextPageError ? pages.error : null}
            onMore={more}
            handle={list}
          />
        </div>
      )}
    </>
  );
}

/** How many records there are; `total` is `null` until they are counted. */
function told(loaded: number, total: number | null, follows: boolean, hasMore: boolean): string {
  const all = total === null || total <= loaded ? null : plural(total, 'record');
  if (follows) {
    return loaded < LOGS_FOLLOWED || all === null
      ? `${plural(loaded, 'record')}, followed live`
      : `The newest ${formatCount(loaded)} of ${all}, followed live`;
  }
  const shown = all === null ? plural(loaded, 'record') : `${formatCount(loaded)} of ${all}`;
  return hasMore ? `${shown} · others load as you scroll` : shown;
}

function hasCondition({ q, level, service, attr }: LogSearch): boolean {
  return q !== undefined || level !== undefined || service !== undefined || attr !== undefined;
}

/** The time that is drawn. */
function rangeOf(
  range: TimeRange | null,
  times: readonly Nanos[],
  step: Duration | null,
): { from: Nanos; to: Nanos } | null {
  if (range !== null) {
    const { from, to } = resolveRange(range);
    return { from, to: to ?? now() };
  }
  const [first, last] = [times[0], times.at(-1)];
  return first === undefined || last === undefined || step === null
    ? null
    : { from: first, to: after(last, step) };
}
