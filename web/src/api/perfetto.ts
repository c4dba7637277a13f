import { queryOptions } from '@tanstack/react-query';
import { type Nanos, nanos } from '@/base/nanos';
import { ApiError, get, post, postFile } from './client';
import type * as wire from './wire';

/** What a Perfetto trace of a process would hold. */
export type PerfettoInfo = Omit<wire.PerfettoInfo, 'begin' | 'end'> & {
  begin: Nanos | null;
  end: Nanos | null;
};

/** Kinds of rows that a trace is made of. */
export const TRACE_KINDS = ['thread', 'async', 'logs', 'metrics'] as const;
export type RowKind = (typeof TRACE_KINDS)[number];

/** Which rows are wanted; those of all times without `begin` and `end`. */
export interface TraceRequest {
  kinds: readonly RowKind[];
  begin?: Nanos;
  end?: Nanos;
}

/** How far the server is. */
export type TraceProgress =
  /** Files that were looked at, to count what there is. */
  | { phase: 'counting'; done: number; total: number }
  /** Bytes that have come, of about so many. */
  | { phase: 'writing'; bytes: number; estimated: number };

/** What is in a Perfetto trace, and what is wrong with it. */
export type TraceValidation = wire.PerfettoValidation;

/** Lets the server check a trace: strictly, what Perfetto would repair without a word is an error. */
export function validateTrace(file: Blob, signal: AbortSignal): Promise<TraceValidation> {
  return postFile('/api/perfetto/validate', file, signal);
}

/** What a trace of a process would hold: real counts, the range they cover, and estimates. */
export function perfettoInfoQuery(processId: string) {
  return queryOptions({
    queryKey: ['process', processId, 'perfetto'],
    queryFn: async ({ signal }): Promise<PerfettoInfo> => {
      const path = `/api/perfetto/${encodeURIComponent(processId)}/info`;
      const info = await get<wire.PerfettoInfo>(path, [], signal);
      const time = (text: string | undefined) => (text === undefined ? null : nanos(text));
      return { ...info, begin: time(info.begin), end: time(info.end) };
    },
  });
}

/**
 * Makes a trace: its bytes go to `write` as they come, each piece when the one before it is written. Throws
 * {@link ApiError}, or an `AbortError` when `signal` fires; then what was written is not whole.
 */
export async function generateTrace(
  processId: string,
  request: TraceRequest,
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | void,
  onProgress: (progress: TraceProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const body: wire.PerfettoRequest = {
    kinds: [...request.kinds],
    ...(request.begin === undefined ? {} : { begin: request.begin.toString() }),
    ...(request.end === undefined ? {} : { end: request.end.toString() }),
  };
  const path = `/api/perfetto/${encodeURIComponent(processId)}/generate`;
  await post(path, body, signal, async (stream) => {
    const lines = new Lines();
    let estimated = 0;
    let bytes = 0;
    let isTrace = false;
    const take = async (piece: Uint8Array<ArrayBuffer>) => {
      bytes += piece.length;
      await write(piece);
      onProgress({ phase: 'writing', bytes, estimated });
    };
    for (;;) {
      const { done, value } = await stream.read();
      if (done) break;
      if (isTrace) {
        await take(value);
        continue;
      }
      for (const line of lines.push(value)) {
        const told = JSON.parse(line) as wire.PerfettoProgress;
        if (told.type === 'error') throw new ApiError(200, 'failed', told.message);
        if (told.type === 'progress') onProgress({ phase: 'counting', done: told.done, total: told.total });
        if (told.type === 'plan') estimated = Number(told.estimated_bytes);
        if (told.type === 'binary_start') {
          isTrace = true;
          break;
        }
      }
      if (isTrace) await take(lines.rest());
    }
    if (!isTrace) throw new ApiError(200, 'unreadable', 'The answer ended before the trace began');
  });
}

/** Lines of text at the beginning of bytes. */
class Lines {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array();

  /** The lines that are whole now, one by one: what follows the last one that is taken stays. */
  *push(piece: Uint8Array<ArrayBuffer>): Generator<string> {
    const joined = new Uint8Array(this.#bytes.length + piece.length);
    joined.set(this.#bytes);
    joined.set(piece, this.#bytes.length);
    this.#bytes = joined;
    for (let end = this.#bytes.indexOf(10); end >= 0; end = this.#bytes.indexOf(10)) {
      const line = new TextDecoder().decode(this.#bytes.subarray(0, end));
      this.#bytes = this.#bytes.slice(end + 1);
      yield line;
    }
  }

  /** What is no line. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }
}
