const whole = new Intl.NumberFormat('en-GB');

/** `12,345`. */
export function formatCount(count: number | bigint): string {
  return whole.format(count);
}

/** `950`, `12.3k`, `4.1M`: where space is short. */
export function formatShortCount(count: number): string {
  if (count < 1_000) return String(count);
  const [size, name] = count < 999_500 ? [1e3, 'k'] : count < 999_500_000 ? [1e6, 'M'] : [1e9, 'G'];
  const value = count / size;
  return `${value < 99.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}${name}`;
}

/** `1 span`, `12,345 spans`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
