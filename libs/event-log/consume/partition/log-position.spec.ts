import { expect, test } from 'vitest';
import type { LogPosition } from './log-position.ts';
import { positionProblem } from './log-position.ts';

function at(given: Partial<LogPosition>): LogPosition {
  return {
    partition: 0,
    committed: 5,
    logStart: 0,
    high: 9,
    lag: null,
    wasRead: true,
    ...given,
  };
}

test.each<[string, Partial<LogPosition>]>([
  ['in the middle of the log', {}],
  ['at its beginning, after retention', { logStart: 5 }],
  ['at its end', { committed: 9 }],
  ['further than it has committed', { next: 8 }],
  ['nowhere in a log that nobody has read', { committed: null, wasRead: false }],
])('a group that stands %s may go on', (_, given) => {
  expect(positionProblem(at(given))).toBeUndefined();
});

test.each<[string, Partial<LogPosition>, string]>([
  ['before the log', { logStart: 7 }, 'the next offset is 5: 2 records were deleted unread'],
  ['behind the log', { high: 4 }, 'the log ends at 4, the next offset is 5'],
  ['behind the log with what it has not committed', { next: 12 }, 'the next offset is 12'],
  ['nowhere, but was there', { committed: null }, 'the topic was created anew'],
  [
    'nowhere in a log without its beginning',
    { committed: null, logStart: 3, wasRead: false },
    'the log begins at 3: what stood before is gone unread',
  ],
])('a group that stands %s may not', (_, given, reason) => {
  expect(positionProblem(at(given))).toContain(reason);
});

test('what is not known is no answer', () => {
  expect(() => positionProblem(at({ high: null }))).toThrow('nobody knows');
});
