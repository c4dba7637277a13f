import { expect, it } from 'vitest';
import { filterOf, readMetricSearch, togetherOf } from './search';

it('reads what a link holds and leaves the rest', () => {
  const search = readMetricSearch({
    name: 'latency',
    type: 'HISTOGRAM',
    attr: ['http.route=/a', 'nonsense'],
    by: 'service_name',
    aggregate: 'median',
    show: 'p99.9',
  });
  expect(search).toEqual({
    name: 'latency',
    type: 'HISTOGRAM',
    attr: ['http.route=/a'],
    by: ['service_name'],
    show: 'p99.9',
  });
  expect(filterOf(search)).toEqual({
    name: 'latency',
    kind: 'HISTOGRAM',
    attributes: [{ key: 'http.route', value: '/a' }],
  });
  expect(togetherOf(search)).toEqual({
    aggregate: 'sum',
    by: ['service_name'],
    percentiles: ['50', '90', '99', '99.9'],
  });
});

it('puts together as suits the kind, unless told otherwise', () => {
  expect(togetherOf({ name: 'memory', type: 'GAUGE' }).aggregate).toBe('average');
  expect(togetherOf({ name: 'calls', type: 'SUM' }).aggregate).toBe('sum');
  expect(togetherOf({ name: 'calls', type: 'SUM', aggregate: 'each' }).aggregate).toBeNull();
  expect(filterOf({})).toBeNull();
});
