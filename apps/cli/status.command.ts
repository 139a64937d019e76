import type { Command } from 'commander';
import type { Config } from '#platform/config/config.ts';
import { parseConfig } from '#platform/config/config.ts';
import type { ExitCode } from '#platform/command/exit-codes.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { pauseFor } from '#platform/work/waiting.ts';
import { look } from './status/look/look.ts';
import { screenOf } from './status/screen/screen.ts';
import { openStatusStores } from './status/look/status-stores.ts';
import { toStatusView } from './status/status-view.ts';
import type { SystemStatus } from './status/system-status.ts';
import { statusOf } from './status/status.ts';
import { canvasOf } from './status/screen/terminal.ts';
import { watch } from './status/screen/watch.ts';
import { printJson } from './text.ts';

/** Rates are measured over so long. */
const apartMs = 1_000;

export function addStatusCommands(program: Command): void {
  program
    .command('status')
    .description('how issuance is: one verdict in words, then coupons, log, stores and alerts')
    .option('--json', 'one JSON document instead of lines')
    .addHelpText(
      'after',
      `\nExit code: ${exitCodes.fine} while it works, or catches up; ${exitCodes.failed} when something stands still: a gate is shut, or nobody decides; ${exitCodes.promiseVoid} when a coupon does not add up; ${exitCodes.storeAway} when a store is away.`,
    )
    .action(async (options: { json?: true }) => {
      const status = await takeStatus(parseConfig());
      if (options.json) {
        printJson(toStatusView(status));
      } else {
        process.stdout.write(`${screenOf(status, canvasOf(process.stdout)).join('\n')}\n`);
      }
      await endWith(exitCodeOf(status));
    });
  program
    .command('watch')
    .description('the status again each second until q or Ctrl-C; in a pipe a line each')
    .option('--json', 'one JSON document on one line each second')
    .action(async (options: { json?: true }) => {
      await watch(parseConfig(), options);
      await endWith(exitCodes.fine);
    });
}

/** Once all is written. The client of a store that stands still would go on asking it for a minute. */
async function endWith(exitCode: ExitCode): Promise<never> {
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit(exitCode);
}

async function takeStatus(config: Config): Promise<SystemStatus> {
  const stores = openStatusStores(config);
  try {
    const before = await look(stores, config);
    await pauseFor(apartMs, new AbortController().signal);
    return statusOf(before, await look(stores, config));
  } finally {
    await stores.close();
  }
}

function exitCodeOf({ problems, totals }: SystemStatus): ExitCode {
  const kinds = new Set(problems.map(({ kind }) => kind));
  if (kinds.has('conservation')) {
    return exitCodes.promiseVoid;
  }
  if (kinds.has('store_away')) {
    return exitCodes.storeAway;
  }
  const stands =
    kinds.has('gate_shut') ||
    kinds.has('gate_refuses') ||
    kinds.has('nobody_decides') ||
    (kinds.has('lag') && totals.drainS === null);
  return stands ? exitCodes.failed : exitCodes.fine;
}
