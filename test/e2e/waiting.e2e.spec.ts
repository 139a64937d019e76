import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../infra/local/processes/apps.ts';
import type { Answer } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { EventSourceReader } from '../harness/http/event-source.ts';
import { aRequestRecord, anIssuanceId } from '../harness/fixtures.ts';
import { parseMetrics } from '../harness/metrics-text.ts';
import { RawClient, rawRequest } from '../harness/http/raw-client.ts';
import { StackLog } from '../harness/stack/stack-log.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const patience = { timeout: 20_000 };

let stack: Stack;
let api: App;
let couponId: number;
let users = 0;

beforeAll(async () => {
  stack = await startStack();
  api = stack.app('api');
  couponId = await stack.createCoupon(1_000);
});
afterEach(() => stack.running('issuer').forEach((issuer) => issuer.signal('SIGCONT')));
afterAll(() => stack.stop());

/** Somebody new gets a unit; the id of the issuance. */
async function assigned(): Promise<string> {
  users += 1;
  const { status, body, headers } = await stack.assign(couponId, `user-${users}`, { api });
  expect(status).toBe(200);
  expect(headers.get('poll-after-ms')).toMatch(/^\d{1,5}$/);
  return body.issuance_id as string;
}

/** The same, and nobody decides about it until the issuer goes on. */
async function undecided(): Promise<string> {
  await stack.app('issuer').freeze();
  return assigned();
}

function pathOf(issuanceId: string, more = ''): string {
  return `/api/v1/issuances/${issuanceId}${more}`;
}

function ask(path: string, headers: Record<string, string> = {}, of = api): Promise<Answer> {
  return stack.request(path, { headers }, of);
}

/** Resolves once so many wait at the api. */
async function waiting(count: number, of = api): Promise<void> {
  const now = async (): Promise<number> => {
    const { series } = parseMetrics(await of.metrics()).get('firstcome_waiters')!;
    return series.reduce((sum, { value }) => sum + value, 0);
  };
  await expect.poll(now, patience).toBe(count);
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}

describe('?wait=n', () => {
  test('is answered as soon as it is decided, by every api', async () => {
    const other = await stack.startApp('api', {}, { isApart: true });
    const id = await undecided();
    const startedAt = performance.now();
    const answers = [ask(pathOf(id, '?wait=30')), ask(pathOf(id, '?wait=30'), {}, other)];
    await waiting(1);
    await waiting(1, other);
    stack.app('issuer').signal('SIGCONT');
    for (const { status, body, headers } of await Promise.all(answers)) {
      expect([status, body.status, body.issuance_id]).toEqual([200, 'ISSUED', id]);
      expect(headers.get('retry-after')).toBeNull();
      expect(body).not.toHaveProperty('poll_after_ms');
    }
    expect(secondsSince(startedAt)).toBeLessThan(25);
    await waiting(0);
    await other.stop();
  });

  test('is answered at once when it was decided before', async () => {
    const id = await assigned();
    const startedAt = performance.now();
    expect((await ask(pathOf(id, '?wait=30'))).body.status).toBe('ISSUED');
    expect((await ask(pathOf(id, '?wait=30'))).body.status).toBe('ISSUED');
    expect(secondsSince(startedAt)).toBeLessThan(25);
  });

  test('ends undecided when its time is up: ACCEPTED, and when to ask again', async () => {
    const id = await undecided();
    const startedAt = performance.now();
    const { status, body, headers } = await ask(pathOf(id, '?wait=1'));
    expect([status, body.status]).toEqual([200, 'ACCEPTED']);
    expect(secondsSince(startedAt)).toBeGreaterThan(0.99);
    expect(body.poll_after_ms).toBeGreaterThan(0);
    expect(body.estimated_wait_ms === null || body.estimated_wait_ms >= 0).toBe(true);
    expect(headers.get('retry-after')).toBe(String(Math.ceil(body.poll_after_ms / 1_000)));
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('says why it was refused', async () => {
    const log = await StackLog.connect(stack);
    // So young that no watermark passes it.
    const id = anIssuanceId(Date.now() + 30_000);
    const answer = ask(pathOf(id, '?wait=30'));
    await waiting(1);
    await log.append(0, aRequestRecord({ issuanceId: id, couponId: 2_000_000_000 }));
    await log.close();
    expect((await answer).body).toMatchObject({ status: 'REFUSED', reason: 'UNKNOWN_COUPON' });
  });

  test('is told by the look when the issuer died before it could say so, and no other decides', async () => {
    const toldByLook = async (): Promise<number> => {
      const count = /^firstcome_waiter_told_seconds_count\{by="look"[^}]*\} (\d+)$/m;
      return Number(count.exec(await api.metrics())?.[1] ?? 0);
    };
    const issuer = stack.app('issuer');
    const before = await toldByLook();
    const id = await undecided();
    await issuer.kill();
    const answer = ask(pathOf(id, '?wait=30'));
    await waiting(1);
    const fault = { FAULT_POINT: 'issuer.committed', FAULT_SIGNAL: 'SIGKILL' };
    const dying = await stack.startApp('issuer', fault, { waitUntilReady: false });
    expect((await answer).body.status).toBe('ISSUED');
    await dying.exit();
    expect(stack.running('issuer')).toEqual([]);
    expect(await toldByLook()).toBe(before + 1);
    await stack.startApp('issuer');
  });

  test.each(['31', '-1', '1.5', 'x', '', '1&wait=2', '%201'])(
    'of %j is 400, and says what it may be',
    async (wait) => {
      const { status, body } = await ask(pathOf(anIssuanceId(Date.now()), `?wait=${wait}`));
      expect([status, body.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(body.errors).toEqual([
        { field: 'wait', message: 'must be a whole number of seconds from 0 to 30, given once' },
      ]);
    },
  );

  test('beside a parameter that is not known is 400, and names that', async () => {
    const { status, body } = await ask(pathOf(anIssuanceId(Date.now()), '?wiat=5'));
    expect([status, body.errors]).toEqual([
      400,
      [{ field: 'wiat', message: 'is not a known field' }],
    ]);
  });

  test('about an id that never was, of the future, or of no shape is answered at once', async () => {
    const startedAt = performance.now();
    const future = anIssuanceId(Date.now() + 3_600_000);
    const past = anIssuanceId(1_500_000_000_000);
    await expect.poll(async () => (await ask(pathOf(past, '?wait=30'))).status).toBe(404);
    const answers = await Promise.all(
      [future, '01890000-0000-4000-8000-000000000000', 'x'].map((id) =>
        ask(pathOf(id, '?wait=30')),
      ),
    );
    expect(answers.map(({ body }) => body.code)).toEqual([
      'ISSUANCE_NOT_FOUND',
      'ISSUANCE_NOT_FOUND',
      'INVALID_REQUEST',
    ]);
    expect(answers.map(({ headers }) => headers.get('cache-control'))).toEqual(
      answers.map(() => 'no-store'),
    );
    expect(secondsSince(startedAt)).toBeLessThan(25);
    await waiting(0);
  });

  test('is forgotten when its client goes away', async () => {
    const id = await undecided();
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => RawClient.connect(api.publicUrl)),
    );
    clients.forEach((client) => client.send(rawRequest(`GET ${pathOf(id, '?wait=30')}`)));
    await waiting(20);
    clients.forEach((client) => client.close());
    await waiting(0);
  });

  test('does not count as slowness: its time is no part of how long requests take', async () => {
    const secondsSoFar = async (): Promise<number> => {
      const sums = (await api.metrics()).matchAll(
        /^http_server_request_duration_seconds_sum\{.*route="\/api\/v1\/issuances\/:issuance_id".*\} (\S+)$/gm,
      );
      return [...sums].reduce((sum, [, value]) => sum + Number(value), 0);
    };
    const before = await secondsSoFar();
    expect(before).toBeGreaterThan(0);
    await ask(pathOf(await undecided(), '?wait=3'));
    await expect.poll(secondsSoFar).toBeGreaterThan(before);
    expect((await secondsSoFar()) - before).toBeLessThan(2.5);
  });
});

describe('Prefer: wait=n', () => {
  test('waits as the parameter does, and is said to be applied', async () => {
    const id = await undecided();
    const answer = ask(pathOf(id), { prefer: 'respond-async, wait=30' });
    await waiting(1);
    stack.app('issuer').signal('SIGCONT');
    const { body, headers } = await answer;
    expect([body.status, headers.get('preference-applied')]).toEqual(['ISSUED', 'wait=30']);
  });

  test('that asks for more than anybody gets is told what it got; one that is none is left alone', async () => {
    const id = await assigned();
    await ask(pathOf(id, '?wait=30'));
    const applied = async (prefer: string, more = ''): Promise<string | null> => {
      const { status, headers } = await ask(pathOf(id, more), { prefer });
      expect(status).toBe(200);
      return headers.get('preference-applied');
    };
    expect(await applied('wait=100')).toBe('wait=30');
    expect(await applied('wait=soon')).toBeNull();
    // The parameter counts.
    expect(await applied('wait=5', '?wait=1')).toBeNull();
  });
});

describe('ETag', () => {
  test('of a status that a client has is 304 while it is under way, and again once it is decided', async () => {
    const id = await undecided();
    const accepted = await ask(pathOf(id));
    const tag = accepted.headers.get('etag')!;
    // Weak: when to ask again differs each time.
    expect(tag).toBe('W/"ACCEPTED"');
    const same = await ask(pathOf(id), { 'if-none-match': tag });
    expect([same.status, same.text]).toEqual([304, '']);
    expect(same.headers.get('etag')).toBe(tag);
    expect(same.headers.get('cache-control')).toBe('no-store');
    expect(Number(same.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);

    const changed = ask(pathOf(id, '?wait=30'), { 'if-none-match': tag });
    await waiting(1);
    stack.app('issuer').signal('SIGCONT');
    const { status, body, headers } = await changed;
    expect([status, body.status]).toEqual([200, 'ISSUED']);
    expect(headers.get('etag')).toMatch(/^"ISSUED-\d+"$/);
    const known = await ask(pathOf(id), { 'if-none-match': `"x", ${headers.get('etag')}` });
    expect([known.status, known.text, known.headers.get('retry-after')]).toEqual([304, '', null]);
  });

  test('of a wallet changes with what is in it', async () => {
    const wallet = (tag?: string): Promise<Answer> =>
      ask(`/api/v1/users/user-${users}/coupons`, tag === undefined ? {} : { 'if-none-match': tag });
    const id = await undecided();
    const empty = await wallet();
    const tag = empty.headers.get('etag')!;
    expect(empty.headers.get('cache-control')).toBe('no-store');
    const same = await wallet(tag);
    expect([same.status, same.text]).toEqual([304, '']);
    stack.app('issuer').signal('SIGCONT');
    await ask(pathOf(id, '?wait=30'));
    const { status, body } = await wallet(tag);
    expect([status, body.coupons.length]).toEqual([200, 1]);
  });
});

describe('/events', () => {
  const eventsOf = (id: string, headers = {}, of = api): Promise<EventSourceReader> =>
    EventSourceReader.open(`${of.publicUrl}${pathOf(id, '/events')}`, headers);

  test('sends that it is under way, one final event, and ends; no proxy keeps it', async () => {
    const id = await undecided();
    const source = await eventsOf(id);
    expect(source.status).toBe(200);
    expect(Object.fromEntries(source.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    await waiting(1);
    stack.app('issuer').signal('SIGCONT');
    await source.ended;
    const [, accepted, decided, ...more] = source.events;
    expect(source.events[0]!.retry).toBeGreaterThan(0);
    expect(accepted).toMatchObject({
      event: 'accepted',
      id: 'ACCEPTED',
      data: { issuance_id: id, status: 'ACCEPTED', poll_after_ms: expect.any(Number) },
    });
    expect(decided).toMatchObject({
      event: 'decided',
      id: 'ISSUED',
      data: { issuance_id: id, status: 'ISSUED', user_id: `user-${users}` },
    });
    expect(more).toEqual([]);
    await waiting(0);
  });

  test('goes on after the event that a client has: nothing twice, and 204 after the last', async () => {
    const id = await undecided();
    const cutOff = await eventsOf(id);
    await expect.poll(() => cutOff.events.at(-1)?.id, patience).toBe('ACCEPTED');
    cutOff.close();
    await waiting(0);
    const source = await eventsOf(id, { 'last-event-id': 'ACCEPTED' });
    await waiting(1);
    stack.app('issuer').signal('SIGCONT');
    await source.ended;
    const named = source.events.filter(({ event }) => event !== undefined);
    expect(named.map(({ event }) => event)).toEqual(['decided']);
    const over = await eventsOf(id, { 'last-event-id': named[0]!.id! });
    expect(over.status).toBe(204);
    // Who does not know it yet is told it.
    const late = await eventsOf(id, { 'last-event-id': 'ACCEPTED' });
    await late.ended;
    expect(late.events.at(-1)).toMatchObject({ event: 'decided', id: 'ISSUED' });
  });

  test('of what cannot be is a problem before it is a stream; HEAD is answered at once', async () => {
    const [missing, malformed] = await Promise.all(
      [anIssuanceId(Date.now() + 3_600_000), 'x'].map((id) => ask(pathOf(id, '/events'))),
    );
    expect([missing!.status, missing!.body.code]).toEqual([404, 'ISSUANCE_NOT_FOUND']);
    expect([malformed!.status, malformed!.body.code]).toEqual([400, 'INVALID_REQUEST']);
    const id = await undecided();
    const head = await stack.request(pathOf(id, '/events'), { method: 'HEAD' }, api);
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await waiting(0);
  });
});

describe('more than WAITERS_MAX', () => {
  test('are answered at once with when to ask again; a stream ends with when to come back', async () => {
    const few = await stack.startApp('api', { WAITERS_MAX: '2' }, { isApart: true });
    const id = await undecided();
    const first = [ask(pathOf(id, '?wait=30'), {}, few), ask(pathOf(id, '?wait=30'), {}, few)];
    await waiting(2, few);
    const startedAt = performance.now();
    const third = await ask(pathOf(id), { prefer: 'wait=30' }, few);
    expect([third.status, third.body.status]).toEqual([200, 'ACCEPTED']);
    expect(third.body.poll_after_ms).toBeGreaterThan(0);
    expect(third.headers.get('preference-applied')).toBeNull();
    const stream = await EventSourceReader.open(`${few.publicUrl}${pathOf(id, '/events')}`);
    await stream.ended;
    expect(stream.events.map(({ event }) => event)).toContain('accepted');
    expect(stream.events.at(-1)!.retry).toBeGreaterThan(0);
    expect(secondsSince(startedAt)).toBeLessThan(25);
    expect(await few.metrics()).toMatch(/^firstcome_waiters_turned_away_total(?:\{[^}]*\})? 2$/m);
    stack.app('issuer').signal('SIGCONT');
    const told = await Promise.all(first);
    expect(told.map(({ body }) => body.status)).toEqual(['ISSUED', 'ISSUED']);
    await few.stop();
  });
});

describe('an api that is stopped', () => {
  test('sends everybody who waits elsewhere, at once: ACCEPTED, and a stream with when to come back', async () => {
    const leaving = await stack.startApp('api', {}, { isApart: true });
    const id = await undecided();
    const answers = Array.from({ length: 10 }, () => ask(pathOf(id, '?wait=30'), {}, leaving));
    const stream = await EventSourceReader.open(`${leaving.publicUrl}${pathOf(id, '/events')}`);
    await waiting(11, leaving);
    const startedAt = performance.now();
    leaving.signal('SIGTERM');
    for (const { status, body, headers } of await Promise.all(answers)) {
      expect([status, body.status]).toEqual([200, 'ACCEPTED']);
      expect(body.poll_after_ms).toBeGreaterThan(0);
      expect(headers.get('connection')).toBe('close');
    }
    await stream.ended;
    expect(stream.events.filter(({ event }) => event === 'decided')).toEqual([]);
    expect(stream.events.at(-1)!.retry).toBeGreaterThan(0);
    expect(await leaving.exit()).toEqual({ code: 0, signal: null });
    expect(secondsSince(startedAt)).toBeLessThan(9.5);
  });
});
