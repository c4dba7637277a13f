import { getRouteApi } from '@tanstack/react-router';
import { LogsPage } from '@/features/logs/page';

const route = getRouteApi('/logs');

export function LogsRoute() {
  return <LogsPage search={route.useSearch()} />;
}
