import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { aRequest, anIssuanceId } from '../../test/support/fixtures.js';
import type { CouponCount, Decision } from './decide.js';
import { decide, holderKey } from './decide.js';
import type { IssuanceRequested } from './events.js';
import type { RefusalReason } from './issuance.js';

/** Records decisions as MySQL does, and says of a coupon what MySQL would. */
class RememberedLedger {
  readonly issued = new Map<string, { issuanceId: string; decidedAt: number }>();
  readonly refused = new Map<string, { reason: RefusalReason; decidedAt: number }>();
  private clock = 0;

  constructor(private readonly totals: readonly number[]) {}

  decideChunk(requests: IssuanceRequested[]): Decision[] {
    this.clock += 1;
    const { issued, refused } = this;
    const decisions = decide(requests, { issued, refused, coupons: this.coupons() }, this.clock);
    for (const { request, status, reason, decidedAt, isNew } of decisions) {
      if (isNew && status === 'ISSUED') {
        const key = holderKey(request.coupon_id, request.user_id);
        expect(this.issued.has(key)).toBe(false);
        this.issued.set(key, { issuanceId: request.issuance_id, decidedAt });
      } else if (isNew) {
        expect(this.refused.has(request.issuance_id)).toBe(false);
        this.refused.set(request.issuance_id, { reason: reason!, decidedAt });
      }
    }
    return decisions;
  }

  issuedOf(couponId: number): number {
    return [...this.issued.keys()].filter((key) => key.startsWith(`${couponId} `)).length;
  }

  private coupons(): Map<number, CouponCount> {
    return new Map(
      this.totals.map((total, i) => [
        i + 1,
        { total, issued: this.issuedOf(i + 1), appliedEpoch: 2 },
      ]),
    );
  }
}

/** A log on few coupons (one of them unknown) by few users, with ids that stand in it repeatedly. */
const logs = fc
  .array(
    fc.record({
      couponId: fc.integer({ min: 1, max: 3 }),
      userId: fc.constantFrom('a', 'A', 'b', 'c', 'd'),
      epoch: fc.constantFrom(1, 2, 2, 3),
      copyOf: fc.option(fc.nat(), { freq: 3 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((records) => {
    const log: IssuanceRequested[] = [];
    for (const { couponId, userId, epoch, copyOf } of records) {
      const repeated = copyOf === null ? undefined : log[copyOf % Math.max(1, log.length)];
      log.push(repeated ?? aRequest({ coupon_id: couponId, user_id: userId, epoch }));
    }
    return log;
  });

const totals = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 2 });

/** After each chunk of `size` records the log is read again from `back` records before its end. */
const deliveries = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 7 }), back: fc.constantFrom(0, 0, 1, 3, 10) }),
  { minLength: 60, maxLength: 60 },
);

function deliver(
  log: IssuanceRequested[],
  ledger: RememberedLedger,
  plan: { size: number; back: number }[],
): Map<string, string[]> {
  const decided = new Map<string, string[]>();
  let at = 0;
  for (const { size, back } of [...plan, { size: log.length, back: 0 }]) {
    const chunk = log.slice(at, at + size);
    for (const { request, status, reason } of chunk.length > 0 ? ledger.decideChunk(chunk) : []) {
      const outcome = decided.get(request.issuance_id) ?? [];
      decided.set(request.issuance_id, [...outcome, reason ?? status]);
    }
    at = Math.max(0, Math.min(at + size, log.length) - back);
  }
  ledger.decideChunk(log.slice(at));
  return decided;
}

function idsOf(issued: RememberedLedger['issued']): [string, string][] {
  return [...issued].map(([key, { issuanceId }]) => [key, issuanceId]);
}

test('any split into chunks, any of them delivered again, gives the same decisions', () => {
  fc.assert(
    fc.property(logs, totals, deliveries, (log, givenTotals, plan) => {
      const oneByOne = new RememberedLedger(givenTotals);
      const expected = deliver(
        log,
        oneByOne,
        log.map(() => ({ size: 1, back: 0 })),
      );
      const chunked = new RememberedLedger(givenTotals);
      for (const [id, outcomes] of deliver(log, chunked, plan)) {
        expect(new Set(outcomes)).toEqual(new Set(expected.get(id)));
      }
      expect(idsOf(chunked.issued)).toEqual(idsOf(oneByOne.issued));
      expect([...chunked.refused.keys()].sort()).toEqual([...oneByOne.refused.keys()].sort());
    }),
    { numRuns: 300 },
  );
});

test('never issues more than the total, nor two to one user, nor both issues and refuses', () => {
  fc.assert(
    fc.property(logs, totals, deliveries, (log, givenTotals, plan) => {
      const ledger = new RememberedLedger(givenTotals);
      deliver(log, ledger, plan);
      givenTotals.forEach((total, i) => {
        expect(ledger.issuedOf(i + 1)).toBeLessThanOrEqual(total);
      });
      const issuedIds = [...ledger.issued.values()].map(({ issuanceId }) => issuanceId);
      expect(new Set(issuedIds).size).toBe(issuedIds.length);
      expect(issuedIds.filter((id) => ledger.refused.has(id))).toEqual([]);
      expect(new Set([...issuedIds, ...ledger.refused.keys()])).toEqual(
        new Set(log.map((request) => request.issuance_id)),
      );
    }),
    { numRuns: 300 },
  );
});

test('a refusal outlives any raise of the total', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 20 }),
      (users, total) => {
        const log = Array.from({ length: users }, (_, i) => aRequest({ user_id: `user ${i}` }));
        const later = log.map((request) => ({ ...request, epoch: 2 }));
        const before = new RememberedLedger([total]);
        const decided = before.decideChunk(later);
        const raised = new RememberedLedger([1_000]);
        before.issued.forEach((value, key) => raised.issued.set(key, value));
        before.refused.forEach((value, key) => raised.refused.set(key, value));
        const again = raised.decideChunk(later);
        expect(again).toEqual(decided.map((decision) => ({ ...decision, isNew: false })));
        const latecomer = aRequest({ user_id: 'late', epoch: 2, issuance_id: anIssuanceId() });
        expect(raised.decideChunk([latecomer])[0]?.status).toBe('ISSUED');
      },
    ),
  );
});
