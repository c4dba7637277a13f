import { useState } from 'react';
import { TRACE_KINDS } from '@/api/perfetto';
import type { Process } from '@/api/processes';
import { formatCount, plural } from '@/base/numbers';
import { Button } from '@/ui/button';
import { Icon } from '@/ui/icons';
import { Popover } from '@/ui/popover';
import { noteError } from '@/ui/toasts';
import { fileNameOf } from './file-name';
import { JobList } from './job-list';
import { cancel, enqueue, useAllJobs } from './jobs';
import { folderTargets } from './targets';

/** Makes a Perfetto trace of each of some processes, of all that it has sent, one after the other. */
export function GenerateTraces({ processes, done }: { processes: readonly Process[]; done: () => void }) {
  const generate = async () => {
    const targets = await folderTargets();
    if (targets === null) return;
    const taken = new Set<string>();
    for (const process of processes) {
      const name = fileNameOf(process);
      // Processes of the same service and PID are told apart by their ids.
      const unique = taken.has(name) ? `${name}-${process.process_id}` : name;
      taken.add(name);
      const fileName = `${unique}.pftrace`;
      enqueue(process.process_id, fileName, { kinds: TRACE_KINDS }, targets(fileName));
    }
    done();
  };
  return (
    <Button
      icon="download"
      onClick={() => {
        generate().catch((error: unknown) => noteError('The folder cannot be written to', String(error)));
      }}
    >
      Generate {plural(processes.length, 'trace')}
    </Button>
  );
}

/** The traces that are made, wait to be made, or were made, of all processes. */
export function TracesUnderWay() {
  const jobs = useAllJobs();
  const [open, setOpen] = useState(false);
  if (jobs.length === 0) return null;
  const left = jobs.filter(({ state }) => state === 'waiting' || state === 'running');
  return (
    <Popover
      label="Traces"
      align="end"
      open={open}
      onOpenChange={setOpen}
      className="max-h-[70vh] w-96 space-y-2 overflow-auto p-2"
      trigger={
        <Button>
          {left.length === 0
            ? plural(jobs.length, 'trace')
            : `${formatCount(left.length)} of ${plural(jobs.length, 'trace')} to come`}
          <Icon name="chevronDown" size={12} className="text-faint" />
        </Button>
      }
    >
      {left.length > 1 && (
        <Button
          onClick={() => {
            for (const { id } of left) cancel(id);
          }}
        >
          Cancel all
        </Button>
      )}
      <JobList jobs={jobs} />
    </Popover>
  );
}
