import { getRouteApi } from '@tanstack/react-router';
import { ProcessPage } from '@/features/process/page';

const route = getRouteApi('/processes/$processId');

export function ProcessRoute() {
  const { processId } = route.useParams();
  const { tab } = route.useSearch();
  return <ProcessPage key={processId} processId={processId} tab={tab ?? 'info'} />;
}
