import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { type Exemplar, exemplarsQuery, exploredSeriesQuery, metricAttributesQuery } from '@/api/metrics';
import { formatDuration } from '@/base/durations';
import type { Nanos } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import type { TimeRange } from '@/base/time-range';
import { formatExact } from '@/base/times';
import { attributeText, readAttribute } from '@/base/trace-search';
import { Button } from '@/ui/button';
import { Chip } from '@/ui/chip';
import { classes } from '@/ui/classes';
import { Combobox } from '@/ui/combobox';
import { LineChart } from '@/ui/line-chart';
import { LineLegend } from '@/ui/line-legend';
import { useZone } from '@/ui/preferences';
import { ServiceName } from '@/ui/service';
import { noteError } from '@/ui/toasts';
import { columnName, formatsOf, isPercentile, KINDS, linesOf } from './columns';
import { type Aggregate, filterOf, type MetricSearch, togetherOf, usualAggregate } from './search';

const POINTS = 240;
const HEIGHT = 320;
const MOST_NAMED = 50;
/** Examples that are listed below the chart. */
const MOST_LISTED = 50;

const AGGREGATES: readonly (readonly [Aggregate, string])[] = [
  ['sum', 'added up'],
  ['average', 'averaged'],
  ['min', 'the least'],
  ['max', 'the greatest'],
  ['each', 'each by itself'],
];

type Change = (change: { [Name in keyof MetricSearch]?: MetricSearch[Name] | undefined }) => void;

/** A metric: which of its series, how they are put together, the chart, and examples of what was observed. */
export function Explored(props: {
  search: MetricSearch;
  unit: string;
  description: string;
  range: TimeRange;
  interval: number | false;
  change: Change;
  onSelect: (from: Nanos, to: Nanos) => void;
}) {
  const { search, range, interval, change } = props;
  const { name = '', type: kind = '' } = search;
  const [zone] = useZone();
  const navigate = useNavigate();
  const [hidden, hide] = useState(false);
  const filter = useMemo(() => filterOf(search)!, [search]);
  const together = togetherOf(search);
  const live = { placeholderData: keepPreviousData, refetchInterval: interval };
  const query = useQuery({ ...exploredSeriesQuery(filter, together, range, POINTS), ...live });
  const exemplars = useQuery({ ...exemplarsQuery(filter, range), ...live });
  const { data } = query;
  const shown = data === undefined ? undefined : shownColumn(data.columns, data.series.length, search.show);
  const lines = useMemo(
    () => (data === undefined ? [] : linesOf(data, shown, together.aggregate === null ? [] : search.by)),
    [data, shown, together.aggregate, search.by],
  );
  const { format, formatTick } = useMemo(
    () => formatsOf({ kind, unit: props.unit }, shown),
    [kind, props.unit, shown],
  );
  // Single observations are of the unit of what was observed: a rate is of another.
  const isObserved = shown !== 'rate' && !hidden;
  const marks = useMemo(() => (isObserved ? (exemplars.data ?? []) : []), [isObserved, exemplars.data]);
  const open = ({ traceId, spanId }: Exemplar) =>
    void navigate({
      to: '/traces/$traceId',
      params: { traceId },
      search: spanId === null ? {} : { span: spanId },
    });
  const isOld = query.isError && data !== undefined;
  useEffect(() => {
    if (isOld) noteError('The metric could not be loaded again', query.error?.message);
  }, [isOld, query.error]);
  const series = data?.series.reduce((sum, { count }) => sum + count, 0) ?? 0;
  return (
    <div className="min-h-0 flex-1 overflow-auto">
      <header className="px-4 pt-3 pb-2">
        <h2 className="text-base font-semibold wrap-anywhere">{name}</h2>
        <p className="text-muted">
          {KINDS[kind] ?? kind}
          {props.unit !== '' && props.unit !== '1' && ` in ${props.unit}`}
          {props.description !== '' && ` · ${props.description}`}
        </p>
      </header>
      <Controls
        search={search}
        range={range}
        change={change}
        columns={data?.columns ?? []}
        shown={shown}
        canShowAll={data?.series.length === 1 && data.columns.some(isPercentile)}
      />
      <section aria-label={`Chart of ${name}`} className="mx-4 my-3 rounded-lg border border-line bg-surface">
        <div className={classes('px-2 pt-2 transition-opacity', query.isPlaceholderData && 'opacity-50')}>
          {data !== undefined ? (
            <LineChart
              label={`${name}: ${plural(lines.length, 'line')}`}
              lines={lines}
              from={data.from}
              to={data.to}
              step={data.step}
              format={format}
              formatTick={formatTick}
              height={HEIGHT}
              onSelect={props.onSelect}
              marks={marks}
              onMark={(mark) => open(marks[mark]!)}
            />
          ) : query.isError ? (
            <div role="alert" className="flex flex-col items-start gap-2 p-4" style={{ height: HEIGHT }}>
              <p className="wrap-anywhere text-error">{query.error.message}</p>
              <Button icon="refresh" onClick={() => void query.refetch()}>
                Try again
              </Button>
            </div>
          ) : (
            <div className="p-2" style={{ height: HEIGHT }}>
              <div className="skeleton h-full" />
            </div>
          )}
        </div>
        <div className="max-h-64 min-h-10 overflow-auto px-4 pt-1 pb-3">
          <LineLegend isWide label="Lines" lines={lines} format={format} most={MOST_NAMED} />
          {data !== undefined && (
            <p className="tabular mt-1 text-xs text-faint">
              {lines.length === 0 ? 'No point in this time' : plural(series, 'series', 'series')}
              {lines.length > 0 && `, a value for each ${formatDuration(data.step)}`}
              {data.hidden > 0 && ` · ${formatCount(data.hidden)} smaller ones are not drawn`}
            </p>
          )}
        </div>
      </section>
      {exemplars.isError && (
        <p role="alert" className="mx-4 flex items-center gap-3 text-error">
          The examples could not be loaded: {exemplars.error.message}
          <Button small onClick={() => void exemplars.refetch()}>
            Try again
          </Button>
        </p>
      )}
      {exemplars.data !== undefined && exemplars.data.length > 0 && (
        <section aria-label="Examples" className="mx-4 mb-4 rounded-lg border border-line bg-surface">
          <header className="flex items-center gap-3 px-4 py-2">
            <h3 className="font-medium">Examples</h3>
            <p className="min-w-0 flex-1 truncate text-xs text-faint">
              single observations with their traces, the greatest of each part of the time
            </p>
            <label className="inline-flex items-center gap-1.5 text-xs text-muted">
              <input type="checkbox" checked={!hidden} onChange={({ target }) => hide(!target.checked)} />
              in the chart
            </label>
          </header>
          <ul className="tabular max-h-72 overflow-auto border-t border-line">
            {greatest(exemplars.data).map((exemplar) => (
              <li
                key={`${exemplar.traceId} ${exemplar.spanId} ${exemplar.time}`}
                className="border-b border-line last:border-0"
              >
                <Link
                  to="/traces/$traceId"
                  params={{ traceId: exemplar.traceId }}
                  search={exemplar.spanId === null ? {} : { span: exemplar.spanId }}
                  className="flex h-8 items-center gap-4 px-4 -outline-offset-2 hover:bg-hover"
                >
                  <span className="w-24 text-right font-medium">
                    {formatsOf({ kind, unit: props.unit }, 'value').format(exemplar.value)}
                  </span>
                  <span className="text-muted">{formatExact(exemplar.time, zone)}</span>
                  <ServiceName service={exemplar.service} />
                  <span className="ml-auto font-mono text-xs text-accent max-lg:hidden">
                    {exemplar.traceId}
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** Examples that are worth a look first. */
function greatest(exemplars: readonly Exemplar[]): Exemplar[] {
  return [...exemplars].sort((a, b) => b.value - a.value).slice(0, MOST_LISTED);
}

/** The column that every line is of; `undefined` for all percentiles of the only series. */
function shownColumn(
  columns: readonly string[],
  series: number,
  chosen: string | undefined,
): string | undefined {
  if (chosen !== undefined && columns.includes(chosen)) return chosen;
  if (!columns.some(isPercentile)) return columns[0];
  return series === 1 ? undefined : 'p99';
}

function Controls(props: {
  search: MetricSearch;
  range: TimeRange;
  change: Change;
  columns: readonly string[];
  shown: string | undefined;
  /** Whether all percentiles can be shown together: those of one line. */
  canShowAll: boolean;
}) {
  const { search, range, change, columns } = props;
  const { type, by = [], attr = [] } = search;
  const aggregate = search.aggregate ?? usualAggregate(type);
  // All keys, whatever was chosen of them.
  const all = useMemo(
    () => filterOf({ name: search.name ?? '', ...(type === undefined ? {} : { type }) })!,
    [search.name, type],
  );
  const attributes = useQuery({ ...metricAttributesQuery(all, range), placeholderData: keepPreviousData });
  const [key, setKey] = useState<string>();
  const controls = useRef<HTMLDivElement>(null);
  const keys = attributes.data?.keys ?? [];
  const own = keys.filter(({ key }) => !['process_id', 'scope_name', 'service_name'].includes(key));
  const services = keys.find(({ key }) => key === 'service_name');
  const isDistribution = columns.includes('average');
  return (
    <div ref={controls} className="flex flex-wrap items-center gap-2 px-4">
      <Combobox
        label="Service"
        services
        value={search.service}
        options={services?.values.map(({ value }) => value) ?? []}
        loading={attributes.isPending}
        problem={attributes.error?.message}
        onChange={(service) => change({ service })}
        className="max-w-48"
      />
      <Combobox
        label="Where"
        value={key}
        options={own.map(({ key }) => key)}
        loading={attributes.isPending}
        problem={attributes.error?.message}
        onChange={setKey}
        className="max-w-56"
      />
      {key !== undefined && (
        <Combobox
          label="Value"
          value={undefined}
          options={keys.find((known) => known.key === key)?.values.map(({ value }) => value) ?? []}
          onChange={(value) => {
            setKey(undefined);
            controls.current?.querySelector<HTMLElement>('button')?.focus();
            if (value === undefined) return;
            const others = attr.filter((text) => readAttribute(text)?.key !== key);
            change({ attr: [...others, attributeText(key, value)] });
          }}
        />
      )}
      {!isDistribution && (
        <label className="inline-flex items-center gap-2 text-muted">
          Series
          <select
            value={aggregate}
            onChange={({ target }) => {
              const next = target.value as Aggregate;
              change({
                aggregate: next === usualAggregate(type) ? undefined : next,
                ...(next === 'each' ? { by: undefined } : {}),
              });
            }}
            className="field py-0"
          >
            {AGGREGATES.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      )}
      {aggregate !== 'each' && (
        <Combobox
          label="Group by"
          value={undefined}
          options={keys.filter(({ key }) => !by.includes(key)).map(({ key }) => key)}
          loading={attributes.isPending}
          problem={attributes.error?.message}
          onChange={(key) => key !== undefined && change({ by: [...by, key] })}
        />
      )}
      {columns.length > 1 && (
        <label className="inline-flex items-center gap-2 text-muted">
          Show
          <select
            value={props.shown ?? 'percentiles'}
            onChange={({ target }) =>
              change({ show: target.value === 'percentiles' ? undefined : target.value })
            }
            className="field py-0"
          >
            {props.canShowAll && <option value="percentiles">All percentiles</option>}
            {[...new Set([...columns, 'p75', 'p95', 'p99.9'])]
              .filter((column) => columns.includes('p99') || !isPercentile(column))
              .map((column) => (
                <option key={column} value={column}>
                  {columnName(column)}
                </option>
              ))}
          </select>
        </label>
      )}
      {(attr.length > 0 || by.length > 0) && (
        <ul aria-label="Conditions" className="flex w-full flex-wrap gap-1.5">
          {attr.map((text) => {
            const { key, value } = readAttribute(text)!;
            return (
              <Chip
                key={text}
                label={`${key} = ${value}`}
                onRemove={() => {
                  const rest = attr.filter((other) => other !== text);
                  change({ attr: rest.length === 0 ? undefined : rest });
                }}
              >
                <span className="text-muted">{key}</span>
                <span className="text-faint">=</span>
                <span className="truncate">{value === '' ? '""' : value}</span>
              </Chip>
            );
          })}
          {by.map((key) => (
            <Chip
              key={key}
              label={`by ${key}`}
              onRemove={() => {
                const rest = by.filter((other) => other !== key);
                change({ by: rest.length === 0 ? undefined : rest });
              }}
            >
              <span className="text-faint">by</span>
              <span className="truncate">{key}</span>
            </Chip>
          ))}
        </ul>
      )}
    </div>
  );
}
