import { expect, test } from '@playwright/test';
import { expectAccessible, traceRows, watchComplaints } from './page';

let complaints: string[];
test.beforeEach(({ page }) => {
  complaints = watchComplaints(page);
});
test.afterEach(() => expect(complaints).toEqual([]));

test('lists the newest traces, and older ones when scrolled to', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveURL(/\/traces$/);
  await expect(traceRows(page).first()).toContainText('frontend');
  await expect(traceRows(page).getByText('HTTP', { exact: true }).first()).toBeVisible();
  await expect(page.getByRole('status').filter({ hasText: 'Newest 500 traces' })).toBeVisible();
  await page
    .getByRole('group', { name: 'List of traces' })
    .evaluate((list) => list.scrollTo(0, list.scrollHeight));
  await expect(page.getByRole('status').filter({ hasText: 'Newest 1,000 traces' })).toBeVisible();
  await page
    .getByRole('group', { name: 'List of traces' })
    .evaluate((list) => list.scrollTo(0, list.scrollHeight));
  await expect(page.getByText(/That is all: 1,\d{3} traces/)).toBeAttached();
  await expectAccessible(page);
});

test('narrows by service, operation, errors, attribute and duration, and the link restores it', async ({
  page,
}) => {
  await page.goto('/traces');
  await page.getByRole('button', { name: 'Service', exact: true }).click();
  await page.getByRole('combobox', { name: 'Service' }).fill('paym');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/service=payment/);
  // A list that closes gives the focus back, which would close the next.
  await expect(page.getByRole('button', { name: 'Service: payment' })).toBeFocused();
  await page.getByRole('button', { name: 'Operation', exact: true }).click();
  await page.getByRole('option', { name: 'payment.Charge' }).click();
  await page.getByRole('button', { name: 'Errors', exact: true }).click();
  await page.getByRole('combobox', { name: 'Text, attribute or trace id' }).fill('rpc.method=Charge');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Duration', exact: true }).click();
  await page.getByLabel('At least').fill('nonsense');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('alert')).toContainText('250ms');
  await page.getByLabel('At least').fill('5ms');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(
    /service=payment&operation=payment.Charge&error=true&attr=rpc.method=Charge&min=5ms/,
  );
  const rows = traceRows(page);
  await expect(rows.first()).toContainText('POST /api/checkout');
  const count = await rows.count();
  await page.reload();
  await expect(rows).toHaveCount(count);
  await expect(page.getByRole('button', { name: 'Service: payment' })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Remove condition rpc.method = Charge' }).click();
  await expect(page).not.toHaveURL(/attr=/);
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(page).toHaveURL(/\/traces$/);
});

test('takes a time range to the nanosecond, in the clock that is chosen', async ({ page }) => {
  await page.goto('/traces');
  await page.getByRole('button', { name: /^Time range/ }).click();
  await page.getByRole('button', { name: 'UTC', exact: true }).click();
  await page.getByLabel('From').fill('2026-01-31 12:00:00.000000001');
  await page.getByLabel('To').fill('2026-01-31 11:00');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('The end must lie after the start')).toBeVisible();
  await page.getByLabel('To').fill('2026-01-31 12:00:01');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/from=2026-01-31T12:00:00.000000001Z&to=2026-01-31T12:00:01Z/);
  await expect(page.getByRole('heading', { name: 'No traces in this time' })).toBeVisible();
  await page.getByRole('button', { name: /^Go to the newest trace/ }).click();
  await expect(traceRows(page).first()).toBeVisible();
});

test('a selection in the plot of traces narrows time and duration; a click opens one', async ({ page }) => {
  await page.goto('/traces');
  await expect(traceRows(page).first()).toBeVisible();
  await page.getByRole('button', { name: 'Traces of the list' }).click();
  await expect(page).toHaveURL(/chart=traces/);
  const plot = page.getByRole('img', { name: /^Durations over time/ });
  const box = (await plot.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.7, box.y + 12);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.95, box.y + 80, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*&to=.*&tmin=.*&tmax=/);
  await expect(page.getByText('trace lasts')).toBeVisible();
  await expect(traceRows(page).first()).toBeVisible();
  await expect(page.getByRole('status').filter({ hasText: /\d+ traces?/ })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/\/traces\?chart=traces$/);
  await expect(traceRows(page).first()).toBeVisible();
  for (
    let x = box.width * 0.98;
    x > 0 && !(await plot.getAttribute('class'))!.includes('cursor-pointer');
    x -= 6
  ) {
    await page.mouse.move(box.x + x, box.y + 70);
  }
  await page.mouse.down();
  await page.mouse.up();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
});

test('is moved through by keyboard', async ({ page }) => {
  await page.goto('/traces');
  await expect(traceRows(page).first()).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByRole('combobox', { name: 'Text, attribute or trace id' })).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await expect(traceRows(page).first().getByRole('link')).toBeFocused();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeHidden();
  await traceRows(page).first().getByRole('link').focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
});

test('takes words in any case, and a trace id', async ({ page }) => {
  await page.goto('/traces');
  const input = page.getByRole('combobox', { name: 'Text, attribute or trace id' });
  await input.fill('INSERT orders');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/text=INSERT\+orders/);
  await expect(traceRows(page).first()).toContainText('POST /api/checkout');
  await page.getByRole('button', { name: 'Remove condition text INSERT orders' }).click();
  await expect(page).not.toHaveURL(/text=/);
  await input.fill('00000000-0000-0000-0000-000000000BAD');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/traces\/00000000000000000000000000000bad$/);
});

test('before the first trace, tells how to send one, and shows it when it comes', async ({ page }) => {
  await page.route('**/v1/traces?*', (route) => route.fulfill({ json: { traces: [] } }));
  await page.goto('/traces');
  await expect(page.getByRole('heading', { name: 'No traces have been received yet' })).toBeVisible();
  await expect(page.getByRole('tabpanel')).toContainText('OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1');
  await page.getByRole('tab', { name: 'Collector' }).click();
  await expect(page.getByRole('tabpanel')).toContainText('otlphttp/glasshouse');
  await expectAccessible(page);
  await page.unroute('**/v1/traces?*');
  await expect(traceRows(page).first()).toBeVisible();
});

test('nothing matches: offers a way out', async ({ page }) => {
  await page.goto('/traces?service=nobody');
  await expect(page.getByRole('heading', { name: 'No trace matches' })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Clear conditions' }).click();
  await expect(traceRows(page).first()).toBeVisible();
});

test('a failing server is told in its words, and trying again helps', async ({ page }) => {
  await page.route('**/v1/traces?*', (route) =>
    route.fulfill({
      status: 400,
      json: {
        error: { type: 'query_limit', message: 'the query needs too much memory', details: 'limit 1 GiB' },
      },
    }),
  );
  await page.goto('/traces');
  await expect(page.getByRole('alert')).toContainText('the query needs too much memory');
  await expect(page.getByRole('alert')).toContainText('limit 1 GiB');
  await expectAccessible(page);
  await page.unroute('**/v1/traces?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(traceRows(page).first()).toBeVisible();
});

test('a refresh that fails leaves the list standing and is told', async ({ page }) => {
  await page.goto('/traces');
  await expect(traceRows(page).first()).toBeVisible();
  await page.route('**/v1/traces?*', (route) =>
    route.fulfill({ status: 400, json: { error: { type: 'x', message: 'the catalog is locked' } } }),
  );
  await page.getByRole('button', { name: 'Refresh', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Notifications' })).toContainText('the catalog is locked');
  await expect(traceRows(page).first()).toBeVisible();
});

test('the theme is kept', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/traces');
  await expect(page.locator('html')).not.toHaveClass(/dark/);
  await page.keyboard.press('d');
  await expect(page.locator('html')).toHaveClass(/dark/);
  await page.reload();
  await expect(page.locator('html')).toHaveClass(/dark/);
});

test('with reduced motion the theme changes at once', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.goto('/traces');
  await expect(traceRows(page).first()).toBeVisible();
  const running = await page.evaluate(() => {
    document.documentElement.classList.toggle('dark');
    return document.getAnimations().length;
  });
  expect(running).toBe(0);
});
