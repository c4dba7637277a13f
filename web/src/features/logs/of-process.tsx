import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { LogSearch } from '@/base/log-search';
import { rangeFromSearch, rangeToSearch } from '@/base/time-range';
import { LogExplorer } from './explorer';

/** What a link to the log records of a process holds: its time is not that of the other pages. */
export interface ProcessLogSearch extends LogSearch {
  since?: string;
  until?: string;
}

/** The log records of a process, all of its life unless a part was chosen. */
export function ProcessLogs({ processId, search }: { processId: string; search: ProcessLogSearch }) {
  const navigate = useNavigate();
  const { since, until } = search;
  const range = useMemo(
    () => (since === undefined || until === undefined ? null : rangeFromSearch({ from: since, to: until })),
    [since, until],
  );
  const change = (change: { [Name in keyof ProcessLogSearch]?: ProcessLogSearch[Name] | undefined }) =>
    void navigate({ to: '.', search: (previous) => ({ ...previous, ...change }), replace: true });
  return (
    <LogExplorer
      search={search}
      change={change}
      range={range}
      setRange={(next) => {
        const { from, to } = next === null ? {} : rangeToSearch(next);
        change({ since: from, until: to });
      }}
      process={processId}
    />
  );
}
