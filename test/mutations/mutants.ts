import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localDir, rootDir } from '../../infra/local/processes/paths.ts';
import { startServers, stopServers } from '../../infra/local/servers/servers.ts';
import { runInterruptible } from '../../infra/local/terminal/command.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import { ReadableError } from '../../infra/local/terminal/readable-error.ts';

const usage = `npm run mutants -- [folder or file …]

Lets Stryker change the sources in every way it knows, and says which changes no test of the same
folder notices: unit and integration tests, on one set of servers. Takes from minutes (libs/coupon)
to an hour. Results and what they mean: docs/reports/mutation.md.
`;

const folders = ['libs/coupon', 'libs/admission', 'libs/gate', 'apps/keeper', 'apps/issuer'];
const instance = 'test';
const directory = join(localDir, 'mutants');

await runInterruptible(usage, (args, abort) => mutate(args.length > 0 ? args : folders, abort));

async function mutate(chosen: string[], abort: AbortSignal): Promise<number> {
  const missing = chosen.find((path) => !existsSync(join(rootDir, path)));
  if (missing !== undefined) {
    throw new ReadableError(`There is no ${missing} here.`, 2);
  }
  const progress = createProgress();
  const { env } = await startServers(instance, progress, abort);
  try {
    const specs = chosen.map((path) => (path.endsWith('.ts') ? join(path, '..') : path));
    const stryker = spawn(
      process.execPath,
      [join(rootDir, 'node_modules', '.bin', 'stryker'), 'run', writeConfig(chosen)],
      {
        cwd: rootDir,
        env: { ...process.env, ...env, MUTANT_FOLDERS: [...new Set(specs)].join() },
        stdio: ['ignore', 'inherit', 'inherit'],
        signal: abort,
      },
    );
    const [code] = (await once(stryker, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    await progress.step('stopping the servers', () => stopServers(instance));
  }
}

function writeConfig(chosen: string[]): string {
  const config = {
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutations/mutants.vitest.config.ts' },
    mutate: [
      ...chosen.map((path) => (path.endsWith('.ts') ? path : `${path}/**/*.ts`)),
      '!**/*.spec.ts',
    ],
    ignorePatterns: ['.local', 'dist', 'docs'],
    coverageAnalysis: 'perTest',
    // Several at once would share servers and cores, and be slower.
    concurrency: 1,
    timeoutMS: 30_000,
    tempDirName: join(directory, 'sandboxes'),
    reporters: ['clear-text', 'json', 'progress-append-only'],
    jsonReporter: { fileName: join(directory, 'mutants.json') },
  };
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'stryker.config.json');
  writeFileSync(file, JSON.stringify(config, null, 2));
  return file;
}
