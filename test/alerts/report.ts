import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootDir } from '../../infra/local/processes/paths.ts';
import { alertRules } from '../../infra/prometheus/alert-rules.ts';
import type { Expected, Fault } from './fault.ts';

export interface Row {
  what: string;
  expected: Expected;
  /** From the fault to the receiver. Nothing when it never came. */
  firedSeconds: number | undefined;
  /** From its mending to the receiver. */
  resolvedSeconds: number | undefined;
}

export const reportFile = join(rootDir, 'docs', 'reports', 'alerts.md');
/** What Prometheus and Alertmanager may take after the window of an alert. */
const slackSeconds = 15;
/** From the fault, for alerts that are about issuance itself. */
const oursSeconds = 30;
const ours = new Set(alertRules('issuance').map(({ alert }) => alert));

/** How long it may take from a fault until somebody is told. */
export function limitSeconds({
  alert,
  windowSeconds,
}: Pick<Expected, 'alert' | 'windowSeconds'>): number {
  const limit = windowSeconds + slackSeconds;
  return ours.has(alert) ? Math.min(limit, oursSeconds) : limit;
}

export function problemsOf({ what, expected, firedSeconds, resolvedSeconds }: Row): string[] {
  const name = `${nameOf(expected)}, ${what}`;
  if (firedSeconds === undefined) {
    return [`${name}: it never came`];
  }
  const limit = limitSeconds(expected);
  return [
    ...(firedSeconds > limit ? [`${name}: it came after ${firedSeconds} s, not ${limit} s`] : []),
    ...(resolvedSeconds === undefined ? [`${name}: its end never came`] : []),
  ];
}

/**
 * Puts rows into docs/reports/alerts.md, each in the place of an earlier one of the same fault. What
 * none of `faults` brings any more is left out.
 */
export function writeReport(rows: Row[], faults: readonly Fault[]): void {
  const known = new Map(
    [...existingLines(), ...rows.map(lineOf)].map((line) => [keyOf(line), line]),
  );
  const wanted = new Set(
    faults.flatMap(({ what, expects }) =>
      expects.map((expected) => `${nameOf(expected)} | ${what}`),
    ),
  );
  const lines = [...known]
    .filter(([key]) => wanted.has(key))
    .map(([, line]) => line)
    .sort((a, b) => a.localeCompare(b));
  writeFileSync(reportFile, `${introduction}${lines.join('\n')}\n`);
}

const introduction = `# Alerts, fired for real

\`npm run test:alerts\` writes this: a stack with Redis, Kafka and MySQL of its own, people who ask for a coupon, Prometheus, Alertmanager, Debian's exporters and a webhook. Each fault is made, its alert waited for at the webhook, the fault mended, and the end of the alert waited for.

- **after**: seconds from the fault to the webhook. At most ${slackSeconds} more than the window, and at most ${oursSeconds} for what is about issuance itself.
- **window**: seconds for which what it tells of must last: its threshold, the time its rate looks back, and its \`for\`.
- **end**: seconds from the beginning of the mending to the webhook being told that it is over.
- **never**: it was waited for in vain. \`infra/prometheus/alerts.spec.ts\` lets no such row stand.

| alert | fault | after | window | end |
| --- | --- | ---: | ---: | ---: |
`;

function existingLines(): string[] {
  try {
    const lines = readFileSync(reportFile, 'utf8').split('\n');
    return lines.filter((line) => /^\| \w+ \((warning|critical)\) /.test(line));
  } catch {
    return [];
  }
}

function lineOf({ what, expected, firedSeconds, resolvedSeconds }: Row): string {
  const seconds = (value: number | undefined): string => value?.toFixed(1) ?? 'never';
  const cells = [
    nameOf(expected),
    what,
    seconds(firedSeconds),
    String(expected.windowSeconds),
    seconds(resolvedSeconds),
  ];
  return `| ${cells.join(' | ')} |`;
}

function nameOf({ alert, severity }: Expected): string {
  return `${alert} (${severity})`;
}

/** Alert and fault; a formatter may have padded them. */
function keyOf(line: string): string {
  return line
    .split('|')
    .slice(1, 3)
    .map((cell) => cell.trim())
    .join(' | ');
}
