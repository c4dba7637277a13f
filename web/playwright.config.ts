import { defineConfig } from '@playwright/test';

/** The system's Chromium; the flags keep it from calling out. */
const chromium = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** What is tried with the demo shop's data. */
const DEMO = ['explore.spec.ts', 'oncall.spec.ts', 'sql.spec.ts', 'views.spec.ts'];
const MOCK = 'http://127.0.0.1:9092';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  forbidOnly: process.env.CI !== undefined,
  workers: 1,
  timeout: 240_000,
  expect: { timeout: Number(process.env.PATIENCE ?? 45_000) },
  use: {
    baseURL: process.env.BASE_URL ?? MOCK,
    launchOptions: chromium,
    viewport: { width: 1440, height: 900 },
    timezoneId: 'Europe/Berlin',
    permissions: ['clipboard-read', 'clipboard-write'],
    screenshot: 'only-on-failure',
  },
  projects: [
    // Against the built app and made-up data: `npm run build` first.
    { name: 'mock', testIgnore: ['backbone.spec.ts', ...DEMO], use: { baseURL: MOCK } },
    // Against a running server that has received spans: BASE_URL says where it is.
    { name: 'backbone', testMatch: 'backbone.spec.ts' },
    // Against a running server that has received visits of the demo shop: DEMO_URL says where it is.
    { name: 'demo', testMatch: DEMO },
  ],
  webServer: {
    command: 'node mock/server.mjs --dist --port=9092',
    url: `${MOCK}/api/services`,
    reuseExistingServer: process.env.CI === undefined,
    stdout: 'ignore',
  },
});
