import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aRequest, anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';

const here = new TestLedger();
const { issuances } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

describe('findStatuses', () => {
  test('tells of what was issued: to whom and when', async () => {
    const { id } = await here.createCoupon();
    const request = aRequest({ couponId: id, userId: 'Zoë' });
    const [decision] = (await issuances.decideChunk([request])).decisions;
    expect((await issuances.findStatuses([request.issuanceId]))[0]).toEqual({
      status: 'ISSUED',
      issuanceId: request.issuanceId,
      couponId: id,
      userId: 'Zoë',
      decidedAt: decision!.decidedAt,
    });
  });

  test('tells of what was refused: why and when', async () => {
    const { id } = await here.createCoupon({ total: 0 });
    const request = aRequest({ couponId: id });
    const [decision] = (await issuances.decideChunk([request])).decisions;
    expect((await issuances.findStatuses([request.issuanceId]))[0]).toEqual({
      status: 'REFUSED',
      issuanceId: request.issuanceId,
      couponId: id,
      userId: 'ann',
      reason: 'SOLD_OUT',
      decidedAt: decision!.decidedAt,
    });
  });

  test('answers each of those who ask about the same one at once, issued or refused', async () => {
    const { id } = await here.createCoupon({ total: 1 });
    const requests = ['ann', 'bob'].map((userId) => aRequest({ couponId: id, userId }));
    await issuances.decideChunk(requests);
    const statusesOf = async (...ids: string[]): Promise<(string | undefined)[]> =>
      (await issuances.findStatuses(ids)).map((one) => one?.status);
    const [won, lost] = requests.map(({ issuanceId }) => issuanceId) as [string, string];
    expect(await statusesOf(won, won)).toEqual(['ISSUED', 'ISSUED']);
    expect(await statusesOf(lost, lost)).toEqual(['REFUSED', 'REFUSED']);
    expect(await statusesOf(won, lost, won)).toEqual(['ISSUED', 'REFUSED', 'ISSUED']);
    expect(await statusesOf()).toEqual([]);
  });

  test('knows nothing of an id that nobody decided', async () => {
    expect((await issuances.findStatuses([anIssuanceId()]))[0]).toBeUndefined();
  });
});

describe('listByUser', () => {
  test('pages through the coupons of a user, oldest first, and of nobody else', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      const { id } = await here.createCoupon();
      const issuanceId = anIssuanceId(1_764_000_000_000 + i);
      const another = aRequest({ couponId: id, userId: 'Pager' });
      const request = aRequest({ couponId: id, userId: 'pager', issuanceId });
      await issuances.decideChunk([another, request]);
      ids.push(issuanceId);
    }
    const idsOfPage = async (after?: string): Promise<string[]> =>
      (await issuances.listByUser('pager', 2, after)).map((one) => one.issuanceId);
    expect(await idsOfPage()).toEqual(ids.slice(0, 2));
    expect(await idsOfPage(ids[1])).toEqual(ids.slice(2, 4));
    expect(await idsOfPage(ids[3])).toEqual(ids.slice(4));
    expect(await idsOfPage(ids[4])).toEqual([]);
  });

  test('lists nothing for who has nothing', async () => {
    expect(await issuances.listByUser('nobody', 10)).toEqual([]);
  });
});

describe('holders', () => {
  test.each([0, 1, 500, 501, 1_203])('finds every one of %d, in slices of 500', async (count) => {
    const { id } = await here.createCoupon({ total: 2_000 });
    const expected = new Map<string, string>();
    for (let from = 0; from < count; from += 500) {
      const requests = userIds(Math.min(500, count - from), `u${from}`).map((userId) =>
        aRequest({ couponId: id, userId }),
      );
      await issuances.decideChunk(requests);
      requests.forEach((request) => expected.set(request.userId, request.issuanceId));
    }
    const found = new Map<string, string>();
    for await (const slice of issuances.holders(id)) {
      expect(slice.length).toBeGreaterThan(0);
      expect(slice.length).toBeLessThanOrEqual(500);
      slice.forEach(({ userId, issuanceId }) => {
        expect(found.has(userId)).toBe(false);
        found.set(userId, issuanceId);
      });
    }
    expect(found).toEqual(expected);
  });
});

describe('issuedTo', () => {
  test('tells which of these users have this coupon, byte for byte', async () => {
    const { id } = await here.createCoupon();
    const { id: otherId } = await here.createCoupon();
    await issuances.decideChunk([
      aRequest({ couponId: id, userId: 'ann' }),
      aRequest({ couponId: otherId, userId: 'bob' }),
    ]);
    expect(await issuances.issuedTo(id, ['ann', 'Ann', 'ann ', 'bob'])).toEqual(new Set(['ann']));
    expect(await issuances.issuedTo(id, [])).toEqual(new Set());
  });
});
