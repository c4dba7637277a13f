import { getRouteApi } from '@tanstack/react-router';
import { TracePage } from '@/features/trace/page';

const route = getRouteApi('/traces/$traceId');

/** Loaded when the first trace is opened: the search does not need it. */
export function TraceRoute() {
  const { traceId } = route.useParams();
  return <TracePage traceId={traceId} search={route.useSearch()} />;
}
