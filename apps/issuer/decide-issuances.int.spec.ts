import { expect, test } from 'vitest';
import { aRequest } from '../../test/harness/fixtures.ts';
import { silentFailures } from '../../test/harness/silent-failures.ts';
import { openTestStores } from '../../test/harness/stores/test-stores.ts';
import { Telemetry } from '#platform/telemetry/telemetry.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { DecideIssuances } from './decide-issuances.ts';
import { IssuerMetrics } from './issuer-metrics.ts';

const { ledger, here, log } = openTestStores();
const issuer = new DecideIssuances(
  ledger.issuances,
  here.gate,
  log.log,
  new StatusHints(here.connection, here.prefix, 60),
  new IssuerMetrics(new Telemetry('test', false), log.topics.requested),
  silentFailures(),
);

test('a refused unit comes back although the same chunk refuses requests of an older epoch', async () => {
  const coupon = await ledger.createCoupon({ total: 1 });
  const { id: couponId } = coupon;
  await ledger.issuances.applyMarker({ epochs: [{ couponId, epoch: 2 }] });
  // The gate admits one more than MySQL allows.
  await here.rebuild({ ...coupon, epoch: 2, total: 2 }, []);
  const old = aRequest({ couponId, epoch: 1, userId: 'of an older epoch' });
  const ann = aRequest({
    couponId,
    epoch: 2,
    userId: 'ann',
    issuanceId: await here.take(couponId, 'ann'),
  });
  const bob = aRequest({
    couponId,
    epoch: 2,
    userId: 'bob',
    issuanceId: await here.take(couponId, 'bob'),
  });

  const { decisions } = await issuer.decide(0, [old, ann, bob]);
  expect(decisions.map(({ reason, status }) => reason ?? status)).toEqual([
    'VOID',
    'ISSUED',
    'SOLD_OUT',
  ]);
  expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 1, left: 1 });
  expect(await here.outcomes(couponId, 'ann', 'carl')).toEqual([
    { kind: 'replayed', issuanceId: ann.issuanceId, pending: true },
    { kind: 'reserved', issuanceId: expect.any(String) as string },
  ]);
});
