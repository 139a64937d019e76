import type { RecordedIssuance, RefusalReason } from '#coupon/issuance.ts';
import { statusOfIssued } from '#coupon/issuance-states.ts';
import { nowInMs } from './ledger-view.ts';
import { bytesToUuid } from './uuid-bytes.ts';

/** What `toIssued` makes an issuance of; see `issuedColumns`. */
export interface IssuedSqlRow extends IssuanceSqlRow {
  redeemed_at: number | null;
  reference: Buffer | null;
  valid_until: number | null;
  now: number;
}

export interface IssuanceSqlRow {
  id: Buffer;
  coupon_id: number;
  user_id: Buffer;
  issued_at: number;
}

export interface RefusalSqlRow {
  issuance_id: Buffer;
  coupon_id: number;
  user_id: Buffer;
  reason: RefusalReason;
  refused_at: number;
}

/** Of `issuance i`, with what became of it since. */
export const issuedColumns = `i.id, i.coupon_id, i.user_id, i.issued_at,
  r.redeemed_at, r.reference, c.valid_until, ${nowInMs} AS now`;
export const issuedTables = `issuance i
  LEFT JOIN redemption r ON r.issuance_id = i.id LEFT JOIN coupon c ON c.id = i.coupon_id`;

export function toIssued(row: IssuedSqlRow): RecordedIssuance {
  return {
    issuanceId: bytesToUuid(row.id),
    couponId: row.coupon_id,
    userId: row.user_id.toString(),
    status: statusOfIssued({ redeemedAt: row.redeemed_at, validUntil: row.valid_until }, row.now),
    decidedAt: row.issued_at,
    redeemedAt: row.redeemed_at ?? undefined,
    reference: row.reference?.toString(),
    validUntil: row.valid_until ?? undefined,
  };
}

export function toRefused(row: RefusalSqlRow): RecordedIssuance {
  return {
    status: 'REFUSED',
    issuanceId: bytesToUuid(row.issuance_id),
    couponId: row.coupon_id,
    userId: row.user_id.toString(),
    reason: row.reason,
    decidedAt: row.refused_at,
  };
}
