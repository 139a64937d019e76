import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { Monitoring } from '../../infra/local/observe/monitoring.ts';
import { ensureMonitoringPrograms } from '../../infra/local/observe/programs.ts';
import { releaseInstance, takeInstance } from '../../infra/local/processes/instance-owner.ts';
import { waitUntil } from '../../infra/local/processes/waiting.ts';
import { silent } from '../../infra/local/terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { Receiver } from '../alerts/receiver.ts';
import type { Received } from '../alerts/receiver.ts';
import { startStack } from '../harness/stack/test-stack.ts';

/** One alert of many, so that the whole way of an alert is walked each time; `npm run test:alerts` fires all. */

const household = 'faults-observe';
const patienceMs = 100_000;

const problem = await ensureMonitoringPrograms(silent).then(
  () => undefined,
  (error: unknown) => `Prometheus and Alertmanager cannot be had here: ${messageOf(error)}`,
);
let stack: Stack | undefined;
let receiver: Receiver | undefined;
let monitoring: Monitoring | undefined;

beforeAll(async () => {
  if (problem === undefined) {
    takeInstance(household);
    stack = await startStack();
    receiver = await Receiver.start();
    monitoring = await Monitoring.start(
      {
        household,
        stores: { env: stack.env },
        receivers: { webhookUrl: receiver.url },
        apps: () =>
          stack!.apps.map(({ plan }) => ({
            job: plan.kind,
            name: plan.name,
            port: plan.internalPort,
          })),
      },
      silent,
      new AbortController().signal,
    );
  }
});
beforeEach(({ skip }) => skip(problem !== undefined, problem));
afterAll(async () => {
  await monitoring?.stop();
  await receiver?.stop();
  await stack?.stop();
  releaseInstance(household);
});

test('an issuer that is killed is told to the webhook as it stands in its rule, and so is that it is back', async () => {
  const issuer = stack!.app('issuer');
  const told = (status: Received['status'], sinceMs: number): Promise<Received> =>
    waitUntil(
      () => receiver!.find(status, { alertname: 'ProcessDown', instance: issuer.name }, sinceMs),
      { deadlineMs: patienceMs, failure: () => JSON.stringify(receiver!.received) },
    );
  const { url } = monitoring!.prometheus;
  await waitUntil(() => isUp(url, issuer.name), {
    deadlineMs: patienceMs,
    failure: () => 'Prometheus does not see the issuer',
  });

  const killedMs = performance.now();
  await issuer.kill();
  expect((await told('firing', killedMs)).labels).toMatchObject({
    job: 'issuer',
    severity: 'critical',
  });

  const backMs = performance.now();
  await issuer.start();
  await told('resolved', backMs);
});

async function isUp(prometheusUrl: string, instance: string): Promise<true | undefined> {
  const query = encodeURIComponent(`up{instance="${instance}"} == 1`);
  const answer = await fetch(`${prometheusUrl}/api/v1/query?query=${query}`);
  const { data } = (await answer.json()) as { data: { result: unknown[] } };
  return data.result.length > 0 ? true : undefined;
}
