import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assignProblem } from '../../issuance/issuance-problems.ts';
import { problemExamples } from './problem-examples.ts';
import type { ProblemCode } from './problem.ts';
import { problemHeaders, problemKinds } from './problem.ts';

/** Whether the same request may succeed a moment later, when nobody has changed anything. */
const mayPass: Record<ProblemCode, boolean> = {
  INVALID_REQUEST: false,
  UNAUTHENTICATED: false,
  SCOPE_MISSING: false,
  USER_MISMATCH: false,
  COUPON_NOT_FOUND: false,
  ISSUANCE_NOT_FOUND: false,
  USER_NOT_FOUND: false,
  NOT_FOUND: false,
  METHOD_NOT_ALLOWED: false,
  REQUEST_TIMEOUT: true,
  NOT_OPEN: true,
  CLOSED: false,
  PAUSED: false,
  SOLD_OUT: false,
  NOT_ISSUED_YET: true,
  REFUSED: false,
  ALREADY_REDEEMED: false,
  EXPIRED: false,
  LENGTH_REQUIRED: false,
  BODY_TOO_LARGE: false,
  URI_TOO_LONG: false,
  UNSUPPORTED_MEDIA_TYPE: false,
  EXPECTATION_FAILED: false,
  IDEMPOTENCY_KEY_REUSED: false,
  HEADERS_TOO_LARGE: false,
  RATE_LIMITED: true,
  OVERLOADED: true,
  RECOVERING: true,
  UNCONFIRMED: true,
  UNAVAILABLE: true,
  NOT_READY: true,
  INTERNAL: true,
  NOT_IMPLEMENTED: false,
  HTTP_VERSION_NOT_SUPPORTED: false,
};
const codes = Object.keys(problemKinds) as ProblemCode[];
const section = /### Repeating\n(.*?)\n##/s;
const documented = section.exec(readFileSync('docs/api.md', 'utf8'))![1]!;

const headersOf = (code: ProblemCode): Record<string, string> =>
  problemHeaders(problemExamples[code]);

describe('a client that repeats errors by itself', () => {
  test.each(codes.filter((code) => mayPass[code]))(
    'is told of %s when to come again, in seconds and in milliseconds',
    (code) => {
      const headers = headersOf(code);
      const [seconds, ms] = [Number(headers['retry-after']), Number(headers['retry-after-ms'])];
      expect(headers['x-should-retry'] ?? 'true').toBe('true');
      expect(ms).toBeGreaterThan(0);
      expect(seconds).toBe(Math.ceil(ms / 1_000));
    },
  );

  test.each(codes.filter((code) => !mayPass[code]))(
    'is told of %s that it is of no use',
    (code) => {
      const headers = headersOf(code);
      expect(headers['x-should-retry']).toBe('false');
      expect(Object.keys(headers).filter((name) => name.startsWith('retry-after'))).toEqual([]);
    },
  );

  test.each(codes)('is written by somebody who reads the same of %s in the contract', (code) => {
    const row = documented.split('\n').find((line) => line.includes(`\`${code}\``));
    expect(row?.includes('X-Should-Retry: false')).toBe(!mayPass[code]);
  });
});

test('nobody who failed together is told to come again together', () => {
  const { RECOVERING: problem } = problemExamples;
  expect(problemHeaders(problem)['retry-after']).toBe('1');
  const failed = Array.from({ length: 20 }, () =>
    assignProblem({ kind: 'recovering', failure: { cause: 'gate_shut' } }, 1),
  );
  expect(
    new Set(failed.map((each) => problemHeaders(each)['retry-after-ms'])).size,
  ).toBeGreaterThan(5);
});

test('who comes long before the opening is told when it is, and not to wait in a loop', () => {
  const opening = (inMs: number): Record<string, string> =>
    problemHeaders(
      assignProblem({ kind: 'not_open', opensAt: 10_000_000 + inMs, now: 10_000_000 }, 1),
    );
  expect(opening(1_234)).toMatchObject({ 'retry-after': '2', 'retry-after-ms': '1234' });
  expect(opening(60_000)).not.toHaveProperty('x-should-retry');
  expect(opening(60_001)).toMatchObject({ 'retry-after': '61', 'x-should-retry': 'false' });
  expect(opening(0)).toMatchObject({ 'retry-after': '1', 'retry-after-ms': '1' });
});
