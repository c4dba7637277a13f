import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** The server that `npm run dev` passes API calls to; `npm run mock` listens on this one. */
const backend = process.env.GLASSHOUSE_URL ?? 'http://127.0.0.1:9091';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    port: 5173,
    proxy: { '/api': backend, '/v1': backend, '/health': backend },
  },
  build: {
    target: 'es2022',
    // Everything stays a file of its own: the Content-Security-Policy allows no data: scripts or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node' },
});
