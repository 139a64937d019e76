import { afterEach, beforeEach, expect, test } from 'vitest';
import { aDeadLetter, aRequest, aRequestRecord } from '../../test/harness/fixtures.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import { TestLog } from '../../test/harness/stores/test-log.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import { AuditQueries } from '#ledger/audit-queries.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import type { Finding } from './finding.ts';
import { checkLog } from './log-check.ts';

let ledger: TestLedger;
let log: TestLog;
let issued: IssuanceRequest;
let refused: IssuanceRequest;

/** One request that was issued and one that was refused, both in the log. */
beforeEach(async () => {
  ledger = new TestLedger();
  log = new TestLog();
  await Promise.all([ledger.start(), log.start()]);
  const { id } = await ledger.createCoupon({ total: 1 });
  issued = aRequest({ couponId: id, userId: 'ann' });
  refused = aRequest({ couponId: id, userId: 'bob' });
  await ledger.issuances.decideChunk([issued, refused]);
  await log.append(aRequestRecord(issued));
  await log.append(aRequestRecord(refused), 1);
});
afterEach(async () => {
  await ledger.close();
  await log.close();
});

function check(): Promise<Finding> {
  return checkLog(log.kafka, log.topics.requested, new AuditQueries(ledger.connection));
}

function keepDeadLetter(partition: number, offset: string): Promise<boolean> {
  const letters = new DeadLetterLedger(ledger.connection);
  return letters.store(aDeadLetter({ topic: log.topics.requested, partition, offset }));
}

test('a log whose requests are all decided holds I6, markers, repeats and garbage included', async () => {
  await log.append(aRequestRecord(issued));
  await log.log.publishMarkers([{ couponId: issued.couponId, kafkaPartition: 0, epoch: 2 }]);
  await log.append('not a request');
  await keepDeadLetter(0, '3');
  expect(await check()).toEqual({ invariant: 'I6', violations: [], checked: 4 });
});

test('a request that is neither issued nor refused is a violation', async () => {
  const forgotten = aRequest({ couponId: issued.couponId, userId: 'eve' });
  await log.append(aRequestRecord(forgotten), 1);
  expect((await check()).violations).toEqual([
    `${forgotten.issuanceId} is neither issued nor refused to "eve" of coupon ${issued.couponId}`,
  ]);
});

test('bytes that are no request are a violation unless they are kept, at that very place', async () => {
  await log.append('not a request');
  await log.append('nor this', 1);
  await keepDeadLetter(1, '1');
  expect((await check()).violations).toEqual([
    '0/1: bytes that are no request, and no dead letter',
  ]);
  await keepDeadLetter(0, '1');
  expect((await check()).violations).toEqual([]);
});

test('a request that is both issued and refused is a violation', async () => {
  await ledger.plantIssuance(refused);
  expect((await check()).violations).toEqual([`${refused.issuanceId} is both issued and refused`]);
});

test('a request under the id of another is a violation unless it is kept as a dead letter', async () => {
  const { issuanceId: id, couponId } = issued;
  await log.append(aRequestRecord({ ...issued, userId: 'Ann' }));
  await log.append(aRequestRecord({ ...issued, couponId: couponId + 1 }));
  await log.append(aRequestRecord({ ...refused, userId: 'ann' }), 1);
  expect((await check()).violations.sort()).toEqual(
    [
      `${id} is neither issued nor refused to "Ann" of coupon ${couponId}`,
      `${id} is neither issued nor refused to "ann" of coupon ${couponId + 1}`,
      `${refused.issuanceId} is neither issued nor refused to "ann" of coupon ${couponId}`,
    ].sort(),
  );
  await keepDeadLetter(0, '1');
  await keepDeadLetter(0, '2');
  await keepDeadLetter(1, '1');
  expect(await check()).toEqual({ invariant: 'I6', violations: [], checked: 5 });
});

test('a record of a version that is not known is a violation, with its place', async () => {
  await log.append({ ...aRequestRecord(issued), v: 2 });
  expect((await check()).violations).toEqual(['0/1: version 2 is not known']);
});
