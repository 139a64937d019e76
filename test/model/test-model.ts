import { ensureBuilt } from '../../infra/local/processes/build.ts';
import { runCommand } from '../../infra/local/terminal/command.ts';
import { Options } from '../../infra/local/terminal/options.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';

const usage = `npm run test:model -- [--schedules N] [--seed S]

Runs random schedules of the model of the protocol (test/model), on every core. Prints the first one
that breaks an invariant, step by step, and exits with 1.

  --schedules N   how many (default: 100000)
  --seed S        the first seed (default: 1); without --schedules, that schedule alone is run and
                  all its steps are printed
`;

const schedulesDefault = 100_000;
const progressEveryMs = 2_000;
const report = createProgress();

await runCommand(usage, async (args) => {
  const { schedules, seed } = parse(args);
  // The model decides with the built `decide` of libs/coupon.
  await ensureBuilt(report);
  return seed !== undefined && schedules === undefined
    ? replay(seed)
    : runMany({ first: seed ?? 1, count: schedules ?? schedulesDefault });
});

async function replay(seed: number): Promise<number> {
  const { runRandom } = await import('./search/random-schedules.ts');
  const { anything } = await import('./scenarios.ts');
  const { describeTrace } = await import('./search/finding.ts');
  const { violation, trace } = runRandom(anything, seed);
  process.stdout.write(`${describeTrace(trace)}\n${violation ?? 'No invariant breaks.'}\n`);
  return violation === null ? 0 : 1;
}

async function runMany(seeds: { first: number; count: number }): Promise<number> {
  const { searchInParallel } = await import('./search/parallel-search.ts');
  const { describeFinding } = await import('./search/finding.ts');
  const startedAt = performance.now();
  let toldAt = startedAt;
  const { finding, schedules, steps, faults } = await searchInParallel(seeds, (soFar) => {
    if (performance.now() - toldAt > progressEveryMs) {
      toldAt = performance.now();
      report.line(`… ${soFar.schedules} of ${seeds.count} random schedules`);
    }
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(
    `${finding === null ? 'No invariant breaks.' : describeFinding(finding)}\n` +
      `${schedules} random schedules, ${steps} steps, ${faults} faults, ${seconds} s\n`,
  );
  return finding === null ? 0 : 1;
}

function parse(args: string[]): { schedules?: number; seed?: number } {
  const given = new Options(args, ['schedules', 'seed'], usage);
  const number = (name: 'schedules' | 'seed') =>
    given.text(name) === undefined ? {} : { [name]: given.wholeNumber(name, 1, 1, 999_999_999) };
  return { ...number('schedules'), ...number('seed') };
}
