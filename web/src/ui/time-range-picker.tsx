import { type FormEvent, useState } from 'react';
import { now } from '@/base/nanos';
import { describeRange, PRESETS, resolveRange, type TimeRange } from '@/base/time-range';
import { formatExact, localOffset, parseTime, type Zone } from '@/base/times';
import { Button } from './button';
import { classes } from './classes';
import { Icon } from './icons';
import { Popover } from './popover';
import { useZone } from './preferences';

/** Chooses what time a page looks at, and the clock that times are shown in. */
export function TimeRangePicker({
  range,
  onChange,
}: {
  range: TimeRange;
  onChange: (range: TimeRange) => void;
}) {
  const [open, setOpen] = useState(false);
  const [zone, setZone] = useZone();
  const choose = (next: TimeRange) => {
    onChange(next);
    setOpen(false);
  };
  const trigger = (
    <Button
      icon="clock"
      className="tabular min-w-0 shrink"
      aria-label={`Time range: ${describeRange(range, zone)}`}
    >
      <span className="truncate">{describeRange(range, zone)}</span>
      <Icon name="chevronDown" size={12} className="text-faint" />
    </Button>
  );
  return (
    <Popover
      label="Time range"
      align="end"
      open={open}
      onOpenChange={setOpen}
      trigger={trigger}
      className="w-[30rem] max-w-[92vw]"
    >
      <div className="flex">
        <ul className="w-40 shrink-0 border-r border-line p-1.5">
          {PRESETS.map((preset) => {
            const chosen = range.kind === 'last' && range.length === preset.length;
            return (
              <li key={preset.label}>
                <button
                  type="button"
                  aria-pressed={chosen}
                  onClick={() => choose({ kind: 'last', length: preset.length })}
                  className={classes(
                    'flex h-8 w-full items-center justify-between rounded px-2 text-left hover:bg-hover',
                    chosen && 'font-medium text-accent',
                  )}
                >
                  {preset.label}
                  {chosen && <Icon name="check" size={14} />}
                </button>
              </li>
            );
          })}
        </ul>
        <Custom key={zone} range={range} zone={zone} onApply={choose} />
      </div>
      <div className="flex items-center justify-between border-t border-line px-3 py-2">
        <span className="text-muted">Show times in</span>
        <div className="flex rounded-md border border-line-strong p-0.5">
          {(['local', 'utc'] as const).map((choice) => (
            <button
              key={choice}
              type="button"
              aria-pressed={zone === choice}
              onClick={() => setZone(choice)}
              className={classes(
                'h-6 rounded px-2 text-xs',
                zone === choice ? 'bg-selected font-medium text-text' : 'text-muted hover:text-text',
              )}
            >
              {choice === 'utc' ? 'UTC' : `Local (${localOffset(now())})`}
            </button>
          ))}
        </div>
      </div>
    </Popover>
  );
}

function Custom({
  range,
  zone,
  onApply,
}: {
  range: TimeRange;
  zone: Zone;
  onApply: (range: TimeRange) => void;
}) {
  const [initial] = useState(() => {
    const { from, to } = resolveRange(range);
    return { from: formatExact(from, zone), to: formatExact(to ?? now(), zone) };
  });
  const [from, setFrom] = useState(initial.from);
  const [to, setTo] = useState(initial.to);
  const [tried, setTried] = useState(false);
  const start = parseTime(from, zone);
  const end = parseTime(to, zone);
  const expected = 'Write it as 2026-01-31 12:05:29.123456789';
  const fromProblem = start === null ? expected : undefined;
  const toProblem =
    end === null ? expected : start !== null && end <= start ? 'The end must lie after the start' : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (start !== null && end !== null && start < end) onApply({ kind: 'absolute', from: start, to: end });
  };
  return (
    <form onSubmit={submit} className="flex min-w-0 flex-1 flex-col gap-2.5 p-3">
      <MomentField label="From" value={from} onChange={setFrom} problem={tried ? fromProblem : undefined} />
      <MomentField label="To" value={to} onChange={setTo} problem={tried ? toProblem : undefined} />
      <Button type="submit" look="primary" className="mt-auto self-end">
        Apply
      </Button>
    </form>
  );
}

function MomentField(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  problem: string | undefined;
}) {
  const { label, problem } = props;
  const describedBy = problem === undefined ? undefined : `range-problem-${label}`;
  return (
    <label className="block">
      <span className="mb-1 block text-xs text-muted">{label}</span>
      <input
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
        spellCheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy}
        className="field tabular w-full font-mono text-xs"
      />
      {problem !== undefined && (
        <span id={describedBy} className="mt-1 block text-xs text-error">
          {problem}
        </span>
      )}
    </label>
  );
}
