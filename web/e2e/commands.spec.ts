import { expect, test } from '@playwright/test';
import { expectAccessible, traceRows, watchComplaints } from './page';

let complaints: string[];
test.beforeEach(async ({ page }) => {
  complaints = watchComplaints(page);
  await page.goto('/traces');
  await expect(traceRows(page).first()).toBeVisible();
});
test.afterEach(() => expect(complaints).toEqual([]));

test('everything is reached by its name', async ({ page }) => {
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Commands' });
  const field = palette.getByRole('combobox');
  await expect(field).toBeFocused();
  await expectAccessible(page);
  await field.fill('map');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/services\?view=map/);
  await expect(palette).toBeHidden();

  await page.keyboard.press('Control+k');
  await field.fill('checkout');
  await palette.getByRole('option', { name: 'Service checkout' }).click();
  await expect(page).toHaveURL(/name=checkout/);

  await page.keyboard.press('Control+k');
  await field.fill('00000000-0000-0000-0000-000000000bad');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('POST /api/checkout');

  // What the open page can do is among them.
  await page.keyboard.press('Control+k');
  await field.fill('critical');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/critical=true/);

  await page.keyboard.press('Control+k');
  await field.fill('INSERT orders');
  await expect(palette.getByRole('option').first()).toHaveText('Search traces for “INSERT orders”');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/traces\?text=INSERT\+orders/);
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await expect(palette).toBeHidden();
});

test('a server that cannot be reached is told of, until it answers', async ({ page }) => {
  await page.route(/\/(v1|api|health)\//, (route) => route.abort());
  await page.getByRole('button', { name: 'Refresh', exact: true }).click();
  const notice = page.getByRole('status').filter({ hasText: 'The server cannot be reached' });
  await expect(notice).toBeVisible();
  await expect(traceRows(page).first()).toBeVisible();
  await expectAccessible(page);
  await page.unrouteAll();
  await expect(notice).toBeHidden();
});
