import { Button } from '@/ui/button';
import { Icon } from '@/ui/icons';

/** What stands in for figures that could not be loaded. */
export function Problem({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-3 rounded-lg border border-line bg-surface p-4"
    >
      <Icon name="error" className="text-error" />
      <span className="min-w-0 flex-1 wrap-anywhere">The figures could not be loaded: {error.message}</span>
      <Button icon="refresh" onClick={retry}>
        Try again
      </Button>
    </div>
  );
}
