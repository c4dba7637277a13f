import { afterEach, expect, it, vi } from 'vitest';
import { generateTrace, type TraceProgress } from './perfetto';

afterEach(() => vi.unstubAllGlobals());

const LINES = [
  { type: 'progress', done: 1, total: 3, counts: {} },
  { type: 'plan', estimated_bytes: '12' },
  { type: 'binary_start' },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');

/** A server that answers with these bytes, so many at a time; then the connection ends, or breaks. */
function serve(bytes: Uint8Array<ArrayBuffer>, size: number, broken = false) {
  let at = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at + size));
      else if (broken) controller.error(new TypeError('network error'));
      else controller.close();
      at += size;
    },
  });
  vi.stubGlobal('fetch', async () => new Response(body));
}

async function generate() {
  const written: number[] = [];
  const told: TraceProgress[] = [];
  const done = generateTrace(
    'id',
    { kinds: ['thread'] },
    async (bytes) => void written.push(...bytes),
    (progress) => told.push(progress),
    new AbortController().signal,
  );
  return { written, told, problem: await done.catch((error: Error) => error) };
}

const encode = (text: string) => new TextEncoder().encode(text);

it.each([1, 2, 7, LINES.length - 1, LINES.length, LINES.length + 1, 1_000])(
  'tells the trace from the lines before it, %d bytes at a time',
  async (size) => {
    // Line feeds and braces in the trace are no lines.
    const trace = [10, 123, 0, 255, 10, 10, 125, 10];
    serve(new Uint8Array([...encode(LINES), ...trace]), size);
    const { written, told, problem } = await generate();
    expect(problem).toBeUndefined();
    expect(written).toEqual(trace);
    expect(told[0]).toEqual({ phase: 'counting', done: 1, total: 3 });
    expect(told.at(-1)).toEqual({ phase: 'writing', bytes: trace.length, estimated: 12 });
  },
);

it('says why the server gave up', async () => {
  serve(encode(`${JSON.stringify({ type: 'error', message: 'a file is missing' })}\n`), 5);
  expect((await generate()).problem).toMatchObject({ message: 'a file is missing' });
});

it('does not take for whole what broke off', async () => {
  serve(encode(`${LINES}abc`), 50, true);
  const { written, problem } = await generate();
  expect(written).toEqual([...encode('abc')]);
  expect(problem).toMatchObject({ name: 'ApiError', message: 'The answer of the server broke off' });
  serve(encode(LINES.slice(0, 30)), 8);
  expect((await generate()).problem).toMatchObject({ message: 'The answer ended before the trace began' });
});
