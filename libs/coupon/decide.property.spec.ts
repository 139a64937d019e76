import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { aRequest, anIssuanceId } from '../../test/harness/fixtures.ts';
import type { CouponCount, DecidedChunk } from './decide.ts';
import { decide, holderKey } from './decide.ts';
import type { IssuanceRequest } from './issuance-request.ts';
import type { RefusalReason } from './issuance.ts';

/** Records decisions as MySQL does, and says of a coupon what MySQL would. */
class RememberedLedger {
  readonly issued = new Map<string, { issuanceId: string; decidedAt: number }>();
  readonly refused = new Map<string, { reason: RefusalReason; decidedAt: number }>();
  readonly recordedFor = new Map<string, string>();
  private clock = 0;

  constructor(private readonly totals: readonly number[]) {}

  decideChunk(requests: IssuanceRequest[]): DecidedChunk {
    this.clock += 1;
    const { issued, refused, recordedFor } = this;
    const view = { issued, refused, recordedFor, coupons: this.coupons() };
    const chunk = decide(requests, view, this.clock);
    for (const { request, status, reason, decidedAt, isNew } of chunk.decisions) {
      const key = holderKey(request.couponId, request.userId);
      // The primary keys of both tables.
      expect(isNew).toBe(!this.recordedFor.has(request.issuanceId));
      this.recordedFor.set(request.issuanceId, key);
      if (isNew && status === 'ISSUED') {
        expect(this.issued.has(key)).toBe(false);
        this.issued.set(key, { issuanceId: request.issuanceId, decidedAt });
      } else if (isNew) {
        this.refused.set(request.issuanceId, { reason: reason!, decidedAt });
      }
    }
    return chunk;
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

/**
 * A log on few coupons (one of them unknown) by few users, with requests that stand in it repeatedly
 * and, where `foreign`, ids that a foreign writer took from other requests.
 */
const logs = fc
  .array(
    fc.record({
      couponId: fc.integer({ min: 1, max: 3 }),
      userId: fc.constantFrom('a', 'A', 'b', 'c', 'd'),
      epoch: fc.constantFrom(1, 2, 2, 3),
      copyOf: fc.option(fc.nat(), { freq: 3 }),
      foreign: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((records) => {
    const log: IssuanceRequest[] = [];
    for (const { couponId, userId, epoch, copyOf, foreign } of records) {
      const repeated = copyOf === null ? undefined : log[copyOf % Math.max(1, log.length)];
      const own = aRequest({ couponId, userId, epoch });
      const stolen = repeated && { ...own, issuanceId: repeated.issuanceId };
      log.push((foreign ? stolen : repeated) ?? own);
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
  log: IssuanceRequest[],
  ledger: RememberedLedger,
  plan: { size: number; back: number }[],
): Map<string, string[]> {
  const decided = new Map<string, string[]>();
  const note = (request: IssuanceRequest, outcome: string): void => {
    const key = identityOf(request);
    decided.set(key, [...(decided.get(key) ?? []), outcome]);
  };
  let at = 0;
  for (const { size, back } of [...plan, { size: log.length, back: 0 }]) {
    const chunk = log.slice(at, at + size);
    const { decisions, conflicting } = ledger.decideChunk(chunk);
    expect(decisions.length + conflicting.length).toBe(chunk.length);
    for (const { request, status, reason } of decisions) {
      note(request, reason ?? status);
    }
    for (const request of conflicting) {
      note(request, 'conflicting');
    }
    at = Math.max(0, Math.min(at + size, log.length) - back);
  }
  ledger.decideChunk(log.slice(at));
  return decided;
}

/** Two records are one request only if they agree in all of this. */
function identityOf({ issuanceId, couponId, userId }: IssuanceRequest) {
  return `${issuanceId} ${holderKey(couponId, userId)}`;
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
        new Set(log.map((request) => request.issuanceId)),
      );
    }),
    { numRuns: 300 },
  );
});

test('of all who use one id the first in the log is decided, and all others are set apart', () => {
  fc.assert(
    fc.property(logs, totals, deliveries, (log, givenTotals, plan) => {
      const outcomes = deliver(log, new RememberedLedger(givenTotals), plan);
      const byId = Map.groupBy(log, (request) => request.issuanceId);
      for (const ofId of byId.values()) {
        const [first, ...others] = new Set(ofId.map(identityOf));
        expect(outcomes.get(first!)).not.toContain('conflicting');
        for (const other of others) {
          expect(new Set(outcomes.get(other))).toEqual(new Set(['conflicting']));
        }
      }
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
        const log = Array.from({ length: users }, (_, i) => aRequest({ userId: `user ${i}` }));
        const later = log.map((request) => ({ ...request, epoch: 2 }));
        const before = new RememberedLedger([total]);
        const decided = before.decideChunk(later).decisions;
        const raised = new RememberedLedger([1_000]);
        before.issued.forEach((value, key) => raised.issued.set(key, value));
        before.refused.forEach((value, key) => raised.refused.set(key, value));
        before.recordedFor.forEach((key, id) => raised.recordedFor.set(id, key));
        const again = raised.decideChunk(later).decisions;
        expect(again).toEqual(decided.map((decision) => ({ ...decision, isNew: false })));
        const latecomer = aRequest({ userId: 'late', epoch: 2, issuanceId: anIssuanceId() });
        expect(raised.decideChunk([latecomer]).decisions[0]?.status).toBe('ISSUED');
      },
    ),
  );
});
