import { expect, it } from 'vitest';
import type { GateState } from './latest-seen.ts';
import { LatestSeen } from './latest-seen.ts';

it.each<[string, GateState, GateState, 'first' | 'second']>([
  ['a later state of the same epoch', { epoch: 2, serial: 5 }, { epoch: 2, serial: 6 }, 'second'],
  ['a reply that comes late', { epoch: 2, serial: 5 }, { epoch: 2, serial: 4 }, 'first'],
  ['a newer epoch, which counts anew', { epoch: 2, serial: 5 }, { epoch: 3, serial: 0 }, 'second'],
  [
    'an older epoch, however long it was',
    { epoch: 2, serial: 5 },
    { epoch: 1, serial: 9 },
    'first',
  ],
])('of two states it keeps the later one: %s', (_, first, second, kept) => {
  const latest = new LatestSeen();
  latest.learn(7, first);
  latest.learn(7, second);
  expect(latest.of(7)).toEqual(kept === 'first' ? first : second);
});

it('keeps each gate apart, and has seen nothing of one that it was not told of', () => {
  const latest = new LatestSeen();
  latest.learn(7, { epoch: 2, serial: 5 });
  expect(latest.of(8)).toEqual({ epoch: 0, serial: 0 });
});
