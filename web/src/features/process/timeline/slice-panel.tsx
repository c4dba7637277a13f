import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { TimelineSlice, TimelineTrack } from '@/api/timeline';
import { formatDuration, formatExactDuration } from '@/base/durations';
import { between, type Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { formatExact, formatRfc3339 } from '@/base/times';
import { Button, buttonClass, IconButton } from '@/ui/button';
import { CopyButton } from '@/ui/copy';
import { Icon } from '@/ui/icons';
import { useZone } from '@/ui/preferences';
import { trackName } from './flame';

/** All that the timeline knows of a slice, and the way to its span. */
export function SlicePanel(props: {
  slice: TimelineSlice;
  track: TimelineTrack | undefined;
  origin: Nanos;
  onZoom: () => void;
  onClose: () => void;
}) {
  const { slice, track, origin } = props;
  const [zone] = useZone();
  const { several, span, errorCount } = slice;
  return (
    <aside
      aria-label="Slice"
      className="max-h-[45%] shrink-0 overflow-auto border-t border-line-strong bg-surface"
    >
      <header className="flex items-start gap-2 py-2 pr-2 pl-4">
        <h2 className="min-w-0 flex-1 py-1 font-semibold wrap-anywhere">
          {several === null
            ? slice.name || '(no name)'
            : `${formatCount(several.count)} spans, too short to be told apart here`}
        </h2>
        <Button icon="search" onClick={props.onZoom}>
          {several === null ? 'Zoom to it' : 'Zoom in to tell them apart'}
        </Button>
        {span !== null && (
          <Link
            to="/traces/$traceId"
            params={{ traceId: span.traceId }}
            search={{ span: span.spanId }}
            className={buttonClass('primary')}
          >
            <Icon name="traces" /> Open in its trace
          </Link>
        )}
        <IconButton icon="close" label="Close" shortcut="Esc" onClick={props.onClose} />
      </header>
      <dl className="tabular grid grid-cols-[repeat(auto-fill,minmax(15rem,1fr))] gap-x-6 gap-y-2 px-4 pb-3">
        <Fact name={several === null ? 'Start' : 'First start'}>
          {formatExact(slice.start, zone)}
          <CopyButton text={formatRfc3339(slice.start)} what="the start" />
        </Fact>
        <Fact name="After the beginning">{formatExactDuration(between(origin, slice.start))}</Fact>
        <Fact name={several === null ? 'Duration' : 'From the first to the last'}>
          {slice.duration === null ? (
            <span className="text-warn">open: it has not ended, as far as is known</span>
          ) : (
            <span title={formatDuration(slice.duration)}>{formatExactDuration(slice.duration)}</span>
          )}
        </Fact>
        {several !== null && (
          <>
            <Fact name="Together">{formatExactDuration(several.total)}</Fact>
            <Fact name="Longest">
              {formatExactDuration(several.longest)}, {slice.name || '(no name)'}
            </Fact>
          </>
        )}
        {track !== undefined && <Fact name="Thread">{trackName(track)}</Fact>}
        {errorCount > 0 && (
          <Fact name="Errors">
            <span className="text-error">
              {several === null ? 'It ended with an error.' : `${formatCount(errorCount)} of them`}
            </span>
          </Fact>
        )}
        {span !== null && (
          <>
            <Fact name="Span">
              <span className="font-mono text-xs">{span.spanId}</span>
              <CopyButton text={span.spanId} what="the id of the span" />
            </Fact>
            <Fact name="Trace">
              <span className="truncate font-mono text-xs">{span.traceId}</span>
              <CopyButton text={span.traceId} what="the id of the trace" />
            </Fact>
          </>
        )}
      </dl>
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-faint">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1 wrap-anywhere">{children}</dd>
    </div>
  );
}
