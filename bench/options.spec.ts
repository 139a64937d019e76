import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

test('takes five rounds of five seconds at 64 and 256 connections when nothing is given', () => {
  const options = parseOptions([], new Date('2026-11-22T07:08:09.123Z'));
  expect(options).toMatchObject({ rounds: 5, seconds: 5, connections: [64, 256] });
  expect(options.floor).toBeUndefined();
  expect(options.jsonFile).toMatch(/\.local\/bench\/2026-11-22T07-08-09\.json$/);
});

test('takes what is given; connection counts come in order, each once', () => {
  const args = ['--rounds', '1', '--seconds=2', '--connections', '8,4,8', '--json', 'x.json'];
  expect(parseOptions([...args, '--floor', '0.5'])).toEqual({
    rounds: 1,
    seconds: 2,
    connections: [4, 8],
    jsonFile: 'x.json',
    floor: 0.5,
  });
});

test.each([
  ['--rounds', '0'],
  ['--seconds', '1.5'],
  ['--connections', '64,'],
  ['--connections', '5000'],
  ['--floor', '-1'],
  ['--floor', 'half'],
  ['--unknown', '1'],
])('refuses %s %s with the usage', (name, value) => {
  expect(() => parseOptions([name, value])).toThrow(/npm run bench/);
});
