import { expect, type Page, test } from '@playwright/test';
import { expectAccessible, watchComplaints } from './page';

const ID = '00000000-0000-4000-8000-000000000007';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const START = 1_800_000_000_000_000_123n;
const SECOND = 1_000_000_000n;

const process = {
  process_id: ID,
  service_name: 'shop',
  first_seen: String(START),
  last_update_time: String(START + 100n * SECOND),
  properties: {},
  resource: [],
  counts: { spans: '0', logs: '0', metrics: '0' },
};

const span = (id: number, name: number, start: bigint, length: bigint | null, error = false) => ({
  start: String(START + start),
  ...(length === null ? {} : { duration_ns: String(length) }),
  name,
  ...(error ? { error_count: '1' } : {}),
  trace_id: TRACE,
  span_id: id.toString(16).padStart(16, '0'),
});

const NAMES = ['handle request', 'query <b>database</b>', 'upload'];

/** All of it: what the main thread did in the middle is too short to be seen. */
const whole = {
  first_time: String(START),
  last_time: String(START + 100n * SECOND),
  span_count: '1005',
  hidden_span_count: '0',
  names: NAMES,
  tracks: [
    {
      thread_id: '7',
      thread_name: 'main',
      resolution_ns: '134217728',
      rows: [
        { lane: 0, depth: 0, slices: [span(1, 0, 0n, 40n * SECOND)] },
        {
          lane: 0,
          depth: 1,
          slices: [
            span(2, 1, 5n * SECOND, 10n * SECOND, true),
            {
              start: String(START + 50n * SECOND),
              duration_ns: String(SECOND / 10n),
              name: 1,
              error_count: '3',
              several: { count: '1000', total_ns: '90000000', longest_ns: '1234567' },
            },
          ],
        },
      ],
    },
    {
      thread_id: '9',
      resolution_ns: '4',
      rows: [{ lane: 0, depth: 0, slices: [span(4, 0, 60n * SECOND, SECOND)] }],
    },
    { resolution_ns: '4', rows: [{ lane: 0, depth: 0, slices: [span(5, 2, 30n * SECOND, null)] }] },
  ],
};

/** A part: there every span is seen. */
const part = {
  ...whole,
  span_count: '3',
  tracks: [
    {
      thread_id: '7',
      thread_name: 'main',
      resolution_ns: '4',
      rows: [
        {
          lane: 0,
          depth: 1,
          slices: [span(10, 1, 50n * SECOND, 70_000_000n), span(11, 0, 50n * SECOND + 80_000_000n, 7n, true)],
        },
      ],
    },
  ],
};

/** Answers as the server does; `asked` has the parameters of each question for the timeline. */
async function serve(page: Page, answers = { whole: whole as object, part: part as object }) {
  const asked: URLSearchParams[] = [];
  let failing = { whole: false, part: false };
  await page.route(`**/api/process/${ID}`, (route) => route.fulfill({ json: process }));
  await page.route(`**/api/process/${ID}/statistics`, (route) => route.fulfill({ status: 503, json: {} }));
  await page.route(`**/api/process/${ID}/timeline*`, async (route) => {
    const query = new URL(route.request().url()).searchParams;
    asked.push(query);
    const which = query.has('from') ? 'part' : 'whole';
    if (failing[which]) {
      const error = { type: 'unavailable', message: 'a file is gone' };
      await route.fulfill({ status: 500, json: { error } });
    } else {
      await route.fulfill({ json: answers[which] });
    }
  });
  return {
    asked,
    fail: (which: 'whole' | 'part', fails: boolean) => {
      failing = { ...failing, [which]: fails };
    },
  };
}

const open = (page: Page, rest = '') => page.goto(`/processes/${ID}?tab=timeline${rest}`);
const chart = (page: Page) => page.getByRole('application', { name: /^Timeline/ });
/** Moves the pointer over a place of the chart, until the slice there is told. */
async function point(
  page: Page,
  share: number,
  row: number,
  text: string,
): Promise<{ x: number; y: number }> {
  const at = { x: 0, y: 0 };
  await expect(async () => {
    const box = (await chart(page).boundingBox())!;
    // The first row is below the name of the thread.
    Object.assign(at, { x: box.x + box.width * share, y: box.y + 24 + row * 18 + 9 });
    await page.mouse.move(at.x - 20, at.y);
    await page.mouse.move(at.x, at.y);
    await expect(page.getByRole('tooltip')).toContainText(text, { timeout: 500 });
  }).toPass();
  return at;
}
const panel = (page: Page) => page.getByRole('complementary', { name: 'Slice' });

test('shows what threads did, and tells each slice to the nanosecond', async ({ page }) => {
  const complaints = watchComplaints(page);
  await serve(page);
  await page.goto(`/processes/${ID}`);
  await page.getByRole('link', { name: 'Timeline' }).click();
  await expect(page).toHaveURL(/tab=timeline/);
  const status = page.getByRole('status').filter({ hasText: 'spans' });
  await expect(status).toContainText('1,005 spans · the shortest are put together');
  for (const name of ['main 7 shorter than 134 ms together', 'Thread 9', 'Asynchronous']) {
    await expect(page.getByRole('button', { name, exact: true })).toBeVisible();
  }
  await expectAccessible(page);

  // From slice to slice by keyboard.
  await page.keyboard.press('ArrowRight');
  await expect(panel(page).getByRole('heading')).toHaveText('handle request');
  await expect(panel(page)).toContainText('40 s');
  await expect(panel(page)).toContainText('main 7');
  await page.keyboard.press('ArrowDown');
  await expect(panel(page).getByRole('heading')).toHaveText('query <b>database</b>');
  await expect(panel(page)).toContainText('It ended with an error.');
  await page.keyboard.press('ArrowRight');
  await expect(panel(page).getByRole('heading')).toHaveText('1,000 spans, too short to be told apart here');
  await expect(panel(page)).toContainText('Longest1.234567 ms, query <b>database</b>');
  await expect(panel(page)).toContainText('3 of them');
  await page.keyboard.press('ArrowDown');
  await expect(panel(page)).toContainText('Thread 9');
  await page.keyboard.press('ArrowDown');
  await expect(panel(page).getByRole('heading')).toHaveText('upload');
  await expect(panel(page)).toContainText('open: it has not ended');
  await page.keyboard.press('ArrowUp');
  await expect(panel(page)).toContainText('Thread 9');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(panel(page)).toBeHidden();

  // And by mouse.
  await point(page, 0.1, 0, 'handle request40 sfrom 0 ns');
  const at = await point(page, 0.1, 1, 'query <b>database</b>10 sfrom 5 s');
  await page.mouse.click(at.x, at.y);
  await expect(panel(page).getByRole('heading')).toHaveText('query <b>database</b>');
  await expect(page).toHaveURL(/span=0000000000000002/);
  // The trace is not there: what counts is where it leads.
  await expect(panel(page).getByRole('link', { name: 'Open in its trace' })).toHaveAttribute(
    'href',
    `/traces/${TRACE}?span=0000000000000002`,
  );
  expect(complaints).toEqual([]);
});

test('zooms in until every span is seen, and the link restores it', async ({ page }) => {
  const complaints = watchComplaints(page);
  const { asked } = await serve(page);
  await open(page);
  const at = await point(page, 0.5005, 1, '1,000 spans, together 90 ms');
  await page.mouse.dblclick(at.x, at.y);
  await expect(page.getByRole('status').filter({ hasText: 'spans' })).toHaveText('3 spans');
  const last = asked.at(-1)!;
  const [from, to] = [BigInt(last.get('from')!), BigInt(last.get('to')!)];
  expect(from).toBeLessThan(START + 50n * SECOND);
  expect(to).toBeGreaterThan(START + 50n * SECOND + SECOND / 10n);
  // All threads stay where they were, though only one did something.
  await expect(page.getByRole('button', { name: 'Thread 9', exact: true })).toBeVisible();
  await expect(page).toHaveURL(/zoom=\d+-\d+/);

  await page.keyboard.press('Escape');
  await page.keyboard.press('ArrowRight');
  await expect(panel(page).getByRole('heading')).toHaveText('query <b>database</b>');
  await page.keyboard.press('ArrowRight');
  await expect(panel(page).getByRole('heading')).toHaveText('handle request');
  await expect(panel(page)).toContainText('50.08 s');
  await expect(panel(page)).toContainText('7 ns');
  await expect(page).toHaveURL(/span=000000000000000b/);
  const url = page.url();
  await page.reload();
  await expect(panel(page)).toContainText('7 ns');
  expect(page.url()).toBe(url);

  // Out again, by keyboard.
  await page.keyboard.press('0');
  await expect(page).not.toHaveURL(/zoom=/);
  await expect(page.getByRole('status').filter({ hasText: 'spans' })).toContainText('1,005 spans');
  const slider = page.getByRole('slider', { name: 'Part of the time that is shown' });
  await expect(slider).toHaveAttribute('aria-valuetext', 'The whole time');
  await page.keyboard.press('w');
  await expect(slider).toHaveAttribute('aria-valuetext', '25 s to 1 m 15 s');
  await page.keyboard.press('d');
  await expect(slider).toHaveAttribute('aria-valuetext', '37.5 s to 1 m 27 s');
  expect(complaints).toEqual([]);
});

test('is dragged, and folds threads', async ({ page }) => {
  await serve(page);
  await open(page, `&zoom=${START + 10n * SECOND}-${START + 20n * SECOND}`);
  const slider = page.getByRole('slider', { name: 'Part of the time that is shown' });
  await expect(slider).toHaveAttribute('aria-valuetext', '10 s to 20 s');
  const box = (await chart(page).boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height - 40);
  await page.mouse.down();
  await page.mouse.move(box.x, box.y + box.height - 40, { steps: 5 });
  await page.mouse.up();
  await expect(slider).toHaveAttribute('aria-valuetext', '15 s to 25 s');
  await expect(panel(page)).toBeHidden();
  const head = page.getByRole('button', { name: /^main 7/ });
  const below = page.getByRole('button', { name: 'Thread 9', exact: true });
  const before = (await below.boundingBox())!.y;
  await head.click();
  await expect(head).toHaveAttribute('aria-expanded', 'false');
  expect((await below.boundingBox())!.y).toBe(before - 2 * 18);
});

test('says what went wrong, and recovers', async ({ page }) => {
  const server = await serve(page);
  server.fail('whole', true);
  await open(page);
  await expect(page.getByRole('alert')).toContainText('The timeline could not be loaded');
  await expect(page.getByRole('alert')).toContainText('a file is gone');
  server.fail('whole', false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'spans' })).toContainText('1,005 spans');

  server.fail('part', true);
  for (let times = 0; times < 4; times++) await page.keyboard.press('w');
  await expect(page.getByRole('alert')).toContainText('Finer detail could not be loaded: a file is gone');
  // What was there stays.
  await expect(page.getByRole('status').filter({ hasText: 'spans' })).toContainText('1,005 spans');
  server.fail('part', false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'spans' })).toHaveText('3 spans');
  await expect(page.getByRole('alert')).toBeHidden();
});

test('says when there is nothing, and when not all is drawn', async ({ page }) => {
  const none = { span_count: '0', hidden_span_count: '0', names: [], tracks: [] };
  await serve(page, { whole: none, part: none });
  await open(page);
  await expect(page.getByRole('heading', { name: 'This process has sent no spans' })).toBeVisible();
  await expectAccessible(page);
  await page.unrouteAll();
  await serve(page, { whole: { ...whole, hidden_span_count: '12345' }, part });
  await page.reload();
  await expect(page.getByRole('status').filter({ hasText: 'spans' })).toContainText(
    '12,345 more are not drawn: too many run at once',
  );
});
