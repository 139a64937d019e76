import { globSync, rmSync } from 'node:fs';
import { ensureBuilt } from '../processes/build.ts';
import { onStopSignal, runCommand, unknownArgument } from '../terminal/command.ts';
import { rootDir, statementsDir } from '../processes/paths.ts';
import type { Instance } from '../processes/paths.ts';
import { runOrThrow } from '../processes/process.ts';
import { createProgress } from '../terminal/progress.ts';
import type { Report } from '../terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { startServers, stopServers } from '../servers/servers.ts';
import type { Endpoints } from '../servers/servers.ts';
import { runVitest, runVitestBeside } from './run-vitest.ts';
import type { VitestRun } from './run-vitest.ts';
import { addCounts, formatCounts, noTests } from './test-counts.ts';
import type { TestCounts } from './test-counts.ts';

const usage = `npm test -- [--faults | --all] [filter …]

Builds and checks format, lint and types, runs the unit tests, then the integration and end-to-end
tests on real servers of their own (beside a running npm start), with the model and the tests that
stop servers beside them. The last line counts the tests.

  --faults   only the fault suite, which freezes and kills what runs (npm run test:faults)
  --all      the fault suite as well, after the other tests
  filter     only test files whose path contains it, for example libs/gate; the checks of
             format, lint and types are left out
`;

interface Suites {
  /** Need no server. What follows is run only when they pass. */
  quick: string[];
  /** Need no server, and much CPU: run beside those that wait for servers. */
  beside: string[];
  onServers: string[];
  /** Stop servers: they have some of their own, beside those of `onServers`. */
  outage: string[];
}

const usual: Suites = {
  quick: ['unit', 'unit-isolated'],
  beside: ['model'],
  onServers: ['integration', 'e2e', 'last'],
  outage: ['outage'],
};
const faults = ['faults', 'faults-alone'];
const suites: Record<string, Suites> = {
  usual,
  '--faults': { quick: [], beside: [], onServers: faults, outage: [] },
  '--all': { ...usual, onServers: [...usual.onServers, ...faults] },
};

const checks = ['format:check', 'lint', 'boundaries'];
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
    await buildAndCheck(filters.length === 0 && suite.quick.length > 0 ? checks : [], progress);
    interrupted.signal.throwIfAborted();
    if (filters.length === 0 && suite.onServers.includes('last')) {
      rmSync(statementsDir(), { recursive: true, force: true });
    }
    const run = { filters, abort: interrupted.signal };
    if (suite.quick.length > 0) {
      counts = await runVitest({ ...run, projects: suite.quick });
    }
    if (counts.failed === 0) {
      const up = startServers('test', progress, run.abort);
      const rest = [runOnServers('test', up, { ...run, projects: suite.onServers }, progress)];
      if (suite.beside.length > 0) {
        rest.push(runVitestBeside({ ...run, projects: suite.beside, isPatient: true }));
      }
      if (hasOutages(suite, filters)) {
        // Afterwards: what the first ones need is installed by then.
        const more = up.then(() => startServers('test-outage', progress, run.abort));
        rest.push(runOnServers('test-outage', more, { ...run, projects: suite.outage }, progress));
      }
      counts = (await allEnded(rest)).reduce(addCounts, counts);
    }
    interrupted.signal.throwIfAborted();
    return counts;
  } catch (error) {
    const why = interrupted.signal.aborted ? 'Interrupted.' : messageOf(error);
    process.stderr.write(`${why}\n`);
    return { ...counts, failed: Math.max(counts.failed, 1) };
  }
}

/** All at once: none needs what another one makes, and each has but one CPU's worth of work. */
async function buildAndCheck(names: string[], progress: Report): Promise<void> {
  const check = async (name: string): Promise<void> => {
    const run = (): Promise<string> =>
      runOrThrow(name, 'npm', ['run', '-s', name], { cwd: rootDir });
    await progress.step(name, run);
  };
  await allEnded([ensureBuilt(progress), ...names.map(check)]);
}

/** Servers take long to start: not for filters that leave out all that would stop them. */
function hasOutages({ outage }: Suites, filters: string[]): boolean {
  const specs = globSync('{apps,libs,test}/**/*.outage.spec.ts', { cwd: rootDir });
  const isWanted = (spec: string): boolean => filters.some((filter) => spec.includes(filter));
  return outage.length > 0 && (filters.length === 0 || specs.some(isWanted));
}

async function runOnServers(
  instance: Instance,
  up: Promise<Endpoints>,
  run: VitestRun,
  progress: Report,
): Promise<TestCounts> {
  const env = { ...(await up).env, SERVERS_INSTANCE: instance };
  try {
    return await (instance === 'test' ? runVitest : runVitestBeside)({ ...run, env });
  } finally {
    await progress.step(`stopping the servers of ${instance}`, () => stopServers(instance));
  }
}

/** Rejects, when one of them does, once nothing is under way any more. */
async function allEnded<T>(work: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
