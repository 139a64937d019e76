import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CouponHistory } from '#audit/history/coupon-history.ts';
import { findImpossible } from '#audit/history/possible-order.ts';
import { findWrongIds } from '#audit/history/told-ids.ts';
import { localDir } from '../../infra/local/processes/paths.ts';
import { runToEnd } from '../../infra/local/processes/process.ts';
import { runCommand } from '../../infra/local/terminal/command.ts';
import { Options } from '../../infra/local/terminal/options.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import { ReadableError } from '../../infra/local/terminal/readable-error.ts';
import { formatTable } from '../../infra/local/terminal/table.ts';
import { randomOf } from '../model/search/random.ts';
import { operationsOf } from './all-orders.ts';
import { aBrokenHistory, aRightHistory } from './random-histories.ts';

const usage = `npm run test:history -- [--histories N] [--seed S]

Holds the check of histories (I7 of verify) against porcupine, an independent checker in Go, on small
random histories: half of them of a coupon that works, half of them broken. Both must say the same of
each. Needs Go, and once the network, to fetch porcupine.

  --histories N   how many           (10000)
  --seed S        which              (1)
`;

const askedMax = 10;
const source = join(import.meta.dirname, 'porcupine');
const binary = join(localDir, 'history', 'porcupine');

await runCommand(usage, async (args) => {
  const options = new Options(args, ['histories', 'seed'], usage);
  const count = options.wholeNumber('histories', 10_000, 2, 10_000_000);
  const seed = options.wholeNumber('seed', 1, 0, 2 ** 32 - 1);
  const report = createProgress();
  await report.step('porcupine', build);
  const random = randomOf(seed);
  const histories = Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? aRightHistory(random, askedMax) : aBrokenHistory(random, askedMax),
  );
  const theirs = await report.step('its verdicts', () => askPorcupine(histories));
  return compare(histories, theirs);
});

async function build(): Promise<void> {
  mkdirSync(join(localDir, 'history'), { recursive: true });
  const { code, output } = await runToEnd('go', ['build', '-o', binary, '.'], { cwd: source });
  if (code === 127) {
    throw new ReadableError(
      'There is no Go here (https://go.dev/dl): the check has nothing to be held against.',
    );
  }
  if (code !== 0) {
    throw new ReadableError(`go build failed:\n${output}`);
  }
}

async function askPorcupine(histories: CouponHistory[]): Promise<boolean[]> {
  const porcupine = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] });
  const verdicts = text(porcupine.stdout);
  porcupine.stdin.end(
    histories.map((history) => `${JSON.stringify(toOperations(history))}\n`).join(''),
  );
  const [code] = (await once(porcupine, 'exit')) as [number | null];
  const lines = (await verdicts).trimEnd().split('\n');
  if (code !== 0 || lines.length !== histories.length) {
    throw new Error(`porcupine ended with ${code} after ${lines.length} verdicts`);
  }
  return lines.map((line) => line === 'true');
}

/** In the words of the Go program. Its times are whole numbers, and an operation has a length. */
function toOperations(history: CouponHistory): object[] {
  const never = 1_000_000;
  return operationsOf(history).map(({ step, calledAt, returnedAt }) => {
    const called = 8 * calledAt;
    if (step.kind === 'asked') {
      const { userId, told } = step;
      const returned = returnedAt === Infinity ? never : 8 * returnedAt;
      const id = 'issuanceId' in told ? told.issuanceId : undefined;
      return { kind: told.kind, user: userId, id, called, returned };
    }
    const { kind, total, state } = step;
    return kind === 'change begins'
      ? { kind: 'begins', total, state, called, returned: called + 1 }
      : { kind: 'ends', total, state, called: called + 2, returned: called + 3 };
  });
}

function compare(histories: CouponHistory[], theirs: boolean[]): number {
  const counts = { right: [0, 0], broken: [0, 0] };
  const startedAt = performance.now();
  const ours = histories.map(
    (history) => findWrongIds([history]).length === 0 && findImpossible(history).length === 0,
  );
  const ms = performance.now() - startedAt;
  const differing = histories.filter((_, i) => ours[i] !== theirs[i]);
  theirs.forEach((isPossible, i) => {
    counts[i % 2 === 0 ? 'right' : 'broken'][Number(isPossible)]! += 1;
  });
  const rows = Object.entries(counts).map(([name, [impossible, possible]]) => [
    name,
    String(possible),
    String(impossible),
  ]);
  process.stdout.write(formatTable([['histories', 'possible', 'impossible'], ...rows]));
  process.stdout.write(`Ours took ${ms.toFixed(0)} ms for all of them.\n`);
  differing
    .slice(0, 3)
    .forEach((history) => process.stdout.write(`DIFFER  ${JSON.stringify(history)}\n`));
  const agreed = histories.length - differing.length;
  process.stdout.write(`${agreed} passed, ${differing.length} failed\n`);
  return differing.length === 0 && counts.right[0] === 0 ? 0 : 1;
}
