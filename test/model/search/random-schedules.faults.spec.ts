import { afterAll, expect, test } from 'vitest';
import { describeFinding } from './finding.ts';
import { search } from './random-schedules.ts';
import { anything } from '../scenarios.ts';

/*
 * 100 000 schedules; `npm run test:model -- --schedules N` runs more. The seeds are the same in every
 * run: what has passed once fails only when the protocol or the model was changed.
 */

const count = 10_000;
const ranges = Array.from({ length: 10 }, (_, i) => ({ first: i * count + 1, count }));
const ran = { schedules: 0, steps: 0, faults: 0, ms: 0 };

test.each(ranges)(
  'no invariant breaks in $count random schedules from seed $first on',
  { timeout: 600_000 },
  (range) => {
    const startedAt = performance.now();
    const { finding, schedules, steps, faults } = search(anything, range);
    ran.schedules += schedules;
    ran.steps += steps;
    ran.faults += faults;
    ran.ms += performance.now() - startedAt;
    expect(finding, finding === null ? '' : describeFinding(finding)).toBeNull();
  },
);

afterAll(() => {
  const { schedules, steps, faults, ms } = ran;
  process.stdout.write(
    `${schedules} random schedules, ${steps} steps, ${faults} faults, ${(ms / 1_000).toFixed(1)} s\n`,
  );
});
