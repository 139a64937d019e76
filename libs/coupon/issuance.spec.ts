import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anIssuanceId } from '../../test/harness/fixtures.ts';
import { couponIdSchema, issuanceIdSchema, reservedAtOf, userIdSchema } from './issuance.ts';

function accepts(userId: unknown): boolean {
  return userIdSchema.safeParse(userId).success;
}

function problemsOf(userId: unknown): string[] {
  return userIdSchema.safeParse(userId).error?.issues.map((issue) => issue.message) ?? [];
}

describe('a user id', () => {
  test('has 1 to 64 characters', () => {
    expect(accepts('u')).toBe(true);
    expect(accepts('u'.repeat(64))).toBe(true);
    expect(problemsOf('')).toContain('must have 1 to 64 characters');
    expect(problemsOf('u'.repeat(65))).toEqual(['must have 1 to 64 characters']);
  });

  test('counts an emoji as one character, and 64 of them fill the column of 256 bytes', () => {
    expect(accepts('🎟'.repeat(64))).toBe(true);
    expect(Buffer.byteLength('🎟'.repeat(64))).toBe(256);
    expect(accepts('🎟'.repeat(65))).toBe(false);
  });

  test.each([
    ['NUL', '\u0000'],
    ['a line feed', '\n'],
    ['a tab', '\t'],
    ['escape', '\u001b'],
    ['DEL', '\u007f'],
    ['NEL of C1', '\u0085'],
  ])('has no control characters: %s', (_name, character) => {
    expect(problemsOf(`us${character}er`)).toEqual(['must not contain control characters']);
  });

  test.each([
    ['high', 'a\ud83c'],
    ['low', '\udf9fa'],
    ['swapped', '\udf9f\ud83c'],
  ])('has no lone surrogates: %s', (_name, userId) => {
    expect(problemsOf(userId)).toEqual(['must not contain lone surrogates']);
  });

  test.each([' ', '   ', '\u00a0', '\u3000'])('is not blank: %j', (userId) => {
    expect(problemsOf(userId)).toEqual(['must not be blank']);
  });

  test.each([undefined, null, 1, true, {}, ['u']])('is a string, not %j', (value) => {
    expect(problemsOf(value)).toEqual(['must be a string']);
  });

  test('is taken as it is: case, blanks around it, accents and joined emoji are kept', () => {
    for (const userId of ['User1', 'user1', ' u ', 'e\u0301', '👩‍👩‍👧', 'ß', 'İ']) {
      expect(userIdSchema.parse(userId)).toBe(userId);
    }
  });

  test('that is accepted always fits the column and comes back from bytes as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (userId) => {
        fc.pre(accepts(userId));
        expect(Buffer.byteLength(userId)).toBeLessThanOrEqual(256);
        expect(Buffer.from(userId).toString()).toBe(userId);
      }),
      { numRuns: 500 },
    );
  });
});

test('a coupon id is a whole number from 1 to 2147483647', () => {
  for (const id of [1, 2_147_483_647]) {
    expect(couponIdSchema.safeParse(id).success).toBe(true);
  }
  for (const id of [0, -1, 1.5, 2_147_483_648, '1', Number.NaN, null]) {
    expect(couponIdSchema.safeParse(id).success).toBe(false);
  }
});

test('an issuance id is a UUID', () => {
  expect(issuanceIdSchema.safeParse(anIssuanceId()).success).toBe(true);
  for (const id of ['', 'abc', `${anIssuanceId()}0`, anIssuanceId().replaceAll('-', '')]) {
    expect(issuanceIdSchema.safeParse(id).success).toBe(false);
  }
});

describe('reservedAtOf', () => {
  test('reads the millisecond out of a UUIDv7, in either case', () => {
    // The example of RFC 9562, A.6.
    const id = '017F22E2-79B0-7CC3-98C4-DC0C0C07398F';
    expect(reservedAtOf(id)).toBe(0x017f22e279b0);
    expect(reservedAtOf(id.toLowerCase())).toBe(0x017f22e279b0);
  });

  test('reads back any time that was put in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(10_000, 0) - 1 }), (time) => {
        expect(reservedAtOf(anIssuanceId(time))).toBe(time);
      }),
    );
  });

  test('knows no time that no clock shows, after the year 9999', () => {
    expect(reservedAtOf(anIssuanceId(Date.UTC(10_000, 0)))).toBeUndefined();
    expect(reservedAtOf('ffffffff-ffff-7fff-bfff-ffffffffffff')).toBeUndefined();
  });

  test('knows no time of a UUID of another version', () => {
    expect(reservedAtOf('919108f7-52d1-4320-9bac-f847db4148a8')).toBeUndefined();
  });
});
