import { afterAll, beforeAll, expect, test } from 'vitest';
import { aRequest, anIssuanceId } from '../../../test/harness/fixtures.ts';
import { silentFailures } from '../../../test/harness/silent-failures.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { TestGate } from '../../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { DecidedLookups } from '../waiting/decided-lookups.ts';
import { IssuanceStatusReader } from './issuance-status.ts';

const ledger = new TestLedger();
const here = new TestGate();
const hints = new StatusHints(here.connection, here.prefix, 60);
const failures = silentFailures();
const lookups = new DecidedLookups(hints, ledger.issuances, failures, 10_000);
const reader = new IssuanceStatusReader(here.gate, hints, lookups, failures);
const notFound = { code: 'ISSUANCE_NOT_FOUND' };

beforeAll(() => Promise.all([ledger.start(), here.start()]));
afterAll(() => Promise.all([ledger.close(), here.close()]));

test('the oldest reservation still pending is ACCEPTED: the watermark is its very time', async () => {
  const now = await here.gate.now();
  await hints.writeWatermark(now);
  expect(await reader.read(anIssuanceId(now))).toMatchObject({ status: 'ACCEPTED' });
  expect(await reader.read(anIssuanceId(now + 1))).toMatchObject({ status: 'ACCEPTED' });
  await expect(reader.read(anIssuanceId(now - 1))).rejects.toMatchObject(notFound);
});

test('an id of a time that has not come was never given, also while nobody works out a watermark', async () => {
  const now = await here.gate.now();
  const withoutWatermark = new StatusHints(here.connection, `${here.prefix}-none`, 60);
  for (const seen of [hints, withoutWatermark]) {
    const status = new IssuanceStatusReader(here.gate, seen, lookups, failures);
    await expect(status.read(anIssuanceId(now + 3_600_000))).rejects.toMatchObject(notFound);
    // A clock that is put back a little takes nothing back that was given.
    expect(await status.read(anIssuanceId(now + 30_000))).toMatchObject({ status: 'ACCEPTED' });
  }
});

test('one that is decided while its status is read, as the watermark passes it, is not 404', async () => {
  const now = await here.gate.now();
  await hints.writeWatermark(now);
  const { id: couponId } = await ledger.createCoupon();
  const request = aRequest({ couponId, issuanceId: anIssuanceId(now), reservedAt: now });
  const reads = new Set<string>();
  const before = async (read: string): Promise<void> => {
    if (read === 'readWatermark' || read === 'findStatuses') {
      reads.add(read);
    }
    if (reads.size === 2) {
      await ledger.issuances.decideChunk([request]);
      await hints.writeWatermark(reservedAtOf(request.issuanceId)! + 1);
    }
  };
  const interrupted = new IssuanceStatusReader(
    here.gate,
    withStepsBefore(hints, before),
    new DecidedLookups(hints, withStepsBefore(ledger.issuances, before), failures, 10_000),
    failures,
  );
  expect(await interrupted.read(request.issuanceId)).toMatchObject({ status: 'ISSUED' });
  expect(reads.size).toBe(2);
});
