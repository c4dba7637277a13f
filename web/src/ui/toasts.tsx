import { useEffect, useSyncExternalStore } from 'react';
import { Icon } from './icons';

interface Toast {
  id: number;
  kind: 'note' | 'error';
  message: string;
  details?: string | undefined;
}

const NOTE_MS = 2_500;
const MOST = 4;
let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

function add(toast: Omit<Toast, 'id'>) {
  const same = toasts.filter(({ message }) => message !== toast.message);
  change([...same, { ...toast, id: nextId++ }].slice(-MOST));
}

/** A short word that something was done. It goes by itself. */
export function note(message: string) {
  add({ kind: 'note', message });
}

/** Something failed. It stays until it is closed. */
export function noteError(message: string, details?: string) {
  add({ kind: 'error', message, details });
}

const dismiss = (id: number) => change(toasts.filter((toast) => toast.id !== id));

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <section
      aria-label="Notifications"
      aria-live="polite"
      className="fixed right-4 bottom-4 z-50 flex w-80 flex-col gap-2"
    >
      {shown.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </section>
  );
}

function ToastCard({ toast }: { toast: Toast }) {
  const { id, kind } = toast;
  useEffect(() => {
    if (kind === 'error') return;
    const timer = setTimeout(() => dismiss(id), NOTE_MS);
    return () => clearTimeout(timer);
  }, [id, kind]);
  return (
    <div
      role={kind === 'error' ? 'alert' : 'status'}
      className="floating appear flex items-start gap-2.5 px-3 py-2.5"
    >
      <Icon
        name={kind === 'error' ? 'error' : 'check'}
        className={`mt-0.5 ${kind === 'error' ? 'text-error' : 'text-ok'}`}
      />
      <div className="min-w-0 flex-1">
        <p className="wrap-anywhere">{toast.message}</p>
        {toast.details !== undefined && (
          <p className="mt-1 max-h-32 overflow-auto font-mono text-2xs wrap-anywhere text-muted">
            {toast.details}
          </p>
        )}
      </div>
      <button
        type="button"
        aria-label="Close"
        onClick={() => dismiss(id)}
        className="-m-1 rounded p-1 text-faint hover:bg-hover hover:text-text"
      >
        <Icon name="close" size={14} />
      </button>
    </div>
  );
}
