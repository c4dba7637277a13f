import type { SqlAnswer } from '@/api/sql';
import { formatDuration } from '@/base/durations';
import { formatCount, plural } from '@/base/numbers';
import { formatBytes } from '@/base/sizes';

/** How many rows there are, and what it took to find them. */
export function Statistics({ answer }: { answer: SqlAnswer }) {
  const { rows, hasMore, statistics } = answer;
  const parts = [
    hasMore ? `the first ${formatCount(rows.length)} rows, there are more` : plural(rows.length, 'row'),
  ];
  if (statistics !== null) {
    const { filesRead, filesSkipped } = statistics;
    parts.push(
      `${formatDuration(statistics.elapsed)}, ${formatDuration(statistics.planning)} of it planning`,
      `${formatCount(statistics.rowsRead)} rows looked at`,
    );
    if (filesRead + filesSkipped > 0) {
      const skipped = filesSkipped > 0 ? `, ${formatCount(filesSkipped)} skipped` : '';
      parts.push(`${formatBytes(statistics.bytesRead)} of ${plural(filesRead, 'file')}${skipped}`);
    }
    if (statistics.peakMemory > 0) parts.push(`${formatBytes(statistics.peakMemory)} of memory`);
    if (statistics.spilled > 0) parts.push(`${formatBytes(statistics.spilled)} spilled to disk`);
  }
  return (
    <p role="status" className="tabular min-w-0 flex-1 truncate text-xs text-muted" title={parts.join(' · ')}>
      {parts.join(' · ')}
    </p>
  );
}
