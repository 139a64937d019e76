import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Signer } from '#identity/signer.fixture.ts';
import { aSigner, aToken } from '#identity/signer.fixture.ts';
import { uuidToBytes } from '#ledger/uuid-bytes.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { aRequestRecord, anIssuanceId } from '../harness/fixtures.ts';
import type { OpenApiDocument } from '../harness/http/openapi.ts';
import { OpenApiWitness } from '../harness/http/openapi.ts';
import { KeySetServer } from '../harness/http/key-set-server.ts';
import { exchange, rawRequest } from '../harness/http/raw-client.ts';
import { StackLog } from '../harness/stack/stack-log.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const assign = 'POST /api/v1/coupons/assign';
const coupon = 'GET /api/v1/coupons/{coupon_id}';
const issuance = 'GET /api/v1/issuances/{issuance_id}';
const events = 'GET /api/v1/issuances/{issuance_id}/events';
const redeem = 'POST /api/v1/issuances/{issuance_id}/redeem';
const wallet = 'GET /api/v1/users/{user_id}/coupons';
const ready = 'GET /health/ready';
const live = 'GET /health/live';
const json = 'Content-Type: application/json';
/** A port that nobody listens on. */
const nowhere = '127.0.0.1:9';

let stack: Stack;
let api: App;
/** Works on one thing at a time, and its MySQL can be taken away. */
let tight: App;
let mysql: TcpProxy;
/** Has let one address ask once, and will not do so again for an hour. */
let strict: App;
/** Has Redis, and nothing else. */
let lonely: App;
/** Wants to know who asks. */
let guarded: App;
let signer: Signer;
let keySet: KeySetServer;
let document: OpenApiDocument;
let witness: OpenApiWitness;
let couponId: number;

beforeAll(async () => {
  stack = await startStack();
  mysql = await TcpProxy.before(stack.env['MYSQL_URL']!);
  api = stack.app('api');
  signer = await aSigner('openapi');
  keySet = new KeySetServer([signer]);
  await keySet.start();
  [strict, guarded, tight, lonely] = await Promise.all([
    stack.startApp('api', { LIMIT_PER_ADDRESS: '1', LIMIT_WINDOW_S: '3600' }),
    stack.startApp('api', { AUTH_JWKS_URL: keySet.url }),
    stack.startApp('api', {
      ASSIGN_IN_FLIGHT_MAX: '1',
      READ_IN_FLIGHT_MAX: '1',
      MYSQL_URL: mysql.through(stack.env['MYSQL_URL']!),
      MYSQL_QUERY_TIMEOUT_MS: '2000',
    }),
    stack.startApp(
      'api',
      { MYSQL_URL: `mysql://u:p@${nowhere}/d`, KAFKA_BROKERS: nowhere, PUBLISH_TIMEOUT_MS: '1000' },
      { waitUntilReady: false },
    ),
  ]);
  document = (await stack.request('/docs-json', {}, api)).body;
  witness = new OpenApiWitness(document);
  couponId = await stack.createCoupon(1_000);
});
afterAll(async () => {
  await stack.stop();
  await mysql.close();
  keySet.stop();
});

/** Asks an operation, holds the answer against the document and resolves to what it was. */
async function ask(operation: string, of: App, path: string, ...more: string[]): Promise<string> {
  const [method = ''] = operation.split(' ');
  const answer = await exchange(of.publicUrl, rawRequest(`${method} ${path}`, more));
  witness.saw(operation, answer);
  return answer.body.code ?? String(answer.status);
}

async function assignTo(of: App, body: unknown, ...headers: string[]): Promise<string> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const bytes = rawRequest(assign, headers.length === 0 ? [json] : headers, text);
  const answer = await exchange(of.publicUrl, bytes);
  witness.saw(assign, answer);
  return answer.body.code ?? String(answer.status);
}

async function redeemBody(path: string, text: string, type = json): Promise<string> {
  const answer = await exchange(api.publicUrl, rawRequest(`POST ${path}/redeem`, [type], text));
  witness.saw(redeem, answer);
  return answer.body.code ?? String(answer.status);
}

function wish(user: string, id = couponId): object {
  return { user_id: user, coupon_id: id };
}

/** As another hand would do it that has no business there. */
async function issuePastTheGate(userId: string): Promise<void> {
  const stores = await StackStores.connect(stack);
  await stores.query(
    'INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at) VALUES (?, ?, ?, 1, ?)',
    [uuidToBytes(anIssuanceId()), couponId, Buffer.from(userId), Date.now()],
  );
  await stores.close();
}

/** Thirty at once, and again where they came one after the other all the same. */
async function untilTooMany(askOne: (i: number) => Promise<string>): Promise<void> {
  const askMany = () => Promise.all(Array.from({ length: 30 }, (_, i) => askOne(i)));
  await expect.poll(askMany, { timeout: 20_000 }).toContain('OVERLOADED');
}

describe('the OpenAPI document has every answer, with its media type, schema and headers', () => {
  it('of assign', async () => {
    const soldOut = await stack.createCoupon(1);
    const closed = await stack.createCoupon(1, '--closes-at', '2020-01-01T00:00:00Z', '--yes');
    const paused = await stack.createCoupon(1);
    const notOpen = await stack.createCoupon(1, '--opens-at', '2099-01-01T00:00:00Z');
    await stack.firstcomeOrThrow('coupon', 'pause', String(paused));
    const told: string[] = [];
    for (const body of [
      wish('a'),
      wish('a'),
      { ...wish('a'), more: 1 },
      wish('a', 2_000_000_000),
      wish('a', soldOut),
      wish('b', soldOut),
      wish('a', paused),
      wish('a', notOpen),
      'x'.repeat(20_000),
    ]) {
      told.push(await assignTo(api, body));
    }
    expect(told).toEqual([
      '200',
      '200',
      'INVALID_REQUEST',
      'COUPON_NOT_FOUND',
      '200',
      'SOLD_OUT',
      'PAUSED',
      'NOT_OPEN',
      'BODY_TOO_LARGE',
    ]);
    expect(await assignTo(api, wish('a'), 'Content-Type: text/plain')).toBe(
      'UNSUPPORTED_MEDIA_TYPE',
    );
    expect(await assignTo(api, wish('a', closed))).toBe('CLOSED');
    const wait = 'Prefer: wait=30';
    expect(await assignTo(api, wish('c'), json, wait)).toBe('200');
    expect(await assignTo(api, wish('d'), json, 'Prefer: respond-async')).toBe('202');
    expect(await assignTo(api, wish('e'), json, 'Idempotency-Key: k')).toBe('200');
    const reused = await assignTo(api, wish('e', soldOut), json, 'Idempotency-Key: k');
    expect(reused).toBe('IDEMPOTENCY_KEY_REUSED');
    await issuePastTheGate('f');
    expect(await assignTo(api, wish('f'), json, wait)).toBe('REFUSED');
    expect(await assignTo(lonely, wish('lonely'))).toBe('UNCONFIRMED');
    expect(await assignTo(lonely, wish('a', 2_000_000_000))).toBe('RECOVERING');
  });

  it('of a coupon', async () => {
    expect(await ask(coupon, api, `/api/v1/coupons/${couponId}`)).toBe('200');
    expect(await ask(coupon, api, '/api/v1/coupons/2000000000')).toBe('COUPON_NOT_FOUND');
    expect(await ask(coupon, api, '/api/v1/coupons/x')).toBe('INVALID_REQUEST');
    expect(await ask(coupon, lonely, `/api/v1/coupons/${couponId}`)).toBe('RECOVERING');
    expect(await ask(coupon, api, `/api/v1/coupons/${'1'.repeat(2_000)}`)).toBe('URI_TOO_LONG');
  });

  it('of an issuance, before and after it is decided', async () => {
    const { body } = await stack.assign(couponId, 'polled', { api });
    const status = async (): Promise<unknown> => {
      await ask(issuance, api, body.status_url);
      return (await stack.request(body.status_url, {}, api)).body.status;
    };
    expect(await ask(issuance, api, `/api/v1/issuances/${anIssuanceId(Date.now())}`)).toBe('200');
    await expect.poll(status).toBe('ISSUED');
    const future = anIssuanceId(Date.now() + 3_600_000);
    expect(await ask(issuance, api, `/api/v1/issuances/${future}`)).toBe('ISSUANCE_NOT_FOUND');
    expect(await ask(issuance, api, '/api/v1/issuances/x')).toBe('INVALID_REQUEST');
    expect(await ask(issuance, api, `/api/v1/issuances/${'1'.repeat(2_000)}`)).toBe('URI_TOO_LONG');
    expect(await ask(issuance, lonely, `/api/v1/issuances/${future}`)).toBe('UNAVAILABLE');
  });

  it('of an issuance that a client knows already, or waits for', async () => {
    const { body } = await stack.assign(couponId, 'polled', { api });
    const path: string = body.status_url;
    const { headers } = await stack.request(`${path}?wait=30`, {}, api);
    const tag = `If-None-Match: ${headers.get('etag')}`;
    expect(await ask(issuance, api, path, tag)).toBe('304');
    expect(await ask(issuance, api, `${path}?wait=31`)).toBe('INVALID_REQUEST');
    expect(await ask(issuance, api, path, 'Prefer: wait=1')).toBe('200');
  });

  it('of the events of an issuance', async () => {
    const { body } = await stack.assign(couponId, 'polled', { api });
    const path = `${body.status_url}/events`;
    witness.saw(events, await stack.request(path, {}, api));
    expect(await ask(events, api, path, 'Last-Event-ID: ISSUED')).toBe('204');
    const future = `/api/v1/issuances/${anIssuanceId(Date.now() + 3_600_000)}/events`;
    expect(await ask(events, api, future)).toBe('ISSUANCE_NOT_FOUND');
    expect(await ask(events, api, '/api/v1/issuances/x/events')).toBe('INVALID_REQUEST');
    expect(await ask(events, lonely, future)).toBe('UNAVAILABLE');
    const long = `/api/v1/issuances/${'1'.repeat(2_000)}/events`;
    expect(await ask(events, api, long)).toBe('URI_TOO_LONG');
  });

  it('of a redemption', async () => {
    const over = await stack.createCoupon(1);
    const { body } = await stack.assign(couponId, 'redeemer', { api });
    const { body: late } = await stack.assign(over, 'redeemer', { api });
    const refused = anIssuanceId();
    const log = await StackLog.connect(stack);
    await log.append(0, aRequestRecord({ issuanceId: refused, couponId: 2_000_000_000 }));
    await log.close();
    const redeemed = (path: string) => ask(redeem, api, `${path}/redeem`, 'Content-Length: 0');
    await expect.poll(() => redeemed(`/api/v1/issuances/${refused}`)).toBe('REFUSED');
    await expect.poll(() => redeemed(body.status_url)).toBe('200');
    expect(await redeemBody(body.status_url, '{"reference":"order-1"}')).toBe('ALREADY_REDEEMED');
    expect(await redeemBody(body.status_url, '[]')).toBe('INVALID_REQUEST');
    expect(await redeemBody(body.status_url, 'x'.repeat(20_000))).toBe('BODY_TOO_LARGE');
    expect(await redeemBody(body.status_url, 'x', 'Content-Type: text/plain')).toBe(
      'UNSUPPORTED_MEDIA_TYPE',
    );
    await stack.request(`${late.status_url}?wait=30`, {}, api);
    const past = ['--valid-until', '2020-01-01T00:00:00Z', '--yes'];
    await stack.firstcomeOrThrow('coupon', 'set-times', String(over), ...past);
    expect(await redeemed(late.status_url)).toBe('EXPIRED');
    // So young that no watermark passes it.
    const underWay = `/api/v1/issuances/${anIssuanceId(Date.now() + 30_000)}`;
    expect(await redeemed(underWay)).toBe('NOT_ISSUED_YET');
    const future = `/api/v1/issuances/${anIssuanceId(Date.now() + 3_600_000)}`;
    expect(await redeemed(future)).toBe('ISSUANCE_NOT_FOUND');
    expect(await ask(redeem, lonely, `${future}/redeem`, 'Content-Length: 0')).toBe('UNAVAILABLE');
    expect(await redeemed(`/api/v1/issuances/${'1'.repeat(2_000)}`)).toBe('URI_TOO_LONG');
  });

  it('of a wallet', async () => {
    const path = '/api/v1/users/polled/coupons';
    const held = async () => (await stack.request(path, {}, api)).body.coupons.length;
    await expect.poll(held).toBe(1);
    expect(await ask(wallet, api, path)).toBe('200');
    const { headers } = await stack.request(path, {}, api);
    expect(await ask(wallet, api, path, `If-None-Match: ${headers.get('etag')}`)).toBe('304');
    expect(await ask(wallet, api, `${path}?limit=1`)).toBe('200');
    expect(await ask(wallet, api, `${path}?limit=x`)).toBe('INVALID_REQUEST');
    expect(await ask(wallet, lonely, path)).toBe('UNAVAILABLE');
    expect(await ask(wallet, api, `/api/v1/users/${'1'.repeat(2_000)}/coupons`)).toBe(
      'URI_TOO_LONG',
    );
  });

  it('of health, which names what is missing, and tells nobody outside why', async () => {
    expect(await ask(live, api, '/health/live')).toBe('200');
    expect(await ask(ready, api, '/health/ready')).toBe('200');
    expect(await ask(ready, lonely, '/health/ready')).toBe('NOT_READY');
    const { text, body } = await stack.request('/health/ready', {}, lonely);
    expect(body.probes).toEqual(expect.arrayContaining(['kafka', 'catalogue']));
    expect(text).not.toMatch(/127\.0\.0\.1|ECONN|MySQL|not reachable|SELECT/i);
    expect((await lonely.readiness())!.text).toMatch(/not reachable/);
    expect(lonely.output).not.toMatch(/request failed/);
  });

  it('of one that has too much to do, or no MySQL any more', async () => {
    const paths: [string, string][] = [
      [coupon, `/api/v1/coupons/${couponId}`],
      [issuance, `/api/v1/issuances/${anIssuanceId(Date.now())}`],
      [events, `/api/v1/issuances/${anIssuanceId(1_500_000_000_000)}/events`],
      [redeem, `/api/v1/issuances/${anIssuanceId(1_500_000_000_000)}/redeem`],
      [wallet, '/api/v1/users/polled/coupons'],
    ];
    for (const [operation, path] of paths) {
      await untilTooMany(() => ask(operation, tight, path));
    }
    await untilTooMany((i) => assignTo(tight, wish(`many-${i}`)));

    mysql.hold();
    expect(await ask(coupon, tight, '/api/v1/coupons/2000000001')).toBe('UNAVAILABLE');
    expect(await assignTo(tight, wish('a', 2_000_000_001))).toBe('UNAVAILABLE');
    const { body } = await stack.request('/health/ready', {}, tight);
    expect(body).toMatchObject({ status: 'degraded', details: { mysql: { status: 'degraded' } } });
    expect(Object.keys(body.details.mysql)).not.toContain('message');
    mysql.release();
  });

  it('of one that asks who asks', async () => {
    const [assigning, reading] = await Promise.all(
      ['assign', 'read'].map(async (scope) => {
        const args = ['keys', 'create', '--name', scope, '--scopes', scope, '--json'];
        const { key } = JSON.parse(await stack.firstcomeOrThrow(...args)) as { key: string };
        return `Authorization: Bearer ${key}`;
      }),
    );
    await expect.poll(() => ask(wallet, guarded, '/api/v1/users/a/coupons', reading!)).toBe('200');
    const issuancePath = `/api/v1/issuances/${anIssuanceId()}`;
    const paths: [string, string, string][] = [
      [redeem, `${issuancePath}/redeem`, reading!],
      [issuance, issuancePath, assigning!],
      [events, `${issuancePath}/events`, assigning!],
      [wallet, '/api/v1/users/a/coupons', assigning!],
    ];
    for (const [operation, path, tooLittle] of paths) {
      expect(await ask(operation, guarded, path)).toBe('UNAUTHENTICATED');
      expect(await ask(operation, guarded, path, tooLittle)).toBe('SCOPE_MISSING');
    }
    expect(await assignTo(guarded, wish('bob'), json)).toBe('UNAUTHENTICATED');
    expect(await assignTo(guarded, wish('bob'), json, reading!)).toBe('SCOPE_MISSING');
    const token = `Authorization: Bearer ${await aToken(signer, { sub: 'ann' })}`;
    expect(await assignTo(guarded, wish('bob'), json, token)).toBe('USER_MISMATCH');
    expect(await ask(wallet, guarded, '/api/v1/users/bob/coupons', token)).toBe('USER_NOT_FOUND');
  });

  it('of any route', async () => {
    const tooMuch = `X: ${'x'.repeat(20_000)}`;
    expect(await ask(assign, api, '/api/v1/coupons/assign')).toBe('LENGTH_REQUIRED');
    const paths: [string, string][] = [
      [assign, '/api/v1/coupons/assign'],
      [coupon, `/api/v1/coupons/${couponId}`],
      [issuance, `/api/v1/issuances/${anIssuanceId()}`],
      [events, `/api/v1/issuances/${anIssuanceId()}/events`],
      [redeem, `/api/v1/issuances/${anIssuanceId()}/redeem`],
      [wallet, '/api/v1/users/a/coupons'],
      [ready, '/health/ready'],
      [live, '/health/live'],
    ];
    await stack.request('/nowhere', {}, strict);
    for (const [operation, path] of paths) {
      expect(await ask(operation, api, path, 'Expect: more')).toBe('EXPECTATION_FAILED');
      expect(await ask(operation, api, path, tooMuch)).toBe('HEADERS_TOO_LARGE');
      expect(await ask(operation, api, `${path}?%zz`)).toBe('INVALID_REQUEST');
      expect(await ask(operation, api, `${path}?${'x'.repeat(9_000)}`)).toBe('URI_TOO_LONG');
      if (!operation.includes('/health/')) {
        expect(await ask(operation, strict, path)).toBe('RATE_LIMITED');
      }
      const coding = 'Transfer-Encoding: gzip, chunked';
      expect(await ask(operation, api, path, coding)).toBe('NOT_IMPLEMENTED');
    }
  });

  it('and no answer that cannot be had', () => {
    for (const [operation, codes] of witness.documented()) {
      // Nothing here makes a bug, or comes late. Health is never sent away.
      const never = operation.includes('/health/') ? ['OVERLOADED'] : [];
      const unseen = ['INTERNAL', 'REQUEST_TIMEOUT', ...never];
      const expected = [...codes].filter((code) => !unseen.includes(code)).sort();
      expect([...witness.seen.get(operation)!].sort(), operation).toEqual(expected);
    }
  });
});

it('the document is the one that is committed', () => {
  expect(document).toEqual(JSON.parse(readFileSync('docs/openapi.json', 'utf8')));
});
