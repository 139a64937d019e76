import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { RawApi, expectProblem, json } from '../harness/http/raw-api.ts';
import { startStack } from '../harness/stack/test-stack.ts';

let stack: Stack;
let api: RawApi;

beforeAll(async () => {
  stack = await startStack();
  api = new RawApi(stack.app('api').publicUrl, await stack.createCoupon(1_000));
});
afterAll(() => stack.stop());

describe('two people never become one', () => {
  it.each([
    ['EUC-KR', [0xb1, 0xe8]],
    ['other EUC-KR', [0xc0, 0xcc]],
    ['Latin-1', [0xe9]],
    ['half a character', [0xea, 0xb9]],
    ['a surrogate as UTF-8', [0xed, 0xa0, 0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ])('by a user id in %s: in a body and in a path', async (_, bytes) => {
    const [head, tail] = api.bodyOf('|').split('|') as [string, string];
    const body = Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]);
    expectProblem(await api.assign(body), 400, 'INVALID_REQUEST');

    const encoded = bytes.map((byte) => `%${byte.toString(16)}`).join('');
    expectProblem(await api.get(`/api/v1/users/${encoded}/coupons`), 400, 'INVALID_REQUEST');
    expectProblem(
      await api.get(`/api/v1/users/a/coupons?after=${encoded}`),
      400,
      'INVALID_REQUEST',
    );
    const asItIs = Buffer.from(bytes).toString('latin1');
    expectProblem(await api.get(`/api/v1/users/${asItIs}/coupons`), 400, 'INVALID_REQUEST');
  });

  it('by a field that is not UTF-8, whichever it is', async () => {
    const bytes = Buffer.from(api.bodyOf('a', ',"\xb1\xe8":1'), 'latin1');
    expectProblem(await api.assign(bytes), 400, 'INVALID_REQUEST');
  });

  it.each(['\\ud800', '\\udc00', 'a\\ud83d', '\\udc00\\ud800', '\\u0000', 'a\\u0085'])(
    'by what has no UTF-8, or no place in a name: %s',
    async (userId) => {
      expectProblem(await api.assign(api.bodyOf(userId)), 400, 'INVALID_REQUEST');
    },
  );

  it('by Unicode that looks the same, which is kept as it came', async () => {
    const users = [
      '\u00e9',
      'e\u0301',
      '\uac00',
      '\u1100\u1161',
      '\ufb01',
      'fi',
      '\u212b',
      '\u00c5',
    ];
    const answers = await Promise.all(users.map((user) => api.assign(api.bodyOf(user))));
    expect(answers.map(({ body }) => body.user_id)).toEqual(users);
    expect(new Set(answers.map(({ body }) => body.issuance_id)).size).toBe(users.length);
  });

  it('by a name that is given twice, however it is written', async () => {
    expectProblem(await api.assign(api.bodyOf('a', ',"user_id":"b"')), 400, 'INVALID_REQUEST');
    expectProblem(
      await api.assign(api.bodyOf('a', ',"\\u0075ser_id":"b"')),
      400,
      'INVALID_REQUEST',
    );
    expectProblem(await api.assign(api.bodyOf('a', ',"coupon_id":1')), 400, 'INVALID_REQUEST');
  });

  it('in a wallet: each finds his own, whatever his id has', async () => {
    const users = [
      'a/b',
      'a%2fb',
      'a%b',
      '%41',
      'A',
      'a+b',
      'a b',
      'a?b#c',
      'a;b',
      '..',
      'ü&=',
      '\\"',
    ];
    const ids = await Promise.all(
      users.map(async (user) => (await stack.assign(api.couponId, user)).body),
    );
    for (const { user_id: user, issuance_id: id } of ids) {
      const path = `/api/v1/users/${encodeURIComponent(user).replace('..', '%2e%2e')}/coupons`;
      await expect
        .poll(async () => (await api.get(path)).body.coupons)
        .toEqual([expect.objectContaining({ issuance_id: id })]);
    }
  });
});

describe('a body', () => {
  it.each([
    ['another charset', [`${json}; charset=euc-kr`]],
    ['Latin-1', [`${json};charset="iso-8859-1"`]],
    ['an unknown parameter', [`${json}; version=2`]],
    ['a compressed body', [json, 'Content-Encoding: gzip']],
    ['another type of JSON', ['Content-Type: application/merge-patch+json']],
    ['no type', ['Content-Type:']],
  ])('with %s is 415', async (_, headers) => {
    expectProblem(await api.assign(api.bodyOf('u'), ...headers), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it.each(['', '; charset=utf-8', ';charset=UTF-8', '; charset="utf-8"', '; charset=utf8', ';'])(
    'as application/json%s is read',
    async (parameter) => {
      expect((await api.assign(api.bodyOf('typed'), `${json}${parameter}`)).status).toBe(200);
    },
  );

  it('may begin with a byte order mark', async () => {
    expect((await api.assign(`\ufeff${api.bodyOf('marked')}`)).status).toBe(200);
  });

  it.each([
    ['in UTF-16', Buffer.from('{"user_id":"a","coupon_id":1}', 'utf16le')],
    ['that sets a prototype', '{"__proto__":{"user_id":"a"},"coupon_id":1}'],
    ['that sets a constructor', '{"constructor":{"prototype":{"user_id":"a"}},"coupon_id":1}'],
    ['of thousands of levels', `${'['.repeat(8_000)}${']'.repeat(8_000)}`],
    ['with a number that is none', '{"user_id":"a","coupon_id":1e999}'],
    ['with a number that is huge', `{"user_id":"a","coupon_id":${'9'.repeat(5_000)}}`],
    ['with a long unknown field', `{"${'x'.repeat(9_000)}":1}`],
  ])('%s is 400', async (_, body) => {
    expectProblem(await api.assign(body), 400, 'INVALID_REQUEST');
  });
});
