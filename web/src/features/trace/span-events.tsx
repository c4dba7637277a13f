import { useState } from 'react';
import type { SpanEvent } from '@/api/traces';
import { formatDuration } from '@/base/durations';
import { between, type Nanos } from '@/base/nanos';
import { formatExact } from '@/base/times';
import { attributeText } from '@/base/values';
import { Attributes } from '@/ui/attributes';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { useZone } from '@/ui/preferences';

/** Events that are shown before one asks for the rest. */
const FIRST = 50;
const STACK = 'exception.stacktrace';

/** The span's events, with the time since its start. */
export function SpanEvents({ events, start }: { events: readonly SpanEvent[]; start: Nanos }) {
  const [zone] = useZone();
  const [all, setAll] = useState(false);
  const shown = all ? events : events.slice(0, FIRST);
  return (
    <ol className="space-y-2">
      {shown.map((event, at) => {
        const stack = attributeText(event.attributes, STACK);
        const rest =
          stack === undefined ? event.attributes : event.attributes.filter(({ key }) => key !== STACK);
        return (
          <li key={at}>
            <p className="tabular flex items-baseline gap-2 px-4">
              <span
                className="w-20 shrink-0 text-right text-xs text-faint"
                title={formatExact(event.time, zone)}
              >
                +{formatDuration(between(start, event.time))}
              </span>
              <span
                className={classes(
                  'min-w-0 font-medium wrap-anywhere',
                  event.name === 'exception' && 'text-error',
                )}
              >
                {event.name}
              </span>
            </p>
            {rest.length > 0 && (
              <Attributes attributes={rest} label={`Attributes of event ${at + 1}, ${event.name}`} />
            )}
            {stack !== undefined && (
              <pre
                tabIndex={0}
                role="group"
                aria-label="Stack trace"
                className="mx-4 mt-1 max-h-64 overflow-auto rounded-md border border-line bg-sunken px-3 py-2 font-mono text-2xs leading-4"
              >
                {stack}
              </pre>
            )}
          </li>
        );
      })}
      {shown.length < events.length && (
        <li className="px-4">
          <Button onClick={() => setAll(true)}>Show all {events.length} events</Button>
        </li>
      )}
    </ol>
  );
}
