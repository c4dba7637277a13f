import { expect, type Page, test } from '@playwright/test';
import { expectAccessible, spanRows, traceRows, watchComplaints } from './page';

const TROUBLED = '00000000000000000000000000000bad';

let complaints: string[];
test.beforeEach(({ page }) => {
  complaints = watchComplaints(page);
});
test.afterEach(() => expect(complaints).toEqual([]));

async function openCheckout(page: Page) {
  await page.goto('/traces?operation=payment.Charge&error=true');
  await traceRows(page).first().click();
  await expect(spanRows(page).first()).toBeVisible();
}

const view = (page: Page, name: string) =>
  page.getByRole('group', { name: 'Views' }).getByRole('button', { name });

test('the flame graph puts equal paths together, and leads into them and to a span', async ({ page }) => {
  await openCheckout(page);
  await view(page, 'Flame graph').click();
  await expect(page).toHaveURL(/view=flame/);
  const graph = page.getByRole('group', { name: 'Flame graph' });
  const charge = graph.getByRole('button', {
    name: /^payment\.Charge, payment: .* its own, .* span.* error/,
  });
  await expect(charge).toBeVisible();
  await expectAccessible(page);
  const before = (await charge.boundingBox())!.width;
  await charge.click();
  await expect(page.getByRole('navigation', { name: 'Path' })).toContainText('payment.Charge');
  await expect.poll(async () => (await charge.boundingBox())!.width).toBeGreaterThan(before);
  await page.getByRole('button', { name: 'Show the longest span' }).click();
  const details = page.getByRole('complementary', { name: 'Span' });
  await expect(details.getByRole('heading', { level: 2 })).toHaveText('payment.Charge');
  await page.getByRole('button', { name: 'Whole trace' }).click();
  await expect(page.getByRole('navigation', { name: 'Path' })).toBeHidden();
});

test('operations tell where the time went, by name and by service', async ({ page }) => {
  await openCheckout(page);
  await page.keyboard.press('3');
  const operations = page.getByRole('table', { name: 'Operations' });
  const head = (name: string) => operations.getByRole('columnheader', { name });
  await expect(head('Critical')).toHaveAttribute('aria-sort', 'descending');
  await expect(operations.getByRole('row').filter({ hasText: 'payment.Charge' })).toContainText('1');
  await head('Errors').getByRole('button').click();
  await expect(page).toHaveURL(/sort=-errors/);
  await expect(operations.getByRole('row').nth(1).getByRole('cell').nth(4)).not.toHaveText('0');
  await expectAccessible(page);
  await page.getByRole('radio', { name: 'service' }).check({ force: true });
  const services = page.getByRole('table', { name: 'Services of the trace' });
  await services.getByRole('button', { name: 'payment' }).click();
  await expect(page.getByRole('complementary', { name: 'Span' })).toContainText('payment');
  await page.getByRole('radio', { name: 'operation' }).check({ force: true });
});

test('the table of spans sorts, and narrows to what is searched for', async ({ page }) => {
  await openCheckout(page);
  const all = await spanRows(page).count();
  await view(page, 'Spans').click();
  const table = page.getByRole('table', { name: 'Table of spans' });
  await expect(table).toContainText(`That is all: ${all} spans.`);
  const first = table.getByRole('row').nth(1);
  // The longest comes first: the whole.
  await expect(first).toContainText('POST /api/checkout');
  await table.getByRole('button', { name: 'Start' }).click();
  await table.getByRole('button', { name: 'Start' }).click();
  await expect(table.getByRole('columnheader', { name: 'Start' })).toHaveAttribute('aria-sort', 'ascending');
  await expect(first).toContainText('0 ns');
  await page.getByRole('textbox', { name: 'Find in the trace' }).fill('rpc.method=charge');
  await expect(table).toContainText(/\d+ spans? of/);
  await expect(table.getByRole('row').filter({ hasText: 'POST /api/checkout' })).toHaveCount(0);
  await expectAccessible(page);
  await first.getByRole('button').click();
  await expect(first).toHaveAttribute('aria-selected', 'true');
  await expect(page).toHaveURL(/span=[0-9a-f]{16}/);
  await page.reload();
  await expect(page.getByRole('complementary', { name: 'Span' })).toContainText('rpc.method');
});

test('the critical path is drawn under the bars, and told of a span', async ({ page }) => {
  await openCheckout(page);
  await page.getByRole('button', { name: 'Critical path' }).click();
  await expect(page).toHaveURL(/critical=true/);
  await spanRows(page).first().click();
  await expect(page.getByRole('complementary', { name: 'Span' })).toContainText(/\(\d+ %\) waited for/);
  await page.keyboard.press('c');
  await expect(page).not.toHaveURL(/critical/);
});

test('log records stand on the bars and in a list that leads to their spans', async ({ page }) => {
  await openCheckout(page);
  await expect(view(page, 'Logs')).toContainText(/\d/);
  const charge = spanRows(page).filter({ hasText: 'payment.Charge' });
  await expect(charge.locator('.bg-info, .bg-error, .bg-warn').first()).toBeAttached();
  await page.keyboard.press('5');
  const records = page.getByRole('list', { name: 'Records' });
  const record = records.getByRole('button').filter({ hasText: 'Charge request received.' });
  await expect(record).toContainText('payment.Charge');
  await expectAccessible(page);
  await record.click();
  const details = page.getByRole('complementary', { name: 'Span' });
  await expect(details.getByRole('heading', { level: 2 })).toHaveText('payment.Charge');
  await page.goto(`/traces/${TROUBLED}?view=logs`);
  await expect(page.getByRole('heading', { name: 'No log record names this trace' })).toBeVisible();
});

test('two traces are compared by path', async ({ page }) => {
  await openCheckout(page);
  const slow = page.url();
  await page.getByRole('button', { name: 'Compare with another trace' }).click();
  await page.getByRole('textbox', { name: 'Trace id' }).fill('xyz');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await expect(page.getByRole('alert')).toHaveText('A trace id is 32 hex digits.');
  await expectAccessible(page);
  await page.getByRole('list', { name: 'Traces to compare with' }).getByRole('link').first().click();
  await expect(page).toHaveURL(/\/traces\/compare\?.*a=[0-9a-f]{32}&b=[0-9a-f]{32}/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Compare two traces');
  await expect(page.getByRole('region', { name: 'In short' })).toContainText(/B lasted .* (longer|less)\./);
  const grid = page.getByRole('table', { name: 'Paths of both traces' });
  const root = grid.getByRole('row').filter({ hasText: 'POST /api/checkout' }).first();
  await expectAccessible(page);
  const rows = await grid.getByRole('row').count();
  await root.getByRole('button', { name: 'Collapse POST /api/checkout' }).click();
  await expect(grid.getByRole('row')).toHaveCount(2);
  await root.getByRole('button', { name: 'Expand POST /api/checkout' }).click();
  await expect(grid.getByRole('row')).toHaveCount(rows);
  const link = page.url();
  await page.getByRole('link', { name: 'Swap' }).click();
  await expect(page).not.toHaveURL(link);
  // A time leads to the span that took it.
  await root.getByRole('link').last().click();
  await expect(page.getByRole('complementary', { name: 'Span' })).toContainText('POST /api/checkout');
  expect(new URL(page.url()).pathname).toBe(new URL(slow).pathname);
});

test('a comparison without traces, or with an unknown one, says so', async ({ page }) => {
  await page.goto('/traces/compare');
  await expect(page.getByRole('heading', { name: 'Two traces are needed' })).toBeVisible();
  await page.goto(`/traces/compare?a=${TROUBLED}&b=${'ab'.repeat(16)}`);
  await expect(page.getByRole('heading', { name: 'One of the traces is not known here' })).toBeVisible();
  await expect(page.getByText('ab'.repeat(16))).toBeVisible();
  await expectAccessible(page);
  await page.goto(`/traces/compare?a=${TROUBLED}&b=${TROUBLED}`);
  await expect(page.getByText('Both lasted equally long.')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: '<img src=x onerror=alert(1)>' })).toBeVisible();
  await page.getByRole('checkbox', { name: /Only where/ }).check();
  await expect(page.getByText('Both traces took the same paths equally often.')).toBeVisible();
});

test('hostile text is text in every view, and trouble breaks none', async ({ page }) => {
  const hostile = '<img src=x onerror=alert(1)>';
  for (const [path, place] of [
    ['view=flame', page.getByRole('group', { name: 'Flame graph' })],
    ['view=operations', page.getByRole('table', { name: 'Operations' })],
    ['view=spans', page.getByRole('table', { name: 'Table of spans' })],
    ['critical=true', page.getByRole('tree', { name: 'Spans' })],
  ] as const) {
    await page.goto(`/traces/${TROUBLED}?${path}`);
    await expect(place.getByText(hostile).or(place.getByTitle(hostile)).first()).toBeAttached();
    expect(await page.locator('img').count()).toBe(0);
  }
  await page.goto(`/traces/${TROUBLED}?view=operations`);
  await page.getByRole('radio', { name: 'service' }).check({ force: true });
  await expect(page.getByRole('table', { name: 'Services of the trace' })).toContainText('(no service name)');
  await page.getByRole('radio', { name: 'operation' }).check({ force: true });
});

test('what fails to load says so, and is asked for again', async ({ page }) => {
  const refuse = (pattern: string, message: string) =>
    page.route(pattern, (route) =>
      route.fulfill({ status: 400, json: { error: { type: 'query_limit', message } } }),
    );
  await refuse('**/v1/traces/*/spans/*', 'the span is gone');
  await refuse('**/v1/traces/*/spans?*', 'no search today');
  await page.goto(`/traces/${TROUBLED}?span=0000000000000001`);
  const details = page.getByRole('complementary', { name: 'Span' });
  await expect(details.getByRole('alert')).toContainText('the span is gone');
  await page.getByRole('textbox', { name: 'Find in the trace' }).fill('cart');
  await expect(page.getByRole('search').getByRole('alert')).toHaveAttribute('title', 'no search today');
  await page.unroute('**/v1/traces/*/spans/*');
  await details.getByRole('button', { name: 'Try again' }).click();
  await expect(details.getByRole('table', { name: 'Attributes of the span' })).toContainText('lorem ipsum');
  await refuse('**/v1/traces/*/outline', 'no outline today');
  await page.goto(`/traces/compare?a=${TROUBLED}&b=${'0'.repeat(28)}1000`);
  await expect(page.getByRole('alert')).toContainText('no outline today');
  await page.unroute('**/v1/traces/*/outline');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('table')).toBeVisible();
});
