import { useMemo } from 'react';
import { SERVICE_COLOURS, serviceColour } from '@/base/palette';
import type { Zoom } from '@/base/zoom';
import type { Surface } from '@/ui/canvas';
import { Minimap, MINIMAP_PADDING as PADDING } from '@/ui/minimap';
import { rowOf } from './rows';
import type { TraceTree } from './tree';

/** The whole trace in small; dragging chooses the part that the waterfall shows. */
export function TraceMinimap(props: {
  tree: TraceTree;
  visible: Int32Array;
  zoom: Zoom;
  selected: number | undefined;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
}) {
  const { tree, visible, zoom, selected, onZoom } = props;
  const colours = useMemo(() => tree.outline.services.map(serviceColour), [tree]);
  return (
    <Minimap
      of="trace"
      length={tree.length}
      zoom={zoom}
      draw={(surface) => drawOverview(surface, tree, visible, colours)}
      drawn={[tree, visible, colours]}
      mark={(surface) => markSelected(surface, tree, visible, selected)}
      marked={[tree, visible, selected]}
      onZoom={onZoom}
    />
  );
}

const TOP = 6;

function drawOverview(
  { context, width, height, colour }: Surface,
  tree: TraceTree,
  visible: Int32Array,
  colours: readonly number[],
) {
  const inner = height - 2 * TOP;
  const scale = (width - 2 * PADDING) / tree.length;
  const row = inner / Math.max(visible.length, 8);
  const thickness = Math.max(1, Math.min(4, row - 0.5));
  const fills = Array.from({ length: SERVICE_COLOURS }, (_, number) => colour(`--service-${number}`));
  const missing = colour('--line-strong');
  const rows = (paint: (at: number, y: number) => void) => {
    for (let at = 0; at < visible.length; at++) paint(visible[at]!, TOP + at * row);
  };
  // Many rows share a pixel: of rows of one height that begin and end at the same pixels, one is drawn.
  let [lastX, lastY, lastWide] = [-1, -1, -1];
  rows((index, y) => {
    const [start, end] = [tree.starts[index]!, tree.ends[index]!];
    const x = PADDING + start * scale;
    const wide = Math.max(1, (end - start) * scale);
    const [pixelX, pixelY, pixelWide] = [x | 0, y | 0, Math.ceil(wide)];
    if (pixelX === lastX && pixelY === lastY && pixelWide === lastWide) return;
    [lastX, lastY, lastWide] = [pixelX, pixelY, pixelWide];
    const service = tree.serviceOf(index);
    context.fillStyle = service < 0 ? missing : fills[colours[service]!]!;
    context.fillRect(x, y, wide, thickness);
  });
  context.fillStyle = colour('--error');
  rows((index, y) => {
    if (!tree.hasFailed(index)) return;
    const [start, end] = [tree.starts[index]!, tree.ends[index]!];
    context.fillRect(PADDING + start * scale - 1, y - 0.5, Math.max(3, (end - start) * scale), thickness + 1);
  });
}

function markSelected(
  { context, width, height, colour }: Surface,
  tree: TraceTree,
  visible: Int32Array,
  selected: number | undefined,
) {
  const node = tree.node(selected);
  if (node === undefined) return;
  const row = rowOf(visible, node.index);
  // The row of the selected span, by a mark at both ends.
  const y = TOP + (row * (height - 2 * TOP)) / Math.max(visible.length, 8);
  context.fillStyle = colour('--text');
  for (const x of row < 0 ? [] : [3, width - 9]) context.fillRect(x, y - 0.5, 6, 2);
}
