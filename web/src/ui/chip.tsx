import type { ReactNode } from 'react';
import { Icon } from './icons';

/** A condition that holds, in a list of them, and the way to take it away. */
export function Chip({
  label,
  onRemove,
  children,
}: {
  label: string;
  onRemove: () => void;
  children: ReactNode;
}) {
  return (
    <li className="inline-flex h-6 max-w-full items-center gap-1.5 rounded-md border border-accent bg-selected pl-2 text-xs">
      {children}
      <button
        type="button"
        aria-label={`Remove condition ${label}`}
        onClick={onRemove}
        className="flex size-6 shrink-0 items-center justify-center rounded-md text-muted hover:text-text"
      >
        <Icon name="close" size={12} />
      </button>
    </li>
  );
}
