import { type ReactNode, useState } from 'react';
import { formatCount } from '@/base/numbers';
import { Icon } from '@/ui/icons';

/** A part of the span's details that folds. One without content is left out, or says so. */
export function Section(props: {
  title: string;
  count?: number;
  empty?: string;
  initiallyOpen?: boolean;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const { title, count, empty } = props;
  const [open, setOpen] = useState(props.initiallyOpen ?? true);
  if (count === 0 && empty === undefined) return null;
  return (
    <section aria-label={title} className="border-t border-line">
      <div className="sticky top-0 z-[1] flex items-center bg-surface pr-3">
        <h3 className="min-w-0 flex-1">
          <button
            type="button"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
            className="flex h-8 w-full items-center gap-1.5 pl-2 text-left font-medium -outline-offset-2"
          >
            <Icon name={open ? 'chevronDown' : 'chevronRight'} size={12} className="text-faint" />
            {title}
            {count !== undefined && (
              <span className="tabular font-normal text-faint">{formatCount(count)}</span>
            )}
          </button>
        </h3>
        {props.actions}
      </div>
      {open && (
        <div className="pb-3">
          {count === 0 ? <p className="px-4 text-muted">{empty}</p> : props.children}
        </div>
      )}
    </section>
  );
}
