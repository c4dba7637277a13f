import { expect, type Page, test } from '@playwright/test';
import { expectAccessible, watchComplaints } from './page';
import { made, rows, serve, uuid } from './processes';

let complaints: string[];
test.beforeEach(({ page }) => {
  complaints = watchComplaints(page);
});
test.afterEach(() => expect(complaints).toEqual([]));

/** A process with a trace of about 1 MB, of which 600 kB come. */
async function serveTrace(page: Page): Promise<{ asked: unknown[] }> {
  const asked: unknown[] = [];
  await page.route(`**/api/process/${uuid(1)}`, (route) =>
    route.fulfill({ json: { ...made(1), resource: [] } }),
  );
  await page.route(`**/api/process/${uuid(1)}/statistics`, (route) =>
    route.fulfill({ status: 503, json: { error: { type: 'unavailable', message: 'not now' } } }),
  );
  const plan = {
    process_id: uuid(1),
    counts: { thread: '12345', async: '7', open: '0', events: '0', links: '0', logs: '3', metrics: '0' },
    begin: '1767225600000000001',
    end: '1767225660000000009',
    packets: '1000',
    estimated_bytes: '1000000',
    estimated_seconds: 0.4,
  };
  await page.route(`**/api/perfetto/${uuid(1)}/info`, (route) => route.fulfill({ json: plan }));
  await page.route(`**/api/perfetto/${uuid(1)}/generate`, async (route) => {
    asked.push(route.request().postDataJSON());
    const lines = [
      { type: 'progress', done: 1, total: 2, counts: plan.counts },
      { type: 'plan', ...plan },
      { type: 'binary_start' },
    ].map((line) => `${JSON.stringify(line)}\n`);
    const body = Buffer.concat([Buffer.from(lines.join('')), Buffer.alloc(600_000, 10)]);
    await route.fulfill({ body, contentType: 'application/octet-stream' });
  });
  return { asked };
}

test('generates a trace of what is chosen, to the nanosecond', async ({ page }) => {
  const { asked } = await serveTrace(page);
  // Without a dialog for files, which no test can answer.
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
  await page.goto(`/processes/${uuid(1)}`);
  await page.getByRole('link', { name: 'Generate trace' }).click();
  await expect(page).toHaveURL(/tab=trace/);
  const form = page.getByRole('form', { name: 'Generate a Perfetto trace' });
  await expect(form).toContainText('12,345');
  await expect(form).toContainText('About 977 KiB, written in less than a second.');
  await expect(form.getByRole('checkbox', { name: 'Metric data points' })).toBeDisabled();
  await expect(form.getByLabel('Begin')).toHaveValue('2026-01-01 01:00:00.000000001+01:00');
  await expectAccessible(page);

  // What makes no sense is said where it is, and nothing is asked for.
  const generate = form.getByRole('button', { name: 'Generate' });
  await form.getByLabel('Begin').fill('yesterday');
  await expect(form.getByRole('alert')).toContainText('Not a time');
  await expect(generate).toBeDisabled();
  await form.getByLabel('Begin').fill('2026-01-01 00:59:59');
  await expect(form.getByRole('alert')).toContainText(
    'Nothing is earlier than 2026-01-01 01:00:00.000000001',
  );
  await form.getByLabel('Begin').fill('2026-01-01 01:00:30.5');
  await form.getByLabel('End').fill('2026-01-01 01:00:30');
  await expect(form.getByRole('alert')).toContainText('must not be before the beginning');
  await form.getByLabel('End').fill('2026-01-01 01:00:31.000000001');
  await form.getByRole('checkbox', { name: 'Log records' }).uncheck();
  await form.getByLabel('Name of the file').fill('shop at night');
  const downloading = page.waitForEvent('download');
  await generate.click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('shop at night.pftrace');
  expect(asked).toEqual([
    { kinds: ['thread', 'async'], begin: '1767225630500000000', end: '1767225631000000002' },
  ]);
  const job = page.getByRole('listitem', { name: 'shop at night.pftrace' });
  await expect(job).toContainText('Done: 586 KiB');
  await expect(job.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '100');

  await form.getByRole('button', { name: 'Reset' }).click();
  await expect(form.getByLabel('Begin')).toHaveValue('2026-01-01 01:00:00.000000001+01:00');
  const whole = page.waitForEvent('download');
  await generate.click();
  await whole;
  expect(asked[1]).toEqual({ kinds: ['thread', 'async'] });
});

test('makes traces one after the other, each of which can be cancelled', async ({ page }) => {
  await serveTrace(page);
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(`**/api/perfetto/${uuid(1)}/generate`, async (route) => {
    await released;
    await route.fallback();
  });
  await page.goto(`/processes/${uuid(1)}?tab=trace`);
  const name = page.getByLabel('Name of the file');
  for (const each of ['one', 'two', 'three']) {
    await name.fill(each);
    await page.getByRole('button', { name: 'Generate' }).click();
  }
  const job = (each: string) => page.getByRole('listitem', { name: `${each}.pftrace` });
  await expect(job('one')).toContainText('Begins');
  await expect(job('two')).toContainText('Waits');
  await job('two').getByRole('button', { name: 'Cancel' }).click();
  await expect(job('two')).toContainText('Cancelled');
  // They go on while another page is open.
  await page.getByRole('link', { name: 'Info' }).click();
  await page.getByRole('link', { name: 'Generate trace' }).click();
  await job('one').getByRole('button', { name: 'Cancel' }).click();
  await expect(job('one')).toContainText('Cancelled');
  release();
  await expect(job('three')).toContainText('Done');
  await expect(job('two')).toContainText('Cancelled');
  await job('two').getByRole('button', { name: 'Take off the list' }).click();
  await expect(job('two')).toHaveCount(0);
});

test('writes a trace to the file that is chosen, and says when that is not whole', async ({ page }) => {
  await serveTrace(page);
  await page.addInitScript(() => {
    const written: string[] = [];
    Object.assign(window, {
      written,
      showSaveFilePicker: async ({ suggestedName }: { suggestedName: string }) => ({
        createWritable: async () => ({
          write: async (bytes: Uint8Array) => written.push(`${suggestedName} ${bytes.length}`),
          close: async () => written.push('closed'),
          abort: async () => written.push('aborted'),
        }),
      }),
    });
  });
  await page.goto(`/processes/${uuid(1)}?tab=trace`);
  await page.getByRole('button', { name: 'Generate' }).click();
  const jobs = page.getByRole('list', { name: 'Traces' }).getByRole('listitem');
  await expect(jobs.first()).toContainText('Done');
  const written = () => page.evaluate(() => (window as unknown as { written: string[] }).written.splice(0));
  const pieces = await written();
  expect(pieces.at(-1)).toBe('closed');
  const sizes = pieces.slice(0, -1).map((piece) => Number(piece.split(' ').at(-1)));
  expect(sizes.reduce((sum, size) => sum + size)).toBe(600_000);
  expect(pieces[0]).toContain('service-1-1001.pftrace');

  await page.route(`**/api/perfetto/${uuid(1)}/generate`, (route) =>
    route.fulfill({ body: `${JSON.stringify({ type: 'error', message: 'a file is missing' })}\n` }),
  );
  await page.getByRole('button', { name: 'Generate' }).click();
  await expect(jobs.first()).toContainText('Failed: a file is missing. Nothing was saved.');
  expect(await written()).toEqual(['aborted']);
});

test('a disk that is full is not taken for a fault of the server', async ({ page }) => {
  await serveTrace(page);
  await page.addInitScript(() => {
    Object.assign(window, {
      showSaveFilePicker: async () => ({
        createWritable: async () => ({
          write: async () => {
            throw new DOMException('no room', 'QuotaExceededError');
          },
          close: async () => {},
          abort: async () => {},
        }),
      }),
    });
  });
  await page.goto(`/processes/${uuid(1)}?tab=trace`);
  await page.getByRole('button', { name: 'Generate' }).click();
  const job = page.getByRole('list', { name: 'Traces' }).getByRole('listitem').first();
  await expect(job).toContainText('Failed: it could not be written: no room');
});

test('a window that does not open cancels its trace', async ({ page }) => {
  await serveTrace(page);
  await page.route(`**/api/perfetto/${uuid(1)}/generate`, () => new Promise(() => {}));
  await page.addInitScript(() => {
    window.open = () => null;
  });
  await page.goto(`/processes/${uuid(1)}?tab=trace`);
  await page.getByRole('button', { name: 'Open in Perfetto' }).click();
  await expect(page.getByText('The browser did not open a window')).toBeVisible();
  await expect(page.getByRole('list', { name: 'Traces' }).getByRole('listitem')).toContainText('Cancelled');
});

test('checks traces from files, and compares them', async ({ page }) => {
  await serveTrace(page);
  const figures = { tracks: 3, open_slices: 0, instants: 4, counters: 5, flows: 6, flows_unchecked: 0 };
  await page.route('**/api/perfetto/validate', async (route) => {
    const body = route.request().postDataBuffer()?.toString() ?? '';
    if (body === 'no trace') {
      const error = {
        type: 'invalid_request',
        message: 'these bytes are no Perfetto trace',
        details: 'at byte 3',
      };
      return route.fulfill({ status: 400, json: { error } });
    }
    const slices = body.length;
    const errors = body === 'broken' ? ['slice 7 ends before <b>it</b> begins'] : [];
    return route.fulfill({
      json: {
        ...figures,
        packets: 2 * slices,
        slices,
        errors,
        error_count: errors.length * 3,
        is_valid: errors.length === 0,
      },
    });
  });
  await page.goto(`/processes/${uuid(1)}?tab=trace`);
  const part = page.getByRole('region', { name: 'Check traces' });
  const chooser = part.getByLabel('Choose files, or drop them here');
  const file = (name: string, text: string) => ({
    name,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(text),
  });
  await chooser.setInputFiles([
    file('before.pftrace', 'a'.repeat(1_000)),
    file('after.pftrace', 'a'.repeat(1_250)),
  ]);
  const row = (name: string) =>
    part.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  await expect(row('Result').getByRole('cell')).toHaveText(['Nothing is wrong', 'Nothing is wrong']);
  await expect(row('Slices').getByRole('cell')).toHaveText(['1,000', '1,250+250']);
  await expect(row('Tracks').getByRole('cell')).toHaveText(['3', '3same']);
  await expectAccessible(page);
  await part.getByRole('button', { name: 'Take off before.pftrace' }).click();
  await chooser.setInputFiles([file('broken.pftrace', 'broken'), file('text.txt', 'no trace')]);
  await expect(row('Result').getByRole('cell')).toHaveText([
    'Nothing is wrong',
    'Not valid',
    'these bytes are no Perfetto traceat byte 3',
  ]);
  await expect(part).toContainText('slice 7 ends before <b>it</b> begins');
  await expect(part).toContainText('and 2 more');
});

/** Answers for the traces of all processes; says of which it was asked, in order. */
async function serveTraces(page: Page): Promise<string[]> {
  const asked: string[] = [];
  await page.route('**/api/perfetto/*/generate', async (route) => {
    const id = new URL(route.request().url()).pathname.split('/')[3]!;
    asked.push(id);
    const counts = { thread: '1', async: '0', open: '0', events: '0', links: '0', logs: '0', metrics: '0' };
    const plan = { process_id: id, counts, packets: '2', estimated_bytes: '10', estimated_seconds: 0.1 };
    const lines = [{ type: 'plan', ...plan }, { type: 'binary_start' }].map(
      (line) => `${JSON.stringify(line)}\n`,
    );
    await route.fulfill({ body: `${lines.join('')}trace of ${id}`, contentType: 'application/octet-stream' });
  });
  return asked;
}

test('makes traces of several processes, into a folder', async ({ page }) => {
  await serve(page);
  const asked = await serveTraces(page);
  // The dialog that no test can answer.
  await page.addInitScript(() => {
    const written: Record<string, string> = {};
    Object.assign(window, {
      written,
      showDirectoryPicker: async () => ({
        getFileHandle: async (name: string) => ({
          createWritable: async () => ({
            write: async (bytes: Uint8Array) => {
              written[name] = (written[name] ?? '') + new TextDecoder().decode(bytes);
            },
            close: async () => {
              written[name] += ', whole';
            },
            abort: async () => {},
          }),
        }),
      }),
    });
  });
  await page.goto('/processes');
  for (const number of [1, 3]) await rows(page).nth(number).getByRole('checkbox').check();
  const chosen = page.getByRole('region', { name: 'Chosen processes' });
  await expect(chosen).toContainText('2 processes chosen');
  await expectAccessible(page);
  await chosen.getByRole('button', { name: 'Generate 2 traces' }).click();
  await expect(chosen).toBeHidden();
  await page.getByRole('button', { name: '2 traces' }).click();
  const list = page.getByRole('list', { name: 'Traces' });
  await expect(list.getByRole('listitem', { name: 'service-3-1003.pftrace' })).toContainText('Done');
  await expect(list.getByRole('listitem', { name: 'service-1-1001.pftrace' })).toContainText('Done');
  expect(asked).toEqual([uuid(1), uuid(3)]);
  expect(await page.evaluate(() => (window as unknown as { written: object }).written)).toEqual({
    'service-1-1001.pftrace': `trace of ${uuid(1)}, whole`,
    'service-3-1003.pftrace': `trace of ${uuid(3)}, whole`,
  });
});

test('makes traces of several processes, as downloads', async ({ page }) => {
  await serve(page);
  await serveTraces(page);
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showDirectoryPicker'));
  const names: string[] = [];
  page.on('download', (download) => names.push(download.suggestedFilename()));
  await page.goto('/processes');
  await page.getByRole('checkbox', { name: 'Choose all that are loaded' }).check();
  const chosen = page.getByRole('region', { name: 'Chosen processes' });
  await expect(chosen).toContainText('100 processes chosen');
  await chosen.getByRole('button', { name: 'Choose none' }).click();
  await expect(chosen).toBeHidden();
  for (const number of [0, 2]) await rows(page).nth(number).getByRole('checkbox').check();
  await chosen.getByRole('button', { name: 'Generate 2 traces' }).click();
  await expect.poll(() => names).toEqual(['service-0-1000.pftrace', 'service-2-1002.pftrace']);
});
