import { queryOptions } from '@tanstack/react-query';
import { type Duration, duration, type Nanos, nanos, now } from '@/base/nanos';
import { resolveRange, type TimeRange } from '@/base/time-range';
import type { KeyValue } from '@/base/values';
import { get, keyOf, type Parameters, rangeParameters } from './client';
import type * as wire from './wire';

/** What is known of a metric. */
export interface Metric {
  name: string;
  unit: string;
  description: string;
  kind: string;
  pointCount: bigint;
  /** When its first interval began; `null` when not said. */
  startTime: Nanos | null;
  firstTime: Nanos;
  lastTime: Nanos;
}

/** The metrics of a process, by name. */
export interface MetricList {
  metrics: Metric[];
  hidden: number;
}

/** Values of a metric over time. */
export interface MetricSeries {
  /** How much time a value stands for. */
  step: Duration;
  /** What each value of a point is, such as `value`, `rate` (per second), or `p99`. */
  columns: string[];
  series: {
    attributes: readonly KeyValue[];
    /** Who sent it; `null` where series are put together. */
    processId: string | null;
    /** Instrumentation scope; empty when not said. */
    scope: string;
    /** How many series were put together. */
    count: number;
    points: { time: Nanos; values: (number | null)[] }[];
  }[];
  /** Series that are not here. */
  hidden: number;
}

export function processMetricsQuery(processId: string, range: TimeRange | null) {
  return queryOptions({
    queryKey: ['process', processId, 'metrics', range === null ? null : keyOf(range)],
    queryFn: async ({ signal }): Promise<MetricList> => {
      const path = `/api/process/${encodeURIComponent(processId)}/metrics`;
      const parameters = range === null ? [] : rangeParameters(range);
      return reviveList(await get<wire.MetricList>(path, parameters, signal));
    },
  });
}

/** The metrics that have points in a time, by name. */
export function metricsQuery(range: TimeRange) {
  return queryOptions({
    queryKey: ['metrics', 'list', keyOf(range)],
    queryFn: async ({ signal }) =>
      reviveList(await get<wire.MetricList>('/api/metrics', rangeParameters(range), signal)),
  });
}

function reviveList({ metrics, hidden_metric_count }: wire.MetricList): MetricList {
  return {
    metrics: metrics.map(({ point_count, start_time, first_time, last_time, ...metric }) => ({
      ...metric,
      pointCount: BigInt(point_count),
      startTime: start_time === undefined ? null : nanos(start_time),
      firstTime: nanos(first_time),
      lastTime: nanos(last_time),
    })),
    hidden: hidden_metric_count,
  };
}

/** Which points of metrics are meant. */
export interface MetricFilter {
  name: string;
  kind?: string;
  service?: string;
  attributes: readonly { key: string; value: string }[];
}

/** How series are put together. */
export interface Together {
  /** `null`: not at all. */
  aggregate: 'sum' | 'average' | 'min' | 'max' | null;
  by: readonly string[];
  percentiles: readonly string[];
}

function filterParameters({ name, kind, service, attributes }: MetricFilter): Parameters {
  return [
    ['name', name],
    ['kind', kind],
    ['service', service],
    ...attributes.map(({ key, value }) => [`attr.${key}`, value] as const),
  ];
}

/** What tells the series of a metric apart. */
export interface MetricAttributes {
  keys: readonly { key: string; values: readonly { value: string; series: number }[]; hidden: number }[];
  seriesCount: number;
  isComplete: boolean;
}

export function metricAttributesQuery(filter: MetricFilter, range: TimeRange) {
  return queryOptions({
    queryKey: ['metrics', 'attributes', keyOf(filter), keyOf(range)],
    queryFn: async ({ signal }): Promise<MetricAttributes> => {
      const parameters = [...filterParameters(filter), ...rangeParameters(range)];
      const answer = await get<wire.MetricAttributeList>('/api/metrics/attributes', parameters, signal);
      return {
        keys: answer.attributes.map(({ key, values, hidden_value_count }) => ({
          key,
          values: values.map(({ value, series_count }) => ({ value, series: series_count })),
          hidden: hidden_value_count,
        })),
        seriesCount: answer.series_count,
        isComplete: answer.is_complete,
      };
    },
    staleTime: 15_000,
  });
}

/** The values of a metric of whoever sent it: about as many as `points`. */
export function exploredSeriesQuery(
  filter: MetricFilter,
  { aggregate, by, percentiles }: Together,
  range: TimeRange,
  points: number,
) {
  return queryOptions({
    queryKey: [
      'metrics',
      'series',
      keyOf(filter),
      aggregate,
      keyOf(by),
      keyOf(percentiles),
      keyOf(range),
      points,
    ],
    queryFn: async ({ signal }): Promise<MetricSeries & { from: Nanos; to: Nanos }> => {
      const { from, to } = resolveRange(range);
      const parameters: Parameters = [
        ...filterParameters(filter),
        ['aggregate', aggregate ?? undefined],
        ['by', aggregate === null || by.length === 0 ? undefined : by.join(',')],
        ['percentiles', percentiles.length === 0 ? undefined : percentiles.join(',')],
        ['points', String(points)],
        ['series', '50'],
        ...rangeParameters(range),
      ];
      const answer = await get<wire.MetricSeriesList>('/api/metrics/series', parameters, signal);
      return { ...reviveSeries(answer), from, to: to ?? now() };
    },
  });
}

/** An observation behind a metric, and the span in which it was made. */
export interface Exemplar {
  time: Nanos;
  value: number;
  traceId: string;
  spanId: string | null;
  service: string;
}

/** Observations behind a metric, the greatest of each part of the time. */
export function exemplarsQuery(filter: MetricFilter, range: TimeRange) {
  return queryOptions({
    queryKey: ['metrics', 'exemplars', keyOf(filter), keyOf(range)],
    queryFn: async ({ signal }): Promise<Exemplar[]> => {
      const parameters = [...filterParameters(filter), ...rangeParameters(range)];
      const answer = await get<wire.MetricExemplarList>('/api/metrics/exemplars', parameters, signal);
      return answer.exemplars.map(({ time, value, trace_id, span_id, service_name }) => ({
        time: nanos(time),
        value,
        traceId: trace_id,
        spanId: span_id ?? null,
        service: service_name,
      }));
    },
  });
}

/** The values of a metric of a process: about as many as `points`. */
export function metricSeriesQuery(
  { name, kind }: Metric,
  process: string,
  range: { from: Nanos; to: Nanos },
  points: number,
) {
  return queryOptions({
    queryKey: ['process', process, 'metrics', name, kind, keyOf(range), points],
    queryFn: async ({ signal }): Promise<MetricSeries> => {
      const parameters: Parameters = [
        ['name', name],
        ['kind', kind],
        ['process', process],
        ['from', range.from.toString()],
        ['to', range.to.toString()],
        ['points', String(points)],
      ];
      return reviveSeries(await get<wire.MetricSeriesList>('/api/metrics/series', parameters, signal));
    },
  });
}

function reviveSeries(answer: wire.MetricSeriesList): MetricSeries {
  return {
    step: duration(answer.step_ns),
    columns: answer.columns,
    series: answer.series.map(({ attributes, process_id, scope_name, series_count, points }) => ({
      attributes,
      processId: process_id ?? null,
      scope: scope_name,
      count: series_count,
      points: points.map(({ time, values }) => ({
        time: nanos(time),
        values: values.map((value) => value ?? null),
      })),
    })),
    hidden: answer.hidden_series_count,
  };
}
