import { expect, it } from 'vitest';
import { matching, typedCommands } from './commands';

const labels = (typed: string) => typedCommands(typed).map(({ label, target }) => `${label} → ${target.to}`);

it('offers nothing for nothing', () => {
  expect(labels('  ')).toEqual([]);
});

it('offers searches for words', () => {
  expect(labels(' declined ')).toEqual([
    'Search traces for “declined” → /traces',
    'Search logs for “declined” → /logs',
    'Search processes for “declined” → /processes',
  ]);
});

it('opens what an id is of, that as which it is written first', () => {
  const [trace, process] = labels('0F3B4E6A1C2D4E5F8A9B0C1D2E3F4A5B');
  expect(trace).toBe(
    'Open trace 0f3b4e6a1c2d4e5f8a9b0c1d2e3f4a5b → /traces/0f3b4e6a1c2d4e5f8a9b0c1d2e3f4a5b',
  );
  expect(process).toBe(
    'Open process 0f3b4e6a-1c2d-4e5f-8a9b-0c1d2e3f4a5b → /processes/0f3b4e6a-1c2d-4e5f-8a9b-0c1d2e3f4a5b',
  );
  expect(labels('0f3b4e6a-1c2d-4e5f-8a9b-0c1d2e3f4a5b')[0]).toBe(process);
});

it('finds commands by words in any order, each once', () => {
  const commands = ['Go to Traces', 'Trace: Critical path', 'Trace: Critical path', 'Service tracer'].map(
    (label) => ({
      label,
    }),
  );
  const found = (typed: string) => matching(commands, typed).map(({ label }) => label);
  expect(found('trace')).toEqual(['Go to Traces', 'Trace: Critical path', 'Service tracer']);
  expect(found('path crit')).toEqual(['Trace: Critical path']);
  expect(found('race')).toEqual(['Go to Traces', 'Trace: Critical path', 'Service tracer']);
  expect(found('')).toHaveLength(3);
});
