/**
 * The walk of docs/oncall.md, with nothing made up: DEMO_URL is a server that began empty and has received some thousand
 * visits of the demo shop, in which the orders of enterprise customers are slow.
 */
import { expect, test } from '@playwright/test';
import { expectAccessible, spanRows, traceRows, watchComplaints } from './page';

const SCREENSHOTS = process.env.SCREENSHOTS ?? 'test-results/oncall';

test.skip(process.env.DEMO_URL === undefined, 'DEMO_URL names no running server');
test.use({ viewport: { width: 1400, height: 800 }, baseURL: process.env.DEMO_URL ?? '' });

test('from the first page to the guilty attribute and span in six actions', async ({ page }) => {
  const complaints = watchComplaints(page);
  const picture = async (name: string) => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.screenshot({ path: `${SCREENSHOTS}/oncall-${name}.png` });
  };
  const differences = page.getByRole('complementary', { name: 'What differs' });
  const value = (text: string) =>
    differences
      .getByRole('list', { name: 'Differences' })
      .getByRole('button')
      .filter({ hasText: text })
      .first();
  // Pictures for the docs are of less than the usual hour: `TIME='?from=-6m'`.
  await page.goto(`/${process.env.TIME === undefined ? '' : `traces${process.env.TIME}`}`);
  await expect(page.getByRole('img', { name: /^Durations over time of/ })).toBeVisible();

  // 1: what are the slowest requests?
  await page.getByRole('button', { name: 'the slowest' }).click();
  await expect(value('POST /api/checkout')).toBeVisible();
  await expectAccessible(page);
  await picture('slowest');
  // 2: orders, then.
  await value('operation').click();
  await expect(page).toHaveURL(/operation=POST\+\/api\/checkout/);
  // 3: what tells slow orders from the others?
  await page.getByRole('button', { name: 'the slowest' }).click();
  await expect(value('customer.tier')).toContainText('enterprise');
  await expect(value('customer.tier')).toContainText(/of the selected (> 9\d|9\d|100) %/);
  await picture('differs');
  // 4: the customers' tier.
  await value('customer.tier').click();
  await expect(page.getByRole('list', { name: 'Conditions' })).toContainText('customer.tier=enterprise');
  // 5: one of them.
  await traceRows(page).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('POST /api/checkout');
  // 6: what it waited for.
  await page.getByRole('button', { name: 'Operations' }).click();
  const guilty = page.getByRole('table', { name: 'Operations' }).getByRole('row').nth(1);
  await expect(guilty).toContainText('SELECT contracts');
  await picture('operations');

  // And there it is, with its statement.
  await guilty.getByRole('button').click();
  await expect(page.getByRole('table', { name: 'Attributes of the span' })).toContainText(
    'lower(customer_email)',
  );
  await page.keyboard.press('1');
  await expect(spanRows(page).and(page.locator('[aria-selected=true]'))).toContainText('SELECT contracts');
  await picture('span');
  expect(complaints).toEqual([]);
});

test('the map of the demo shop tells the same story', async ({ page }) => {
  await page.goto('/services?view=map');
  const map = page.getByRole('group', { name: 'Map of the services' });
  await expect(map.getByRole('link', { name: /^Service frontend.*calls .*checkout/ })).toBeVisible();
  await expect(map.getByRole('img', { name: /^Database postgresql/ })).toBeVisible();
  await expect(map.getByRole('img', { name: /^Messaging kafka/ })).toBeVisible();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.screenshot({ path: `${SCREENSHOTS}/services.png` });
  await map.getByRole('link', { name: /^Service checkout/ }).click();
  const calls = page.getByRole('region', { name: 'Calls', exact: true });
  await expect(calls.getByRole('row').filter({ hasText: 'postgresql' })).toContainText(/\d ms|\d s/);
  await expect(page.getByRole('list', { name: 'Requests by duration' })).toBeVisible();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.screenshot({ path: `${SCREENSHOTS}/service.png` });
});

test('two orders are compared', async ({ page }) => {
  await page.goto('/traces?operation=POST+/api/checkout&attr=customer.tier=enterprise&root=true');
  await traceRows(page).first().click();
  await page.getByRole('button', { name: 'Compare with another trace' }).click();
  await page.getByRole('list', { name: 'Traces to compare with' }).getByRole('link').first().click();
  const added = page.getByRole('table', { name: 'Paths of both traces' }).getByRole('row');
  await expect(added.filter({ hasText: 'SELECT contracts' })).toContainText('only in A');
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.screenshot({ path: `${SCREENSHOTS}/compare.png` });
});
