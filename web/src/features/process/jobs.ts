import { useSyncExternalStore } from 'react';
import { ApiError } from '@/api/client';
import { generateTrace, type TraceProgress, type TraceRequest } from '@/api/perfetto';

/** A trace that is made, waits to be made, or was made. */
export interface Job {
  readonly id: number;
  readonly processId: string;
  readonly fileName: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly progress: TraceProgress | null;
  /** When the first byte came, by `performance.now()`. */
  readonly writingSince: number | null;
  /** Bytes that came. */
  readonly bytes: number;
  readonly problem?: string;
}

/** Where a trace goes. */
export interface Target {
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | void;
  /** All of it came. */
  close: () => Promise<void> | void;
  /** It is not whole. */
  abort: () => Promise<void> | void;
}

/** Milliseconds between two looks at how far a trace is. */
const SHOWN_EVERY = 100;
/** Traces in the list, but for those that are not over. */
const MOST_KNOWN = 50;

let jobs: readonly Job[] = [];
let last = 0;
const waiting: { id: number; run: () => Promise<void> }[] = [];
const controllers = new Map<number, AbortController>();
const listeners = new Set<() => void>();

function change(next: readonly Job[]) {
  jobs = next;
  for (const listener of listeners) listener();
}

function update(id: number, part: Partial<Job>) {
  change(jobs.map((job) => (job.id === id ? { ...job, ...part } : job)));
}

/** Traces of all processes, the newest first. They go on while other pages are open. */
export function useAllJobs(): readonly Job[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => jobs,
  );
}

/** Traces of a process, likewise. */
export function useJobs(processId: string): readonly Job[] {
  return useAllJobs().filter((job) => job.processId === processId);
}

/** Makes a trace as soon as those before it are made. */
export function enqueue(processId: string, fileName: string, request: TraceRequest, target: Target): number {
  last += 1;
  const id = last;
  const controller = new AbortController();
  controllers.set(id, controller);
  const job: Job = {
    id,
    processId,
    fileName,
    state: 'waiting',
    progress: null,
    writingSince: null,
    bytes: 0,
  };
  // Of those that are over, some are remembered.
  change([job, ...jobs].filter((known, place) => place < MOST_KNOWN || controllers.has(known.id)));
  controller.signal.addEventListener('abort', () => void Promise.resolve(target.abort()).catch(() => {}));
  waiting.push({
    id,
    run: async () => {
      const { signal } = controller;
      let latest: TraceProgress | null = null;
      let shown = 0;
      const told = (progress: TraceProgress) => {
        const isNewPhase = progress.phase !== latest?.phase;
        latest = progress;
        if (!isNewPhase && performance.now() - shown < SHOWN_EVERY) return;
        shown = performance.now();
        show(id, progress);
      };
      try {
        signal.throwIfAborted();
        update(id, { state: 'running' });
        await generateTrace(processId, request, (bytes) => written(target.write(bytes)), told, signal);
        await written(target.close());
        if (latest !== null) show(id, latest);
        update(id, { state: 'done' });
      } catch (error) {
        const isCancelled = signal.aborted;
        if (!isCancelled) await Promise.resolve(target.abort()).catch(() => {});
        update(id, {
          state: isCancelled ? 'cancelled' : 'failed',
          ...(isCancelled ? {} : { problem: words(error) }),
        });
      } finally {
        controllers.delete(id);
      }
    },
  });
  if (waiting.length === 1) void work();
  return id;
}

/** What writes the trace failed: no fault of the server. */
class WriteError extends Error {
  override readonly name = 'WriteError';
}

async function written(writing: Promise<void> | void): Promise<void> {
  try {
    await writing;
  } catch (error) {
    throw new WriteError(
      `it could not be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function work() {
  for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
    await next.run();
    waiting.shift();
  }
}

function show(id: number, progress: TraceProgress) {
  const job = jobs.find((known) => known.id === id);
  if (job === undefined) return;
  const bytes = progress.phase === 'writing' ? progress.bytes : 0;
  const writingSince = job.writingSince ?? (progress.phase === 'writing' ? performance.now() : null);
  update(id, { progress, bytes, writingSince });
}

function words(error: unknown): string {
  if (error instanceof ApiError && error.details !== undefined) return `${error.message}: ${error.details}`;
  return error instanceof Error ? error.message : String(error);
}

/** Stops it, or takes it out of the queue. */
export function cancel(id: number) {
  controllers.get(id)?.abort();
  const job = jobs.find((known) => known.id === id);
  if (job?.state === 'waiting') update(id, { state: 'cancelled' });
}

/** Takes what is over out of the list. */
export function forget(id: number) {
  change(jobs.filter((job) => job.id !== id));
}

/** The share that is done, from 0 to 1, as far as the estimate is right; less than 1 until it is. */
export function shareOf({ progress, state }: Job): number {
  if (state === 'done') return 1;
  if (progress === null || progress.phase === 'counting' || progress.estimated === 0) return 0;
  return Math.min(progress.bytes / progress.estimated, 0.99);
}

/** Seconds that are left at the pace so far; `null` before that can be told. */
export function secondsLeft({ progress, writingSince }: Job, now: number): number | null {
  if (progress?.phase !== 'writing' || writingSince === null || progress.bytes === 0) return null;
  const spent = (now - writingSince) / 1_000;
  const left = progress.estimated - progress.bytes;
  return spent < 0.5 || left <= 0 ? null : (spent / progress.bytes) * left;
}
