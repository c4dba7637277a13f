import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Process, ProcessStatistics } from '@/api/processes';
import { formatDuration, formatExactDuration } from '@/base/durations';
import { between, type Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { LEVEL_CLASS, type Level } from '@/base/severity';
import { rangeToSearch } from '@/base/time-range';
import { formatAge, formatExact, formatRfc3339, localOffset } from '@/base/times';
import { attributeText } from '@/base/values';
import { Attributes } from '@/ui/attributes';
import { CopyButton } from '@/ui/copy';
import { useNow } from '@/ui/now';
import { Problem } from './problem';

/** Who a process is, how long it ran, and what it has sent. */
export function ProcessInfo(props: {
  process: Process;
  /** `undefined` until it is counted. */
  statistics: ProcessStatistics | undefined;
  problem: Error | null;
  retry: () => void;
}) {
  const { process, statistics } = props;
  const start = process.start_time ?? statistics?.first_time ?? null;
  // When something happened last; when something was heard last, if nothing is known of that.
  const last = statistics?.last_time ?? process.last_update_time;
  const isKnown = statistics !== undefined || props.problem !== null;
  return (
    <div className="min-h-0 flex-1 overflow-auto">
      <div className="mx-auto max-w-7xl space-y-5 p-4">
        {statistics === undefined && props.problem !== null && (
          <Problem error={props.problem} retry={props.retry} />
        )}
        <section aria-label="Figures" className="grid grid-cols-[repeat(auto-fill,minmax(16rem,1fr))] gap-3">
          <Moment
            name="Start"
            time={process.start_time}
            otherwise="The program did not say when it started."
          />
          <Moment name="Last update" time={last} otherwise="" />
          <Card name="Duration" note="from the start to the last update">
            {start === null || statistics === undefined ? (
              <Counting isKnown={isKnown} />
            ) : (
              <>
                <Figure>{formatDuration(between(start, last))}</Figure>
                <Small>{formatExactDuration(between(start, last))}</Small>
              </>
            )}
          </Card>
          <Count
            name="Threads"
            isKnown={isKnown}
            count={statistics?.thread_count}
            note="that spans tell of"
          />
          <Count name="Spans" isKnown={isKnown} count={statistics?.span_count}>
            {statistics !== undefined && (
              <Parts
                parts={[
                  ['with errors', statistics.error_count, 'text-error'],
                  ['open', statistics.open_span_count, 'text-warn'],
                ]}
              />
            )}
          </Count>
          <Count name="Traces" isKnown={isKnown} count={statistics?.trace_count}>
            <TracesLink process={process} statistics={statistics} />
          </Count>
          <Count name="Log records" isKnown={isKnown} count={statistics?.log_count}>
            {statistics !== undefined && (
              <Parts
                parts={LEVELS.map(([level, key]) => [level, statistics.levels[key], LEVEL_CLASS[level]])}
              />
            )}
          </Count>
          <Count name="Metrics" isKnown={isKnown} count={statistics?.metric_count}>
            {statistics !== undefined && (
              <Small>{formatCount(BigInt(statistics.metric_point_count))} data points</Small>
            )}
          </Count>
        </section>
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <Panel title="Identity">
            <dl className="grid grid-cols-[9rem_minmax(0,1fr)] gap-y-1.5 px-4">
              <Fact name="Process id" value={process.process_id} mono />
              <Fact name="Service" value={process.service_name} />
              <Fact name="Namespace" value={process.service_namespace} />
              <Fact name="Version" value={process.service_version} />
              <Fact name="Instance" value={process.service_instance_id} mono />
              <Fact name="Environment" value={process.environment} />
              <Fact name="PID" value={process.pid} />
              <Fact name="Executable" value={process.executable} mono />
              <Fact name="Command" value={process.command_line} mono />
              <Fact name="User" value={process.user_name} />
              <Fact name="Computer" value={process.host_name} />
              <Fact name="System" value={together(process.os, process.arch)} />
              <Fact name="Runtime" value={process.runtime} />
              <Fact name="SDK" value={process.sdk_language} />
              {process.parent_process_id !== undefined && (
                <>
                  <dt className="text-faint">Started by</dt>
                  <dd className="font-mono text-xs wrap-anywhere">
                    <Link
                      to="/processes/$processId"
                      params={{ processId: process.parent_process_id }}
                      className="text-accent hover:underline"
                    >
                      {process.parent_process_id}
                    </Link>
                  </dd>
                </>
              )}
              <Fact name="First heard of" value={`${formatExact(process.first_seen, 'utc')} UTC`} />
            </dl>
          </Panel>
          <Panel title="Properties">
            {process.resource.length === 0 ? (
              <p className="px-4 text-muted">It sent none.</p>
            ) : (
              <Attributes attributes={process.resource} label="Properties of the process" />
            )}
          </Panel>
        </div>
      </div>
    </div>
  );
}

const LEVELS: readonly (readonly [Level, keyof ProcessStatistics['levels']])[] = [
  ['FATAL', 'fatal'],
  ['ERROR', 'error'],
  ['WARN', 'warn'],
  ['INFO', 'info'],
  ['DEBUG', 'debug'],
  ['TRACE', 'trace'],
];

function together(...parts: (string | undefined)[]): string | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.join(' ');
}

function Card(props: { name: string; note?: string; children: ReactNode }) {
  return (
    <section
      aria-label={props.name}
      className="flex min-h-28 flex-col rounded-lg border border-line bg-surface p-4"
    >
      <h2 className="text-xs text-faint" title={props.note}>
        {props.name}
      </h2>
      {props.children}
    </section>
  );
}

function Figure({ children }: { children: ReactNode }) {
  return <p className="tabular mt-1 text-xl font-semibold tracking-tight">{children}</p>;
}

function Small({ children }: { children: ReactNode }) {
  return <p className="tabular mt-1 text-xs text-muted">{children}</p>;
}

/** Until the server has counted. */
function Counting({ isKnown }: { isKnown: boolean }) {
  return isKnown ? (
    <Figure>–</Figure>
  ) : (
    <div role="status" aria-label="Counting" className="mt-2.5 skeleton h-5 w-24" />
  );
}

function Count(props: {
  name: string;
  count: string | undefined;
  /** Whether it was tried to count. */
  isKnown: boolean;
  note?: string;
  children?: ReactNode;
}) {
  return (
    <Card name={props.name} {...(props.note === undefined ? {} : { note: props.note })}>
      {props.count === undefined ? (
        <Counting isKnown={props.isKnown} />
      ) : (
        <Figure>{formatCount(BigInt(props.count))}</Figure>
      )}
      {props.children}
    </Card>
  );
}

/** Parts of a number that are not zero. */
function Parts({ parts }: { parts: readonly (readonly [name: string, count: string, colour: string])[] }) {
  const some = parts.filter(([, count]) => count !== '0');
  if (some.length === 0) return null;
  return (
    <ul className="tabular mt-1 flex flex-wrap gap-x-3 text-xs">
      {some.map(([name, count, colour]) => (
        <li key={name} className={colour}>
          {formatCount(BigInt(count))} {name}
        </li>
      ))}
    </ul>
  );
}

/** A moment to the nanosecond, in both clocks. */
function Moment({ name, time, otherwise }: { name: string; time: Nanos | null; otherwise: string }) {
  const now = useNow(5_000);
  return (
    <Card name={name}>
      {time === null ? (
        <>
          <Figure>–</Figure>
          <Small>{otherwise}</Small>
        </>
      ) : (
        <>
          <Figure>{formatAge(time, now)}</Figure>
          <p className="tabular mt-1 flex items-center gap-1 text-xs text-muted">
            {formatExact(time, 'utc')} UTC
            <CopyButton text={formatRfc3339(time)} what={`${name.toLowerCase()} in UTC`} />
          </p>
          <p className="tabular flex items-center gap-1 text-xs text-muted">
            {formatExact(time, 'local')} {localOffset(time)}
            <CopyButton
              text={`${formatExact(time, 'local').replace(' ', 'T')}${localOffset(time).replace('−', '-')}`}
              what={`${name.toLowerCase()} in local time`}
            />
          </p>
        </>
      )}
    </Card>
  );
}

/** Its traces are found by the instance that it says it is, in all the time that it tells of. */
function TracesLink(props: { process: Process; statistics: ProcessStatistics | undefined }) {
  const { process, statistics } = props;
  const instance = attributeText(process.resource, 'service.instance.id');
  const first = statistics?.first_time ?? null;
  const last = statistics?.last_time ?? null;
  if (instance === undefined || instance.length > 1_000 || first === null || last === null) return null;
  const range = rangeToSearch({ kind: 'absolute', from: first, to: (last + 1n) as Nanos });
  return (
    <p className="mt-1 text-xs">
      <Link
        to="/traces"
        search={{ ...range, service: process.service_name, attr: [`service.instance.id=${instance}`] }}
        className="text-accent hover:underline"
      >
        Show traces of this instance
      </Link>
    </p>
  );
}

function Panel({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="rounded-lg border border-line bg-surface pt-3 pb-4">
      <h2 className="px-4 pb-2 font-medium">{title}</h2>
      {children}
    </section>
  );
}

function Fact({ name, value, mono = false }: { name: string; value: string | undefined; mono?: boolean }) {
  if (value === undefined || value === '') return null;
  return (
    <>
      <dt className="text-faint">{name}</dt>
      <dd className="flex min-w-0 items-start gap-1">
        <span className={mono ? 'font-mono text-xs leading-5 wrap-anywhere' : 'wrap-anywhere'}>
          {value.length > 4_000 ? `${value.slice(0, 4_000)}…` : value}
        </span>
        <CopyButton text={value} what={name.toLowerCase()} />
      </dd>
    </>
  );
}
