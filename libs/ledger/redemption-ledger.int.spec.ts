import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aRequest, anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import { LedgerConnection } from './connection/ledger-connection.ts';
import { IssuanceLedger } from './issuance-ledger.ts';
import { RedemptionLedger } from './redemption-ledger.ts';

const here = new TestLedger();
const { issuances, coupons } = here;
const redemptions = new RedemptionLedger(here.connection, issuances);
const long = 1_000_000_000_000;

beforeAll(() => here.start());
afterAll(() => here.close());

async function issued(couponId: number, ...users: string[]): Promise<string[]> {
  const requests = users.map((userId) => aRequest({ couponId, userId }));
  await issuances.decideChunk(requests);
  return requests.map(({ issuanceId }) => issuanceId);
}

async function mysqlNow(): Promise<number> {
  const [row] = await here.query<{ now: string }>('SELECT UNIX_TIMESTAMP(NOW(3)) * 1000 AS now');
  return Number(row!.now);
}

async function rowsOf(...ids: string[]): Promise<number> {
  const rows = await here.query('SELECT 1 FROM redemption WHERE issuance_id IN (?)', [
    ids.map((id) => Buffer.from(id.replaceAll('-', ''), 'hex')),
  ]);
  return rows.length;
}

/** A change of its validity, as a manager makes it. */
async function validUntil(couponId: number, time: number | null): Promise<void> {
  const { version } = (await coupons.find(couponId))!;
  const change = { action: 'set-times', asRead: version, version: version + 1 } as const;
  expect(await coupons.change(couponId, { ...change, validUntil: time })).toBe(true);
}

describe('redeem', () => {
  test('uses up what was issued, once: whoever comes later is told when and for what it was', async () => {
    const { id } = await here.createCoupon();
    const [issuanceId] = (await issued(id, 'ann')) as [string];
    const [first] = await redemptions.redeem([{ issuanceId, reference: 'order-1' }]);
    expect(first).toMatchObject({ isNew: true, issuance: { status: 'REDEEMED' } });
    expect(Math.abs(first!.issuance!.redeemedAt! - (await mysqlNow()))).toBeLessThan(60_000);
    for (const reference of ['order-1', 'order-2', undefined]) {
      const [again] = await redemptions.redeem([{ issuanceId, reference }]);
      expect(again).toEqual({ ...first, isNew: false });
    }
    expect(first!.issuance!.reference).toBe('order-1');
    expect(await rowsOf(issuanceId)).toBe(1);
  });

  test('of what was refused, is unknown or is over redeems nothing, and its neighbours all the same', async () => {
    const { id } = await here.createCoupon({ total: 1 });
    const [won, lost] = (await issued(id, 'ann', 'bob')) as [string, string];
    const { id: overId } = await here.createCoupon({ validUntil: (await mysqlNow()) - 1 });
    const [over] = (await issued(overId, 'ann')) as [string];
    const unknown = anIssuanceId();
    const ids = [lost, unknown, over, won];
    const outcomes = await redemptions.redeem(ids.map((issuanceId) => ({ issuanceId })));
    expect(outcomes.map(({ issuance, isNew }) => [issuance?.status, isNew])).toEqual([
      ['REFUSED', false],
      [undefined, false],
      ['EXPIRED', false],
      ['REDEEMED', true],
    ]);
    expect(await rowsOf(...ids)).toBe(1);
  });

  test('of one that is named more than once in a call is that of the first', async () => {
    const { id } = await here.createCoupon();
    const [issuanceId] = (await issued(id, 'ann')) as [string];
    const references = ['a', 'b', 'a'];
    const outcomes = await redemptions.redeem(
      references.map((reference) => ({ issuanceId, reference })),
    );
    expect(outcomes.map(({ isNew }) => isNew)).toEqual([true, false, false]);
    expect(outcomes.map(({ issuance }) => issuance!.reference)).toEqual(['a', 'a', 'a']);
  });

  test('by several processes at once, of overlapping units, redeems each once', async () => {
    const { id } = await here.createCoupon({ total: 40 });
    const ids = await issued(id, ...userIds(40));
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const some = ids.slice(i * 2, i * 2 + 24);
        const mixed = i % 2 === 0 ? some : some.toReversed();
        return redemptions.redeem(
          mixed.map((issuanceId) => ({ issuanceId, reference: `process-${i}` })),
        );
      }),
    );
    const fresh = outcomes.flat().filter(({ isNew }) => isNew);
    const redeemed = fresh.map(({ issuance }) => issuance!.issuanceId);
    expect(redeemed.toSorted()).toEqual(ids.slice(0, 38).toSorted());
    expect(await rowsOf(...ids)).toBe(38);
  });

  test('that comes too late is not that of somebody else who came in time', async () => {
    const { id } = await here.createCoupon();
    const [issuanceId] = (await issued(id, 'ann')) as [string];
    let reads = 0;
    const slow = new RedemptionLedger(here.connection, {
      findStatuses: async (ids) => {
        const found = await issuances.findStatuses(ids);
        reads += 1;
        if (reads === 1) {
          await redemptions.redeem([{ issuanceId, reference: 'order-1' }]);
          await validUntil(id, 1);
        }
        return found;
      },
    });
    const [late] = await slow.redeem([{ issuanceId, reference: 'order-2' }]);
    expect(late).toMatchObject({
      issuance: { status: 'REDEEMED', reference: 'order-1' },
      isNew: false,
    });
  });

  test('waits for nobody who has the row of the coupon, nor keeps it from anybody', async () => {
    const { id } = await here.createCoupon();
    const [issuanceId] = (await issued(id, 'ann')) as [string];
    await here.connection.dataSource.transaction(async (manager) => {
      await manager.query('SELECT id FROM coupon WHERE id = ? FOR UPDATE', [id]);
      const [redeemed] = await redemptions.redeem([{ issuanceId }]);
      expect(redeemed).toMatchObject({ isNew: true });
    });
    // And the other way round: an issuer decides while a redemption is not committed yet.
    const [next] = (await issued(id, 'bob')) as [string];
    await here.connection.dataSource.transaction('READ COMMITTED', async (manager) => {
      const inside = { dataSource: { transaction: (_: string, work: Work) => work(manager) } };
      const connection = inside as unknown as LedgerConnection;
      await new RedemptionLedger(connection, issuances).redeem([{ issuanceId: next }]);
      await issued(id, 'carl');
    });
    expect(await rowsOf(next)).toBe(1);
  });

  test('rejects when MySQL is not there', async () => {
    const url = { ...here.config, MYSQL_URL: 'mysql://root@127.0.0.1:1/nowhere' };
    const away = new LedgerConnection(url);
    const without = new RedemptionLedger(away, new IssuanceLedger(away));
    await expect(without.redeem([{ issuanceId: anIssuanceId() }])).rejects.toThrow('MySQL');
  });
});

type Work = (manager: unknown) => Promise<unknown>;

describe('until when it is valid', () => {
  test('is decided by the clock of MySQL: over, valid for longer, redeemed, and then for ever', async () => {
    const { id } = await here.createCoupon();
    const [issuanceId] = (await issued(id, 'ann')) as [string];
    const status = async (): Promise<unknown> =>
      (await issuances.findStatuses([issuanceId]))[0]!.status;
    await validUntil(id, (await mysqlNow()) + long);
    expect(await status()).toBe('ISSUED');
    await validUntil(id, (await mysqlNow()) - long);
    expect(await status()).toBe('EXPIRED');
    expect((await redemptions.redeem([{ issuanceId }]))[0]!.isNew).toBe(false);
    await validUntil(id, null);
    expect(await status()).toBe('ISSUED');
    expect((await redemptions.redeem([{ issuanceId }]))[0]!.isNew).toBe(true);
    await validUntil(id, 1);
    expect(await status()).toBe('REDEEMED');
  });

  test('moved into the past is now: what was redeemed before was redeemed in time', async () => {
    const { id } = await here.createCoupon();
    const [issuanceId] = (await issued(id, 'ann')) as [string];
    const [redeemed] = await redemptions.redeem([{ issuanceId }]);
    await validUntil(id, 1);
    const { validUntil: over } = (await coupons.find(id))!;
    expect(over).toBeGreaterThanOrEqual(redeemed!.issuance!.redeemedAt!);
    expect(over).toBeLessThanOrEqual(await mysqlNow());
  });
});
