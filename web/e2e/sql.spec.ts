/** Questions in SQL, answered by a real server. */
import { readFile } from 'node:fs/promises';
import { expect, type Page, test } from '@playwright/test';
import { onDemoData } from './demo';
import { expectAccessible, watchComplaints } from './page';

onDemoData();

const editor = (page: Page) => page.getByRole('textbox', { name: 'Statement in SQL' });
const rows = (page: Page) => page.getByRole('table', { name: 'Rows' }).getByRole('row');
const heads = (page: Page) => page.getByRole('table', { name: 'Rows' }).getByRole('columnheader');
const link = (sql: string, more = '') => `/sql?sql=${encodeURIComponent(sql)}${more}`;

/** Types a statement as a person does, and runs it. */
async function run(page: Page, sql: string) {
  await editor(page).click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(sql);
  await page.keyboard.press('Control+Enter');
}

test('a statement is typed, run, sorted, opened and shared', async ({ page }) => {
  const complaints = watchComplaints(page);
  await page.goto('/sql');
  await expect(page.getByRole('heading', { name: 'To begin with' })).toBeVisible();
  await run(
    page,
    'SELECT service_name, count(*) AS spans FROM spans GROUP BY service_name ORDER BY spans DESC',
  );
  await expect(rows(page).nth(1)).toContainText('frontend');
  const count = (await rows(page).count()) - 1;
  await expect(page.getByText(`${count} rows · `)).toBeVisible();
  await expect(page.getByText(/rows looked at/)).toBeVisible();
  await expect(page).toHaveURL(/sql=SELECT/);

  await page.getByRole('button', { name: 'service_name' }).click();
  await expect(heads(page).filter({ hasText: 'service_name' })).toHaveAttribute('aria-sort', 'ascending');
  await expect(rows(page).nth(1)).toContainText('accounting');
  await rows(page).nth(1).getByRole('button').click();
  const panel = page.getByRole('complementary', { name: /^Row \d+/ });
  await expect(panel).toContainText('accounting');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();

  await page.reload();
  await expect(rows(page).nth(1)).toContainText('accounting');
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'To begin with' })).toBeVisible();
  expect(complaints).toEqual([]);
});

test('names are completed from the schema', async ({ page }) => {
  await page.goto('/sql');
  await editor(page).click();
  await page.keyboard.type('SELECT * FROM span_l', { delay: 20 });
  const offers = page.getByRole('listbox', { name: 'Completions' });
  await expect(offers.getByRole('option').first()).toContainText('span_links');
  await offers.getByRole('option').first().click();
  await expect(editor(page)).toContainText('SELECT * FROM span_links');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('SELECT  FROM spans', { delay: 10 });
  for (let back = 0; back < ' FROM spans'.length; back++) await page.keyboard.press('ArrowLeft');
  await page.keyboard.type('durat', { delay: 20 });
  await expect(offers.getByRole('option').first()).toContainText('duration_ns');
  await expect(offers.getByRole('option').first()).toContainText('BIGINT');
  await offers.getByRole('option').first().click();
  await expect(editor(page)).toContainText('SELECT duration_ns FROM spans');
});

test('ids lead to traces and processes', async ({ page }) => {
  await page.goto(
    link("SELECT trace_id, span_id, process_id FROM spans WHERE name = 'POST /api/checkout' LIMIT 5"),
  );
  const cells = rows(page).nth(1).getByRole('link');
  await expect(cells).toHaveCount(3);
  await cells.nth(1).click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?span=[0-9a-f]{16}/);
  await expect(page.getByRole('complementary', { name: 'Span' })).toContainText('POST /api/checkout');
});

test('an answer is drawn as lines and as bars', async ({ page }) => {
  await page.goto(
    link(
      "SELECT date_bin(INTERVAL '1 second', start_time) AS second, service_name, count(*) AS spans, max(duration_ns) AS longest_ns FROM spans GROUP BY second, service_name",
      '&view=chart',
    ),
  );
  await expect(page.getByRole('img', { name: /^Chart of \d+ lines/ })).toBeVisible();
  await expect(page.getByRole('list', { name: 'Lines' })).toContainText('frontend');
  await expectAccessible(page);
  await page.getByRole('group', { name: 'A line for each' }).getByLabel('service_name').uncheck();
  await page.getByRole('group', { name: 'Values' }).getByLabel('longest_ns').check();
  await expect(page.getByRole('list', { name: 'Lines' })).toContainText('longest_ns');
  await page.getByRole('combobox', { name: /^Draw/ }).selectOption({ label: 'bars' });
  await expect(page.getByRole('list', { name: /^Chart of \d+ bars/ })).toContainText('frontend');
  await page.reload();
  await expect(page.getByRole('list', { name: /^Chart of \d+ bars/ })).toBeVisible();
  await page.goto(link("SELECT 'a' AS name", '&view=chart'));
  await expect(page.getByText('Nothing here can be drawn')).toBeVisible();
});

test('what is wrong is told where it is wrong', async ({ page }) => {
  await page.goto('/sql');
  await run(page, 'SELECT *\nFROM WHERE x = 1');
  const problem = page.getByRole('alert');
  await expect(problem).toContainText('Line: 2');
  await run(page, 'SELECT sevice_name FROM spans');
  await expect(problem).toContainText('service_name');
  await run(page, 'DROP TABLE spans');
  await expect(problem).toContainText('only reads');
  await run(page, 'SELECT 7 AS seven');
  await expect(problem).toBeHidden();
  await expect(rows(page).nth(1)).toContainText('7');
});

test('a statement that takes long is cancelled, on the server too', async ({ page, request }) => {
  await page.goto('/sql');
  await run(
    page,
    'SELECT count(*) FROM spans a, spans b, spans c WHERE a.duration_ns + b.duration_ns > c.duration_ns',
  );
  await expect(page.getByText('Running')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('heading', { name: 'Cancelled' })).toBeVisible();
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(page.getByText('Running')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  const quick = await request.post('/api/query', { data: { sql: 'SELECT 1' } });
  expect(quick.ok()).toBe(true);
});

test('parameters are values, never SQL', async ({ page }) => {
  await page.goto('/sql');
  await editor(page).click();
  await page.keyboard.insertText('SELECT count(*) AS spans FROM spans WHERE service_name = $service');
  await page.getByLabel('$service').fill("frontend' OR '1' = '1");
  await page.keyboard.press('Enter');
  await expect(rows(page).nth(1).getByRole('cell').nth(1)).toHaveText('0');
  await page.getByLabel('$service').fill('frontend');
  await page.keyboard.press('Enter');
  await expect(rows(page).nth(1).getByRole('cell').nth(1)).not.toHaveText('0');
  await expect(page).toHaveURL(/value=service=frontend/);
  await page.reload();
  await expect(page.getByLabel('$service')).toHaveValue('frontend');
});

test('all rows are downloaded, whatever is shown', async ({ page }) => {
  await page.goto(link('SELECT value FROM generate_series(1, 25000)'));
  await expect(page.getByText('the first 1,000 rows, there are more')).toBeVisible();
  const download = async (name: string) => {
    await page.getByRole('button', { name: 'Download' }).click();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: new RegExp(`^${name}`) }).click(),
    ]);
    return await readFile((await file.path())!);
  };
  const csv = (await download('CSV')).toString();
  expect(csv.split('\n').length).toBe(25_002);
  expect(csv.startsWith('value\n1\n2\n')).toBe(true);
  expect(JSON.parse((await download('JSON')).toString()).at(-1)).toEqual({ value: 25_000 });
  expect((await download('Parquet')).subarray(0, 4).toString()).toBe('PAR1');
  await page.getByLabel('Show at most').selectOption({ label: '100,000 rows' });
  await expect(page.getByText('25,000 rows · ')).toBeVisible();
});

test('hostile values are text', async ({ page }) => {
  const complaints = watchComplaints(page);
  const html = `<img src=x onerror="document.title='owned'">`;
  await page.goto(
    link(
      `SELECT '${html.replaceAll("'", "''")}' AS "<b>html</b>", chr(8238) || 'gnp.exe' AS bidi, chr(1) || 'x' AS control, repeat('long ', 200000) AS long, NULL AS none, '' AS empty, make_array(1, 2) AS list, 1 AS twice, 2 AS twice2`,
    ),
  );
  await expect(rows(page).nth(1)).toContainText(html);
  await rows(page).nth(1).getByRole('button').click();
  const panel = page.getByRole('complementary', { name: 'Row 1' });
  await expect(panel).toContainText('<b>html</b>');
  await expect(panel).toContainText(html);
  await expectAccessible(page);
  expect(await page.title()).toContain('SQL');
  expect(complaints).toEqual([]);
});

test('errors of the server are told, and the page recovers', async ({ page }) => {
  await page.goto('/sql');
  let isBroken = true;
  await page.route('**/api/query', (route) =>
    isBroken
      ? route.fulfill({
          status: 503,
          contentType: 'application/json',
          body: '{"error":{"type":"unavailable","message":"shutting down","details":"in a moment"}}',
        })
      : route.continue(),
  );
  await run(page, 'SELECT 41 + 1 AS answer');
  await expect(page.getByRole('alert')).toContainText('shutting down');
  await expect(page.getByRole('alert')).toContainText('in a moment');
  isBroken = false;
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(rows(page).nth(1)).toContainText('42');
  await expect(page.getByRole('alert')).toBeHidden();
});
