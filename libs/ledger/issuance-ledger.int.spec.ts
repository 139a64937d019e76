import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { aRequest, userIds } from '../../test/harness/fixtures.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import type { Decision } from '#coupon/decide.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';

const here = new TestLedger();
const { issuances } = here;

beforeAll(() => here.start());
afterAll(() => here.close());

function outcomes(decisions: Decision[]): string[] {
  return decisions.map(({ status, reason }) => reason ?? status);
}

async function decideAll(requests: IssuanceRequest[]): Promise<string[]> {
  return outcomes((await issuances.decideChunk(requests)).decisions);
}

/** What the coupon row says, and how many rows there are. */
async function counts(couponId: number): Promise<{ issued: number; rows: number }> {
  const [row] = await here.query<{ issued: number; row_count: number | string }>(
    `SELECT issued, (SELECT COUNT(*) FROM issuance WHERE coupon_id = coupon.id) AS row_count
     FROM coupon WHERE id = ?`,
    [couponId],
  );
  return { issued: row!.issued, rows: Number(row!.row_count) };
}

function requestsOf(couponId: number, users: string[]): IssuanceRequest[] {
  return users.map((userId) => aRequest({ couponId, userId }));
}

describe('decideChunk', () => {
  test('issues, and counts what it issued', async () => {
    const { id } = await here.createCoupon();
    const { decisions } = await issuances.decideChunk(requestsOf(id, userIds(3)));
    const [first] = decisions;
    expect(first).toMatchObject({ status: 'ISSUED', isNew: true });
    expect(first!.decidedAt).toBeCloseTo(Date.now(), -5);
    expect(await counts(id)).toEqual({ issued: 3, rows: 3 });
  });

  test('never gives one user two, in one chunk or in two', async () => {
    const { id } = await here.createCoupon();
    expect(await decideAll(requestsOf(id, ['ann', 'ann']))).toEqual(['ISSUED', 'DUPLICATE']);
    expect(await decideAll(requestsOf(id, ['ann', 'bob']))).toEqual(['DUPLICATE', 'ISSUED']);
    expect(await counts(id)).toEqual({ issued: 2, rows: 2 });
  });

  test('never issues more than the total', async () => {
    const { id } = await here.createCoupon({ total: 3 });
    expect(await decideAll(requestsOf(id, userIds(2, 'a')))).toEqual(['ISSUED', 'ISSUED']);
    expect(await decideAll(requestsOf(id, userIds(2, 'b')))).toEqual(['ISSUED', 'SOLD_OUT']);
    expect(await counts(id)).toEqual({ issued: 3, rows: 3 });
  });

  test('refuses as void what follows a marker in an older epoch', async () => {
    const { id } = await here.createCoupon();
    await issuances.applyMarker(marker({ [id]: 3 }));
    const requests = [2, 3].map((epoch) =>
      aRequest({ couponId: id, epoch, userId: `in ${epoch}` }),
    );
    expect(await decideAll(requests)).toEqual(['VOID', 'ISSUED']);
  });

  test('refuses a coupon that does not exist, and records it', async () => {
    const request = aRequest({ couponId: 999_999 });
    expect(await decideAll([request])).toEqual(['UNKNOWN_COUPON']);
    expect((await issuances.findStatuses([request.issuanceId]))[0]).toMatchObject({
      status: 'REFUSED',
      reason: 'UNKNOWN_COUPON',
      couponId: 999_999,
    });
  });

  test('delivered again gives the same decisions, with the time of then, and changes nothing', async () => {
    const { id, version } = await here.createCoupon({ total: 1 });
    const chunk = requestsOf(id, ['ann', 'ann', 'bob']);
    const { decisions: first } = await issuances.decideChunk(chunk);
    expect(outcomes(first)).toEqual(['ISSUED', 'DUPLICATE', 'SOLD_OUT']);
    await here.coupons.change(id, {
      action: 'set-total',
      total: 5,
      asRead: version,
      version: version + 1,
    });

    const again = await issuances.decideChunk(chunk);
    expect(again.decisions).toEqual(first.map((decision) => ({ ...decision, isNew: false })));
    expect(await counts(id)).toEqual({ issued: 1, rows: 1 });
  });

  test('refused once is refused for good, delivered again beside new ones when there are units again', async () => {
    const { id, version } = await here.createCoupon({ total: 1 });
    const [ann, bob, carl] = requestsOf(id, ['ann', 'bob', 'carl']) as [
      IssuanceRequest,
      IssuanceRequest,
      IssuanceRequest,
    ];
    expect(await decideAll([ann, bob])).toEqual(['ISSUED', 'SOLD_OUT']);
    await here.coupons.change(id, {
      action: 'set-total',
      total: 5,
      asRead: version,
      version: version + 1,
    });
    // Nothing else in the chunk was decided before: only bob's own refusal tells.
    expect(await decideAll([bob, carl])).toEqual(['SOLD_OUT', 'ISSUED']);
    expect(await decideAll([bob])).toEqual(['SOLD_OUT']);
    expect((await issuances.findStatuses([bob.issuanceId]))[0]).toMatchObject({
      status: 'REFUSED',
    });
    expect(await counts(id)).toEqual({ issued: 2, rows: 2 });
  });

  test('takes users for different whose ids differ by case, accent, emoji or a blank', async () => {
    const names = ['User1', 'user1', 'user1 ', 'é', 'e\u0301', 'e', '🎟', '🎉', '🎟'.repeat(64)];
    const { id } = await here.createCoupon();
    const requests = requestsOf(id, names);
    expect(await decideAll(requests)).toEqual(names.map(() => 'ISSUED'));
    expect(await decideAll(requestsOf(id, names))).toEqual(names.map(() => 'DUPLICATE'));
    for (const { issuanceId, userId } of requests) {
      expect((await issuances.findStatuses([issuanceId]))[0]).toMatchObject({ userId });
      expect((await issuances.listByUser(userId, 10)).map((one) => one.issuanceId)).toEqual([
        issuanceId,
      ]);
    }
  });

  test('takes 500 requests for many coupons at once, each coupon by its own count', async () => {
    const totals = [0, 10, 1_000];
    const coupons = await Promise.all(totals.map((total) => here.createCoupon({ total })));
    const requests = userIds(500).map((userId, i) =>
      aRequest({ couponId: coupons[i % 3]!.id, userId }),
    );
    const decided = await decideAll(requests);
    expect(decided.filter((outcome) => outcome === 'ISSUED')).toHaveLength(10 + 166);
    expect(await Promise.all(coupons.map(({ id }) => counts(id)))).toEqual([
      { issued: 0, rows: 0 },
      { issued: 10, rows: 10 },
      { issued: 166, rows: 166 },
    ]);
  });

  test('records all of a chunk or nothing', async () => {
    const { id } = await here.createCoupon({ total: 1 });
    const chunk = requestsOf(id, ['ann', 'bob']);
    await here.query('RENAME TABLE refusal TO hidden');
    try {
      await expect(issuances.decideChunk(chunk)).rejects.toThrow('refusal');
    } finally {
      await here.query('RENAME TABLE hidden TO refusal');
    }
    expect(await counts(id)).toEqual({ issued: 0, rows: 0 });
    expect(await decideAll(chunk)).toEqual(['ISSUED', 'SOLD_OUT']);
  });
});

describe('an id that belongs to another request', () => {
  async function decideBoth(
    first: IssuanceRequest[],
    second: IssuanceRequest[],
  ): Promise<IssuanceRequest[]> {
    await issuances.decideChunk(first);
    return (await issuances.decideChunk(second)).conflicting;
  }

  test('is set apart, whether that was issued or refused, and its neighbours are issued', async () => {
    const { id } = await here.createCoupon({ total: 3 });
    const other = await here.createCoupon();
    const recorded = [...requestsOf(id, ['ann', 'bob']), aRequest({ couponId: 999_999 })];
    const foreign = [
      { ...recorded[0]!, userId: 'eve' },
      { ...recorded[1]!, couponId: other.id },
      { ...recorded[2]!, couponId: id, userId: 'eve' },
    ];
    const neighbour = aRequest({ couponId: id, userId: 'zoe' });
    expect(await decideBoth(recorded, [foreign[0]!, neighbour, ...foreign.slice(1)])).toEqual(
      foreign,
    );
    expect(await counts(id)).toEqual({ issued: 3, rows: 3 });
    expect(await counts(other.id)).toEqual({ issued: 0, rows: 0 });
    expect((await issuances.findStatuses([neighbour.issuanceId]))[0]).toMatchObject({
      status: 'ISSUED',
    });
    expect((await issuances.findStatuses([recorded[0]!.issuanceId]))[0]).toMatchObject({
      userId: 'ann',
    });
  });

  test('is set apart within one chunk too, however often it is delivered', async () => {
    const { id } = await here.createCoupon();
    const [recorded] = requestsOf(id, ['ann']);
    const chunk = [recorded!, { ...recorded!, userId: 'eve' }, ...requestsOf(id, ['bob'])];
    for (let delivery = 0; delivery < 3; delivery += 1) {
      const { decisions, conflicting } = await issuances.decideChunk(chunk);
      expect(outcomes(decisions)).toEqual(['ISSUED', 'ISSUED']);
      expect(conflicting).toEqual([chunk[1]]);
    }
    expect(await counts(id)).toEqual({ issued: 2, rows: 2 });
  });

  test('is issued once when two issuers meet it at the same time, and set apart at the next try', async () => {
    const coupons = await Promise.all([1, 2].map(() => here.createCoupon({ total: 20 })));
    const ids = coupons.map(({ id }) => id);
    const requests = userIds(20).map((userId) => aRequest({ userId }));
    const chunks = ids.map((id) => requests.map((request) => ({ ...request, couponId: id })));
    // One of the two may fail on the primary key; the log then delivers its chunk again.
    await Promise.allSettled(chunks.map((chunk) => issuances.decideChunk(chunk)));
    const again = await Promise.all(chunks.map((chunk) => issuances.decideChunk(chunk)));
    const decided = again.map(({ decisions }) => decisions.length);
    expect(new Set(decided)).toEqual(new Set([0, 20]));
    expect(again.map(({ conflicting }) => conflicting.length)).toEqual(decided.toReversed());
    const issued = await Promise.all(ids.map(counts));
    expect(issued.map(({ rows }) => rows)).toEqual(decided);
  });
});

describe('two issuers at the same time', () => {
  test('never deadlock and never oversell, in whatever order their chunks name the coupons', async () => {
    const coupons = await Promise.all([1, 2, 3].map(() => here.createCoupon({ total: 40 })));
    const transactions = vi.spyOn(here.connection.dataSource, 'transaction');
    const chunks = Array.from({ length: 20 }, (_, chunk) => {
      const inOrder = chunk % 2 === 0 ? coupons : coupons.toReversed();
      return userIds(30, `chunk ${chunk}`).map((userId, i) =>
        aRequest({ couponId: inOrder[i % 3]!.id, userId }),
      );
    });
    const decided = await Promise.all(chunks.map(decideAll));
    // One that lost a deadlock would have been rejected, and run again.
    const tried = await Promise.allSettled(transactions.mock.results.map(({ value }) => value));
    transactions.mockRestore();
    expect(tried.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(decided.flat().filter((outcome) => outcome === 'ISSUED')).toHaveLength(120);
    for (const { id } of coupons) {
      expect(await counts(id)).toEqual({ issued: 40, rows: 40 });
    }
  });

  test('given the same chunk record it once, and tell the same', async () => {
    const { id } = await here.createCoupon({ total: 15 });
    const chunk = requestsOf(id, userIds(20));
    const [one, other] = await Promise.all([chunk, chunk].map(decideAll));
    expect(one).toEqual(other);
    expect(await counts(id)).toEqual({ issued: 15, rows: 15 });
  });
});

describe('applyMarker', () => {
  test('never takes an epoch back, for each of its coupons', async () => {
    const [one, other] = [await here.createCoupon(), await here.createCoupon()];
    await issuances.applyMarker(marker({ [other.id]: 2, [one.id]: 5 }));
    await issuances.applyMarker(marker({ [other.id]: 3, [one.id]: 4 }));
    await issuances.applyMarker(marker({ [other.id]: 3, [one.id]: 4 }));
    expect((await here.coupons.find(one.id))?.appliedEpoch).toBe(5);
    expect((await here.coupons.find(other.id))?.appliedEpoch).toBe(3);
  });

  test('passes over a coupon that does not exist', async () => {
    const { id } = await here.createCoupon();
    await issuances.applyMarker(marker({ 999_999: 2, [id]: 2 }));
    expect((await here.coupons.find(id))?.appliedEpoch).toBe(2);
  });
});

function marker(epochs: Record<number, number>) {
  return {
    epochs: Object.entries(epochs).map(([id, epoch]) => ({ couponId: Number(id), epoch })),
  };
}
