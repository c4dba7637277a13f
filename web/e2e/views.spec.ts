/** Views that are kept on the server. */
import { expect, type Page, test } from '@playwright/test';
import { onDemoData } from './demo';
import { expectAccessible, watchComplaints } from './page';

onDemoData();

const saved = (page: Page) => page.getByRole('list', { name: 'Saved views' }).getByRole('listitem');

test.beforeEach(async ({ request }) => {
  const { views } = (await (await request.get('/api/views')).json()) as { views: { id: string }[] };
  for (const { id } of views) await request.delete(`/api/views/${id}`);
});

test('a view is saved, opened, replaced, renamed and deleted', async ({ page }) => {
  const complaints = watchComplaints(page);
  await page.goto('/logs?level=ERROR');
  await page.getByRole('button', { name: 'Saved views' }).click();
  await expect(page.getByText('Nothing is saved yet')).toBeVisible();
  const name = '<b>Errors</b> of the shop';
  await page.getByLabel('Save what is shown now as a view').fill(name);
  await page.keyboard.press('Enter');
  await expect(saved(page)).toHaveText([new RegExp(`${name}shown now`)]);
  await expectAccessible(page);
  await page.keyboard.press('Escape');

  await page.goto('/services?view=map');
  await page.getByRole('button', { name: 'Saved views' }).click();
  await saved(page).getByRole('link').click();
  await expect(page).toHaveURL(/\/logs\?level=ERROR/);

  await page.goto('/services?view=map');
  await page.getByRole('button', { name: 'Saved views' }).click();
  await page.getByLabel('Save what is shown now as a view').fill(name);
  await page.getByRole('button', { name: 'Replace' }).click();
  await expect(saved(page)).toHaveText([/shown now/]);

  await page.getByRole('button', { name: `Rename ${name}` }).click();
  await page.getByLabel(`New name of ${name}`).fill('The map');
  await page.keyboard.press('Enter');
  await expect(saved(page)).toHaveText([/^The map/]);
  await page.keyboard.press('Escape');

  await page.keyboard.press('Control+k');
  await page.keyboard.type('open the map');
  await expect(page.getByRole('option', { name: /Open The map/ })).toBeVisible();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Saved views' }).click();
  await page.getByRole('button', { name: 'Delete The map' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('Nothing is saved yet')).toBeVisible();
  expect(complaints).toEqual([]);
});

test('queries are saved where they are written', async ({ page, request }) => {
  await request.post('/api/views', { data: { name: 'Elsewhere', link: '/logs' } });
  const link = '/sql?sql=SELECT+6+*+7+AS+answer&view=chart';
  await request.post('/api/views', { data: { name: 'The answer', link } });
  await page.goto('/sql');
  await page.getByRole('button', { name: 'Saved queries' }).click();
  const queries = page.getByRole('list', { name: 'Saved queries' }).getByRole('listitem');
  await expect(queries).toHaveText([/^The answer/]);
  await queries.getByRole('link').click();
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  await expect(page.getByRole('table', { name: 'Rows' }).getByRole('row').nth(1)).toContainText('42');
});

test('what somebody else has changed is not overwritten', async ({ page, request }) => {
  const made = await (await request.post('/api/views', { data: { name: 'Ours', link: '/logs' } })).json();
  await page.goto('/traces');
  await page.getByRole('button', { name: 'Saved views' }).click();
  await expect(saved(page)).toHaveCount(1);
  const theirs = { name: 'Ours', link: '/services', revision: 1 };
  expect((await request.put(`/api/views/${made.id}`, { data: theirs })).ok()).toBe(true);
  await page.getByRole('button', { name: 'Delete Ours' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('somebody else has changed it');
  // It was read again: now one knows what one deletes.
  await expect(saved(page)).toContainText('services');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('Nothing is saved yet')).toBeVisible();
});

test('errors of the server are told, and what was typed stays', async ({ page }) => {
  let isBroken = true;
  await page.route('**/api/views', (route) =>
    isBroken
      ? route.fulfill({
          status: 400,
          contentType: 'application/json',
          body: '{"error":{"type":"invalid_request","message":"there are too many"}}',
        })
      : route.continue(),
  );
  await page.goto('/traces');
  await page.getByRole('button', { name: 'Saved views' }).click();
  await expect(page.getByRole('alert')).toContainText('there are too many');
  await page.getByLabel('Save what is shown now as a view').fill('Mine');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert').first()).toContainText('there are too many');
  isBroken = false;
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(saved(page)).toHaveText([/^Mine/]);
});
