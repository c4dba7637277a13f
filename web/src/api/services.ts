import { queryOptions } from '@tanstack/react-query';
import { type Duration, duration, type Nanos, nanos, now } from '@/base/nanos';
import { resolveRange, type TimeRange } from '@/base/time-range';
import { get, keyOf, rangeParameters } from './client';
import { filterParameters, type TraceFilter } from './traces';
import type * as wire from './wire';

/** Names of the services that were active in the time asked for, in alphabetical order. */
export function servicesQuery(range: TimeRange) {
  return queryOptions({
    queryKey: ['services', keyOf(range)],
    queryFn: async ({ signal }): Promise<string[]> => {
      const answer = await get<wire.ServiceList>('/api/services', rangeParameters(range), signal);
      return namesOf(answer.services);
    },
    staleTime: 15_000,
  });
}

/** Names of a service's operations in the time asked for, in alphabetical order. */
export function operationsQuery(service: string, range: TimeRange) {
  return queryOptions({
    queryKey: ['services', service, 'operations', keyOf(range)],
    queryFn: async ({ signal }): Promise<string[]> => {
      const path = `/api/services/${encodeURIComponent(service)}/operations`;
      const answer = await get<wire.OperationList>(path, rangeParameters(range), signal);
      return namesOf(answer.operations);
    },
    staleTime: 15_000,
  });
}

/** How many calls, how many of them failed, and how long they took; `null` when none has ended. */
export interface CallFigures {
  count: number;
  errors: number;
  p50: Duration | null;
  p95: Duration | null;
  p99: Duration | null;
}

export interface ServiceNode {
  kind: 'service' | 'database' | 'messaging' | 'peer';
  name: string;
  requests: CallFigures;
}

export interface ServiceEdge {
  /** Positions of the nodes. */
  from: number;
  to: number;
  calls: CallFigures;
}

export interface ServiceMap {
  from: Nanos;
  to: Nanos;
  nodes: readonly ServiceNode[];
  edges: readonly ServiceEdge[];
}

/** The services of the spans that match, and the calls between them. */
export function serviceMapQuery(filter: TraceFilter, range: TimeRange) {
  return queryOptions({
    queryKey: ['services', 'map', keyOf(filter), keyOf(range)],
    queryFn: async ({ signal }): Promise<ServiceMap> => {
      const { from, to } = resolveRange(range);
      const map = await get<wire.ServiceMap>(
        '/api/services/map',
        [...filterParameters(filter), ...rangeParameters(range)],
        signal,
      );
      return {
        from,
        to: to ?? now(),
        nodes: map.nodes.map((node) => ({
          kind: node.kind as ServiceNode['kind'],
          name: node.name,
          requests: reviveFigures(node),
        })),
        edges: map.edges.map((edge) => ({ from: edge.from, to: edge.to, calls: reviveFigures(edge) })),
      };
    },
  });
}

function reviveFigures(figures: wire.CallFigures): CallFigures {
  const length = (text: string | undefined) => (text === undefined ? null : duration(text));
  return {
    count: Number(figures.count),
    errors: Number(figures.errors),
    p50: length(figures.p50_ns),
    p95: length(figures.p95_ns),
    p99: length(figures.p99_ns),
  };
}

/** Figures of spans over time. */
export interface SpanSeries {
  from: Nanos;
  to: Nanos;
  /** How much time a point covers; `null` when there are no spans. */
  step: Duration | null;
  points: readonly { time: Nanos; spans: CallFigures }[];
}

/** Rate, errors and durations of the requests of a service over time. */
export function requestSeriesQuery(service: string, range: TimeRange, points: number) {
  return queryOptions({
    queryKey: ['services', service, 'series', points, keyOf(range)],
    queryFn: async ({ signal }): Promise<SpanSeries> => {
      const { from, to } = resolveRange(range);
      const series = await get<wire.SpanSeries>(
        '/api/traces/series',
        [['service', service], ['request', 'true'], ['points', String(points)], ...rangeParameters(range)],
        signal,
      );
      return {
        from,
        to: to ?? now(),
        step: series.step_ns === undefined ? null : duration(series.step_ns),
        points: series.points.map((point) => ({ time: nanos(point.time), spans: reviveFigures(point) })),
      };
    },
  });
}

/** An operation of a service: its spans of one name and kind. */
export interface Operation {
  name: string;
  kind: string;
  spans: CallFigures;
  longest: Duration | null;
}

/** The operations of a service with their figures, most calls first. */
export function operationFiguresQuery(service: string, range: TimeRange) {
  return queryOptions({
    queryKey: ['services', service, 'figures', keyOf(range)],
    queryFn: async ({ signal }): Promise<Operation[]> => {
      const path = `/api/services/${encodeURIComponent(service)}/operations`;
      const answer = await get<wire.OperationList>(path, rangeParameters(range), signal);
      return answer.operations.map(({ name, kind, span_count, error_count, max_ns, ...quantiles }) => ({
        name,
        kind,
        spans: reviveFigures({ count: span_count, errors: error_count, ...quantiles }),
        longest: max_ns === undefined ? null : duration(max_ns),
      }));
    },
  });
}

/** Each name once: an operation is listed for each kind of its spans. */
function namesOf(items: readonly { name: string }[]): string[] {
  return [...new Set(items.map(({ name }) => name))].sort((a, b) => a.localeCompare(b));
}
