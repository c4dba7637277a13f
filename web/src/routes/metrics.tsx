import { getRouteApi } from '@tanstack/react-router';
import { MetricsPage } from '@/features/metrics/explore';

const route = getRouteApi('/explore');

export function MetricsRoute() {
  return <MetricsPage search={route.useSearch()} />;
}
