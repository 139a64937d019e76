import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localDir, rootDir } from '../../infra/local/processes/paths.ts';
import { startServers, stopServers } from '../../infra/local/servers/servers.ts';
import { runInterruptible } from '../../infra/local/terminal/command.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import { ReadableError } from '../../infra/local/terminal/readable-error.ts';
import type { MutationReport } from './mutation-scores.ts';
import { scoreTable } from './mutation-scores.ts';

const usage = `npm run mutants -- [--unit] [folder or file or file:10-80 …] [spec …]

Lets Stryker change the sources in every way it knows, and says which changes no test of the same
folder notices: unit and integration tests, on one set of servers. A change takes some two seconds;
there are hundreds in a folder. Results and what they mean: docs/reports/mutation.md.

  --unit           unit tests only, without servers: a second or less for each change
  a/b.spec.ts …    these tests only, where those of the folder take long; also outage tests, which
                   no folder brings along
`;

const allFolders = ['libs/coupon', 'libs/admission', 'libs/gate', 'apps/keeper', 'apps/issuer'];
const instance = 'test';
const directory = join(localDir, 'mutants');
/** Of this run alone: its configuration, and copies of the sources that Stryker changes. */
const scratch = join(directory, `run-${process.pid}`);
const reportFile = join(directory, 'mutants.json');

await runInterruptible(usage, (args, abort) => {
  const paths = args.filter((arg) => arg !== '--unit');
  const sources = paths.filter((path) => !path.endsWith('.spec.ts'));
  const run = {
    sources: sources.length > 0 ? sources : allFolders,
    specs: paths.filter((path) => path.endsWith('.spec.ts')),
    isUnit: args.includes('--unit'),
  };
  return mutate(run, abort);
});

interface Run {
  sources: string[];
  /** None: those of the same folders. */
  specs: string[];
  isUnit: boolean;
}

async function mutate(run: Run, abort: AbortSignal): Promise<number> {
  const missing = [...run.sources, ...run.specs].find(
    (path) => !existsSync(join(rootDir, withoutLines(path))),
  );
  if (missing !== undefined) {
    throw new ReadableError(`There is no ${missing} here.`, 2);
  }
  rmSync(reportFile, { force: true });
  if (run.isUnit) {
    return runStryker(run, {}, abort);
  }
  const progress = createProgress();
  const { env } = await startServers(instance, progress, abort);
  try {
    return await runStryker(run, env, abort);
  } finally {
    await progress.step('stopping the servers', () => stopServers(instance));
  }
}

async function runStryker(
  { sources, specs, isUnit }: Run,
  env: Record<string, string>,
  abort: AbortSignal,
): Promise<number> {
  const folders = new Set(sources.map((path) => (isFile(path) ? join(path, '..') : path)));
  const ofFolders = [...folders].map((folder) => `${folder}/**/*.spec.ts`);
  const settings = {
    MUTANT_SPECS: (specs.length > 0 ? specs : ofFolders).join(),
    MUTANT_KINDS: isUnit ? 'unit' : specs.length > 0 ? 'named' : 'unit and integration',
  };
  try {
    const stryker = spawn(
      process.execPath,
      [join(rootDir, 'node_modules', '.bin', 'stryker'), 'run', writeConfig(sources)],
      {
        cwd: rootDir,
        env: { ...process.env, ...env, ...settings },
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    // It stops its own processes, and is waited for.
    abort.addEventListener('abort', () => stryker.kill('SIGTERM'), { once: true });
    const [code] = (await once(stryker, 'exit')) as [number | null];
    abort.throwIfAborted();
    if (existsSync(reportFile)) {
      const report = JSON.parse(readFileSync(reportFile, 'utf8')) as MutationReport;
      process.stdout.write(`\n${scoreTable(report)}\n`);
    }
    return code ?? 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function writeConfig(sources: string[]): string {
  const config = {
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutations/mutants.vitest.config.ts' },
    mutate: [
      ...sources.map((path) => (isFile(path) ? path : `${path}/**/*.ts`)),
      '!**/*.{spec,fixture}.ts',
    ],
    ignorePatterns: ['.local', 'dist', 'docs'],
    coverageAnalysis: 'perTest',
    // Several at once would share servers and cores, and be slower.
    concurrency: 1,
    // Longer than the tests allow themselves: what hangs is then told by a test, not by a restart.
    timeoutMS: 40_000,
    timeoutFactor: 2,
    tempDirName: scratch,
    reporters: ['clear-text', 'json', 'progress-append-only'],
    jsonReporter: { fileName: reportFile },
  };
  mkdirSync(scratch, { recursive: true });
  const file = join(scratch, 'stryker.config.json');
  writeFileSync(file, JSON.stringify(config, null, 2));
  return file;
}

/** Stryker takes lines of a file as `file.ts:10-80`. */
function withoutLines(path: string): string {
  return path.replace(/:[\d:-]+$/, '');
}

function isFile(path: string): boolean {
  return withoutLines(path).endsWith('.ts');
}
