import { getRouteApi } from '@tanstack/react-router';
import { ProcessesPage } from '@/features/processes/page';

const route = getRouteApi('/processes');

export function ProcessesRoute() {
  return <ProcessesPage search={route.useSearch()} />;
}
