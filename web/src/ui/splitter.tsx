import type { KeyboardEvent, PointerEvent } from 'react';

/** A border that is dragged, or moved by the arrow keys, to give two parts other sizes. */
export function Splitter(props: {
  label: string;
  /** `columns`: the parts stand side by side. */
  between: 'columns' | 'rows';
  /** Size in pixels of the part that is sized. */
  size: number;
  min: number;
  max: number;
  /** The sized part comes after the border. */
  after?: boolean;
  onResize: (size: number) => void;
  className?: string;
}) {
  const { between, size, min, max, after = false, onResize } = props;
  const vertical = between === 'columns';
  const set = (next: number) => onResize(Math.round(Math.min(Math.max(next, min), max)));
  const start = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const element = event.currentTarget;
    element.setPointerCapture(event.pointerId);
    const origin = vertical ? event.clientX : event.clientY;
    const move = (moved: globalThis.PointerEvent) => {
      const by = (vertical ? moved.clientX : moved.clientY) - origin;
      set(size + (after ? -by : by));
    };
    const end = () => {
      element.removeEventListener('pointermove', move);
      element.removeEventListener('lostpointercapture', end);
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('lostpointercapture', end);
  };
  const keyDown = (event: KeyboardEvent) => {
    const [less, more] = vertical ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown'];
    const by = event.key === more ? 16 : event.key === less ? -16 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    set(size + (after ? -by : by));
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-label={props.label}
      aria-orientation={vertical ? 'vertical' : 'horizontal'}
      aria-valuenow={Math.round(size)}
      aria-valuemin={min}
      aria-valuemax={Math.round(max)}
      onPointerDown={start}
      onKeyDown={keyDown}
      className={`group relative z-10 shrink-0 touch-none ${vertical ? '-mx-1 w-2 cursor-col-resize' : '-my-1 h-2 cursor-row-resize'} ${props.className ?? ''}`}
    >
      <div
        className={`absolute bg-line transition-colors group-hover:bg-accent group-active:bg-accent ${vertical ? 'inset-y-0 left-[3.5px] w-px' : 'inset-x-0 top-[3.5px] h-px'}`}
      />
    </div>
  );
}
