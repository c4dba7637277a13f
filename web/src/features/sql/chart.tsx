import { useMemo, useRef } from 'react';
import type { SqlAnswer } from '@/api/sql';
import { formatCell, isMoment, isNumeric, measureOf, numberOf } from '@/base/cells';
import { after, type Duration, type Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { BarList } from '@/ui/bar-list';
import { LineChart } from '@/ui/line-chart';
import { LineLegend } from '@/ui/line-legend';
import { useZone } from '@/ui/preferences';
import { useSize } from '@/ui/size';
import { EmptyState } from '@/ui/states';
import { type ChartChoice, chooseChart, linesOf, MOST_BARS, NO_NAME, spanOf } from './chart-choice';
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
  const { lines, hidden } = useMemo(() => linesOf(answer, JSON.parse(key) as ChartChoice), [answer, key]);
  const frame = useRef<HTMLDivElement>(null);
  const { height } = useSize(frame);
  const span = useMemo(() => spanOf(lines), [lines]);
  const column = answer.columns[choice.y[0]!]!;
  const format = useMemo(() => measureOf(column), [column]);
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
          formatTick={format}
          height={Math.max(height - 16, 80)}
          onSelect={props.onSelect}
        />
      </div>
      <div className="max-h-40 shrink-0 overflow-auto px-4 pb-3">
        <LineLegend isWide label="Lines" lines={lines} format={format} most={LEGEND} />
        {hidden > 0 && <p className="text-xs text-faint">{formatCount(hidden)} more are not drawn</p>}
      </div>
    </div>
  );
}

function Bars({ answer, choice }: { answer: SqlAnswer; choice: ChartChoice }) {
  const [zone] = useZone();
  const { columns, rows } = answer;
  const bars = rows.slice(0, MOST_BARS).map((row) => ({
    name: formatCell(columns[choice.x]!, row[choice.x], zone),
    values: choice.y.map((at) => numberOf(row[at])),
  }));
  return (
    <>
      <BarList
        label={`Chart of ${bars.length} bars`}
        measures={choice.y.map((at) => ({ name: columns[at]!.name, format: measureOf(columns[at]!) }))}
        bars={bars}
      />
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
  const along = columns.flatMap((column, at) =>
    (choice.draw === 'lines' ? isMoment(column.type) : !choice.y.includes(at)) ? [at] : [],
  );
  const up = columns.flatMap(({ type }, at) => (isNumeric(type) && at !== choice.x ? [at] : []));
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5 border-b border-line px-4 py-1.5 text-xs">
      {columns.some(({ type }) => isMoment(type)) && (
        <Select
          label="Draw"
          value={choice.draw}
          options={[
            ['lines', 'lines over time'],
            ['bars', 'bars'],
          ]}
          onChange={(draw) => onChange({ draw: draw as 'lines' | 'bars', x: undefined })}
        />
      )}
      <Select
        label={choice.draw === 'lines' ? 'Time' : 'Name'}
        value={String(choice.x)}
        options={along.map((at) => [String(at), columns[at]!.name])}
        onChange={(at) => onChange({ x: columns[Number(at)]!.name })}
      />
      {choice.draw === 'lines' && (
        <Select
          label="A line for each"
          value={choice.by === null ? '' : String(choice.by)}
          options={[
            ['', '(column of numbers)'],
            ...columns.flatMap(({ name }, at): [string, string][] =>
              at === choice.x || choice.y.includes(at) ? [] : [[String(at), name]],
            ),
          ]}
          onChange={(at) => onChange({ by: at === '' ? NO_NAME : columns[Number(at)]!.name })}
        />
      )}
      <fieldset className="flex flex-wrap items-center gap-x-3">
        <legend className="float-left mr-2 text-faint">Values</legend>
        {up.map((at) => (
          <label key={at} className="inline-flex items-center gap-1.5">
            <input
              type="checkbox"
              checked={choice.y.includes(at)}
              // The last cannot go.
              disabled={choice.y.length === 1 && choice.y[0] === at}
              onChange={({ target }) => {
                const y = target.checked ? [...choice.y, at] : choice.y.filter((other) => other !== at);
                onChange({ y: y.map((at) => columns[at]!.name) });
              }}
            />
            {columns[at]!.name}
          </label>
        ))}
      </fieldset>
    </div>
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
