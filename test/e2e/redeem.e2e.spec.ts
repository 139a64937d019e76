import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { statusHintsKey } from '#gate/keys.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import type { Answer, Told } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { aRequestRecord, anIssuanceId } from '../harness/fixtures.ts';
import { EventSourceReader } from '../harness/http/event-source.ts';
import { exchange, rawRequest } from '../harness/http/raw-client.ts';
import { parseMetrics } from '../harness/metrics-text.ts';
import { StackLog } from '../harness/stack/stack-log.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { verify } from '../harness/stack/verify.ts';

const patience = { timeout: 20_000 };

let stack: Stack;
let couponId: number;
let users = 0;
const told: Told[] = [];

beforeAll(async () => {
  stack = await startStack();
  couponId = await stack.createCoupon(1_000);
});
afterEach(() => stack.running('issuer').forEach((issuer) => issuer.signal('SIGCONT')));
afterAll(() => stack.stop());

async function assigned(of = couponId): Promise<{ id: string; user: string }> {
  users += 1;
  const answer = await stack.assign(of, `user-${users}`);
  expect(answer.status).toBe(200);
  told.push(answer);
  return { id: answer.body.issuance_id as string, user: answer.userId };
}

async function issued(of = couponId): Promise<{ id: string; user: string }> {
  const one = await assigned(of);
  await expect.poll(async () => (await status(one.id)).body.status, patience).toBe('ISSUED');
  return one;
}

function status(id: string, headers: Record<string, string> = {}): Promise<Answer> {
  return stack.request(`/api/v1/issuances/${id}`, { headers });
}

function redeem(id: string, body?: unknown, api?: App, signal?: AbortSignal): Promise<Answer> {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return stack.request(
    `/api/v1/issuances/${id}/redeem`,
    { method: 'POST', signal: signal ?? null, ...(body === undefined ? {} : json) },
    api,
  );
}

async function walletOf(user: string): Promise<Answer['body']> {
  return (await stack.request(`/api/v1/users/${user}/coupons`)).body;
}

async function coupon(...args: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await stack.firstcomeOrThrow('coupon', ...args, '--json'));
}

/** How many redemptions an api has counted. */
async function counted(outcome: string, api: App): Promise<number> {
  const { series } = parseMetrics(await api.metrics()).get('firstcome_redemptions_total')!;
  return series.find(({ labels }) => labels['outcome'] === outcome)!.value;
}

function fromNow(seconds: number): string {
  return new Date(Date.now() + seconds * 1_000).toISOString();
}

describe('a unit', () => {
  test('is redeemed once by fifty who ask at once, at two apis: all are told the same, one was the first', async () => {
    const apis = [stack.app('api'), await stack.startApp('api', {}, { isApart: true })];
    const { id } = await issued();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => redeem(id, { reference: 'order-1' }, apis[i % 2])),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]!.body).toMatchObject({ issuance_id: id, status: 'REDEEMED' });
    expect(answers[0]!.body.redeemed_at).toMatch(/^\d{4}-.*Z$/);
    const first = answers.filter(({ headers }) => headers.get('idempotent-replayed') === null);
    expect(first).toHaveLength(1);
    const counts = await Promise.all(apis.map((api) => counted('redeemed', api)));
    expect(counts[0]! + counts[1]!).toBe(1);
    await apis[1]!.stop();
  });

  test('that fifty orders want at once goes to one of them, and the others are told when', async () => {
    const { id } = await issued();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => redeem(id, { reference: `order-${i}` })),
    );
    const won = answers.filter((answer) => answer.status === 200);
    expect(won).toHaveLength(1);
    for (const lost of answers.filter((answer) => answer !== won[0])) {
      expect([lost.status, lost.body.code]).toEqual([409, 'ALREADY_REDEEMED']);
      expect(lost.body.redeemed_at).toBe(won[0]!.body.redeemed_at);
      expect(lost.headers.get('x-should-retry')).toBe('false');
    }
    const winner = answers.indexOf(won[0]!);
    expect((await redeem(id, { reference: `order-${winner}` })).status).toBe(200);
    // Who says nothing is not that order either.
    expect((await redeem(id)).body.code).toBe('ALREADY_REDEEMED');
  });

  test('redeemed without a reference may be redeemed so again, and by no order', async () => {
    const { id } = await issued();
    const first = await redeem(id);
    expect([first.status, first.headers.get('idempotent-replayed')]).toEqual([200, null]);
    expect(first.headers.get('cache-control')).toBe('no-store');
    // curl -X POST says nothing of a body, not even that there is none.
    const bare = rawRequest(`POST /api/v1/issuances/${id}/redeem`);
    expect((await exchange(stack.app('api').publicUrl, bare)).status).toBe(200);
    // Clients that are made of the document name a type, and send nothing of it.
    const empty = rawRequest(`POST /api/v1/issuances/${id}/redeem`, [
      'Content-Type: application/json',
      'Content-Length: 0',
    ]);
    expect((await exchange(stack.app('api').publicUrl, empty)).status).toBe(200);
    // What was done is said, whatever a condition for reading says.
    const tagged = rawRequest(`POST /api/v1/issuances/${id}/redeem`, ['If-None-Match: *']);
    expect((await exchange(stack.app('api').publicUrl, tagged)).status).toBe(200);
    const again = await redeem(id, {});
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([first.text, 'true']);
    expect((await redeem(id, { reference: 'order-1' })).body.code).toBe('ALREADY_REDEEMED');
  });

  test('whose order lost its answer is redeemed by its repeat, or was', async () => {
    const { id } = await issued();
    const leaving = new AbortController();
    const lost = redeem(id, { reference: 'order-1' }, undefined, leaving.signal);
    setImmediate(() => leaving.abort());
    await expect(lost).rejects.toThrow();
    const repeat = await redeem(id, { reference: 'order-1' });
    expect([repeat.status, repeat.body.status]).toEqual([200, 'REDEEMED']);
    expect((await redeem(id, { reference: 'order-1' })).text).toBe(repeat.text);
  });

  test('is said to be redeemed by status, events and wallet, whatever a hint or a tag says', async () => {
    const { id, user } = await issued();
    const tag = (await status(id)).headers.get('etag')!;
    const redis = new Redis(stack.env['GATE_REDIS_URL']!);
    const key = statusHintsKey(stack.env['GATE_KEY_PREFIX']!, id);
    await expect.poll(() => redis.hget(key, id), patience).toContain('ISSUED');
    expect((await walletOf(user)).coupons).toMatchObject([{ issuance_id: id, status: 'ISSUED' }]);
    const { redeemed_at: redeemedAt } = (await redeem(id)).body;

    expect(await redis.hget(key, id)).toContain('ISSUED');
    redis.disconnect();
    const now = await status(id, { 'if-none-match': tag });
    expect([now.status, now.body.status, now.body.redeemed_at]).toEqual([
      200,
      'REDEEMED',
      redeemedAt,
    ]);
    expect((await status(id, { 'if-none-match': now.headers.get('etag')! })).status).toBe(304);
    expect((await stack.request(`/api/v1/issuances/${id}?wait=30`)).body).toEqual(now.body);
    const source = await EventSourceReader.open(
      `${stack.app('api').publicUrl}/api/v1/issuances/${id}/events`,
      { 'last-event-id': 'ISSUED' },
    );
    await source.ended;
    expect(source.events.map(({ event, id: of }) => [event, of])).toEqual([
      [undefined, undefined],
      ['decided', 'REDEEMED'],
    ]);
    expect(source.events.at(-1)!.data).toEqual(now.body);
    expect((await walletOf(user)).coupons).toMatchObject([
      { issuance_id: id, status: 'REDEEMED', redeemed_at: redeemedAt },
    ]);
  });

  test('that is not decided yet is to be asked for again, and is redeemed then', async () => {
    await stack.app('issuer').freeze();
    const { id } = await assigned();
    const early = await redeem(id, { reference: 'order-1' });
    expect([early.status, early.body.code]).toEqual([409, 'NOT_ISSUED_YET']);
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(early.headers.get('x-should-retry')).toBeNull();
    stack.app('issuer').signal('SIGCONT');
    const again = async (): Promise<number> => (await redeem(id, { reference: 'order-1' })).status;
    await expect.poll(again, patience).toBe(200);
  });

  test('of an archived coupon can be redeemed', async () => {
    const archived = await stack.createCoupon(10);
    const { id } = await issued(archived);
    await coupon('close', String(archived), '--yes');
    await coupon('archive', String(archived));
    expect((await redeem(id)).body).toMatchObject({ status: 'REDEEMED', coupon_id: archived });
  });
});

describe('what is no unit', () => {
  test('is told why: refused, never given, no id', async () => {
    const log = await StackLog.connect(stack);
    const refused = anIssuanceId();
    const request = { issuanceId: refused, couponId: 2_000_000_000 };
    await log.append(0, aRequestRecord(request));
    await log.close();
    await expect
      .poll(async () => (await redeem(refused)).body, patience)
      .toMatchObject({
        status: 409,
        code: 'REFUSED',
        reason: 'UNKNOWN_COUPON',
      });
    const unknown = await redeem('01a2027b-d680-4c3a-9d1e-0d5c2b9f4a11');
    expect([unknown.status, unknown.body.code]).toEqual([404, 'ISSUANCE_NOT_FOUND']);
    expect((await redeem('1')).body.errors).toMatchObject([{ field: 'issuance_id' }]);
  });

  let untouched: Promise<{ id: string }> | undefined;
  test.each([
    [{ reference: ' ' }, 'reference'],
    [{ reference: 'x'.repeat(65) }, 'reference'],
    [{ reference: 7 }, 'reference'],
    [{ reference: 'a\nb' }, 'reference'],
    [{ order_id: 'order-1' }, 'order_id'],
    [['order-1'], ''],
    [null, ''],
  ])('nor is %j a body: nothing is redeemed', async (body, field) => {
    const { id } = await (untouched ??= issued());
    const answer = await redeem(id, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(answer.body.errors).toMatchObject([{ field }]);
    expect((await status(id)).body.status).toBe('ISSUED');
  });
});

describe('--valid-until', () => {
  test('ends what was issued, and gives it back when it is moved; what was redeemed stays so', async () => {
    const of = await stack.createCoupon(10, '--valid-until', fromNow(3_600));
    const one = await issued(of);
    const other = await issued(of);
    expect((await redeem(other.id)).status).toBe(200);
    const set = (...times: string[]) => coupon('set-times', String(of), ...times, '--yes');
    const past = fromNow(-60);
    await set('--valid-until', past, '--closes-at', past);

    const refused = await redeem(one.id);
    expect([refused.status, refused.body.code]).toEqual([409, 'EXPIRED']);
    expect(refused.headers.get('x-should-retry')).toBe('false');
    const over = (await status(one.id)).body;
    expect(over).toMatchObject({ status: 'EXPIRED', valid_until: refused.body.valid_until });
    expect((await walletOf(one.user)).coupons).toMatchObject([
      { status: 'EXPIRED', valid_until: refused.body.valid_until },
    ]);
    expect((await redeem(other.id)).headers.get('idempotent-replayed')).toBe('true');
    expect((await status(other.id)).body.status).toBe('REDEEMED');

    await set('--valid-until', 'none');
    expect((await status(one.id)).body.status).toBe('ISSUED');
    expect((await redeem(one.id)).status).toBe(200);
  });

  test('passes by itself, by the clock of MySQL', async () => {
    const of = await stack.createCoupon(10);
    const { id } = await issued(of);
    await coupon('set-times', String(of), '--valid-until', fromNow(1.5), '--yes');
    await expect.poll(async () => (await status(id)).body.status, patience).toBe('EXPIRED');
    expect((await redeem(id)).body.code).toBe('EXPIRED');
  });

  test('is shown, is when the sale ends at the latest, and may change of what is closed', async () => {
    const end = fromNow(7_200);
    const of = await stack.createCoupon(10, '--valid-until', end);
    const ends = { valid_until: end, closes_at: end };
    expect(await coupon('show', String(of))).toMatchObject(ends);
    expect(await stack.firstcomeOrThrow('coupon', 'list')).toMatch(/valid_until .*\n.*valid for/s);
    await expect
      .poll(async () => (await stack.request(`/api/v1/coupons/${of}`)).body, patience)
      .toMatchObject(ends);
    for (const times of [
      ['--closes-at', fromNow(7_300)],
      ['--valid-until', fromNow(3_600)],
    ]) {
      const refused = await stack.firstcome('coupon', 'set-times', String(of), ...times);
      expect([refused.exitCode, refused.stderr]).toEqual([
        1,
        expect.stringContaining('must close'),
      ]);
    }
    const create = ['coupon', 'create', '--total', '1', '--closes-at', fromNow(60)];
    const wrong = await stack.firstcome(...create, '--valid-until', fromNow(30));
    expect([wrong.exitCode, wrong.stderr]).toEqual([64, expect.stringContaining('must close')]);
    await coupon('close', String(of), '--yes');
    const later = fromNow(9_000);
    expect(await coupon('set-times', String(of), '--valid-until', later)).toMatchObject({
      valid_until: later,
    });
  });
});

test('verify holds after all of it', async () => {
  const { exitCode, stdout } = await verify(stack, told);
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/I8 .*ok|ok .*I8/)]);
});
