import { describe, expect, it } from 'vitest';
import { formatSummary, summarize } from './summary.ts';

const data = {
  metrics: {
    http_reqs: { values: { count: 1_234_567, rate: 950.4 } },
    http_req_failed: {
      values: { rate: 0.000001 },
      thresholds: { 'rate==0': { ok: false } },
    },
    http_req_duration: {
      values: { avg: 12.345, 'p(95)': 40, 'p(99)': 80.5, max: 501 },
      thresholds: { 'p(95)<500': { ok: true } },
    },
    under_500ms: { values: { rate: 0.9999999 } },
    checks: { values: { rate: 1 } },
  },
};

describe('the summary of a load run', () => {
  it('stands beside the field report', () => {
    expect(formatSummary(summarize(data))).toBe(
      [
        '',
        '                    this run    field report',
        'requests           1 234 567',
        'rate               950 req/s       927 req/s',
        'failed              < 0.01 %          0.01 %',
        'mean                12.35 ms       695.11 ms',
        'p95                 40.00 ms               -',
        'p99                 80.50 ms               -',
        'max                501.00 ms      3300.00 ms',
        'under 500 ms       > 99.99 %         42.00 %',
        'checks passed       100.00 %',
        '',
        'pass  http_req_duration p(95)<500',
        'FAIL  http_req_failed rate==0',
        '',
      ].join('\n'),
    );
  });

  it('shows a dash for what was not measured', () => {
    expect(formatSummary(summarize({ metrics: {} }))).toMatch(/^requests +-\nrate +- +927 req\/s/m);
  });
});
