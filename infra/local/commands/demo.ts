import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { checkHistory } from '#audit/history/history-check.ts';
import { AnswerJournal } from '../../harness/answer-journal.ts';
import { createCoupon, firstcomeOrThrow } from '../processes/cli.ts';
import { instanceOwner } from '../processes/instance-owner.ts';
import { onStopSignal, runCommand, unknownArgument } from '../terminal/command.ts';
import { rush } from './demo-rush.ts';
import type { RushResult } from './demo-rush.ts';
import { localDir } from '../processes/paths.ts';
import { waitUntil } from '../processes/waiting.ts';
import { createProgress } from '../terminal/progress.ts';
import type { Report } from '../terminal/progress.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { isFrom } from '../processes/own-process.ts';
import { isRunning, listRunFiles } from '../processes/run-files.ts';
import type { RunFile } from '../processes/run-files.ts';

const usage = `npm run demo

1 000 users ask for 100 units at once, and the issuer is killed in the middle. Counts what became
of every request. Uses what npm start runs here, or starts it for this and stops it again. Its coupon
is closed afterwards; it stays in the list, with what was issued, until it is archived.
`;

const couponName = 'demo rush';
const units = 100;
const users = 1_000;
const startDeadlineMs = 600_000;
const backDeadlineMs = 60_000;

await runCommand(usage, async (args) => {
  if (args[0] !== undefined) {
    throw unknownArgument(args[0], usage);
  }
  const report = createProgress();
  const stopStack = await ensureRunning(report);
  const removeHandlers = onStopSignal(
    () => void stopStack().then(() => process.exit(1)),
    () => process.exit(1),
  );
  try {
    return await demonstrate(report);
  } finally {
    removeHandlers();
    await stopStack();
  }
});

async function demonstrate(report: Report): Promise<number> {
  const env = instanceOwner('dev')?.env ?? {};
  const couponId = await createCoupon(env, units, '--name', couponName);
  try {
    return await rushFor(couponId, env, report);
  } finally {
    await closeRushes(env);
    report.line(`coupon ${couponId}, "${couponName}", is closed`);
  }
}

/** Also those of demos that were killed. */
async function closeRushes(env: Record<string, string>): Promise<void> {
  const coupons = JSON.parse(await firstcomeOrThrow(env, 'coupon', 'list', '--json')) as {
    coupon_id: number;
    name: string;
    state: string;
  }[];
  const open = coupons.filter(({ name, state }) => name === couponName && state !== 'CLOSED');
  for (const { coupon_id: id } of open) {
    await firstcomeOrThrow(env, 'coupon', 'close', String(id), '--yes');
  }
}

async function rushFor(
  couponId: number,
  env: Record<string, string>,
  report: Report,
): Promise<number> {
  const journal = new AnswerJournal(join(localDir, 'demo', 'answers.ndjson'));
  journal.created(couponId, units);
  const result = await report.step(
    `${users} users ask for ${units} units of coupon ${couponId}`,
    () =>
      rush({
        api: { name: 'api', publicUrl: `http://127.0.0.1:${env['API_PORT']}` },
        couponId,
        users,
        journal,
        midway: () => killIssuers(report),
      }),
  );
  journal.close();
  await report.step('every issuer is back', issuersAreBack);
  const history = await checkHistory(journal.file);
  result.failures.push(...history.violations);
  process.stdout.write(
    `${result.issued} issued, ${result.soldOut} sold out, ${result.duplicates} duplicates, ` +
      `${result.lost} lost; of ${history.checked} answers ` +
      `${history.violations.length === 0 ? 'each is possible' : 'NOT ALL ARE POSSIBLE'}\n`,
  );
  return explain(result);
}

function explain({ issued, soldOut, duplicates, lost, failures }: RushResult): number {
  failures.slice(0, 5).forEach((failure) => process.stderr.write(`${failure}\n`));
  const asPromised =
    issued === units && soldOut === users - units && duplicates === 0 && lost === 0;
  return asPromised && failures.length === 0 ? 0 : 1;
}

/** Returns what stops the stack again, if it was not running before. */
async function ensureRunning(report: Report): Promise<() => Promise<void>> {
  if (instanceOwner('dev') !== undefined) {
    await report.step('npm start is up', () => untilUp());
    return () => Promise.resolve();
  }
  const child = spawn(
    process.execPath,
    [...process.execArgv, new URL('start.ts', import.meta.url).pathname],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const exited = once(child, 'exit').then(() => 'exited' as const);
  await report.step('npm start', async () => {
    if ((await Promise.race([untilUp(), exited])) === 'exited') {
      throw new ReadableError('npm start failed; see above.');
    }
  });
  return async () => {
    child.kill('SIGTERM');
    await exited;
  };
}

async function untilUp(): Promise<void> {
  await waitUntil(async () => ((await answersCoupon()) ? true : undefined), {
    deadlineMs: startDeadlineMs,
    intervalMs: 500,
    failure: () => 'npm start did not get ready in 10 minutes.',
  });
}

async function answersCoupon(): Promise<boolean> {
  const port = instanceOwner('dev')?.env?.['API_PORT'];
  if (port === undefined || !(await areReady(listRunFiles('dev').filter(isApp)))) {
    return false;
  }
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/coupons/123`).catch(() => undefined);
  return answer?.status === 200;
}

function killIssuers(report: Report): void {
  for (const { name, pid } of issuers()) {
    process.kill(pid, 'SIGKILL');
    report.line(`${name} (pid ${pid}) was killed with SIGKILL`);
  }
}

function issuers(): RunFile[] {
  return listRunFiles('dev').filter((run) => isApp(run) && run.name.startsWith('issuer'));
}

function isApp({ kind, port }: RunFile): boolean {
  return kind === 'app' && port > 0;
}

/** Whether all of these run, and are the ones that answer on their ports. */
async function areReady(runs: RunFile[]): Promise<boolean> {
  const answers = await Promise.all(
    runs.map(async (run) => {
      const url = `http://127.0.0.1:${run.port}/health/ready`;
      const answer = isRunning(run) ? await fetch(url).catch(() => undefined) : undefined;
      return answer?.ok === true && isFrom(answer.headers, run.pid);
    }),
  );
  return answers.length > 0 && answers.every(Boolean);
}

async function issuersAreBack(): Promise<void> {
  await waitUntil(async () => ((await areReady(issuers())) ? true : undefined), {
    deadlineMs: backDeadlineMs,
    failure: () => 'The issuer did not come back; see .local/dev/logs.',
  });
}
