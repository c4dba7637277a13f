/** Metrics of the demo shop: picked, grouped, put together, and followed to their traces. */
import { expect, type Page, test } from '@playwright/test';
import { onDemoData } from './demo';
import { expectAccessible, watchComplaints } from './page';

onDemoData();

const lines = (page: Page) => page.getByRole('list', { name: 'Lines' }).getByRole('listitem');

/** The last value of the first line, in MiB. */
async function mebibytes(page: Page): Promise<number> {
  const [, number, unit] = /([\d.]+) (MiB|GiB)$/.exec((await lines(page).first().textContent())!)!;
  return Number(number) * (unit === 'GiB' ? 1024 : 1);
}

/** Picks one of the choices of a control. */
async function choose(page: Page, label: string, option: string) {
  await page.getByRole('button', { name: label, exact: true }).click();
  await page.getByRole('combobox', { name: label }).fill(option);
  await page.getByRole('option', { name: option, exact: true }).click();
  // A list that closes gives the focus back, which would close the next.
  await expect(page.getByRole('listbox')).toHaveCount(0);
}

test('a histogram is picked, grouped and followed to a trace', async ({ page }) => {
  const complaints = watchComplaints(page);
  await page.goto('/explore');
  await page.getByRole('button', { name: /^server\.request\.duration histogram/ }).click();
  await expect(lines(page)).toHaveText([/^p99\d/, /^p90\d/, /^p50\d/]);
  await choose(page, 'Group by', 'service_name');
  await expect(lines(page).filter({ hasText: 'service_name=checkout' })).toBeVisible();
  await page.getByLabel('Show').selectOption({ label: '95th percentile' });
  await expect(page).toHaveURL(/show=p95/);
  await expect(lines(page).filter({ hasText: /checkout.*ms/ })).toBeVisible();
  await choose(page, 'Service', 'checkout');
  await expect(lines(page)).toHaveCount(1);
  await expectAccessible(page);
  await page.reload();
  await expect(lines(page)).toHaveText([/^service_name=checkout/]);
  await expect(page.getByLabel('Show')).toHaveValue('p95');

  const example = page.getByRole('region', { name: 'Examples' }).getByRole('link').first();
  await expect(example).toContainText('checkout');
  await example.click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?span=/);
  await expect(page.getByRole('complementary', { name: 'Span' })).toContainText('checkout');
  await page.goBack();
  await expect(lines(page)).toHaveCount(1);
  expect(complaints).toEqual([]);
});

test('examples are clicked in the chart', async ({ page, request }) => {
  const asked = 'name=server.request.duration&service=checkout';
  const { exemplars } = (await (await request.get(`/api/metrics/exemplars?${asked}`)).json()) as {
    exemplars: { time: string }[];
  };
  // From just before the first to just after the last.
  const moment = (at: number, by: number) =>
    new Date(Number(BigInt(exemplars.at(at)!.time) / 1_000_000n) + by).toISOString();
  const time = `from=${moment(0, -2_000)}&to=${moment(-1, 2_000)}`;
  await page.goto(`/explore?${asked}&type=HISTOGRAM&${time}`);
  await expect(page.getByRole('region', { name: 'Examples' }).getByRole('link').first()).toBeVisible();
  const chart = page.getByRole('img', { name: /^server\.request\.duration/ });
  const box = (await chart.boundingBox())!;
  // The last stands two seconds before the end, at some height: the pointer says where.
  const seconds = Number((BigInt(exemplars.at(-1)!.time) - BigInt(exemplars[0]!.time)) / 1_000_000n) / 1_000;
  const x = 64 + (box.width - 76) * ((seconds + 2) / (seconds + 4));
  const found = await (async () => {
    for (let y = 8; y < box.height - 12; y += 4) {
      await page.mouse.move(box.x + x, box.y + y);
      if ((await chart.evaluate((canvas) => getComputedStyle(canvas).cursor)) === 'pointer') return y;
    }
    return null;
  })();
  expect(found).not.toBeNull();
  await page.mouse.down();
  await page.mouse.up();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
});

test('series are added up, averaged and told apart', async ({ page }) => {
  await page.goto('/explore?name=shop.orders&type=SUM');
  await expect(lines(page)).toHaveText([/order\/s/]);
  await choose(page, 'Group by', 'outcome');
  await expect(lines(page)).toHaveText([/^outcome=placed.*order\/s/, /^outcome=failed/]);
  await choose(page, 'Where', 'outcome');
  await choose(page, 'Value', 'failed');
  await expect(lines(page)).toHaveText([/^outcome=failed/]);
  await page.getByRole('button', { name: 'Remove condition outcome = failed' }).click();
  await expect(lines(page)).toHaveCount(2);

  await page.getByRole('textbox', { name: 'Find metrics' }).fill('memory');
  await expect(page.getByText('1 metric', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: /^process\.memory\.usage/ }).click();
  await expect(lines(page)).toHaveText([/iB$/]);
  const together = await mebibytes(page);
  await page.getByLabel('Series').selectOption({ label: 'the greatest' });
  await expect(page).toHaveURL(/aggregate=max/);
  await expect.poll(() => mebibytes(page)).toBeLessThan(together);
  await page.getByLabel('Series').selectOption({ label: 'each by itself' });
  await expect.poll(() => lines(page).count()).toBeGreaterThan(5);
});

test('errors of each call are told, and the page recovers', async ({ page }) => {
  const broken = new Set(['list', 'series', 'exemplars', 'attributes']);
  await page.route(/\/api\/metrics/, (route) => {
    const call = new URL(route.request().url()).pathname.split('/')[3] ?? 'list';
    return broken.has(call)
      ? route.fulfill({
          status: 400,
          contentType: 'application/json',
          body: `{"error":{"type":"query_limit","message":"${call} is out of memory"}}`,
        })
      : route.continue();
  });
  await page.goto('/explore?name=server.request.duration&type=HISTOGRAM');
  await expect(page.getByRole('alert')).toContainText('list is out of memory');
  broken.delete('list');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('series is out of memory')).toBeVisible();
  await expect(page.getByText('exemplars is out of memory')).toBeVisible();
  await page.getByRole('button', { name: 'Group by', exact: true }).click();
  await expect(page.getByText('attributes is out of memory')).toBeVisible();
  await page.keyboard.press('Escape');
  broken.clear();
  await page
    .getByRole('region', { name: /^Chart of/ })
    .getByRole('button', { name: 'Try again' })
    .click();
  await expect(lines(page).first()).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('region', { name: 'Examples' })).toBeVisible();
});
