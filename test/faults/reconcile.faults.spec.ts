import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rush } from '../harness/stack/rush.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { verify } from '../harness/stack/verify.ts';

interface CouponOutcome {
  coupon_id: number;
  result: string;
  differences: string[];
  reason?: string;
}

/** Somebody wrote into Redis by hand, or it lost something: every plant keeps left + held = total. */
describe('firstcome reconcile', () => {
  let stack: Stack;
  let redis: Redis;

  beforeAll(async () => {
    stack = await startStack();
    redis = new Redis(stack.env['GATE_REDIS_URL']!);
  });
  afterAll(async () => {
    redis.disconnect();
    await stack.stop();
  });

  const key = (couponId: number, name: string): string =>
    `${stack.name}:{coupon:${couponId}}:${name}`;
  const holdersOf = (couponId: number) => redis.hgetall(key(couponId, 'holders'));
  const metaOf = (couponId: number) => redis.hgetall(key(couponId, 'meta'));

  /** Runs the command for one coupon, and tells how it ended. */
  async function reconcile(
    couponId: number,
    ...options: string[]
  ): Promise<{ exitCode: number; outcome: CouponOutcome }> {
    const args = ['reconcile', '--coupon', String(couponId), '--json', ...options];
    const { exitCode, stdout } = await stack.firstcome(...args);
    const { coupons } = JSON.parse(stdout) as { coupons: CouponOutcome[] };
    return { exitCode, outcome: coupons[0]! };
  }

  async function couponIssuedTo(...users: string[]): Promise<[number, Record<string, string>]> {
    const couponId = await stack.createCoupon(50);
    const answers = await Promise.all(users.map((userId) => stack.assign(couponId, userId)));
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      await expectIssued(body.issuance_id);
    }
    const ids = answers.map(({ body }, i) => [users[i], body.issuance_id] as const);
    return [couponId, Object.fromEntries(ids) as Record<string, string>];
  }

  async function expectIssued(issuanceId: string): Promise<void> {
    const status = async (): Promise<string> =>
      (await stack.request(`/api/v1/issuances/${issuanceId}`)).body.status;
    await expect.poll(status, { timeout: 20_000 }).toBe('ISSUED');
  }

  async function plantGhost(couponId: number, userId = 'ghost'): Promise<void> {
    await redis
      .multi()
      .hset(key(couponId, 'holders'), userId, `01a2027b-d680-7${randomUUID().slice(15)}`)
      .hincrby(key(couponId, 'meta'), 'left', -1)
      .exec();
  }

  const plants: [string, (couponId: number) => Promise<unknown>, RegExp][] = [
    ['a holder whom MySQL does not know', (id) => plantGhost(id), /"ghost".*MySQL nothing/],
    [
      'a holder who is missing',
      (id) =>
        redis.multi().hdel(key(id, 'holders'), 'ann').hincrby(key(id, 'meta'), 'left', 1).exec(),
      /"ann".*the gate nothing/,
    ],
    [
      'a holder with another id',
      (id) => redis.hset(key(id, 'holders'), 'bob', '01a2027b-d680-7c3a-9d1e-0d5c2b9f4a11'),
      /"bob".*the gate 01a2027b-d680-7c3a-9d1e-0d5c2b9f4a11/,
    ],
    [
      'a total that MySQL does not have',
      (id) => redis.multi().hset(key(id, 'meta'), 'total', 60, 'left', 58).exec(),
      /total: MySQL has 50, the gate 60/,
    ],
    [
      'a version of the future, in another state',
      (id) => redis.hset(key(id, 'meta'), 'version', 9, 'state', 'paused'),
      /version: MySQL has 1, the gate 9/,
    ],
  ];

  it.each(plants)('shows, and repairs only with --apply: %s', async (_, plant, words) => {
    const [couponId, issued] = await couponIssuedTo('ann', 'bob');
    expect(await reconcile(couponId)).toMatchObject({ exitCode: 0, outcome: { result: 'same' } });
    await plant(couponId);
    const planted = [await holdersOf(couponId), await metaOf(couponId)];

    const shown = await reconcile(couponId);
    expect([shown.exitCode, shown.outcome.result]).toEqual([3, 'differs']);
    expect(shown.outcome.differences.join('\n')).toMatch(words);
    expect([await holdersOf(couponId), await metaOf(couponId)]).toEqual(planted);

    const repaired = await reconcile(couponId, '--apply');
    expect([repaired.exitCode, repaired.outcome.result]).toEqual([0, 'repaired']);
    expect(repaired.outcome.differences).toEqual(shown.outcome.differences);
    expect(await holdersOf(couponId)).toEqual(issued);
    expect(await metaOf(couponId)).toMatchObject({ total: '50', left: '48', state: 'open' });
    expect((await stack.firstcome('verify')).exitCode).toBe(0);
  });

  async function reconcileUnder(rush: Rush, couponId: number): Promise<CouponOutcome> {
    const untilMoreThan = (count: number) =>
      expect.poll(() => rush.accepted.length, { timeout: 20_000 }).toBeGreaterThan(count);
    try {
      await untilMoreThan(100);
      await plantGhost(couponId);
      const { outcome } = await reconcile(couponId, '--apply');
      await untilMoreThan(rush.accepted.length + 100);
      return outcome;
    } finally {
      await rush.finish();
    }
  }

  it('repairs while requests come in: every 200 is issued with its id, and nobody else has one', async () => {
    const couponId = await stack.createCoupon(100_000);
    const rush = new Rush(stack, couponId, { clients: 8 });
    const outcome = await reconcileUnder(rush, couponId);

    expect(outcome).toMatchObject({ result: 'repaired' });
    expect(outcome.differences).toHaveLength(1);
    expect(Number((await metaOf(couponId))['epoch'])).toBeGreaterThan(1);
    // The gate was shut for a moment.
    expect([200, 503]).toEqual(
      expect.arrayContaining([...new Set(rush.answers.map(({ status }) => status))]),
    );
    const { exitCode, stdout } = await verify(stack, rush.answers);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringContaining(`same user (${rush.accepted.length} checked)`),
    ]);
    const acknowledged = rush.accepted.map(({ body }) => [body.user_id, body.issuance_id]);
    expect(await holdersOf(couponId)).toEqual(Object.fromEntries(acknowledged));
  });

  it('a repair that dies after the fence is finished by the keeper', async () => {
    const [couponId, issued] = await couponIssuedTo('ann');
    await plantGhost(couponId);
    await redis.hset(key(couponId, 'meta'), 'min_epoch', 2);
    await expect.poll(() => holdersOf(couponId), { timeout: 20_000 }).toEqual(issued);
    await expect
      .poll(async () => (await stack.assign(couponId, 'bob')).status, { timeout: 20_000 })
      .toBe(200);
  });

  it('says that it cannot judge while the issuer is away, and exits with 1', async () => {
    const couponId = await stack.createCoupon(10);
    const issuer = stack.app('issuer');
    await issuer.stop();
    await stack.assign(couponId, 'ann');

    const { exitCode, outcome } = await reconcile(couponId, '--wait', '1');
    expect([exitCode, outcome.result, outcome.differences]).toEqual([1, 'busy', []]);
    expect(outcome.reason).toContain('the issuers have not come to the end');
    await stack.startApp('issuer');
    const later = await reconcile(couponId);
    expect([later.exitCode, later.outcome.result]).toEqual([0, 'same']);
  });

  it('without a keeper says what to start, and touches no other gate', async () => {
    const ids = [await stack.createCoupon(10), await stack.createCoupon(10)];
    await stack.app('keeper').stop();
    await Promise.all(ids.map((id) => plantGhost(id)));

    const command = ['reconcile', '--apply', ...ids.flatMap((id) => ['--coupon', String(id)])];
    const { exitCode, stdout } = await stack.firstcome(...command);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/its gate is shut, and nobody has opened it .*start a keeper/);
    const minEpochs = await Promise.all(ids.map(async (id) => (await metaOf(id))['min_epoch']));
    expect(minEpochs).toEqual(['2', '1']);

    await stack.startApp('keeper');
    expect((await stack.firstcome(...command)).exitCode).toBe(0);
    expect((await stack.firstcome('verify')).exitCode).toBe(0);
  });

  it('refuses a coupon that does not exist', async () => {
    const { exitCode, stderr } = await stack.firstcome('reconcile', '--coupon', '999999');
    expect([exitCode, stderr]).toEqual([1, 'firstcome: there is no coupon 999999\n']);
  });
});
