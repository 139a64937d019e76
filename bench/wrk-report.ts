/** What one run of load measured. */
export interface LoadReport {
  /** Answers, good or bad. */
  requests: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Answers that were not a success, requests that got none. 0 in a run that counts. */
  failures: number;
}

interface WrkReport {
  requests: number;
  duration_us: number;
  bad_status: number;
  socket_errors: number;
  timeouts: number;
  p50_us: number;
  p99_us: number;
  max_us: number;
}

/** Finds the line that assign.lua prints at the end of a run. Throws when there is none. */
export function parseWrkReport(output: string): LoadReport {
  const line = /^wrk-report (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) {
    throw new Error(`wrk printed no report:\n${output.slice(-2_000)}`);
  }
  const report = JSON.parse(line) as WrkReport;
  return {
    requests: report.requests,
    requestsPerSecond: Math.round(report.requests / (report.duration_us / 1_000_000)),
    p50Ms: report.p50_us / 1_000,
    p99Ms: report.p99_us / 1_000,
    maxMs: report.max_us / 1_000,
    failures: report.bad_status + report.socket_errors + report.timeouts,
  };
}
