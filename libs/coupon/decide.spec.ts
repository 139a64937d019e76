import { describe, expect, test } from 'vitest';
import { aRequest } from '../../test/harness/fixtures.ts';
import type { Decision, LedgerView } from './decide.ts';
import { decide, holderKey } from './decide.ts';
import type { IssuanceRequest } from './issuance-request.ts';

const now = 2_000;

function viewOf(
  given: Partial<LedgerView> & { total?: number; issuedBefore?: number },
): LedgerView {
  const { total = 10, issuedBefore = 0, ...rest } = given;
  return {
    coupons: new Map([[1, { total, issued: issuedBefore, appliedEpoch: 1 }]]),
    issued: new Map(),
    refused: new Map(),
    recordedFor: new Map(),
    ...rest,
  };
}

function outcomes(decisions: Decision[]): string[] {
  return decisions.map(({ status, reason }) => reason ?? status);
}

function decideAll(requests: IssuanceRequest[], view = viewOf({})): string[] {
  return outcomes(decide(requests, view, now).decisions);
}

describe('a request decided for the first time', () => {
  test('is issued, and told apart as new', () => {
    const request = aRequest();
    expect(decide([request], viewOf({}), now).decisions).toEqual([
      { request, status: 'ISSUED', decidedAt: now, isNew: true },
    ]);
  });

  test('is a duplicate when its user has one already, in the ledger or earlier in the chunk', () => {
    const issued = new Map([[holderKey(1, 'ann'), { issuanceId: 'another', decidedAt: 1 }]]);
    expect(decideAll([aRequest()], viewOf({ issued }))).toEqual(['DUPLICATE']);
    expect(decideAll([aRequest(), aRequest()])).toEqual(['ISSUED', 'DUPLICATE']);
  });

  test('finds the coupon sold out once issued = total, counting the chunk itself', () => {
    const requests = ['ann', 'bob', 'eve'].map((userId) => aRequest({ userId }));
    const view = viewOf({ total: 5, issuedBefore: 3 });
    expect(decideAll(requests, view)).toEqual(['ISSUED', 'ISSUED', 'SOLD_OUT']);
  });

  test('is void when its epoch is older than the last applied marker, and only then', () => {
    const coupons = new Map([[1, { total: 10, issued: 0, appliedEpoch: 3 }]]);
    const requests = [2, 3, 4].map((epoch) => aRequest({ epoch, userId: `user ${epoch}` }));
    expect(decideAll(requests, viewOf({ coupons }))).toEqual(['VOID', 'ISSUED', 'ISSUED']);
  });

  test('is refused when there is no such coupon', () => {
    expect(decideAll([aRequest({ couponId: 7 })])).toEqual(['UNKNOWN_COUPON']);
  });

  test('takes nothing from the stock when it is refused', () => {
    const requests = [
      aRequest({ userId: 'ann' }),
      aRequest({ userId: 'ann' }),
      aRequest({ userId: 'bob', epoch: 0 }),
      aRequest({ userId: 'eve' }),
    ];
    const view = viewOf({ total: 2 });
    expect(decideAll(requests, view)).toEqual(['ISSUED', 'DUPLICATE', 'VOID', 'ISSUED']);
  });
});

describe('the order of the log', () => {
  test('gives the last unit to whoever stands first in the chunk', () => {
    const [ann, bob] = [aRequest({ userId: 'ann' }), aRequest({ userId: 'bob' })];
    const view = viewOf({ total: 1 });
    expect(decideAll([ann, bob], view)).toEqual(['ISSUED', 'SOLD_OUT']);
    expect(decideAll([bob, ann], view)).toEqual(['ISSUED', 'SOLD_OUT']);
    expect(decide([bob, ann], view, now).decisions[0]?.request).toBe(bob);
  });

  test('counts each coupon by itself, and lets a user have one of each', () => {
    const coupons = new Map([1, 2].map((id) => [id, { total: 1, issued: 0, appliedEpoch: 1 }]));
    const requests = [1, 2, 1, 2].map((couponId, i) =>
      aRequest({ couponId, userId: i < 2 ? 'ann' : 'bob' }),
    );
    expect(decideAll(requests, viewOf({ coupons }))).toEqual([
      'ISSUED',
      'ISSUED',
      'SOLD_OUT',
      'SOLD_OUT',
    ]);
  });

  test('never takes two users for one, however their ids are written', () => {
    const names = ['User1', 'user1', 'user1 ', '1 user', 'é', 'e\u0301', 'e', '🎟', '🎉'];
    const requests = names.map((userId) => aRequest({ userId }));
    expect(new Set(decideAll(requests))).toEqual(new Set(['ISSUED']));
    expect(holderKey(1, '1 a')).not.toBe(holderKey(11, ' a'));
  });
});

describe('a request delivered again', () => {
  test('keeps the unit it was issued, with the time of then, although nothing is left', () => {
    const request = aRequest();
    const issued = new Map([
      [holderKey(1, 'ann'), { issuanceId: request.issuanceId, decidedAt: 5 }],
    ]);
    const view = viewOf({ issued, total: 1, issuedBefore: 1 });
    expect(decide([request], view, now).decisions).toEqual([
      { request, status: 'ISSUED', decidedAt: 5, isNew: false },
    ]);
  });

  test('keeps the unit it was issued behind a marker that would make it void', () => {
    const request = aRequest();
    const issued = new Map([
      [holderKey(1, 'ann'), { issuanceId: request.issuanceId, decidedAt: 5 }],
    ]);
    const coupons = new Map([[1, { total: 10, issued: 1, appliedEpoch: 9 }]]);
    expect(decideAll([request], viewOf({ issued, coupons }))).toEqual(['ISSUED']);
  });

  test.each(['DUPLICATE', 'SOLD_OUT', 'VOID', 'UNKNOWN_COUPON'] as const)(
    'stays refused as %s although there is stock for it by now',
    (reason) => {
      const request = aRequest();
      const refused = new Map([[request.issuanceId, { reason, decidedAt: 5 }]]);
      expect(decide([request], viewOf({ refused, total: 1_000 }), now).decisions).toEqual([
        { request, status: 'REFUSED', reason, decidedAt: 5, isNew: false },
      ]);
    },
  );

  test('in the same chunk gets the same decision and takes no second unit', () => {
    const request = aRequest();
    const { decisions } = decide([request, request], viewOf({ total: 2 }), now);
    expect(outcomes(decisions)).toEqual(['ISSUED', 'ISSUED']);
    expect(decisions.map(({ isNew }) => isNew)).toEqual([true, false]);
  });

  test('in the same chunk stays refused, and is recorded once', () => {
    const request = aRequest();
    const { decisions } = decide([request, request], viewOf({ total: 0 }), now);
    expect(outcomes(decisions)).toEqual(['SOLD_OUT', 'SOLD_OUT']);
    expect(decisions.map(({ isNew }) => isNew)).toEqual([true, false]);
  });
});

describe('a request under the id of another request', () => {
  const recorded = aRequest({ userId: 'ann' });
  const id = recorded.issuanceId;
  const recordedFor = new Map([[id, holderKey(1, 'ann')]]);
  const others = [
    ['another user', aRequest({ issuanceId: id, userId: 'bob' })],
    ['another user by case', aRequest({ issuanceId: id, userId: 'Ann' })],
    ['another coupon', aRequest({ issuanceId: id, couponId: 2 })],
  ] as const;

  test.each(others)('is set apart when the ledger has the id for %s', (_name, request) => {
    for (const coupons of [new Map(), viewOf({}).coupons]) {
      const chunk = decide([request], viewOf({ recordedFor, coupons }), now);
      expect(chunk).toEqual({ decisions: [], conflicting: [request] });
    }
  });

  test.each(others)('is set apart when one for %s stands before it', (_name, request) => {
    const chunk = decide([recorded, request, recorded], viewOf({}), now);
    expect(outcomes(chunk.decisions)).toEqual(['ISSUED', 'ISSUED']);
    expect(chunk.conflicting).toEqual([request]);
  });

  test('is set apart also when that one was refused, and changes nothing of it', () => {
    const bob = aRequest({ issuanceId: id, userId: 'bob' });
    const chunk = decide([recorded, bob, recorded], viewOf({ total: 0 }), now);
    expect(outcomes(chunk.decisions)).toEqual(['SOLD_OUT', 'SOLD_OUT']);
    expect(chunk.conflicting).toEqual([bob]);
  });

  test('takes no unit, and none of its neighbours with it', () => {
    const requests = [
      recorded,
      aRequest({ issuanceId: id, userId: 'bob' }),
      aRequest({ userId: 'bob' }),
    ];
    expect(decideAll(requests, viewOf({ total: 2 }))).toEqual(['ISSUED', 'ISSUED']);
  });
});

test('changes nothing of the view it is given', () => {
  const view = viewOf({ total: 1 });
  decide([aRequest(), aRequest({ userId: 'bob' })], view, now);
  expect(view).toEqual(viewOf({ total: 1 }));
});
