import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { instanceDir, rootDir } from '../../infra/local/processes/paths.ts';
import { startServers, stopServers } from '../../infra/local/servers/servers.ts';
import { runInterruptible } from '../../infra/local/terminal/command.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import { ReadableError } from '../../infra/local/terminal/readable-error.ts';
import { mutate, sourceMutations } from './source-mutations.ts';
import type { SourceMutation } from './source-mutations.ts';

const usage = `npm run test:mutations -- [filter]

Puts changes that break a promise into the code, one after another, and demands that the test which
holds that promise fails. They are listed in test/mutations/source-mutations.ts.

  filter   only changes whose name or file contains it
`;

const instance = 'test';
const reportFile = join(instanceDir(instance), 'mutations.results.json');

interface VitestReport {
  testResults: { assertionResults: { title: string; status: string }[] }[];
}

await runInterruptible(usage, (args, abort) => testMutations(args[0] ?? '', abort));

async function testMutations(filter: string, abort: AbortSignal): Promise<number> {
  const chosen = sourceMutations.filter(({ name, file }) => `${name} ${file}`.includes(filter));
  if (chosen.length === 0) {
    throw new ReadableError(`No change has "${filter}" in its name or file.`);
  }
  for (const mutation of chosen) {
    mutate(readFileSync(join(rootDir, mutation.file), 'utf8'), mutation);
  }
  const progress = createProgress();
  const { env } = await startServers(instance, progress, abort);
  try {
    const asItIs = await progress.step('the code as it is', () =>
      statusesIn([...new Set(chosen.map(({ spec }) => spec))], env, abort),
    );
    let lived = 0;
    for (const mutation of chosen) {
      const verdict = await judge(mutation, asItIs, env, abort);
      lived += Number(verdict !== 'caught');
      process.stdout.write(`${verdict.padEnd(7)}  ${mutation.name} (${mutation.file})\n`);
      process.stdout.write(`         by ${mutation.spec} › ${mutation.test}\n`);
    }
    process.stdout.write(`${chosen.length - lived} passed, ${lived} failed\n`);
    return lived === 0 ? 0 : 1;
  } finally {
    await progress.step('stopping the servers', () => stopServers(instance));
  }
}

async function judge(
  mutation: SourceMutation,
  asItIs: Map<string, string>,
  env: Record<string, string>,
  abort: AbortSignal,
): Promise<'caught' | 'LIVED' | 'NO TEST'> {
  if (statusOf(mutation, asItIs) !== 'passed') {
    return 'NO TEST';
  }
  const withIt = await statusesIn(
    [mutation.spec],
    { ...env, SOURCE_MUTATION: mutation.name },
    abort,
  );
  return statusOf(mutation, withIt) === 'failed' ? 'caught' : 'LIVED';
}

function statusOf({ test }: SourceMutation, statuses: Map<string, string>): string | undefined {
  return [...statuses].find(([title]) => title.includes(test))?.[1];
}

/** How each test of these files ended, by its name. */
async function statusesIn(
  specs: string[],
  env: Record<string, string>,
  abort: AbortSignal,
): Promise<Map<string, string>> {
  abort.throwIfAborted();
  rmSync(reportFile, { force: true });
  const vitest = spawn(
    process.execPath,
    [
      join(rootDir, 'node_modules', '.bin', 'vitest'),
      'run',
      '--config=test/mutations/vitest.config.ts',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...specs,
    ],
    { cwd: rootDir, env: { ...process.env, ...env }, stdio: 'ignore', signal: abort },
  );
  await once(vitest, 'exit');
  const { testResults } = JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return new Map(tests.map(({ title, status }) => [title, status]));
}
