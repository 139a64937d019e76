import { expect, test } from 'vitest';
import type { ChaosResult } from './chaos-result.ts';
import { formatResult } from './chaos-result.ts';

const counts = {
  requests: 1_000,
  accepted: 700,
  replayed: 100,
  refused: 200,
  sentAway: 90,
  unanswered: 10,
  unexpected: 0,
  gaveUp: 0,
};
const fault = { kind: 'broker frozen', which: 0, seconds: 5, restMs: 0 } as const;

test('tells the longest of each kind, and what was left out and why', () => {
  const text = formatResult(
    aResult({
      faults: [
        { ...fault, unavailableMs: 5_000, recoveredMs: 100 },
        { ...fault, unavailableMs: 3_000, recoveredMs: 700 },
      ],
      leftOut: { 'MySQL killed': 'mysql is not a process that was started here' },
    }),
  );
  expect(text).toMatch(/^broker frozen +2 +5\.0 s +0\.7 s$/m);
  expect(text).toContain('left out: MySQL killed (mysql is not');
  expect(text).toMatch(/^acknowledged \(200\) +700$/m);
});

test('calls unknown what a run that was interrupted did not find out', () => {
  const text = formatResult(aResult({ failures: ['interrupted'] }));
  expect(text).toMatch(/^lost +unknown$/m);
  expect(text).toContain('FAIL  interrupted');
});

function aResult(given: Partial<ChaosResult>): ChaosResult {
  return { seed: 1, faults: [], leftOut: {}, counts, failures: [], ...given };
}
