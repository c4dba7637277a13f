import { classes } from './classes';
import { type Line, LineMark } from './line-chart';

/** The names of the lines of a chart, each with its last value. */
export function LineLegend(props: {
  label: string;
  lines: readonly Line[];
  format: (value: number, line: number) => string;
  /** Whether names stand side by side where there is room. */
  isWide?: boolean;
  /** Lines whose names are written. */
  most: number;
}) {
  const { lines, format, most } = props;
  return (
    <ul
      aria-label={props.label}
      className={classes(
        'tabular text-xs text-muted',
        props.isWide && 'grid grid-cols-[repeat(auto-fill,minmax(min(18rem,100%),1fr))] gap-x-8',
      )}
    >
      {lines.slice(0, most).map((line, index) => (
        <li key={index} className="flex items-center gap-1.5">
          <LineMark index={index} />
          <span className="min-w-0 flex-1 truncate" title={line.label}>
            {line.label === '' ? '(empty)' : line.label}
          </span>
          <span className="text-text">{lastOf(line, (value) => format(value, index))}</span>
        </li>
      ))}
      {lines.length > most && <li className="text-faint">and {lines.length - most} more lines</li>}
    </ul>
  );
}

function lastOf({ points }: Line, format: (value: number) => string): string {
  const last = points.findLast(({ value }) => value !== null)?.value;
  return last == null ? '–' : format(last);
}
