import { type RefObject, useEffect, useEffectEvent, useRef } from 'react';
import { onThemeChange } from './preferences';

/** A canvas ready to be drawn on: one unit is one CSS pixel. */
export interface Surface {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  /** The value of a custom property such as `--accent` in the current theme. */
  colour: (property: string) => string;
}

/**
 * Draws on a canvas whenever `parts` change, its size changes, or the theme does; at most once a frame. The canvas
 * takes its size from its style.
 */
export function useCanvas(
  draw: (surface: Surface) => void,
  parts: readonly unknown[],
): RefObject<HTMLCanvasElement | null> {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef(0);
  const paint = useEffectEvent(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (element == null || context == null) return;
    const { clientWidth: width, clientHeight: height } = element;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width !== wide || element.height !== high) {
      element.width = wide;
      element.height = high;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    const known = new Map<string, string>();
    const colour = (property: string) => {
      let value = known.get(property);
      if (value === undefined) {
        value = style.getPropertyValue(property).trim();
        known.set(property, value);
      }
      return value;
    };
    draw({ context, width, height, colour });
  });
  const schedule = useEffectEvent(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(paint);
  });
  useEffect(() => {
    const observer = new ResizeObserver(() => schedule());
    if (canvas.current !== null) observer.observe(canvas.current);
    const unsubscribe = onThemeChange(() => schedule());
    void document.fonts.ready.then(() => schedule());
    return () => {
      observer.disconnect();
      unsubscribe();
      cancelAnimationFrame(frame.current);
    };
  }, []);
  useEffect(() => schedule(), [...parts]);
  return canvas;
}

/** The font of text on canvases. */
export const CANVAS_FONT = '11px Geist, ui-sans-serif, system-ui, sans-serif';
