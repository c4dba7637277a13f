/**
 * From a program to the screen, with nothing made up: BASE_URL is a server that began empty and has received what
 * tests/clients/send_checkout.py sends with OpenTelemetry's Python SDK.
 */
import { readFileSync } from 'node:fs';
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

test('goes to Perfetto and to other tools', async ({ page, context }) => {
  await page.goto('/traces?service=checkout');
  await traceRows(page).filter({ hasText: 'POST /api/checkout' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('POST /api/checkout');
  const traceId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  await page.getByRole('button', { name: 'Export trace' }).click();
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/perfetto.png` });
  const link = page.getByRole('link', { name: 'Download' });
  const downloading = page.waitForEvent('download');
  await link.click();
  expect((await downloading).suggestedFilename()).toBe(`${traceId}.pftrace`);
  const file = await page.request.get((await link.getAttribute('href')) ?? '');
  const trace = await file.body();
  const validated = await page.request.post('/api/perfetto/validate', {
    data: trace,
    headers: { 'content-type': 'application/octet-stream' },
  });
  expect(await validated.json()).toMatchObject({ is_valid: true, slices: 3 });
  for (const [name, file] of [
    ['OTLP JSON', 'otlp.json'],
    ['Jaeger', 'jaeger.json'],
    ['Zipkin', 'zipkin.json'],
  ] as const) {
    const other = page.waitForEvent('download');
    await page.getByRole('link', { name, exact: true }).click();
    expect((await other).suggestedFilename()).toBe(`${traceId}.${file}`);
  }

  // A page that speaks as Perfetto's does, and keeps what it gets. It takes its time to listen.
  await context.route('https://perfetto.example/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><title>Perfetto</title><script>
        setTimeout(() => addEventListener('message', ({ data, source }) => {
          if (data === 'PING') source.postMessage('PONG', '*');
          else document.title = [data.perfetto.title, data.perfetto.fileName, data.perfetto.buffer.byteLength].join('|');
        }), 300);
      </script>`,
    }),
  );
  await page.getByLabel('Perfetto’s address').fill('not an address');
  await expect(page.getByRole('button', { name: 'Open in Perfetto' })).toBeDisabled();
  await page.getByLabel('Perfetto’s address').fill('https://perfetto.example');
  const opening = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Open in Perfetto' }).click();
  const perfetto = await opening;
  await expect(perfetto).toHaveTitle(`checkout POST /api/checkout|${traceId}.pftrace|${trace.length}`);
});

test('a process is found by what it says of itself, and told in full', async ({ page }) => {
  const complaints = watchComplaints(page);
  // Without a dialog for files, which no test can answer.
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
  await page.goto('/processes');
  await page.getByRole('textbox', { name: 'Search processes' }).fill('NODE-1');
  await expect(page).toHaveURL(/q=NODE-1/);
  const row = page
    .getByRole('table', { name: 'Processes' })
    .getByRole('row')
    .filter({ hasText: 'checkout' })
    .first();
  await expect(row).toContainText('2.4.1');
  await expect(row).toContainText('node-1');
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/processes.png` });
  const id = (await row.getByRole('cell').last().textContent())?.trim() ?? '';
  await row.getByRole('button', { name: 'Copy the process id' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(id);

  await row.getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`/processes/${id}`));
  await expect(page.getByRole('heading', { level: 1 })).toContainText('checkout');
  const counted = await (await page.request.get(`/api/process/${id}/statistics`)).json();
  expect(Number(counted.span_count)).toBeGreaterThan(0);
  const card = (name: string) => page.getByRole('region', { name, exact: true });
  const shown = (count: string) => BigInt(count).toLocaleString('en-GB');
  await expect(card('Spans')).toContainText(shown(counted.span_count));
  await expect(card('Traces')).toContainText(shown(counted.trace_count));
  await expect(card('Log records')).toContainText(shown(counted.log_count));
  await expect(card('Log records')).toContainText(`${shown(counted.levels.warn)} WARN`);
  await expect(card('Threads')).toContainText(shown(counted.thread_count));
  await expect(card('Start')).toContainText(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} UTC/);
  await expect(card('Duration')).toContainText(/\d s|ms/);
  await card('Last update').getByRole('button', { name: 'Copy last update in UTC' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  const properties = page.getByRole('table', { name: 'Properties of the process' });
  await expect(properties.getByRole('row').filter({ hasText: 'telemetry.sdk.language' })).toContainText(
    'python',
  );
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/process.png` });
  await page.getByRole('link', { name: 'Timeline' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'spans' })).toContainText(
    `${shown(counted.span_count)} spans`,
  );
  await page.keyboard.press('ArrowRight');
  const slice = page.getByRole('complementary', { name: 'Slice' });
  await expect(slice).toContainText('Asynchronous');
  const operation = (await slice.getByRole('heading').textContent()) ?? '';
  expect(operation).not.toBe('');
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/timeline.png` });
  await slice.getByRole('link', { name: 'Open in its trace' }).click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?span=[0-9a-f]{16}/);
  await expect(page.getByRole('complementary', { name: 'Span' }).getByRole('heading').first()).toHaveText(
    operation,
  );
  await page.goBack();
  await expect(slice).toContainText(operation);

  await page.getByRole('link', { name: 'Logs', exact: true }).last().click();
  const records = page.getByRole('feed', { name: 'Log records' });
  await expect(page.getByRole('status').filter({ hasText: 'record' })).toContainText(
    shown(counted.log_count),
  );
  await page.getByRole('group', { name: 'Levels' }).getByRole('button', { name: /^WARN/ }).click();
  await expect(page.getByRole('status').filter({ hasText: 'record' })).toContainText(
    shown(counted.levels.warn),
  );
  await expect(records.getByRole('article').first()).toContainText('WARN');
  await records.getByRole('article').first().getByRole('button').first().click();
  await expect(records.getByRole('link', { name: 'Open its trace' })).toBeVisible();
  await records.getByRole('button', { name: 'Lines around it' }).click();
  await expect(records.getByRole('list', { name: 'Lines around it' })).toContainText('WARN');
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/logs.png` });

  await page.getByRole('navigation', { name: 'Parts' }).getByRole('link', { name: 'Metrics' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'metric' })).toContainText(
    `${shown(counted.metric_count)} metric`,
  );
  await expect(page.getByRole('list', { name: 'Lines of orders.placed' })).toContainText('shop.region=eu');
  // One observation of 101.96, in the bucket up to 250.
  await expect(page.getByRole('list', { name: 'Lines of orders.amount' })).toContainText(/p50.*EUR/);
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/metrics.png` });

  await page.getByRole('link', { name: 'Generate trace' }).click();
  const form = page.getByRole('form', { name: 'Generate a Perfetto trace' });
  await expect(form.getByRole('checkbox', { name: 'Log records' })).toBeChecked();
  await expectAccessible(page);
  await page.screenshot({ path: `${SCREENSHOTS}/generate.png` });
  const downloading = page.waitForEvent('download');
  await form.getByRole('button', { name: 'Generate' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^checkout-.*\.pftrace$/);
  const validated = await page.request.post('/api/perfetto/validate', {
    data: readFileSync(await download.path()),
    headers: { 'content-type': 'application/octet-stream' },
  });
  expect(await validated.json()).toMatchObject({ is_valid: true, slices: Number(counted.span_count) });
  await page.getByRole('link', { name: 'Processes', exact: true }).first().click();
  await expect(page).toHaveURL(/\/processes/);
  expect(complaints).toEqual([]);
});
