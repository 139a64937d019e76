import type { EntityManager } from 'typeorm';
import type { CouponCount, LedgerView } from '#coupon/decide.js';
import { holderKey } from '#coupon/decide.js';
import type { IssuanceRequested } from '#coupon/events.js';
import type { RefusalReason } from '#coupon/issuance.js';
import { bytesToUuid, uuidToBytes } from './uuid-bytes.js';

interface RecordedRow {
  id: Buffer;
  coupon_id: number;
  user_id: Buffer;
}

/**
 * Reads all that bears on these requests, in four queries by key however many they are, and locks
 * the rows of their coupons in the order of their ids.
 */
export async function readLedgerView(
  manager: EntityManager,
  requests: IssuanceRequested[],
): Promise<LedgerView> {
  // Locked before anything else is read: the first plain read fixes what this transaction sees.
  const coupons = await lockCoupons(manager, requests);
  const ids = requests.map((request) => uuidToBytes(request.issuance_id));
  const issued: (RecordedRow & { issued_at: number })[] = await manager.query(
    'SELECT id, coupon_id, user_id, issued_at FROM issuance WHERE (coupon_id, user_id) IN (?)',
    [requests.map((request) => [request.coupon_id, Buffer.from(request.user_id)])],
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
  requests: IssuanceRequested[],
): Promise<LedgerView> {
  const coupons = await lockCoupons(manager, requests);
  return { coupons, issued: new Map(), refused: new Map(), recordedFor: new Map() };
}

export async function isAnyRefused(
  manager: EntityManager,
  requests: IssuanceRequested[],
): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    'SELECT 1 FROM refusal WHERE issuance_id IN (?) LIMIT 1',
    [requests.map((request) => uuidToBytes(request.issuance_id))],
  );
  return rows.length > 0;
}

async function lockCoupons(
  manager: EntityManager,
  requests: IssuanceRequested[],
): Promise<Map<number, CouponCount>> {
  const ids = [...new Set(requests.map((request) => request.coupon_id))].sort((a, b) => a - b);
  const rows: ({ id: number } & Record<'total' | 'issued' | 'applied_epoch', number>)[] =
    await manager.query(
      `SELECT id, total, issued, applied_epoch FROM coupon
       WHERE id IN (?) ORDER BY id FOR UPDATE`,
      [ids],
    );
  return new Map(
    rows.map(({ id, total, issued, applied_epoch: appliedEpoch }) => [
      id,
      { total, issued, appliedEpoch },
    ]),
  );
}

function keyOf(row: RecordedRow): string {
  return holderKey(row.coupon_id, row.user_id.toString());
}
