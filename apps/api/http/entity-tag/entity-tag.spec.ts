import { expect, test } from 'vitest';
import { isNamed, tagOfContent } from './entity-tag.ts';

test.each([
  ['"a"', '"a"'],
  ['W/"a"', 'W/"a"'],
  // Compared weakly, as If-None-Match is.
  ['"a"', 'W/"a"'],
  ['W/"a"', '"a"'],
  ['"a"', '"b", "a"'],
  ['"a"', ' * '],
])('%s is named by If-None-Match: %s', (tag, header) => {
  expect(isNamed(tag, header)).toBe(true);
});

test.each([
  ['"a"', undefined],
  ['"a"', ''],
  ['"a"', '"b"'],
  ['"a"', 'a'],
  ['"a"', '"A"'],
])('%s is not named by If-None-Match: %s', (tag, header) => {
  expect(isNamed(tag, header)).toBe(false);
});

test('the same content has the same tag, and other content another', () => {
  expect(tagOfContent({ a: 1 })).toBe(tagOfContent({ a: 1 }));
  expect(tagOfContent({ a: 1 })).not.toBe(tagOfContent({ a: 2 }));
  expect(tagOfContent({ a: 1 })).toMatch(/^"[\w-]{22}"$/);
});
