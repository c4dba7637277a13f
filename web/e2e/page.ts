import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** Fails when axe finds something serious or critical in either theme. */
export async function expectAccessible(page: Page) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await expect(page.locator('html')).toHaveClass(colorScheme === 'dark' ? /dark/ : /^(?!.*dark)/);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const grave = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, help, nodes }) =>
          `${id}: ${help}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} (${failureSummary})`).join(', ')}`,
      );
    expect(grave, `${colorScheme} theme`).toEqual([]);
  }
}

/** Collects what a page complains of: exceptions, and what the Content-Security-Policy refused. */
export function watchComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // Answers that are not a success are part of some tests; the browser notes each of them.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  return complaints;
}

/** The spans of the open trace, as they stand in the waterfall. */
export function spanRows(page: Page) {
  return page.getByRole('tree', { name: 'Spans' }).getByRole('treeitem');
}

/** The traces in the list. */
export function traceRows(page: Page) {
  return page.getByRole('list', { name: 'Traces' }).getByRole('listitem');
}
