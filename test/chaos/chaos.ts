import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureBuilt } from '../../infra/local/processes/build.ts';
import { runInterruptible } from '../../infra/local/terminal/command.ts';
import { localDir } from '../../infra/local/processes/paths.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import type { Report } from '../../infra/local/terminal/progress.ts';
import { startServers, stopServers } from '../../infra/local/servers/servers.ts';
import type { ChaosResult } from './chaos-result.ts';
import { formatResult, summarize } from './chaos-result.ts';
import { ChaosRun } from './chaos-run.ts';
import { parseOptions, usage } from './options.ts';
import type { ChaosOptions } from './options.ts';

/** The servers of npm test: what is killed here must serve nothing else. */
const instance = 'test';

await runInterruptible(usage, (args, abort) => chaos(parseOptions(args), createProgress(), abort));

async function chaos(options: ChaosOptions, report: Report, abort: AbortSignal): Promise<number> {
  const { seed, minutes, requestsPerSecond } = options;
  report.line(`seed ${seed}`);
  await ensureBuilt(report);
  const { env } = await startServers(instance, report, abort);
  const journalFile = join(localDir, 'chaos', `seed-${seed}.answers.ndjson`);
  const settings = { instance, env, seed, requestsPerSecond, journalFile } as const;
  let result: ChaosResult;
  try {
    result = await new ChaosRun({ ...settings, seconds: minutes * 60 }, report, abort).run();
  } finally {
    await report.step('stopping the servers', () => stopServers(instance));
  }
  mkdirSync(dirname(options.jsonFile), { recursive: true });
  const document = { ...options, ...result, byKind: summarize(result.faults) };
  writeFileSync(options.jsonFile, `${JSON.stringify(document, null, 2)}\n`);
  process.stdout.write(`\n${formatResult(result)}\nEvery figure: ${options.jsonFile}\n`);
  if (result.failures.length > 0) {
    process.stdout.write(
      `Every answer: ${journalFile}\nAgain: npm run test:chaos -- --seed ${seed}\n`,
    );
    return 1;
  }
  rmSync(journalFile, { force: true });
  return 0;
}
