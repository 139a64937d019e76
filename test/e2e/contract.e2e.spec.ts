import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const assignPath = '/api/v1/coupons/assign';
const uuidV7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

let stack: Stack;
let couponId: number;

beforeAll(async () => {
  stack = await startStack();
  couponId = await stack.createCoupon(1_000);
});
afterAll(() => stack.stop());

function post(body: string, contentType = 'application/json'): Promise<Answer> {
  return stack.request(assignPath, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
  });
}

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.body).toMatchObject({
    status,
    code,
    type: expect.any(String),
    title: expect.any(String),
    detail: expect.any(String),
    request_id: expect.any(String),
  });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:|\.js:/);
}

describe('assign', () => {
  it('answers 200 with the issuance and where to ask for its status', async () => {
    const answer = await stack.assign(couponId, 'alice');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      issuance_id: expect.stringMatching(uuidV7),
      coupon_id: couponId,
      user_id: 'alice',
      status: 'ACCEPTED',
      accepted_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      status_url: `/api/v1/issuances/${answer.body.issuance_id}`,
    });
    expect(answer.headers.get('idempotent-replayed')).toBeNull();
  });

  it('answers a repeat with the same issuance and says that it is one', async () => {
    const first = await stack.assign(couponId, 'bob');
    const repeat = await stack.assign(couponId, 'bob');
    expect(repeat.status).toBe(200);
    expect(repeat.body).toEqual(first.body);
    expect(repeat.headers.get('idempotent-replayed')).toBe('true');
  });

  it('gives one user one unit however many requests arrive at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => stack.assign(couponId, 'impatient')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.issuance_id)).size).toBe(1);
  });

  it('never takes one user for another: ids are compared byte for byte', async () => {
    const users = ['User1', 'user1', 'é', 'e', '🎟', '🎉', 'u', 'u ', ' u'];
    const answers = await Promise.all(users.map((user) => stack.assign(couponId, user)));
    expect(answers.map(({ body }) => body.user_id)).toEqual(users);
    expect(new Set(answers.map(({ body }) => body.issuance_id)).size).toBe(users.length);
  });

  it('accepts a user id of 64 characters and refuses one of 65', async () => {
    expect((await stack.assign(couponId, '🎟'.repeat(64))).status).toBe(200);
    expectProblem(await stack.assign(couponId, '🎟'.repeat(65)), 400, 'INVALID_REQUEST');
  });

  it('answers 409 SOLD_OUT when nothing is left, and still answers its holder', async () => {
    const single = await stack.createCoupon(1);
    const winner = await stack.assign(single, 'first');
    expectProblem(await stack.assign(single, 'second'), 409, 'SOLD_OUT');
    expect((await stack.assign(single, 'first')).body).toEqual(winner.body);
  });
});

describe('a bad assign request', () => {
  const valid = { user_id: 'u', coupon_id: 1 };
  const cases: [name: string, body: unknown, field: string][] = [
    ['no user_id', { coupon_id: 1 }, 'user_id'],
    ['an empty user_id', { ...valid, user_id: '' }, 'user_id'],
    ['a blank user_id', { ...valid, user_id: '   ' }, 'user_id'],
    ['a user_id that is no string', { ...valid, user_id: 7 }, 'user_id'],
    ['a control character in user_id', { ...valid, user_id: 'a\nb' }, 'user_id'],
    ['no coupon_id', { user_id: 'u' }, 'coupon_id'],
    ['a coupon_id that is a string', { ...valid, coupon_id: '1' }, 'coupon_id'],
    ['a coupon_id of 0', { ...valid, coupon_id: 0 }, 'coupon_id'],
    ['a coupon_id that is not whole', { ...valid, coupon_id: 1.5 }, 'coupon_id'],
    ['a coupon_id above 2^31 - 1', { ...valid, coupon_id: 2_147_483_648 }, 'coupon_id'],
    ['an unknown field', { ...valid, amount: 2 }, 'amount'],
  ];
  it.each(cases)('with %s is 400 and names the field', async (_, body, field) => {
    const answer = await post(JSON.stringify(body));
    expectProblem(answer, 400, 'INVALID_REQUEST');
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it('with a lone surrogate is 400', async () => {
    expectProblem(await post('{"user_id":"\\ud800","coupon_id":1}'), 400, 'INVALID_REQUEST');
  });

  it.each(['{"user_id":', '[]', '"text"', 'null', ''])('of %j is 400', async (body) => {
    expectProblem(await post(body), 400, 'INVALID_REQUEST');
  });

  it('over 16 KiB is 413', async () => {
    const body = JSON.stringify({ ...valid, user_id: 'x'.repeat(17_000) });
    expectProblem(await post(body), 413, 'BODY_TOO_LARGE');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'as %s is 415',
    async (contentType) => {
      expectProblem(await post('user_id=u', contentType), 415, 'UNSUPPORTED_MEDIA_TYPE');
    },
  );

  it('for a coupon that does not exist is 404', async () => {
    expectProblem(await stack.assign(2_000_000_000, 'u'), 404, 'COUPON_NOT_FOUND');
  });
});

describe("the framework's own errors", () => {
  it.each([
    ['an unknown route', '/nowhere', 'GET'],
    ['a metric nobody outside may see', '/metrics', 'GET'],
  ])('are problems: %s is 404', async (_, path, method) => {
    expectProblem(await stack.request(path, { method }), 404, 'NOT_FOUND');
  });

  it('are problems: a path that cannot be decoded is 400', async () => {
    expectProblem(await stack.request('/api/v1/coupons/%zz'), 400, 'INVALID_REQUEST');
  });

  it('are problems: what is no HTTP at all is 400', async () => {
    const socket = connect(Number(new URL(stack.app('api').publicUrl).port), '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) {
      chunks.push(chunk as Buffer);
    }
    const text = Buffer.concat(chunks).toString();
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('application/problem+json');
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

describe('status', () => {
  it('becomes ISSUED by itself, soon', async () => {
    const { body } = await stack.assign(couponId, 'carol');
    await expect
      .poll(async () => (await stack.request(body.status_url)).body.status)
      .toBe('ISSUED');
    expect((await stack.request(body.status_url)).body).toMatchObject({
      issuance_id: body.issuance_id,
      coupon_id: couponId,
      user_id: 'carol',
      accepted_at: body.accepted_at,
      decided_at: expect.any(String),
    });
  });

  it('is never 404 for an acknowledged id', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const { body } = await stack.assign(couponId, `eager-${i}`);
        return stack.request(body.status_url);
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('is 404 for an id that was never given', async () => {
    const unknown = '/api/v1/issuances/01900000-0000-7000-8000-000000000000';
    expectProblem(await stack.request(unknown), 404, 'ISSUANCE_NOT_FOUND');
    const otherVersion = '/api/v1/issuances/9b2d7ab0-1111-4000-8000-000000000000';
    expectProblem(await stack.request(otherVersion), 404, 'ISSUANCE_NOT_FOUND');
  });

  it('is 400 for what is no id', async () => {
    const answer = await stack.request('/api/v1/issuances/42');
    expectProblem(answer, 400, 'INVALID_REQUEST');
    expect(answer.body.errors[0].field).toBe('issuance_id');
  });
});

describe('wallet and coupon', () => {
  it('lists what a user was issued, page by page', async () => {
    const ids = await Promise.all([1, 2, 3].map(() => stack.createCoupon(1)));
    for (const id of ids) {
      await stack.assign(id, 'dora 🎟');
    }
    const wallet = `/api/v1/users/${encodeURIComponent('dora 🎟')}/coupons`;
    await expect
      .poll(async () => (await stack.request(wallet)).body.coupons.length)
      .toBe(ids.length);
    const first = (await stack.request(`${wallet}?limit=2`)).body;
    expect(first.coupons.map((held: { coupon_id: number }) => held.coupon_id)).toEqual(
      ids.slice(0, 2),
    );
    const second = (await stack.request(`${wallet}?limit=2&after=${first.next}`)).body;
    expect(second.coupons.map((held: { coupon_id: number }) => held.coupon_id)).toEqual(
      ids.slice(2),
    );
    expect(second.next).toBeNull();
  });

  it('is empty for a user who has nothing, and 400 for a limit out of range or not in plain digits', async () => {
    expect((await stack.request('/api/v1/users/nobody/coupons')).body.coupons).toEqual([]);
    for (const limit of ['101', '0', '1e1', '0x10', '%2B5', '%205', '5.0', '5&limit=5']) {
      const answer = await stack.request(`/api/v1/users/nobody/coupons?limit=${limit}`);
      expectProblem(answer, 400, 'INVALID_REQUEST');
    }
  });

  it('shows a coupon and what is left of it', async () => {
    const id = await stack.createCoupon(5, '--name', 'five');
    await stack.assign(id, 'u');
    await expect
      .poll(async () => (await stack.request(`/api/v1/coupons/${id}`)).body)
      .toEqual({
        coupon_id: id,
        name: 'five',
        state: 'OPEN',
        total: 5,
        left: 4,
        opens_at: null,
        closes_at: null,
        valid_until: null,
      });
    expectProblem(await stack.request('/api/v1/coupons/1999999999'), 404, 'COUPON_NOT_FOUND');
    expectProblem(await stack.request('/api/v1/coupons/abc'), 400, 'INVALID_REQUEST');
  });

  it('serves its OpenAPI document', async () => {
    const { body } = await stack.request('/docs-json');
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([assignPath, '/api/v1/issuances/{issuance_id}']),
    );
    const assignBody = body.paths[assignPath].post.requestBody.content['application/json'].schema;
    expect(assignBody.required).toEqual(['user_id', 'coupon_id']);
    expect(body.components.schemas).toHaveProperty('Problem');
  });
});
