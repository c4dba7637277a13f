import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { heatmapQuery } from '@/api/spread';
import type { TraceFilter } from '@/api/traces';
import type { Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import type { TimeRange } from '@/base/time-range';
import type { SpanSelection } from '@/base/trace-search';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { HEIGHT, Heatmap } from './heatmap';
import { slowest, spansOf } from './heatmap-scale';

/** Share of the spans that count as the slowest. */
const SLOW = 0.05;

/** Durations over time: of all matching spans as a heatmap, or of the traces in the list one by one. */
export function Chart(props: {
  filter: TraceFilter;
  range: TimeRange;
  refetchInterval: number | false;
  isOfTraces: boolean;
  onOfTraces: (isOfTraces: boolean) => void;
  selection: SpanSelection | 'errors' | null;
  /** `shown` is the time of the picture that a part was selected of. */
  onSelect: (selection: SpanSelection | 'errors' | null, shown?: { from: Nanos; to: Nanos }) => void;
  /** The traces of the list as points. */
  children: ReactNode;
}) {
  const { filter, range, isOfTraces, selection, onSelect } = props;
  const query = useQuery({
    ...heatmapQuery(filter, range),
    placeholderData: keepPreviousData,
    refetchInterval: props.refetchInterval,
    enabled: !isOfTraces,
  });
  const map = query.data;
  const total = map === undefined ? null : spansOf(map.cells);
  const slow = map === undefined ? null : slowest(map, SLOW);
  return (
    <section aria-label="Durations over time" className="shrink-0 border-b border-line bg-surface">
      <div className="flex h-9 items-center gap-2 px-4 text-xs">
        <div role="group" aria-label="Chart" className="flex gap-1">
          {[false, true].map((ofTraces) => (
            <button
              key={String(ofTraces)}
              type="button"
              aria-pressed={ofTraces === isOfTraces}
              onClick={() => props.onOfTraces(ofTraces)}
              className={classes(
                'h-6 rounded-md px-2',
                ofTraces === isOfTraces ? 'bg-selected font-medium' : 'text-muted hover:bg-hover',
              )}
            >
              {ofTraces ? 'Traces of the list' : filter.rootsOnly ? 'All root spans' : 'All matching spans'}
            </button>
          ))}
        </div>
        {!isOfTraces && total !== null && (
          <span className="tabular text-faint" role="status" aria-label="Counted">
            {formatCount(total.spans)}
            {total.errors > 0 && <span className="text-error"> · {formatCount(total.errors)} failed</span>}
          </span>
        )}
        {!isOfTraces && (
          <span className="ml-auto flex items-center gap-1.5">
            <span className="hidden text-faint @3xl:inline">Drag to select, or compare</span>
            <Button small disabled={slow === null} onClick={() => slow !== null && onSelect(slow, map)}>
              the slowest
            </Button>
            <Button
              small
              disabled={total === null || total.errors === 0}
              aria-pressed={selection === 'errors'}
              onClick={() => onSelect(selection === 'errors' ? null : 'errors')}
            >
              errors
            </Button>
          </span>
        )}
      </div>
      {isOfTraces ? (
        props.children
      ) : map !== undefined ? (
        <div className={classes('transition-opacity', query.isPlaceholderData && 'opacity-50')}>
          <Heatmap
            map={map}
            selection={selection === 'errors' ? null : selection}
            onSelect={(part) => onSelect(part, map)}
          />
        </div>
      ) : query.isError ? (
        <div
          role="alert"
          className="flex items-center justify-center gap-3 px-4 text-error"
          style={{ height: HEIGHT }}
        >
          {query.error.message}
          <Button onClick={() => void query.refetch()}>Try again</Button>
        </div>
      ) : (
        <div role="status" aria-label="Loading the heatmap" className="px-4 pb-4" style={{ height: HEIGHT }}>
          <div className="skeleton h-full opacity-40" />
        </div>
      )}
    </section>
  );
}
