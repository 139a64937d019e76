import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableLines } from './printable.ts';

test.each([
  ['\u001b[31mred', String.raw`\u001b[31mred`],
  ['a\nb\r\tc', String.raw`a\u000ab\u000d\u0009c`],
  ['c1 \u009b2J', String.raw`c1 \u009b2J`],
  ['\u202eturned', String.raw`\u202eturned`],
  ['\u2066a\u2069\u200f', String.raw`\u2066a\u2069\u200f`],
  ['line\u2028separator', String.raw`line\u2028separator`],
  ['blank \u3164 \u200b \ufeff', String.raw`blank \u3164 \u200b \ufeff`],
  ['half \ud83d', String.raw`half \ud83d`],
  ['tag \u{e0041}', String.raw`tag \udb40\udc41`],
])('%j cannot steer a terminal, or hide', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test.each(['겨울 세일', 'e\u0301', '👨‍👩‍👧', '❤️', 'שלום', 'क्‍ष', String.raw`back\slash "q"`])(
  '%s is shown as it is',
  (text) => {
    expect(printable(text)).toBe(text);
  },
);

test('JSON stays the same JSON', () => {
  // Any units of UTF-16, so halves of characters, too.
  const texts = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
  fc.assert(fc.property(texts, (text) => JSON.parse(printable(JSON.stringify(text))) === text));
});

test('lines stay lines', () => {
  expect(printableLines('a\u0007\nb\n')).toBe('a\\u0007\nb\n');
});
