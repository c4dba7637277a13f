import { expect, type Page, test } from '@playwright/test';
import { expectAccessible, traceRows, watchComplaints } from './page';

let complaints: string[];
test.beforeEach(({ page }) => {
  complaints = watchComplaints(page);
});
test.afterEach(() => expect(complaints).toEqual([]));

const table = (page: Page) => page.getByRole('table', { name: 'Services' });
const map = (page: Page) => page.getByRole('group', { name: 'Map of the services' });

test('lists services with rate, errors and durations, sorted as one likes', async ({ page }) => {
  await page.goto('/traces');
  await expect(traceRows(page).first()).toBeVisible();
  await page.keyboard.press('Shift+S');
  await expect(page).toHaveURL(/\/services$/);
  const first = table(page).getByRole('row').nth(1);
  // The most requests come first: the catalog's.
  await expect(first).toContainText('catalog');
  await expect(first).toContainText(/\d+(\.\d+)?\/(s|min)/);
  await expectAccessible(page);
  await table(page).getByRole('button', { name: 'Service', exact: true }).click();
  await expect(page).toHaveURL(/sort=name/);
  await expect(first).toContainText('accounting');
  await table(page).getByRole('button', { name: 'Errors' }).click();
  await expect(page).toHaveURL(/sort=-errors/);
  await expect(first.getByRole('cell').nth(3)).not.toHaveText('0 %');
});

test('the map tells who calls whom, and leads to a service', async ({ page }) => {
  await page.goto('/services');
  await expect(table(page)).toBeVisible();
  await page.keyboard.press('m');
  await expect(page).toHaveURL(/view=map/);
  const checkout = map(page).getByRole('link', { name: /^Service checkout/ });
  await expect(checkout).toHaveAccessibleName(/called by frontend/);
  await expect(checkout).toHaveAccessibleName(/calls .*payment/);
  await expect(
    map(page)
      .getByRole('img', { name: /^Database/ })
      .first(),
  ).toBeVisible();
  // Callers stand left of what they call.
  const place = async (name: RegExp) => (await map(page).getByRole('link', { name }).boundingBox())!.x;
  expect(await place(/^Service frontend/)).toBeLessThan(await place(/^Service checkout/));
  expect(await place(/^Service checkout/)).toBeLessThan(await place(/^Service payment/));
  await expectAccessible(page);
  await page.reload();
  await checkout.click();
  await expect(page).toHaveURL(/name=checkout/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('checkout');
});

test('only calls with an attribute, or with words, are counted', async ({ page }) => {
  await page.goto('/services');
  const frontend = table(page).getByRole('row').filter({ hasText: 'frontend' });
  const requests = async () =>
    Number((await frontend.getByRole('cell').nth(1).textContent())!.replaceAll(',', ''));
  await expect(frontend).toBeVisible();
  const all = await requests();
  await page.getByRole('textbox', { name: 'Text or attribute of the calls' }).fill('customer.tier=plus');
  await expect(page).toHaveURL(/q=customer.tier=plus/);
  await expect.poll(requests).toBeLessThan(all);
  await page.getByRole('textbox', { name: 'Text or attribute of the calls' }).fill('nobody says this');
  await expect(page.getByRole('heading', { name: 'No call matches' })).toBeVisible();
});

test('a service has its requests over time, its neighbours, its operations and traces to look at', async ({
  page,
}) => {
  await page.goto('/services?name=checkout');
  await expect(page).toHaveTitle('checkout · Glasshouse');
  for (const name of ['Rate and errors', 'Durations over time'])
    await expect(page.getByRole('region', { name }).getByRole('img')).toBeVisible();
  const distribution = page.getByRole('list', { name: 'Requests by duration' });
  await expect(distribution.getByRole('listitem').first()).toContainText(/–.*request/);
  await expect(page.getByRole('region', { name: 'Called by' })).toContainText('frontend');
  await expect(page.getByRole('region', { name: 'Calls', exact: true })).toContainText('payment');
  const operations = page.getByRole('table', { name: 'Operations' });
  await expect(operations).toContainText('checkout.PlaceOrder');
  await expectAccessible(page);
  await page.getByRole('region', { name: 'Failing traces' }).getByRole('listitem').first().click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
  await page.goBack();
  await operations.getByRole('button', { name: 'checkout.PlaceOrder' }).click();
  await expect(page).toHaveURL(/service=checkout&operation=checkout.PlaceOrder/);
  await expect(traceRows(page).first()).toBeVisible();
  await page.goBack();
  await page.getByRole('region', { name: 'Slow traces' }).getByRole('link', { name: 'All' }).click();
  await expect(page).toHaveURL(/service=checkout&min=/);
  await page.goBack();
  await page.getByRole('region', { name: 'Called by' }).getByRole('link', { name: 'frontend' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('frontend');
});

test('a service that was silent, and questions that fail, say so', async ({ page }) => {
  await page.goto('/services?name=nobody');
  await expect(page.getByRole('heading', { name: 'The service was not active' })).toBeVisible();
  await expectAccessible(page);
  const refuse = (pattern: string, message: string) =>
    page.route(pattern, (route) =>
      route.fulfill({ status: 400, json: { error: { type: 'query_limit', message } } }),
    );
  await refuse('**/api/traces/series?*', 'no series');
  await refuse('**/api/traces/heatmap?*', 'no heatmap');
  await refuse('**/api/services/checkout/operations?*', 'no operations');
  await refuse('**/v1/traces?*', 'no traces');
  await page.goto('/services?name=checkout');
  const alerts = page.getByRole('main').getByRole('alert');
  for (const message of ['no series', 'no heatmap', 'no operations', 'no traces'])
    await expect(alerts.filter({ hasText: message }).first()).toBeVisible();
  await page.unrouteAll();
  await expect(async () => {
    // What was asked for again takes its button with it.
    const again = page.getByRole('button', { name: 'Try again' }).first();
    if (await again.isVisible()) await again.click();
    await expect(alerts).toHaveCount(0, { timeout: 500 });
  }).toPass();
  await refuse('**/api/services/map?*', 'no map');
  await page.goto('/services');
  await expect(page.getByRole('alert')).toContainText('no map');
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(table(page)).toBeVisible();
});

test('fits a narrow window', async ({ page }) => {
  await page.setViewportSize({ width: 700, height: 900 });
  for (const path of ['/services', '/services?view=map', '/services?name=checkout']) {
    await page.goto(path);
    await expect(page.getByText('checkout').first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(700);
  }
  await expectAccessible(page);
});
