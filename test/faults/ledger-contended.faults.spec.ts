import { setTimeout as delay } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { userIds } from '../harness/fixtures.ts';
import { untilOneWaitsForALock } from '../harness/stores/lock-wait.ts';

/** Issuers wait for a lock for half as long as for a query: 1 s. */
const queryTimeoutMs = 2_000;
/** Longer than an issuer tries in one go: five times the wait for a lock. */
const lockedMs = 12_000;
const missingMs = 3_000;

let scenario: FaultScenario;
/** Somebody else at work in the same database. */
let other: mysql.Connection;
let watcher: mysql.Connection;

beforeAll(async () => {
  scenario = await FaultScenario.start({
    env: { MYSQL_QUERY_TIMEOUT_MS: String(queryTimeoutMs) },
  });
  const uri = scenario.stack.env['MYSQL_URL']!;
  other = await mysql.createConnection({ uri });
  watcher = await mysql.createConnection({ uri });
  await other.query('CREATE TABLE ballast (n INT NOT NULL)');
  await other.query('INSERT INTO ballast VALUES (1)');
  for (let rows = 1; rows < 4_096; rows *= 2) {
    await other.query('INSERT INTO ballast SELECT n FROM ballast');
  }
});
afterEach(() => other.rollback());
afterAll(async () => {
  await Promise.all([other.end(), watcher.end()]);
  await scenario.stop();
});

function issuerLog(): string {
  return scenario.stack.app('issuer').output;
}

/** Locks what an issuer locks, in the other order; true when the issuer had to give way. */
async function lockInWrongOrder(): Promise<boolean> {
  await other.beginTransaction();
  try {
    // Who has changed more rows wins a deadlock.
    await other.query('UPDATE ballast SET n = n + 1');
    await other.query('SELECT COUNT(*) FROM issuance WHERE coupon_id = ? FOR UPDATE', [
      scenario.couponId,
    ]);
    await untilOneWaitsForALock({
      query: async (sql) => (await watcher.query<mysql.RowDataPacket[]>(sql))[0],
    });
    await other.query('SELECT id FROM coupon WHERE id = ? FOR UPDATE', [scenario.couponId]);
    return true;
  } catch (error) {
    expect((error as { errno?: number }).errno).toBe(1213);
    return false;
  } finally {
    await other.rollback();
  }
}

describe('another client of MySQL', () => {
  test('that locks in the wrong order: the issuer loses deadlocks, and runs each transaction again', async () => {
    const before = issuerLog().length;
    let lostByIssuer = 0;
    await eventually(async () => {
      lostByIssuer += (await lockInWrongOrder()) ? 1 : 0;
      return lostByIssuer === 3;
    });
    await scenario.untilServed();
    await scenario.untilIssued();
    // The transaction was run again as a whole; the batch was not delivered again.
    const retried = issuerLog()
      .slice(before)
      .split('\n')
      .filter((line) => line.includes('will be retried'));
    expect(retried.filter((line) => line.includes('Deadlock'))).toEqual([]);
  });

  test('that keeps the row of a coupon: the issuer says what it waits for, and goes on by itself', async () => {
    await other.beginTransaction();
    await other.query('SELECT id FROM coupon WHERE id = ? FOR UPDATE', [scenario.couponId]);
    const unlockAt = performance.now() + lockedMs;
    await eventually(async () => issuerLog().includes('Lock wait timeout exceeded'));
    await delay(Math.max(0, unlockAt - performance.now()));
    await scenario.untilServed();
    await other.rollback();
    await scenario.untilIssued();
  });

  test('that renames the table away for 3 s: 30 of 30 acknowledged meanwhile are issued', async () => {
    const couponId = await scenario.stack.createCoupon(30);
    await other.query('RENAME TABLE issuance TO issuance_away');
    const backAt = performance.now() + missingMs;
    const answers = await Promise.all(
      userIds(30).map((user) => scenario.askUntilFinal(user, { couponId })),
    );
    await eventually(async () => issuerLog().includes("issuance' doesn't exist"));
    await delay(Math.max(0, backAt - performance.now()));
    await other.query('RENAME TABLE issuance_away TO issuance');
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));

    await eventually(async () => {
      const [rows] = await watcher.query<mysql.RowDataPacket[]>(
        'SELECT id FROM issuance WHERE coupon_id = ?',
        [couponId],
      );
      return rows.length === 30;
    });
    await scenario.untilServed();
    await scenario.untilIssued();
  });

  test('nothing is lost, and nobody has two', () => scenario.expectNothingLost());
});
