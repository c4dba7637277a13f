import { expect, type Page, test } from '@playwright/test';
import { expectAccessible, spanRows, traceRows, watchComplaints } from './page';

const TROUBLED = '00000000000000000000000000000bad';
const LARGE = '100000'.padStart(32, '0');

let complaints: string[];
test.beforeEach(({ page }) => {
  complaints = watchComplaints(page);
});
test.afterEach(() => expect(complaints).toEqual([]));

/** Opens a checkout that failed. */
async function openCheckout(page: Page) {
  await page.goto('/traces?operation=payment.Charge&error=true');
  await traceRows(page).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('POST /api/checkout');
}

test('shows the spans as a tree, and a span with attributes, events and logs', async ({ page }) => {
  await openCheckout(page);
  await expect(spanRows(page).first()).toHaveAttribute('aria-level', '1');
  await spanRows(page).filter({ hasText: 'payment.Charge' }).click();
  await expect(page).toHaveURL(/span=[0-9a-f]{16}/);
  const details = page.getByRole('complementary', { name: 'Span' });
  await expect(details.getByRole('heading', { level: 2 })).toHaveText('payment.Charge');
  await expect(details.getByRole('table', { name: 'Attributes of the span' })).toContainText(
    'oteldemo.PaymentService',
  );
  await expect(details.getByRole('region', { name: 'Events' })).toContainText('InvalidTokenError');
  await expect(details.getByRole('region', { name: 'Logs' })).toContainText('Charge request received.');
  await expect(details).toContainText(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} UTC/);
  await expectAccessible(page);

  await details.getByRole('button', { name: 'Process' }).click();
  await expect(details.getByRole('table', { name: 'Attributes of the process' })).toContainText(
    'process.pid',
  );
  await page.reload();
  await expect(details.getByRole('heading', { level: 2 })).toHaveText('payment.Charge');

  const row = details.getByRole('row').filter({ hasText: 'rpc.method' });
  await row.hover();
  await row.getByRole('button', { name: 'Copy rpc.method' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('Charge');
  await row.getByRole('link', { name: 'Find traces with rpc.method = Charge' }).click();
  await expect(page).toHaveURL(/\/traces\?attr=rpc.method=Charge/);
});

test('is walked through by keyboard', async ({ page }) => {
  await openCheckout(page);
  const selected = spanRows(page).and(page.locator('[aria-selected=true]'));
  await page.keyboard.press('ArrowDown');
  await expect(selected).toContainText('POST /api/checkout');
  await page.keyboard.press('ArrowRight');
  await expect(selected).toContainText('checkout.PlaceOrder');
  const before = await spanRows(page).count();
  await page.keyboard.press('ArrowLeft');
  await expect(selected).toHaveAttribute('aria-expanded', 'false');
  expect(await spanRows(page).count()).toBeLessThan(before);
  await page.keyboard.press('e');
  await expect(selected).toHaveAccessibleName(/, error/);
  await page.keyboard.press('/');
  await page.keyboard.type('INSERT orders');
  await page.keyboard.press('Enter');
  await expect(selected).toContainText('INSERT orders');
  await page.keyboard.press('Escape');
  await page.keyboard.press('z');
  await expect(page).toHaveURL(/zoom=\d+-\d+/);
  await expect(page.getByRole('slider', { name: 'Part of the trace that is shown' })).not.toHaveAttribute(
    'aria-valuetext',
    'The whole trace',
  );
  await page.keyboard.press('0');
  await expect(page).not.toHaveURL(/zoom=/);
  await page.keyboard.press('Escape');
  await expect(page).not.toHaveURL(/span=/);
  await expect(page).toHaveTitle('POST /api/checkout · Glasshouse');
  // The way back leads to the search as it was.
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/\/traces\?operation=payment.Charge&error=true$/);
});

test('zooms by dragging in the small picture of the trace', async ({ page }) => {
  await openCheckout(page);
  const slider = page.getByRole('slider', { name: 'Part of the trace that is shown' });
  const box = (await slider.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/zoom=\d+-\d+/);
  const link = page.url();
  await page.goto('/traces');
  await page.goto(link);
  await expect(slider).not.toHaveAttribute('aria-valuetext', 'The whole trace');
  await slider.dblclick();
  await expect(slider).toHaveAttribute('aria-valuetext', 'The whole trace');
});

test('tells what is wrong with a trace, and shows hostile text as text', async ({ page }) => {
  await page.goto(`/traces/${TROUBLED}`);
  for (const note of ['3 roots', '1 missing parent', '1 before its parent', '1 open', '1 cycle']) {
    await expect(page.getByRole('button', { name: note })).toBeVisible();
  }
  await expect(spanRows(page)).toHaveCount(11);
  await expect(spanRows(page).filter({ hasText: 'Missing span 000000000000dead' })).toBeVisible();
  await expect(spanRows(page).filter({ hasText: '<img src=x onerror=alert(1)>' })).toBeVisible();
  expect(await page.locator('img').count()).toBe(0);
  await page.getByRole('button', { name: '1 missing parent' }).click();
  await expect(page.getByRole('complementary', { name: 'Span' })).toContainText(
    '2 spans name this one as the parent',
  );
  await page.getByRole('button', { name: '1 before its parent' }).click();
  await expect(page.getByRole('complementary', { name: 'Span' })).toContainText(
    'Starts 14 ms before its parent',
  );
  await expectAccessible(page);
});

test('a trace of 100,000 spans is read like a small one', async ({ page }) => {
  // Its 67 MB of JSON are made up on the spot; a busy machine takes its time.
  test.setTimeout(600_000);
  await page.goto(`/traces/${LARGE}`);
  await expect(spanRows(page).first()).toBeVisible({ timeout: 240_000 });
  await expect(page.getByText('100,000', { exact: true })).toBeVisible();
  expect(await spanRows(page).count()).toBeLessThan(100);
  await page.keyboard.press('Shift+E');
  const selected = spanRows(page).and(page.locator('[aria-selected=true]'));
  await expect(selected).toBeInViewport();
  await expect(selected).toHaveAccessibleName(/, error/);
  await page.getByRole('button', { name: 'Collapse all' }).click();
  await page.getByRole('textbox', { name: 'Find in the trace' }).fill('deadlock');
  await page.keyboard.press('Enter');
  await expect(selected).toBeInViewport();
});

test('an unknown trace and a failing server are told apart', async ({ page }) => {
  await page.goto(`/traces/${'ab'.repeat(16)}`);
  await expect(page.getByRole('heading', { name: 'This trace is not known here' })).toBeVisible();
  await expectAccessible(page);
  await page.route('**/v1/traces/*/outline', (route) =>
    route.fulfill({
      status: 400,
      json: { error: { type: 'invalid_request', message: 'not 32 hex digits' } },
    }),
  );
  await page.goto('/traces/xyz');
  await expect(page.getByRole('alert')).toContainText('not 32 hex digits');
  await page.unroute('**/v1/traces/*');
  await page.goto('/nowhere');
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
});

test('logs that fail to load do not take the span with them', async ({ page }) => {
  await page.route('**/logs?*', (route) =>
    route.fulfill({ status: 400, json: { error: { type: 'x', message: 'logs are gone' } } }),
  );
  await page.goto(`/traces/${TROUBLED}?span=0000000000000001`);
  const logs = page.getByRole('region', { name: 'Logs' });
  await expect(logs.getByRole('alert')).toContainText('logs are gone');
  await page.unroute('**/logs?*');
  await logs.getByRole('button', { name: 'Try again' }).click();
  await expect(logs).toContainText('No log record names this span.');
});

test('fits a narrow window', async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 800 });
  await openCheckout(page);
  await page.keyboard.press('j');
  const details = page.getByRole('complementary', { name: 'Span' });
  await expect(details).toBeVisible();
  expect((await details.boundingBox())!.width).toBeGreaterThan(700);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(900);
  await expectAccessible(page);
});
