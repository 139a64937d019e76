// oxlint-disable unicorn/no-useless-spread -- rows of a table, several in a line

import { gzipSync } from 'node:zlib';
import type { BadInput, Given } from './bad-input.ts';
import { assignOf, holder, inputs, wish } from './bad-input.ts';

/** As they stand in JSON: none is a user. */
const noUsers = [
  ...['null', 'true', 'false', '0', '1', '-1', '1.5', '1e400', '[]', '{}', '["a"]', '[[]]'],
  ...[
    '{"a":1}',
    '{"$gt":""}',
    '{"toString":1}',
    '{"__proto__":{"length":1}}',
    '""',
    '" "',
    '"\\t"',
  ],
  ...[
    '"\\u0000"',
    '"a\\u0000"',
    '"a\\u001f"',
    '"a\\u007f"',
    '"a\\u0085"',
    '"\\ud800"',
    '"\\udc00a"',
  ],
  ...['"a\\ud83d"', '"\\ude00\\ud83d"', '"\\u2028"', '"\\u3000"', `"${'u'.repeat(65)}"`],
  ...[`"${'🎟'.repeat(65)}"`, `"${'u'.repeat(10_000)}"`],
];

/** None is a coupon. */
const noCoupons = [
  ...['null', 'true', 'false', '""', '"1"', '"123"', '[]', '[1]', '{}', '{"a":1}', '0', '-0', '-1'],
  ...[
    '0.5',
    '1.5',
    '1e-7',
    '2147483648',
    '4294967297',
    '9007199254740993',
    '1e308',
    '1e400',
    '-1e400',
  ],
  ...['9'.repeat(400), `0.${'0'.repeat(400)}1`, '{"$ne":null}', '{"valueOf":1}', '"__proto__"'],
];

/** Not JSON at all, or JSON that is no wish. */
function noWishes(couponId: number): Given[] {
  const user = `"user_id":"u"`;
  const coupon = `"coupon_id":${couponId}`;
  const repeat = (text: string, times: number): string => text.repeat(times);
  return [
    ['nothing', ''],
    ['a blank', ' '],
    ['null', 'null'],
    ['a text', '"a"'],
    ['a number', '1'],
    ['true', 'true'],
    ['an array', '[]'],
    ['a wish in an array', `[{${user},${coupon}}]`],
    ['an empty object', '{}'],
    ['no user', `{${coupon}}`],
    ['no coupon', `{${user}}`],
    ['an unknown field', `{${user},${coupon},"more":1}`],
    ['many unknown fields', `{${Array.from({ length: 900 }, (_, i) => `"f${i}":1`).join()}}`],
    ['a long name', `{${user},${coupon},"${repeat('n', 8_000)}":1}`],
    ['__proto__', `{${user},${coupon},"__proto__":{"isAdmin":true}}`],
    ['__proto__ as the only one', `{"__proto__":{${user},${coupon}}}`],
    ['__proto__, escaped', `{${user},${coupon},"\\u005f_proto__":{}}`],
    ['constructor', `{${user},${coupon},"constructor":{"prototype":{"a":1}}}`],
    ['prototype', `{${user},${coupon},"prototype":{}}`],
    ['toString', `{${user},${coupon},"toString":"a"}`],
    ['hasOwnProperty', `{${user},${coupon},"hasOwnProperty":1}`],
    ['a user twice', `{"user_id":"a",${user},${coupon}}`],
    ['a coupon twice', `{${user},${coupon},"coupon_id":1}`],
    ['a name twice, once escaped', `{"user\\u005fid":"a",${user},${coupon}}`],
    ['a name twice, inside', `{${user},${coupon},"a":{"b":1,"b":2}}`],
    ['the name in capitals', `{"USER_ID":"u",${coupon}}`],
    ['camelCase', `{"userId":"u","couponId":${couponId}}`],
    ['deep arrays', `${repeat('[', 8_000)}${repeat(']', 8_000)}`],
    ['deep objects', `${repeat('{"a":', 2_500)}1${repeat('}', 2_500)}`],
    ['a deep user', `{"user_id":${repeat('[', 4_000)}${repeat(']', 4_000)},${coupon}}`],
    ['arrays without an end', repeat('[', 16_000)],
    ['objects without an end', repeat('{"a":', 3_000)],
    ['a comma too many', `{${user},${coupon},}`],
    ['a comma too few', `{${user} ${coupon}}`],
    ['no end', `{${user},${coupon}`],
    ['an end too many', `{${user},${coupon}}}`],
    ['two of them', `{${user},${coupon}}{${user},${coupon}}`],
    ['a comment', `{${user},${coupon}} // yes`],
    ['single quotes', `{'user_id':'u',${coupon}}`],
    ['no quotes', `{user_id:"u",${coupon}}`],
    ['NaN', `{${user},"coupon_id":NaN}`],
    ['Infinity', `{${user},"coupon_id":Infinity}`],
    ['undefined', `{${user},"coupon_id":undefined}`],
    ['hexadecimal', `{${user},"coupon_id":0x7b}`],
    ['a leading zero', `{${user},"coupon_id":0123}`],
    ['a plus', `{${user},"coupon_id":+123}`],
    ['a bad escape', `{"user_id":"\\x41",${coupon}}`],
    ['half an escape', `{"user_id":"\\u12",${coupon}}`],
    ['a line break in a text', `{"user_id":"a\nb",${coupon}}`],
    ['NUL', `{${user},${coupon}}\0`],
    ['a form', `user_id=u&coupon_id=${couponId}`],
    ['XML', `<wish><user_id>u</user_id><coupon_id>${couponId}</coupon_id></wish>`],
    ['an entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ['JavaScript', `(() => ({${user},${coupon}}))()`],
    ['no UTF-8: a lone byte', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['no UTF-8: too long', Buffer.concat([Buffer.from('{"user_id":"'), Buffer.from([0xc0, 0x80])])],
    [
      'no UTF-8: a surrogate',
      Buffer.concat([Buffer.from('"'), Buffer.from([0xed, 0xa0, 0x80, 0x22])]),
    ],
    ['no UTF-8: a user in EUC-KR', Buffer.from(`{"user_id":"\xb0\xa1",${coupon}}`, 'latin1')],
    ['UTF-16', Buffer.from(`{${user},${coupon}}`, 'utf16le')],
    ['UTF-16 with its mark', Buffer.from(`\ufeff{${user},${coupon}}`, 'utf16le')],
    ['random bytes', Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * 7_919) % 256))],
    ['16 KiB and one byte', wish(couponId, 'u').padEnd(16 * 1_024 + 1), 413],
    ['a megabyte', 'x'.repeat(1_000_000), 413],
    ['10 MB', Buffer.alloc(10_000_000, '{'), 413],
    ['10 MB of a wish with blanks', wish(couponId, 'u').padEnd(10_000_000), 413],
  ];
}

/** In truth right. */
function wishesAfterAll(couponId: number): Given[] {
  return [
    ['blanks around it', ` \r\n\t${wish(couponId)} \n`, 200],
    ['16 KiB with blanks', wish(couponId).padEnd(16 * 1_024), 200],
    ['escapes', `{"user\\u005fid":"h\\u006flder","coupon_id":${couponId}}`, 200],
    [
      'a number with a fraction of nothing',
      `{"user_id":"${holder}","coupon_id":${couponId}.0}`,
      200,
    ],
    ['a byte order mark', `\ufeff${wish(couponId)}`, 200],
  ];
}

function types(couponId: number): BadInput[] {
  const body = wish(couponId, 'u');
  const others = [
    ...['text/plain', 'text/json', 'application/xml', 'application/x-www-form-urlencoded'],
    ...[
      'multipart/form-data; boundary=a',
      'application/jsonp',
      'application/json-seq',
      '*/*',
      'json',
    ],
    ...['application/json; charset=utf-16', 'application/json; charset=euc-kr'],
    ...[
      'application/json; charset=iso-8859-1',
      'application/json; charset=',
      'application/json; a=b',
    ],
    ...['application/json, text/plain', 'application/problem+json', '', 'a/b/c', ';', '\xff'],
  ];
  const encoded = ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'nonsense'];
  return [
    ...others.map((type) => ({
      name: `a body as "${type}"`,
      pieces: [assignOf(body, `Content-Type: ${type}`)],
      status: 415,
    })),
    { name: 'a body as nothing', pieces: [assignOf(body, 'X: y')], status: 415 },
    ...encoded.map((coding) => ({
      name: `a body in ${coding}`,
      pieces: [
        assignOf(gzipSync(body), 'Content-Type: application/json', `Content-Encoding: ${coding}`),
      ],
      status: 415,
    })),
  ];
}

export function bodies(couponId: number): BadInput[] {
  const user = (value: string): Given => [
    `${value.slice(0, 40)} (${value.length})`,
    `{"user_id":${value},"coupon_id":${couponId}}`,
    // U+2028 is no control character, and not blank for whoever writes JSON.
    ...(value === '"\\u2028"' ? ([] as const) : ([400] as const)),
  ];
  return [
    ...inputs('a user that is', noUsers.map(user), assignOf),
    ...inputs(
      'a coupon that is',
      noCoupons.map((value): Given => [
        value.slice(0, 40),
        `{"user_id":"u","coupon_id":${value}}`,
        400,
      ]),
      assignOf,
    ),
    ...inputs('a body that is', noWishes(couponId), assignOf),
    ...inputs('a body with', wishesAfterAll(couponId), assignOf),
    ...types(couponId),
  ];
}
