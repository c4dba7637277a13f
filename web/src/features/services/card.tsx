import type { ReactNode } from 'react';
import { Button } from '@/ui/button';

/** A part of a service's page. */
export function Card({
  title,
  children,
  actions,
}: {
  title: string;
  children: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <section aria-label={title} className="min-w-0 rounded-lg border border-line bg-surface">
      <header className="flex items-center gap-2 px-4 pt-3 pb-1">
        <h2 className="font-medium">{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  );
}

/** Why a part could not be loaded. */
export function Problem({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <p role="alert" className="flex flex-wrap items-center gap-3 px-4 pb-3 text-error">
      {error.message}
      <Button small onClick={retry}>
        Try again
      </Button>
    </p>
  );
}
