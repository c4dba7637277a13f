import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { type Span, type SpanDetails, spanQuery } from '@/api/traces';
import { formatDuration, formatExactDuration } from '@/base/durations';
import { after, between, type Duration, fromDrawable, type Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { formatExact, formatRfc3339, localOffset } from '@/base/times';
import { attributeText } from '@/base/values';
import { Attributes } from '@/ui/attributes';
import { Button, IconButton } from '@/ui/button';
import { CopyButton } from '@/ui/copy';
import { Icon } from '@/ui/icons';
import { ServiceName } from '@/ui/service';
import { Section } from './section';
import { SpanEvents } from './span-events';
import { SpanLogs } from './span-logs';
import type { SpanShape, TraceNode, TraceTree } from './tree';

/** All that is known of one span. */
export function SpanPanel(props: {
  tree: TraceTree;
  node: TraceNode;
  /** What the span took of the trace, in nanoseconds. */
  self: number;
  critical: number;
  onClose: () => void;
  onSelect: (index: number) => void;
  onZoom: () => void;
}) {
  const { tree, node } = props;
  const { span } = node;
  const parent = tree.node(node.parent);
  return (
    <aside aria-label="Span" className="flex min-h-0 flex-1 flex-col bg-surface">
      <header className="flex shrink-0 items-start gap-1 border-b border-line py-2 pr-2 pl-4">
        <div className="min-w-0 flex-1 py-0.5">
          {span === null ? (
            <h2 className="font-medium text-faint italic">Missing span</h2>
          ) : (
            <>
              <h2 className="text-sm font-semibold wrap-anywhere">
                {span.name === '' ? '(no name)' : span.name}
              </h2>
              <p className="flex flex-wrap items-center gap-x-2 text-muted">
                <ServiceName service={span.service} />
                {span.kind !== 'UNSPECIFIED' && (
                  <span className="text-xs text-faint">{span.kind.toLowerCase()}</span>
                )}
              </p>
            </>
          )}
        </div>
        {parent !== undefined && (
          <IconButton
            icon="chevronUp"
            label="Go to the parent"
            shortcut="h"
            small
            onClick={() => props.onSelect(parent.index)}
          />
        )}
        <IconButton icon="search" label="Zoom to this span" shortcut="z" small onClick={props.onZoom} />
        <IconButton icon="close" label="Close" shortcut="Esc" small onClick={props.onClose} />
      </header>
      <div
        tabIndex={0}
        role="region"
        aria-label="Details of the span"
        className="min-h-0 flex-1 overflow-auto pb-6 -outline-offset-2"
      >
        {span === null ? <Missing node={node} /> : <Known {...props} span={span} />}
      </div>
    </aside>
  );
}

function Missing({ node }: { node: TraceNode }) {
  return (
    <div className="space-y-2 p-4 text-muted">
      <p>
        {node.children === 1 ? 'A span names' : `${formatCount(node.children)} spans name`} this one as the
        parent, but it has not arrived. It may be on its way, not sampled, or of a program that does not send
        here.
      </p>
      <p className="flex items-center gap-1 font-mono text-xs text-text">
        {node.spanId}
        <CopyButton text={node.spanId} what="the span id" />
      </p>
    </div>
  );
}

/** How long a span stays selected before the server is asked about it: whoever walks through rows needs no answer. */
const REST_MS = 60;

function useRested(): boolean {
  const [rested, setRested] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setRested(true), REST_MS);
    return () => clearTimeout(timer);
  }, []);
  return rested;
}

/** What the outline tells at once, and all that the span carries when it has come. */
function Known({
  tree,
  node,
  span,
  self,
  critical,
}: {
  tree: TraceTree;
  node: TraceNode;
  span: SpanShape;
  self: number;
  critical: number;
}) {
  const rested = useRested();
  const query = useQuery({ ...spanQuery(tree.traceId, node.spanId), enabled: rested });
  const parent = tree.node(node.parent);
  const start = after(tree.start, fromDrawable(node.start));
  return (
    <>
      {query.data !== undefined && node.marks.failed && <Failure span={query.data.span} />}
      {parent?.span != null && node.marks.early && (
        <Note>
          Starts {formatDuration(fromDrawable(parent.start - node.start))} before its parent: the clocks of
          two computers differ, or the sender is wrong. It is shown where it says it was.
        </Note>
      )}
      {node.marks.open && <Note>No end has arrived: it is running, or its program was stopped.</Note>}
      {node.marks.cyclic && <Note>Its parents lead back to itself, so it is shown as a root.</Note>}
      <Times
        start={query.data?.span.start_time ?? start}
        end={
          query.data === undefined ? span.duration && after(start, span.duration) : query.data.span.end_time
        }
        isOk={query.data?.span.status_code === 'OK'}
        traceStart={tree.start}
        self={self}
        critical={critical}
      />
      {query.data !== undefined ? (
        <Details {...query.data} />
      ) : query.isError ? (
        <p role="alert" className="flex items-center gap-3 px-4 text-error">
          {query.error.message}
          <Button onClick={() => void query.refetch()}>Try again</Button>
        </p>
      ) : (
        <div role="status" aria-label="Loading the span" className="space-y-2 px-4 py-3">
          {[70, 45, 60, 50].map((width) => (
            <div key={width} className="skeleton h-4" style={{ width: `${width}%` }} />
          ))}
        </div>
      )}
    </>
  );
}

function Details({ span, process }: SpanDetails) {
  const dropped = span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count;
  return (
    <>
      <Section title="Attributes" count={span.attributes.length} empty="The span has no attributes.">
        <Attributes attributes={span.attributes} label="Attributes of the span" />
      </Section>
      <Section title="Events" count={span.events.length}>
        <SpanEvents events={span.events} start={span.start_time} />
      </Section>
      <SpanLogs traceId={span.trace_id} spanId={span.span_id} start={span.start_time} />
      <Section title="Links" count={span.links.length}>
        <ul className="space-y-3">
          {span.links.map((link, at) => (
            <li key={at} className="px-4">
              <p className="flex items-center gap-1 font-mono text-xs">
                <Link
                  to="/traces/$traceId"
                  params={{ traceId: link.trace_id }}
                  search={{ span: link.span_id }}
                  className="inline-flex min-w-0 items-center gap-1.5 text-accent hover:underline"
                >
                  <Icon name="link" size={13} />
                  <span className="truncate">
                    {link.trace_id === span.trace_id ? 'this trace' : link.trace_id} · {link.span_id}
                  </span>
                </Link>
                <CopyButton text={link.trace_id} what="the trace id of the link" />
              </p>
              {link.attributes.length > 0 && (
                <div className="-mx-4 mt-1">
                  <Attributes attributes={link.attributes} label={`Attributes of link ${at + 1}`} />
                </div>
              )}
            </li>
          ))}
        </ul>
      </Section>
      <Section
        title="Process"
        count={process?.resource.length ?? 0}
        empty="Nothing is known of the process."
        initiallyOpen={false}
      >
        {process !== null && <Attributes attributes={process.resource} label="Attributes of the process" />}
      </Section>
      <Section title="Identity" initiallyOpen={false}>
        <dl className="grid grid-cols-[7rem_minmax(0,1fr)] gap-y-0.5 px-4">
          <Id name="Span id" value={span.span_id} />
          <Id name="Parent span id" value={span.parent_span_id ?? ''} />
          <Id name="Trace id" value={span.trace_id} />
          <Id name="Process id" value={span.process_id} />
          <Id name="Thread" value={[span.thread_name, span.thread_id].filter(Boolean).join(' · ')} />
          <Id name="Scope" value={[span.scope_name, span.scope_version].filter(Boolean).join(' ')} />
          <Id name="Trace state" value={span.trace_state} />
        </dl>
      </Section>
      {dropped > 0 && (
        <p className="px-4 pt-3 text-xs text-warn">
          The sender left out {formatCount(span.dropped_attributes_count)} attributes,{' '}
          {formatCount(span.dropped_events_count)} events and {formatCount(span.dropped_links_count)} links.
        </p>
      )}
    </>
  );
}

/** Why the span failed, in the sender's words. */
function Failure({ span }: { span: Span }) {
  const exception = span.events.findLast(({ name }) => name === 'exception');
  const type = exception && attributeText(exception.attributes, 'exception.type');
  const message = exception && attributeText(exception.attributes, 'exception.message');
  const text = span.status_message || message;
  return (
    <div className="mx-4 mt-3 flex gap-2 rounded-md bg-error-soft px-3 py-2 text-error">
      <Icon name="error" size={14} className="mt-[3px]" />
      <div className="min-w-0 wrap-anywhere">
        <p className="font-medium">{type ?? 'Error'}</p>
        {text !== undefined && text !== '' && <p className="max-h-40 overflow-auto text-text">{text}</p>}
      </div>
    </div>
  );
}

function Note({ children }: { children: ReactNode }) {
  return (
    <p className="mx-4 mt-3 flex gap-2 rounded-md bg-warn-soft px-3 py-2 text-text">
      <Icon name="warning" size={14} className="mt-[3px] text-warn" />
      <span>{children}</span>
    </p>
  );
}

/** Exact times, in UTC and in local time. */
function Times(props: {
  start: Nanos;
  /** `null` for an open span. */
  end: Nanos | null;
  isOk: boolean;
  traceStart: Nanos;
  self: number;
  critical: number;
}) {
  const { start, end } = props;
  const length = end === null ? null : between(start, end);
  return (
    <dl className="tabular grid grid-cols-[5rem_minmax(0,1fr)] gap-y-1 px-4 py-3">
      <Row name="Duration">
        {length === null ? (
          <span className="text-warn">open</span>
        ) : (
          <>
            <span className="font-medium">{formatExactDuration(length)}</span>
            <CopyButton text={length.toString()} what="the duration in nanoseconds" />
          </>
        )}
      </Row>
      {length !== null && length > 0n && (
        <Row name="Of that">
          <span>
            {shareText(fromDrawable(props.self), length)} its own
            {props.critical > 0 && `, ${shareText(fromDrawable(props.critical), length)} waited for`}
          </span>
        </Row>
      )}
      <Row name="Offset">{formatExactDuration(between(props.traceStart, start))}</Row>
      <Moment name="Start" time={start} />
      {end !== null && <Moment name="End" time={end} />}
      {props.isOk && (
        <Row name="Status">
          <span className="text-ok">OK</span>
        </Row>
      )}
    </dl>
  );
}

function shareText(part: Duration, whole: Duration): string {
  return `${formatDuration(part)} (${Math.round((Number(part) / Number(whole)) * 100)} %)`;
}

function Moment({ name, time }: { name: string; time: Nanos }) {
  return (
    <Row name={name}>
      <span className="font-mono text-xs">
        {formatExact(time, 'local')} <span className="text-faint">{localOffset(time)}</span>
        <br />
        {formatExact(time, 'utc')} <span className="text-faint">UTC</span>
      </span>
      <CopyButton text={formatRfc3339(time)} what={`the ${name.toLowerCase()} time`} />
    </Row>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-faint">{name}</dt>
      <dd className="flex min-w-0 items-start gap-1">{children}</dd>
    </>
  );
}

function Id({ name, value }: { name: string; value: string }) {
  if (value === '') return null;
  return (
    <>
      <dt className="text-faint">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1 font-mono text-xs">
        <span className="truncate" title={value}>
          {value}
        </span>
        <CopyButton text={value} what={`the ${name.toLowerCase()}`} />
      </dd>
    </>
  );
}
