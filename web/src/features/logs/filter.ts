import type { LogFilter } from '@/api/logs';
import { type LogSearch, levelsOf } from '@/base/log-search';
import { readAttribute } from '@/base/trace-search';

/** What the server is asked for. */
export function filterOf(search: LogSearch, process: string | undefined): LogFilter {
  return {
    ...(search.q === undefined ? {} : { search: search.q }),
    ...(search.service === undefined ? {} : { service: search.service }),
    ...(process === undefined ? {} : { process }),
    levels: levelsOf(search.level),
    attributes: (search.attr ?? []).map(readAttribute).filter((attribute) => attribute !== null),
  };
}
