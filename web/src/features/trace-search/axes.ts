import { CANVAS_FONT, type Surface } from '@/ui/canvas';
import type { Frame } from './scatter-scale';

/** Pixels between marks of durations, at least. */
const APART = 14;

/** Draws lines at durations, from the shortest up, and marks of the clock below. Places are pixels. */
export function drawAxes(
  { context, colour }: Surface,
  frame: Frame,
  durations: readonly { y: number; label: string }[],
  times: readonly { x: number; label: string }[],
) {
  context.font = CANVAS_FONT;
  context.fillStyle = colour('--faint');
  context.strokeStyle = colour('--line');
  context.lineWidth = 1;
  context.beginPath();
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const base = frame.top + frame.height;
  let last = Number.POSITIVE_INFINITY;
  for (const { y: place, label } of durations) {
    const y = Math.round(place) + 0.5;
    if (y < frame.top || y > base + 1 || last - y < APART) continue;
    last = y;
    context.moveTo(frame.left, y);
    context.lineTo(frame.left + frame.width, y);
    context.fillText(label, frame.left - 8, y);
  }
  context.textBaseline = 'top';
  context.textAlign = 'center';
  for (const { x: place, label } of times) {
    const x = Math.round(place) + 0.5;
    context.moveTo(x, base);
    context.lineTo(x, base + 4);
    if (x > frame.left + 12 && x < frame.left + frame.width - 12) context.fillText(label, x, base + 7);
  }
  context.moveTo(frame.left, base + 0.5);
  context.lineTo(frame.left + frame.width, base + 0.5);
  context.stroke();
}

/** The room for the drawing within a canvas. */
export function frameOf(
  width: number,
  height: number,
  margin: { left: number; right: number; top: number; bottom: number },
): Frame {
  return {
    left: margin.left,
    top: margin.top,
    width: Math.max(1, width - margin.left - margin.right),
    height: height - margin.top - margin.bottom,
  };
}
