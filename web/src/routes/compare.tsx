import { getRouteApi } from '@tanstack/react-router';
import { ComparePage } from '@/features/trace/compare/page';

const route = getRouteApi('/traces/compare');

export function CompareRoute() {
  return <ComparePage search={route.useSearch()} />;
}
