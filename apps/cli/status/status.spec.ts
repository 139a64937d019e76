import { describe, expect, it } from 'vitest';
import { aCoupon, aGate, aLook } from './look/looks.fixture.ts';
import type { Look } from './look/look.ts';
import { statusOf } from './status.ts';
import { verdictOf } from './system-status.ts';
import { headline, lineOf } from './screen/words.ts';

const later = (given: Parameters<typeof aLook>[0]): Look => aLook({ atMs: 2_000, ...given });

describe('the verdict', () => {
  it('is HEALTHY while what is under way is young and decided', () => {
    const status = statusOf(
      aLook(),
      later({ log: [[60, 66]], gates: [[123, aGate({ holders: 66 })]] }),
    );
    expect(headline(status)).toBe(
      'HEALTHY: 1 coupon on sale, 16/s admitted, 6 records under way, 0.2 s old',
    );
  });

  it('is BEHIND with records, seconds and when it will have caught up', () => {
    const before = aLook({ log: [[1_000, 9_000]], delayS: 8 });
    const status = statusOf(before, later({ log: [[1_600, 9_100]], delayS: 9 }));
    expect(headline(status)).toBe('BEHIND: by 7 500 records and 9 s, caught up in about 15 s');
    expect(status.totals).toMatchObject({ lag: 7_500, lagSeconds: 9, drainS: 15 });
  });

  it('is BEHIND when nobody decides, and says so', () => {
    const status = statusOf(aLook(), later({ member: null, log: [[40, 360]], delayS: 12 }));
    expect(headline(status)).toBe(
      'BEHIND: 320 records wait, 12 s behind, and no issuer has partition 0',
    );
  });

  it('is BROKEN with the coupon whose gate is shut', () => {
    const status = statusOf(aLook(), later({ gates: [[123, aGate({ gate: 'fenced' })]] }));
    expect(headline(status)).toMatch(/^BROKEN: coupon 123's gate is shut/);
  });

  it('is not troubled by the gate of a coupon that has ended', () => {
    const coupons = [aCoupon({ state: 'closed' })];
    const gates: [number, ReturnType<typeof aGate>][] = [[123, aGate({ gate: 'absent' })]];
    expect(verdictOf(statusOf(aLook(), later({ coupons, gates })))).toBe('HEALTHY');
  });

  it('begins with what is worst, and has all of it', () => {
    const whole: Partial<Look> = {
      jobs: { problem: 'no answer' },
      alerts: { value: [{ name: 'LagHigh', severity: 'page', summary: null, since: null }] },
    };
    const given = { openDeadLetters: 2, gates: [[123, aGate({ gate: 'fenced' })]], whole } as const;
    const status = statusOf(aLook(), later(given as never));
    expect(status.problems.map(({ kind }) => kind)).toEqual([
      'gate_shut',
      'jobs_away',
      'dead_letters',
      'alert',
    ]);
    expect(lineOf(status)).toMatch(/^2026-\S+ BROKEN: .* dead letters 2$/);
  });

  it('knows no rate from one look', () => {
    expect(statusOf(undefined, aLook()).totals).toMatchObject({
      admittedPerS: null,
      decidedPerS: null,
      drainS: null,
      lag: 10,
    });
  });
});

describe('conservation', () => {
  const kindsOf = (before: Look | undefined, now: Look): string[] =>
    statusOf(before, now).problems.map(({ kind }) => kind);

  it('total = left + held; held = issued + under way', () => {
    const [coupon] = statusOf(aLook(), later({})).coupons;
    expect(coupon).toMatchObject({ total: 1_000, left: 950, held: 50, issued: 40, underWay: 10 });
  });

  it('is broken when more is issued than held', () => {
    const now = later({ coupons: [aCoupon({ issued: 51 })] });
    expect(statusOf(aLook(), now).problems[0]).toMatchObject({
      severity: 'BROKEN',
      kind: 'conservation',
      says: 'coupon 123 does not add up: 51 are issued, and the gate holds only 50',
    });
  });

  it('is broken when more is issued than there are', () => {
    const coupons = [aCoupon({ issued: 1_001 })];
    expect(
      kindsOf(aLook(), later({ coupons, gates: [[123, aGate({ gate: 'absent' })]] })),
    ).toContain('conservation');
  });

  it('is broken when units are held at rest that nobody recorded', () => {
    const atRest: Parameters<typeof aLook>[0] = { log: [[50, 50]] };
    expect(kindsOf(aLook(atRest), later(atRest))).toEqual(['conservation']);
  });

  it.each([
    ['something was pending', aLook({ log: [[50, 50]], gates: [[123, aGate({ pending: 1 })]] })],
    ['the issuers were behind', aLook({ log: [[49, 50]] })],
    ['the gate has moved since', aLook({ log: [[50, 50]], gates: [[123, aGate({ serial: 0 })]] })],
    ['the gate was shut', aLook({ log: [[50, 50]], gates: [[123, aGate({ gate: 'fenced' })]] })],
    ['nobody looked before', undefined],
  ])('is not judged by what is under way while %s', (_, before) => {
    expect(kindsOf(before, later({ log: [[50, 50]] }))).toEqual([]);
  });
});

describe('while a store is away', () => {
  it('the others are shown, and it is said which', () => {
    const redis = statusOf(undefined, aLook({ whole: { gate: { problem: 'ECONNREFUSED' } } }));
    expect(headline(redis)).toBe(
      'BROKEN: the gate Redis is away, nobody is admitted (ECONNREFUSED)',
    );
    expect(redis.coupons[0]).toMatchObject({ total: 1_000, issued: 40, left: null, held: null });
    const mysql = statusOf(undefined, aLook({ whole: { ledger: { problem: 'mute' } } }));
    expect(mysql.coupons[0]).toMatchObject({ total: 1_000, left: 950, held: 50, issued: null });
    expect(mysql.stores[0]).toMatchObject({ store: 'mysql', isAway: true, says: 'mute' });
    const kafka = statusOf(undefined, aLook({ whole: { log: { problem: 'mute' } } }));
    expect(kafka.totals).toMatchObject({ lag: null, lagSeconds: null });
  });
});

describe('of thousands of coupons', () => {
  it('those with a problem come first, those that were not looked at are summed', () => {
    const coupons = Array.from({ length: 5_000 }, (_, i) => aCoupon({ id: i + 1, issued: 10 }));
    const gates = coupons
      .slice(-200)
      .map(
        ({ id }) => [id, aGate({ holders: 10, gate: id === 4_900 ? 'fenced' : 'open' })] as const,
      );
    const status = statusOf(undefined, aLook({ coupons, gates: gates as never }));
    expect(status.coupons).toHaveLength(200);
    expect(status.coupons[0]?.couponId).toBe(4_900);
    expect(status.others).toEqual({ coupons: 4_800, total: 4_800_000, issued: 48_000 });
  });
});
