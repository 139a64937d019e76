import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { RawApi, assignLine, expectProblem, json } from '../harness/http/raw-api.ts';
import { RawClient, exchange, rawRequest } from '../harness/http/raw-client.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';

let stack: Stack;
let api: RawApi;

beforeAll(async () => {
  stack = await prepareStack();
  // A coupon that is created may be missing from its list for so long.
  await stack.startApp('api', { CATALOGUE_REFRESH_MS: '8000' });
  api = new RawApi(stack.app('api').publicUrl, await stack.createCoupon(1_000));
});
afterAll(() => stack.stop());

describe('what is no proper request', () => {
  const plain = ['GET /api/v1/coupons/1 HTTP/1.1', 'Host: api'];
  const unread = '\r\nContent-Length: 2\r\n\r\n{}';
  const chunked = `${assignLine} HTTP/1.1\r\nHost: a\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const cases: [name: string, bytes: string, status: number, code: string][] = [
    ['without Host', 'GET /health/live HTTP/1.1\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['no HTTP', 'NONSENSE\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['no HTTP behind a path', 'GET / FTP/1.1\r\nHost: api\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'HTTP_VERSION_NOT_SUPPORTED'],
    ['HTTP/3.0', 'GET / HTTP/3.0\r\nHost: api\r\n\r\n', 505, 'HTTP_VERSION_NOT_SUPPORTED'],
    ['lines without CR', 'GET / HTTP/1.1\nHost: api\n\n', 400, 'INVALID_REQUEST'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: api\r\n\r\n', 501, 'NOT_IMPLEMENTED'],
    ['one like another', 'GETX / HTTP/1.1\r\nHost: api\r\n\r\n', 501, 'NOT_IMPLEMENTED'],
    ['a method in small letters', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 501, 'NOT_IMPLEMENTED'],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 501, 'NOT_IMPLEMENTED'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['no Host in Host', 'GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['a space before a colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['NUL in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['CR in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['no length', `${assignLine} HTTP/1.1\r\nHost: a\r\n${json}\r\n\r\n`, 411, 'LENGTH_REQUIRED'],
    [
      'a length that is no number',
      `${assignLine} HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}`,
      400,
      'INVALID_REQUEST',
    ],
    [
      'two lengths that differ',
      `${assignLine} HTTP/1.1\r\nHost: a\r\nContent-Length: 3${unread}`,
      400,
      'INVALID_REQUEST',
    ],
    [
      'a length above the limit',
      `${assignLine} HTTP/1.1\r\nHost: a\r\n${json}\r\nContent-Length: 16385\r\n\r\n{`,
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'chunks above it',
      `${chunked}4001\r\n${' '.repeat(0x4001)}\r\n0\r\n\r\n`,
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'chunks with long names',
      `${chunked}2;${'x'.repeat(20_000)}\r\n{}\r\n`,
      413,
      'BODY_TOO_LARGE',
    ],
    ['long trailers', `${chunked}0\r\n${'X: y\r\n'.repeat(4_000)}\r\n`, 431, 'HEADERS_TOO_LARGE'],
    [
      'another type',
      `${assignLine} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain${unread}`,
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a coding without an end',
      `${assignLine} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n`,
      400,
      'INVALID_REQUEST',
    ],
    [
      'a coding twice',
      `${assignLine} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
      400,
      'INVALID_REQUEST',
    ],
    [
      'a coding in HTTP/1.0',
      `${assignLine} HTTP/1.0\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      400,
      'INVALID_REQUEST',
    ],
    ['another method', 'PUT /health/live HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
    ['no such route', 'POST /none HTTP/1.1\r\nHost: a\r\n\r\n', 404, 'NOT_FOUND'],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nHost: api\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['a fragment', 'GET /docs#a HTTP/1.1\r\nHost: api\r\n\r\n', 400, 'INVALID_REQUEST'],
    [
      'a broken chunk',
      `${assignLine} HTTP/1.1\r\nHost: a\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      'INVALID_REQUEST',
    ],
    [
      'two lengths',
      `${assignLine} HTTP/1.1\r\nHost: a\r\n${json}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
      400,
      'INVALID_REQUEST',
    ],
    [
      'another coding',
      `${assignLine} HTTP/1.1\r\nHost: a\r\n${json}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      501,
      'NOT_IMPLEMENTED',
    ],
    [
      'an expectation',
      `${assignLine} HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 2\r\n\r\n`,
      417,
      'EXPECTATION_FAILED',
    ],
    [
      'a header of 20 KB',
      [...plain, `X: ${'x'.repeat(20_000)}`, '', ''].join('\r\n'),
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'thousands of headers',
      [...plain, ...Array(3_000).fill('X: y'), '', ''].join('\r\n'),
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'a path of 20 KB',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: api\r\n\r\n`,
      414,
      'URI_TOO_LONG',
    ],
    [
      'a query of 9 KB',
      `GET /health/live?${'x'.repeat(9_000)} HTTP/1.1\r\nHost: api\r\n\r\n`,
      414,
      'URI_TOO_LONG',
    ],
    [
      'a long parameter',
      `GET /api/v1/users/${'x'.repeat(2_000)}/coupons HTTP/1.1\r\nHost: api\r\n\r\n`,
      414,
      'URI_TOO_LONG',
    ],
  ];
  it.each(cases)('is answered with a problem: %s', async (_, bytes, status, code) => {
    expectProblem(await exchange(api.url, Buffer.from(bytes, 'latin1')), status, code);
  });

  it('does not take the place of the answer to the request before it', async () => {
    const client = await RawClient.connect(api.url);
    const sound = rawRequest(assignLine, [json], api.bodyOf('first'));
    client.send(Buffer.concat([sound, Buffer.from('NONSENSE\r\n\r\n')]));
    expect(await client.answer()).toMatchObject({ status: 200, body: { user_id: 'first' } });
    expectProblem(await client.answer(), 400, 'INVALID_REQUEST');
    await client.closed();
    expect((await api.assign(api.bodyOf('first'))).headers.get('idempotent-replayed')).toBe('true');
  });

  it('is read although it asks for more, where that may be left out', async () => {
    expect(
      (await api.get(`/api/v1/coupons/${api.couponId}`, 'Upgrade: h2c', 'Connection: Upgrade'))
        .status,
    ).toBe(200);
    expect((await api.get(`http://other/api/v1/coupons/${api.couponId}`)).status).toBe(200);
    const old = Buffer.from('GET /health/live HTTP/1.0\r\n\r\n');
    expect((await exchange(api.url, old)).status).toBe(200);
  });
});

describe('a path', () => {
  it.each([
    [
      assignLine.slice('POST '.length),
      'POST',
      ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'],
    ],
    ['/api/v1/coupons/1', 'GET, HEAD', ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']],
    ['/api/v1/issuances/1', 'GET, HEAD', ['POST', 'DELETE']],
    ['/api/v1/users/a/coupons', 'GET, HEAD', ['POST', 'DELETE']],
    ['/health/ready', 'GET, HEAD', ['POST', 'DELETE']],
    ['/docs', 'GET, HEAD', ['POST', 'DELETE']],
    ['/docs-json', 'GET, HEAD', ['POST', 'DELETE']],
  ])('%s says that it knows %s only', async (path, allow, others) => {
    for (const method of others) {
      const answer = await exchange(api.url, rawRequest(`${method} ${path}`, [json], '{"unread":'));
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.get('allow')).toBe(allow);
    }
  });

  it.each([
    '/nowhere',
    '//docs',
    '/api/v1/coupons/1/',
    '/api/v1/coupons/',
    '/api/v1/users//coupons',
    '/api/v1/users/a//coupons',
    '/api/v1//users/a/coupons',
    '/api/v1/issuances/',
    '/API/v1/coupons/1',
    '/docs/none.js',
    '/docs/..%2fpackage.json',
    '*',
    '/metrics',
  ])('%s is 404, whatever the method', async (path) => {
    for (const method of ['GET', 'DELETE', 'OPTIONS']) {
      expectProblem(await exchange(api.url, rawRequest(`${method} ${path}`)), 404, 'NOT_FOUND');
    }
  });

  it('is answered to HEAD as to GET, without the body', async () => {
    const head = await stack.request(`/api/v1/coupons/${api.couponId}`, { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    const absent = await stack.request('/api/v1/coupons/1999999999', { method: 'HEAD' });
    expect([absent.status, absent.text]).toEqual([404, '']);
  });
});

it('a CONNECT that is broken off after its answer ends no process', async () => {
  const app = stack.app('api');
  for (let i = 0; i < 5; i += 1) {
    const client = await RawClient.connect(app.publicUrl);
    client.send('CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n');
    expectProblem(await client.answer(), 501, 'NOT_IMPLEMENTED');
    client.send('more');
    client.socket.resetAndDestroy();
  }
  expect((await api.get('/health/live')).status).toBe(200);
  expect(app.isRunning).toBe(true);
});

describe('a coupon just created', () => {
  it('is found at once, and one that is not there is 404 all the same', async () => {
    const id = await stack.createCoupon(3);
    expect((await api.get(`/api/v1/coupons/${id}`)).body).toMatchObject({ coupon_id: id, left: 3 });
    const absent = await Promise.all(
      Array.from({ length: 50 }, (_, i) => api.get(`/api/v1/coupons/${1_999_990_000 + i}`)),
    );
    absent.forEach((answer) => expectProblem(answer, 404, 'COUPON_NOT_FOUND'));
  });
});

describe('an issuance id', () => {
  it.each([
    ['of the year 10889', 'ffffffff-ffff-7fff-bfff-ffffffffffff'],
    ['of 2050', '024c4f22-0000-7000-8000-000000000000'],
    ['of no time at all', '00000000-0000-0000-0000-000000000000'],
    ['of all ones', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    ['of another version', '9b2d7ab0-1111-4000-8000-000000000000'],
    ['of version 8', '01900000-0000-8000-8000-000000000000'],
  ])('%s was never given', async (_, id) => {
    expectProblem(await api.get(`/api/v1/issuances/${id}`), 404, 'ISSUANCE_NOT_FOUND');
  });

  it.each(['01900000-0000-7000-1000-000000000000', '42', 'x'.repeat(1_000), '%00', '\u200b'])(
    'is 400 where it is none: %s',
    async (id) => {
      expectProblem(await api.get(`/api/v1/issuances/${encodeURI(id)}`), 400, 'INVALID_REQUEST');
    },
  );
});
