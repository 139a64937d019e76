import { array, assert, double, oneof, property, string, uint8Array } from 'fast-check';
import { format } from 'mysql2';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from './fingerprint.ts';

const text = (sql: string): string => fingerprintOf(sql).text;

describe('the fingerprint of a statement', () => {
  it.each([
    ['SELECT id FROM issuance WHERE id = ?', 'SELECT id FROM issuance WHERE id = ?'],
    [`SELECT 1 FROM t WHERE a = 'it''s' AND b = "x\\"y"`, 'SELECT ? FROM t WHERE a = ? AND b = ?'],
    ['SELECT a1 FROM t2 WHERE x3 = 42 OR y = -1.5e3', 'SELECT a1 FROM t2 WHERE x3 = ? OR y = ?'],
    [`SELECT id FROM t WHERE u = X'6d65' OR u = 0x6d65`, 'SELECT id FROM t WHERE u = ? OR u = ?'],
    ['SELECT  id\n\t FROM t -- me\n WHERE /* he */ a = ?', 'SELECT id FROM t WHERE a = ?'],
    [
      "SELECT id FROM t WHERE a = ' /* no comment' AND b = 'mine */'",
      'SELECT id FROM t WHERE a = ? AND b = ?',
    ],
    [
      'SELECT `CouponRow`.`id` FROM `coupon` `CouponRow`',
      'SELECT `CouponRow`.`id` FROM `coupon` `CouponRow`',
    ],
  ])('%s', (sql, expected) => {
    expect(text(sql)).toBe(expected);
  });

  it('is the same for lists, rows and branches of any length', () => {
    const insert = 'INSERT INTO t (a, b) VALUES ?';
    const one = text('SELECT id FROM t WHERE id IN (?)');
    expect(text('SELECT id FROM t WHERE id IN (1, 2, 3)')).toBe(one);
    expect(
      text(
        format(insert, [
          [
            [1, 'a'],
            [2, 'b'],
          ],
        ]),
      ),
    ).toBe(text(format(insert, [[[1, 'a']]])));
    expect(text('WHERE (a, b) IN ((1, 2), (3, 4))')).toBe(text('WHERE (a, b) IN ((1, 2))'));
    const cases = (n: number): string =>
      `UPDATE t SET e = CASE id ${'WHEN ? THEN ? '.repeat(n)}END`;
    expect(text(cases(7))).toBe(text(cases(2)));
  });

  it('has no value in it, whatever the value is', () => {
    const sql = 'SELECT id FROM issuance WHERE user_id = ? AND name IN (?) AND n > ?';
    const expected = text(sql);
    assert(
      property(
        oneof(
          string(),
          uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        array(string(), { minLength: 1 }),
        double({ noNaN: true, noDefaultInfinity: true }),
        (user, names, number) => {
          expect(text(format(sql, [user, names, number]))).toBe(expected);
        },
      ),
    );
  });

  it('is named by verb, table and a hash that tells statements apart', () => {
    const { name } = fingerprintOf('SELECT id FROM issuance WHERE id = ?');
    expect(name).toMatch(/^select_issuance_[\da-f]{8}$/);
    expect(fingerprintOf('SELECT id FROM issuance WHERE user_id = ?').name).not.toBe(name);
    expect(fingerprintOf('UPDATE `coupon` SET a = 1').name).toMatch(/^update_coupon_/);
    expect(fingerprintOf('COMMIT').name).toMatch(/^commit_[\da-f]{8}$/);
  });
});
