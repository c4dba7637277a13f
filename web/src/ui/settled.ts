import { useEffect, useEffectEvent, useRef } from 'react';

/** How long a value rests before the link takes it. */
const SETTLE_MS = 200;

/**
 * Keeps a value that follows the hand and its place in the link together: the link is written when the value rests,
 * and read when another hand changed it, such as the browser's back button.
 */
export function useSettled(props: {
  /** The value, as a link holds it. */
  value: string | undefined;
  /** What the link holds. */
  linked: string | undefined;
  write: (value: string | undefined) => void;
  read: (linked: string | undefined) => void;
}) {
  const { value, linked } = props;
  const write = useEffectEvent(props.write);
  const read = useEffectEvent(props.read);
  const written = useRef(linked);
  /** What was written and has not come back yet, oldest first. */
  const underway = useRef<(string | undefined)[]>([]);
  useEffect(() => {
    const own = underway.current.lastIndexOf(linked);
    if (own >= 0) underway.current.splice(0, own + 1);
    if (own >= 0 || linked === written.current) return;
    written.current = linked;
    read(linked);
  }, [linked]);
  useEffect(() => {
    if (value === written.current) return;
    const timer = setTimeout(() => {
      written.current = value;
      underway.current.push(value);
      write(value);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [value]);
}
