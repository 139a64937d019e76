import { expect, test } from 'vitest';
import { formatVerdicts, judgeMemory } from './soak-report.ts';

const limits = { memoryMaxMb: 320, growthMax: 0.1 };
const mb = 2 ** 20;

function series(...megabytes: number[]) {
  return { process: 'api', bytes: megabytes.map((value) => value * mb) };
}

test('what is taken while warming up is no growth', () => {
  expect(judgeMemory(series(50, 200, 205, 204, 210), limits)).toEqual({
    process: 'api',
    earlyMb: 200,
    lateMb: 210,
    mostMb: 210,
    growth: expect.closeTo(0.05) as unknown,
    isWithinLimits: true,
  });
});

test.each([
  ['grows by more than it may', [200, 200, 200, 200, 221]],
  ['takes more than it may, once', [200, 200, 321, 200, 200]],
])('one that %s fails', (_, megabytes) => {
  const verdict = judgeMemory(series(...megabytes), limits);
  expect(verdict.isWithinLimits).toBe(false);
  expect(formatVerdicts([verdict])).toMatch(/^api .* FAIL$/m);
});

test('too few readings are no verdict', () => {
  expect(() => judgeMemory(series(1, 2, 3, 4), limits)).toThrow(/too few/);
});
