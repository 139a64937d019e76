/** Of what Stryker reports, the part that is counted here. */
export interface MutationReport {
  files: Record<string, { mutants: { status: string; statusReason?: string }[] }>;
}

type Outcome = 'caught' | 'timedOut' | 'survived' | 'met';

/** As a test says it whose own time was up, or one of its hooks. */
const outOfTime = /\btimed out in \d+ms/;

/**
 * One row for each file, for docs/reports/mutation.md. A test that ran out of time has noticed the
 * mutant, or the machine was busy: so those have a column of their own.
 */
export function scoreTable(report: MutationReport): string {
  const rows = Object.entries(report.files)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([file, { mutants }]) => row(`\`${file}\``, mutants));
  const all = Object.values(report.files).flatMap(({ mutants }) => mutants);
  return [
    '| file | mutants | caught | timed out | survived | met by no test | score |',
    '| ---- | ------- | ------ | --------- | -------- | -------------- | ----- |',
    ...rows,
    row('all', all),
    '',
  ].join('\n');
}

function row(name: string, mutants: MutationReport['files'][string]['mutants']): string {
  const counts: Record<Outcome, number> = { caught: 0, timedOut: 0, survived: 0, met: 0 };
  for (const mutant of mutants) {
    const outcome = outcomeOf(mutant);
    if (outcome !== undefined) {
      counts[outcome] += 1;
    }
  }
  const { caught, timedOut, survived, met } = counts;
  const total = caught + timedOut + survived + met;
  const score = total === 0 ? '–' : `${Math.floor((100 * (caught + timedOut)) / total)} %`;
  return `| ${[name, total, caught, timedOut, survived, met, score].join(' | ')} |`;
}

/** `undefined`: it does not compile, or was left out. */
function outcomeOf({
  status,
  statusReason = '',
}: MutationReport['files'][string]['mutants'][number]): Outcome | undefined {
  switch (status) {
    case 'Killed':
      return outOfTime.test(statusReason) ? 'timedOut' : 'caught';
    case 'Timeout':
      return 'timedOut';
    case 'Survived':
      return 'survived';
    case 'NoCoverage':
      return 'met';
    default:
      return undefined;
  }
}
