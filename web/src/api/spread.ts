import { queryOptions } from '@tanstack/react-query';
import { type Duration, duration, type Nanos, nanos, now } from '@/base/nanos';
import { resolveRange, type TimeRange } from '@/base/time-range';
import type { SpanSelection } from '@/base/trace-search';
import { get, keyOf, type Parameters, rangeParameters } from './client';
import { filterParameters, nanosecondsText, type TraceFilter } from './traces';
import type * as wire from './wire';

/** Columns that a heatmap has at most. */
const COLUMNS = 160;
/** Values that are told of a selection. */
const MOST_DIFFERENCES = 40;

/** Numbers of spans by start and duration. */
export interface Heatmap {
  from: Nanos;
  to: Nanos;
  /** How much time a column covers; `null` when there are no spans. */
  step: Duration | null;
  /** The least duration of each row. */
  bounds: readonly Duration[];
  cells: readonly HeatmapCell[];
}

export interface HeatmapCell {
  time: Nanos;
  /** Position in `bounds`. */
  row: number;
  spans: number;
  errors: number;
}

/** What tells selected spans from the rest. */
export interface Differences {
  selected: number;
  rest: number;
  values: readonly ValueDifference[];
}

export interface ValueDifference {
  place: 'field' | 'span' | 'resource';
  key: string;
  value: string;
  selected: number;
  rest: number;
}

/** Attributes of some of the newest spans, the most frequent first. */
export type AttributeSurvey = readonly {
  key: string;
  values: readonly string[];
}[];

/** The spans that match by start and duration. */
export function heatmapQuery(filter: TraceFilter, range: TimeRange) {
  return queryOptions({
    queryKey: ['traces', 'heatmap', keyOf(filter), keyOf(range)],
    queryFn: async ({ signal }): Promise<Heatmap> => {
      const { from, to } = resolveRange(range);
      const times: Parameters = [
        ['from', from.toString()],
        ['to', to?.toString()],
        ['columns', String(COLUMNS)],
      ];
      const map = await get<wire.Heatmap>(
        '/api/traces/heatmap',
        [...filterParameters(filter), ...times],
        signal,
      );
      return {
        from,
        to: to ?? now(),
        step: map.step_ns === undefined ? null : duration(map.step_ns),
        bounds: map.bounds_ns.map(duration),
        cells: map.cells.map(({ time, row, spans, errors }) => ({
          time: nanos(time),
          row,
          spans: Number(spans),
          errors: Number(errors),
        })),
      };
    },
  });
}

/** What tells the selected ones of the spans that match from the others. */
export function differencesQuery(filter: TraceFilter, range: TimeRange, selection: SpanSelection | 'errors') {
  return queryOptions({
    queryKey: ['traces', 'differences', keyOf(filter), keyOf(range), keyOf({ selection })],
    queryFn: async ({ signal }): Promise<Differences> => {
      const selected: Parameters =
        selection === 'errors'
          ? [['selected_error', 'true']]
          : [
              ['selected_from', selection.from.toString()],
              ['selected_to', selection.to.toString()],
              ['selected_min_duration', nanosecondsText(selection.min ?? undefined)],
              ['selected_max_duration', nanosecondsText(selection.max ?? undefined)],
            ];
      const answer = await get<wire.Differences>(
        '/api/traces/differences',
        [
          ...filterParameters(filter),
          ...rangeParameters(range),
          ...selected,
          ['limit', String(MOST_DIFFERENCES)],
        ],
        signal,
      );
      return {
        selected: Number(answer.selected),
        rest: Number(answer.rest),
        values: answer.values.map((value) => ({
          ...value,
          place: value.place as ValueDifference['place'],
          selected: Number(value.selected),
          rest: Number(value.rest),
        })),
      };
    },
  });
}

/** The attributes of matching spans, to choose from. */
export function attributesQuery(filter: TraceFilter, range: TimeRange) {
  return queryOptions({
    queryKey: ['traces', 'attributes', keyOf(filter), keyOf(range)],
    queryFn: async ({ signal }): Promise<AttributeSurvey> => {
      const survey = await get<wire.AttributeSurvey>(
        '/api/traces/attributes',
        [...filterParameters(filter), ...rangeParameters(range)],
        signal,
      );
      return survey.keys.map(({ key, values }) => ({ key, values: values.map(({ value }) => value) }));
    },
    staleTime: 30_000,
  });
}
