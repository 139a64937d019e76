import type { TestLedger } from '../harness/stores/test-ledger.ts';
import type { GrownTables } from './explain.ts';

const digits =
  '(SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)';

/** As many numbers from 0 on, at most 100 000. */
function numbers(count: number): string {
  return `SELECT n FROM (
    SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n
    FROM ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${digits} e) all_numbers
    WHERE n < ${count}`;
}

const now = 1_790_000_000_000;

/** Rows as a ledger has them after some time: enough that an optimizer does not read all of them anyway. */
export async function growLedger(ledger: TestLedger): Promise<GrownTables> {
  await ledger.query(
    `INSERT INTO coupon (id, name, total, issued, kafka_partition, version, state, archived_at, epoch, applied_epoch)
     SELECT n + 1, 'coupon', 1000000, 0, n MOD 8, 1, 'open', IF(n < 800, ${now}, NULL), 1, 1
     FROM (${numbers(1_000)}) s`,
  );
  await ledger.query(
    `INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at)
     SELECT UNHEX(LPAD(HEX(n), 32, '0')), 1 + n MOD 1000, CONCAT('user-', n DIV 3), 1, ${now} + n
     FROM (${numbers(60_000)}) s`,
  );
  await ledger.query(
    `INSERT INTO refusal (issuance_id, coupon_id, user_id, reason, refused_at)
     SELECT UNHEX(CONCAT('F', LPAD(HEX(n), 31, '0'))), 1 + n MOD 1000, CONCAT('user-', n), 'DUPLICATE', ${now} + n
     FROM (${numbers(30_000)}) s`,
  );
  await ledger.query(
    `INSERT INTO coupon_change (coupon_id, version, action, total, state, changed_at)
     SELECT 1 + n DIV 20, 1 + n MOD 20, 'resume', 1000000, 'open', ${now} + n
     FROM (${numbers(20_000)}) s`,
  );
  await ledger.query(
    `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, recorded_at, found_at, headers, reason, state, settled_at)
     SELECT 'requested', n MOD 8, n, ${now}, ${now}, '{}', 'malformed', IF(n < 10000, 'DISCARDED', 'OPEN'), IF(n < 10000, ${now} + n, NULL)
     FROM (${numbers(10_100)}) s`,
  );
  await ledger.query(
    `INSERT INTO redemption (issuance_id, redeemed_at)
     SELECT UNHEX(LPAD(HEX(n * 2), 32, '0')), ${now} + n FROM (${numbers(30_000)}) s`,
  );
  await ledger.query(
    'ANALYZE TABLE coupon, issuance, refusal, redemption, coupon_change, dead_letter',
  );
  return {
    issuance: 60_000,
    refusal: 30_000,
    redemption: 30_000,
    coupon_change: 20_000,
    dead_letter: 10_100,
  };
}
