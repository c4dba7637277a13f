import { useEffect, useState } from 'react';

/** How long a statement has been running. */
export function Elapsed() {
  const [begun] = useState(() => performance.now());
  const [now, setNow] = useState(begun);
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="tabular flex-1 text-xs text-muted">
      <span role="status">Running</span>{' '}
      <span aria-hidden="true">{((now - begun) / 1_000).toFixed(1)} s</span>
    </p>
  );
}
