import { In, IsNull } from 'typeorm';
import type { Coupon, CouponState } from '#coupon/coupon.ts';
import { couponIdMax } from '#coupon/coupon.ts';
import { CouponChangeRow, CouponRow } from '../entities.ts';
import type { LedgerConnection } from '../connection/ledger-connection.ts';
import { nowInMs } from '../ledger-view.ts';
import { inTransaction } from '../transaction.ts';
import type { ChangeAction } from './change-record.ts';
import { recordChange } from './change-record.ts';

export interface NewCoupon {
  id?: number;
  name: string;
  total: number;
  kafkaPartition: number;
  opensAt: number | null;
  closesAt: number | null;
  validUntil?: number | null;
}

/** The first of the changes of a coupon. */
export interface CouponCreation {
  total: number;
  /** Null, like both times, when the coupon is older than the record of them. */
  name: string | null;
  opensAt: number | null;
  closesAt: number | null;
  validUntil: number | null;
  createdAt: number;
}

/** A new coupon would have an id above `couponIdMax`. */
export class NoIdLeftError extends Error {
  override readonly name = 'NoIdLeftError';
}

export interface CouponChange {
  action: ChangeAction;
  version: number;
  /**
   * The version of the coupon that the change was decided on, or the one that was taken for it
   * (`takeVersion`). What is right for one version, raising or reopening, may be wrong for the next.
   */
  asRead: number;
  state?: CouponState;
  total?: number;
  name?: string;
  opensAt?: number | null;
  closesAt?: number | null;
  /** One that has passed counts as now: nothing that was redeemed before becomes wrong. */
  validUntil?: number | null;
  /** The change only counts while the coupon is in this epoch: no recovery has begun since. */
  inEpoch?: number;
}

/** The coupons, as MySQL keeps them. Rejects while MySQL is away. */
export class CouponLedger {
  constructor(private readonly connection: LedgerConnection) {}

  /** Those that have a gate: all but the archived ones. */
  async list(): Promise<Coupon[]> {
    return this.coupons.find({ where: { archivedAt: IsNull() }, order: { id: 'ASC' } });
  }

  /** The last partition of the log that any of them is on; undefined while there is none. */
  async highestPartition(): Promise<number | undefined> {
    const highest = await this.coupons.maximum('kafkaPartition', { archivedAt: IsNull() });
    return highest ?? undefined;
  }

  /** The archived ones, too, and there may be many of them. */
  async listAll(): Promise<Coupon[]> {
    return this.coupons.find({ order: { id: 'ASC' } });
  }

  /**
   * Changes with every change of a live coupon, its epoch included, and when one comes or goes; not
   * when something is issued. MySQL reads the live coupons for it, and sends one line.
   */
  async fingerprint(): Promise<string> {
    const [row]: { coupons: number; sum: string | null }[] = await this.connection.dataSource.query(
      `SELECT COUNT(*) AS coupons, SUM(CRC32(CONCAT_WS(':', id, version, epoch))) AS sum
       FROM coupon WHERE archived_at IS NULL`,
    );
    return `${row!.coupons}:${row!.sum}`;
  }

  async find(id: number): Promise<Coupon | null> {
    return this.coupons.findOneBy({ id });
  }

  /** Those of them that exist, in no order. */
  async findAll(ids: readonly number[]): Promise<Coupon[]> {
    return this.coupons.findBy({ id: In(ids) });
  }

  /** How a coupon was created; null where nothing is known of that. */
  async findCreation(couponId: number): Promise<CouponCreation | null> {
    const row = await this.connection.dataSource
      .getRepository(CouponChangeRow)
      .findOneBy({ couponId, version: 1, action: 'create' });
    if (row === null) {
      return null;
    }
    const { total, name, opensAt, closesAt, validUntil, changedAt: createdAt } = row;
    return { total, name, opensAt, closesAt, validUntil, createdAt };
  }

  /** True when a request or a marker from this partition of the log has had an effect here. */
  async anyDecidedFrom(kafkaPartition: number): Promise<boolean> {
    const rows: unknown[] = await this.connection.dataSource.query(
      `SELECT 1 FROM coupon
       WHERE kafka_partition = ? AND (issued > 0 OR applied_epoch > 1) LIMIT 1`,
      [kafkaPartition],
    );
    return rows.length > 0;
  }

  /**
   * Creates a coupon in its first epoch, which needs no marker: no request of it exists yet.
   * Rejects when the id is taken (`isDuplicateKey`), and with `NoIdLeftError`.
   */
  create(coupon: NewCoupon): Promise<Coupon> {
    return inTransaction(this.connection, async (manager) => {
      const row: CouponRow = manager.create(CouponRow, {
        ...coupon,
        issued: 0,
        version: 1,
        state: 'open' as const,
        epoch: 1,
        appliedEpoch: 1,
        archivedAt: null,
        validUntil: coupon.validUntil ?? null,
      });
      await manager.insert(CouponRow, row);
      if (row.id > couponIdMax) {
        throw new NoIdLeftError(`the next id would be ${row.id}`);
      }
      await recordChange(manager, row, 'create');
      return row;
    });
  }

  /**
   * Makes a change if the coupon is still as it was read. False when another change, or a recovery
   * that `inEpoch` excludes, came first: read again and decide again. Rejects when the new total is
   * below what is issued (CHECK issued_within_total).
   */
  change(id: number, change: CouponChange): Promise<boolean> {
    const { action, asRead, inEpoch, validUntil, ...others } = change;
    const changed =
      validUntil === undefined ? others : { ...others, validUntil: noEarlier(validUntil) };
    return inTransaction(this.connection, async (manager) => {
      const { affected } = await manager.update(
        CouponRow,
        {
          id,
          version: asRead,
          archivedAt: IsNull(),
          ...(inEpoch === undefined ? {} : { epoch: inEpoch }),
        },
        changed,
      );
      if (affected !== 1) {
        return false;
      }
      await recordChange(manager, await manager.findOneByOrFail(CouponRow, { id }), action);
      return true;
    });
  }

  /**
   * Takes a version for a change that reaches the gate first. False when the coupon is no longer as
   * it was read: read again and decide again.
   */
  async takeVersion({ id, version: asRead }: Coupon, version: number): Promise<boolean> {
    const { affected } = await this.coupons.update(
      { id, version: asRead, archivedAt: IsNull() },
      { version },
    );
    return affected === 1;
  }

  /**
   * Does `work`, which tells whether it was done, while no recovery and no change of this coupon can
   * begin. False without it when one has begun since the coupon was read. `work` may be run again.
   */
  beforeRecovery({ id, epoch, version }: Coupon, work: () => Promise<boolean>): Promise<boolean> {
    return inTransaction(this.connection, async (manager) => {
      const rows: unknown[] = await manager.query(
        'SELECT id FROM coupon WHERE id = ? AND epoch = ? AND version = ? FOR UPDATE',
        [id, epoch, version],
      );
      return rows.length > 0 && work();
    });
  }

  /**
   * Recovery: raises the epoch of each coupon above what it is here, and above what its gate has seen.
   * The gates are asked for that (`epochsAtGate`, by coupon id) when nobody is in `beforeRecovery` any
   * more, maybe several times; a coupon that they leave out is left alone. Returns the new epochs by
   * coupon id; a coupon that is not there, or archived, is left out. At most 1 000 coupons a call.
   */
  raiseEpochs(
    ids: readonly number[],
    epochsAtGate: () => Promise<ReadonlyMap<number, number>>,
  ): Promise<Map<number, number>> {
    return inTransaction(this.connection, async (manager) => {
      const rows: { id: number; epoch: number }[] = await manager.query(
        `SELECT id, epoch FROM coupon WHERE id IN (?) AND archived_at IS NULL
         ORDER BY id FOR UPDATE`,
        [ids],
      );
      const atGate = await epochsAtGate();
      const raised = new Map(
        rows
          .filter(({ id }) => atGate.has(id))
          .map(({ id, epoch }) => [id, Math.max(epoch, atGate.get(id)!) + 1]),
      );
      if (raised.size > 0) {
        const cases = 'WHEN ? THEN ? '.repeat(raised.size);
        await manager.query(`UPDATE coupon SET epoch = CASE id ${cases}END WHERE id IN (?)`, [
          ...[...raised].flat(),
          [...raised.keys()],
        ]);
      }
      return raised;
    });
  }

  private get coupons() {
    return this.connection.dataSource.getRepository(CouponRow);
  }
}

/** Than now, when it is written. */
function noEarlier(time: number | null) {
  return time === null ? null : () => `GREATEST(${time}, ${nowInMs})`;
}
