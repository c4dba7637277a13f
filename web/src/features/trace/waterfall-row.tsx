import { memo } from 'react';
import { formatDuration } from '@/base/durations';
import { fromDrawable } from '@/base/nanos';
import { formatShortCount } from '@/base/numbers';
import { serviceClass } from '@/base/palette';
import type { Zoom } from '@/base/zoom';
import { classes } from '@/ui/classes';
import { Icon } from '@/ui/icons';
import { serviceLabel } from '@/ui/service';
import type { Stretch } from './analysis';
import type { LogMark } from './logs';
import type { TraceNode } from './tree';

export const ROW_HEIGHT = 26;
/** Room that a bar's duration takes. */
const LABEL = 68;
/** Events that are marked on a bar; the panel lists all. */
const MOST_EVENTS = 40;

interface Props {
  node: TraceNode;
  parentService: string | undefined;
  top: number;
  collapsed: boolean;
  selected: boolean;
  match: 'none' | 'yes' | 'no';
  muted: boolean;
  /** Width of the column of names, of a level, of the space beside the bars, and of the bars' column. */
  names: number;
  indent: number;
  padding: number;
  width: number;
  zoom: Zoom;
  /** Pixels of a nanosecond. */
  scale: number;
  logs: readonly LogMark[];
  /** Stretches of the critical path within the span; `null` while it is not shown. */
  stretches: readonly Stretch[] | null;
  onSelect: (index: number) => void;
  onToggle: (index: number) => void;
}

/** A row of the waterfall: the span's name in the tree, and its bar. */
export const WaterfallRow = memo(function WaterfallRow(props: Props) {
  const { node, collapsed, selected, match } = props;
  const { span, marks } = node;
  const dimmed = match === 'no' || props.muted;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the page's arrow keys move the selection
    <div
      id={`span-row-${node.index}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={node.depth + 1}
      aria-selected={selected}
      aria-expanded={node.children === 0 ? undefined : !collapsed}
      aria-label={labelOf(node)}
      onClick={() => props.onSelect(node.index)}
      className={classes(
        'absolute inset-x-0 top-0 flex cursor-default items-stretch outline-none',
        span !== null && serviceClass(span.service),
        selected ? 'bg-selected' : 'hover:bg-hover',
      )}
      style={{ height: ROW_HEIGHT, transform: `translateY(${props.top}px)` }}
    >
      <div
        className={classes(
          'relative flex min-w-0 shrink-0 items-center gap-1.5 overflow-hidden pr-2',
          dimmed && 'opacity-40',
        )}
        style={{ width: props.names, paddingLeft: 8 + node.depth * props.indent }}
      >
        {node.depth > 0 && props.indent >= 6 && (
          <span
            aria-hidden="true"
            className="absolute inset-y-0 left-[15px] bg-[repeating-linear-gradient(to_right,var(--line)_0_1px,transparent_1px_var(--level))]"
            style={{ width: node.depth * props.indent, ['--level' as string]: `${props.indent}px` }}
          />
        )}
        {node.children > 0 ? (
          <button
            type="button"
            tabIndex={-1}
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              props.onToggle(node.index);
            }}
            className="relative flex size-4 shrink-0 items-center justify-center rounded bg-surface text-faint hover:bg-line hover:text-text"
          >
            <Icon name={collapsed ? 'chevronRight' : 'chevronDown'} size={12} />
          </button>
        ) : (
          <span className="w-4 shrink-0" />
        )}
        <span
          aria-hidden="true"
          className={classes(
            'relative h-3.5 w-[3px] shrink-0 rounded-full',
            span === null ? 'bg-line-strong' : 'bg-service',
          )}
        />
        {marks.failed && <Icon name="error" size={13} className="text-error" />}
        <span
          className={classes(
            'truncate',
            span === null && 'text-faint italic',
            marks.failed && 'text-error',
            match === 'yes' && 'rounded-sm bg-mark px-0.5 text-text',
          )}
          title={span === null ? undefined : `${serviceLabel(span.service)} · ${span.name}`}
        >
          {span === null ? `Missing span ${node.spanId}` : span.name === '' ? '(no name)' : span.name}
        </span>
        {span !== null && span.service !== props.parentService && (
          <span className="max-w-[45%] shrink-[3] truncate text-xs text-faint">
            {serviceLabel(span.service)}
          </span>
        )}
        {(marks.early || marks.cyclic) && <Icon name="warning" size={12} className="text-warn" />}
        {collapsed && (
          <span className="tabular ml-auto shrink-0 rounded bg-sunken px-1 text-2xs text-muted">
            +{formatShortCount(node.size - 1)}
          </span>
        )}
      </div>
      <div className="relative min-w-0 flex-1 overflow-hidden">
        <div
          className={classes('absolute inset-y-0', dimmed && 'opacity-25')}
          style={{ left: props.padding, width: props.width }}
        >
          <Bar {...props} />
        </div>
      </div>
    </div>
  );
});

/** A span's time, as far as it is shown. */
function Bar({ node, zoom, scale, width, logs, stretches }: Props) {
  const { span, marks } = node;
  const left = (node.start - zoom.from) * scale;
  const right = (node.end - zoom.from) * scale;
  if (right < 0 || left > width) {
    return (
      <Icon
        name="chevronRight"
        size={12}
        className={classes('absolute top-[7px] text-faint', right < 0 ? 'left-0 rotate-180' : 'right-0')}
      />
    );
  }
  // Bars are cut a little outside of what is shown: lengths of millions of pixels are not drawn well.
  const from = Math.max(left, -20);
  const to = Math.max(Math.min(right, width + 20), from + 2);
  const text = span === null ? '' : span.duration === null ? 'open' : formatDuration(span.duration);
  const label =
    to + LABEL < width
      ? { transform: `translateX(${to + 6}px)` }
      : from > LABEL
        ? { transform: `translateX(calc(${from - 6}px - 100%))` }
        : null;
  return (
    <>
      <div
        className={classes(
          'absolute top-[6px] left-0 h-3.5 overflow-hidden rounded-[3px]',
          span === null
            ? 'border border-dashed border-line-strong'
            : marks.open
              ? 'rounded-r-none bg-linear-to-r from-service from-30% to-transparent'
              : 'bg-service',
          marks.failed && 'ring-[1.5px] ring-error ring-inset',
        )}
        style={{ transform: `translateX(${from}px)`, width: to - from }}
      >
        {span !== null &&
          to - from > 12 &&
          span.events.slice(0, MOST_EVENTS).map((event, at) => (
            <span
              key={at}
              className={classes(
                'absolute inset-y-0 left-0 w-[2px]',
                event.name === 'exception' ? 'bg-error' : 'bg-surface',
              )}
              style={{
                transform: `translateX(${Math.round((event.time - zoom.from) * scale - from)}px)`,
              }}
            />
          ))}
      </div>
      {logs.slice(0, MOST_EVENTS).map(({ time, fill }, at) => {
        const place = (time - zoom.from) * scale;
        return place < 0 || place > width ? null : (
          <span
            key={at}
            className={classes('absolute top-[1px] left-0 size-[5px] rounded-full ring-1 ring-surface', fill)}
            style={{ transform: `translateX(${place - 2}px)` }}
          />
        );
      })}
      {stretchesInSight(stretches, zoom, scale, width).map(({ from: begin, to: end }, at) => {
        const left = Math.max(begin, -20);
        return (
          <span
            key={at}
            className="absolute top-[20px] left-0 h-[3px] rounded-full bg-text"
            style={{
              transform: `translateX(${left}px)`,
              width: Math.max(1.5, Math.min(end, width + 20) - left),
            }}
          />
        );
      })}
      {span !== null && (
        <span
          className={classes(
            'tabular pointer-events-none absolute top-[5px] left-0 text-2xs whitespace-nowrap',
            label === null ? 'font-medium text-on-service' : 'text-muted',
          )}
          style={label ?? { transform: `translateX(${Math.max(from, 0) + 6}px)` }}
        >
          {text}
        </span>
      )}
    </>
  );
}

/** Stretches in pixels, those less than a pixel apart together: a span may have a hundred thousand. */
function stretchesInSight(
  stretches: readonly Stretch[] | null,
  zoom: Zoom,
  scale: number,
  width: number,
): Stretch[] {
  const shown: Stretch[] = [];
  // The latest comes first.
  for (const stretch of stretches ?? []) {
    const [from, to] = [(stretch.from - zoom.from) * scale, (stretch.to - zoom.from) * scale];
    if (to < 0) break;
    if (from > width) continue;
    const last = shown.at(-1);
    if (last !== undefined && last.from - to < 1) last.from = from;
    else shown.push({ from, to });
  }
  return shown;
}

/** A row for those who hear it. */
function labelOf({ span, spanId, marks, start, end }: TraceNode): string {
  if (span === null) return `Missing span ${spanId}`;
  const parts = [
    span.name,
    serviceLabel(span.service),
    marks.open ? 'open' : formatDuration(fromDrawable(end - start)),
  ];
  if (marks.failed) parts.push('error');
  if (marks.early) parts.push('starts before its parent');
  if (marks.cyclic) parts.push('part of a cycle');
  return parts.join(', ');
}
