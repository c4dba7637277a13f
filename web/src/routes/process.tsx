import { getRouteApi } from '@tanstack/react-router';
import { ProcessPage } from '@/features/process/page';

const route = getRouteApi('/processes/$processId');

export function ProcessRoute() {
  const { processId } = route.useParams();
  return <ProcessPage key={processId} processId={processId} search={route.useSearch()} />;
}
