import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from '../processes/build.ts';
import { onStopSignal, runCommand, unknownArgument } from '../terminal/command.ts';
import { instanceDir, rootDir, statementsDir } from '../processes/paths.ts';
import { runOrThrow } from '../processes/process.ts';
import { createProgress } from '../terminal/progress.ts';
import type { Report } from '../terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { startServers, stopServers } from '../servers/servers.ts';
import { addCounts, countTests, formatCounts, noTests } from './test-counts.ts';
import type { TestCounts } from './test-counts.ts';

const usage = `npm test -- [--faults | --all] [filter …]

Builds, then runs format, lint, types, unit tests and the model, then the integration and end-to-end
tests on real servers of their own (beside a running npm start). The last line counts the tests.

  --faults   only the fault suite, which freezes and kills what runs (npm run test:faults)
  --all      the fault suite as well, after the other tests
  filter     only test files whose path contains it, for example libs/gate; the checks of
             format, lint and types are left out
`;

interface Suites {
  /** Need no server. */
  quick: string[];
  onServers: string[];
}

const usual: Suites = {
  quick: ['unit', 'model'],
  onServers: ['integration', 'e2e', 'outage', 'last'],
};
const faults = ['faults', 'faults-alone'];
const suites: Record<string, Suites> = {
  usual,
  '--faults': { quick: [], onServers: faults },
  '--all': { ...usual, onServers: [...usual.onServers, ...faults] },
};

const instance = 'test';
const checks = ['format:check', 'lint', 'boundaries', 'types'];
const report = createProgress();
const interrupted = new AbortController();

await runCommand(usage, async (args) => {
  const { suite, filters } = readArguments(args);
  const removeHandlers = onStopSignal(
    () => interrupted.abort(),
    () => undefined,
  );
  const counts = await runAll(suite, filters, report);
  removeHandlers();
  const nothingRan = counts.passed + counts.failed === 0;
  if (nothingRan) {
    process.stdout.write('No test ran.\n');
  }
  process.stdout.write(`${formatCounts(counts)}\n`);
  return counts.failed > 0 || nothingRan ? 1 : 0;
});

function readArguments(args: string[]): { suite: Suites; filters: string[] } {
  const options = args.filter((argument) => argument.startsWith('--'));
  const unknown = options.find((option) => !Object.hasOwn(suites, option));
  if (unknown !== undefined) {
    throw unknownArgument(unknown, usage);
  }
  return {
    suite: suites[options[0] ?? 'usual']!,
    filters: args.filter((argument) => !argument.startsWith('--')),
  };
}

/** A step that fails before any test of its own counts as one failed test, and ends the run. */
async function runAll(suite: Suites, filters: string[], progress: Report): Promise<TestCounts> {
  let counts = noTests;
  try {
    await ensureBuilt(progress);
    for (const check of filters.length === 0 && suite.quick.length > 0 ? checks : []) {
      interrupted.signal.throwIfAborted();
      await progress.step(check, () =>
        runOrThrow(check, 'npm', ['run', '-s', check], { cwd: rootDir }),
      );
    }
    interrupted.signal.throwIfAborted();
    if (filters.length === 0 && suite.onServers.includes('last')) {
      rmSync(statementsDir(), { recursive: true, force: true });
    }
    if (suite.quick.length > 0) {
      counts = await runVitest(suite.quick, filters, {});
    }
    if (counts.failed === 0) {
      counts = addCounts(counts, await runOnServers(suite.onServers, filters, progress));
    }
    interrupted.signal.throwIfAborted();
    return counts;
  } catch (error) {
    const why = interrupted.signal.aborted ? 'Interrupted.' : messageOf(error);
    process.stderr.write(`${why}\n`);
    return { ...counts, failed: Math.max(counts.failed, 1) };
  }
}

async function runOnServers(
  projects: string[],
  filters: string[],
  progress: Report,
): Promise<TestCounts> {
  const { env } = await startServers(instance, progress, interrupted.signal);
  try {
    return await runVitest(projects, filters, env);
  } finally {
    await progress.step('stopping the servers', () => stopServers(instance));
  }
}

/** Shows vitest's output as it comes; the counts come from its report file. */
async function runVitest(
  projects: string[],
  filters: string[],
  env: Record<string, string>,
): Promise<TestCounts> {
  const reportFile = join(instanceDir(instance), `${projects.join('-')}.results.json`);
  rmSync(reportFile, { force: true });
  const vitest = spawn(
    process.execPath,
    [
      join(rootDir, 'node_modules', '.bin', 'vitest'),
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      // Whether any test ran is judged at the end, over all projects.
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...filters,
    ],
    { cwd: rootDir, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const forward = (): boolean => vitest.kill('SIGTERM');
  interrupted.signal.addEventListener('abort', forward);
  const code = await new Promise<number | null>((resolve, reject) => {
    vitest.once('error', reject);
    vitest.once('exit', resolve);
  });
  interrupted.signal.removeEventListener('abort', forward);
  return countTests(reportFile, code);
}
