import { Link } from '@tanstack/react-router';
import { lastTraceSearch } from '@/ui/last-search';

/** The way back to the list, as it was. */
export function BackToTraces() {
  return (
    <Link to="/traces" search={lastTraceSearch()} className="shrink-0 text-muted hover:text-text">
      Traces
    </Link>
  );
}
