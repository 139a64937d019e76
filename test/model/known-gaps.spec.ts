import { assert, expect, test } from 'vitest';
import { knownGaps } from './known-gaps.ts';
import { search } from './search/random-schedules.ts';

/** Fails when the gap is mended: then its entry goes. */
test.each(Object.entries(knownGaps))(
  'known gap: an invariant breaks when %s',
  (_, { breaks, scenario }) => {
    const isExpected = (violation: string): boolean => violation.startsWith(breaks);
    const { finding } = search(scenario, { first: 1, count: 3_000 }, isExpected);
    assert(finding !== null, 'nothing breaks any more: take it off the list of known gaps');
    expect(finding.violation).toMatch(breaks);
  },
);
