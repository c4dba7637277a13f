import { expect, type Page, test } from '@playwright/test';
import { expectAccessible, watchComplaints } from './page';

const ID = '00000000-0000-4000-8000-000000000007';
const START = 1_800_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
const NAMES = [
  'memory',
  'requests',
  'latency',
  ...Array.from({ length: 40 }, (_, number) => `other ${number}`),
];

const series = {
  memory: {
    columns: ['value'],
    series: [{ attributes: [], values: [[1_073_741_824], [2_147_483_648]] }],
  },
  requests: {
    columns: ['rate'],
    series: ['/cart', '/pay <b>now</b>'].map((route, at) => ({
      attributes: [{ key: 'http.route', value: { stringValue: route } }],
      values: [[at + 1], [at + 10]],
    })),
    hidden: 7,
  },
  latency: {
    columns: ['p50', 'p90', 'p99', 'average', 'rate'],
    series: [
      {
        attributes: [],
        values: [
          [1, 2, 3, 1.5, 20],
          [0.5, 12, 2_500, null, 30],
        ],
      },
    ],
  },
} as const;

/** Answers as the server does; `asked` has what was asked for series. */
async function serve(page: Page) {
  const asked: URLSearchParams[] = [];
  const state = { failing: '' };
  const refuse = { status: 500, json: { error: { type: 'internal', message: 'a file is gone' } } };
  const process = {
    process_id: ID,
    service_name: 'shop',
    first_seen: String(START),
    last_update_time: String(START),
    properties: {},
    resource: [],
    counts: { spans: '0', logs: '0', metrics: '0' },
  };
  await page.route(`**/api/process/${ID}`, (route) => route.fulfill({ json: process }));
  await page.route(`**/api/process/${ID}/statistics`, (route) => route.fulfill({ status: 503, json: {} }));
  await page.route(`**/api/process/${ID}/metrics*`, (route) => {
    if (state.failing === 'list') return route.fulfill(refuse);
    const metrics = NAMES.map((name) => ({
      name,
      unit: { memory: 'By', requests: '{request}', latency: 'ms' }[name] ?? '',
      description: `What ${name} tells`,
      kind: { requests: 'SUM', latency: 'HISTOGRAM' }[name] ?? 'GAUGE',
      point_count: '1234',
      start_time: String(START - 30n * SECOND),
      first_time: String(START),
      last_time: String(START + 100n * SECOND),
    }));
    return route.fulfill({ json: { metrics, hidden_metric_count: 0 } });
  });
  await page.route('**/api/metrics/series?*', (route) => {
    const query = new URL(route.request().url()).searchParams;
    asked.push(query);
    const name = query.get('name')!;
    if (state.failing === name) return route.fulfill(refuse);
    const found = series[name as keyof typeof series] ?? series.memory;
    return route.fulfill({
      json: {
        step_ns: String(SECOND),
        columns: found.columns,
        hidden_series_count: 'hidden' in found ? found.hidden : 0,
        series: found.series.map(({ attributes, values }) => ({
          process_id: ID,
          attributes,
          points: values.map((values, at) => ({
            time: String(START + BigInt(50 * at + 20) * SECOND),
            values,
          })),
        })),
      },
    });
  });
  return { asked, state };
}

const card = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const lines = (page: Page, name: string) => page.getByRole('list', { name: `Lines of ${name}` });

test('draws each metric as what it means', async ({ page }) => {
  const complaints = watchComplaints(page);
  const { asked } = await serve(page);
  await page.goto(`/processes/${ID}`);
  await page.getByRole('navigation', { name: 'Parts' }).getByRole('link', { name: 'Metrics' }).click();
  await expect(page).toHaveURL(/tab=metrics/);
  await expect(page.getByRole('status').filter({ hasText: 'metric' })).toHaveText('43 metrics');
  await expect(card(page, 'memory')).toContainText('gauge in By · What memory tells');
  await expect(lines(page, 'memory')).toHaveText('Value2 GiB');
  await expect(lines(page, 'requests')).toContainText('http.route=/cart10 request/s');
  await expect(lines(page, 'requests')).toContainText('http.route=/pay <b>now</b>11 request/s');
  await expect(card(page, 'requests')).toContainText('7 smaller series are not drawn');
  await expect(lines(page, 'latency')).toHaveText('p992.5 sp9012 msp50500 µs');
  await card(page, 'latency').getByRole('combobox').selectOption('Average');
  // The last that there is.
  await expect(lines(page, 'latency')).toHaveText('Average1.5 ms');
  await card(page, 'latency').getByRole('combobox').selectOption('Rate per second');
  await expect(lines(page, 'latency')).toHaveText('Rate per second30/s');
  await expectAccessible(page);
  // What is not in sight is not asked for.
  const names = () => new Set(asked.map((query) => query.get('name')));
  expect(names().size).toBeLessThan(20);
  await card(page, 'other 39').scrollIntoViewIfNeeded();
  await expect(lines(page, 'other 39')).toHaveText('Value2.15G');
  const first = asked[0]!;
  expect([first.get('from'), first.get('to')]).toEqual([
    // The first interval is part of it.
    String(START - 30n * SECOND),
    String(START + 100n * SECOND + 1n),
  ]);
  expect(complaints).toEqual([]);
});

test('finds metrics by name, and looks at a part of the time', async ({ page }) => {
  const { asked } = await serve(page);
  await page.goto(`/processes/${ID}?tab=metrics`);
  await expect(lines(page, 'memory')).toContainText('GiB');
  await page.keyboard.press('/');
  await page.keyboard.type('tells requ');
  await expect(page.getByRole('heading', { name: 'No metric matches' })).toBeVisible();
  await page.getByRole('textbox', { name: 'Find metrics' }).fill('Memory');
  await expect(page).toHaveURL(/q=Memory/);
  await expect(page.getByRole('status').filter({ hasText: 'metric' })).toHaveText('1 metric');

  const chart = card(page, 'memory').getByRole('img');
  const box = (await chart.boundingBox())!;
  const inner = box.width - 64 - 12;
  // The second of two points.
  await page.mouse.move(box.x + 64 + inner * (100 / 130), box.y + 60);
  await expect(page.getByRole('tooltip')).toContainText('Value2 GiB');
  await page.mouse.move(box.x + 64 + inner * 0.25, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 64 + inner * 0.75, box.y + 60, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/since=.*&until=/);
  await expect.poll(() => asked.at(-1)!.get('from')).not.toBe(String(START - 30n * SECOND));
  const last = asked.at(-1)!;
  const share = (name: string) => Number(BigInt(last.get(name)!) - START + 30n * SECOND) / 130e9;
  expect(share('from')).toBeCloseTo(0.25, 1);
  expect(share('to')).toBeCloseTo(0.75, 1);
  // Log records are of the same time.
  await expect(page.getByRole('link', { name: 'Logs' }).last()).toHaveAttribute('href', /since=.*&until=/);
  await page.getByRole('button', { name: 'All of the time' }).click();
  await expect(page).not.toHaveURL(/since=/);
});

test('says what went wrong, and recovers', async ({ page }) => {
  const { state } = await serve(page);
  state.failing = 'list';
  await page.goto(`/processes/${ID}?tab=metrics`);
  await expect(page.getByRole('alert')).toContainText('The metrics could not be loaded');
  await expect(page.getByRole('alert')).toContainText('a file is gone');
  state.failing = 'requests';
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(card(page, 'requests').getByRole('alert')).toContainText('a file is gone');
  await expect(lines(page, 'memory')).toContainText('GiB');
  state.failing = '';
  await card(page, 'requests').getByRole('button', { name: 'Try again' }).click();
  await expect(lines(page, 'requests')).toContainText('http.route=/cart');
});
