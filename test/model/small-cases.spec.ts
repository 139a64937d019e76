import { expect, test } from 'vitest';
import { runAll } from './search/all-schedules.ts';
import { describeFinding } from './search/finding.ts';
import { smallCases } from './small-cases.ts';

test.each(Object.entries(smallCases))(
  'no invariant breaks in any schedule in which %s',
  { timeout: 600_000 },
  (_, scenario) => {
    const { finding, states } = runAll(scenario);
    expect(finding, finding === null ? '' : describeFinding(finding)).toBeNull();
    expect(states).toBeGreaterThan(500);
  },
);
