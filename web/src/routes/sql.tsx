import { getRouteApi } from '@tanstack/react-router';
import { SqlPage } from '@/features/sql/page';
import { SavedViews } from '@/features/views/views';
import { Button } from '@/ui/button';

const route = getRouteApi('/sql');

export function SqlRoute() {
  const queries = (
    <SavedViews
      label="Saved queries"
      page="/sql"
      noun="query"
      align="end"
      trigger={<Button icon="bookmark">Saved queries</Button>}
    />
  );
  return <SqlPage search={route.useSearch()} actions={queries} />;
}
