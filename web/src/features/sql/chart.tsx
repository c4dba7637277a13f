import { useMemo, useRef } from 'react';
import type { SqlAnswer } from '@/api/sql';
import { formatCell, isMoment, isNumeric, numberOf, unitOf } from '@/base/cells';
import { after, type Duration, type Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { BarList } from '@/ui/bar-list';
import { LineChart } from '@/ui/line-chart';
import { LineLegend } from '@/ui/line-legend';
import { useZone } from '@/ui/preferences';
import { useSize } from '@/ui/size';
import { EmptyState } from '@/ui/states';
import {
  type ChartChoice,
  chartName,
  chooseChart,
  formatOf,
  linesOf,
  MOST_BARS,
  spanOf,
} from './chart-choice';
import type { SqlSearch } from './search';

const LEGEND = 12;

type Choice = Pick<SqlSearch, 'x' | 'y' | 'by' | 'draw'>;

/** An answer as lines over time or as bars. */
export function AnswerChart(props: {
  answer: SqlAnswer;
  chosen: Choice;
  onSelect: (from: Nanos, to: Nanos) => void;
}) {
  const { answer } = props;
  const choice = chooseChart(answer.columns, props.chosen);
  if (choice === null) {
    return (
      <EmptyState title="Nothing here can be drawn">
        A chart needs a column of numbers, and a time or a name beside it.
      </EmptyState>
    );
  }
  return choice.draw === 'lines' ? (
    <Lines answer={answer} choice={choice} onSelect={props.onSelect} />
  ) : (
    <Bars answer={answer} choice={choice} />
  );
}

function Lines(props: {
  answer: SqlAnswer;
  choice: ChartChoice;
  onSelect: (from: Nanos, to: Nanos) => void;
}) {
  const { answer, choice } = props;
  const key = JSON.stringify(choice);
  const { lines, hidden, isRepeated } = useMemo(
    () => linesOf(answer, JSON.parse(key) as ChartChoice),
    [answer, key],
  );
  const frame = useRef<HTMLDivElement>(null);
  const { height } = useSize(frame);
  const span = useMemo(() => spanOf(lines), [lines]);
  const format = useMemo(
    () => (value: number, line: number) => formatOf(lines[line]?.unit ?? '')(value),
    [lines],
  );
  // An axis has a unit when all lines have the same.
  const unit = lines.every((line) => line.unit === lines[0]?.unit) ? (lines[0]?.unit ?? '') : '';
  const formatTick = useMemo(() => formatOf(unit), [unit]);
  if (span === null) {
    return <EmptyState title="No row has a time" />;
  }
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div ref={frame} className="min-h-0 flex-1 overflow-hidden p-2">
        <LineChart
          label={`Chart of ${lines.length} lines`}
          lines={lines}
          from={span.from}
          to={after(span.to, 1n as Duration)}
          step={1n as Duration}
          format={format}
          formatTick={formatTick}
          height={Math.max(height - 16, 80)}
          onSelect={props.onSelect}
        />
      </div>
      <div className="max-h-40 shrink-0 overflow-auto px-4 pb-3">
        <LineLegend isWide label="Lines" lines={lines} format={format} most={LEGEND} />
        {hidden > 0 && <p className="text-xs text-faint">{formatCount(hidden)} more are not drawn</p>}
        {isRepeated && (
          <p className="text-xs text-warn">
            A line has several values for one moment: choose what tells lines apart, or group by it.
          </p>
        )}
      </div>
    </div>
  );
}

function Bars({ answer, choice }: { answer: SqlAnswer; choice: ChartChoice }) {
  const [zone] = useZone();
  const { columns, rows } = answer;
  const bars = rows.slice(0, MOST_BARS).map((row) => ({
    name: chartName(formatCell(columns[choice.x]!, row[choice.x], zone)),
    values: choice.y.map((at) => numberOf(row[at])),
  }));
  const measures = choice.y.map((at) => {
    const unit = unitOf(columns[at]!);
    return { name: columns[at]!.name, unit, format: formatOf(unit) };
  });
  return (
    <>
      <BarList label={`Chart of ${bars.length} bars`} measures={measures} bars={bars} />
      {rows.length > bars.length && (
        <p className="px-4 pb-2 text-xs text-faint">
          The first {MOST_BARS} of {formatCount(rows.length)} rows are drawn
        </p>
      )}
    </>
  );
}

/** Chooses what of an answer is drawn. */
export function ChartControls(props: {
  answer: SqlAnswer;
  chosen: Choice;
  onChange: (change: { [Name in keyof Choice]: Choice[Name] | undefined }) => void;
}) {
  const { answer, onChange } = props;
  const choice = chooseChart(answer.columns, props.chosen);
  if (choice === null) return null;
  const { columns } = answer;
  const { draw, x, y, by } = choice;
  const positions = columns.map((_, at) => at);
  const along = positions.filter((at) => (draw === 'lines' ? isMoment(columns[at]!.type) : !y.includes(at)));
  const up = positions.filter((at) => at !== x && !by.includes(at) && isNumeric(columns[at]!.type));
  const apart = positions.filter((at) => at !== x && !y.includes(at));
  // As links hold them: counted from 1.
  const link = (positions: readonly number[]) => positions.map((at) => String(at + 1));
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-x-4 gap-y-1.5 border-b border-line px-4 py-1.5 text-xs">
      {columns.some(({ type }) => isMoment(type)) && (
        <Select
          label="Draw"
          value={draw}
          options={[
            ['lines', 'lines over time'],
            ['bars', 'bars'],
          ]}
          onChange={(draw) => onChange({ draw: draw as 'lines' | 'bars', x: undefined })}
        />
      )}
      <Select
        label={draw === 'lines' ? 'Time' : 'Name'}
        value={String(x)}
        options={along.map((at) => [String(at), columns[at]!.name])}
        onChange={(at) => onChange({ x: link([Number(at)])[0] })}
      />
      <Columns
        label="Values"
        columns={columns}
        offered={up}
        chosen={y}
        isNeeded
        onChange={(y) => onChange({ y: link(y) })}
      />
      {draw === 'lines' && apart.length > 0 && (
        <Columns
          label="A line for each"
          columns={columns}
          offered={apart}
          chosen={by}
          onChange={(by) => onChange({ by: by.length === 0 ? ['0'] : link(by) })}
        />
      )}
    </div>
  );
}

/** Some of the columns. */
function Columns(props: {
  label: string;
  columns: SqlAnswer['columns'];
  offered: readonly number[];
  chosen: readonly number[];
  /** Whether one must be chosen. */
  isNeeded?: boolean;
  onChange: (chosen: number[]) => void;
}) {
  const { columns, offered, chosen } = props;
  return (
    <fieldset className="flex flex-wrap items-center gap-x-3">
      <legend className="float-left mr-2 text-faint">{props.label}</legend>
      {offered.map((at) => (
        <label key={at} className="inline-flex items-center gap-1.5">
          <input
            type="checkbox"
            checked={chosen.includes(at)}
            // The last that is needed cannot go.
            disabled={props.isNeeded === true && chosen.length === 1 && chosen[0] === at}
            onChange={({ target }) =>
              props.onChange(target.checked ? [...chosen, at] : chosen.filter((other) => other !== at))
            }
          />
          {columns[at]!.name}
        </label>
      ))}
    </fieldset>
  );
}

function Select(props: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onChange: (value: string) => void;
}) {
  return (
    <label className="inline-flex items-center gap-2">
      <span className="text-faint">{props.label}</span>
      <select
        value={props.value}
        onChange={({ target }) => props.onChange(target.value)}
        className="field h-7 max-w-48 py-0 text-xs"
      >
        {props.options.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
