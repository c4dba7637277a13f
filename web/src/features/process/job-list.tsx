import { formatBytes } from '@/base/sizes';
import { Button, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { cancel, forget, type Job, secondsLeft, shareOf } from './jobs';

/** The traces that were asked for, and how far they are. */
export function JobList({ jobs }: { jobs: readonly Job[] }) {
  if (jobs.length === 0) return null;
  return (
    <ul aria-label="Traces" className="space-y-3">
      {jobs.map((job) => (
        <JobItem key={job.id} job={job} />
      ))}
    </ul>
  );
}

function JobItem({ job }: { job: Job }) {
  const isOver = job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
  const percent = Math.floor(shareOf(job) * 100);
  return (
    <li aria-label={job.fileName} className="space-y-2 rounded-lg border border-line bg-surface p-4">
      <div className="flex items-center gap-2">
        <span className="min-w-0 flex-1 truncate font-medium" title={job.fileName}>
          {job.fileName}
        </span>
        {isOver ? (
          <IconButton icon="close" label="Take off the list" small onClick={() => forget(job.id)} />
        ) : (
          <Button small onClick={() => cancel(job.id)}>
            Cancel
          </Button>
        )}
      </div>
      <div
        role="progressbar"
        aria-label={`Progress of ${job.fileName}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        className="h-1.5 overflow-hidden rounded-full bg-line"
      >
        <div
          className={classes(
            'h-full origin-left rounded-full',
            job.state === 'failed' ? 'bg-error' : job.state === 'done' ? 'bg-ok' : 'bg-accent',
          )}
          style={{ transform: `scaleX(${shareOf(job)})` }}
        />
      </div>
      <p
        role={isOver ? 'status' : undefined}
        className={classes('tabular text-xs', job.state === 'failed' ? 'text-error' : 'text-muted')}
      >
        {describe(job, percent)}
      </p>
    </li>
  );
}

function describe(job: Job, percent: number): string {
  const { state, progress } = job;
  if (state === 'waiting') return 'Waits for those before it.';
  if (state === 'cancelled') return 'Cancelled; nothing was saved.';
  if (state === 'failed') return `Failed: ${job.problem ?? 'for no known reason'}. Nothing was saved.`;
  if (state === 'done') return `Done: ${formatBytes(job.bytes)}.`;
  if (progress === null) return 'Begins.';
  if (progress.phase === 'counting') return `Counting: ${progress.done} of ${progress.total} files.`;
  const left = secondsLeft(job, performance.now());
  const rest = left === null ? '' : ` · about ${Math.ceil(left)} s left`;
  return `${percent} % · ${formatBytes(progress.bytes)} of about ${formatBytes(progress.estimated)}${rest}`;
}
