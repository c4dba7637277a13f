import { useMemo, useRef, useState } from 'react';
import { formatDuration } from '@/base/durations';
import { fromDrawable } from '@/base/nanos';
import { plural } from '@/base/numbers';
import { serviceClass } from '@/base/palette';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { serviceLabel } from '@/ui/service';
import { useSize } from '@/ui/size';
import { type Analysis, type Frame, flameGraph } from './analysis';
import type { TraceTree } from './tree';

const ROW = 22;
/** Frames narrower than this, in pixels, are not drawn. */
const LEAST = 2;
/** Frames that are drawn, level by level; how many are not is told. */
const MOST_FRAMES = 3_000;

interface Box {
  frame: Frame;
  x: number;
  width: number;
}

/**
 * The spans of a trace put together by their path, as wide as the time they took. What ran side by side is added up, so
 * that the whole may be more than the trace lasted.
 */
export function FlameGraph(props: {
  tree: TraceTree;
  analysis: Analysis;
  matching: ReadonlySet<number> | null;
  muted: ReadonlySet<string>;
  onOpen: (index: number) => void;
}) {
  const { tree, analysis, muted } = props;
  const top = useMemo(() => flameGraph(tree, analysis.self), [tree, analysis]);
  const scroller = useRef<HTMLDivElement>(null);
  const { width } = useSize(scroller);
  const [focus, setFocus] = useState<Frame | null>(null);
  const shown = focus !== null && isWithin(focus, top) ? focus : top;
  const { boxes, hidden } = useMemo(() => boxesOf(shown, width), [shown, width]);
  /** What is gone cannot keep the focus. */
  const leave = () => {
    setFocus(null);
    scroller.current?.focus({ preventScroll: true });
  };
  const names = useMemo(() => namesOf(tree, props.matching), [tree, props.matching]);
  const path: Frame[] = [];
  for (let frame: Frame | null = shown; frame?.parent != null; frame = frame.parent) path.unshift(frame);
  const base = Math.max(1, shown.depth);
  const deepest = boxes.reduce((deepest, { frame }) => Math.max(deepest, frame.depth), 0);
  return (
    <div className="flex min-h-0 flex-1 flex-col bg-surface">
      <div className="flex min-h-9 shrink-0 flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-4 py-1 text-xs">
        {path.length === 0 ? (
          <span className="text-faint">
            Spans of the same path are one frame, as wide as the time in them; what ran side by side is added
            up. Choose a frame to see it larger.
          </span>
        ) : (
          <>
            <Button look="ghost" small onClick={leave}>
              Whole trace
            </Button>
            <nav aria-label="Path" className="flex min-w-0 flex-wrap items-center gap-x-1.5 text-muted">
              {path.slice(-6).map((frame) => (
                <span key={frame.depth} className="flex min-w-0 items-center gap-1.5">
                  <span aria-hidden="true">›</span>
                  <button
                    type="button"
                    onClick={() => setFocus(frame)}
                    className="max-w-56 truncate hover:text-text hover:underline"
                  >
                    {nameOf(frame, tree)}
                  </button>
                </span>
              ))}
            </nav>
            <Button look="ghost" small className="ml-auto" onClick={() => props.onOpen(shown.example)}>
              Show the longest span
            </Button>
          </>
        )}
      </div>
      <div
        ref={scroller}
        role="group"
        aria-label="Flame graph"
        tabIndex={0}
        className="relative min-h-0 flex-1 overflow-x-hidden overflow-y-auto -outline-offset-2"
      >
        <div role="presentation" className="relative" style={{ height: (deepest - base + 1) * ROW + 8 }}>
          {boxes.map(({ frame, x, width: wide }) => {
            const name = nameOf(frame, tree);
            const service = frame.service < 0 ? null : tree.outline.services[frame.service]!;
            const dimmed =
              (service !== null && muted.has(service)) || (names !== null && !names.has(keyOf(frame)));
            return (
              <button
                key={frame.id}
                type="button"
                title={describe(frame, tree)}
                aria-label={describe(frame, tree)}
                onClick={() => (frame === shown ? props.onOpen(frame.example) : setFocus(frame))}
                className={classes(
                  'absolute top-0 left-0 overflow-hidden rounded-[3px] px-1 text-left text-2xs whitespace-nowrap hover:brightness-110',
                  service === null
                    ? 'border border-dashed border-line-strong text-faint'
                    : `${serviceClass(service)} bg-service text-on-service`,
                  frame.errors > 0 && 'ring-[1.5px] ring-error ring-inset',
                  dimmed && 'opacity-30',
                )}
                style={{
                  transform: `translate(${x}px, ${(frame.depth - base) * ROW + 4}px)`,
                  width: Math.max(1, wide - 1),
                  height: ROW - 2,
                }}
              >
                {wide > 30 && name}
                {wide > 180 && (
                  <span className="tabular ml-2">
                    {formatDuration(fromDrawable(frame.value))}
                    {frame.spans > 1 && ` · ×${frame.spans}`}
                  </span>
                )}
              </button>
            );
          })}
        </div>
        {hidden > 0 && (
          <p className="px-4 pb-3 text-xs text-faint">
            {plural(hidden, 'frame')} too narrow or too deep to be drawn here: choose one above them.
          </p>
        )}
        {shown.value === 0 && (
          <p className="p-4 text-muted">No span of the trace took any time: there is nothing to be drawn.</p>
        )}
      </div>
    </div>
  );
}

function isWithin(frame: Frame, top: Frame): boolean {
  let above: Frame = frame;
  while (above.parent !== null) above = above.parent;
  return above === top;
}

/** Frames wide enough to be seen, of a frame and all above it: row by row from left to right, so that they are walked
 * through with the keyboard. */
function boxesOf(focus: Frame, width: number): { boxes: Box[]; hidden: number } {
  const boxes: Box[] = [];
  let hidden = 0;
  if (width === 0 || focus.value === 0) return { boxes, hidden };
  const scale = (width - 16) / focus.value;
  let level: Box[] =
    focus.parent === null ? besides(focus.children, 8) : [{ frame: focus, x: 8, width: width - 16 }];
  function besides(frames: readonly Frame[], from: number): Box[] {
    let x = from;
    return [...frames]
      .sort((a, b) => b.value - a.value)
      .map((frame) => {
        const box = { frame, x, width: frame.value * scale };
        x += box.width;
        return box;
      });
  }
  while (level.length > 0) {
    const wide = level.filter(({ width }) => width >= LEAST);
    hidden += level.length - wide.length;
    if (boxes.length + wide.length > MOST_FRAMES) return { boxes, hidden: hidden + wide.length };
    for (const box of wide) boxes.push(box);
    level = wide.flatMap(({ frame, x }) => besides(frame.children, x));
  }
  return { boxes, hidden };
}

const keyOf = ({ service, name }: Frame) => `${service}.${name}`;

/** Services and names that are searched for; `null` when nothing is. */
function namesOf(tree: TraceTree, matching: ReadonlySet<number> | null): ReadonlySet<string> | null {
  if (matching === null) return null;
  const names = new Set<string>();
  for (const index of matching) names.add(`${tree.serviceOf(index)}.${tree.nameOf(index)}`);
  return names;
}

function nameOf(frame: Frame, tree: TraceTree): string {
  if (frame.service < 0) return 'Missing spans';
  return tree.outline.names[frame.name] || '(no name)';
}

function describe(frame: Frame, tree: TraceTree): string {
  const time = (length: number) => formatDuration(fromDrawable(length));
  const service = frame.service < 0 ? '' : `, ${serviceLabel(tree.outline.services[frame.service]!)}`;
  const errors = frame.errors > 0 ? `, ${plural(frame.errors, 'error')}` : '';
  return `${nameOf(frame, tree)}${service}: ${time(frame.value)}, ${time(frame.self)} its own, ${plural(frame.spans, 'span')}${errors}`;
}
