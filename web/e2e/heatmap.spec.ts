import { expect, type Page, test } from '@playwright/test';
import { expectAccessible, traceRows, watchComplaints } from './page';

let complaints: string[];
test.beforeEach(({ page }) => {
  complaints = watchComplaints(page);
});
test.afterEach(() => expect(complaints).toEqual([]));

const heatmap = (page: Page) => page.getByRole('img', { name: /^Durations over time of/ });
const differences = (page: Page) => page.getByRole('complementary', { name: 'What differs' });

async function drag(page: Page, [x0, y0]: [number, number], [x1, y1]: [number, number]) {
  const box = (await heatmap(page).boundingBox())!;
  await page.mouse.move(box.x + box.width * x0, box.y + box.height * y0);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * x1, box.y + box.height * y1, { steps: 4 });
  await page.mouse.up();
}

test('counts root spans, or those that match', async ({ page }) => {
  await page.goto('/traces');
  await expect(page.getByRole('button', { name: 'All root spans' })).toHaveAttribute('aria-pressed', 'true');
  await expect(heatmap(page)).toHaveAccessibleName(/of 1,\d{3} spans, \d+ errors? among them/);
  await expect(page.getByRole('status', { name: 'Counted' })).toContainText(/^1,\d{3} · \d+ failed/);
  await page.goto('/traces?operation=payment.Charge&kind=server');
  await expect(page.getByRole('button', { name: 'All matching spans' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Kind: server' })).toBeVisible();
  await expect(heatmap(page)).not.toHaveAccessibleName(/of 1,\d{3} spans/);
  await expectAccessible(page);
});

test('what is dragged over is listed, compared with the rest, and linked', async ({ page }) => {
  await page.goto('/traces');
  await expect(traceRows(page).first()).toBeVisible();
  await drag(page, [0.05, 0.1], [0.98, 0.5]);
  await expect(page).toHaveURL(/sel=\d+-\d+,\d+-\d*/);
  await expect(differences(page)).toContainText(/selected spans/);
  const values = differences(page).getByRole('list', { name: 'Differences' }).getByRole('listitem');
  // The slow traces of the shop are checkouts.
  await expect(values.filter({ hasText: 'POST /api/checkout' }).first()).toContainText(/\d+ %/);
  // A trace has one root span: as many are listed as are selected.
  const told = (await differences(page)
    .getByText(/^[\d,]+ selected spans?$/)
    .textContent())!;
  const selected = Number(told.replace(/ selected.*/, '').replaceAll(',', ''));
  await expect(
    page.getByRole('status').filter({ hasText: selected > 500 ? 'Newest 500 traces' : `${selected} trace` }),
  ).toBeVisible();
  await expectAccessible(page);
  await page.reload();
  await expect(values.first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page).not.toHaveURL(/sel=/);
  await expect(differences(page)).toBeHidden();
});

test('a value that differs narrows the search', async ({ page }) => {
  await page.goto('/traces?operation=POST+/api/checkout');
  await page.getByRole('button', { name: 'errors', exact: true }).click();
  await expect(page).toHaveURL(/sel=errors/);
  await expect(differences(page)).toContainText('Spans with errors against the others');
  await expect(differences(page)).not.toContainText('status ERROR');
  const values = differences(page).getByRole('list', { name: 'Differences' }).getByRole('button');
  await values.filter({ hasText: 'could not charge the card' }).first().click();
  await expect(page).not.toHaveURL(/sel=/);
  await expect(page).toHaveURL(/text=could\+not\+charge/);
  await expect(traceRows(page).first()).toBeVisible();
});

test('the slowest are one click away, and become conditions', async ({ page }) => {
  await page.goto('/traces');
  await page.getByRole('button', { name: 'the slowest' }).click();
  await expect(differences(page)).toContainText(/Spans of .* and more/);
  await expect(traceRows(page).first()).toBeVisible();
  await differences(page).getByRole('button', { name: 'Only these' }).click();
  await expect(page).toHaveURL(/root=true&min=/);
  await expect(page.getByRole('list', { name: 'Conditions' })).toContainText('is a root span');
  await expect(page.getByRole('button', { name: /^Duration: ≥/ })).toBeVisible();
  await expect(traceRows(page).first()).toBeVisible();
  await page.getByRole('button', { name: 'Remove condition root span' }).click();
  await expect(page).not.toHaveURL(/root=/);
});

test('one cell is chosen by a click; a click beside the cells clears', async ({ page }) => {
  await page.goto('/traces');
  await expect(traceRows(page).first()).toBeVisible();
  const box = (await heatmap(page).boundingBox())!;
  const tip = page.locator('.floating').filter({ hasText: /spans?/ });
  for (let y = 0.2; y < 0.8 && !(await tip.isVisible()); y += 0.03) {
    for (let x = 0.5; x < 0.6 && !(await tip.isVisible()); x += 0.004)
      await page.mouse.move(box.x + box.width * x, box.y + box.height * y);
  }
  await expect(tip).toContainText(/–.*, for/);
  const told = Number((await tip.textContent())!.match(/^([\d,]+) span/)![1]!.replaceAll(',', ''));
  await page.mouse.down();
  await page.mouse.up();
  await expect(differences(page).getByText(new RegExp(`^${told} selected spans?$`))).toBeVisible();
  await expect(page.getByRole('status').filter({ hasText: /^\d+ traces?/ })).toContainText(`${told} trace`);
  await page.mouse.click(box.x + box.width * 0.5, box.y + 12);
  await expect(page).not.toHaveURL(/sel=/);
});

test('attributes are suggested, keys and then values', async ({ page }) => {
  await page.goto('/traces');
  const input = page.getByRole('combobox', { name: 'Text, attribute or trace id' });
  await input.fill('tier');
  const options = page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option');
  await expect(options.first()).toContainText('customer.tier');
  await expectAccessible(page);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(input).toHaveValue('customer.tier=');
  await options.filter({ hasText: 'plus' }).click();
  await expect(page).toHaveURL(/attr=customer.tier=plus/);
  await expect(page.getByRole('list', { name: 'Conditions' })).toContainText('customer.tier=plus');
  await expect(traceRows(page).first()).toBeVisible();
});

test('a heatmap and a comparison that fail say so and leave the list standing', async ({ page }) => {
  const refuse = (pattern: string, message: string) =>
    page.route(pattern, (route) =>
      route.fulfill({ status: 400, json: { error: { type: 'query_limit', message } } }),
    );
  await refuse('**/api/traces/heatmap?*', 'too many spans');
  await page.goto('/traces');
  const chart = page.getByRole('region', { name: 'Durations over time' });
  await expect(chart.getByRole('alert')).toContainText('too many spans');
  await expect(traceRows(page).first()).toBeVisible();
  await page.unroute('**/api/traces/heatmap?*');
  await chart.getByRole('button', { name: 'Try again' }).click();
  await expect(heatmap(page)).toBeVisible();
  await refuse('**/api/traces/differences?*', 'too many values');
  await page.getByRole('button', { name: 'the slowest' }).click();
  await expect(differences(page).getByRole('alert')).toContainText('too many values');
  await page.unroute('**/api/traces/differences?*');
  await differences(page).getByRole('button', { name: 'Try again' }).click();
  await expect(differences(page)).toContainText('selected spans');
});

test('fits a narrow window', async ({ page }) => {
  await page.setViewportSize({ width: 800, height: 900 });
  await page.goto('/traces');
  await page.getByRole('button', { name: 'the slowest' }).click();
  await expect(differences(page)).toContainText('selected spans');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(800);
  expect((await differences(page).boundingBox())!.width).toBeGreaterThan(500);
  await expectAccessible(page);
});
