import { queryOptions } from '@tanstack/react-query';
import { type Duration, duration, type Nanos, nanos } from '@/base/nanos';
import type { TimeRange } from '@/base/time-range';
import type { KeyValue } from '@/base/values';
import { get, keyOf, rangeParameters } from './client';
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
  series: { attributes: readonly KeyValue[]; points: { time: Nanos; values: (number | null)[] }[] }[];
  /** Series that are not here. */
  hidden: number;
}

export function processMetricsQuery(processId: string, range: TimeRange | null) {
  return queryOptions({
    queryKey: ['process', processId, 'metrics', range === null ? null : keyOf(range)],
    queryFn: async ({ signal }): Promise<MetricList> => {
      const path = `/api/process/${encodeURIComponent(processId)}/metrics`;
      const answer = await get<wire.MetricList>(path, range === null ? [] : rangeParameters(range), signal);
      return {
        metrics: answer.metrics.map(({ point_count, start_time, first_time, last_time, ...metric }) => ({
          ...metric,
          pointCount: BigInt(point_count),
          startTime: start_time === undefined ? null : nanos(start_time),
          firstTime: nanos(first_time),
          lastTime: nanos(last_time),
        })),
        hidden: answer.hidden_metric_count,
      };
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
      const answer = await get<wire.MetricSeriesList>(
        '/api/metrics/series',
        [
          ['name', name],
          ['kind', kind],
          ['process', process],
          ['from', range.from.toString()],
          ['to', range.to.toString()],
          ['points', String(points)],
        ],
        signal,
      );
      return {
        step: duration(answer.step_ns),
        columns: answer.columns,
        series: answer.series.map(({ attributes, points }) => ({
          attributes,
          points: points.map(({ time, values }) => ({
            time: nanos(time),
            values: values.map((value) => value ?? null),
          })),
        })),
        hidden: answer.hidden_series_count,
      };
    },
  });
}
