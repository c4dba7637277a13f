/** The one place that talks HTTP to the server. */

import { resolveRange, type TimeRange } from '@/base/time-range';

/** Why a call was not answered, in the server's words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** HTTP status; 0 when the server was not reached. */
    readonly status: number,
    /** The error's type, such as `not_found`. */
    readonly type: string,
    message: string,
    readonly details?: string,
  ) {
    super(message);
  }

  /** Whether asking again may help. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** What a question about a time range says. */
export function rangeParameters(range: TimeRange): Parameters {
  const { from, to } = resolveRange(range);
  return [
    ['from', from.toString()],
    ['to', to?.toString()],
  ];
}

/** A part of a query key. Keys are compared as JSON, which has no bigint. */
export function keyOf(value: object): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}

/** Query parameters; those that are `undefined` are left out. */
export type Parameters = readonly (readonly [name: string, value: string | undefined])[];

/** Asks for JSON. Throws {@link ApiError}, or an `AbortError` when `signal` fires. */
export async function get<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of parameters) {
    if (value !== undefined) query.append(name, value);
  }
  const url = query.size === 0 ? path : `${path}?${query}`;
  return await ask(url, 'application/json', signal, (response) => response.json() as Promise<T>);
}

/** Asks for a file. Throws as {@link get} does, also when the file breaks off. */
export async function getFile(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return await ask(path, '*/*', signal, (response) => response.arrayBuffer());
}

/** Sends JSON, and reads JSON. Throws as {@link get} does. */
export async function postJson<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
  return await sendJson('POST', path, body, signal);
}

/** Replaces what is at a path. Throws as {@link get} does. */
export async function putJson<T>(path: string, body: object): Promise<T> {
  return await sendJson('PUT', path, body);
}

async function sendJson<T>(method: string, path: string, body: object, signal?: AbortSignal): Promise<T> {
  const request = { method, body: JSON.stringify(body) };
  return await ask(path, 'application/json', signal, (response) => response.json() as Promise<T>, request);
}

/** Takes away what is at a path. Throws as {@link get} does. */
export async function remove(path: string): Promise<void> {
  await ask(path, 'application/json', undefined, async () => {}, { method: 'DELETE' });
}

/** Sends a file, and reads JSON. Throws as {@link get} does. */
export async function postFile<T>(path: string, file: Blob, signal: AbortSignal): Promise<T> {
  const request = { method: 'POST', body: file };
  return await ask(path, 'application/json', signal, (response) => response.json() as Promise<T>, request);
}

/**
 * Sends JSON, and reads an answer that may be long. Throws as {@link get} does; what else `read` throws, such as when
 * it cannot pass on what it read, is thrown as it is.
 */
export async function post<T>(
  path: string,
  body: object,
  signal: AbortSignal,
  read: (stream: Pick<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, 'read'>) => Promise<T>,
): Promise<T> {
  const request = { method: 'POST', body: JSON.stringify(body) };
  const reader = await ask(
    path,
    '*/*',
    signal,
    async (response) => {
      const reader = response.body?.getReader();
      if (reader === undefined) throw new ApiError(response.status, 'unreadable', 'The answer is empty');
      return reader;
    },
    request,
  );
  // What is thrown where pieces are read is the server's fault.
  const guarded = { read: () => reader.read().catch(brokenOff) };
  try {
    return await read(guarded);
  } finally {
    // When it was not read to its end, the server stops.
    reader.cancel().catch(() => {});
  }
}

function brokenOff(error: unknown): never {
  if (error instanceof DOMException && error.name === 'AbortError') throw error;
  throw new ApiError(200, 'unreadable', 'The answer of the server broke off', String(error));
}

async function ask<T>(
  url: string,
  accept: string,
  signal: AbortSignal | undefined,
  read: (response: Response) => Promise<T>,
  request: { method?: string; body?: string | Blob } = {},
): Promise<T> {
  let response: Response;
  const type = request.body instanceof Blob ? 'application/octet-stream' : 'application/json';
  const headers = { accept, ...(request.body === undefined ? {} : { 'content-type': type }) };
  try {
    response = await fetch(url, { ...request, headers, signal: signal ?? null });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'unreachable', 'The server cannot be reached', String(error));
  }
  if (!response.ok) throw await readError(response);
  try {
    return await read(response);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(
      response.status,
      'unreadable',
      'The answer of the server cannot be read',
      String(error),
    );
  }
}

async function readError(response: Response): Promise<ApiError> {
  const fallback = `The server answered ${response.status} ${response.statusText}`.trim();
  const text = await response.text().catch(() => '');
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'error' in body) {
      const { error } = body as { error: { type?: unknown; message?: unknown; details?: unknown } };
      return new ApiError(
        response.status,
        typeof error.type === 'string' ? error.type : 'unknown',
        typeof error.message === 'string' ? error.message : fallback,
        typeof error.details === 'string' ? error.details : undefined,
      );
    }
  } catch {
    // No JSON: a proxy's page, or nothing.
  }
  return new ApiError(response.status, 'unknown', fallback, text.slice(0, 2_000) || undefined);
}
