import { expect, test } from 'vitest';
import { parseSoakOptions } from './soak-options.ts';

test('takes ten minutes at a thousand assigns a second, and the documented limits', () => {
  expect(parseSoakOptions([], new Date('2026-11-22T07:08:09.123Z'))).toEqual({
    minutes: 10,
    rate: 1_000,
    memoryMaxMb: 320,
    growthMax: 0.1,
    jsonFile: expect.stringMatching(/\.local\/bench\/soak-2026-11-22T07-08-09\.json$/) as unknown,
  });
});

test('takes what is given', () => {
  const args = ['--minutes', '0.5', '--rate=200', '--memory-max', '300', '--growth-max', '.2'];
  expect(parseSoakOptions([...args, '--json', 'x.json'])).toEqual({
    minutes: 0.5,
    rate: 200,
    memoryMaxMb: 300,
    growthMax: 0.2,
    jsonFile: 'x.json',
  });
});

test.each([
  ['--minutes', '0'],
  ['--rate', 'fast'],
  ['--growth-max', '-1'],
  ['--unknown', '1'],
])('refuses %s %s with the usage', (name, value) => {
  expect(() => parseSoakOptions([name, value])).toThrow(/npm run soak/);
});
