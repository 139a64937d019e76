import { expect, test } from 'vitest';
import { traceIdOf, wellFormedTraceparent } from './trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

test('a traceparent is kept as it is, also with an id that begins with zeros', () => {
  expect(wellFormedTraceparent(traceparent)).toBe(traceparent);
  expect(traceIdOf(traceparent)).toBe(traceId);
});

test.each([
  ['something before it', `x${traceparent}`],
  ['something after it', `${traceparent}-x`],
  ['version ff', traceparent.replace('00-', 'ff-')],
  ['a trace id of zeros', traceparent.replace(traceId, '0'.repeat(32))],
  ['a parent id of zeros', traceparent.replace('00f067aa0ba902b7', '0'.repeat(16))],
  ['capitals', traceparent.toUpperCase()],
  ['a list of it', [traceparent]],
  ['nothing', undefined],
])('%s is none', (_name, value) => {
  expect(wellFormedTraceparent(value)).toBeUndefined();
});
