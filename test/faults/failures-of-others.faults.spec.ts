import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { statusHintsKey } from '#gate/keys.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import type { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { aRequestRecord, userIds } from '../harness/fixtures.ts';
import { OpenScenario } from '../harness/stack/open-scenario.ts';
import type { StackLog } from '../harness/stack/stack-log.ts';
import type { StackStores } from '../harness/stack/stack-stores.ts';

// What went wrong in other systems of this kind.

let opened: OpenScenario;
let scenario: FaultScenario;
let stores: StackStores;
let log: StackLog;

beforeAll(async () => {
  opened = await OpenScenario.start({
    clients: 2,
    env: { KAFKA_PARTITIONS: '1', STATUS_HINT_TTL_S: '10' },
  });
  ({ scenario, stores, log } = opened);
});
afterEach(async () => {
  scenario.stack.running('issuer').forEach((issuer) => issuer.signal('SIGCONT'));
  await scenario.expectNothingLostSoFar();
});
afterAll(() => opened?.stop());

test('redelivery of the last winner frees its slot: here it stays issued, and its unit taken', async () => {
  const { stack, rush } = scenario;
  const [couponId] = await stores.createCoupons(1, 1, { total: 5 });
  const users = userIds(5, 'winner');
  for (const userId of users) {
    await scenario.askUntilFinal(userId, { couponId: couponId! });
  }
  const held = (await stores.gate.heldBy(couponId!, users)) as string[];
  await scenario.issued(held.at(-1)!);

  // Once more in the log, and then, the offset put back, all of the log once more.
  const last = { issuanceId: held.at(-1)!, couponId: couponId!, userId: users.at(-1)! };
  await log.append(0, aRequestRecord(last), aRequestRecord(last));
  await scenario.untilIssued();
  await rush.pause();
  await stack.app('issuer').stop();
  const end = await log.committed(0);
  await log.moveTo(0, 0);
  await stack.startApp('issuer');
  await eventually(async () => (await log.committed(0)) >= end);

  expect(await stores.gate.heldBy(couponId!, users)).toEqual(held);
  expect(await stores.gate.inspect(couponId!)).toMatchObject({ left: 0, holders: 5 });
  expect((await scenario.issued(held.at(-1)!)).user_id).toBe(users.at(-1));
  const late = await scenario.askUntilFinal('too late', { couponId: couponId! });
  expect(late.body.code).toBe('SOLD_OUT');
});

test('one bad row drops its batch: here its neighbours are issued, and it alone is set aside', async () => {
  const { stack, rush, couponId } = scenario;
  await rush.pause();
  await stack.app('issuer').freeze();
  // While the issuer stands still they gather in the log, for one chunk.
  const longest = '🎟'.repeat(64);
  const before = await Promise.all(userIds(50, 'before').map((user) => rush.askFor(user)));
  const stolen = before[0]!.body.issuance_id as string;
  await log.append(
    0,
    aRequestRecord({ couponId: 2_000_000_000 }),
    aRequestRecord({ issuanceId: stolen, couponId, userId: 'thief' }),
    aRequestRecord({ couponId, userId: 'before-1' }),
    'no JSON',
  );
  const users = [longest, ...userIds(50, 'after')];
  const [malformed, ...after] = await Promise.all([
    stack.assign(couponId, 'x'.repeat(65)),
    ...users.map((user) => rush.askFor(user)),
  ]);
  stack.app('issuer').signal('SIGCONT');

  expect(malformed.status).toBe(400);
  for (const answer of [...before, ...after]) {
    await scenario.issued(answer!.body.issuance_id);
  }
  const refusals = await stores.query<{ reason: string }>('SELECT reason FROM refusal');
  expect(refusals.map(({ reason }) => reason).toSorted()).toEqual(['DUPLICATE', 'UNKNOWN_COUPON']);
  const letters = await stores.query<{ reason: string }>('SELECT reason FROM dead_letter');
  expect(letters.map(({ reason }) => reason).toSorted()).toEqual([
    'issuance id belongs to another request',
    'not a JSON object with a version',
  ]);
});

/** Notes in `seen` what somebody sees who asks for a status again and again, each change once. */
async function watchStatus(issuanceId: string, seen: string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { status, body } = await scenario.stack.request(`/api/v1/issuances/${issuanceId}`);
    const now = `${status} ${body.status ?? body.code}`;
    if (seen.at(-1) !== now) {
      seen.push(now);
    }
  }
}

test('status read before subscribing misses the event: here one asked at any moment ends at ISSUED, and is never 404', async () => {
  const { stack, rush } = scenario;
  const ending = new AbortController();
  await stack.app('issuer').freeze();
  const watched = userIds(10, 'watched').map(async (userId) => {
    const { issuance_id: id } = (await rush.askFor(userId))!.body;
    const seen: string[] = [];
    return { id: id as string, seen, watching: watchStatus(id, seen, ending.signal) };
  });
  const statuses = await Promise.all(watched);
  // Neither a hint nor a row.
  await eventually(async () => statuses.every(({ seen }) => seen.length > 0));
  stack.app('issuer').signal('SIGCONT');
  const hints = (): Promise<(string | null)[]> =>
    Promise.all(
      statuses.map(({ id }) =>
        stores.redis.hget(statusHintsKey(stack.env['GATE_KEY_PREFIX']!, id), id),
      ),
    );
  // A hint and a row; then, the hint expired, the row alone. Others in the same key prolong it.
  await eventually(async () => !(await hints()).includes(null));
  await eventually(async () => (await hints()).every((hint) => hint === null));
  await Promise.all(statuses.map(({ id }) => scenario.issued(id)));
  ending.abort();
  for (const { seen, watching } of statuses) {
    await watching;
    expect(seen).toEqual(['200 ACCEPTED', '200 ISSUED']);
  }
});
