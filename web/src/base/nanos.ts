/**
 * Times and lengths of time. Both are 64-bit integers of nanoseconds: a JavaScript number would round them,
 * so they are `bigint` from the JSON string at the border to the text on the screen.
 */

declare const unit: unique symbol;

/** A moment: nanoseconds since the Unix epoch, UTC. */
export type Nanos = bigint & { readonly [unit]: 'moment' };

/** A length of time in nanoseconds; negative when an end lies before its start. */
export type Duration = bigint & { readonly [unit]: 'duration' };

export const MICROSECOND = 1_000n as Duration;
export const MILLISECOND = 1_000_000n as Duration;
export const SECOND = 1_000_000_000n as Duration;
export const MINUTE = (60n * SECOND) as Duration;
export const HOUR = (60n * MINUTE) as Duration;
export const DAY = (24n * HOUR) as Duration;

/** A moment from the decimal string that JSON carries. Throws on anything else. */
export function nanos(text: string): Nanos {
  return BigInt(text) as Nanos;
}

/** A length of time from the decimal string that JSON carries. Throws on anything else. */
export function duration(text: string): Duration {
  return BigInt(text) as Duration;
}

export function between(start: Nanos, end: Nanos): Duration {
  return (end - start) as Duration;
}

export function after(start: Nanos, length: Duration): Nanos {
  return (start + length) as Nanos;
}

export function before(end: Nanos, length: Duration): Nanos {
  return (end - length) as Nanos;
}

/** The moment of a clock that counts milliseconds, such as `Date.now()`. */
export function fromMillis(milliseconds: number): Nanos {
  return (BigInt(Math.floor(milliseconds)) * MILLISECOND) as Nanos;
}

/** Now, by this computer's clock (to the millisecond). */
export function now(): Nanos {
  return fromMillis(Date.now());
}

/**
 * A length as a number, for drawing only: exact up to 104 days, which is past what a pixel can show.
 */
export function toDrawable(length: Duration): number {
  return Number(length);
}

/** A length that a drawing gives back, to the nanosecond. */
export function fromDrawable(length: number): Duration {
  return BigInt(Math.round(length)) as Duration;
}

export function maxOf(a: Nanos, b: Nanos): Nanos {
  return a > b ? a : b;
}
