import { expect, test } from '@playwright/test';
import { expectAccessible, watchComplaints } from './page';
import { COUNT, made, rows, serve, uuid } from './processes';

let complaints: string[];
test.beforeEach(({ page }) => {
  complaints = watchComplaints(page);
});
test.afterEach(() => expect(complaints).toEqual([]));

test('lists processes page by page, and draws only those in sight', async ({ page }) => {
  await serve(page);
  await page.goto('/');
  await page.getByRole('link', { name: 'Processes' }).click();
  await expect(page).toHaveURL(/\/processes$/);
  await expect(page.getByRole('status').filter({ hasText: 'First 100 processes' })).toBeVisible();
  const first = rows(page).first();
  await expect(first).toContainText('service-0');
  await expect(first).toContainText('/usr/bin/shop');
  await expect(first).toContainText(uuid(0));
  await expect(first).toContainText('1000');
  const list = page.getByLabel('List of processes');
  for (const loaded of ['200', '300']) {
    await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect(page.getByRole('status').filter({ hasText: `First ${loaded} processes` })).toBeVisible();
  }
  expect(await rows(page).count()).toBeLessThan(60);
  await expectAccessible(page);
});

test('finds and sorts by asking the server, and the link restores it', async ({ page }) => {
  const asked = await serve(page);
  await page.goto('/processes');
  await expect(rows(page).first()).toContainText('service-0');
  await page.keyboard.press('/');
  await page.keyboard.type('node ');
  await expect(page).toHaveURL(/q=node$/);
  await page.keyboard.press('Backspace');
  await page.keyboard.type('-3');
  await expect(page).toHaveURL(/q=node-3/);
  await expect(rows(page).first()).toContainText('node-3');
  await page.getByRole('button', { name: 'Last update' }).click();
  await expect(page).toHaveURL(/order=asc/);
  await expect(page.getByRole('columnheader', { name: 'Last update' })).toHaveAttribute(
    'aria-sort',
    'ascending',
  );
  await expect(rows(page).first()).toContainText(uuid(COUNT - 2));
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page).toHaveURL(/sort=start/);
  await expect(page).not.toHaveURL(/order=/);
  await expect(rows(page).first()).toContainText(uuid(3));
  const last = asked.at(-1)!;
  expect([last.get('search'), last.get('sort'), last.get('order')]).toEqual(['node-3', 'start', 'desc']);

  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Search processes' })).toHaveValue('node-3');
  await expect(rows(page).first()).toContainText(uuid(3));
  await page.getByRole('textbox', { name: 'Search processes' }).fill('nothing like this');
  await expect(page.getByRole('heading', { name: 'No process matches' })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await expect(page).not.toHaveURL(/q=/);
  await expect(rows(page).first()).toContainText('service-0');
});

test('is moved in by keyboard', async ({ page }) => {
  await serve(page);
  await page.goto('/processes');
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('j');
  await expect(page.getByRole('link', { name: 'service-1, PID 1001 on node-1' })).toBeFocused();
  await page.route(`**/api/process/${uuid(1)}`, (route) =>
    route.fulfill({ json: { ...made(1), resource: [] } }),
  );
  await page.route(`**/api/process/${uuid(1)}/statistics`, (route) =>
    route.fulfill({ status: 503, json: { error: { type: 'unavailable', message: 'the disk is full' } } }),
  );
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/processes/${uuid(1)}$`));
  // What could be loaded is there; of the rest it is said why not, and it can be asked for again.
  await expect(page.getByRole('region', { name: 'Identity' })).toContainText('/usr/bin/shop --port 80');
  await expect(page.getByRole('alert')).toContainText('the disk is full');
  await expect(page.getByRole('region', { name: 'Spans', exact: true })).toContainText('–');
  await expectAccessible(page);
});

test('says what went wrong, and recovers', async ({ page }) => {
  let isBroken = true;
  await page.route('**/api/processes?*', (route) =>
    isBroken
      ? route.fulfill({ status: 500, json: { error: { type: 'internal', message: 'the lake is on fire' } } })
      : route.fulfill({ json: { processes: [made(1)] } }),
  );
  await page.goto('/processes');
  await expect(page.getByRole('alert')).toContainText('the lake is on fire', { timeout: 60_000 });
  isBroken = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(rows(page)).toHaveCount(1);

  await page.route('**/api/process/7', (route) =>
    route.fulfill({
      status: 400,
      json: { error: { type: 'invalid_request', message: '"7" is not a process id' } },
    }),
  );
  await page.goto('/processes/7');
  await expect(page.getByRole('heading', { name: 'This is no process id' })).toBeVisible();
  await page.getByRole('link', { name: 'Search processes' }).click();
  await expect(rows(page)).toHaveCount(1);
});

test('shows hostile names as text', async ({ page }) => {
  const hostile = '<img src=x onerror=alert(1)>\u202Egnp.\u0000';
  const process = {
    ...made(1),
    service_name: hostile,
    host_name: hostile,
    executable: hostile,
    user_name: 'x'.repeat(1_000_000),
  };
  await page.route('**/api/processes?*', (route) => route.fulfill({ json: { processes: [process] } }));
  await page.route(`**/api/process/${uuid(1)}`, (route) =>
    route.fulfill({ json: { ...process, resource: [{ key: hostile, value: { stringValue: hostile } }] } }),
  );
  await page.route(`**/api/process/${uuid(1)}/statistics`, (route) =>
    route.fulfill({ status: 503, json: { error: { type: 'unavailable', message: hostile } } }),
  );
  await page.goto('/processes');
  await expect(rows(page)).toContainText('<img src=x onerror=alert(1)>');
  await rows(page).getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('<img src=x');
  await expect(page.getByRole('region', { name: 'Properties' })).toContainText('<img src=x');
  await expect(page.locator('img')).toHaveCount(0);
});
