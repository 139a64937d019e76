import type { Command } from 'commander';
import { Auditor } from '#audit/auditor.ts';
import type { Finding } from '#audit/finding.ts';
import { invariants } from '#audit/finding.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import type { Stores } from '#stores/stores.ts';
import { readableFile, wholeNumber } from './arguments.ts';
import { withStores } from './stores.ts';
import { print, printJson, toOneLine } from './text.ts';

interface VerifyOptions {
  journal?: string;
  wait: number;
  json?: true;
}

/** Of a violation, which may have a user id in it. */
const lineLengthMax = 1_000;

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('check the invariants against the live stores; exit 3 when one does not hold')
    .option(
      '--journal <file>',
      'what clients asked and were told, NDJSON: see docs/operations.md',
      readableFile,
    )
    .option(
      '--wait <seconds>',
      'how long to wait for the system to come to rest',
      wholeNumber(0, 3_600),
      30,
    )
    .option('--json', 'one JSON document instead of lines')
    .action(async (options: VerifyOptions) => {
      const findings = await withStores(['gate', 'ledger', 'log'], (stores) =>
        verify(stores, options),
      );
      if (options.json) {
        printJson({ findings: findings.map(toView) });
      }
      process.exitCode = findings.every(holds) ? exitCodes.fine : exitCodes.promiseVoid;
    });
}

async function verify(
  { ledger, gate, kafka, issuers }: Stores<'gate' | 'ledger' | 'log'>,
  options: VerifyOptions,
): Promise<Finding[]> {
  const auditor = new Auditor(ledger, gate, kafka, issuers);
  const findings: Finding[] = [];
  for await (const finding of auditor.check({
    restTimeoutMs: options.wait * 1_000,
    ...(options.journal === undefined ? {} : { journal: options.journal }),
  })) {
    findings.push(finding);
    if (!options.json) {
      print(describe(finding));
    }
  }
  return findings;
}

/** A finding as `--json` prints it. */
function toView({ couponIds, ...finding }: Finding): object {
  return couponIds === undefined ? finding : { ...finding, coupon_ids: couponIds };
}

/** Without a journal I3 and I7 have nothing to check; anything else that could not be checked is no proof. */
function holds({ invariant, violations, skipped }: Finding): boolean {
  return (
    violations.length === 0 && (skipped === undefined || invariant === 'I3' || invariant === 'I7')
  );
}

function describe({ invariant, violations, checked, skipped }: Finding): string {
  const promise = `${invariant}  ${invariants[invariant]}`;
  if (skipped !== undefined) {
    return `skip  ${promise} (${skipped})\n`;
  }
  const lines = violations
    .map((violation) => `          ${toOneLine(violation, lineLengthMax)}\n`)
    .join('');
  return violations.length === 0
    ? `ok    ${promise} (${checked} checked)\n`
    : `FAIL  ${promise}\n${lines}`;
}
