import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type PerfettoInfo, perfettoInfoQuery, type RowKind, type TraceRequest } from '@/api/perfetto';
import type { Process } from '@/api/processes';
import type { Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { formatBytes } from '@/base/sizes';
import { formatExact, localOffset, parseTime, type Zone } from '@/base/times';
import { Button } from '@/ui/button';
import { openInPerfetto } from '@/ui/perfetto';
import { perfettoAddress } from '@/ui/perfetto-address';
import { useZone } from '@/ui/preferences';
import { ErrorState } from '@/ui/states';
import { useStored } from '@/ui/stored';
import { noteError } from '@/ui/toasts';
import { CheckTraces } from './check';
import { fileNameOf } from './file-name';
import { JobList } from './job-list';
import { cancel, enqueue, useJobs } from './jobs';
import { fileTarget, memoryTarget } from './targets';

/** Makes Perfetto traces of a process: of which rows, from when to when, and where they go. */
export function GenerateTrace({ process }: { process: Process }) {
  const query = useQuery(perfettoInfoQuery(process.process_id));
  const jobs = useJobs(process.process_id);
  return (
    <div className="min-h-0 flex-1 overflow-auto">
      <div className="mx-auto grid max-w-7xl items-start gap-5 p-4 lg:grid-cols-2">
        {query.data !== undefined ? (
          <Form process={process} info={query.data} />
        ) : query.isError ? (
          <ErrorState
            title="What there is could not be counted"
            error={query.error}
            retry={() => void query.refetch()}
          />
        ) : (
          <div
            role="status"
            aria-label="Counting what there is"
            className="h-96 rounded-lg border border-line bg-surface p-4"
          >
            <div className="skeleton h-4 w-40" />
          </div>
        )}
        <div className="space-y-5">
          <JobList jobs={jobs} />
          <CheckTraces />
        </div>
      </div>
    </div>
  );
}

function Form({ process, info }: { process: Process; info: PerfettoInfo }) {
  const [zone] = useZone();
  const [address] = useStored(perfettoAddress);
  const choices: readonly { kind: RowKind; label: string; count: string }[] = [
    { kind: 'thread', label: 'Spans of threads', count: info.counts.thread },
    { kind: 'async', label: 'Other spans', count: info.counts.async },
    { kind: 'logs', label: 'Log records', count: info.counts.logs },
    { kind: 'metrics', label: 'Metric data points', count: info.counts.metrics },
  ];
  const there = choices.filter(({ count }) => count !== '0').map(({ kind }) => kind);
  const [without, setWithout] = useState<readonly RowKind[]>([]);
  // As typed; `null` for the whole life of the process.
  const [begin, setBegin] = useState<string | null>(null);
  const [end, setEnd] = useState<string | null>(null);
  const [name, setName] = useState(() => fileNameOf(process));

  const kinds = there.filter((kind) => !without.includes(kind));
  const from = readBound(begin, info.begin, info, zone);
  const to = readBound(end, info.end, info, zone);
  const isEmpty = typeof from === 'bigint' && typeof to === 'bigint' && from > to;
  const problems = {
    kinds: there.length === 0 ? 'It has sent nothing.' : kinds.length === 0 ? 'Choose at least one.' : null,
    begin: typeof from === 'string' ? from : null,
    end: typeof to === 'string' ? to : isEmpty ? 'The end must not be before the beginning.' : null,
    name: name.trim() === '' ? 'A file needs a name.' : null,
  };
  const isReady = Object.values(problems).every((problem) => problem === null);
  const isWhole = begin === null && end === null && without.length === 0;
  const request: TraceRequest = {
    kinds,
    ...(begin !== null && typeof from === 'bigint' ? { begin: from } : {}),
    // The server leaves out what is at the end; here it is part of what is chosen.
    ...(end !== null && typeof to === 'bigint' ? { end: (to + 1n) as Nanos } : {}),
  };
  const fileName = `${name.trim()}.pftrace`;

  const save = () => {
    fileTarget(fileName)
      .then((target) => {
        if (target !== null) enqueue(process.process_id, fileName, request, target);
      })
      .catch((error: unknown) => noteError('The file cannot be written', String(error)));
  };
  const show = () => {
    const { promise, resolve, reject } = Promise.withResolvers<ArrayBuffer>();
    const target = memoryTarget(
      (blob) => void blob.arrayBuffer().then(resolve, reject),
      () => reject(new Error('the trace was not made')),
    );
    const job = enqueue(process.process_id, fileName, request, target);
    openInPerfetto(address, name.trim(), fileName, promise).catch((error: unknown) => {
      // Nobody takes it.
      cancel(job);
      noteError(`Not shown in Perfetto: ${error instanceof Error ? error.message : String(error)}`);
    });
  };

  return (
    <form
      aria-label="Generate a Perfetto trace"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) save();
      }}
      className="space-y-5 rounded-lg border border-line bg-surface p-4"
    >
      <fieldset className="space-y-1.5">
        <legend className="pb-1.5 font-medium">What</legend>
        {choices.map(({ kind, label, count }) => (
          <label key={kind} className="flex items-center gap-2">
            <input
              type="checkbox"
              checked={kinds.includes(kind)}
              disabled={count === '0'}
              onChange={({ target }) =>
                setWithout(target.checked ? without.filter((other) => other !== kind) : [...without, kind])
              }
              className="size-4 accent-accent"
            />
            {label}
            <span className="tabular ml-auto text-muted">{formatCount(BigInt(count))}</span>
          </label>
        ))}
        <Hint problem={problems.kinds} />
      </fieldset>
      <fieldset className="space-y-3">
        <legend className="flex w-full items-center justify-between pb-1.5 font-medium">
          When
          <Button
            look="ghost"
            small
            className="font-normal"
            disabled={begin === null && end === null}
            onClick={() => {
              setBegin(null);
              setEnd(null);
            }}
          >
            Reset
          </Button>
        </legend>
        <TimeField
          label="Begin"
          text={begin ?? textOf(info.begin, zone)}
          problem={problems.begin}
          onChange={setBegin}
        />
        <TimeField
          label="End"
          text={end ?? textOf(info.end, zone)}
          problem={problems.end}
          onChange={setEnd}
        />
        <p className="text-xs text-faint">
          {zone === 'utc' ? 'In UTC' : 'In local time'}, to the nanosecond, both ends included; unless
          changed, all there is. Spans that began before are cut.
        </p>
      </fieldset>
      <Field label="Name" problem={problems.name}>
        <div className="flex items-center gap-1.5">
          <input
            value={name}
            onChange={(event) => setName(event.target.value)}
            aria-label="Name of the file"
            aria-invalid={problems.name !== null}
            spellCheck={false}
            autoComplete="off"
            className="field min-w-0 flex-1"
          />
          <span className="text-muted">.pftrace</span>
        </div>
      </Field>
      <p className="tabular text-xs text-muted">
        {isWhole
          ? `About ${formatBytes(Number(info.estimated_bytes))}, written in ${formatSeconds(info.estimated_seconds)}.`
          : `All of it would be about ${formatBytes(Number(info.estimated_bytes))}.`}
      </p>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" icon="download" disabled={!isReady}>
          Generate
        </Button>
        <Button disabled={!isReady} onClick={show}>
          Open in Perfetto
        </Button>
      </div>
    </form>
  );
}

/** As it is typed: local time tells its offset, since an hour comes twice when clocks are put back. */
function textOf(time: Nanos | null, zone: Zone): string {
  if (time === null) return '';
  return zone === 'utc'
    ? formatExact(time, zone)
    : `${formatExact(time, zone)}${localOffset(time).replace('−', '-')}`;
}

/** A bound as typed: a time within those of the rows, or why it is none; what is there when nothing was typed. */
function readBound(
  typed: string | null,
  usual: Nanos | null,
  { begin, end }: PerfettoInfo,
  zone: Zone,
): Nanos | string | null {
  if (typed === null) return usual;
  const time = parseTime(typed, zone);
  if (time === null) return 'Not a time: write 2026-01-31 12:05:29.123456789.';
  if (begin !== null && time < begin) return `Nothing is earlier than ${formatExact(begin, zone)}.`;
  if (end !== null && time > end) return `Nothing is later than ${formatExact(end, zone)}.`;
  return time;
}

function formatSeconds(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  return seconds < 90 ? `about ${Math.ceil(seconds)} s` : `about ${Math.ceil(seconds / 60)} min`;
}

function Field(props: { label: string; problem: string | null; children: ReactNode }) {
  return (
    <div className="space-y-1">
      <span className="block text-xs text-muted">{props.label}</span>
      {props.children}
      <Hint problem={props.problem} />
    </div>
  );
}

function TimeField(props: {
  label: string;
  text: string;
  problem: string | null;
  onChange: (text: string) => void;
}) {
  return (
    <Field label={props.label} problem={props.problem}>
      <input
        value={props.text}
        onChange={(event) => props.onChange(event.target.value)}
        aria-label={props.label}
        aria-invalid={props.problem !== null}
        spellCheck={false}
        autoComplete="off"
        className="field tabular w-full"
      />
    </Field>
  );
}

function Hint({ problem }: { problem: string | null }) {
  return problem === null ? null : (
    <p role="alert" className="text-xs text-error">
      {problem}
    </p>
  );
}
