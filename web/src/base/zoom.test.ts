import { expect, it } from 'vitest';
import { clampZoom, formatOffset, panBy, wholeOf, zoomAround, zoomFromText, zoomText, zoomTo } from './zoom';

it('stays within the trace', () => {
  expect(clampZoom({ from: -50, to: 50 }, 1_000)).toEqual({ from: 0, to: 100 });
  expect(clampZoom({ from: 950, to: 1_050 }, 1_000)).toEqual({ from: 900, to: 1_000 });
  expect(clampZoom({ from: 0, to: 5_000 }, 1_000)).toEqual({ from: 0, to: 1_000 });
  expect(clampZoom({ from: 500, to: 501 }, 1_000)).toEqual({ from: 500, to: 510 });
  expect(clampZoom({ from: 0, to: 1 }, 1)).toEqual({ from: 0, to: 1 });
  expect(panBy({ from: 100, to: 200 }, 900, 1_000)).toEqual({ from: 900, to: 1_000 });
});

it('keeps the place under the pointer', () => {
  expect(zoomAround({ from: 0, to: 1_000 }, 250, 0.5, 1_000)).toEqual({ from: 125, to: 625 });
  expect(zoomAround({ from: 125, to: 625 }, 250, 2, 1_000)).toEqual({ from: 0, to: 1_000 });
});

it('shows a span with some air', () => {
  expect(zoomTo(500, 600, 1_000)).toEqual({ from: 492, to: 608 });
});

it('is kept by links', () => {
  expect(zoomText({ from: 0, to: 1_000 }, 1_000)).toBeUndefined();
  expect(zoomText({ from: 12.4, to: 99.6 }, 1_000)).toBe('12-100');
  expect(zoomFromText('12-100', 1_000)).toEqual({ from: 12, to: 100 });
  for (const text of [undefined, '', 'x', '100-12', '12']) {
    expect(zoomFromText(text, 1_000)).toEqual({ from: 0, to: 1_000 });
  }
});

it.each([
  [0, 100, '0 ns'],
  [500, 100, '500 ns'],
  [1_500_000, 500_000, '1.5 ms'],
  [2_000_000, 500_000, '2.0 ms'],
  [1_234_500_000, 100_000, '1.2345 s'],
  [20e9, 5e9, '20 s'],
])('offset %s with step %s reads %s', (offset, step, expected) => {
  expect(formatOffset(offset, step)).toBe(expected);
});

it('stays a number however long the whole is', () => {
  const length = 1.79e18;
  let zoom = wholeOf(length);
  for (let times = 0; times < 100; times++) zoom = zoomAround(zoom, (zoom.from + zoom.to) / 2, 0.5, length);
  expect(zoom.to - zoom.from).toBeGreaterThan(0);
  expect(zoomAround(zoom, zoom.from, 2, length).to).toBeGreaterThan(zoom.from);
});
