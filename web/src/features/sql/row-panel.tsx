import type { SqlAnswer } from '@/api/sql';
import { formatCell, lengthOf, plainCell } from '@/base/cells';
import { formatDuration } from '@/base/durations';
import { nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { formatRfc3339 } from '@/base/times';
import { IconButton } from '@/ui/button';
import { CopyButton } from '@/ui/copy';
import { useZone } from '@/ui/preferences';

/** Letters of a value from which on it may scroll. */
const SCROLLS = 300;

/** A row, each value whole. */
export function RowPanel({ answer, row, onClose }: { answer: SqlAnswer; row: number; onClose: () => void }) {
  const [zone] = useZone();
  const cells = answer.rows[row]!;
  return (
    <aside
      aria-label={`Row ${row + 1}`}
      className="flex w-96 max-w-[60%] shrink-0 flex-col border-l border-line bg-surface"
    >
      <header className="flex h-9 shrink-0 items-center gap-2 border-b border-line pr-1 pl-4">
        <h2 className="flex-1 font-semibold">Row {formatCount(row + 1)}</h2>
        <IconButton icon="close" label="Close" shortcut="Esc" small onClick={onClose} />
      </header>
      <dl className="min-h-0 flex-1 overflow-auto px-4 py-2" tabIndex={0}>
        {answer.columns.map((column, at) => {
          const value = cells[at];
          const length = lengthOf(column, value);
          const copied =
            column.type === 'timestamp' && typeof value === 'string'
              ? formatRfc3339(nanos(value))
              : plainCell(value);
          return (
            <div key={at} className="border-b border-line py-1.5 last:border-0">
              <dt className="flex items-center gap-2 text-xs text-faint">
                <span className="min-w-0 truncate">{column.name}</span>
                <span className="ml-auto shrink-0">{column.arrowType.split('(')[0]}</span>
                <CopyButton text={copied} what={`the value of ${column.name}`} />
              </dt>
              <dd
                // What scrolls is reached by the keyboard.
                tabIndex={copied.length > SCROLLS ? 0 : undefined}
                className="tabular max-h-60 overflow-auto wrap-anywhere whitespace-pre-wrap"
              >
                {value === null ? (
                  <span className="text-faint">NULL</span>
                ) : (
                  <bdi>
                    {typeof value === 'object'
                      ? JSON.stringify(value, null, 2)
                      : formatCell(column, value, zone)}
                  </bdi>
                )}
                {length !== null && <span className="text-faint"> = {formatDuration(length)}</span>}
              </dd>
            </div>
          );
        })}
      </dl>
    </aside>
  );
}
