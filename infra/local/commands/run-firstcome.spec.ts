import { expect, it } from 'vitest';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { parseCounts } from './run-firstcome.ts';

it('takes how many of each process, and one where nothing is said', () => {
  expect(parseCounts([], 'usage')).toEqual({ api: 1, issuer: 1, keeper: 1 });
  expect(parseCounts(['--api=2', '--issuers', '16', '--keepers', '0'], 'usage')).toEqual({
    api: 2,
    issuer: 16,
    keeper: 0,
  });
});

it.each(['', '1e1', '0x2', '+2', ' 2', '2 ', '1.0', '-1', '17', '0b1', '１'])(
  'refuses %j of a process',
  (count) => {
    expect(() => parseCounts(['--issuers', count], 'usage')).toThrow(
      expect.objectContaining({
        message: '--issuers takes a whole number from 0 to 16.',
        exitCode: exitCodes.wrongUse,
      }),
    );
  },
);

it('refuses what it does not know', () => {
  expect(() => parseCounts(['--workers', '1'], 'usage')).toThrow('--workers');
});
