/** The app's icons: strokes on a 16 by 16 grid, in the colour of the text around them. */

const PATHS = {
  bookmark: 'M4 2.500h8v11l-4-3-4 3z',
  check: 'm3 8.500 3.500 3.500L13 4.500',
  chevronDown: 'm4 6 4 4 4-4',
  chevronRight: 'm6 4 4 4-4 4',
  chevronUp: 'm4 10 4-4 4 4',
  clock: 'M8 14.250a6.250 6.250 0 1 0 0-12.500 6.250 6.250 0 0 0 0 12.500ZM8 4.500V8l2.500 1.500',
  close: 'm4 4 8 8m0-8-8 8',
  collapse: 'm4 3 4 3.500L12 3M4 13l4-3.500L12 13',
  compare: 'M5.500 2.500v11m5-11v11M2.500 5.500l3-3 3 3m-1 5 3 3 3-3',
  copy: 'M5.500 5.500v-3h8v8h-3m-8-5h8v8h-8z',
  download: 'M8 2.500V10m-3.500-3.500L8 10l3.500-3.500M2.500 13.500h11',
  edit: 'M3 13h2.500l7.500-7.500-2.500-2.500L3 10.500zM9 4.500 11.500 7',
  error: 'M8 14.250a6.250 6.250 0 1 0 0-12.500 6.250 6.250 0 0 0 0 12.500ZM8 5v3.500m0 2.250v.01',
  expand: 'm4 6.500 4-3.500 4 3.500M4 9.500 8 13l4-3.500',
  filter: 'M2 3.500h12L9.500 8.750V13l-3-1.500V8.750z',
  keyboard: 'M1.750 4h12.500v8.500H1.750zM4.500 6.750h.01m2.300 0h.01m2.300 0h.01m2.300 0h.01M5 10h6',
  link: 'M6.500 9.500 9.500 6.500M7 4.500l1.300-1.300a3.180 3.180 0 0 1 4.500 4.500L11.500 9M9 11.500l-1.300 1.300a3.180 3.180 0 0 1-4.500-4.500L4.500 7',
  logs: 'M2.500 3.500h.01M5.500 3.500h8M2.500 6.500h.01M5.500 6.500h6M2.500 9.500h.01M5.500 9.500h8M2.500 12.500h.01M5.500 12.500h4',
  metrics: 'M2 13.500h12M2.500 10.500 6 6.500l3 2.500 4.500-6',
  monitor: 'M2 3h12v8H2zM6 13.500h4',
  moon: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7Z',
  panel: 'M2 3h12v10H2zM6 3v10',
  processes: 'M2.500 2.500h11v4.500h-11zM2.500 9h11v4.500h-11zM5 4.750h.01M5 11.250h.01',
  refresh:
    'M13.500 7A5.600 5.600 0 0 0 3.300 5M2.500 2.500V5.500h3M2.500 9a5.600 5.600 0 0 0 10.200 2m.8 2.500v-3h-3',
  services: 'M2 3h4v3.500H2zM10 2h4v3.500h-4zM10 10.500h4V14h-4zM6 4.750h2.500m0 0V12.250H10M8.500 3.750H10',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.600-1.400L14 14',
  sql: 'M8 6.250c3.040 0 5.500-.9 5.500-2s-2.460-2-5.500-2-5.500.9-5.500 2 2.460 2 5.500 2ZM2.500 4.250v7.500c0 1.100 2.460 2 5.500 2s5.500-.9 5.500-2v-7.500M2.500 8c0 1.100 2.460 2 5.500 2s5.500-.9 5.500-2',
  sun: 'M8 10.750a2.750 2.750 0 1 0 0-5.500 2.750 2.750 0 0 0 0 5.500ZM8 1.500v1m0 11v1M1.500 8h1m11 0h1M3.400 3.400l.7.7m7.800 7.800.7.7m0-9.200-.7.7m-7.800 7.800-.7.7',
  traces: 'M2 3.500h8m-5 3h8.500m-8.500 3h5m-3 3h5.500',
  trash: 'M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.6 9h5.800l.6-9M6.800 7v4m2.400-4v4',
  warning: 'M8 2.250 14.500 13.500h-13zM8 6.500v3m0 2v.01',
  zoomIn: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.600-1.400L14 14M7 5v4M5 7h4',
  zoomOut: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.600-1.400L14 14M5 7h4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      className={`shrink-0 ${className ?? ''}`}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of Glasshouse: a house of glass with a trace in it. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" width={size} height={size} fill="none" className="shrink-0">
      <path d="M3 11 12 3l9 8v10H3z" className="stroke-accent" strokeWidth={1.8} strokeLinejoin="round" />
      <path d="M7 12h7M9.500 15h7M7 18h5" className="stroke-accent" strokeWidth={1.8} strokeLinecap="round" />
    </svg>
  );
}
