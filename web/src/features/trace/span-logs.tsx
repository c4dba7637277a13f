import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { LogRecord } from '@/api/logs';
import { MOST_SPAN_LOGS, spanLogsQuery } from '@/api/traces';
import { formatDuration } from '@/base/durations';
import { between, type Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { formatClock, formatExact } from '@/base/times';
import { textOf } from '@/base/values';
import { Attributes } from '@/ui/attributes';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { Level } from '@/ui/level';
import { useZone } from '@/ui/preferences';
import { Section } from './section';

/** The log records that were written within the span. */
export function SpanLogs({ traceId, spanId, start }: { traceId: string; spanId: string; start: Nanos }) {
  const query = useQuery(spanLogsQuery(traceId, spanId));
  if (query.isError) {
    return (
      <Section title="Logs">
        <p role="alert" className="flex items-center gap-3 px-4 text-error">
          {query.error.message}
          <Button onClick={() => void query.refetch()}>Try again</Button>
        </p>
      </Section>
    );
  }
  if (query.data === undefined) {
    return (
      <Section title="Logs">
        <div className="mx-4 skeleton h-4 w-2/3" />
      </Section>
    );
  }
  return (
    <Section title="Logs" count={query.data.length} empty="No log record names this span.">
      <ol aria-label="Log records">
        {query.data.map((log, at) => (
          <Line key={at} log={log} start={start} />
        ))}
      </ol>
      {query.data.length >= MOST_SPAN_LOGS && (
        <p className="px-4 pt-2 text-xs text-faint">
          These are the first {formatCount(MOST_SPAN_LOGS)}; there may be more.
        </p>
      )}
    </Section>
  );
}

function Line({ log, start }: { log: LogRecord; start: Nanos }) {
  const [zone] = useZone();
  const [open, setOpen] = useState(false);
  const text = textOf(log.body) || log.event_name;
  return (
    <li>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex w-full items-baseline gap-2 px-4 py-[3px] text-left font-mono text-xs -outline-offset-2 hover:bg-hover"
      >
        <span
          className="tabular shrink-0 text-faint"
          title={`${formatExact(log.time, zone)}, ${formatDuration(between(start, log.time))} after the start of the span`}
        >
          {formatClock(log.time, zone, 3)}
        </span>
        <Level number={log.severity_number} text={log.severity_text} />
        <span className={classes('min-w-0 wrap-anywhere whitespace-pre-wrap', !open && 'line-clamp-3')}>
          {text.slice(0, 100_000)}
        </span>
      </button>
      {open && (
        <div className="pb-2">
          <p className="px-4 pb-1 text-xs text-faint">
            {formatExact(log.time, zone)} · {log.scope_name === '' ? log.service_name : log.scope_name}
          </p>
          {log.attributes.length > 0 && (
            <Attributes attributes={log.attributes} label="Attributes of the log record" />
          )}
        </div>
      )}
    </li>
  );
}
