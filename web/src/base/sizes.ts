const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Three significant digits: `512 B`, `1.5 KiB`, `2.45 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1,023.9 KiB rounds to four digits: it is 1 MiB.
  while (unit < UNITS.length - 1 && value >= 999.5) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))} ${UNITS[unit]}`;
}
