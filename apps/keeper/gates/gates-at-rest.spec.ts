import { afterEach, describe, expect, test, vi } from 'vitest';
import { aCoupon } from '../../../test/harness/fixtures.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import { GatesAtRest, isAtRest } from './gates-at-rest.ts';

const takenAt = 1_764_000_000_000;
const moment = { takenAt, history: 'one', shutLooksMax: 200 };

afterEach(() => {
  vi.restoreAllMocks();
});

function ended(count: number): Coupon[] {
  return Array.from({ length: count }, (_, i) => aCoupon({ id: i + 1, state: 'closed' }));
}

function anInspection(given: Partial<GateInspection> = {}): GateInspection {
  const counts = { left: 10, holders: 0, epoch: 1, minEpoch: 1, serial: 0, pending: 0 };
  const looks = { gate: 'open' as const, ...counts, oldestPendingAt: null, now: takenAt };
  return { ...aCoupon({ total: 10 }), ...looks, ...given };
}

/** A survey in which every gate that is looked at is as `gate` says; returns which those were. */
function look(
  rest: GatesAtRest,
  coupons: Coupon[],
  gate: (coupon: Coupon) => Partial<GateInspection> = () => ({}),
  at = moment,
): { lookedAt: number[]; known: ReadonlyMap<number, GateInspection> } {
  const { known, toLookAt } = rest.divide(coupons, at);
  const gates = new Map(known);
  toLookAt.forEach((coupon) => gates.set(coupon.id, anInspection(gate(coupon))));
  rest.learn(toLookAt, gates, at.takenAt);
  return { lookedAt: toLookAt.map(({ id }) => id), known };
}

test('what was seen at rest is not looked at again, what runs is looked at each time', () => {
  const rest = new GatesAtRest();
  const running = aCoupon({ id: 999 });
  const coupons = [...ended(300), running];
  expect(look(rest, coupons).lookedAt).toHaveLength(301);
  const { lookedAt, known } = look(rest, coupons);
  expect(lookedAt).toEqual([999]);
  expect(known.get(7)).toMatchObject({ gate: 'open', pending: 0 });
});

test('what runs is looked at before what has ended', () => {
  const coupons = [...ended(3), aCoupon({ id: 999 })];
  expect(look(new GatesAtRest(), coupons).lookedAt[0]).toBe(999);
});

describe('an ended coupon is looked at each time while', () => {
  test.each([
    ['something of it is pending', { pending: 1, oldestPendingAt: takenAt - 5 }],
    ['its gate is behind a change', { version: 0 }],
    ['its gate is behind a recovery', { epoch: 0 }],
  ])('%s', (_, state) => {
    const rest = new GatesAtRest();
    const coupons = ended(1);
    look(rest, coupons, () => state);
    expect(look(rest, coupons, () => state).lookedAt).toEqual([1]);
  });
});

test.each([
  ['has been changed', { version: 2 }],
  ['is being recovered', { epoch: 2 }],
  ['runs again', { state: 'open' as const }],
])('an ended coupon that %s is looked at at once', (_, change) => {
  const rest = new GatesAtRest();
  look(rest, ended(2));
  const [first, second] = ended(2) as [Coupon, Coupon];
  expect(look(rest, [first, { ...second, ...change }]).lookedAt).toEqual([2]);
});

test('one whose time has come by the clock of the gate is at rest, and not before', () => {
  const rest = new GatesAtRest();
  const coupons = [aCoupon({ closesAt: takenAt + 1 })];
  look(rest, coupons);
  expect(look(rest, coupons).lookedAt).toEqual([1]);
  const later = { ...moment, takenAt: takenAt + 1 };
  look(rest, coupons, () => ({ now: takenAt + 1 }), later);
  expect(look(rest, coupons, () => ({}), later).lookedAt).toEqual([]);
});

test('another run of Redis shuts all at once, and a bounded number is looked at each time', () => {
  const rest = new GatesAtRest();
  const coupons = ended(1_000);
  look(rest, coupons);
  const restarted = { ...moment, history: 'two' };
  const { lookedAt, known } = look(rest, coupons, () => ({ gate: 'fenced' }), restarted);
  expect(lookedAt).toHaveLength(200);
  expect(known.size).toBe(800);
  expect([...known.values()]).toEqual(Array.from(known, () => anInspection({ gate: 'fenced' })));

  const all = { ...restarted, shutLooksMax: Infinity };
  expect(look(rest, coupons, () => ({}), all).lookedAt).toHaveLength(1_000);
  expect(look(rest, coupons, () => ({}), restarted).lookedAt).toEqual([]);
});

test('one gate that is found shut has all looked at', () => {
  const rest = new GatesAtRest();
  const coupons = [...ended(300), aCoupon({ id: 999 })];
  look(rest, coupons);
  const { toLookAt } = rest.divide(coupons, moment);
  const gates = new Map(coupons.map(({ id }) => [id, anInspection()]));
  gates.set(999, anInspection({ gate: 'absent' }));
  expect(rest.learn(toLookAt, gates, takenAt)).toEqual([999]);
  expect(look(rest, coupons).lookedAt).toHaveLength(301);
});

test('nothing rests unseen for long: fifty are looked at again each time, those seen longest ago first', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  const rest = new GatesAtRest();
  const coupons = ended(120);
  look(rest, coupons);
  clock.mockReturnValue(6_000);
  expect(look(rest, coupons).lookedAt).toEqual([]);
  clock.mockReturnValue(6_001);
  const rounds = [1, 2, 3, 4].map(() => look(rest, coupons).lookedAt);
  expect(rounds.map((ids) => ids.length)).toEqual([50, 50, 20, 0]);
  expect(rounds.flat()).toEqual(coupons.map(({ id }) => id));
  clock.mockReturnValue(11_002);
  expect(look(rest, coupons).lookedAt).toEqual(rounds[0]);
});

test('however slowly surveys follow each other, the turn of each gate comes', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  const rest = new GatesAtRest();
  const coupons = ended(120);
  look(rest, coupons);
  const rounds = [1, 2, 3].flatMap((i) => {
    clock.mockReturnValue(i * 6_000);
    return look(rest, coupons).lookedAt;
  });
  expect(new Set(rounds).size).toBe(120);
});

test('a coupon that was gone for a while, as one that was archived, is looked at when it is back', () => {
  const rest = new GatesAtRest();
  const [first, second] = ended(2) as [Coupon, Coupon];
  look(rest, [first, second]);
  expect(look(rest, [first]).lookedAt).toEqual([]);
  expect(look(rest, [first, second]).lookedAt).toEqual([2]);
});

test('a gate that is shut is told once, and not at all when it was archived or its Redis is another one', () => {
  const rest = new GatesAtRest();
  const shut = (ids: number[]) => new Map(ids.map((id) => [id, anInspection({ gate: 'fenced' })]));
  const coupons = ended(2);
  look(rest, coupons);
  expect(rest.learn(coupons, shut([1, 2]), takenAt)).toEqual([1, 2]);
  expect(rest.learn(coupons, shut([1, 2]), takenAt)).toEqual([]);

  look(rest, coupons);
  look(rest, []);
  expect(rest.learn(coupons, shut([1, 2]), takenAt)).toEqual([]);

  look(rest, coupons, () => ({}), { ...moment, history: 'one', shutLooksMax: Infinity });
  rest.divide(coupons, { ...moment, history: 'two' });
  expect(rest.learn(coupons, shut([1, 2]), takenAt)).toEqual([]);
});

test.each([
  ['it sells', {}, {}, false],
  ['it has ended', { state: 'closed' as const }, {}, true],
  ['its gate is shut', { state: 'closed' as const }, { gate: 'fenced' as const }, false],
  ['its gate is ahead, in a later epoch', { state: 'closed' as const }, { epoch: 2 }, true],
])('whether a coupon is at rest when %s', (_, coupon, gate, expected) => {
  expect(isAtRest(aCoupon(coupon), anInspection(gate))).toBe(expected);
});
