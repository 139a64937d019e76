import { expect, test } from 'vitest';
import { anIssuanceId } from '../../../test/harness/fixtures.ts';
import type { DecidedIssuance } from '#coupon/issuance.ts';
import { Waiters } from './waiters.ts';

const longMs = 600_000;

function issued(issuanceId: string): DecidedIssuance {
  return { issuanceId, couponId: 1, userId: 'ann', status: 'ISSUED', decidedAt: 5 };
}

test('all who wait for an issuance are told, and nobody else', async () => {
  const waiters = new Waiters(10);
  const [id, other] = [anIssuanceId(), anIssuanceId()];
  using first = waiters.join(id, 'answer')!;
  using second = waiters.join(id, 'events')!;
  using stranger = waiters.join(other, 'answer')!;
  const told = Promise.all([first.told(longMs), second.told(longMs)]);
  expect(waiters.tell(issued(id))).toBe(2);
  expect(await told).toEqual([issued(id), issued(id)]);
  expect(await stranger.told(1)).toBeUndefined();
});

test('who joined before it was said is told, also when the wait begins only afterwards', async () => {
  const waiters = new Waiters(10);
  const id = anIssuanceId();
  using waiter = waiters.join(id, 'answer')!;
  waiters.tell(issued(id));
  expect(await waiter.told(longMs)).toEqual(issued(id));
  expect(await waiter.told(longMs)).toEqual(issued(id));
});

test('who leaves is forgotten, and leaves a place; leaving twice leaves one', () => {
  const waiters = new Waiters(2);
  const id = anIssuanceId();
  const first = waiters.join(id, 'answer')!;
  using second = waiters.join(id, 'events')!;
  expect(waiters.join(id, 'answer')).toBeUndefined();
  expect(waiters.turnedAway).toBe(1);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  expect([waiters.count('answer'), waiters.count('events')]).toEqual([0, 1]);
  using third = waiters.join(id, 'answer');
  expect(third).toBeDefined();
  expect(waiters.join(id, 'answer')).toBeUndefined();
  second[Symbol.dispose]();
  third![Symbol.dispose]();
  expect(waiters.isEmpty).toBe(true);
});

test('a wait that is ended is over at once, also before it has begun', async () => {
  const waiters = new Waiters(10);
  using waiter = waiters.join(anIssuanceId(), 'answer')!;
  const told = waiter.told(longMs);
  waiter.end();
  expect(await told).toBeUndefined();
  expect(await waiter.told(longMs)).toBeUndefined();
});

test('closing ends every wait, and nobody joins any more', async () => {
  const waiters = new Waiters(10);
  using first = waiters.join(anIssuanceId(), 'answer')!;
  using second = waiters.join(anIssuanceId(), 'events')!;
  const told = Promise.all([first.told(longMs), second.told(longMs)]);
  waiters.close();
  expect(await told).toEqual([undefined, undefined]);
  expect(waiters.join(anIssuanceId(), 'answer')).toBeUndefined();
  // They were not too many.
  expect(waiters.turnedAway).toBe(0);
});

test('those that were looked for longest ago come first, and each in its turn', () => {
  const waiters = new Waiters(10);
  const ids = [anIssuanceId(), anIssuanceId(), anIssuanceId()];
  const all = ids.map((id) => waiters.join(id, 'answer')!);
  expect(waiters.nextToLookFor(2)).toEqual([ids[0], ids[1]]);
  expect(waiters.nextToLookFor(2)).toEqual([ids[2], ids[0]]);
  expect(waiters.nextToLookFor(Infinity)).toEqual([ids[1], ids[2], ids[0]]);
  all.forEach((waiter) => waiter[Symbol.dispose]());
  expect(waiters.nextToLookFor(2)).toEqual([]);
});
