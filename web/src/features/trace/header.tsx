import type { ReactNode, RefObject } from 'react';
import { formatDuration, formatExactDuration } from '@/base/durations';
import { now } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import { formatAge, formatClock, formatDate, formatExact } from '@/base/times';
import { Button, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { CopyButton, copy } from '@/ui/copy';
import { Icon } from '@/ui/icons';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { ServiceDot, ServiceName, serviceLabel } from '@/ui/service';
import { Key, Tooltip } from '@/ui/tooltip';
import { BackToTraces } from './back-to-traces';
import { CompareMenu } from './compare-menu';
import { ExportMenu } from './export-menu';
import type { Found } from './find';
import { rootOf, type TraceTree } from './tree';

/** Services that are named one by one; the rest are counted. */
const MOST_SERVICES = 24;

type Step = (positions: readonly number[], by: 1 | -1) => void;

/** What the trace is, in a line or two; find and errors. */
export function TraceHeader(props: {
  tree: TraceTree;
  traceId: string;
  find: string;
  found: Found;
  selected: number | undefined;
  muted: ReadonlySet<string>;
  onMute: (muted: ReadonlySet<string>) => void;
  onFind: (text: string) => void;
  onStep: Step;
  onStepMatch: (by: 1 | -1) => void;
  findInput: RefObject<HTMLInputElement | null>;
  refreshing: boolean;
  refresh: () => void;
}) {
  const { tree, traceId } = props;
  const [zone] = useZone();
  const root = rootOf(tree).span;
  const short = `${traceId.slice(0, 8)}…${traceId.slice(-4)}`;
  return (
    <>
      <PageHeader
        title={
          <div className="flex min-w-0 items-center gap-2">
            <BackToTraces />
            <Icon name="chevronRight" size={12} className="text-faint" />
            <h1 className="flex min-w-0 items-center gap-2 text-[0.9375rem] tracking-tight">
              <ServiceName service={root.service} className="max-w-[50%] shrink-0 font-semibold" />
              <span className="truncate text-muted" title={root.name}>
                {root.name}
              </span>
            </h1>
          </div>
        }
      >
        <FindBox {...props} />
        <CompareMenu traceId={traceId} root={root} />
        <ExportMenu traceId={traceId} title={`${serviceLabel(root.service)} ${root.name}`} />
        <IconButton
          icon="link"
          label="Copy link to this view"
          onClick={() => void copy(window.location.href, 'the link')}
        />
        <IconButton
          icon="refresh"
          label={props.refreshing ? 'Loading' : 'Load again'}
          shortcut="r"
          onClick={props.refresh}
          {...(props.refreshing ? { className: '[&>svg]:animate-spin' } : {})}
        />
      </PageHeader>
      <div className="shrink-0 space-y-2 border-b border-line bg-surface px-4 py-2">
        <dl className="tabular flex flex-wrap items-center gap-x-5 gap-y-1">
          <Fact name="Duration">
            <Tooltip content={formatExactDuration(tree.duration)}>
              <span className="font-semibold">{formatDuration(tree.duration)}</span>
            </Tooltip>
          </Fact>
          <Fact name="Start">
            <Tooltip content={`${formatExact(tree.start, 'utc')} UTC`}>
              <span>
                {formatDate(tree.start, zone)} {formatClock(tree.start, zone, 3)}
                <span className="text-faint"> · {formatAge(tree.start, now())}</span>
              </span>
            </Tooltip>
          </Fact>
          <Fact name="Spans">{formatCount(tree.spanCount)}</Fact>
          <Fact name="Depth">{formatCount(tree.depth + 1)}</Fact>
          {tree.failed.length > 0 && (
            <div className="flex items-center">
              <dt className="sr-only">Errors</dt>
              <dd className="flex items-center gap-0.5 text-error">
                <Icon name="error" size={13} className="mr-1" />
                {plural(tree.failed.length, 'error')}
                <IconButton
                  icon="chevronUp"
                  label="Previous error"
                  shortcut="Shift E"
                  small
                  onClick={() => props.onStep(tree.failed, -1)}
                  className="ml-1"
                />
                <IconButton
                  icon="chevronDown"
                  label="Next error"
                  shortcut="E"
                  small
                  onClick={() => props.onStep(tree.failed, 1)}
                />
              </dd>
            </div>
          )}
          <Notices tree={tree} onStep={props.onStep} />
          <div className="ml-auto flex items-center gap-1">
            <dt className="text-faint">Trace id</dt>
            <dd className="flex items-center gap-0.5 font-mono text-xs">
              <span title={traceId}>{short}</span>
              <CopyButton text={traceId} what="the trace id" />
            </dd>
          </div>
        </dl>
        <Services tree={tree} muted={props.muted} onMute={props.onMute} />
      </div>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex items-center gap-1.5">
      <dt className="text-faint">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What is not as it should be. Each leads to the spans it speaks of. */
function Notices({ tree, onStep }: { tree: TraceTree; onStep: Step }) {
  const notices = [
    {
      positions: tree.roots.length > 1 ? tree.roots : [],
      text: plural(tree.roots.length, 'root'),
      why: 'More than one span has no parent.',
    },
    {
      positions: tree.missing,
      text: plural(tree.missing.length, 'missing parent'),
      why: 'Spans name a parent that has not arrived. They are shown below a row that stands in for it.',
    },
    {
      positions: tree.early,
      text: `${formatCount(tree.early.length)} before ${tree.early.length === 1 ? 'its' : 'their'} parent`,
      why: 'Spans start before their parent: the clocks of two computers differ, or the sender is wrong. Nothing was moved.',
    },
    {
      positions: tree.open,
      text: `${formatCount(tree.open.length)} open`,
      why: 'No end of these spans has arrived: they are running, or their program was stopped.',
    },
    {
      positions: tree.cyclic,
      text: plural(tree.cyclic.length, 'cycle'),
      why: 'The parents of spans lead back to themselves. The earliest span of each ring is shown as a root.',
    },
  ].filter(({ positions }) => positions.length > 0);
  return (
    <>
      {notices.map(({ positions, text, why }) => (
        <div key={text} className="flex">
          <dt className="sr-only">Note</dt>
          <dd>
            <Tooltip content={why}>
              <button
                type="button"
                onClick={() => onStep(positions, 1)}
                className="inline-flex h-5 items-center gap-1 rounded bg-warn-soft px-1.5 text-xs text-warn hover:underline"
              >
                <Icon name="warning" size={12} />
                {text}
              </button>
            </Tooltip>
          </dd>
        </div>
      ))}
    </>
  );
}

/** The services by colour. Choosing some dims the others. */
function Services({
  tree,
  muted,
  onMute,
}: {
  tree: TraceTree;
  muted: ReadonlySet<string>;
  onMute: (muted: ReadonlySet<string>) => void;
}) {
  const shown = tree.services.slice(0, MOST_SERVICES);
  const names = tree.services.map(({ service }) => service);
  const toggle = (service: string) => {
    if (muted.size === 0) return onMute(new Set(names.filter((name) => name !== service)));
    const next = new Set(muted);
    if (!next.delete(service)) next.add(service);
    onMute(next.size === names.length ? new Set() : next);
  };
  if (tree.services.length === 1) return null;
  return (
    <ul aria-label="Services" className="flex flex-wrap items-center gap-1">
      {shown.map(({ service, spans, errors }) => (
        <li key={service}>
          <button
            type="button"
            aria-pressed={muted.size > 0 && !muted.has(service)}
            onClick={() => toggle(service)}
            title={`${serviceLabel(service)}: ${plural(spans, 'span')}${errors > 0 ? `, ${plural(errors, 'error')}` : ''}`}
            className={classes(
              'tabular inline-flex h-6 items-center gap-1.5 rounded-md border border-line px-2 text-xs hover:bg-hover',
              muted.has(service) && 'border-dashed text-faint [&>span:first-child]:opacity-40',
            )}
          >
            <ServiceDot service={service} />
            {serviceLabel(service)}
            <span className="text-faint">{formatCount(spans)}</span>
            {errors > 0 && <span className="text-error">{formatCount(errors)}</span>}
          </button>
        </li>
      ))}
      {tree.services.length > shown.length && (
        <li className="px-1 text-xs text-faint">
          and {plural(tree.services.length - shown.length, 'more service')}
        </li>
      )}
      {muted.size > 0 && (
        <li>
          <Button look="ghost" small onClick={() => onMute(new Set())}>
            Show all
          </Button>
        </li>
      )}
    </ul>
  );
}

function FindBox(props: {
  find: string;
  found: Found;
  selected: number | undefined;
  onFind: (text: string) => void;
  onStepMatch: (by: 1 | -1) => void;
  findInput: RefObject<HTMLInputElement | null>;
}) {
  const { find, found, selected, onStepMatch } = props;
  const matches = found.positions;
  const at = matches === null || selected === undefined ? -1 : matches.indexOf(selected);
  const total = `${formatCount(matches?.length ?? 0)}${found.more ? '+' : ''}`;
  return (
    <div role="search" className="relative flex w-72 min-w-32 items-center">
      <Icon name="search" size={14} className="pointer-events-none absolute left-2.5 text-faint" />
      <input
        ref={props.findInput}
        value={find}
        onChange={(event) => props.onFind(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onStepMatch(event.shiftKey ? -1 : 1);
          else if (event.key === 'Escape') {
            if (find !== '') props.onFind('');
            event.currentTarget.blur();
            event.stopPropagation();
          } else return;
          event.preventDefault();
        }}
        placeholder="Find in the trace"
        aria-label="Find in the trace"
        spellCheck={false}
        autoComplete="off"
        className="field w-full pr-28 pl-8"
      />
      {found.problem !== null ? (
        <span role="alert" title={found.problem.message} className="absolute right-2 text-xs text-error">
          failed
        </span>
      ) : found.pending ? (
        <span role="status" className="absolute right-2 text-xs text-faint">
          searching…
        </span>
      ) : matches === null ? (
        <span aria-hidden="true" className="pointer-events-none absolute right-2">
          <Key>/</Key>
        </span>
      ) : (
        <span className="absolute right-1 flex items-center">
          <span
            role="status"
            className={classes('tabular pr-1 text-xs', matches.length === 0 ? 'text-error' : 'text-muted')}
          >
            {at >= 0 ? `${formatCount(at + 1)} of ${total}` : matches.length === 0 ? 'none' : total}
          </span>
          <IconButton
            icon="chevronUp"
            label="Previous match"
            small
            disabled={matches.length === 0}
            onClick={() => onStepMatch(-1)}
          />
          <IconButton
            icon="chevronDown"
            label="Next match"
            small
            disabled={matches.length === 0}
            onClick={() => onStepMatch(1)}
          />
        </span>
      )}
    </div>
  );
}
