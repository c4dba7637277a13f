import { expect, type Page, test } from '@playwright/test';
import { expectAccessible, watchComplaints } from './page';

const LEVELS = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const;
const NUMBERS = [21, 17, 13, 9, 5, 1];
const SECOND = 1_000_000_000n;
const NOW = BigInt(Date.now()) * 1_000_000n;
const PROCESS = '00000000-0000-4000-8000-000000000007';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const HOSTILE = '<img src=x onerror="alert(1)">\u202Eevil\u0000' as const;

/** The record that was written `number` seconds ago. */
function made(number: number) {
  return {
    time: String(NOW - BigInt(number) * SECOND),
    process_id: PROCESS,
    service_name: number % 2 === 0 ? 'shop' : 'cart',
    severity_number: NUMBERS[number % 6]!,
    severity_text: 'as sent',
    level: LEVELS[number % 6]!,
    scope_name: 'app',
    event_name: '',
    body: { stringValue: number === 3 ? HOSTILE : `line ${number}` },
    ...(number === 1 ? { trace_id: TRACE, span_id: '00f067aa0ba902b7' } : {}),
    flags: 0,
    attributes: [
      { key: 'user.id', value: { stringValue: `user-${number % 10}` } },
      { key: 'attempt', value: { intValue: '9007199254740993' } },
    ],
  };
}

type Made = ReturnType<typeof made>;

/** A server with log records; it answers as the real one. `state` may be changed meanwhile. */
async function serve(page: Page, count = 1_000) {
  const state = { all: Array.from({ length: count }, (_, number) => made(number)), failing: '' };
  const asked: URLSearchParams[] = [];
  const chosen = (query: URLSearchParams): Made[] => {
    const levels = query.get('level')?.split(',');
    const [from, to] = [query.get('from'), query.get('to')].map((text) =>
      text === null ? null : BigInt(text),
    );
    return state.all.filter(
      (record) =>
        (levels === undefined || levels.includes(record.level)) &&
        JSON.stringify(record).includes(query.get('search') ?? '') &&
        (query.get('service') ?? record.service_name) === record.service_name &&
        (from == null || BigInt(record.time) >= from) &&
        (to == null || BigInt(record.time) < to),
    );
  };
  const refuse = { status: 500, json: { error: { type: 'internal', message: 'a file is gone' } } };
  await page.route('**/api/logs?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    asked.push(query);
    if (state.failing === 'list') return route.fulfill(refuse);
    const found = chosen(query);
    if (query.get('order') === 'asc') found.reverse();
    const from = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit'));
    const more = from + limit < found.length ? { next_cursor: String(from + limit) } : {};
    return route.fulfill({ json: { logs: found.slice(from, from + limit), ...more } });
  });
  await page.route('**/api/logs/histogram?*', async (route) => {
    if (state.failing === 'histogram') return route.fulfill(refuse);
    const found = chosen(new URL(route.request().url()).searchParams);
    const counts = (records: readonly Made[]) => ({
      ...Object.fromEntries(
        LEVELS.map((level) => [
          level.toLowerCase(),
          String(records.filter((record) => record.level === level).length),
        ]),
      ),
      unspecified: '0',
    });
    const step = 60n * SECOND;
    const times = [...new Set(found.map(({ time }) => (BigInt(time) / step) * step))].sort();
    const of = (time: bigint) => found.filter((record) => (BigInt(record.time) / step) * step === time);
    return route.fulfill({
      json: {
        ...(found.length === 0 ? {} : { step_ns: String(step) }),
        buckets: times.map((time) => ({ time: String(time), levels: counts(of(time)) })),
        levels: counts(found),
      },
    });
  });
  await page.route('**/api/services?*', (route) =>
    route.fulfill({ json: { services: [{ name: 'shop' }, { name: 'cart' }] } }),
  );
  return { state, asked };
}

const list = (page: Page) => page.getByRole('feed', { name: 'Log records' });
const lines = (page: Page) => list(page).getByRole('article');
const status = (page: Page) => page.getByRole('status').filter({ hasText: 'record' });

test('lists the newest records, and more as one scrolls', async ({ page }) => {
  const complaints = watchComplaints(page);
  const { asked } = await serve(page);
  await page.goto('/');
  await page.getByRole('link', { name: 'Logs' }).click();
  await expect(page).toHaveURL(/\/logs$/);
  await expect(status(page)).toHaveText('200 of 1,000 records · others load as you scroll');
  await expect(lines(page).first()).toContainText('FATAL');
  await expect(lines(page).first()).toContainText('line 0');
  await expect(lines(page).first()).toContainText('shop');
  await expect(
    page.getByRole('img', { name: '1,000 log records over time, 334 of ERROR or FATAL' }),
  ).toBeVisible();
  await expectAccessible(page);
  for (const loaded of ['400', '600', '800']) {
    await list(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect(status(page)).toContainText(`${loaded} of 1,000 records`);
  }
  await list(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await expect(status(page)).toHaveText('1,000 records');
  expect(await lines(page).count()).toBeLessThan(80);

  // No more than what was chosen.
  await page.getByRole('combobox', { name: 'Show' }).selectOption('50');
  await expect(status(page)).toHaveText('50 of 1,000 records');
  await expect(page).toHaveURL(/most=50/);
  expect(asked.at(-1)!.get('limit')).toBe('50');
  await page.getByRole('combobox', { name: 'Show' }).selectOption('500');
  await expect(status(page)).toContainText('200 of 1,000 records');
  for (const loaded of ['400', '500']) {
    await list(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect(status(page)).toContainText(`${loaded} of 1,000 records`);
  }
  await expect(status(page)).toHaveText('500 of 1,000 records');
  expect(asked.at(-1)!.get('limit')).toBe('100');
  expect(complaints).toEqual([]);
});

test('finds by text, level, service and time, and the link restores it', async ({ page }) => {
  const { asked } = await serve(page);
  await page.goto('/logs');
  await expect(status(page)).toContainText('of 1,000 records');
  await page.keyboard.press('/');
  await page.keyboard.type('line 12');
  await expect(page).toHaveURL(/q=line\+12/);
  // 12 and 120 to 129.
  await expect(status(page)).toHaveText('11 records');
  const levels = page.getByRole('group', { name: 'Levels' });
  await expect(levels.getByRole('button', { name: 'ERROR: 2 records' })).toBeVisible();
  await levels.getByRole('button', { name: /^ERROR/ }).click();
  await expect(status(page)).toHaveText('2 records');
  await levels.getByRole('button', { name: /^FATAL/ }).click();
  await expect(status(page)).toHaveText('5 records');
  await expect(page).toHaveURL(/level=FATAL,ERROR/);
  // The counts of the others stay.
  await expect(levels.getByRole('button', { name: 'WARN: 2 records' })).toHaveAttribute(
    'aria-pressed',
    'false',
  );
  await page.getByRole('button', { name: 'Service' }).click();
  await page.getByRole('option', { name: 'shop' }).click();
  await expect(status(page)).toHaveText('3 records');
  await page.getByRole('button', { name: 'Newest first' }).click();
  await expect(lines(page).first()).toContainText('line 126');
  expect(asked.at(-1)!.get('order')).toBe('asc');
  await page.reload();
  await expect(lines(page).first()).toContainText('line 126');
  await expect(page.getByRole('textbox', { name: 'Search log records' })).toHaveValue('line 12');

  await page.getByRole('textbox', { name: 'Search log records' }).fill('nothing like it');
  await expect(page.getByRole('heading', { name: 'No log record matches' })).toBeVisible();
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await expect(status(page)).toContainText('of 1,000 records');

  // A part of the histogram becomes the time range.
  const box = (await page.getByRole('img', { name: /log records over time/ }).boundingBox())!;
  await page.mouse.move(box.x + box.width - 60, box.y + 40);
  await expect(page.getByRole('tooltip')).toContainText('for 1 m');
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 20, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=\d{4}.*&to=\d{4}/);
  await expect(page.getByRole('button', { name: 'Live' })).toBeDisabled();
});

test('tells all of a record, and what was written around it', async ({ page }) => {
  const complaints = watchComplaints(page);
  await serve(page);
  await page.goto('/logs');
  await expect(lines(page).first()).toContainText('line 0');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('o');
  const record = lines(page).nth(1);
  await expect(record.getByRole('link', { name: 'Open its trace' })).toHaveAttribute(
    'href',
    `/traces/${TRACE}?span=00f067aa0ba902b7`,
  );
  await expect(record.getByRole('link', { name: 'Open its process' })).toHaveAttribute(
    'href',
    `/processes/${PROCESS}`,
  );
  const attributes = record.getByRole('table', { name: 'Attributes of the log record' });
  await expect(attributes.getByRole('row').filter({ hasText: 'attempt' })).toContainText('9007199254740993');
  await expect(record).toContainText('17 as sent');
  await expectAccessible(page);
  await record.getByRole('button', { name: 'Lines around it' }).click();
  const around = record.getByRole('list', { name: 'Lines around it' });
  // Earliest first: ten before it, itself, and what came after it.
  await expect(around.getByRole('listitem')).toHaveCount(12);
  await expect(around.getByRole('listitem').first()).toContainText('line 11');
  await expect(around.locator('[aria-current]')).toContainText('line 1');
  await expect(around.getByRole('listitem').last()).toContainText('line 0');
  await record.getByRole('button', { name: 'More lines' }).click();
  await expect(around.getByRole('listitem')).toHaveCount(32);

  // An attribute becomes a column, and a condition.
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('checkbox', { name: 'user.id' }).check();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/column=user.id/);
  await expect(lines(page).first()).toContainText('user-0');
  await attributes.getByRole('row').filter({ hasText: 'user.id' }).hover();
  await attributes.getByRole('link', { name: 'Find log records with user.id = user-1' }).click();
  await expect(page).toHaveURL(/\/logs\?.*attr=user.id=user-1/);
  await page.getByRole('button', { name: 'Remove user.id=user-1' }).click();
  await expect(page).not.toHaveURL(/attr=/);
  expect(complaints).toEqual([]);
});

test('follows what comes', async ({ page }) => {
  const { state } = await serve(page, 5);
  await page.goto('/logs');
  await expect(status(page)).toHaveText('5 records');
  await page.getByRole('button', { name: 'Live' }).click();
  await expect(status(page)).toHaveText('5 records, followed live');
  state.all.unshift({ ...made(0), time: String(NOW + SECOND), body: { stringValue: 'just now' } });
  await expect(lines(page).first()).toContainText('just now');
  await expect(status(page)).toHaveText('6 records, followed live');
  await page.keyboard.press('l');
  await expect(status(page)).toHaveText('6 records');
});

test('says what went wrong, and recovers', async ({ page }) => {
  const { state } = await serve(page);
  state.failing = 'list';
  await page.goto('/logs');
  await expect(page.getByRole('alert')).toContainText('The log records could not be loaded');
  await expect(page.getByRole('alert')).toContainText('a file is gone');
  state.failing = 'histogram';
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(lines(page).first()).toContainText('line 0');
  await page.keyboard.press('r');
  await expect(page.getByRole('alert').filter({ hasText: 'could not be counted' })).toContainText(
    'a file is gone',
  );
  state.failing = 'list';
  await list(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await expect(list(page).getByRole('alert')).toContainText('More could not be loaded: a file is gone');
  state.failing = '';
  await list(page).getByRole('button', { name: 'Try again' }).click();
  await expect(status(page)).toContainText('400 of');
});

test('shows hostile records as text', async ({ page }) => {
  const complaints = watchComplaints(page);
  const { state } = await serve(page, 4);
  state.all[0]!.body = { stringValue: 'x'.repeat(1_000_000) };
  await page.goto('/logs');
  await expect(lines(page).nth(3)).toContainText('<img src=x onerror="alert(1)">');
  await lines(page).nth(3).getByRole('button').first().click();
  await expect(lines(page).nth(3).getByRole('region', { name: 'Body' })).toContainText('<img src=x');
  await lines(page).first().getByRole('button').first().click();
  await expect(lines(page).first().getByRole('region', { name: 'Body' })).toContainText('xxxx');
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(complaints).toEqual([]);
});

test('shows what one process wrote', async ({ page }) => {
  const { asked } = await serve(page);
  const process = {
    process_id: PROCESS,
    service_name: 'shop',
    first_seen: String(NOW),
    last_update_time: String(NOW),
    properties: {},
    resource: [],
    counts: { spans: '0', logs: '0', metrics: '0' },
  };
  await page.route(`**/api/process/${PROCESS}`, (route) => route.fulfill({ json: process }));
  await page.route(`**/api/process/${PROCESS}/statistics`, (route) =>
    route.fulfill({ status: 503, json: {} }),
  );
  await page.goto(`/processes/${PROCESS}?tab=logs&from=-6h`);
  await expect(status(page)).toContainText('200 of 1,000 records');
  // All of its life, whatever the other pages look at.
  expect(asked.at(-1)!.get('process')).toBe(PROCESS);
  expect(asked.at(-1)!.has('from')).toBe(false);
  await page.getByRole('group', { name: 'Levels' }).getByRole('button', { name: /^WARN/ }).click();
  await expect(page).toHaveURL(/tab=logs&.*level=WARN/);
  const box = (await page.getByRole('img', { name: /log records over time/ }).boundingBox())!;
  await page.mouse.click(box.x + box.width / 2, box.y + 70);
  await expect(page).toHaveURL(/since=.*&until=/);
  await expect(page).toHaveURL(/from=-6h/);
  await page.getByRole('button', { name: 'All of the time' }).click();
  await expect(page).not.toHaveURL(/since=/);
  await expectAccessible(page);
});
