import { getRouteApi } from '@tanstack/react-router';
import { GenerateTraces, TracesUnderWay } from '@/features/process/bulk';
import { ProcessesPage } from '@/features/processes/page';

const route = getRouteApi('/processes');

export function ProcessesRoute() {
  return (
    <ProcessesPage
      search={route.useSearch()}
      actions={(processes, done) => <GenerateTraces processes={processes} done={done} />}
      underWay={<TracesUnderWay />}
    />
  );
}
