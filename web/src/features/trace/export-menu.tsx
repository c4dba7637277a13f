import { useState } from 'react';
import { ApiError } from '@/api/client';
import { exportPath, perfettoTrace, type TraceFormat } from '@/api/exports';
import { Button, buttonClass, IconButton } from '@/ui/button';
import { Icon } from '@/ui/icons';
import { openInPerfetto } from '@/ui/perfetto';
import { perfettoAddress, readAddress } from '@/ui/perfetto-address';
import { Popover } from '@/ui/popover';
import { useStored } from '@/ui/stored';
import { noteError } from '@/ui/toasts';

const FORMATS: { format: TraceFormat; label: string }[] = [
  { format: 'otlp', label: 'OTLP JSON' },
  { format: 'otlp-proto', label: 'OTLP protobuf' },
  { format: 'jaeger', label: 'Jaeger' },
  { format: 'zipkin', label: 'Zipkin' },
  { format: 'chrome', label: 'Chrome' },
];

/** Takes the trace to other tools: as a file, or straight into Perfetto's user interface. */
export function ExportMenu({ traceId, title }: { traceId: string; title: string }) {
  const [open, setOpen] = useState(false);
  const [chosen, choose] = useStored(perfettoAddress);
  const [text, setText] = useState(chosen);
  const typed = readAddress(text);
  const show = () => {
    if (typed === null) return;
    choose(typed);
    setOpen(false);
    openInPerfetto(typed, title, `${traceId}.pftrace`, perfettoTrace(traceId)).catch((error: unknown) => {
      const details = error instanceof ApiError ? error.details : undefined;
      noteError(`Not shown in Perfetto: ${error instanceof Error ? error.message : String(error)}`, details);
    });
  };
  return (
    <Popover
      label="Export"
      align="end"
      open={open}
      onOpenChange={setOpen}
      className="w-80 space-y-3 p-3"
      trigger={<IconButton icon="download" label="Export trace" />}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          show();
        }}
        className="space-y-2"
      >
        <label className="block space-y-1">
          <span className="text-xs text-muted">Perfetto’s address</span>
          <input
            value={text}
            onChange={(event) => setText(event.target.value)}
            aria-invalid={typed === null}
            spellCheck={false}
            autoComplete="off"
            className="field w-full"
          />
        </label>
        <p className="text-xs text-faint">
          The trace goes from this page to that one; Perfetto reads it in the browser and sends it nowhere.
        </p>
        <div className="flex gap-2">
          <Button type="submit" look="primary" disabled={typed === null} className="flex-1">
            Open in Perfetto
          </Button>
          <a href={exportPath(traceId, 'perfetto')} download className={buttonClass('outline', 'flex-1')}>
            <Icon name="download" size={14} />
            Download
          </a>
        </div>
      </form>
      <div className="space-y-2 border-t border-line pt-3">
        <h3 className="text-xs text-muted">For other tools, without log records</h3>
        <div className="flex flex-wrap gap-2">
          {FORMATS.map(({ format, label }) => (
            <a key={format} href={exportPath(traceId, format)} download className={buttonClass('outline')}>
              {label}
            </a>
          ))}
        </div>
      </div>
    </Popover>
  );
}
