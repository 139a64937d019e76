import type { Command } from 'commander';
import type { CheckResult, Verdict } from '#platform/checks/check.ts';
import { judgeClocks } from '#platform/checks/round-trips.ts';
import { runCheck } from '#platform/checks/run-check.ts';
import { checkIdentity } from '#identity/identity-check.ts';
import { checkSurroundings } from '#platform/checks/surroundings.ts';
import type { Config } from '#platform/config/config.ts';
import { parseConfig } from '#platform/config/config.ts';
import type { ExitCode } from '#platform/command/exit-codes.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { openAllChecks } from '#stores/store-checks.ts';
import { print, printJson, toOneLine } from './text.ts';

/** A store that does not answer costs no more; all are asked at the same time. */
const limitMs = 6_000;
const lineMax = 400;

const marks: Record<Verdict, string> = {
  ok: 'ok',
  warning: 'warning',
  promise_void: 'VOID',
  away: 'AWAY',
};

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check stores and surroundings: what a promise needs, and what to run where it is not so',
    )
    .option('--json', 'one JSON document instead of lines')
    .addHelpText(
      'after',
      `\nExit code: ${exitCodes.fine} when no promise is void, ${exitCodes.promiseVoid} when one is, ${exitCodes.storeAway} when a store could not be asked.`,
    )
    .action(async (options: { json?: true }) => {
      const results = await examine(parseConfig());
      if (options.json) {
        printJson(toView(results));
      } else {
        print(describe(results));
      }
      process.exitCode = exitCodeOf(results);
    });
}

async function examine(config: Config): Promise<CheckResult[]> {
  const { checks, close } = openAllChecks(config);
  try {
    const all = {
      ...checks,
      identity: () => checkIdentity(config),
      host: () => checkSurroundings(config),
    };
    const found = await Promise.all(
      Object.entries(all).map(([store, check]) => runCheck(store, check, limitMs)),
    );
    const results = found.flat();
    return [...results, ...judgeClocks(results)];
  } finally {
    await close();
  }
}

function exitCodeOf(results: CheckResult[]): ExitCode {
  const verdicts = new Set(results.map(({ verdict }) => verdict));
  if (verdicts.has('promise_void')) {
    return exitCodes.promiseVoid;
  }
  return verdicts.has('away') ? exitCodes.storeAway : exitCodes.fine;
}

function toView(results: CheckResult[]): object {
  const worst = (['promise_void', 'away', 'warning'] as const).find((verdict) =>
    results.some((result) => result.verdict === verdict),
  );
  const checks = results.map(({ name, verdict, message, why, remedy }) => ({
    name,
    verdict,
    message,
    why,
    remedy,
  }));
  return { verdict: worst ?? 'ok', checks };
}

function describe(results: CheckResult[]): string {
  const nameWidth = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(({ name, verdict, message, why, remedy }) => {
    const told = [
      message,
      ...(why === undefined ? [] : [`why: ${why}`]),
      ...(remedy === undefined ? [] : [`do: ${remedy}`]),
    ].join(' | ');
    return `${marks[verdict].padEnd(7)}  ${name.padEnd(nameWidth)}  ${toOneLine(told, lineMax)}\n`;
  });
  return `${lines.join('')}${summary(results)}\n`;
}

function summary(results: CheckResult[]): string {
  const count = (verdict: Verdict): number =>
    results.filter((result) => result.verdict === verdict).length;
  return `${count('ok')} ok, ${count('warning')} warnings, ${count('promise_void')} promises void, ${count('away')} could not be asked`;
}
