import { Link } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import type { ServiceMap as Answer, ServiceEdge, ServiceNode } from '@/api/services';
import { plural } from '@/base/numbers';
import { serviceClass } from '@/base/palette';
import { classes } from '@/ui/classes';
import { serviceLabel } from '@/ui/service';
import { useSize } from '@/ui/size';
import { formatErrors, formatQuantile, formatRate, rateOf } from './figures';
import { layoutOf, NODE_HEIGHT, NODE_WIDTH } from './layout';

/** Smaller than this nobody reads it: then it scrolls. */
const LEAST_SCALE = 0.6;

const KINDS: Readonly<Record<ServiceNode['kind'], string>> = {
  service: 'Service',
  database: 'Database',
  messaging: 'Messaging',
  peer: 'Not instrumented',
};

/** Services from left to right in the order in which they call each other. */
export function ServiceMap({ map }: { map: Answer }) {
  const { nodes, edges } = map;
  const outer = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(outer);
  const [active, setActive] = useState<number | null>(null);
  const layout = useMemo(() => layoutOf(nodes, edges), [nodes, edges]);
  const scale = Math.min(1, Math.max(LEAST_SCALE, Math.min(width / layout.width, height / layout.height)));
  const most = edges.reduce((most, { calls }) => Math.max(most, calls.count), 1);
  const near = useMemo(
    () =>
      active === null
        ? null
        : new Set(edges.flatMap(({ from, to }) => (from === active || to === active ? [from, to] : []))),
    [active, edges],
  );
  return (
    <div
      ref={outer}
      role="group"
      aria-label="Map of the services"
      tabIndex={0}
      className="min-h-0 flex-1 overflow-auto bg-page -outline-offset-2"
    >
      <div
        className="relative mx-auto"
        style={{ width: layout.width * scale, height: Math.max(layout.height * scale, height - 1) }}
      >
        <div
          className="absolute top-0 left-0 origin-top-left"
          style={{
            width: layout.width,
            height: layout.height,
            transform: `translateY(${Math.max(0, (height - layout.height * scale) / 2)}px) scale(${scale})`,
          }}
        >
          <svg aria-hidden="true" width={layout.width} height={layout.height} className="absolute inset-0">
            {edges.map((edge) => (
              <EdgeLine
                key={`${edge.from}-${edge.to}`}
                edge={edge}
                places={layout.places}
                share={Math.log1p(edge.calls.count) / Math.log1p(most)}
                dimmed={active !== null && edge.from !== active && edge.to !== active}
              />
            ))}
          </svg>
          <ul aria-label="Services">
            {nodes.map((node, at) => (
              <li
                key={`${node.kind} ${node.name}`}
                className="absolute top-0 left-0"
                style={{ transform: `translate(${layout.places[at]!.x}px, ${layout.places[at]!.y}px)` }}
              >
                <NodeCard
                  node={node}
                  map={map}
                  at={at}
                  dimmed={active !== null && active !== at && near?.has(at) !== true}
                  onActive={setActive}
                />
              </li>
            ))}
          </ul>
        </div>
      </div>
    </div>
  );
}

function EdgeLine(props: {
  edge: ServiceEdge;
  places: readonly { x: number; y: number }[];
  share: number;
  dimmed: boolean;
}) {
  const { edge, places } = props;
  const [from, to] = [places[edge.from]!, places[edge.to]!];
  const [y0, y1] = [from.y + NODE_HEIGHT / 2, to.y + NODE_HEIGHT / 2];
  const back = to.x <= from.x;
  const [x0, x1] = [from.x + NODE_WIDTH, to.x];
  const reach = back ? 60 : Math.max(32, (x1 - x0) / 2);
  const path = `M${x0} ${y0} C${x0 + reach} ${y0} ${x1 - reach} ${y1} ${x1 - 7} ${y1}`;
  const failed = edge.calls.errors > 0;
  return (
    <g
      className={classes(
        failed ? 'fill-error stroke-error' : 'fill-line-strong stroke-line-strong',
        props.dimmed && 'opacity-20',
      )}
    >
      <path
        d={path}
        fill="none"
        strokeWidth={1 + 2.5 * props.share}
        strokeDasharray={back ? '5 4' : undefined}
      />
      <path d={`M${x1} ${y1} l-8 -4 v8 z`} stroke="none" />
    </g>
  );
}

/** A service with its figures; what calls it and what it calls is told to those who cannot see the lines. */
function NodeCard(props: {
  node: ServiceNode;
  map: Answer;
  at: number;
  dimmed: boolean;
  onActive: (node: number | null) => void;
}) {
  const { node, map, at } = props;
  const { requests } = node;
  const names = (side: 'from' | 'to') =>
    map.edges
      .filter((edge) => edge[side] === at)
      .map((edge) => serviceLabel(map.nodes[edge[side === 'from' ? 'to' : 'from']]!.name));
  const [calls, callers] = [names('from'), names('to')];
  const rate = formatRate(rateOf(requests.count, map.from, map.to));
  const label = [
    `${KINDS[node.kind]} ${serviceLabel(node.name)}`,
    `${plural(requests.count, 'request')}, ${formatErrors(requests)} errors, 95th percentile ${formatQuantile(requests.p95)}`,
    ...(callers.length > 0 ? [`called by ${callers.join(', ')}`] : []),
    ...(calls.length > 0 ? [`calls ${calls.join(', ')}`] : []),
  ].join('; ');
  const content = (
    <>
      <span className="flex min-w-0 items-center gap-1.5 font-medium">
        <span
          aria-hidden="true"
          className={classes(
            'size-2 shrink-0',
            node.kind === 'service' ? 'rounded-[3px] bg-service' : 'rounded-full bg-line-strong',
          )}
        />
        <span className="truncate">{serviceLabel(node.name)}</span>
        {node.kind !== 'service' && (
          <span className="ml-auto shrink-0 text-2xs font-normal text-faint">{KINDS[node.kind]}</span>
        )}
      </span>
      <span className="tabular mt-0.5 flex justify-between gap-2 text-xs text-muted">
        <span>{rate}</span>
        <span className={requests.errors > 0 ? 'text-error' : undefined}>{formatErrors(requests)}</span>
        <span>{formatQuantile(requests.p95)}</span>
      </span>
    </>
  );
  const look = classes(
    serviceClass(node.name),
    'block rounded-lg border bg-surface px-3 py-2 transition-opacity',
    requests.errors > 0 ? 'border-error' : 'border-line-strong',
    props.dimmed && 'opacity-30',
  );
  const size = { width: NODE_WIDTH, height: NODE_HEIGHT };
  const events = {
    onPointerEnter: () => props.onActive(at),
    onPointerLeave: () => props.onActive(null),
    onFocus: () => props.onActive(at),
    onBlur: () => props.onActive(null),
  };
  if (node.kind !== 'service' || node.name === '') {
    return (
      <div role="img" aria-label={label} title={label} className={look} style={size} {...events}>
        {content}
      </div>
    );
  }
  return (
    <Link
      to="/services"
      search={(previous) => ({ ...previous, name: node.name, sort: undefined }) as { name: string }}
      aria-label={label}
      className={classes(look, 'hover:bg-hover')}
      style={size}
      {...events}
    >
      {content}
    </Link>
  );
}
