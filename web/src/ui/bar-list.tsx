import { classes } from './classes';
import { LineMark, lineColour } from './line-chart';

/** Bars with their names and numbers, one below the other; those of one name stand together. */
export function BarList(props: {
  label: string;
  /** What the numbers of each bar are. */
  measures: readonly { name: string; format: (value: number) => string }[];
  bars: readonly { name: string; values: readonly (number | null)[] }[];
}) {
  const { measures, bars } = props;
  const most = measures.map((_, at) =>
    bars.reduce((most, { values }) => Math.max(most, Math.abs(values[at] ?? 0)), 0),
  );
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      {measures.length > 1 && (
        <p className="flex flex-wrap gap-x-4 px-4 pt-2 text-xs text-muted">
          {measures.map(({ name }, at) => (
            <span key={name} className="inline-flex items-center gap-1.5">
              <LineMark index={at} />
              {name}
            </span>
          ))}
        </p>
      )}
      <ul
        aria-label={props.label}
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto px-4 py-2 -outline-offset-2"
      >
        {bars.map((bar, row) => (
          <li key={row} className="grid grid-cols-[minmax(6rem,14rem)_1fr] items-center gap-x-3 py-1">
            <span className="truncate" title={bar.name}>
              {bar.name === '' ? <span className="text-faint">(empty)</span> : bar.name}
            </span>
            <span className="flex min-w-0 flex-col gap-0.5">
              {measures.map(({ name, format }, at) => {
                const value = bar.values[at] ?? null;
                return (
                  <span key={name} className="flex min-w-0 items-center gap-2">
                    <span
                      aria-hidden="true"
                      className={classes(`service-${lineColour(at)}`, 'h-3 min-w-px rounded-sm bg-service')}
                      style={{
                        width: `${value === null || most[at] === 0 ? 0 : (Math.abs(value) / most[at]!) * 80}%`,
                      }}
                    />
                    <span className="tabular text-xs text-muted">{value === null ? '–' : format(value)}</span>
                  </span>
                );
              })}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
