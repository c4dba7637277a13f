import { getRouteApi } from '@tanstack/react-router';
import { ProcessLogs } from '@/features/logs/of-process';
import { ProcessMetrics } from '@/features/metrics/of-process';
import { ProcessPage } from '@/features/process/page';

const route = getRouteApi('/processes/$processId');

export function ProcessRoute() {
  const { processId } = route.useParams();
  const search = route.useSearch();
  return (
    <ProcessPage
      key={processId}
      processId={processId}
      search={search}
      metrics={<ProcessMetrics processId={processId} search={search} />}
      logs={<ProcessLogs processId={processId} search={search} />}
    />
  );
}
