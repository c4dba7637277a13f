import type { Zone } from '@/base/times';
import { oneOf, stored, useStored } from './stored';

export type Theme = 'system' | 'light' | 'dark';

const theme = stored<Theme>('theme', 'system', oneOf('system', 'light', 'dark'));
const zone = stored<Zone>('zone', 'local', oneOf('utc', 'local'));
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

/** Puts the theme on the page, now and whenever the choice or the system's theme changes. */
function applyTheme() {
  const choice = theme.get();
  const dark = choice === 'dark' || (choice === 'system' && systemIsDark.matches);
  document.documentElement.classList.toggle('dark', dark);
  for (const listener of listeners) listener();
}
theme.subscribe(applyTheme);
systemIsDark.addEventListener('change', applyTheme);

export function useTheme() {
  return useStored(theme);
}

/** Calls back when the colours on the page have changed: canvases draw again. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function isDark(): boolean {
  return document.documentElement.classList.contains('dark');
}

/** Switches between light and dark, whatever the system says. */
export function toggleTheme() {
  theme.set(isDark() ? 'light' : 'dark');
}

/** The clock that times are shown in. */
export function useZone() {
  return useStored(zone);
}
