import { useQueries } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { type TraceValidation, validateTrace } from '@/api/perfetto';
import { formatCount } from '@/base/numbers';
import { formatBytes } from '@/base/sizes';
import { IconButton } from '@/ui/button';
import { Icon } from '@/ui/icons';

/** Traces that stand beside each other. */
const MOST = 3;
/** Errors that are told of a trace. */
const MOST_ERRORS = 20;

const FIGURES: readonly { key: keyof TraceValidation & string; name: string }[] = [
  { key: 'packets', name: 'Packets' },
  { key: 'tracks', name: 'Tracks' },
  { key: 'slices', name: 'Slices' },
  { key: 'open_slices', name: 'Slices without an end' },
  { key: 'instants', name: 'Instants' },
  { key: 'counters', name: 'Values of counters' },
  { key: 'flows', name: 'Flow arrows' },
  { key: 'error_count', name: 'Errors' },
];

let last = 0;

/** Checks Perfetto traces from files, and compares what is in them. */
export function CheckTraces() {
  const input = useId();
  const [files, setFiles] = useState<readonly { id: number; file: File }[]>([]);
  const checks = useQueries({
    queries: files.map(({ id, file }) => ({
      queryKey: ['perfetto', 'validate', id],
      queryFn: ({ signal }: { signal: AbortSignal }) => validateTrace(file, signal),
      // The file does not change, and a trace that is none will not become one.
      staleTime: Number.POSITIVE_INFINITY,
      retry: false,
    })),
  });
  const add = (chosen: readonly File[]) =>
    setFiles((before) => [...before, ...chosen.map((file) => ({ id: ++last, file }))].slice(-MOST));
  const first = checks[0]?.data;
  return (
    <section
      aria-label="Check traces"
      className="space-y-3 rounded-lg border border-line bg-surface p-4"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        add([...event.dataTransfer.files]);
      }}
    >
      <h2 className="font-medium">Check or compare traces</h2>
      <p className="text-xs text-muted">
        The server reads a Perfetto trace strictly: what Perfetto would repair or leave out without a word is
        an error here. Several stand beside each other.
      </p>
      <label
        htmlFor={input}
        className="flex h-16 cursor-pointer items-center justify-center gap-2 rounded-md border border-dashed border-line-strong text-muted focus-within:border-accent hover:bg-hover"
      >
        <Icon name="download" className="rotate-180" /> Choose files, or drop them here
        <input
          id={input}
          type="file"
          multiple
          accept=".pftrace,.perfetto-trace,application/octet-stream"
          className="sr-only"
          onChange={({ target }) => {
            add([...(target.files ?? [])]);
            // The same file may be chosen again.
            target.value = '';
          }}
        />
      </label>
      {files.length > 0 && (
        <div className="overflow-x-auto">
          <table aria-label="Checked traces" className="tabular w-full text-left">
            <thead>
              <tr>
                <th className="pr-4 font-normal text-faint">File</th>
                {files.map(({ id, file }) => (
                  <th key={id} className="max-w-48 min-w-28 py-1 pr-4 align-top font-medium">
                    <span className="flex items-center gap-1">
                      <span className="truncate" title={file.name}>
                        {file.name}
                      </span>
                      <IconButton
                        icon="close"
                        label={`Take off ${file.name}`}
                        small
                        onClick={() => setFiles((before) => before.filter((other) => other.id !== id))}
                      />
                    </span>
                    <span className="text-xs font-normal text-faint">{formatBytes(file.size)}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <tr className="border-t border-line">
                <th className="py-1 pr-4 font-normal text-muted">Result</th>
                {checks.map((check, at) => (
                  <td key={files[at]!.id} className="py-1 pr-4 align-top">
                    <Result check={check} />
                  </td>
                ))}
              </tr>
              {FIGURES.map(({ key, name }) => (
                <tr key={key} className="border-t border-line">
                  <th className="py-1 pr-4 font-normal text-muted">{name}</th>
                  {checks.map(({ data }, at) => (
                    <td key={files[at]!.id} className="py-1 pr-4">
                      {data === undefined ? '–' : formatCount(Number(data[key]))}
                      {at > 0 && first !== undefined && data !== undefined && (
                        <Difference from={Number(first[key])} to={Number(data[key])} />
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {checks.map(
        ({ data }, at) =>
          data !== undefined &&
          data.errors.length > 0 && (
            <div key={files[at]!.id}>
              <h3 className="font-medium text-error">What is wrong with {files[at]!.file.name}</h3>
              <ul className="list-disc pl-5 text-xs">
                {data.errors.slice(0, MOST_ERRORS).map((error, number) => (
                  <li key={number} className="wrap-anywhere">
                    {error}
                  </li>
                ))}
              </ul>
              {data.error_count > Math.min(data.errors.length, MOST_ERRORS) && (
                <p className="text-xs text-faint">
                  and {formatCount(data.error_count - Math.min(data.errors.length, MOST_ERRORS))} more
                </p>
              )}
            </div>
          ),
      )}
    </section>
  );
}

function Result({ check }: { check: { data: TraceValidation | undefined; error: Error | null } }) {
  if (check.error !== null) {
    const { details } = check.error as { details?: unknown };
    return (
      <span role="alert" className="wrap-anywhere text-error">
        {check.error.message}
        {typeof details === 'string' && <span className="block text-xs text-muted">{details}</span>}
      </span>
    );
  }
  if (check.data === undefined) return <span role="status">Checking…</span>;
  return check.data.is_valid ? (
    <span className="text-ok">Nothing is wrong</span>
  ) : (
    <span className="text-error">Not valid</span>
  );
}

function Difference({ from, to }: { from: number; to: number }) {
  if (from === to) return <span className="ml-1.5 text-xs text-faint">same</span>;
  return (
    <span className="ml-1.5 text-xs text-warn">
      {to > from ? '+' : '−'}
      {formatCount(Math.abs(to - from))}
    </span>
  );
}
