import { createHmac } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Signer } from '#identity/signer.fixture.ts';
import { aForgedToken, aSigner, aToken, inSeconds } from '#identity/signer.fixture.ts';
import type { Answer } from '../../infra/harness/assign.ts';
import { ask } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { anIssuanceId } from '../harness/fixtures.ts';
import { KeySetServer } from '../harness/http/key-set-server.ts';
import { exchange, rawRequest } from '../harness/http/raw-client.ts';
import { failureLines } from '../harness/log-lines.ts';
import { parseMetrics } from '../harness/metrics-text.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const issuer = 'https://issuer.example';
const audience = 'firstcome';
const neverGiven = anIssuanceId();

let first: Signer;
let second: Signer;
let keySet: KeySetServer;
let stack: Stack;
let apis: App[];
let couponId: number;
/** Everything that must never be written down. */
const secrets: string[] = [];

beforeAll(async () => {
  [first, second] = await Promise.all([aSigner('first'), aSigner('second', 'RS256')]);
  keySet = new KeySetServer([first]);
  await keySet.start();
  // No issuer yet: what is accepted stays so until one is started.
  stack = await startStack(['api', 'api', 'keeper'], {
    AUTH_JWKS_URL: keySet.url,
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: audience,
    AUTH_JWKS_REFRESH_S: '1',
    AUTH_JWKS_COOL_DOWN_MS: '200',
  });
  apis = stack.running('api');
  couponId = await stack.createCoupon(1_000);
});
afterAll(async () => {
  await stack.stop();
  keySet.stop();
});

async function tokenOf(sub: string, claims: JWTPayload = {}, signer = first): Promise<string> {
  const token = await aToken(signer, { sub, iss: issuer, aud: audience, ...claims });
  secrets.push(token);
  return token;
}

interface AskOptions {
  token?: string | undefined;
  api?: App;
  headers?: Record<string, string>;
  method?: string;
}

function get(path: string, { token, api = apis[0]!, headers, method = 'GET' }: AskOptions = {}) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return ask(api, path, { method, headers: { ...authorization, ...headers } });
}

function assign(body: object, options: AskOptions = {}): Promise<Answer> {
  const { token, api = apis[0]!, headers } = options;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return ask(api, '/api/v1/coupons/assign', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization, ...headers },
    body: JSON.stringify(body),
  });
}

const codeOf = ({ status, body }: Answer) => [status, body.code as string];
const challengeOf = ({ headers }: Answer) => headers.get('www-authenticate');

/** What two answers have in common that differ in nothing that may tell them apart. */
function withoutIds({ status, headers, text }: Answer, id: string): object {
  const shown = Object.fromEntries(
    [...headers].filter(([name]) => !['date', 'content-length'].includes(name)),
  );
  const said = text.replaceAll(id, 'ID').replace(/"request_id":"[^"]*"/, '');
  return { status, shown, said };
}

describe('who sends no token', () => {
  it('is asked for one, by every route that is of a user', async () => {
    const asked = [
      assign({ user_id: 'ann', coupon_id: couponId }),
      get(`/api/v1/issuances/${neverGiven}`),
      get(`/api/v1/issuances/${neverGiven}/events`),
      get('/api/v1/users/ann/coupons'),
    ];
    for (const answer of await Promise.all(asked)) {
      expect(codeOf(answer)).toEqual([401, 'UNAUTHENTICATED']);
      expect(challengeOf(answer)).toBe('Bearer realm="firstcome"');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('sees what is of no user', async () => {
    expect((await get(`/api/v1/coupons/${couponId}`)).status).toBe(200);
    expect((await get('/health/ready')).status).toBe(200);
    expect((await get('/docs-json')).status).toBe(200);
    expect((await get('/api/v1/nothing')).status).toBe(404);
  });
});

describe('a user', () => {
  it('assigns for the sub of the token, and refuses another user', async () => {
    const token = await tokenOf('ann');
    const answer = await assign({ coupon_id: couponId }, { token });
    expect([answer.status, answer.body.user_id]).toEqual([200, 'ann']);
    const again = await assign({ coupon_id: couponId, user_id: 'ann' }, { token, api: apis[1]! });
    expect(again.body).toEqual(answer.body);
    const other = await assign({ coupon_id: couponId, user_id: 'bob' }, { token });
    expect(codeOf(other)).toEqual([403, 'USER_MISMATCH']);
    expect(codeOf(await assign({ coupon_id: couponId, user_id: 7 }, { token }))[0]).toBe(400);
    expect(codeOf(await assign([], { token }))[0]).toBe(400);
  });

  it('may write the scheme in any case, and the token in the header only', async () => {
    const token = await tokenOf('ann');
    const path = `/api/v1/users/ann/coupons`;
    const lower = { authorization: `bearer ${token}` };
    expect((await get(path, { headers: lower })).status).toBe(200);
    const basic = { authorization: `Basic ${token}` };
    expect(codeOf(await get(path, { headers: basic }))[0]).toBe(401);
    expect(codeOf(await get(`${path}?access_token=${token}`))[0]).toBe(401);
    const inQuery = `/api/v1/coupons/assign?access_token=${token}`;
    const posted = await ask(apis[0]!, inQuery, { method: 'POST', body: '{}' });
    expect(codeOf(posted)[0]).toBe(401);
  });

  it('is told that two headers Authorization cannot be meant', async () => {
    const [one, two] = [await tokenOf('ann'), await tokenOf('bob')];
    const headers = [
      `authorization: Bearer ${one}`,
      `Authorization: Bearer ${two}`,
      'connection: close',
    ];
    const answer = await exchange(
      apis[0]!.publicUrl,
      rawRequest('GET /api/v1/users/ann/coupons', headers),
    );
    expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_request"');
  });

  const claims = { sub: 'ann', iss: issuer, aud: audience, exp: 4_000_000_000 };
  const hs256 = (): string => {
    const unsigned = aForgedToken({ alg: 'HS256', kid: 'first' }, claims).replace(/\.[^.]*$/, '');
    const secret = JSON.stringify(first.publicKey);
    return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
  };

  it.each<[string, () => string | Promise<string>]>([
    ['has expired', () => tokenOf('ann', { exp: inSeconds(-60) })],
    ['is not valid yet', () => tokenOf('ann', { nbf: inSeconds(600) })],
    ['issuer', () => tokenOf('ann', { iss: 'https://other.example' })],
    ['audience', () => tokenOf('ann', { aud: 'other' })],
    ['sub', () => tokenOf('a'.repeat(65))],
    ['not known here', () => tokenOf('ann', {}, second)],
    ['algorithm', () => aForgedToken({ alg: 'none' }, claims, '')],
    ['algorithm', hs256],
    ['signature', () => aForgedToken({ alg: 'ES256', kid: 'first' }, claims, 'A'.repeat(86))],
    ['too long', () => `${'a'.repeat(9_000)}.b.c`],
    ['not a signed JWT', () => 'nonsense'],
    ['API key', () => `firstcome_0123456789ab_${'A'.repeat(43)}`],
  ])('is not taken at his word: %s', async (words, make) => {
    const token = await make();
    const answer = await assign({ coupon_id: couponId }, { token });
    expect(codeOf(answer)).toEqual([401, 'UNAUTHENTICATED']);
    expect(challengeOf(answer)).toMatch(/^Bearer realm="firstcome", error="invalid_token", /);
    expect(challengeOf(answer)).toContain(words);
    expect(answer.text).not.toContain(token);
  });

  it('whose token fits into no headers is told so', async () => {
    const answer = await get('/api/v1/users/ann/coupons', { token: 'a'.repeat(17_000) });
    expect(codeOf(answer)).toEqual([431, 'HEADERS_TOO_LARGE']);
  });
});

/** What an id is to this user, by all the ways there are to ask for it. */
async function seenBy(token: string, id: string, api: App): Promise<object[]> {
  const path = `/api/v1/issuances/${id}`;
  const any = { 'if-none-match': '*' };
  const tag = { 'if-none-match': 'W/"ACCEPTED"' };
  const answers = await Promise.all([
    get(path, { token, api }),
    get(path, { token, api, headers: any }),
    get(path, { token, api, headers: tag }),
    get(`${path}?wait=1`, { token, api }),
    get(path, { token, api, headers: { prefer: 'wait=1' } }),
    get(path, { token, api, method: 'HEAD' }),
    get(`${path}/events`, { token, api }),
    get(`${path}/events`, { token, api, headers: { 'last-event-id': 'ISSUED' } }),
  ]);
  return answers.map((answer) => withoutIds(answer, id));
}

describe('what is of somebody', () => {
  it("an issuance is its owner's, accepted or decided: to others it is the same as one that never was", async () => {
    const [owner, stranger] = [await tokenOf('owner'), await tokenOf('stranger')];
    const young = anIssuanceId(Date.now());
    const { issuance_id: id } = (await assign({ coupon_id: couponId }, { token: owner })).body;
    for (const api of apis) {
      const mine = await get(`/api/v1/issuances/${id}`, { token: owner, api });
      expect([mine.status, mine.body.status]).toEqual([200, 'ACCEPTED']);
      const theirs = await seenBy(stranger, id as string, api);
      expect(theirs).toEqual(await seenBy(stranger, young, api));
      expect(theirs.map((answer) => Reflect.get(answer, 'status') as number)).toEqual(
        theirs.map(() => 404),
      );
    }
    const waiting = get(`/api/v1/issuances/${id}?wait=30`, { token: owner, api: apis[1]! });
    await stack.startApp('issuer');
    expect((await waiting).body).toMatchObject({ status: 'ISSUED', user_id: 'owner' });
    for (const api of apis) {
      const mine = await get(`/api/v1/issuances/${id}`, { token: owner, api });
      expect(mine.body).toMatchObject({ status: 'ISSUED', user_id: 'owner' });
      const tag = { 'if-none-match': mine.headers.get('etag')! };
      const path = `/api/v1/issuances/${id}`;
      expect((await get(path, { token: owner, api, headers: tag })).status).toBe(304);
      expect((await get(path, { token: stranger, api, headers: tag })).status).toBe(404);
      expect(await seenBy(stranger, id as string, api)).toEqual(
        await seenBy(stranger, neverGiven, api),
      );
    }
    const events = await get(`/api/v1/issuances/${id}/events`, { token: owner });
    expect(events.text).toContain('event: decided');
  });

  it("a wallet is its owner's, whether there is another or not", async () => {
    const [token, other] = [await tokenOf('owner'), await tokenOf('stranger')];
    const mine = await get('/api/v1/users/owner/coupons', { token });
    expect([mine.status, mine.body.user_id]).toEqual([200, 'owner']);
    const tag = { 'if-none-match': mine.headers.get('etag')! };
    const theirs = await get('/api/v1/users/owner/coupons', { token: other, headers: tag });
    expect(codeOf(theirs)).toEqual([404, 'USER_NOT_FOUND']);
    const nobodys = await get('/api/v1/users/nobody/coupons', { token: other });
    expect(withoutIds(theirs, 'owner')).toEqual(withoutIds(nobodys, 'nobody'));
  });
});

interface Key {
  key_id: string;
  key: string;
}

async function newKey(...args: string[]): Promise<Key> {
  const key = JSON.parse(await stack.firstcomeOrThrow('keys', ...args, '--json')) as Key;
  secrets.push(key.key);
  return key;
}

async function listed(id: string): Promise<Record<string, unknown> | undefined> {
  const all = JSON.parse(await stack.firstcomeOrThrow('keys', 'list', '--json')) as Key[];
  return all.find(({ key_id: each }) => each === id) as Record<string, unknown> | undefined;
}

const statusesWith = async (token: string): Promise<number[]> => {
  const answers = apis.map((api) => get('/api/v1/users/anybody/coupons', { token, api }));
  return (await Promise.all(answers)).map(({ status }) => status);
};

describe('a machine', () => {
  it('asks for any user, as far as the scopes of its key go', async () => {
    const writer = await newKey('create', '--name', 'writer', '--scopes', 'assign');
    const reader = await newKey('create', '--name', 'reader', '--scopes', 'read');
    await expect.poll(() => statusesWith(reader.key)).toEqual([200, 200]);
    const body = { coupon_id: couponId, user_id: 'anybody' };
    const answer = await assign(body, { token: writer.key });
    expect([answer.status, answer.body.user_id]).toEqual([200, 'anybody']);
    const path = answer.body.status_url as string;
    expect((await get(path, { token: reader.key })).status).toBe(200);
    expect((await get(`${path}/events`, { token: reader.key })).status).toBe(200);
    // It has to say for whom.
    expect((await assign({ coupon_id: couponId }, { token: writer.key })).status).toBe(400);
    const written = await assign(body, { token: reader.key });
    expect(codeOf(written)).toEqual([403, 'SCOPE_MISSING']);
    expect(challengeOf(written)).toBe(
      'Bearer realm="firstcome", error="insufficient_scope", scope="assign"',
    );
    expect(codeOf(await get(path, { token: writer.key }))).toEqual([403, 'SCOPE_MISSING']);
    await expect
      .poll(async () => (await listed(reader.key_id))!['last_used_at'], { timeout: 30_000 })
      .not.toBeNull();
    expect(await listed(reader.key_id)).toMatchObject({ state: 'ACTIVE', scopes: ['read'] });
  });

  it('goes on with the old key for a while when it is rotated', async () => {
    const old = await newKey('create', '--name', 'till', '--scopes', 'read');
    const by = await newKey('rotate', old.key_id, '--overlap', '1h');
    await expect.poll(() => statusesWith(by.key)).toEqual([200, 200]);
    expect(await statusesWith(old.key)).toEqual([200, 200]);
    expect(await listed(old.key_id)).toMatchObject({ state: 'ENDING', replaced_by: by.key_id });
    const last = await newKey('rotate', by.key_id, '--overlap', '0s');
    await expect.poll(() => statusesWith(by.key)).toEqual([401, 401]);
    await expect.poll(() => statusesWith(last.key)).toEqual([200, 200]);
  });

  it('a revoked key stops in every api, without a restart', async () => {
    const { key_id: id, key } = await newKey('create', '--name', 'lost', '--scopes', 'read');
    await expect.poll(() => statusesWith(key)).toEqual([200, 200]);
    expect((await stack.firstcome('keys', 'revoke', id)).exitCode).toBe(0);
    await expect.poll(() => statusesWith(key), { interval: 50 }).toEqual([401, 401]);
    expect(await listed(id)).toMatchObject({ state: 'ENDED' });
  });

  it('has its first key once: --if-none makes another in no case', async () => {
    const args = ['keys', 'create', '--name', 'first', '--scopes', 'admin', '--if-none', '--json'];
    expect(JSON.parse(await stack.firstcomeOrThrow(...args))).toBeNull();
    const table = await stack.firstcomeOrThrow('keys', 'list');
    expect(table).not.toContain('admin');
    expect(secrets.filter((secret) => table.includes(secret))).toEqual([]);
    const unknown = await stack.firstcome('keys', 'revoke', 'ffffffffffff');
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      1,
      'firstcome: there is no key ffffffffffff\n',
    ]);
  });
});

describe('the key set', () => {
  const metric = async (api: App, name: string): Promise<number | undefined> =>
    parseMetrics(await api.metrics()).get(name)?.series[0]?.value;
  const statusOf = async (token: string): Promise<number[]> =>
    Promise.all(
      apis.map(async (api) => (await get('/api/v1/users/ann/coupons', { token, api })).status),
    );

  it('keys of the issuer are rotated without a restart, and a dropped one stops', async () => {
    const [old, young] = [await tokenOf('ann'), await tokenOf('ann', {}, second)];
    expect(await statusOf(old)).toEqual([200, 200]);
    keySet.signers = [first, second];
    await expect.poll(() => statusOf(young)).toEqual([200, 200]);
    expect(await statusOf(old)).toEqual([200, 200]);
    keySet.signers = [second];
    // It was remembered as good, and is so no more.
    await expect.poll(() => statusOf(old), { timeout: 10_000 }).toEqual([401, 401]);
    expect(await statusOf(young)).toEqual([200, 200]);
  });

  it('that is away is used as it was, and its age told; where there never was one nobody is let in', async () => {
    keySet.stop();
    const api = apis[0]!;
    await expect
      .poll(() => metric(api, 'firstcome_key_set_age_seconds'), { timeout: 15_000 })
      .toBeGreaterThan(3);
    expect((await api.readiness())?.text).toContain('key_set_age');
    expect((await api.readiness())?.status).toBe(200);
    const token = await tokenOf('late', {}, second);
    expect((await get('/api/v1/users/late/coupons', { token })).status).toBe(200);

    const fresh = await stack.startApp('api', {}, { waitUntilReady: false, isApart: true });
    await expect
      .poll(async () => (await fresh.readiness().catch(() => undefined))?.text, { timeout: 30_000 })
      .toContain('key_set');
    expect((await fresh.readiness())?.status).toBe(503);
    const early = await get('/api/v1/users/late/coupons', { token, api: fresh });
    expect(codeOf(early)).toEqual([503, 'UNAVAILABLE']);
    expect(early.headers.get('retry-after')).toBe('1');
    await expect
      .poll(() => failureLines(fresh.output, 'UNAVAILABLE').map(({ firstcome }) => firstcome))
      .toContainEqual(expect.objectContaining({ cause: 'key_set_unread' }));

    await keySet.start();
    await expect.poll(async () => (await fresh.readiness())?.status, { timeout: 30_000 }).toBe(200);
    const answer = await get('/api/v1/users/late/coupons', { token, api: fresh });
    expect(answer.status).toBe(200);
  });
});

describe('what is secret', () => {
  it('stands in no line of a process', () => {
    expect(secrets.length).toBeGreaterThan(0);
    for (const { output } of stack.apps) {
      expect(secrets.filter((secret) => output.includes(secret))).toEqual([]);
    }
  });

  it('what cannot be meant is refused with 78 and a sentence', async () => {
    const app = await stack.startApp(
      'api',
      { AUTH_JWKS_FILE: '/no/such/file', AUTH_JWKS_URL: 'http://u:s3cret@issuer.example' },
      { waitUntilReady: false, isApart: true },
    );
    expect(await app.exit()).toEqual({ code: 78, signal: null });
    expect(app.output).toContain('AUTH_JWKS_FILE: must not be set beside AUTH_JWKS_URL');
    expect(app.output).toContain('AUTH_JWKS_URL: must not have a user or a password');
    expect(app.output).not.toContain('s3cret');
  });
});
