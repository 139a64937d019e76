import { expect, test } from 'vitest';
import { preferredWait, prefersAsync } from './preferences.ts';

test.each([
  ['wait=10', 10],
  ['Wait = 5', 5],
  ['wait="7"', 7],
  ['respond-async, wait=3', 3],
  ['return=minimal;x="a, wait=9", wait=4; foo', 4],
  ['wait=0', 0],
  // The first counts.
  ['wait=2, wait=20', 2],
  // Not longer than anybody may.
  ['wait=31', 30],
  ['wait=99999999999999999999', 30],
])('Prefer: %s is a wait of %i s', (header, seconds) => {
  expect(preferredWait(header)).toBe(seconds);
});

test.each([
  undefined,
  '',
  'respond-async',
  'wait',
  'wait=',
  'wait=-1',
  'wait=1.5',
  'wait=ten',
  'await=5',
  'wait-less=5',
  'wait=x, wait=5',
  'foo="wait=5"',
  'foo="a, wait=5',
])('Prefer: %s is no wait, and no mistake', (header) => {
  expect(preferredWait(header)).toBeUndefined();
});

test('quotes that never end cost no more than their length', () => {
  const startedAt = performance.now();
  expect(preferredWait(`"${'\\"'.repeat(8_000)}\\`)).toBeUndefined();
  expect(preferredWait(`"${'\\"'.repeat(2_000_000)}\\`)).toBeUndefined();
  // The square of it would take days.
  expect(performance.now() - startedAt).toBeLessThan(30_000);
});

test.each([
  'respond-async',
  'Respond-Async',
  ' respond-async ; x=y',
  'respond-async=',
  'respond-async=""',
  'wait=10, respond-async',
  'return=minimal;x="a, b",respond-async',
])('Prefer: %s is one for an answer before it is decided', (header) => {
  expect(prefersAsync(header)).toBe(true);
});

test.each([
  undefined,
  '',
  'wait=10',
  'respond-async=no',
  'respond-asynchronously',
  'x-respond-async',
  'foo="respond-async"',
  'foo="a, respond-async"',
  'respond-async=x, respond-async',
])('Prefer: %s is none', (header) => {
  expect(prefersAsync(header)).toBe(false);
});
