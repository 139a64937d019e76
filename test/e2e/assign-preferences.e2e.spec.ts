import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { uuidToBytes } from '#ledger/uuid-bytes.ts';
import type { Answer } from '../../infra/harness/assign.ts';
import { assign } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { anIssuanceId, userIds } from '../harness/fixtures.ts';
import { RawClient, rawRequest } from '../harness/http/raw-client.ts';
import { parseMetrics } from '../harness/metrics-text.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const patience = { timeout: 20_000 };

let stack: Stack;
let api: App;
let stores: StackStores;
let couponId: number;
let users = 0;

beforeAll(async () => {
  stack = await startStack();
  api = stack.app('api');
  stores = await StackStores.connect(stack);
  couponId = await stack.createCoupon(1_000);
});
afterEach(() => stack.app('issuer').signal('SIGCONT'));
afterAll(async () => {
  await stores.close();
  await stack.stop();
});

function newUser(): string {
  users += 1;
  return `user-${users}`;
}

function ask(
  headers: Record<string, string>,
  { userId = newUser(), id = couponId, of = api } = {},
): Promise<Answer> {
  return assign(of, { couponId: id, userId }, { headers });
}

function prefer(preference: string, more = {}): Promise<Answer> {
  return ask({ prefer: preference }, more);
}

/** Nobody decides anything until the issuer goes on. */
function freezeIssuer(): Promise<void> {
  return stack.app('issuer').freeze();
}

async function waiting(count: number, of = api): Promise<void> {
  const now = async (): Promise<number> => {
    const { series } = parseMetrics(await of.metrics()).get('firstcome_waiters')!;
    return series.reduce((sum, { value }) => sum + value, 0);
  };
  await expect.poll(now, patience).toBe(count);
}

/** Status, `status` of the body or its code, and what was applied. */
function gist({ status, body, headers }: Answer): unknown[] {
  return [
    status,
    body.status === status ? body.code : body.status,
    headers.get('preference-applied'),
  ];
}

describe('Prefer: respond-async', () => {
  test('is 202 as soon as it is safe: where to ask, and when', async () => {
    await freezeIssuer();
    const answer = await prefer('respond-async');
    expect(gist(answer)).toEqual([202, 'ACCEPTED', 'respond-async']);
    const { body, headers } = answer;
    expect(headers.get('location')).toBe(body.status_url);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(headers.get('poll-after-ms'))).toBeGreaterThan(0);
    stack.app('issuer').signal('SIGCONT');
    const decided = await stack.request(`${headers.get('location')}?wait=30`, {}, api);
    expect(decided.body).toMatchObject({ status: 'ISSUED', user_id: body.user_id });
  });

  test('of a repeat that was decided long ago is the decision, and nothing is put off', async () => {
    const userId = newUser();
    const first = await prefer('wait=30', { userId });
    expect(gist(first)).toEqual([200, 'ISSUED', 'wait=30']);
    const again = await prefer('respond-async', { userId });
    expect(gist(again)).toEqual([200, 'ISSUED', null]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
  });
});

describe('Prefer: wait=n', () => {
  test('is answered as soon as it is decided, with what is decided', async () => {
    await freezeIssuer();
    const answer = prefer('wait=30');
    await waiting(1);
    stack.app('issuer').signal('SIGCONT');
    expect(gist(await answer)).toEqual([200, 'ISSUED', 'wait=30']);
    const { body, headers } = await answer;
    expect(Date.parse(body.decided_at)).toBeGreaterThanOrEqual(Date.parse(body.accepted_at));
    expect(headers.get('retry-after')).toBeNull();
    await waiting(0);
  });

  test('is ACCEPTED when its time is up; 202 for a client that also takes that', async () => {
    await freezeIssuer();
    const startedAt = performance.now();
    const [alone, both] = await Promise.all([prefer('wait=1'), prefer('wait=1, respond-async')]);
    expect(performance.now() - startedAt).toBeGreaterThan(990);
    expect(gist(alone)).toEqual([200, 'ACCEPTED', 'wait=1']);
    expect(gist(both)).toEqual([202, 'ACCEPTED', 'respond-async, wait=1']);
    expect(both.headers.get('location')).toBe(both.body.status_url);
    for (const { headers } of [alone, both]) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
  });

  test('beside respond-async is 200 when it is decided in time', async () => {
    expect(gist(await prefer('respond-async, wait=30'))).toEqual([200, 'ISSUED', 'wait=30']);
  });

  test('of a repeat waits for what is under way, as long as anybody may', async () => {
    await freezeIssuer();
    const userId = newUser();
    await ask({}, { userId });
    const answer = prefer('wait=100', { userId });
    await waiting(1);
    stack.app('issuer').signal('SIGCONT');
    expect(gist(await answer)).toEqual([200, 'ISSUED', 'wait=30']);
  });

  test('keeps nobody waiting for what is decided by the gate', async () => {
    const soldOut = await stack.createCoupon(1);
    await ask({}, { id: soldOut });
    const startedAt = performance.now();
    const answers = await Promise.all([
      prefer('respond-async, wait=30', { id: soldOut }),
      prefer('wait=30', { id: 2_000_000_000 }),
    ]);
    expect(answers.map(gist)).toEqual([
      [409, 'SOLD_OUT', null],
      [404, 'COUPON_NOT_FOUND', null],
    ]);
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    await waiting(0);
  });

  test('is a problem when it was refused after all, and no 200', async () => {
    await freezeIssuer();
    const userId = newUser();
    const answer = prefer('wait=30', { userId });
    await waiting(1);
    // Another hand issues to the same user, past the gate.
    await stores.query(
      'INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at) VALUES (?, ?, ?, 1, ?)',
      [uuidToBytes(anIssuanceId()), couponId, Buffer.from(userId), Date.now()],
    );
    stack.app('issuer').signal('SIGCONT');
    const { status, body, headers } = await answer;
    expect([status, body.code, body.reason]).toEqual([409, 'REFUSED', 'DUPLICATE']);
    expect(headers.get('x-should-retry')).toBe('false');
    const told = await stack.request(`/api/v1/issuances/${body.issuance_id}`, {}, api);
    expect(told.body).toMatchObject({ status: 'REFUSED', reason: 'DUPLICATE' });
  });

  test('holds no place while it waits, and is forgotten when its client goes away', async () => {
    const narrow = await stack.startApp('api', { ASSIGN_IN_FLIGHT_MAX: '5' }, { isApart: true });
    await freezeIssuer();
    const clients: RawClient[] = [];
    for (const userId of userIds(10, 'waits')) {
      const client = await RawClient.connect(narrow.publicUrl);
      const body = JSON.stringify({ user_id: userId, coupon_id: couponId });
      const headers = ['Content-Type: application/json', 'Prefer: wait=30'];
      client.send(rawRequest('POST /api/v1/coupons/assign', headers, body));
      clients.push(client);
      await waiting(clients.length, narrow);
    }
    const others = async (): Promise<number> => (await ask({}, { of: narrow })).status;
    await expect.poll(others, patience).toBe(200);
    clients.forEach((client) => client.close());
    await waiting(0, narrow);
    await narrow.stop();
  });

  test('is ACCEPTED at once where as many wait as may, and where the api is being stopped', async () => {
    const few = await stack.startApp('api', { WAITERS_MAX: '1' }, { isApart: true });
    await freezeIssuer();
    const first = prefer('wait=30', { of: few });
    await waiting(1, few);
    const startedAt = performance.now();
    expect(gist(await prefer('wait=30', { of: few }))).toEqual([200, 'ACCEPTED', null]);
    expect(gist(await prefer('respond-async, wait=30', { of: few }))).toEqual([
      202,
      'ACCEPTED',
      'respond-async',
    ]);
    few.signal('SIGTERM');
    expect(gist(await first).slice(0, 2)).toEqual([200, 'ACCEPTED']);
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    await few.exit();
  });

  test('is ACCEPTED, and no error, when MySQL cannot tell more', async () => {
    const mysql = await TcpProxy.before(stack.env['MYSQL_URL']!);
    const alone = await stack.startApp(
      'api',
      { MYSQL_URL: mysql.through(stack.env['MYSQL_URL']!), MYSQL_QUERY_TIMEOUT_MS: '2000' },
      { isApart: true },
    );
    await freezeIssuer();
    const userId = newUser();
    await prefer('respond-async', { userId, of: alone });
    mysql.hold();
    expect(gist(await prefer('wait=1', { of: alone }))).toEqual([200, 'ACCEPTED', 'wait=1']);
    expect(gist(await prefer('respond-async', { userId, of: alone })).slice(0, 2)).toEqual([
      202,
      'ACCEPTED',
    ]);
    mysql.release();
    await alone.stop();
    await mysql.close();
  });
});

describe('a preference that is not known, or cannot be read', () => {
  test.each(['return=minimal', 'wait=soon', 'respond-async=x', 'wait'])(
    '(%s) changes nothing',
    async (preference) => {
      const userId = newUser();
      await ask({}, { userId });
      const [plain, preferred] = [await ask({}, { userId }), await prefer(preference, { userId })];
      expect([preferred.status, preferred.text]).toEqual([plain.status, plain.text]);
      expect([...preferred.headers.keys()]).toEqual([...plain.headers.keys()]);
    },
  );
});
