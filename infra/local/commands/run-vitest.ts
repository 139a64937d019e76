import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { instanceDir, rootDir } from '../processes/paths.ts';
import { lowerPriority } from '../processes/priority.ts';
import { countTests } from './test-counts.ts';
import type { TestCounts } from './test-counts.ts';

export interface VitestRun {
  /** Of vitest.config.ts. */
  projects: string[];
  /** Only test files whose path contains one of them; all when there are none. */
  filters: string[];
  /** Added to the environment. */
  env?: Record<string, string>;
  abort: AbortSignal;
  /** Leaves the CPU to whatever else wants it. */
  isPatient?: boolean;
}

/** Shows vitest's output as it comes; the counts come from its report file. */
export function runVitest(run: VitestRun): Promise<TestCounts> {
  return counted(run, 'inherit', () => undefined);
}

/** The same, with its output in one piece when it ends: it does not break up that of what runs meanwhile. */
export function runVitestBeside(run: VitestRun): Promise<TestCounts> {
  const output: Buffer[] = [];
  const counts = counted(run, 'pipe', (vitest) => {
    if (run.isPatient === true) {
      lowerPriority(vitest.pid!);
    }
    for (const stream of [vitest.stdout, vitest.stderr]) {
      stream!.on('data', (chunk: Buffer) => output.push(chunk));
    }
  });
  return counts.finally(() => process.stdout.write(Buffer.concat(output)));
}

async function counted(
  { projects, filters, env, abort }: VitestRun,
  output: 'inherit' | 'pipe',
  onSpawned: (vitest: ChildProcess) => void,
): Promise<TestCounts> {
  const reportFile = join(instanceDir('test'), `${projects.join('-')}.results.json`);
  rmSync(reportFile, { force: true });
  const args = [
    join(rootDir, 'node_modules', '.bin', 'vitest'),
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    // Whether any test ran is judged at the end, over all projects.
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    ...filters,
  ];
  const vitest = spawn(process.execPath, args, {
    cwd: rootDir,
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    vitest.once('error', reject);
    vitest.once('close', resolve);
  });
  vitest.once('spawn', () => onSpawned(vitest));
  const forward = (): boolean => vitest.kill('SIGTERM');
  abort.addEventListener('abort', forward);
  const code = await ended;
  abort.removeEventListener('abort', forward);
  return countTests(reportFile, code);
}
