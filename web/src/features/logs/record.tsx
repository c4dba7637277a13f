import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type LogRecord, logsAroundQuery } from '@/api/logs';
import { formatCount } from '@/base/numbers';
import { formatExact, formatRfc3339 } from '@/base/times';
import { prettyOf, textOf } from '@/base/values';
import { Attributes } from '@/ui/attributes';
import { Button, buttonClass } from '@/ui/button';
import { classes } from '@/ui/classes';
import { CopyButton } from '@/ui/copy';
import { Icon } from '@/ui/icons';
import { Level } from '@/ui/level';
import { useZone } from '@/ui/preferences';

/** Characters of a body that are shown. */
const MOST_TEXT = 100_000;

/** A record as one reads it: its body, or the name of the event that it is. */
export function textOfRecord(record: LogRecord): string {
  return textOf(record.body) || record.event_name;
}

/** All that a record carries, and the ways from it to its trace, its process, and the lines around it. */
export function RecordDetails({ record, isOfProcess }: { record: LogRecord; isOfProcess: boolean }) {
  const [zone] = useZone();
  const [around, setAround] = useState(0);
  const { body } = record;
  const isStructured = body.kvlistValue != null || body.arrayValue != null;
  const text = isStructured ? prettyOf(body) : textOfRecord(record);
  return (
    <div className="border-y border-line bg-page pt-2 pb-3">
      <div className="flex flex-wrap items-center gap-2 px-4">
        {record.trace_id !== undefined && (
          <Link
            to="/traces/$traceId"
            params={{ traceId: record.trace_id }}
            search={record.span_id === undefined ? {} : { span: record.span_id }}
            className={buttonClass('outline')}
          >
            <Icon name="traces" /> Open its trace
          </Link>
        )}
        {!isOfProcess && (
          <Link
            to="/processes/$processId"
            params={{ processId: record.process_id }}
            className={buttonClass('outline')}
          >
            <Icon name="processes" /> Open its process
          </Link>
        )}
        <Button icon="expand" aria-expanded={around > 0} onClick={() => setAround(around > 0 ? 0 : 10)}>
          {around > 0 ? 'Hide the lines around' : 'Lines around it'}
        </Button>
      </div>
      {around > 0 && <Around record={record} lines={around} more={() => setAround(around + 20)} />}
      <div className="relative mt-2 px-4">
        <pre
          role="region"
          tabIndex={0}
          aria-label="Body"
          className="max-h-96 overflow-auto font-mono text-xs wrap-anywhere whitespace-pre-wrap"
        >
          {text.slice(0, MOST_TEXT)}
          {text.length > MOST_TEXT &&
            `… and ${formatCount(text.length - MOST_TEXT)} more characters: copy it to have all`}
        </pre>
        {text !== '' && (
          <span className="absolute top-0 right-3">
            <CopyButton text={text} what="the body" />
          </span>
        )}
      </div>
      <dl className="tabular mt-2 flex flex-wrap gap-x-6 gap-y-1 px-4 text-xs text-muted">
        <Fact name="Time" value={`${formatExact(record.time, zone)}`} copy={formatRfc3339(record.time)} />
        {record.observed_time !== null && record.observed_time !== record.time && (
          <Fact name="Observed" value={formatExact(record.observed_time, zone)} />
        )}
        <Fact
          name="Severity"
          value={`${record.severity_number}${record.severity_text === '' ? '' : ` ${record.severity_text}`}`}
        />
        {record.scope_name !== '' && <Fact name="Scope" value={record.scope_name} />}
        {record.event_name !== '' && <Fact name="Event" value={record.event_name} />}
        {record.trace_id !== undefined && (
          <Fact name="Trace" value={record.trace_id} copy={record.trace_id} />
        )}
        {record.span_id !== undefined && <Fact name="Span" value={record.span_id} copy={record.span_id} />}
      </dl>
      {record.attributes.length > 0 && (
        <div className="mt-2">
          <Attributes attributes={record.attributes} label="Attributes of the log record" of="logs" />
        </div>
      )}
    </div>
  );
}

function Fact({ name, value, copy }: { name: string; value: string; copy?: string }) {
  return (
    <div className="flex min-w-0 items-center gap-1.5">
      <dt className="text-faint">{name}</dt>
      <dd className="flex items-center gap-1 wrap-anywhere">
        {value}
        {copy !== undefined && <CopyButton text={copy} what={name.toLowerCase()} />}
      </dd>
    </div>
  );
}

/** What the process wrote just before and after a record, whatever is searched for. */
function Around({ record, lines, more }: { record: LogRecord; lines: number; more: () => void }) {
  const [zone] = useZone();
  const query = useQuery({
    ...logsAroundQuery(record.process_id, record.time, lines, lines + 1),
    placeholderData: keepPreviousData,
  });
  if (query.isError) {
    return (
      <p role="alert" className="flex items-center gap-3 px-4 pt-2 text-error">
        {query.error.message}
        <Button onClick={() => void query.refetch()}>Try again</Button>
      </p>
    );
  }
  if (query.data === undefined) return <div className="mx-4 mt-2 skeleton h-40" />;
  const { earlier, later } = query.data;
  const all = [...earlier.logs, ...later.logs];
  return (
    <div className="mx-4 mt-2 rounded-md border border-line bg-surface py-1">
      <ol aria-label="Lines around it">
        {all.map((other, at) => (
          <li
            key={at}
            aria-current={isSame(other, record) ? 'true' : undefined}
            className={classes(
              'flex items-baseline gap-2 px-3 py-px font-mono text-xs',
              isSame(other, record) && 'bg-selected',
            )}
          >
            <span className="tabular shrink-0 text-faint">{formatExact(other.time, zone).slice(11, 23)}</span>
            <Level number={other.severity_number} text={other.severity_text} />
            <span className="line-clamp-2 min-w-0 wrap-anywhere">{textOfRecord(other).slice(0, 2_000)}</span>
          </li>
        ))}
      </ol>
      {(earlier.nextCursor !== null || later.nextCursor !== null) && (
        <Button look="ghost" onClick={more} className="mx-1">
          More lines
        </Button>
      )}
    </div>
  );
}

function isSame(a: LogRecord, b: LogRecord): boolean {
  return a.time === b.time && a.span_id === b.span_id && textOfRecord(a) === textOfRecord(b);
}
