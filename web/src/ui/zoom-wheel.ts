import { type RefObject, useEffect } from 'react';
import { panBy, type Zoom, zoomAround } from '@/base/zoom';

/**
 * Lets the wheel change which part is shown: with Ctrl or ⌘, or two fingers that spread, it zooms around the pointer;
 * sideways, or with Shift, it pans. Else it scrolls as usual.
 */
export function useZoomWheel(
  scroller: RefObject<HTMLElement | null>,
  on: {
    /** Where the picture begins in the element, and how wide it is, in pixels. */
    left: number;
    width: number;
    /** How long everything is, in nanoseconds. */
    length: number;
    onZoom: (change: (zoom: Zoom) => Zoom) => void;
  },
) {
  const { left, width, length, onZoom } = on;
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const wheel = (event: WheelEvent) => {
      const x = event.clientX - element.getBoundingClientRect().left - left;
      if ((event.ctrlKey || event.metaKey) && x >= 0) {
        event.preventDefault();
        const share = Math.min(Math.max(x / width, 0), 1);
        const factor = Math.exp(Math.min(Math.max(event.deltaY, -120), 120) * 0.004);
        onZoom((now) => zoomAround(now, now.from + share * (now.to - now.from), factor, length));
      } else if (event.deltaX !== 0 || event.shiftKey) {
        const pixels = event.deltaX !== 0 ? event.deltaX : event.deltaY;
        if (Math.abs(pixels) < Math.abs(event.deltaY) && !event.shiftKey) return;
        event.preventDefault();
        onZoom((now) => panBy(now, (pixels / width) * (now.to - now.from), length));
      }
    };
    // Not passive: the page must not zoom or go back instead.
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, [scroller, left, width, length, onZoom]);
}
