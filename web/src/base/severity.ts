/** Levels of log records, by OpenTelemetry's severity number (log data model, "SeverityNumber"). */
export type Level = 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE';

/** A level, or what records without a severity number have. */
export type LevelName = Level | 'UNSPECIFIED';

/** All of them, the gravest first. */
export const LEVELS: readonly LevelName[] = [
  'FATAL',
  'ERROR',
  'WARN',
  'INFO',
  'DEBUG',
  'TRACE',
  'UNSPECIFIED',
];

const BY_NUMBER: readonly Level[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** The level of a severity number; `null` when the sender gave none. */
export function levelOf(severityNumber: number): Level | null {
  return severityNumber < 1 || severityNumber > 24 ? null : BY_NUMBER[Math.floor((severityNumber - 1) / 4)]!;
}

/** Class that colours a level's text: FATAL and ERROR red, WARN yellow, INFO blue, DEBUG grey, TRACE light grey. */
export const LEVEL_CLASS: Readonly<Record<Level, string>> = {
  FATAL: 'text-error',
  ERROR: 'text-error',
  WARN: 'text-warn',
  INFO: 'text-info',
  DEBUG: 'text-muted',
  TRACE: 'text-faint',
};

/** The custom property of a level's colour, for drawing. */
export const LEVEL_COLOUR: Readonly<Record<LevelName, string>> = {
  FATAL: '--error',
  ERROR: '--error',
  WARN: '--warn',
  INFO: '--info',
  DEBUG: '--muted',
  TRACE: '--faint',
  UNSPECIFIED: '--accent',
};

/** Class that fills an element with a level's colour. */
export const LEVEL_FILL: Readonly<Record<LevelName, string>> = {
  FATAL: 'bg-error',
  ERROR: 'bg-error',
  WARN: 'bg-warn',
  INFO: 'bg-info',
  DEBUG: 'bg-muted',
  TRACE: 'bg-faint',
  UNSPECIFIED: 'bg-accent',
};
