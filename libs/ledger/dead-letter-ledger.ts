import { QueryFailedError } from 'typeorm';
import type { DeadLetter, DeadLetterState, RecordHeader } from '#coupon/dead-letter.ts';
import { withinBounds } from './dead-letter-bounds.ts';
import type { LedgerConnection } from './ledger-connection.ts';
import { bytesToUuid, uuidToBytes } from './uuid-bytes.ts';

/** A dead letter without its bytes and headers. Times are milliseconds since 1970. */
export interface DeadLetterEntry {
  id: number;
  topic: string;
  partition: number;
  offset: string;
  recordedAt: number;
  foundAt: number;
  traceId: string | null;
  reason: string;
  state: DeadLetterState;
  settledAt: number | null;
  /** Why it was discarded. */
  settledReason: string | null;
  /** The issuance that its redrive was given. */
  issuanceId: string | null;
}

export type KeptDeadLetter = DeadLetterEntry & Pick<DeadLetter, 'key' | 'value' | 'headers'>;

export type Settlement =
  { state: 'REDRIVEN'; issuanceId: string } | { state: 'DISCARDED'; reason: string };

export const settledReasonLengthMax = 500;

interface EntryRow {
  id: number;
  topic: string;
  kafka_partition: number;
  kafka_offset: number | string;
  recorded_at: number;
  found_at: number;
  trace_id: string | null;
  reason: string;
  state: DeadLetterState;
  settled_at: number | null;
  settled_reason: string | null;
  issuance_id: Buffer | null;
}

const entryColumns = `id, topic, kafka_partition, kafka_offset, recorded_at, found_at, trace_id,
  reason, state, settled_at, settled_reason, issuance_id`;

const duplicateEntry = 1062;

/** Records of the log that are no request we can decide. Rejects while MySQL is away. */
export class DeadLetterLedger {
  constructor(private readonly connection: LedgerConnection) {}

  /** Keeps a letter. False when the one found at that place is kept already. */
  async store(letter: DeadLetter): Promise<boolean> {
    const { key, value, headers, reason } = withinBounds(letter);
    try {
      await this.query(
        `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, recorded_at, found_at,
           record_key, record_value, headers, trace_id, reason, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'OPEN')`,
        [
          letter.topic,
          letter.partition,
          letter.offset,
          letter.recordedAt,
          Date.now(),
          key,
          value,
          JSON.stringify(headers),
          letter.traceId,
          reason,
        ],
      );
      return true;
    } catch (error) {
      if (isDuplicate(error)) {
        return false;
      }
      throw error;
    }
  }

  /** Oldest first, from after `afterId` on. */
  async list(options: {
    isOpen: boolean;
    afterId: number;
    rowsMax: number;
  }): Promise<DeadLetterEntry[]> {
    const rows = await this.query<EntryRow>(
      `SELECT ${entryColumns} FROM dead_letter
       WHERE id > ?${options.isOpen ? " AND state = 'OPEN'" : ''} ORDER BY id LIMIT ?`,
      [options.afterId, options.rowsMax],
    );
    return rows.map(toEntry);
  }

  async find(id: number): Promise<KeptDeadLetter | undefined> {
    const [row] = await this.query<
      EntryRow & { record_key: Buffer | null; record_value: Buffer | null; headers: string }
    >(`SELECT ${entryColumns}, record_key, record_value, headers FROM dead_letter WHERE id = ?`, [
      id,
    ]);
    return row === undefined
      ? undefined
      : {
          ...toEntry(row),
          key: row.record_key,
          value: row.record_value,
          headers: JSON.parse(row.headers) as RecordHeader[],
        };
  }

  /** Settles an open letter for good. False when it is settled already, or not there. */
  async settle(id: number, settlement: Settlement): Promise<boolean> {
    return (await this.settleWhere('id = ?', [id], settlement)) === 1;
  }

  /** Discards every letter that is open and not newer than `lastId`; returns how many that were. */
  discardOpen(lastId: number, reason: string): Promise<number> {
    return this.settleWhere('id <= ?', [lastId], { state: 'DISCARDED', reason });
  }

  async countOpen(): Promise<{ count: number; lastId: number }> {
    const [row] = await this.query<{ row_count: number | string; last_id: number | null }>(
      "SELECT COUNT(*) AS row_count, MAX(id) AS last_id FROM dead_letter WHERE state = 'OPEN'",
    );
    return { count: Number(row?.row_count), lastId: row?.last_id ?? 0 };
  }

  private async settleWhere(
    condition: string,
    parameters: number[],
    settlement: Settlement,
  ): Promise<number> {
    const { affectedRows } = await this.connection.dataSource.query<{ affectedRows: number }>(
      `UPDATE dead_letter SET state = ?, settled_at = ?, settled_reason = ?, issuance_id = ?
       WHERE ${condition} AND state = 'OPEN'`,
      [
        settlement.state,
        Date.now(),
        settlement.state === 'DISCARDED' ? settlement.reason : null,
        settlement.state === 'REDRIVEN' ? uuidToBytes(settlement.issuanceId) : null,
        ...parameters,
      ],
    );
    return affectedRows;
  }

  private query<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.connection.dataSource.query(sql, parameters);
  }
}

function toEntry(row: EntryRow): DeadLetterEntry {
  return {
    id: row.id,
    topic: row.topic,
    partition: row.kafka_partition,
    offset: String(row.kafka_offset),
    recordedAt: row.recorded_at,
    foundAt: row.found_at,
    traceId: row.trace_id,
    reason: row.reason,
    state: row.state,
    settledAt: row.settled_at,
    settledReason: row.settled_reason,
    issuanceId: row.issuance_id === null ? null : bytesToUuid(row.issuance_id),
  };
}

function isDuplicate(error: unknown): boolean {
  return (
    error instanceof QueryFailedError &&
    (error.driverError as { errno?: number }).errno === duplicateEntry
  );
}
