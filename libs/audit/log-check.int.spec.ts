import { afterEach, beforeEach, expect, test } from 'vitest';
import { aRequest } from '../../test/support/fixtures.js';
import { TestLedger } from '../../test/support/test-ledger.js';
import { TestLog } from '../../test/support/test-log.js';
import type { IssuanceRequested } from '#coupon/events.js';
import { AuditQueries } from '#ledger/audit-queries.js';
import type { Finding } from './finding.js';
import { checkLog } from './log-check.js';

let ledger: TestLedger;
let log: TestLog;
let issued: IssuanceRequested;
let refused: IssuanceRequested;

/** One request that was issued and one that was refused, both in the log. */
beforeEach(async () => {
  ledger = new TestLedger();
  log = new TestLog();
  await Promise.all([ledger.start(), log.start()]);
  const { id } = await ledger.createCoupon({ total: 1 });
  issued = aRequest({ coupon_id: id, user_id: 'ann' });
  refused = aRequest({ coupon_id: id, user_id: 'bob' });
  await ledger.issuances.decideChunk([issued, refused]);
  await log.append(issued);
  await log.append(refused, 1);
});
afterEach(async () => {
  await ledger.close();
  await log.close();
});

function check(): Promise<Finding> {
  return checkLog(log.kafka, log.topics.requested, new AuditQueries(ledger.connection));
}

test('a log whose requests are all decided holds I6, markers, repeats and garbage included', async () => {
  await log.append(issued);
  await log.log.publishMarkers([{ couponId: issued.coupon_id, kafkaPartition: 0, epoch: 2 }]);
  await log.append('not a request');
  expect(await check()).toEqual({ invariant: 'I6', violations: [], checked: 3 });
});

test('a request that is neither issued nor refused is a violation', async () => {
  const forgotten = aRequest({ coupon_id: issued.coupon_id, user_id: 'eve' });
  await log.append(forgotten, 1);
  expect((await check()).violations).toEqual([
    `${forgotten.issuance_id} is neither issued nor refused`,
  ]);
});

test('a request that is both issued and refused is a violation', async () => {
  await ledger.plantIssuance(refused);
  expect((await check()).violations).toEqual([`${refused.issuance_id} is both issued and refused`]);
});

test('a request that was issued to somebody else, or of another coupon, is a violation', async () => {
  await log.append({ ...issued, user_id: 'Ann' });
  await log.append({ ...issued, coupon_id: issued.coupon_id + 1 });
  expect((await check()).violations).toEqual([
    `${issued.issuance_id} was requested by "Ann", issued to another`,
    `${issued.issuance_id} was requested by "ann", issued to another`,
  ]);
});

test('a record of a version that is not known is a violation, with its place', async () => {
  await log.append({ ...issued, v: 2 });
  expect((await check()).violations).toEqual(['0/1: version 2 is not known']);
});
