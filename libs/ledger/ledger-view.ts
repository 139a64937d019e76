import type { EntityManager } from 'typeorm';
import type { CouponCount, LedgerView } from '#coupon/decide.ts';
import { holderKey } from '#coupon/decide.ts';
import type { RefusalReason } from '#coupon/issuance.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import { bytesToUuid, uuidToBytes } from './uuid-bytes.ts';

interface RecordedRow {
  id: Buffer;
  coupon_id: number;
  user_id: Buffer;
}

/** By the clock of MySQL: issuers may not agree on the time. In milliseconds since 1970. */
interface LedgerTime {
  now: number;
}

/** Whatever the time zone of the session. */
export const nowInMs = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000";

/**
 * Reads all that bears on these requests, in four queries by key however many they are, and locks
 * the rows of their coupons in the order of their ids.
 */
export async function readLedgerView(
  manager: EntityManager,
  requests: IssuanceRequest[],
): Promise<LedgerView & LedgerTime> {
  // Locked before anything else is read: the first plain read fixes what this transaction sees.
  const { coupons, now } = await lockCoupons(manager, requests);
  const ids = requests.map((request) => uuidToBytes(request.issuanceId));
  const issued: (RecordedRow & { issued_at: number })[] = await manager.query(
    'SELECT id, coupon_id, user_id, issued_at FROM issuance WHERE (coupon_id, user_id) IN (?)',
    [requests.map((request) => [request.couponId, Buffer.from(request.userId)])],
  );
  const issuedIds: RecordedRow[] = await manager.query(
    'SELECT id, coupon_id, user_id FROM issuance WHERE id IN (?)',
    [ids],
  );
  const refused: (RecordedRow & { reason: RefusalReason; refused_at: number })[] =
    await manager.query(
      `SELECT issuance_id AS id, coupon_id, user_id, reason, refused_at FROM refusal
       WHERE issuance_id IN (?)`,
      [ids],
    );
  return {
    now,
    coupons,
    issued: new Map(
      issued.map((row) => [
        keyOf(row),
        { issuanceId: bytesToUuid(row.id), decidedAt: row.issued_at },
      ]),
    ),
    refused: new Map(
      refused.map((row) => [
        bytesToUuid(row.id),
        { reason: row.reason, decidedAt: row.refused_at },
      ]),
    ),
    recordedFor: new Map(
      [...refused, ...issuedIds].map((row) => [bytesToUuid(row.id), keyOf(row)]),
    ),
  };
}

/** What bears on requests that nobody has decided before; locks like `readLedgerView`. */
export async function readViewOfNew(
  manager: EntityManager,
  requests: IssuanceRequest[],
): Promise<LedgerView & LedgerTime> {
  const { coupons, now } = await lockCoupons(manager, requests);
  return { now, coupons, issued: new Map(), refused: new Map(), recordedFor: new Map() };
}

export async function isAnyRefused(
  manager: EntityManager,
  requests: IssuanceRequest[],
): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    'SELECT 1 FROM refusal WHERE issuance_id IN (?) LIMIT 1',
    [requests.map((request) => uuidToBytes(request.issuanceId))],
  );
  return rows.length > 0;
}

async function lockCoupons(
  manager: EntityManager,
  requests: IssuanceRequest[],
): Promise<{ coupons: Map<number, CouponCount> } & LedgerTime> {
  const ids = [...new Set(requests.map((request) => request.couponId))].sort((a, b) => a - b);
  const rows: Record<'id' | 'total' | 'issued' | 'applied_epoch' | 'now', number>[] =
    await manager.query(
      `SELECT id, total, issued, applied_epoch, ${nowInMs} AS now FROM coupon
       WHERE id IN (?) ORDER BY id FOR UPDATE`,
      [ids],
    );
  const coupons = rows.map(({ id, total, issued, applied_epoch: appliedEpoch }) => {
    return [id, { total, issued, appliedEpoch }] as const;
  });
  return { coupons: new Map(coupons), now: rows[0]?.now ?? (await readNow(manager)) };
}

async function readNow(manager: EntityManager): Promise<number> {
  const [row]: [LedgerTime] = await manager.query(`SELECT ${nowInMs} AS now`);
  return row.now;
}

function keyOf(row: RecordedRow): string {
  return holderKey(row.coupon_id, row.user_id.toString());
}
