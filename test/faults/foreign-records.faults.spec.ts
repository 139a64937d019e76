import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../infra/local/processes/waiting.ts';
import type { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { aRequestRecord, userIds } from '../harness/fixtures.ts';
import { OpenScenario } from '../harness/stack/open-scenario.ts';
import type { StackLog } from '../harness/stack/stack-log.ts';
import type { StackStores } from '../harness/stack/stack-stores.ts';

let opened: OpenScenario;
let scenario: FaultScenario;
let stores: StackStores;
let log: StackLog;

beforeAll(async () => {
  opened = await OpenScenario.start({
    // The relay would publish what is reserved here before it is due.
    env: { RELAY_AFTER_MS: '60000' },
  });
  ({ scenario, stores, log } = opened);
});
afterAll(() => opened?.stop());

async function countOf(sql: string, ...parameters: unknown[]): Promise<number> {
  const [row] = await stores.query<{ count: number }>(sql, parameters);
  return row!.count;
}

describe('records under load that', () => {
  afterEach(() => scenario.expectNothingLostSoFar());

  test('are of an old epoch, after the marker: VOID, recorded, and nothing is taken from who was admitted anew', async () => {
    const { stack, rush, couponId } = scenario;
    const users = userIds(20, 'of-an-old-epoch');
    const reserved = await stores.gate.reserve(couponId, users);
    const { epoch, outcomes } = reserved as Extract<typeof reserved, { gate: 'open' }>;
    const old = outcomes.map((outcome) => (outcome as { issuanceId: string }).issuanceId);
    await stack.space.emptyGate();
    await eventually(async () => (await stores.gate.inspect(couponId)).epoch > epoch);
    await scenario.untilServed();
    // Half of them ask again before their old requests turn up in the log, half of them never.
    const again = users.slice(0, 10);
    await Promise.all(again.map((userId) => rush.askFor(userId)));

    const requests = users.map((userId, i) =>
      aRequestRecord({ issuanceId: old[i]!, couponId, userId, epoch }),
    );
    await log.append(0, ...requests);
    await eventually(async () => {
      const { body } = await stack.request(`/api/v1/issuances/${old.at(-1)}`);
      return body.status === 'REFUSED';
    });
    const reasons = await stores.query<{ reason: string }>(
      'SELECT reason FROM refusal WHERE coupon_id = ? AND user_id IN (?)',
      [couponId, users.map((user) => Buffer.from(user))],
    );
    expect(reasons.map(({ reason }) => reason).toSorted()).toEqual([
      ...Array<string>(10).fill('DUPLICATE'),
      ...Array<string>(10).fill('VOID'),
    ]);
    const held = await stores.gate.heldBy(couponId, users);
    expect(held.slice(10)).toEqual(Array(10).fill(null));
    expect(held.filter((id) => id !== null && !old.includes(id))).toHaveLength(10);
  });

  test('are garbage: each is kept as a dead letter, and their neighbours are issued', async () => {
    const garbage = Array.from({ length: 50 }, (_, i) => [`garbage ${i}`, { v: 1, type: i }]);
    for (const pair of garbage) {
      await log.append(0, ...pair);
    }
    await eventually(
      async () => (await countOf('SELECT COUNT(*) AS count FROM dead_letter')) === 100,
    );
    await scenario.untilIssued();
  });
});

test('a record of an unknown version under load: its partition stops with the reason in words, nothing behind it is skipped, and the other partition goes on', async () => {
  const { stack, rush } = scenario;
  const [unaffected] = await stores.createCoupons(1, 2);
  await log.append(0, { v: 99 });
  await eventually(async () => {
    const readiness = await stack.app('issuer').readiness();
    return readiness?.text.includes('the record is of version 99, this issuer reads version 1');
  });
  const stoppedAt = await log.committed(0);
  const behind = await rush.askFor('behind');
  const beside = await scenario.askUntilFinal('beside', { couponId: unaffected! });
  await scenario.issued(beside.body.issuance_id);
  await scenario.untilServed();
  expect((await stack.request(behind!.body.status_url)).body.status).toBe('ACCEPTED');
  expect(await log.committed(0)).toBe(stoppedAt);

  // Another one stops at the same record: only an operator who knows what it is may pass it.
  await stack.app('issuer').stop();
  await rush.pause();
  await log.moveTo(0, stoppedAt + 1);
  await stack.startApp('issuer');
  await scenario.issued(behind!.body.issuance_id);
  const { stdout } = await scenario.runVerify();
  expect(stdout).toMatch(/^ok\s+I3/m);
  expect(stdout.match(/^FAIL.*/gm)).toEqual([expect.stringContaining('I6')]);
  expect(stdout).toContain(`0/${stoppedAt}: version 99 is not known`);
});
