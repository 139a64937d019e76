import { formatTable } from '../../infra/local/terminal/table.ts';
import type { CrowdCounts } from './chaos-crowd.ts';
import type { Fault, FaultKind } from './fault-plan.ts';
import type { LedgerComparison } from './ledger-comparison.ts';

/** One fault, and what clients saw of it. */
export interface FaultRecord extends Fault {
  /** The longest time without any 200, from the fault until everything served again. */
  unavailableMs: number;
  /** From the repair until every api, every coupon and the issuers served again. */
  recoveredMs: number;
}

export interface ChaosResult {
  seed: number;
  faults: FaultRecord[];
  /** Kinds that cannot be injected on this machine, and why. */
  leftOut: Partial<Record<FaultKind, string>>;
  counts: CrowdCounts;
  /** Absent when the run did not come to its end. */
  ledger?: LedgerComparison;
  verify?: { holds: boolean; output: string };
  /** What went wrong, in words; empty when every promise was kept. */
  failures: string[];
}

interface KindSummary {
  kind: FaultKind;
  times: number;
  unavailableMs: number;
  recoveredMs: number;
}

export function summarize(faults: FaultRecord[]): KindSummary[] {
  return [...Map.groupBy(faults, ({ kind }) => kind)].map(([kind, all]) => ({
    kind,
    times: all.length,
    unavailableMs: Math.max(...all.map((fault) => fault.unavailableMs)),
    recoveredMs: Math.max(...all.map((fault) => fault.recoveredMs)),
  }));
}

/** Tables for people. */
export function formatResult(result: ChaosResult): string {
  const summary = summarize(result.faults);
  const rows = summary.map(({ kind, times, unavailableMs, recoveredMs }) => [
    kind,
    String(times),
    seconds(unavailableMs),
    seconds(recoveredMs),
  ]);
  const header = ['fault', 'times', 'longest without a 200', 'longest until all served'];
  const leftOut = Object.entries(result.leftOut).map(
    ([kind, why]) => `left out: ${kind} (${why})\n`,
  );
  const failures = result.failures.map((failure) => `FAIL  ${failure}\n`);
  const tables = [formatTable([header, ...rows]), leftOut.join(''), formatTable(totals(result))];
  return [...tables, failures.join('')].filter((block) => block !== '').join('\n');
}

function totals({ faults, counts, ledger, verify }: ChaosResult): string[][] {
  const rows: [string, number | string | undefined][] = [
    ['faults injected', faults.length],
    ['requests', counts.requests],
    ['acknowledged (200)', counts.accepted],
    ['  of them repeats', counts.replayed],
    ['refused (409)', counts.refused],
    ['sent away (503)', counts.sentAway],
    ['without an answer', counts.unanswered],
    ['unexpected answers', counts.unexpected],
    ['issued', ledger?.issued],
    ['refused in the log', ledger && Object.values(ledger.refused).reduce((a, b) => a + b, 0)],
    ['lost', ledger?.lost],
    ['duplicated', ledger?.duplicated],
    ['oversold', ledger?.oversold],
    ['verify', verify && (verify.holds ? 'holds' : 'FAILS')],
  ];
  return rows.map(([name, value]) => [name, String(value ?? 'unknown')]);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
