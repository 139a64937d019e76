import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { RawClient, rawRequest } from '../harness/http/raw-client.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';

/** More than the api works on at once, of any kind. */
const slowClients = 60;
const beginning = rawRequest('POST /api/v1/coupons/assign', [
  'Content-Type: application/json',
  'Content-Length: 4000',
]).toString();

let stack: Stack;
let url: string;
let couponId: number;

beforeAll(async () => {
  stack = await prepareStack();
  await stack.startApp('api', { ASSIGN_IN_FLIGHT_MAX: '20', READ_IN_FLIGHT_MAX: '20' });
  url = stack.app('api').publicUrl;
  couponId = await stack.createCoupon(1_000);
});
afterAll(() => stack.stop());

function assignRequest(userId: string): Buffer {
  const body = JSON.stringify({ coupon_id: couponId, user_id: userId });
  return rawRequest('POST /api/v1/coupons/assign', ['Content-Type: application/json'], body);
}

interface SlowClient extends AsyncDisposable {
  /** When it was sent away, in milliseconds after it connected. */
  sentAwayAfterMs: Promise<number>;
}

/** Sends the beginning, and then a byte every half second for as long as it may; or nothing at all. */
async function dribble(begin: string): Promise<SlowClient> {
  const startedAt = performance.now();
  const client = await RawClient.connect(url);
  client.send(begin);
  const timer = setInterval(() => client.send(begin === '' ? '' : 'x'), 500);
  const sentAway = client.answer().then((answer) => {
    expect([answer.status, answer.body.code]).toEqual([408, 'REQUEST_TIMEOUT']);
    return performance.now() - startedAt;
  });
  sentAway.catch(() => undefined);
  return {
    sentAwayAfterMs: sentAway,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      client.close();
    },
  };
}

function dribbleMany(begin: string): Promise<SlowClient[]> {
  return Promise.all(Array.from({ length: slowClients }, () => dribble(begin)));
}

describe('who is slow to send', () => {
  test('keeps nobody out: neither with a body nor with headers that are not there yet', async () => {
    await using all = new AsyncDisposableStack();
    for (const begin of [beginning, beginning.slice(0, 60), '']) {
      (await dribbleMany(begin)).forEach((client) => all.use(client));
    }
    for (let i = 0; i < 20; i += 1) {
      expect((await stack.assign(couponId, `quick-${i}`)).status).toBe(200);
      expect((await stack.request(`/api/v1/coupons/${couponId}`)).status).toBe(200);
    }
    expect(await stack.app('api').metrics()).toMatch(
      /^firstcome_requests_shed_total\{kind="assign"[^}]*\} 0$/m,
    );
  });

  test('has 10 s for a request, headers and body together, also on a connection that was used before', async () => {
    const used = await RawClient.connect(url);
    used.send(rawRequest('GET /health/live'));
    await used.answer();
    const startedAt = performance.now();
    used.send(beginning);
    await using all = new AsyncDisposableStack();
    const begun = [beginning, beginning.slice(0, 60), 'GET /', ''];
    const clients = await Promise.all(begun.map(dribble));
    clients.forEach((client) => all.use(client));

    expect((await used.answer()).status).toBe(408);
    const tookMs = [performance.now() - startedAt];
    tookMs.push(...(await Promise.all(clients.map(({ sentAwayAfterMs }) => sentAwayAfterMs))));
    expect(Math.min(...tookMs)).toBeGreaterThan(9_900);
    // Half a second to be found, and as much again for a machine that is busy.
    expect(Math.max(...tookMs)).toBeLessThan(11_500);
    await used.closed();
  });
});

describe('who is slow to read', () => {
  /** More than the buffers of a connection hold, at both ends. */
  const files = Buffer.concat(Array(4).fill(rawRequest('GET /docs/swagger-ui-bundle.js')));
  /** More than are worked on at once, and all of them behind the files. */
  const behind = (): Buffer[] => [
    ...Array<Buffer>(30).fill(rawRequest('GET /api/v1/users/a/coupons')),
    ...Array.from({ length: 30 }, (_, i) => assignRequest(`behind-${i}`)),
  ];

  test('keeps nobody out, however much he asks for', async () => {
    const clients: RawClient[] = [];
    const readOfAnother = async () => (await stack.request('/api/v1/users/b/coupons')).status;
    const assignOfAnother = async () => (await stack.assign(couponId, 'reader')).status;
    while (clients.length < 5) {
      const client = await RawClient.connect(url);
      clients.push(client);
      client.socket.pause();
      client.send(Buffer.concat([files, ...behind()]));
      // What he asks for is a rush; it is over long before his answers are thrown away unread.
      await expect.poll(readOfAnother, { timeout: 10_000 }).toBe(200);
      await expect.poll(assignOfAnother, { timeout: 10_000 }).toBe(200);
    }
    for (let i = 0; i < 20; i += 1) {
      expect([await readOfAnother(), await assignOfAnother()]).toEqual([200, 200]);
    }
    clients.forEach((client) => client.close());
  });
});

describe('open connections that ask nothing', () => {
  const places = 30;

  test('keep nobody out, however many they are, and are closed before any that is in use', async () => {
    const env = { API_CONNECTIONS_MAX: String(places) };
    const { publicUrl } = await stack.startApp('api', env, { isApart: true });
    const all: RawClient[] = [];
    const connect = async (): Promise<RawClient> => {
      all.push(await RawClient.connect(publicUrl));
      return all.at(-1)!;
    };
    const inUse = await connect();
    const ask = async (client: RawClient, userId: string): Promise<number> => {
      client.send(assignRequest(userId));
      return (await client.answer()).status;
    };
    const begins = [assignRequest('idle'), Buffer.alloc(0), beginning.slice(0, 60), beginning];
    for (let i = 0; i < 3 * places; i += 1) {
      const idler = await connect();
      idler.send(begins[i % begins.length]!);
      expect(await ask(inUse, 'in use')).toBe(200);
    }
    const newcomers = await Promise.all(Array.from({ length: places - 1 }, connect));
    const statuses = await Promise.all(newcomers.map((client, i) => ask(client, `new-${i}`)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await ask(inUse, 'in use')).toBe(200);
    const open = () => all.filter(({ socket }) => !socket.destroyed && !socket.readableEnded);
    await expect.poll(() => open().length).toBe(places);
    all.forEach((client) => client.close());
  });
});
