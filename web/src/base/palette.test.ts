import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SERVICE_COLOURS, serviceColour } from './palette';

const styles = (name: string) => readFileSync(new URL(`../styles/${name}.css`, import.meta.url), 'utf8');

/** The custom properties of a theme. */
function variables(css: string, selector: string): Map<string, string> {
  const block = new RegExp(`^${selector.replace('.', '\\.')} \\{([^}]*)\\}`, 'm').exec(css)![1]!;
  return new Map(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]),
  );
}

/** Contrast of two colours as WCAG 2 defines it. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe.each([':root', '.dark'])('colours of %s', (theme) => {
  const tokens = variables(styles('tokens'), theme);
  const grounds = ['page', 'surface', 'raised', 'hover', 'selected'];

  it.each(['text', 'muted', 'faint', 'accent', 'error', 'warn', 'info', 'ok'])('%s is readable', (name) => {
    for (const ground of grounds) {
      expect(contrast(tokens.get(name)!, tokens.get(ground)!), `${name} on ${ground}`).toBeGreaterThanOrEqual(
        4.5,
      );
    }
  });

  it('text on the accent is readable', () => {
    expect(contrast(tokens.get('on-accent')!, tokens.get('accent')!)).toBeGreaterThanOrEqual(4.5);
    for (const name of ['error', 'warn', 'info']) {
      expect(contrast(tokens.get(name)!, tokens.get(`${name}-soft`)!), name).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('every service colour is seen', () => {
    const palette = variables(styles('palette'), theme);
    expect(palette.size).toBe(SERVICE_COLOURS + 2);
    for (let number = 0; number < SERVICE_COLOURS; number++) {
      const name = `service-${number}`;
      const colour = palette.get(name)!;
      const tone = number < SERVICE_COLOURS / 2 ? 'light' : 'dark';
      expect(contrast(palette.get(`on-service-${tone}`)!, colour), `text on ${name}`).toBeGreaterThanOrEqual(
        4.5,
      );
      for (const ground of grounds) {
        expect(contrast(colour, tokens.get(ground)!), `${name} on ${ground}`).toBeGreaterThanOrEqual(3);
      }
    }
  });
});

describe('serviceColour', () => {
  it('is the same for ever', () => {
    expect(['frontend', 'checkout', 'cart', ''].map(serviceColour)).toEqual([17, 11, 21, 1]);
  });

  it('spreads names over all colours', () => {
    const counts = new Array<number>(SERVICE_COLOURS).fill(0);
    for (let i = 0; i < 2_400; i++) counts[serviceColour(`service-${i}`)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(50);
  });
});
