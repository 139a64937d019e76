import type { EntityManager } from 'typeorm';
import { batchSizeMax } from '#coupon/batch-size.ts';
import type { DecidedChunk, Decision } from '#coupon/decide.ts';
import { decide, holderKey } from '#coupon/decide.ts';
import type { EpochMarker } from '#coupon/events.ts';
import type { RecordedIssuance } from '#coupon/issuance.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import { faultPoint } from '#platform/process/fault-point.ts';
import { isDuplicateKey } from './connection/driver-error.ts';
import type { LedgerConnection } from './connection/ledger-connection.ts';
import type { IssuanceSqlRow, IssuedSqlRow, RefusalSqlRow } from './issuance-rows.ts';
import { issuedColumns, issuedTables, toIssued, toRefused } from './issuance-rows.ts';
import { isAnyRefused, readLedgerView, readViewOfNew } from './ledger-view.ts';
import { inTransaction } from './transaction.ts';
import { bytesToUuid, uuidToBytes } from './uuid-bytes.ts';

/** What has been issued and what was refused: the truth. Rejects while MySQL is away. */
export class IssuanceLedger {
  constructor(private readonly connection: LedgerConnection) {}

  /**
   * Decides a chunk of requests, in order, and records it in one transaction. The rows of its coupons
   * are locked first, in the order of their ids, so that issuers never deadlock. Requests decided
   * before come back with the decision they got; those that conflict leave no trace. See
   * `batchSizeMax` for how many at once.
   */
  async decideChunk(requests: IssuanceRequest[]): Promise<DecidedChunk> {
    return (await this.issueAll(requests)) ?? this.decideEach(requests);
  }

  /**
   * The usual chunk of a rush: every request is new and is issued. Then nothing needs to be read but
   * the coupons and that none was refused before, since the unique keys tell the rest. `undefined`, and
   * nothing recorded, when it is not so.
   */
  private async issueAll(requests: IssuanceRequest[]): Promise<DecidedChunk | undefined> {
    try {
      return await inTransaction(this.connection, async (manager) => {
        const view = await readViewOfNew(manager, requests);
        const chunk = decide(requests, view, view.now);
        if (!isAllIssuedAnew(chunk) || (await isAnyRefused(manager, requests))) {
          return undefined;
        }
        await recordIssued(manager, chunk.decisions);
        faultPoint('issuer.in_transaction');
        return chunk;
      });
    } catch (error) {
      if (isDuplicateKey(error)) {
        return undefined;
      }
      throw error;
    }
  }

  private decideEach(requests: IssuanceRequest[]): Promise<DecidedChunk> {
    return inTransaction(this.connection, async (manager) => {
      const view = await readLedgerView(manager, requests);
      const chunk = decide(requests, view, view.now);
      await recordIssued(manager, chunk.decisions);
      faultPoint('issuer.in_transaction');
      await recordRefused(manager, chunk.decisions);
      return chunk;
    });
  }

  /** From here on requests of an older epoch are void. Applying a marker again changes nothing. */
  applyMarker(marker: EpochMarker): Promise<void> {
    const byCouponId = marker.epochs.toSorted((a, b) => a.couponId - b.couponId);
    return inTransaction(this.connection, async (manager) => {
      for (const { couponId, epoch } of byCouponId) {
        await manager.query(
          'UPDATE coupon SET applied_epoch = ? WHERE id = ? AND applied_epoch < ?',
          [epoch, couponId, epoch],
        );
      }
    });
  }

  /**
   * What was decided about each of these, and what became of it since, in order; `undefined` where
   * nothing is recorded. At most 1 000, and the same one as often as it is asked about.
   */
  async findStatuses(issuanceIds: readonly string[]): Promise<(RecordedIssuance | undefined)[]> {
    const source = this.connection.dataSource;
    const found = new Map<string, RecordedIssuance>();
    const asked = [...new Set(issuanceIds)];
    const missing = (): Buffer[] => asked.filter((id) => !found.has(id)).map(uuidToBytes);
    if (asked.length > 0) {
      const issued: IssuedSqlRow[] = await source.query(
        `SELECT ${issuedColumns} FROM ${issuedTables} WHERE i.id IN (?)`,
        [missing()],
      );
      issued.map(toIssued).forEach((one) => found.set(one.issuanceId, one));
    }
    if (found.size < asked.length) {
      const refused: RefusalSqlRow[] = await source.query(
        `SELECT issuance_id, coupon_id, user_id, reason, refused_at FROM refusal
         WHERE issuance_id IN (?)`,
        [missing()],
      );
      refused.map(toRefused).forEach((one) => found.set(one.issuanceId, one));
    }
    return issuanceIds.map((id) => found.get(id));
  }

  /** A user's coupons, oldest first, from after `afterId` on. */
  async listByUser(userId: string, rowsMax: number, afterId?: string): Promise<RecordedIssuance[]> {
    const after = afterId === undefined ? Buffer.alloc(16) : uuidToBytes(afterId);
    const rows: IssuedSqlRow[] = await this.connection.dataSource.query(
      `SELECT ${issuedColumns} FROM ${issuedTables}
       WHERE i.user_id = ? AND i.id > ? ORDER BY i.id LIMIT ?`,
      [Buffer.from(userId), after, rowsMax],
    );
    return rows.map(toIssued);
  }

  /** All issuances of a coupon in slices of `sliceSize`, by user id; never the whole in memory. */
  async *holders(
    couponId: number,
    sliceSize = batchSizeMax,
  ): AsyncGenerator<{ issuanceId: string; userId: string }[]> {
    let after: Buffer = Buffer.alloc(0);
    for (;;) {
      const rows: { id: Buffer; user_id: Buffer }[] = await this.connection.dataSource.query(
        `SELECT id, user_id FROM issuance
         WHERE coupon_id = ? AND user_id > ? ORDER BY user_id LIMIT ?`,
        [couponId, after, sliceSize],
      );
      if (rows.length > 0) {
        yield rows.map((row) => ({
          issuanceId: bytesToUuid(row.id),
          userId: row.user_id.toString(),
        }));
      }
      if (rows.length < sliceSize) {
        return;
      }
      after = rows.at(-1)!.user_id;
    }
  }

  /** What each of these users was issued of that coupon, in order. At most 1 000. */
  async findHeld(
    holders: readonly { couponId: number; userId: string }[],
  ): Promise<(string | undefined)[]> {
    const rows: Omit<IssuanceSqlRow, 'issued_at'>[] =
      holders.length === 0
        ? []
        : await this.connection.dataSource.query(
            'SELECT id, coupon_id, user_id FROM issuance WHERE (coupon_id, user_id) IN (?)',
            [holders.map(({ couponId, userId }) => [couponId, Buffer.from(userId)])],
          );
    const found = new Map(
      rows.map((row) => [holderKey(row.coupon_id, row.user_id.toString()), bytesToUuid(row.id)]),
    );
    return holders.map(({ couponId, userId }) => found.get(holderKey(couponId, userId)));
  }

  /** Of the `rowsMax` units that were reserved last, of whatever coupon: how many each coupon has. */
  async latestByCoupon(rowsMax: number): Promise<Map<number, number>> {
    // An id begins with its time, and is the primary key: only these rows are read.
    const rows: { coupon_id: number; count: number | string }[] =
      await this.connection.dataSource.query(
        `SELECT coupon_id, COUNT(*) AS count
         FROM (SELECT coupon_id FROM issuance ORDER BY id DESC LIMIT ?) AS latest
         GROUP BY coupon_id`,
        [rowsMax],
      );
    return new Map(rows.map((row) => [row.coupon_id, Number(row.count)]));
  }

  /** Which of these users were issued this coupon. At most 1 000 users. */
  async issuedTo(couponId: number, userIds: string[]): Promise<Set<string>> {
    if (userIds.length === 0) {
      return new Set();
    }
    const rows: { user_id: Buffer }[] = await this.connection.dataSource.query(
      'SELECT user_id FROM issuance WHERE coupon_id = ? AND user_id IN (?)',
      [couponId, userIds.map((userId) => Buffer.from(userId))],
    );
    return new Set(rows.map((row) => row.user_id.toString()));
  }
}

function isAllIssuedAnew({ decisions, conflicting }: DecidedChunk): boolean {
  return (
    conflicting.length === 0 && decisions.every(({ isNew, status }) => isNew && status === 'ISSUED')
  );
}

async function recordIssued(manager: EntityManager, decisions: Decision[]): Promise<void> {
  const issued = decisions.filter((decision) => decision.isNew && decision.status === 'ISSUED');
  if (issued.length === 0) {
    return;
  }
  await manager.query('INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at) VALUES ?', [
    issued.map(({ request, decidedAt }) => [
      uuidToBytes(request.issuanceId),
      request.couponId,
      Buffer.from(request.userId),
      request.epoch,
      decidedAt,
    ]),
  ]);
  const counts = Map.groupBy(issued, (decision) => decision.request.couponId);
  for (const [couponId, ofCoupon] of [...counts].sort(([a], [b]) => a - b)) {
    await manager.query('UPDATE coupon SET issued = issued + ? WHERE id = ?', [
      ofCoupon.length,
      couponId,
    ]);
  }
}

async function recordRefused(manager: EntityManager, decisions: Decision[]): Promise<void> {
  const refused = decisions.filter((decision) => decision.isNew && decision.status === 'REFUSED');
  if (refused.length === 0) {
    return;
  }
  await manager.query(
    'INSERT INTO refusal (issuance_id, coupon_id, user_id, reason, refused_at) VALUES ?',
    [
      refused.map(({ request, reason, decidedAt }) => [
        uuidToBytes(request.issuanceId),
        request.couponId,
        Buffer.from(request.userId),
        reason,
        decidedAt,
      ]),
    ],
  );
}
