import { formatTable } from '../infra/local/terminal/table.ts';
import type { LoadReport } from './wrk-report.ts';

export const targetNames = ['fastify', 'lua', 'pipelined', 'silent', 'assign'] as const;
export type TargetName = (typeof targetNames)[number];

export const targetLabels: Record<TargetName, string> = {
  fastify: 'bare Fastify',
  lua: 'Fastify + one Lua call',
  pipelined: 'the same, auto-pipelined',
  silent: 'assign, METRICS=off',
  assign: 'assign',
};

/** One target at one connection count, in one round. */
export interface Run {
  round: number;
  target: TargetName;
  connections: number;
  report: LoadReport;
  /** Of its processes, until all it has taken is issued, for 1 000 requests. */
  cpuSeconds: number;
  /** Of assign only: how long after the load the issuer had recorded the last unit. */
  drainSeconds?: number;
}

/** A target at a connection count, over all rounds. */
export interface SummaryRow {
  target: TargetName;
  connections: number;
  requestsPerSecond: number;
  lowest: number;
  highest: number;
  p50Ms: number;
  p99Ms: number;
  /** Median over the rounds of: this target divided by that one, in the same round. */
  toFastify: number;
  toLua: number;
  toPipelined: number;
  /** What metrics cost: of its requests a second, and of its CPU. */
  toSilent: number;
  cpuSeconds: number;
  cpuToSilent: number;
}

/** Of an even count, the mean of the two in the middle. Throws for none. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) {
    throw new Error('there is no median of nothing');
  }
  return (lower + upper) / 2;
}

/**
 * Ratios are taken within a round and only then their median: what slows the machine for some
 * seconds slows the runs beside each other, and so moves ratios less than it moves figures.
 */
export function summarize(runs: Run[]): SummaryRow[] {
  const connectionCounts = [...new Set(runs.map((run) => run.connections))];
  return connectionCounts.flatMap((connections) =>
    targetNames.map((target) => summarizeOne(runs, target, connections)),
  );
}

function summarizeOne(runs: Run[], target: TargetName, connections: number): SummaryRow {
  const all = runs.filter((run) => run.connections === connections);
  const own = all.filter((run) => run.target === target);
  const rates = own.map(({ report }) => report.requestsPerSecond);
  const ratioTo = (base: TargetName, figure: (run: Run) => number = rateOf): number =>
    median(
      own.map((run) => {
        const other = all.find(({ target: one, round }) => one === base && round === run.round);
        return figure(run) / (other === undefined ? Number.NaN : figure(other));
      }),
    );
  return {
    target,
    connections,
    requestsPerSecond: Math.round(median(rates)),
    lowest: Math.min(...rates),
    highest: Math.max(...rates),
    p50Ms: median(own.map(({ report }) => report.p50Ms)),
    p99Ms: median(own.map(({ report }) => report.p99Ms)),
    toFastify: ratioTo('fastify'),
    toLua: ratioTo('lua'),
    toPipelined: ratioTo('pipelined'),
    toSilent: ratioTo('silent'),
    cpuSeconds: median(own.map((run) => run.cpuSeconds)),
    cpuToSilent: ratioTo('silent', (run) => run.cpuSeconds),
  };
}

function rateOf({ report }: Run): number {
  return report.requestsPerSecond;
}

/** A table for people: medians, the lowest and highest round, and the ratios. */
export function formatSummary(rows: SummaryRow[]): string {
  const header = [
    'target',
    'conn',
    'req/s',
    'min-max',
    'p50',
    'p99',
    'of bare',
    'of one Lua',
    'of pipelined',
    'of silent',
    'CPU s/1000',
    'CPU of silent',
  ];
  const lines = rows.map((row) => [
    targetLabels[row.target],
    String(row.connections),
    String(row.requestsPerSecond),
    `${row.lowest}-${row.highest}`,
    `${row.p50Ms.toFixed(1)} ms`,
    `${row.p99Ms.toFixed(1)} ms`,
    row.toFastify.toFixed(2),
    row.toLua.toFixed(2),
    row.toPipelined.toFixed(2),
    row.toSilent.toFixed(2),
    row.cpuSeconds.toFixed(3),
    row.cpuToSilent.toFixed(2),
  ]);
  return formatTable([header, ...lines]);
}
