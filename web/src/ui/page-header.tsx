import type { ReactNode } from 'react';

/** The bar on top of a page: where one is on the left, what one can do on the right. */
export function PageHeader({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <header className="flex h-12 shrink-0 items-center gap-3 border-b border-line bg-surface px-4">
      <div className="min-w-0 flex-1">{title}</div>
      <div className="flex min-w-0 items-center gap-2">{children}</div>
    </header>
  );
}
