import { classes } from './classes';
import { LineMark, lineColour } from './line-chart';

/** What the bars of a {@link BarList} measure. */
export interface Measure {
  name: string;
  /** Bars of one unit are drawn to one scale. */
  unit: string;
  format: (value: number) => string;
}

/** Bars with their names and numbers, one below the other; those of one name stand together. */
export function BarList(props: {
  label: string;
  measures: readonly Measure[];
  bars: readonly { name: string; values: readonly (number | null)[] }[];
}) {
  const { measures, bars } = props;
  const scales = scalesOf(measures, bars);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      {measures.length > 1 && (
        <p className="flex flex-wrap gap-x-4 px-4 pt-2 text-xs text-muted">
          {measures.map(({ name }, at) => (
            <span key={at} className="inline-flex items-center gap-1.5">
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
            <bdi className="truncate" title={bar.name}>
              {bar.name === '' ? <span className="text-faint">(empty)</span> : bar.name}
            </bdi>
            <span className="flex min-w-0 flex-col gap-0.5">
              {measures.map(({ unit, format }, at) => {
                const value = bar.values[at] ?? null;
                const { least, most } = scales.get(unit)!;
                const left = value === null ? 0 : (Math.min(value, 0) - least) / (most - least);
                const width = value === null ? 0 : Math.abs(value) / (most - least);
                return (
                  <span key={at} className="flex min-w-0 items-center gap-2">
                    <span aria-hidden="true" className="relative h-3 min-w-0 flex-1">
                      <span
                        className={classes(
                          `service-${lineColour(at)}`,
                          'absolute inset-y-0 min-w-px rounded-sm bg-service',
                        )}
                        style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
                      />
                    </span>
                    <span className="tabular w-20 shrink-0 text-right text-xs text-muted">
                      {value === null ? '–' : format(value)}
                    </span>
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

/** What the left and the right end stand for, of each unit: zero is always among it. */
function scalesOf(measures: readonly Measure[], bars: readonly { values: readonly (number | null)[] }[]) {
  const scales = new Map<string, { least: number; most: number }>();
  measures.forEach(({ unit }, at) => {
    const scale = scales.get(unit) ?? { least: 0, most: 0 };
    for (const { values } of bars) {
      scale.least = Math.min(scale.least, values[at] ?? 0);
      scale.most = Math.max(scale.most, values[at] ?? 0);
    }
    scales.set(unit, scale);
  });
  for (const scale of scales.values()) if (scale.least === scale.most) scale.most = 1;
  return scales;
}
