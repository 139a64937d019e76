import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../../infra/local/processes/apps.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import type { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { OpenScenario } from '../harness/stack/open-scenario.ts';
import { RefusedUnits } from '../harness/stack/refused-units.ts';
import type { StackLog } from '../harness/stack/stack-log.ts';
import type { StackStores } from '../harness/stack/stack-stores.ts';

/** Longer than the 12 s after which Kafka takes a member of the group for dead. */
const frozenMs = 15_000;

let opened: OpenScenario;
let scenario: FaultScenario;
let stores: StackStores;
let log: StackLog;

beforeAll(async () => {
  opened = await OpenScenario.start({
    // The relay would publish what is reserved here before it is due.
    env: { KAFKA_PARTITIONS: '1', RELAY_AFTER_MS: '60000' },
  });
  ({ scenario, stores, log } = opened);
});
afterEach(async () => {
  scenario.stack.running('issuer').forEach((issuer) => issuer.signal('SIGCONT'));
  await scenario.expectNothingLostSoFar();
});
afterAll(() => opened?.stop());

/** Starts an issuer that stops itself at a point of its first chunk, in which `refused` are. */
async function freezeAt(point: string, refused: RefusedUnits): Promise<App> {
  const { stack, rush } = scenario;
  await rush.pause();
  // With nothing else in the log before them they are in the first chunk of the next issuer.
  await scenario.untilIssued();
  await Promise.all(stack.running('issuer').map((issuer) => issuer.stop()));
  await log.append(0, ...refused.requests);
  rush.resume();
  const fault = { FAULT_POINT: point, FAULT_SIGNAL: 'SIGSTOP' };
  const issuer = await stack.startApp('issuer', fault, { waitUntilReady: false });
  await eventually(() => issuer.standsStill());
  return issuer;
}

function joinsOf(issuer: App): number {
  return issuer.output.split('joined the consumer group').length - 1;
}

async function decidedBy(issuer: App): Promise<number> {
  const metrics = await issuer.metrics();
  const counts = metrics.matchAll(/^firstcome_issuances_decided_total\{[^}]*\} (\d+)/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Looks at the committed offset all the time; what is returned tells it, from the first on. */
function watchOffset(): () => Promise<number[]> {
  const ending = new AbortController();
  const watch = async (): Promise<number[]> => {
    const seen: number[] = [];
    while (!ending.signal.aborted) {
      seen.push(await log.committed(0));
      await delay(20);
    }
    return seen;
  };
  const watching = watch();
  const end = (): Promise<number[]> => {
    ending.abort();
    return watching;
  };
  onTestFinished(async () => void (await end()));
  return end;
}

/** The frozen issuer goes on with the chunk in its hand, joins anew, and can do the work alone. */
async function expectToGoOn(frozen: App, other: App): Promise<void> {
  const joins = joinsOf(frozen);
  frozen.signal('SIGCONT');
  await eventually(async () => joinsOf(frozen) > joins);
  await scenario.untilIssued();
  await other.stop();
  const before = await decidedBy(frozen);
  await scenario.untilIssued();
  await eventually(async () => (await decidedBy(frozen)) > before);
}

describe('an issuer that stands still past its session (SIGSTOP, then SIGCONT) under load', () => {
  test('after its commit: another takes over, its late steps change nothing, no offset moves back, and both go on', async () => {
    const refused = await RefusedUnits.reserve(stores);
    const frozen = await freezeAt('issuer.committed', refused);
    const frozenUntil = Date.now() + frozenMs;
    const offsets = watchOffset();
    const other = await scenario.stack.startApp('issuer');
    await scenario.untilIssued();
    await refused.expectBackInStock();
    // What it gives back on waking is no longer theirs to lose.
    for (const userId of refused.users) {
      await scenario.askUntilFinal(userId, { couponId: refused.couponId });
    }
    const holdings = await refused.holdings();
    expect(holdings).not.toContain(null);
    await delay(frozenUntil - Date.now());

    await expectToGoOn(frozen, other);
    expect(await refused.holdings()).toEqual(holdings);
    const seen = await offsets();
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  test('mid-transaction, with rows locked: another takes over while it stands still, and both go on', async () => {
    const refused = await RefusedUnits.reserve(stores);
    const frozen = await freezeAt('issuer.in_transaction', refused);
    const offsets = watchOffset();
    const other = await scenario.stack.startApp('issuer', {}, { waitUntilReady: false });
    await scenario.untilIssued();
    await refused.expectBackInStock();

    await expectToGoOn(frozen, other);
    const seen = await offsets();
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });
});
