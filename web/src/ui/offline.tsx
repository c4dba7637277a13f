import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Icon } from './icons';

/** How often a server that cannot be reached is looked for. */
const LOOK_MS = 2_000;

/** Whether the last question did not reach the server. What answers, even with an error, is there. */
function useUnreachable(): boolean {
  const client = useQueryClient();
  const [unreachable, setUnreachable] = useState(false);
  useEffect(
    () =>
      client.getQueryCache().subscribe((event) => {
        if (event.type !== 'updated' || (event.action.type !== 'error' && event.action.type !== 'success'))
          return;
        const { error } = event.query.state;
        setUnreachable(event.action.type === 'error' && (error as { status?: number } | null)?.status === 0);
      }),
    [client],
  );
  useEffect(() => {
    if (!unreachable) return;
    const timer = setInterval(() => {
      fetch('/health/live').then(
        () => {
          setUnreachable(false);
          void client.invalidateQueries();
        },
        () => {},
      );
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [unreachable, client]);
  return unreachable;
}

/** Says that the server cannot be reached, as long as it is so; then everything is asked for again. */
export function OfflineNotice() {
  if (!useUnreachable()) return null;
  return (
    <p
      role="status"
      className="flex shrink-0 items-center gap-2 border-b border-line bg-warn-soft px-4 py-1.5 text-text"
    >
      <Icon name="warning" size={14} className="text-warn" />
      The server cannot be reached. What is shown is from before; it is asked again as soon as it answers.
    </p>
  );
}
