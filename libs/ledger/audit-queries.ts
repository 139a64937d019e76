import { strict as assert } from 'node:assert';
import type { LedgerConnection } from './connection/ledger-connection.ts';
import { bytesToUuid, uuidToBytes } from './uuid-bytes.ts';

export interface CouponCounts {
  couponId: number;
  total: number;
  /** What the coupon row says. */
  issued: number;
  /** How many rows there are. */
  rows: number;
}

export interface RecordedHolder {
  couponId: number;
  userId: string;
}

/** Without a coupon it was not issued. Times in milliseconds. */
export interface WrongRedemption {
  issuanceId: string;
  couponId: number | null;
  redeemedAt: number;
  validUntil: number | null;
}

interface WrongRedemptionRow {
  issuance_id: Buffer;
  coupon_id: number | null;
  redeemed_at: number;
  valid_until: number | null;
}

export interface LogPlace {
  partition: number;
  /** A 64-bit integer in decimal. */
  offset: string;
}

/** How many ids or places one query may name. */
export const namedMax = 1_000;

/** Reads the whole ledger to check it: slowly, in nobody's way, and it never writes. */
export class AuditQueries {
  constructor(private readonly connection: LedgerConnection) {}

  async countByCoupon(): Promise<CouponCounts[]> {
    const rows: Record<'id' | 'total' | 'issued' | 'row_count', number>[] = await this.query(
      `SELECT c.id, c.total, c.issued,
              (SELECT COUNT(*) FROM issuance i WHERE i.coupon_id = c.id) AS row_count
       FROM coupon c ORDER BY c.id`,
    );
    return rows.map((row) => ({
      couponId: row.id,
      total: row.total,
      issued: row.issued,
      rows: row.row_count,
    }));
  }

  /** Those who have one coupon more than once; the unique key allows none. */
  async findDuplicateHolders(rowsMax: number): Promise<(RecordedHolder & { rows: number })[]> {
    const rows: { coupon_id: number; user_id: Buffer; row_count: number }[] = await this.query(
      `SELECT coupon_id, user_id, COUNT(*) AS row_count FROM issuance
       GROUP BY coupon_id, user_id HAVING COUNT(*) > 1 LIMIT ?`,
      [rowsMax],
    );
    return rows.map((row) => ({
      couponId: row.coupon_id,
      userId: row.user_id.toString(),
      rows: row.row_count,
    }));
  }

  countRedemptions(): Promise<number> {
    return this.query<{ row_count: number }>('SELECT COUNT(*) AS row_count FROM redemption').then(
      ([row]) => row!.row_count,
    );
  }

  /** What was redeemed more than once; the key allows none. */
  async findRepeatedRedemptions(rowsMax: number): Promise<{ issuanceId: string; rows: number }[]> {
    const rows: { issuance_id: Buffer; row_count: number }[] = await this.query(
      `SELECT issuance_id, COUNT(*) AS row_count FROM redemption
       GROUP BY issuance_id HAVING COUNT(*) > 1 LIMIT ?`,
      [rowsMax],
    );
    return rows.map((row) => ({ issuanceId: bytesToUuid(row.issuance_id), rows: row.row_count }));
  }

  /** What was redeemed and not issued, or later than it was valid by more than `graceMs`. */
  async findWrongRedemptions(graceMs: number, rowsMax: number): Promise<WrongRedemption[]> {
    const rows: WrongRedemptionRow[] = await this.query(
      `SELECT r.issuance_id, r.redeemed_at, i.coupon_id, c.valid_until FROM redemption r
       LEFT JOIN issuance i ON i.id = r.issuance_id LEFT JOIN coupon c ON c.id = i.coupon_id
       WHERE i.id IS NULL OR r.redeemed_at >= c.valid_until + ? LIMIT ?`,
      [graceMs, rowsMax],
    );
    return rows.map((row) => ({
      issuanceId: bytesToUuid(row.issuance_id),
      couponId: row.coupon_id,
      redeemedAt: row.redeemed_at,
      validUntil: row.valid_until,
    }));
  }

  /** Who was issued these ids; an id that is not issued is not in the answer. At most `namedMax`. */
  findIssued(issuanceIds: string[]): Promise<Map<string, RecordedHolder>> {
    return this.findHolders(
      'SELECT id, coupon_id, user_id FROM issuance WHERE id IN (?)',
      issuanceIds,
    );
  }

  /** For whom these ids were refused; an id that was not is not in the answer. At most `namedMax`. */
  findRefused(issuanceIds: string[]): Promise<Map<string, RecordedHolder>> {
    return this.findHolders(
      'SELECT issuance_id AS id, coupon_id, user_id FROM refusal WHERE issuance_id IN (?)',
      issuanceIds,
    );
  }

  /** At which of these places of a topic dead letters were found. At most `namedMax`. */
  async findDeadLetters(topic: string, places: LogPlace[]): Promise<LogPlace[]> {
    assert(places.length <= namedMax);
    if (places.length === 0) {
      return [];
    }
    const rows: { kafka_partition: number; kafka_offset: number | string }[] = await this.query(
      `SELECT kafka_partition, kafka_offset FROM dead_letter
       WHERE topic = ? AND (kafka_partition, kafka_offset) IN (?)`,
      [topic, places.map(({ partition, offset }) => [partition, offset])],
    );
    return rows.map((row) => ({
      partition: row.kafka_partition,
      offset: String(row.kafka_offset),
    }));
  }

  private async findHolders(sql: string, ids: string[]): Promise<Map<string, RecordedHolder>> {
    assert(ids.length <= namedMax);
    const rows: { id: Buffer; coupon_id: number; user_id: Buffer }[] =
      ids.length === 0 ? [] : await this.query(sql, [ids.map(uuidToBytes)]);
    return new Map(
      rows.map((row) => [
        bytesToUuid(row.id),
        { couponId: row.coupon_id, userId: row.user_id.toString() },
      ]),
    );
  }

  private query<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.connection.dataSource.query(sql, parameters);
  }
}
