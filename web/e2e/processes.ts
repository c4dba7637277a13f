import type { Page } from '@playwright/test';

const SECOND = 1_000_000_000n;
export const COUNT = 2_500;

export const uuid = (number: number) => `00000000-0000-4000-8000-${number.toString().padStart(12, '0')}`;

/** A process that started `number` minutes ago and was heard of `number` seconds ago. */
export function made(number: number) {
  const now = BigInt(Date.now()) * 1_000_000n;
  return {
    process_id: uuid(number),
    service_name: `service-${String(number % 7)}`,
    service_version: '1.2.3',
    host_name: `node-${number % 5}`,
    user_name: 'deploy',
    pid: String(1000 + number),
    executable: '/usr/bin/shop',
    command_line: '/usr/bin/shop --port 80',
    start_time: String(now - BigInt(number) * 60n * SECOND),
    first_seen: String(now - BigInt(number) * 60n * SECOND),
    last_update_time: String(now - BigInt(number) * SECOND),
    properties: {},
    counts: { spans: '1', logs: '0', metrics: '0' },
  };
}

/** A server with many processes; it answers as the real one, and says what it was asked. */
export async function serve(page: Page): Promise<URLSearchParams[]> {
  const asked: URLSearchParams[] = [];
  await page.route('**/api/processes?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    asked.push(query);
    const search = query.get('search')?.toLowerCase() ?? '';
    const all = Array.from({ length: COUNT }, (_, number) => made(number)).filter((process) =>
      JSON.stringify(process).toLowerCase().includes(search),
    );
    if (query.get('order') === 'asc') all.reverse();
    const from = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit'));
    const more = from + limit < all.length;
    await route.fulfill({
      json: {
        processes: all.slice(from, from + limit),
        ...(more ? { next_cursor: String(from + limit) } : {}),
      },
    });
  });
  return asked;
}

export const rows = (page: Page) =>
  page
    .getByRole('table', { name: 'Processes' })
    .getByRole('row')
    .filter({ has: page.getByRole('link') });
