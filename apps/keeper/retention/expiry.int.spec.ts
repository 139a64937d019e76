import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  aDeadLetter,
  anIssuanceId,
  aRequest,
  aRequestRecord,
} from '../../../test/harness/fixtures.ts';
import { keptLines } from '../../../test/harness/kept-lines.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { TestLog } from '../../../test/harness/stores/test-log.ts';
import { LogAdmin } from '#event-log/inspect/log-admin.ts';
import { holdsOlderThan } from '#event-log/inspect/oldest-records.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { ExpiredRows } from '#ledger/expired-rows.ts';
import { uuidToBytes } from '#ledger/uuid-bytes.ts';
import { inSlices } from '#platform/work/slices.ts';
import type { Lives } from './expiry.ts';
import { Expiry } from './expiry.ts';

const ledger = new TestLedger();
const log = new TestLog();
const admin = new LogAdmin(log.kafka);
const letters = new DeadLetterLedger(ledger.connection);
const rows = new ExpiredRows(ledger.connection);
const dayMs = 86_400_000;
const { lines, logger } = keptLines();
const tables = ['refusal', 'dead_letter', 'coupon_change'] as const;

beforeAll(() => Promise.all([ledger.start(), log.start()]));
beforeEach(async () => {
  lines.length = 0;
  for (const table of tables) {
    await ledger.query(`DELETE FROM ${table}`);
  }
});
afterAll(async () => {
  await admin.close();
  await Promise.all([ledger.close(), log.close()]);
});

function expiryOf(given: Partial<Lives>): Expiry {
  const lives = { refusal: 0, dead_letter: 0, coupon_change: 0, ...given };
  return new Expiry(rows, admin, log.topics.requested, lives, logger);
}

function expire(given: Partial<Lives>): Promise<void> {
  return expiryOf(given).run(new AbortController().signal);
}

/** One of each kind, from so many days ago: settled where it can be. */
async function leaveBehind(offset: string, daysAgo: number): Promise<void> {
  await ledger.issuances.decideChunk([aRequest({ couponId: 999_999 })]);
  await letters.store(aDeadLetter({ offset }));
  const { lastId } = await letters.countOpen();
  await letters.settle(lastId, { state: 'DISCARDED', reason: 'test' });
  await ledger.createCoupon();
  const ago = daysAgo * dayMs;
  // Those of this moment, not the older ones.
  const young = 'UNIX_TIMESTAMP() * 1000 - 3600000';
  await ledger.query(`UPDATE refusal SET refused_at = refused_at - ? WHERE refused_at > ${young}`, [
    ago,
  ]);
  await ledger.query(
    `UPDATE dead_letter SET settled_at = settled_at - ? WHERE settled_at > ${young}`,
    [ago],
  );
  await ledger.query(
    `UPDATE coupon_change SET changed_at = changed_at - ? WHERE changed_at > ${young}`,
    [ago],
  );
}

async function counts(): Promise<number[]> {
  const found = await Promise.all(
    tables.map((table) => ledger.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`)),
  );
  return found.map(([row]) => row!.n);
}

test('each kind goes when it has lived as long as it is to, and not before', async () => {
  await leaveBehind('1', 10);
  await leaveBehind('2', 3);
  await letters.store(aDeadLetter({ offset: '3' }));
  await expire({ refusal: 20, dead_letter: 20, coupon_change: 20 });
  expect(await counts()).toEqual([2, 3, 2]);
  expect(lines).toEqual([]);
  await expire({ refusal: 5, dead_letter: 5, coupon_change: 5 });
  expect(await counts()).toEqual([1, 2, 1]);
  expect(lines).toMatchObject(
    ['coupon_change', 'dead_letter', 'refusal'].map((table) => ({
      table,
      deleted: 1,
      msg: 'deleted rows that have lived long enough',
    })),
  );
  await expire({});
  expect(await counts()).toEqual([1, 2, 1]);
  // One that nobody has settled is kept, however long.
  await expire({ dead_letter: 0.000_001 });
  expect((await counts())[1]).toBe(1);
  expect((await letters.countOpen()).count).toBe(1);
});

test('at most so many go at once, and a batch goes on where the last one ended', async () => {
  for (const offset of ['11', '12', '13']) {
    await leaveBehind(offset, 10);
  }
  const before = await rows.timeBefore(dayMs);
  expect(await rows.delete('refusal', before, 2)).toBe(2);
  expect(await rows.delete('refusal', before, 2)).toBe(1);
  expect(await rows.delete('coupon_change', before, 2)).toBe(2);
  expect(await rows.delete('dead_letter', before, 500)).toBe(3);
  expect(await counts()).toEqual([0, 0, 1]);
});

test('no refusal or dead letter goes while the log holds a record as old', async () => {
  await log.append(aRequestRecord());
  const now = await rows.timeBefore(0);
  expect(await holdsOlderThan(admin, log.topics.requested, now - dayMs)).toBe(false);
  await expect
    .poll(async () => holdsOlderThan(admin, log.topics.requested, await rows.timeBefore(-1_000)))
    .toBe(true);

  await leaveBehind('21', 10);
  // The record was written now: what is to live for less than a day from now on must stay.
  await expire({ refusal: 0.5, dead_letter: 0.5, coupon_change: 0.5 });
  expect(await counts()).toEqual([1, 1, 0]);
  await expire({ refusal: 5, dead_letter: 5 });
  expect(await counts()).toEqual([0, 0, 0]);
});

test('that the log holds them back is said once, and again when it comes to that again', async () => {
  await log.append(aRequestRecord());
  const warnings = (): unknown[] => lines.splice(0).filter(({ level }) => level === 40);
  const lives = { refusal: 0.5, dead_letter: 0.5, coupon_change: 0 };
  const expiry = new Expiry(rows, admin, log.topics.requested, lives, logger);
  const { signal } = new AbortController();
  await expiry.run(signal);
  expect(warnings()).toMatchObject([
    {
      topic: log.topics.requested,
      msg:
        'refusals and settled dead letters are kept for longer than was set: the log still holds ' +
        'records as old. Keep them for longer than Kafka keeps records',
    },
  ]);
  await expiry.run(signal);
  expect(warnings()).toEqual([]);
  Object.assign(lives, { refusal: 5, dead_letter: 5 });
  await expiry.run(signal);
  Object.assign(lives, { refusal: 0.5 });
  await expiry.run(signal);
  expect(warnings()).toHaveLength(1);
});

/** So many refusals, each as old as they come. */
async function plantRefusals(count: number): Promise<void> {
  for (const some of inSlices(Array.from({ length: count }), 5_000)) {
    await ledger.query(
      'INSERT INTO refusal (issuance_id, coupon_id, user_id, reason, refused_at) VALUES ?',
      [some.map(() => [uuidToBytes(anIssuanceId()), 1, Buffer.from('ann'), 'SOLD_OUT', 1])],
    );
  }
}

test('a run deletes batch after batch, and leaves what is more than 10 000 to the next one', async () => {
  await plantRefusals(10_001);
  await expire({ refusal: 5 });
  expect((await counts())[0]).toBe(1);
  expect(lines).toMatchObject([{ table: 'refusal', deleted: 10_000 }]);
  await expire({ refusal: 5 });
  expect((await counts())[0]).toBe(0);
});

test('a run ends with the first batch that is not full', async () => {
  await plantRefusals(1);
  const asked: string[] = [];
  const counted = withStepsBefore(rows, async (method) => void asked.push(method));
  const lives = { refusal: 5, dead_letter: 0, coupon_change: 0 };
  const expiry = new Expiry(counted, admin, log.topics.requested, lives, logger);
  await expiry.run(new AbortController().signal);
  expect(asked).toEqual(['timeBefore', 'delete']);
});

test('one that is stopped deletes no more', async () => {
  await plantRefusals(1);
  await expiryOf({ refusal: 5 }).run(AbortSignal.abort());
  expect((await counts())[0]).toBe(1);
});
