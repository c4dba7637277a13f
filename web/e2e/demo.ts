import { test } from '@playwright/test';

/** Tests of a file are of a server that began empty and has received some thousand visits of the demo shop. */
export function onDemoData() {
  test.skip(process.env.DEMO_URL === undefined, 'DEMO_URL names no running server');
  test.use({ viewport: { width: 1400, height: 800 }, baseURL: process.env.DEMO_URL ?? '' });
}
