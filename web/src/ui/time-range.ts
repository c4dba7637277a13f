import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { DEFAULT_RANGE, rangeFromSearch, rangeToSearch, type TimeRange } from '@/base/time-range';

/** The time range that all pages share. It lives in the link: `from` and `to`. */
export function useTimeRange(): [TimeRange, (range: TimeRange) => void] {
  const { from, to } = useSearch({ strict: false }) as { from?: string; to?: string };
  const navigate = useNavigate();
  const range = useMemo(
    () =>
      rangeFromSearch({ ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }) ??
      DEFAULT_RANGE,
    [from, to],
  );
  const setRange = useCallback(
    (next: TimeRange) => {
      void navigate({
        to: '.',
        search: (previous) => ({ ...previous, from: undefined, to: undefined, ...rangeToSearch(next) }),
      });
    },
    [navigate],
  );
  return [range, setRange];
}
