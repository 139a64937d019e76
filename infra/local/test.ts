import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './build.ts';
import { onStopSignal, runCommand } from './command.ts';
import { instanceDir, rootDir } from './paths.ts';
import { runOrThrow } from './process.ts';
import { createProgress } from './progress.ts';
import type { Report } from './progress.ts';
import { reason } from './readable-error.ts';
import { startServers, stopServers } from './servers.ts';
import { addCounts, countTests, formatCounts, noTests } from './test-counts.ts';
import type { TestCounts } from './test-counts.ts';

const usage = `npm test -- [filter …]

Builds, then runs format, lint, types and unit tests, then the integration and end-to-end tests on
real servers of their own (beside a running npm start). The last line counts the tests.

  filter   only test files whose path contains it, for example libs/reservation; the checks of
           format, lint and types are left out
`;

const instance = 'test';
const checks = ['format:check', 'lint', 'types'];
const report = createProgress();
const interrupted = new AbortController();

await runCommand(usage, async (args) => {
  const filters = args.filter((argument) => argument !== '--only');
  const removeHandlers = onStopSignal(
    () => interrupted.abort(),
    () => undefined,
  );
  const counts = await runAll(filters, report);
  removeHandlers();
  const nothingRan = counts.passed + counts.failed === 0;
  if (nothingRan) {
    process.stdout.write('No test ran.\n');
  }
  process.stdout.write(`${formatCounts(counts)}\n`);
  return counts.failed > 0 || nothingRan ? 1 : 0;
});

/** A step that fails before any test of its own counts as one failed test, and ends the run. */
async function runAll(filters: string[], progress: Report): Promise<TestCounts> {
  let counts = noTests;
  try {
    await ensureBuilt(progress);
    for (const check of filters.length === 0 ? checks : []) {
      interrupted.signal.throwIfAborted();
      await progress.step(check, () =>
        runOrThrow(check, 'npm', ['run', '-s', check], { cwd: rootDir }),
      );
    }
    interrupted.signal.throwIfAborted();
    counts = await runVitest(['unit'], filters, {});
    if (counts.failed === 0) {
      counts = addCounts(counts, await runOnServers(filters, progress));
    }
    interrupted.signal.throwIfAborted();
    return counts;
  } catch (error) {
    const why = interrupted.signal.aborted ? 'Interrupted.' : reason(error);
    process.stderr.write(`${why}\n`);
    return { ...counts, failed: Math.max(counts.failed, 1) };
  }
}

async function runOnServers(filters: string[], progress: Report): Promise<TestCounts> {
  const { env } = await startServers(instance, progress, interrupted.signal);
  try {
    return await runVitest(['integration', 'e2e'], filters, env);
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
