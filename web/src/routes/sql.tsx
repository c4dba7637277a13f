import { getRouteApi } from '@tanstack/react-router';
import { SqlPage } from '@/features/sql/page';

const route = getRouteApi('/sql');

export function SqlRoute() {
  return <SqlPage search={route.useSearch()} />;
}
