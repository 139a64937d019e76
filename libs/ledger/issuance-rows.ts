import type { DecidedIssuance, RefusalReason } from '#coupon/issuance.ts';
import { bytesToUuid } from './uuid-bytes.ts';

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

export function toIssued(row: IssuanceSqlRow): DecidedIssuance {
  return {
    issuanceId: bytesToUuid(row.id),
    couponId: row.coupon_id,
    userId: row.user_id.toString(),
    status: 'ISSUED',
    decidedAt: row.issued_at,
  };
}

export function toRefused(row: RefusalSqlRow): DecidedIssuance {
  return {
    status: 'REFUSED',
    issuanceId: bytesToUuid(row.issuance_id),
    couponId: row.coupon_id,
    userId: row.user_id.toString(),
    reason: row.reason,
    decidedAt: row.refused_at,
  };
}
