/** What k6 hands to `handleSummary`, as far as it is read here. Times are in milliseconds. */
export interface SummaryData {
  metrics: Record<
    string,
    | {
        values: Record<string, number>;
        thresholds?: Record<string, { ok: boolean }>;
      }
    | undefined
  >;
}

export interface RunSummary {
  requests: number;
  requestsPerSecond: number;
  failedShare: number;
  meanMs: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
  under500msShare: number;
  checksPassedShare: number;
  thresholds: { name: string; ok: boolean }[];
}

/** The best step of the field report that we are compared with; it measured no p99. */
export const fieldReport = {
  requestsPerSecond: 927,
  failedShare: 0.0001,
  meanMs: 695.11,
  maxMs: 3_300,
  under500msShare: 0.42,
};

/** Picks our numbers out of k6's. A metric that never got a value (no request ended) is NaN. */
export function summarize(data: SummaryData): RunSummary {
  const value = (metric: string, name: string) => data.metrics[metric]?.values[name] ?? Number.NaN;
  return {
    requests: value('http_reqs', 'count'),
    requestsPerSecond: value('http_reqs', 'rate'),
    failedShare: value('http_req_failed', 'rate'),
    meanMs: value('http_req_duration', 'avg'),
    p95Ms: value('http_req_duration', 'p(95)'),
    p99Ms: value('http_req_duration', 'p(99)'),
    maxMs: value('http_req_duration', 'max'),
    under500msShare: value('under_500ms', 'rate'),
    checksPassedShare: value('checks', 'rate'),
    thresholds: Object.entries(data.metrics)
      .flatMap(([metric, measured]) =>
        Object.entries(measured?.thresholds ?? {}).map(([limit, { ok }]) => ({
          name: `${metric} ${limit}`,
          ok,
        })),
      )
      .sort((a, b) => a.name.localeCompare(b.name, 'en')),
  };
}

/** The summary as a small table beside the field report, and a line per threshold. */
export function formatSummary(run: RunSummary): string {
  const rows: [label: string, measured: string, reported: string][] = [
    ['', 'this run', 'field report'],
    ['requests', integer(run.requests), ''],
    ['rate', perSecond(run.requestsPerSecond), perSecond(fieldReport.requestsPerSecond)],
    ['failed', percent(run.failedShare), percent(fieldReport.failedShare)],
    ['mean', milliseconds(run.meanMs), milliseconds(fieldReport.meanMs)],
    ['p95', milliseconds(run.p95Ms), '-'],
    ['p99', milliseconds(run.p99Ms), '-'],
    ['max', milliseconds(run.maxMs), milliseconds(fieldReport.maxMs)],
    ['under 500 ms', percent(run.under500msShare), percent(fieldReport.under500msShare)],
    ['checks passed', percent(run.checksPassedShare), ''],
  ];
  const table = rows.map(([label, measured, reported]) =>
    `${label.padEnd(14)}${measured.padStart(14)}${reported.padStart(16)}`.trimEnd(),
  );
  const verdicts = run.thresholds.map(({ name, ok }) => `${ok ? 'pass' : 'FAIL'}  ${name}`);
  return ['', ...table, '', ...verdicts, ''].join('\n');
}

function integer(value: number): string {
  return Number.isNaN(value) ? '-' : String(value).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}

function perSecond(value: number): string {
  return Number.isNaN(value) ? '-' : `${value.toFixed(0)} req/s`;
}

function milliseconds(value: number): string {
  return Number.isNaN(value) ? '-' : `${value.toFixed(2)} ms`;
}

/** Never rounds up to 100 % or down to 0 %: one failure in a million is not none. */
function percent(share: number): string {
  if (Number.isNaN(share)) {
    return '-';
  }
  const rounded = (share * 100).toFixed(2);
  if (rounded === '0.00' && share > 0) {
    return '< 0.01 %';
  }
  return rounded === '100.00' && share < 1 ? '> 99.99 %' : `${rounded} %`;
}
