/** Levels of log records, by OpenTelemetry's severity number (log data model, "SeverityNumber"). */
export type Level = 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE';

const LEVELS: readonly Level[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** The level of a severity number; `null` when the sender gave none. */
export function levelOf(severityNumber: number): Level | null {
  return severityNumber < 1 || severityNumber > 24 ? null : LEVELS[Math.floor((severityNumber - 1) / 4)]!;
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
