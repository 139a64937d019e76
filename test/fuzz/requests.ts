import { anIssuanceId } from '../harness/fixtures.ts';
import { json } from '../harness/http/raw-api.ts';
import { rawRequest } from '../harness/http/raw-client.ts';
import type { BadInput, Given } from './bad-input.ts';
import { assignOf, assignPath, inputs, wish } from './bad-input.ts';

const get = (path: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('GET '),
    Buffer.from(path),
    Buffer.from(' HTTP/1.1\r\nHost: a\r\n\r\n'),
  ]);

const paths: Given[] = [
  ...['x', '0', '-1', '1.5', '1e3', '0x7b', '%20', '%2e%2e', '2147483648', '9'.repeat(40)].map(
    (id): Given => [`the coupon ${id}`, `/api/v1/coupons/${id}`, 400],
  ),
  ...['__proto__', 'constructor', '%00', '%ff', '%u0041', '%', "1'%20OR%201=1--", '{{7*7}}'].map(
    (id): Given => [`the coupon ${id}`, `/api/v1/coupons/${id}`, 400],
  ),
  ...['x', '1', '%00', '%ed%a0%80', `${anIssuanceId()}0`, '00000000-0000', '../coupons/1'].map(
    (id): Given => [`the issuance ${id}`, `/api/v1/issuances/${id}`],
  ),
  ...['%00', '%0a', '%20', '%ff', '%ed%a0%80', 'a%', 'u'.repeat(65), '%C2%85'].map((id): Given => [
    `the wallet of ${id}`,
    `/api/v1/users/${id}/coupons`,
    400,
  ]),
  ...['x', '', '-1', '0', '101', '1.5', '1e1', '%00', '1&limit=2', '[1]', '9'.repeat(400)].map(
    (limit): Given => [`a page of ${limit}`, `/api/v1/users/a/coupons?limit=${limit}`, 400],
  ),
  ...['x', '31', '-1', '1.5', '1&wait=1', '%00', 'Infinity', ''].map((wait): Given => [
    `a wait of ${wait}`,
    `/api/v1/issuances/${anIssuanceId()}?wait=${wait}`,
    400,
  ]),
  ['an unknown parameter', '/api/v1/users/a/coupons?more=1', 400],
  ['__proto__ as a parameter', '/api/v1/users/a/coupons?__proto__=1', 400],
  ['a nested parameter', '/api/v1/users/a/coupons?limit[a]=1', 400],
  ['a thousand parameters', `/api/v1/users/a/coupons?${'a=1&'.repeat(1_000)}`, 400],
  ['no path', ''],
  ['a star', '*'],
  ['bytes', Buffer.from([0x2f, 0xff, 0xfe])],
  ['another server, as to a proxy', 'http://example.com/health/live', 200],
  ['two slashes', '//api//v1//coupons//1', 404],
  ['a slash more', '/api/v1/coupons/1/', 404],
  ['steps up', '/../../etc/passwd', 404],
  ['steps up, encoded', '/%2e%2e/%2e%2e/etc/passwd', 404],
  ['steps up in the page', '/docs/../../package.json'],
  ['steps up in the page, encoded', '/docs/..%2f..%2fpackage.json'],
  ['what is not public', '/metrics', 404],
  ['a long part', `/api/v1/coupons/${'1'.repeat(2_000)}`, 414],
  ['a long path', `/${'a/'.repeat(3_000)}`],
  ['17 KiB', `/${'a'.repeat(17_000)}`, 414],
];

function headersOf(couponId: number): Given[] {
  const assign = (...headers: string[]): Buffer => assignOf(wish(couponId, 'u'), json, ...headers);
  const repeated = assignOf(wish(couponId), json, 'Expect: 100-continue');
  return [
    ['a long one', assign(`X: ${'x'.repeat(20_000)}`), 431],
    [
      'a thousand',
      assign(...Array.from({ length: 1_000 }, (_, i) => `X-${i}: ${'y'.repeat(20)}`)),
      431,
    ],
    ['ten thousand short ones', assign(...Array.from({ length: 10_000 }, () => 'X: y')), 431],
    ['a long name', assign(`${'x'.repeat(20_000)}: y`), 431],
    ['a long cookie', assign(`Cookie: ${'a=b; '.repeat(4_000)}`), 431],
    ['no colon', assign('nonsense'), 400],
    ['no name', assign(': y'), 400],
    ['a space in a name', assign('X Y: z'), 400],
    ['NUL', assign('X: a\0b'), 400],
    ['NUL in a name', assign('X\0: a'), 400],
    ['a lone CR', assign('X: a\rb'), 400],
    ['a folded line', assign('X: a\r\n b')],
    ['another expectation', assign('Expect: nonsense'), 417],
    ['an expectation that is met', repeated, 200],
    ['two lengths', assign('Content-Length: 5'), 400],
    ['a length below nothing', assign('Content-Length: -1'), 400],
    [
      'a huge length',
      `POST ${assignPath} HTTP/1.1\r\nHost: a\r\n${json}\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\n`,
    ],
    ['length and chunks', assign('Transfer-Encoding: chunked'), 400],
    ['two hosts', assign('Host: b'), 400],
    [
      'an upgrade',
      rawRequest('GET /health/live', ['Connection: Upgrade', 'Upgrade: websocket']),
      200,
    ],
    [
      'an upgrade to HTTP/2',
      rawRequest('GET /health/live', [
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABk',
      ]),
      200,
    ],
    [
      'another method on top',
      rawRequest('GET /health/live', ['X-HTTP-Method-Override: DELETE']),
      200,
    ],
    ['a tag that is none', rawRequest('GET /health/live', ['If-None-Match: "']), 200],
    ['a range', rawRequest('GET /health/live', ['Range: bytes=9-1']), 200],
  ];
}

function wire(couponId: number): BadInput[] {
  const head = `POST ${assignPath} HTTP/1.1\r\nHost: a\r\n${json}\r\n`;
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  const repeat = wish(couponId);
  const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
  const right = assignOf(repeat);
  const one = (name: string, bytes: string | Buffer, status?: number): Given =>
    status === undefined ? [name, bytes] : [name, bytes, status];
  const whole: Given[] = [
    one('chunks', `${chunked}${chunk(repeat)}0\r\n\r\n`, 200),
    one('chunks with trailers', `${chunked}${chunk(repeat)}0\r\nX-Sum: 1\r\n\r\n`, 200),
    one('a chunk for each byte', `${chunked}${repeat.split('').map(chunk).join('')}0\r\n\r\n`, 200),
    one(
      'chunks with names',
      `${chunked}${repeat.length.toString(16)};a=b\r\n${repeat}\r\n0\r\n\r\n`,
      200,
    ),
    one(
      'a trailer that would be a length',
      `${chunked}${chunk(repeat)}0\r\nContent-Length: 1\r\n\r\n`,
    ),
    one('a chunk of no size', `${chunked}\r\n{}\r\n`, 400),
    one('a chunk of a size below nothing', `${chunked}-1\r\n{}\r\n`, 400),
    one('a chunk of a huge size', `${chunked}${'f'.repeat(20)}\r\n{}\r\n`),
    one('a chunk longer than it says', `${chunked}1\r\n{}{}{}\r\n0\r\n\r\n`, 400),
    one('long trailers', `${chunked}0\r\n${'X: y\r\n'.repeat(5_000)}\r\n`, 431),
    one(
      'HTTP/1.0',
      `POST ${assignPath} HTTP/1.0\r\n${json}\r\nContent-Length: ${repeat.length}\r\n\r\n${repeat}`,
      200,
    ),
    one('HTTP/1.0 without a length', `POST ${assignPath} HTTP/1.0\r\n${json}\r\n\r\n${repeat}`),
    one('HTTP/0.9', `GET /health/live\r\n`),
    one('HTTP/1.2', `GET /health/live HTTP/1.2\r\nHost: a\r\n\r\n`, 505),
    one('HTTP/9.9', `GET /health/live HTTP/9.9\r\nHost: a\r\n\r\n`, 505),
    one('HTTP/2 as it is', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
    one('TLS', Buffer.from('16030100a5010000a1030300', 'hex')),
    one('SSH', 'SSH-2.0-OpenSSH_9.6\r\n'),
    one('SMTP', 'EHLO example.com\r\n'),
    one('Redis', '*1\r\n$8\r\nFLUSHALL\r\n'),
    one('random bytes', Buffer.from(Array.from({ length: 9_000 }, (_, i) => (i * 104_729) % 256))),
    one('NULs', Buffer.alloc(20_000)),
    one('line breaks without an end', '\r\n'.repeat(40_000)),
    one('a first line without an end', 'GET /'.padEnd(40_000, 'a'), 414),
    one('an unknown method', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 501),
    one('a known one in vain', `DELETE ${assignPath} HTTP/1.1\r\nHost: a\r\n\r\n`, 405),
    one('garbage behind a request', Buffer.concat([right, Buffer.from('nonsense\r\n\r\n')]), 200),
    one('a request behind a broken one', Buffer.concat([Buffer.from('\0\0\r\n\r\n'), right]), 400),
    one('one behind a body too long', Buffer.concat([assignOf('{'.repeat(20_000)), right]), 413),
    one('fifty in one go', Buffer.concat(Array.from({ length: 50 }, () => right)), 200),
    one('a length too short', `${head}Content-Length: 5\r\n\r\n${repeat}`, 400),
  ];
  const inPieces: BadInput[] = [
    {
      name: 'a body that does not come',
      pieces: [`${head}Content-Length: 50\r\n\r\n{`],
      status: 408,
    },
    { name: 'chunks that do not end', pieces: [`${chunked}1\r\n{\r\n`], status: 408 },
    { name: 'headers that do not end', pieces: [head], status: 408 },
    { name: 'half a first line', pieces: ['POST /api'], status: 408 },
    { name: 'a few bytes at a time', pieces: right.toString().match(/[^]{1,8}/g)!, status: 200 },
    {
      name: 'a continue that is waited for',
      pieces: [`${head}Expect: 100-continue\r\nContent-Length: ${repeat.length}\r\n\r\n`, repeat],
      status: 200,
    },
  ];
  return [...inputs('on the wire', whole, (bytes) => Buffer.from(bytes)), ...inPieces];
}

export function requests(couponId: number): BadInput[] {
  return [
    ...inputs('a path', paths, get),
    ...inputs('headers', headersOf(couponId), (bytes) => Buffer.from(bytes)),
    ...wire(couponId),
  ];
}
