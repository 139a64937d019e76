import { Stack } from '../../infra/harness/stack.ts';
import { appKinds } from '../../infra/local/processes/apps.ts';
import { ensureBuilt } from '../../infra/local/processes/build.ts';
import { startServers, stopServers } from '../../infra/local/servers/servers.ts';
import { runInterruptible } from '../../infra/local/terminal/command.ts';
import { Options } from '../../infra/local/terminal/options.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import { formatTable } from '../../infra/local/terminal/table.ts';
import type { AttackResult } from './attack.ts';
import { attack, burstSize } from './attack.ts';
import type { Burst } from './bursts.ts';
import { openHttp1Burst, openHttp2Burst } from './bursts.ts';
import { openFront } from './front.ts';

const usage = `npm run test:burst -- [options]

One user sends the same assign ${burstSize} times at one moment, another one in each round: by ${burstSize}
connections whose last bytes leave together, and by ${burstSize} streams of HTTP/2 in one packet through
nginx (a proxy of Node where there is none). On the servers of npm test. Exits with 1 unless
each user has one unit, and one id in all answers.

  --rounds N   rounds of each kind   (1000)
`;

await runInterruptible(usage, async (args, abort) => {
  const rounds = new Options(args, ['rounds'] as const, usage).wholeNumber(
    'rounds',
    1_000,
    1,
    100_000,
  );
  const report = createProgress();
  await ensureBuilt(report);
  const { env } = await startServers('test', report, abort);
  const oneBroker = { KAFKA_REPLICATION_FACTOR: '1', KAFKA_MIN_INSYNC_REPLICAS: '1' };
  const stack = new Stack({ servers: env, env: oneBroker, abort });
  const results: [string, AttackResult][] = [];
  try {
    await report.step('starting api, issuer, keeper', () => stack.start(appKinds));
    const run = async (label: string, burst: Burst): Promise<void> => {
      using opened = burst;
      const couponId = await stack.createCoupon(10 * rounds);
      await report.step(label, async () => {
        results.push([label, await attack(stack, couponId, opened, rounds)]);
      });
    };
    const { publicUrl } = stack.app('api');
    await run(`${burstSize} connections of HTTP/1.1`, await openHttp1Burst(publicUrl, burstSize));
    await using front = await openFront(publicUrl);
    await run(
      `${burstSize} streams of HTTP/2 through ${front.name}`,
      await openHttp2Burst(front.url, burstSize),
    );
  } finally {
    await report.step('stopping them', () => stack.stop());
    await stopServers('test');
  }
  process.stdout.write(`\n${summary(results)}`);
  return results.every(([, result]) => isOneEach(result)) ? 0 : 1;
});

function isOneEach({
  rounds,
  answers,
  statuses,
  usersWithSeveralIds,
  issued,
  usersIssued,
}: AttackResult) {
  return (
    statuses[200] === answers &&
    usersWithSeveralIds === 0 &&
    issued === rounds &&
    usersIssued === rounds
  );
}

function summary(results: [string, AttackResult][]): string {
  return formatTable([
    ['attack', 'users', 'answers', 'of them 200', 'users with several ids', 'units issued'],
    ...results.map(([label, result]) =>
      [
        label,
        result.rounds,
        result.answers,
        result.statuses[200] ?? 0,
        result.usersWithSeveralIds,
        result.issued,
      ].map(String),
    ),
  ]);
}
