import { useEffect, useState } from 'react';
import { type Nanos, now } from '@/base/nanos';

/** The time, told anew every so many milliseconds: for ages that stay true. */
export function useNow(everyMs: number): Nanos {
  const [time, setTime] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setTime(now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return time;
}
