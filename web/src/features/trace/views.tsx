import { classes } from '@/ui/classes';
import { Tooltip } from '@/ui/tooltip';
import type { TraceViewName } from './search';

const TABS: readonly { view: TraceViewName | undefined; label: string; key: string }[] = [
  { view: undefined, label: 'Waterfall', key: '1' },
  { view: 'flame', label: 'Flame graph', key: '2' },
  { view: 'operations', label: 'Operations', key: '3' },
  { view: 'spans', label: 'Spans', key: '4' },
  { view: 'logs', label: 'Logs', key: '5' },
];

/** Ways to look at a trace. */
export function Views(props: {
  view: TraceViewName | undefined;
  onView: (view: TraceViewName | undefined) => void;
  /** Log records of the trace; `null` while they are on their way. */
  logs: string | null;
  isCritical: boolean;
  onCritical: () => void;
}) {
  return (
    <div className="flex shrink-0 items-center overflow-x-auto overflow-y-hidden border-b border-line bg-surface px-3 whitespace-nowrap">
      <div role="group" aria-label="Views" className="flex gap-1">
        {TABS.map(({ view, label, key }) => (
          <Tooltip key={label} content={label} shortcut={key}>
            <button
              type="button"
              aria-pressed={view === props.view}
              onClick={() => props.onView(view)}
              className={classes(
                'h-8 border-b-2 px-2 -outline-offset-2',
                view === props.view
                  ? 'border-accent font-medium'
                  : 'border-transparent text-muted hover:text-text',
              )}
            >
              {label}
              {view === 'logs' && props.logs !== null && (
                <span className="tabular ml-1.5 text-xs text-faint">{props.logs}</span>
              )}
            </button>
          </Tooltip>
        ))}
      </div>
      {props.view === undefined && (
        <Tooltip content="What the whole waited for, under the bars" shortcut="c">
          <button
            type="button"
            aria-pressed={props.isCritical}
            onClick={props.onCritical}
            className={classes(
              'ml-auto inline-flex h-6 items-center gap-1.5 rounded-md border px-2 text-xs',
              props.isCritical ? 'border-accent bg-selected' : 'border-line text-muted hover:bg-hover',
            )}
          >
            <span aria-hidden="true" className="h-[3px] w-3 rounded-full bg-text" />
            Critical path
          </button>
        </Tooltip>
      )}
    </div>
  );
}
