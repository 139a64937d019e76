import type { Coupon } from '#coupon/coupon.ts';
import { recordChange } from './change-record.ts';
import { CouponRow } from '../entities.ts';
import type { LedgerConnection } from '../connection/ledger-connection.ts';
import { nowInMs } from '../ledger-view.ts';
import { inTransaction } from '../transaction.ts';

/** Which coupons are archived, and which are to be. Rejects while MySQL is away. */
export class ArchivedCoupons {
  constructor(private readonly connection: LedgerConnection) {}

  /**
   * Archives a coupon: from here on no recovery of it begins. False when it is no longer as it was
   * read, or a recovery has begun since: its gate may then have admitted somebody.
   */
  archive({ id, version, epoch }: Coupon): Promise<boolean> {
    return this.setArchived(
      'archive',
      `UPDATE coupon SET archived_at = ${nowInMs}, version = version + 1
       WHERE id = ? AND version = ? AND epoch = ? AND archived_at IS NULL`,
      [id, version, epoch],
    );
  }

  /** Makes an archived coupon one that a recovery opens. False when it is not archived any more. */
  unarchive({ id, version }: Coupon): Promise<boolean> {
    return this.setArchived(
      'unarchive',
      `UPDATE coupon SET archived_at = NULL, version = version + 1
       WHERE id = ? AND version = ? AND archived_at IS NOT NULL`,
      [id, version],
    );
  }

  /**
   * Does `work`, which is told the epoch and tells whether it was done, while the coupon is archived
   * and nobody can unarchive it. False without it when it is not. `work` may be run again.
   */
  whileArchived(id: number, work: (epoch: number) => Promise<boolean>): Promise<boolean> {
    return inTransaction(this.connection, async (manager) => {
      const [row]: { epoch: number }[] = await manager.query(
        'SELECT epoch FROM coupon WHERE id = ? AND archived_at IS NOT NULL FOR UPDATE',
        [id],
      );
      return row !== undefined && work(row.epoch);
    });
  }

  /**
   * The ids of live coupons that have ended long ago, in slices: closed, or past `closesAt` by
   * `endedBefore`; and not changed for `unchangedForMs`.
   */
  async *due(
    { endedBefore, unchangedForMs }: { endedBefore: number; unchangedForMs: number },
    sliceSize: number,
  ): AsyncGenerator<number[]> {
    let after = 0;
    for (;;) {
      const rows: { id: number }[] = await this.connection.dataSource.query(
        `SELECT c.id FROM coupon c
         WHERE c.archived_at IS NULL AND c.id > ? AND (c.state = 'closed' OR c.closes_at <= ?)
           AND NOT EXISTS (
             SELECT 1 FROM coupon_change h
             WHERE h.coupon_id = c.id AND h.changed_at > ${nowInMs} - ?)
         ORDER BY c.id LIMIT ?`,
        [after, endedBefore, unchangedForMs, sliceSize],
      );
      if (rows.length > 0) {
        yield rows.map(({ id }) => id);
      }
      if (rows.length < sliceSize) {
        return;
      }
      after = rows.at(-1)!.id;
    }
  }

  private setArchived(
    action: 'archive' | 'unarchive',
    sql: string,
    [id, ...asRead]: [id: number, ...asRead: number[]],
  ): Promise<boolean> {
    return inTransaction(this.connection, async (manager) => {
      const { affectedRows }: { affectedRows: number } = await manager.query(sql, [id, ...asRead]);
      if (affectedRows !== 1) {
        return false;
      }
      await recordChange(manager, await manager.findOneByOrFail(CouponRow, { id }), action);
      return true;
    });
  }
}
