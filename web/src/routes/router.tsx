import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { readLogSearch } from '@/base/log-search';
import { formatSearchParams, parseSearchParams, textParam } from '@/base/search-params';
import { rangeFromSearch } from '@/base/time-range';
import { readTraceSearch } from '@/base/trace-search';
import { readMetricSearch } from '@/features/metrics/search';
import { readProcessPageSearch } from '@/features/process/search';
import { readProcessSearch } from '@/features/processes/search';
import { readServiceSearch } from '@/features/services/search';
import { PageNotFound, PageProblem } from '@/features/shell/problem';
import { Shell } from '@/features/shell/shell';
import { readSqlSearch } from '@/features/sql/search';
import { readCompareSearch } from '@/features/trace/compare/search';
import { readTracePageSearch } from '@/features/trace/search';
import { TraceSearchPage } from '@/features/trace-search/page';
import { ShellViews } from '@/features/views/shell-views';

/** What every link may hold: the time range. */
interface RangeSearch {
  from?: string;
  to?: string;
}

function readRange(raw: Record<string, unknown>): RangeSearch {
  const from = textParam(raw.from);
  const to = textParam(raw.to);
  const search = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  return rangeFromSearch(search) === null ? {} : search;
}

const root = createRootRoute({
  validateSearch: readRange,
  search: { middlewares: [retainSearchParams<RangeSearch>(['from', 'to'])] },
  component: () => (
    <Shell views={(isWide) => <ShellViews isWide={isWide} />}>
      <Outlet />
    </Shell>
  ),
  notFoundComponent: PageNotFound,
  errorComponent: PageProblem,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/traces', replace: true });
  },
});

const traceSearch = createRoute({
  getParentRoute: () => root,
  path: '/traces',
  validateSearch: readTraceSearch,
  component: function TraceSearch() {
    return <TraceSearchPage search={traceSearch.useSearch()} />;
  },
});

const trace = createRoute({
  getParentRoute: () => root,
  path: '/traces/$traceId',
  validateSearch: readTracePageSearch,
  component: lazyRouteComponent(() => import('./trace'), 'TraceRoute'),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: '/traces/compare',
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import('./compare'), 'CompareRoute'),
});

const services = createRoute({
  getParentRoute: () => root,
  path: '/services',
  validateSearch: readServiceSearch,
  component: lazyRouteComponent(() => import('./services'), 'ServicesRoute'),
});

const logs = createRoute({
  getParentRoute: () => root,
  path: '/logs',
  validateSearch: readLogSearch,
  component: lazyRouteComponent(() => import('./logs'), 'LogsRoute'),
});

const metrics = createRoute({
  getParentRoute: () => root,
  // The server answers /metrics to Prometheus.
  path: '/explore',
  validateSearch: readMetricSearch,
  component: lazyRouteComponent(() => import('./metrics'), 'MetricsRoute'),
});

const sql = createRoute({
  getParentRoute: () => root,
  path: '/sql',
  validateSearch: readSqlSearch,
  component: lazyRouteComponent(() => import('./sql'), 'SqlRoute'),
});

const processes = createRoute({
  getParentRoute: () => root,
  path: '/processes',
  validateSearch: readProcessSearch,
  component: lazyRouteComponent(() => import('./processes'), 'ProcessesRoute'),
});

const process = createRoute({
  getParentRoute: () => root,
  path: '/processes/$processId',
  validateSearch: readProcessPageSearch,
  component: lazyRouteComponent(() => import('./process'), 'ProcessRoute'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    traceSearch,
    trace,
    compare,
    services,
    logs,
    metrics,
    processes,
    process,
    sql,
  ]),
  parseSearch: parseSearchParams,
  stringifySearch: formatSearchParams,
  defaultPreload: false,
  defaultErrorComponent: PageProblem,
  defaultNotFoundComponent: PageNotFound,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
