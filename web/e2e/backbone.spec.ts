/**
 * From a program to the screen, with nothing made up: BASE_URL is a server that began empty and has received what
 * tests/clients/send_checkout.py sends with OpenTelemetry's Python SDK.
 */
import { expect, test } from '@playwright/test';
import { expectAccessible, spanRows, traceRows, watchComplaints } from './page';

const SCREENSHOTS = process.env.SCREENSHOTS ?? 'test-results/backbone';

test.skip(process.env.BASE_URL === undefined, 'BASE_URL names no running server');

test('a trace of the Python SDK is found by its service, opened, and read to the last attribute', async ({
  page,
}) => {
  const complaints = watchComplaints(page);
  await page.goto('/');
  await page.getByRole('button', { name: 'Service', exact: true }).click();
  await page.getByRole('option', { name: 'checkout' }).click();
  await expect(page).toHaveURL(/service=checkout/);
  const trace = traceRows(page).filter({ hasText: 'POST /api/checkout' }).first();
  await expect(trace).toContainText('checkout');
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/search.png` });

  await trace.click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('POST /api/checkout');
  await expect(spanRows(page)).toHaveCount(3);
  await expect(spanRows(page).nth(1)).toContainText('SELECT carts');
  await expect(spanRows(page).nth(2)).toContainText('charge card');
  await expect(spanRows(page).nth(2)).toHaveAccessibleName(/, error/);

  await spanRows(page).nth(0).click();
  const details = page.getByRole('complementary', { name: 'Span' });
  const attributes = details.getByRole('table', { name: 'Attributes of the span' });
  await expect(attributes.getByRole('row').filter({ hasText: 'app.order.id' })).toContainText(
    'order-00000017',
  );
  await expect(attributes.getByRole('row').filter({ hasText: 'app.order.amount' })).toContainText('101.96');
  await expect(attributes.getByRole('row').filter({ hasText: 'app.order.items' })).toContainText('3');

  await spanRows(page).filter({ hasText: 'charge card' }).click();
  await expect(details).toContainText('card declined, second card taken');
  await expect(details.getByRole('region', { name: 'Events' })).toContainText('retry');
  const log = details.getByRole('region', { name: 'Logs' }).getByRole('listitem').first();
  await expect(log).toContainText('WARN');
  await expect(log).toContainText('card declined, trying the second one');
  await log.getByRole('button').click();
  await expect(details.getByRole('table', { name: 'Attributes of the log record' })).toContainText('visa');
  await details.getByRole('button', { name: /^Process/ }).click();
  await expect(details.getByRole('table', { name: 'Attributes of the process' })).toContainText('2.4.1');
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/trace.png` });

  // The link brings another person to the same place.
  const link = page.url();
  await page.goto('about:blank');
  await page.goto(link);
  await expect(details.getByRole('heading', { level: 2 })).toHaveText('charge card');

  // From an attribute back to the traces that have it.
  await spanRows(page).nth(0).click();
  const order = attributes.getByRole('row').filter({ hasText: 'app.order.id' });
  await order.hover();
  await order.getByRole('link', { name: /^Find traces with/ }).click();
  await expect(traceRows(page).first()).toContainText('POST /api/checkout');
  expect(complaints).toEqual([]);
});
