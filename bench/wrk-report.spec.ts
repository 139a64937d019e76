import { expect, test } from 'vitest';
import { parseWrkReport } from './wrk-report.ts';

const report = {
  requests: 50_000,
  duration_us: 2_500_000,
  bad_status: 0,
  socket_errors: 0,
  timeouts: 0,
  p50_us: 3_210,
  p99_us: 12_000,
  max_us: 40_500,
};

function output(given: Partial<typeof report> = {}): string {
  return `Running 2s test\n  20000.00 req/s\n\nwrk-report ${JSON.stringify({ ...report, ...given })}\n`;
}

test('reads the report among what wrk prints for people', () => {
  expect(parseWrkReport(output())).toEqual({
    requests: 50_000,
    requestsPerSecond: 20_000,
    p50Ms: 3.21,
    p99Ms: 12,
    maxMs: 40.5,
    failures: 0,
  });
});

test('every kind of failure counts', () => {
  const failed = parseWrkReport(output({ bad_status: 1, socket_errors: 20, timeouts: 300 }));
  expect(failed.failures).toBe(321);
});

test('without a report shows what wrk said instead', () => {
  expect(() => parseWrkReport('unable to connect')).toThrow(/unable to connect/);
});
