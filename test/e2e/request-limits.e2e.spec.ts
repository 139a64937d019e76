import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../infra/harness/assign.ts';
import { assign } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { failureLines } from '../harness/log-lines.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';

const perUser = 10;
const perAddress = 15;
/** Longer than this test lasts: no window ends in it. */
const windowS = 3_600;
const shop = 'https://shop.example';

let stack: Stack;
let couponId: number;
/** Two that share their counts, behind a proxy that they trust. */
let apis: [App, App];
/** One that trusts nobody, and has lost its Redis now and then. */
let alone: App;
let redis: TcpProxy;

beforeAll(async () => {
  stack = await prepareStack();
  const shared = {
    LIMIT_PER_USER: String(perUser),
    LIMIT_PER_ADDRESS: String(perAddress),
    LIMIT_WINDOW_S: String(windowS),
    TRUST_PROXY: '10.0.0.0/8,127.0.0.1,fd00::/8',
  };
  redis = await TcpProxy.before(stack.env['GATE_REDIS_URL']!);
  const single = {
    LIMIT_PER_ADDRESS: '5',
    LIMIT_WINDOW_S: '3',
    CORS_ALLOWED_ORIGINS: `${shop},http://localhost:3000`,
    GATE_REDIS_URL: redis.through(stack.env['GATE_REDIS_URL']!),
    GATE_TIMEOUT_MS: '300',
  };
  [apis, alone] = await Promise.all([
    Promise.all([stack.startApp('api', shared), stack.startApp('api', shared)]),
    stack.startApp('api', single, { isApart: true }),
  ]);
  couponId = await stack.createCoupon(1_000);
});
afterAll(async () => {
  await stack.stop();
  await redis.close();
});

let addresses = 0;
/** One that nothing was counted of. */
const newAddress = (): string => `192.0.2.${(addresses += 1)}`;

function wallet(api: App, forwardedFor: string, userId: string): Promise<Answer> {
  const headers = { 'x-forwarded-for': forwardedFor };
  return stack.request(`/api/v1/users/${userId}/coupons`, { headers }, api);
}

function statusesOf(answers: Answer[]): Record<number, number> {
  const groups = Map.groupBy(answers, ({ status }) => status);
  return Object.fromEntries([...groups].map(([status, { length }]) => [status, length]));
}

/** At one api and the other in turns. */
function inTurns(times: number, ask: (api: App, i: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: times }, (_, i) => ask(apis[i % 2]!, i)));
}

describe('requests of one user', () => {
  it('are counted by all apis together, by assigns and by reads, wherever they come from', async () => {
    const answers = await inTurns(30, (api, i) =>
      i < 20
        ? assign(
            api,
            { couponId, userId: 'eager' },
            { headers: { 'x-forwarded-for': newAddress() } },
          )
        : wallet(api, newAddress(), 'eager'),
    );
    expect(statusesOf(answers)).toEqual({ 200: perUser, 429: 20 });
    const calm = await assign(
      apis[0],
      { couponId, userId: 'calm' },
      {
        headers: { 'x-forwarded-for': newAddress() },
      },
    );
    expect(calm.status).toBe(200);
  });

  it('are told how many are left, and when there will be more', async () => {
    const address = newAddress();
    const left: (string | null)[] = [];
    for (let i = 0; i < perUser + 1; i += 1) {
      const { headers } = await wallet(apis[i % 2]!, address, 'counted');
      expect(headers.get('ratelimit-policy')).toBe(
        `"address";q=${perAddress};w=${windowS}, "user";q=${perUser};w=${windowS}`,
      );
      left.push(headers.get('ratelimit')!.replaceAll(/t=\d{4}/g, 't=…'));
    }
    expect(left.slice(0, 2)).toEqual([
      '"address";r=14;t=…, "user";r=9;t=…',
      '"address";r=13;t=…, "user";r=8;t=…',
    ]);
    expect(left.at(-1)).toBe('"address";r=4;t=…, "user";r=0;t=…');
    const { status, headers, body } = await wallet(apis[0], address, 'counted');
    expect([status, body]).toMatchObject([
      429,
      { code: 'RATE_LIMITED', violated_policies: ['user'], detail: expect.stringMatching(/user/) },
    ]);
    expect(headers.get('content-type')).toBe('application/problem+json');
    const seconds = Number(headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(windowS - 120);
    expect(seconds).toBeLessThanOrEqual(windowS);
  });
});

describe('requests from one address', () => {
  it('are counted by all apis together, whatever becomes of them, and health checks are not', async () => {
    const headers = { 'x-forwarded-for': newAddress() };
    const paths = ['/api/v1/coupons/x', '/nowhere', `/api/v1/coupons/${couponId}`];
    const ask = (path: string) => (api: App) => stack.request(path, { headers }, api);
    const health = await inTurns(30, ask('/health/live'));
    expect(statusesOf(health)).toEqual({ 200: 30 });
    expect(health[0]!.headers.has('ratelimit')).toBe(false);
    const answers = await inTurns(30, (api, i) => ask(paths[i % 3]!)(api));
    expect(statusesOf(answers)[429]).toBe(30 - perAddress);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(refused.body.violated_policies).toEqual(['address']);
  });

  it('have the address that the last untrusted hop has, whatever a client says before', async () => {
    const mine = newAddress();
    const forged = await inTurns(20, (api, i) =>
      wallet(api, `203.0.113.${i}, 127.0.0.1, ${mine}, 10.1.2.3`, `forger-${i}`),
    );
    expect(statusesOf(forged)).toEqual({ 200: perAddress, 429: 20 - perAddress });
  });

  it('have the /64 of an IPv6 address', async () => {
    const answers = await inTurns(20, (api, i) =>
      wallet(api, `2001:db8:1:2:${i}::${i}`, `six-${i}`),
    );
    expect(statusesOf(answers)).toEqual({ 200: perAddress, 429: 20 - perAddress });
    expect((await wallet(apis[0], '2001:db8:1:3::1', 'six')).status).toBe(200);
  });

  it('have that of the connection where no proxy is trusted, and more of them when the window is over', async () => {
    const answers: Answer[] = [];
    const ask = async () => {
      const answer = await wallet(alone, `203.0.113.${answers.length}`, 'anybody');
      answers.push(answer);
      return answer.status;
    };
    await expect.poll(ask, { interval: 1 }).toBe(429);
    expect(answers.length).toBeGreaterThan(5);
    const { headers } = answers.at(-1)!;
    expect(headers.get('x-should-retry')).toBe('true');
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(3);
    await expect.poll(ask, { interval: 200 }).toBe(200);
    expect(await alone.metrics()).toMatch(
      /^firstcome_requests_limited_total\{by="address"[^}]*\} [1-9]/m,
    );
  });

  it('are counted by an api for itself while Redis does not answer', async () => {
    redis.hold();
    try {
      const told = () => failureLines(alone.output, 'LIMITED_APART').length;
      await expect
        .poll(async () => {
          await wallet(alone, '', 'anybody');
          return told();
        })
        .toBeGreaterThan(0);
      // In one of the windows that follow, whenever that begins.
      await expect
        .poll(async () => {
          const answers = await Promise.all(
            Array.from({ length: 20 }, () => wallet(alone, '', 'anybody')),
          );
          return statusesOf(answers);
        })
        .toEqual({ 200: 5, 429: 15 });
    } finally {
      redis.release();
    }
  });
});

describe('a page of another origin', () => {
  const preflight = (api: App, origin: string) =>
    stack.request(
      '/api/v1/coupons/assign',
      {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,idempotency-key',
        },
      },
      api,
    );

  it('may ask, and read what it needs, where its origin is allowed', async () => {
    const { status, headers } = await preflight(alone, shop);
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, shop]);
    expect(headers.get('vary')).toBe('Origin');
    expect(headers.get('access-control-allow-methods')).toContain('POST');
    for (const name of [
      'Prefer',
      'Idempotency-Key',
      'Authorization',
      'If-None-Match',
      'Last-Event-ID',
      'traceparent',
    ]) {
      expect(headers.get('access-control-allow-headers')).toContain(name);
    }
    const asking = { headers: { origin: shop } };
    // Also what is refused, for any reason.
    for (const path of ['/api/v1/coupons/x?%zz', '/nowhere', '/health/live']) {
      const answer = await stack.request(path, asking, alone);
      expect(answer.headers.get('access-control-allow-origin')).toBe(shop);
      expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
      for (const name of ['Location', 'Retry-After', 'ETag', 'RateLimit', 'RateLimit-Policy']) {
        expect(answer.headers.get('access-control-expose-headers')).toContain(name);
      }
    }
  });

  it('may not where its origin is another, or none is allowed', async () => {
    const other = await preflight(alone, `${shop}.evil`);
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([204, null]);
    const off = await preflight(apis[0], shop);
    expect([off.status, off.body.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(off.headers.get('allow')).toBe('POST');
    expect([...off.headers.keys()].filter((name) => name.startsWith('access-'))).toEqual([]);
  });
});

it('no answer is to be framed or sniffed, and /docs may run its own scripts', async () => {
  for (const path of ['/health/live', '/nowhere', '/docs-json', '/docs']) {
    const { headers } = await stack.request(path, {}, apis[0]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain(
      path.startsWith('/docs') ? "default-src 'self'" : "default-src 'none'",
    );
  }
  const page = await stack.request('/docs', {}, apis[0]);
  // What the policy would not run.
  expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|src=["']?http/i);
});
