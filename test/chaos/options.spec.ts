import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

test('takes ten minutes, 300 requests a second and a seed of the clock when nothing is given', () => {
  const options = parseOptions([], 1_764_000_000_000);
  const { seed } = options;
  expect(options).toMatchObject({ minutes: 10, requestsPerSecond: 300, seed: expect.any(Number) });
  expect(seed).not.toBe(parseOptions([], 1_764_000_000_001).seed);
  expect(options.jsonFile).toMatch(new RegExp(`\\.local/chaos/seed-${seed}\\.json$`));
});

test('takes what is given', () => {
  const args = ['--minutes', '1', '--seed=0', '--rate', '50', '--json', 'x.json'];
  expect(parseOptions(args)).toEqual({
    minutes: 1,
    seed: 0,
    requestsPerSecond: 50,
    jsonFile: 'x.json',
  });
});

test.each([
  ['--minutes', '0'],
  ['--seed', '-1'],
  ['--seed', '4294967296'],
  ['--rate', 'fast'],
  ['--unknown', '1'],
])('refuses %s %s with the usage', (name, value) => {
  expect(() => parseOptions([name, value])).toThrow(/npm run test:chaos/);
});
