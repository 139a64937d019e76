import { describe, expect, test } from 'vitest';
import type { IssuanceStatus } from './issuance-states.ts';
import {
  issuanceStatuses,
  issuanceTransitions,
  isFinal,
  mayFollow,
  statusOfIssued,
} from './issuance-states.ts';

function allAfter(status: IssuanceStatus): Set<IssuanceStatus> {
  const reached = new Set<IssuanceStatus>(issuanceTransitions[status]);
  reached.forEach((one) => issuanceTransitions[one].forEach((next) => reached.add(next)));
  return reached;
}

test('everything follows ACCEPTED, and nothing comes back to it', () => {
  expect([...allAfter('ACCEPTED')].toSorted()).toEqual(
    issuanceStatuses.filter((status) => status !== 'ACCEPTED').toSorted(),
  );
});

test('what was told to be final has nothing after it, and all else comes to an end', () => {
  expect(issuanceStatuses.filter(isFinal)).toEqual(['REFUSED', 'REDEEMED']);
  for (const status of issuanceStatuses.filter((one) => !isFinal(one))) {
    expect([...allAfter(status)].some(isFinal), status).toBe(true);
  }
});

test('only what is issued, and not over, may be redeemed', () => {
  expect(issuanceStatuses.filter((status) => mayFollow(status, 'REDEEMED'))).toEqual(['ISSUED']);
});

describe('what was issued', () => {
  const now = 1_000;
  test.each([
    [null, null, 'ISSUED'],
    [null, now + 1, 'ISSUED'],
    [null, now, 'EXPIRED'],
    [null, now - 1, 'EXPIRED'],
    [now - 2, null, 'REDEEMED'],
    [now - 2, now - 1, 'REDEEMED'],
    [now, now + 1, 'REDEEMED'],
  ] as const)('redeemed at %o and valid until %o is %s', (redeemedAt, validUntil, status) => {
    expect(statusOfIssued({ redeemedAt, validUntil }, now)).toBe(status);
  });
});
