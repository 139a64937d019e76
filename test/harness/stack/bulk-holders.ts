import type { StackStores } from './stack-stores.ts';

const sliceSize = 10_000;

/** Holders of a coupon, as so many requests would have left them in MySQL; in tens of thousands. */
export async function plantHolders(
  stores: StackStores,
  couponId: number,
  count: number,
): Promise<void> {
  for (let from = 0; from < count; from += sliceSize) {
    await stores.query(
      `INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at)
       SELECT UNHEX(CONCAT('0190000000007000', LPAD(HEX(seq), 16, '0'))), ?,
              CONCAT('customer-', LPAD(seq, 8, '0')), 1, 1764000000000
       FROM (SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + ? AS seq
             FROM ${digits('a')}, ${digits('b')}, ${digits('c')}, ${digits('d')}) AS numbers`,
      [couponId, from],
    );
  }
  await stores.query('UPDATE coupon SET issued = ? WHERE id = ?', [count, couponId]);
}

function digits(name: string): string {
  const rest = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `UNION ALL SELECT ${n}`).join(' ');
  return `(SELECT 0 AS n ${rest}) AS ${name}`;
}
