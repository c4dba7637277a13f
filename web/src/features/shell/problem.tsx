import { Link } from '@tanstack/react-router';
import { buttonClass } from '@/ui/button';
import { EmptyState, ErrorState } from '@/ui/states';

/** Stands in for a page that broke; the navigation goes on working. */
export function PageProblem({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <ErrorState
      title="This page failed"
      error={error instanceof Error ? error : new Error(String(error))}
      retry={reset}
      actions={
        <Link to="/traces" className={buttonClass('ghost')}>
          Go to traces
        </Link>
      }
    />
  );
}

/** For links that lead nowhere. */
export function PageNotFound() {
  return (
    <EmptyState
      title="There is no such page"
      actions={
        <Link to="/traces" className={buttonClass('outline')}>
          Go to traces
        </Link>
      }
    >
      The link may be of another version of Glasshouse.
    </EmptyState>
  );
}
