import type { ReactNode } from 'react';
import { Button } from './button';
import { Icon, type IconName } from './icons';

/** Nothing to show, and what to do about it. */
export function EmptyState(props: {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="flex h-full min-h-48 flex-col items-center justify-center gap-1.5 px-6 py-10 text-center">
      <Icon name={props.icon ?? 'search'} size={22} className="mb-1.5 text-faint" />
      <h2 className="text-base font-medium">{props.title}</h2>
      {props.children !== undefined && <div className="max-w-md text-muted">{props.children}</div>}
      {props.actions !== undefined && (
        <div className="mt-3 flex flex-wrap justify-center gap-2">{props.actions}</div>
      )}
    </div>
  );
}

/** Something failed; what the server said, and a way to try again. */
export function ErrorState(props: { title: string; error: Error; retry?: () => void; actions?: ReactNode }) {
  const { details } = props.error as { details?: unknown };
  return (
    <div
      role="alert"
      className="flex h-full min-h-48 flex-col items-center justify-center gap-1.5 px-6 py-10 text-center"
    >
      <Icon name="error" size={22} className="mb-1.5 text-error" />
      <h2 className="text-base font-medium">{props.title}</h2>
      <p className="max-w-lg wrap-anywhere text-muted">{props.error.message}</p>
      {typeof details === 'string' && (
        <pre className="mt-2 max-h-40 max-w-2xl overflow-auto rounded-md border border-line bg-sunken px-3 py-2 text-left font-mono text-xs whitespace-pre-wrap text-muted">
          {details}
        </pre>
      )}
      <div className="mt-3 flex gap-2">
        {props.retry !== undefined && (
          <Button icon="refresh" onClick={props.retry}>
            Try again
          </Button>
        )}
        {props.actions}
      </div>
    </div>
  );
}

/** Grey bars in place of rows that are on their way. */
export function SkeletonRows({ rows, height }: { rows: number; height: number }) {
  return (
    <div aria-hidden="true">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex items-center gap-4 border-b border-line px-4" style={{ height }}>
          <div className="skeleton h-3" style={{ width: `${18 + ((row * 37) % 22)}%` }} />
          <div className="skeleton h-3 w-24" />
          <div className="ml-auto skeleton h-3" style={{ width: `${8 + ((row * 53) % 18)}%` }} />
        </div>
      ))}
    </div>
  );
}
