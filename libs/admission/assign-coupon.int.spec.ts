import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withStepsBefore } from '../../test/harness/steps-before.ts';
import { userIds } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { TestLog } from '../../test/harness/stores/test-log.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { EventPublisher, PublishUnconfirmedError } from '#event-log/publish/event-publisher.ts';
import { AssignCoupon, AssignLimits } from './assign-coupon.ts';
import type { AssignOutcome } from './assign-coupon.ts';

const here = new TestGate();
const log = new TestLog();
const limits = new AssignLimits(100, 10_000);
const assigning = new AssignCoupon(here.gate, log.log, limits);

beforeAll(() => Promise.all([here.start(), log.start()]));
afterAll(() => Promise.all([here.close(), log.close()]));

/** How many requests are in the log. */
async function written(): Promise<number> {
  return [...(await log.issuers.ends()).values()].reduce((a, b) => a + b, 0);
}

function idOf(outcome: AssignOutcome): string | undefined {
  return 'issuanceId' in outcome ? outcome.issuanceId : undefined;
}

describe('an assign', () => {
  test('is accepted when it is in the log and confirmed; a repeat gets the same id, and writes nothing', async () => {
    const { id: couponId } = await here.openCoupon();
    const before = await written();
    const first = await assigning.assign({ couponId, userId: 'ann' });
    expect(first).toEqual({ kind: 'accepted', issuanceId: idOf(first), replayed: false });
    expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 1, pending: 0 });
    expect(await written()).toBe(before + 1);
    const again = await assigning.assign({ couponId, userId: 'ann' });
    expect(again).toEqual({ ...first, replayed: true });
    // Whatever a repeat would write comes before what the next one does.
    await assigning.assign({ couponId, userId: 'bob' });
    expect(await written()).toBe(before + 2);
  });

  test('of one user twice at once takes one unit, and both are told its id', async () => {
    const { id: couponId } = await here.openCoupon();
    const both = await Promise.all([
      assigning.assign({ couponId, userId: 'ann' }),
      assigning.assign({ couponId, userId: 'ann' }),
    ]);
    expect(both.map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
    expect(idOf(both[0])).toBe(idOf(both[1]));
    expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 1, pending: 0, left: 9 });
  });

  test('is told why it gets nothing: sold out, paused, closed, not open yet, or no such gate', async () => {
    const opensAt = (await here.gate.now()) + 60_000;
    const coupons = await Promise.all([
      here.openCoupon({ total: 0 }),
      here.openCoupon({ state: 'paused' }),
      here.openCoupon({ state: 'closed' }),
      here.openCoupon({ opensAt }),
    ]);
    const ids = [...coupons.map(({ id }) => id), here.newCoupon().id];
    const outcomes = await Promise.all(
      ids.map((couponId) => assigning.assign({ couponId, userId: 'ann' })),
    );
    expect(outcomes).toEqual([
      { kind: 'sold_out' },
      { kind: 'paused' },
      { kind: 'closed' },
      { kind: 'not_open', opensAt, now: expect.any(Number) as number },
      { kind: 'absent' },
    ]);
  });

  test('at a gate that is shut is told that it is being recovered', async () => {
    const { id: couponId } = await here.openCoupon();
    await here.breakRunId(couponId);
    expect(await assigning.assign({ couponId, userId: 'ann' })).toEqual({
      kind: 'recovering',
      failure: { cause: 'gate_shut' },
    });
  });
});

describe('what is promised', () => {
  test('nothing, when the log cannot be written: unconfirmed, and the same id once it can', async () => {
    const { id: couponId } = await here.openCoupon();
    const publisher = new EventPublisher(log.kafka, { publishTimeoutMs: 1_000 });
    const away = new AssignCoupon(here.gate, new IssuanceLog(publisher, log.topics), limits);
    await publisher.close();
    const first = await away.assign({ couponId, userId: 'ann' });
    expect(first).toEqual({
      kind: 'unconfirmed',
      issuanceId: idOf(first),
      failure: { cause: 'log_away', error: expect.any(PublishUnconfirmedError) as Error },
    });
    expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 1, pending: 1 });
    expect(await assigning.assign({ couponId, userId: 'ann' })).toEqual({
      kind: 'accepted',
      issuanceId: idOf(first),
      replayed: true,
    });
    expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 1, pending: 0 });
  });

  test('nothing, when a recovery fences the gate before it is confirmed', async () => {
    const { id: couponId } = await here.openCoupon();
    const fenced = withStepsBefore(here.gate, async (method) => {
      if (method === 'confirm') {
        await here.gate.fence(couponId, 2);
      }
    });
    const outcome = await new AssignCoupon(fenced, log.log, limits).assign({
      couponId,
      userId: 'ann',
    });
    expect(outcome).toEqual({
      kind: 'recovering',
      issuanceId: idOf(outcome),
      failure: { cause: 'gate_fenced' },
    });
    expect(idOf(outcome)).toBeDefined();
  });
});

test('more at once than an api takes on are sent away, and take nothing', async () => {
  const { id: couponId } = await here.openCoupon({ total: 100 });
  const few = new AssignCoupon(here.gate, log.log, new AssignLimits(3, 10_000));
  const outcomes = await Promise.all(userIds(5).map((userId) => few.assign({ couponId, userId })));
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    'accepted',
    'accepted',
    'accepted',
    'overloaded',
    'overloaded',
  ]);
  expect(outcomes[4]).toEqual({ kind: 'overloaded', failure: { cause: 'assigns_in_flight' } });
  expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 3 });
  expect((await few.assign({ couponId, userId: 'user-5' })).kind).toBe('accepted');
});
