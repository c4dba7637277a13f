import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Differences as Answer, ValueDifference } from '@/api/spread';
import { differencesQuery } from '@/api/spread';
import type { TraceFilter } from '@/api/traces';
import { formatDuration } from '@/base/durations';
import { formatCount, plural } from '@/base/numbers';
import type { TimeRange } from '@/base/time-range';
import { formatClock, formatDate } from '@/base/times';
import type { SpanSelection } from '@/base/trace-search';
import { Button, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { useZone } from '@/ui/preferences';

/** Which values tell the selected spans from the others, the clearest first; each narrows the search. */
export function Differences(props: {
  filter: TraceFilter;
  range: TimeRange;
  selection: SpanSelection | 'errors';
  onChoose: (value: ValueDifference) => void;
  /** Makes the selection a condition of the search. */
  onKeep: () => void;
  onClose: () => void;
  className?: string;
}) {
  const { selection } = props;
  const query = useQuery({
    ...differencesQuery(props.filter, props.range, selection),
    placeholderData: keepPreviousData,
  });
  return (
    <aside
      aria-label="What differs"
      className={classes('flex min-h-0 flex-col border-line bg-surface', props.className)}
    >
      <header className="flex shrink-0 items-start gap-1 border-b border-line py-2 pr-2 pl-4">
        <div className="min-w-0 flex-1 py-0.5">
          <h2 className="text-sm font-semibold">What differs</h2>
          <p className="tabular text-xs text-muted">
            <Selected selection={selection} />
          </p>
        </div>
        <Button onClick={props.onKeep} small>
          Only these
        </Button>
        <IconButton icon="close" label="Clear the selection" shortcut="Esc" small onClick={props.onClose} />
      </header>
      <div
        tabIndex={0}
        role="region"
        aria-label="Values that differ"
        aria-busy={query.isFetching}
        className={classes(
          'min-h-0 flex-1 overflow-auto -outline-offset-2 transition-opacity',
          query.isPlaceholderData && 'opacity-50',
        )}
      >
        {query.data !== undefined ? (
          <Values answer={query.data} hidesStatus={selection === 'errors'} onChoose={props.onChoose} />
        ) : query.isError ? (
          <div role="alert" className="space-y-2 p-4 text-error">
            <p>{query.error.message}</p>
            <Button onClick={() => void query.refetch()}>Try again</Button>
          </div>
        ) : (
          <div role="status" aria-label="Comparing" className="space-y-4 p-4">
            {[80, 60, 70, 50].map((width) => (
              <div key={width} className="skeleton h-9" style={{ width: `${width}%` }} />
            ))}
          </div>
        )}
      </div>
    </aside>
  );
}

function Selected({ selection }: { selection: SpanSelection | 'errors' }) {
  const [zone] = useZone();
  if (selection === 'errors') return 'Spans with errors against the others';
  const { from, to, min, max } = selection;
  const durations =
    min === null
      ? max === null
        ? 'Spans of any duration'
        : `Spans up to ${formatDuration(max)}`
      : max === null
        ? `Spans of ${formatDuration(min)} and more`
        : `Spans of ${formatDuration(min)} to ${formatDuration(max)}`;
  const isOneDay = formatDate(from, zone) === formatDate(to, zone);
  return `${durations}, ${formatDate(from, zone)} ${formatClock(from, zone, 0)} to ${isOneDay ? '' : `${formatDate(to, zone)} `}${formatClock(to, zone, 0)}`;
}

function Values(props: {
  answer: Answer;
  /** Where errors are selected, that their status is ERROR says nothing. */
  hidesStatus: boolean;
  onChoose: (value: ValueDifference) => void;
}) {
  const { selected, rest, values } = props.answer;
  // There is no search for spans that did not fail, and none for those of no kind.
  const shown = values.filter(
    ({ place, key, value }) =>
      place !== 'field' ||
      (key === 'status'
        ? value === 'ERROR' && !props.hidesStatus
        : key !== 'kind' || value !== 'UNSPECIFIED'),
  );
  const counted = `${plural(selected, 'selected span')} against ${formatCount(rest)} others`;
  if (shown.length === 0) {
    return (
      <p className="p-4 text-muted">
        {selected === 0
          ? 'No span is selected.'
          : rest === 0
            ? 'All spans that match are selected: there is nothing to compare them with.'
            : `${counted}: no attribute has a value that is clearly more frequent among the selected.`}
      </p>
    );
  }
  return (
    <>
      <p className="tabular flex flex-wrap gap-x-3 px-4 pt-2.5 pb-1 text-xs text-faint">
        <span className="flex items-center gap-1.5">
          <span aria-hidden="true" className="h-1.5 w-3 rounded-full bg-accent" />
          {plural(selected, 'selected span')}
        </span>
        <span className="flex items-center gap-1.5">
          <span aria-hidden="true" className="h-1.5 w-3 rounded-full bg-line-strong" />
          {formatCount(rest)} others
        </span>
      </p>
      <ul aria-label="Differences" className="pb-4">
        {shown.map((value) => {
          const shares = [value.selected / selected, rest === 0 ? 0 : value.rest / rest] as const;
          return (
            <li key={`${value.place}\u0001${value.key}\u0001${value.value}`}>
              <button
                type="button"
                onClick={() => props.onChoose(value)}
                title={`Search for ${value.key} = ${value.value.slice(0, 200)}`}
                className="block w-full px-4 py-1.5 text-left -outline-offset-2 hover:bg-hover"
              >
                <span className="flex min-w-0 items-baseline gap-2">
                  <span className="shrink-0 text-muted">{value.key}</span>
                  <span className="min-w-0 truncate font-medium">
                    {value.value === '' ? '(empty)' : value.value}
                  </span>
                  {value.place === 'resource' && (
                    <span className="ml-auto shrink-0 text-2xs text-faint">of the process</span>
                  )}
                </span>
                {shares.map((share, at) => (
                  <span key={at} className="tabular mt-0.5 flex items-center gap-2 text-2xs text-muted">
                    <span className="h-1.5 min-w-0 flex-1 overflow-hidden rounded-full bg-sunken">
                      <span
                        className={classes(
                          'block h-full rounded-full',
                          at === 0 ? 'bg-accent' : 'bg-line-strong',
                        )}
                        style={{ width: `${share * 100}%` }}
                      />
                    </span>
                    <span className="w-12 text-right">
                      <span className="sr-only">{at === 0 ? 'of the selected' : 'of the others'} </span>
                      {formatShare(share)}
                    </span>
                  </span>
                ))}
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** `42 %`; never 0 or 100 for what is not quite. */
function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent < 1) return '< 1 %';
  if (percent > 99) return '> 99 %';
  return `${Math.round(percent)} %`;
}
