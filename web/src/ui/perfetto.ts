/** Hands a trace to Perfetto's user interface in another window, the way that it asks for: a `PING` until it says `PONG`. */

const PING_MS = 50;
const ANSWER_WITHIN_MS = 60_000;

/** Why nothing came of it. */
export class PerfettoError extends Error {
  override readonly name = 'PerfettoError';
}

/**
 * Opens `address` and shows `trace` there. To be called while a click is handled, else browsers open no window.
 * Throws {@link PerfettoError}, or what `trace` throws.
 */
export async function openInPerfetto(
  address: string,
  title: string,
  fileName: string,
  trace: Promise<ArrayBuffer>,
): Promise<void> {
  const { origin } = new URL(address);
  const other = window.open(address);
  if (other === null) {
    trace.catch(() => {}); // Nobody waits for it.
    throw new PerfettoError('The browser did not open a window');
  }
  try {
    const [buffer] = await Promise.all([trace, answered(other, origin)]);
    other.postMessage({ perfetto: { buffer, title, fileName } }, origin);
  } catch (error) {
    other.close();
    throw error;
  }
}

/** Waits until the window listens. */
function answered(other: Window, origin: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (done: () => void) => {
      clearInterval(pinging);
      clearTimeout(giveUp);
      window.removeEventListener('message', listen);
      done();
    };
    const listen = (event: MessageEvent) => {
      if (event.source === other && event.origin === origin && event.data === 'PONG') end(resolve);
    };
    const pinging = setInterval(() => {
      if (other.closed) end(() => reject(new PerfettoError('The window was closed')));
      else other.postMessage('PING', origin);
    }, PING_MS);
    const giveUp = setTimeout(
      () => end(() => reject(new PerfettoError(`${origin} does not answer`))),
      ANSWER_WITHIN_MS,
    );
    window.addEventListener('message', listen);
  });
}
