import type { LedgerConnection } from './connection/ledger-connection.ts';
import { nowInMs } from './ledger-view.ts';

/** What does not live for ever: its table, the column that says which row, and that which says how old. */
const kinds = {
  refusal: { key: ['issuance_id'], since: 'refused_at' },
  // One that is open has no such time, and stays.
  dead_letter: { key: ['id'], since: 'settled_at' },
  coupon_change: { key: ['coupon_id', 'version'], since: 'changed_at' },
} as const;

export type Expiring = keyof typeof kinds;

/** Deletes rows that have lived as long as they are to. Rejects while MySQL is away. */
export class ExpiredRows {
  constructor(private readonly connection: LedgerConnection) {}

  /** The time so long ago, by the clock of MySQL. */
  async timeBefore(ageMs: number): Promise<number> {
    const [row]: [{ time: number }] = await this.query(`SELECT ${nowInMs} - ? AS time`, [ageMs]);
    return row.time;
  }

  /** Deletes at most `rowsMax` that are older than `time`, oldest first; returns how many. */
  async delete(kind: Expiring, time: number, rowsMax: number): Promise<number> {
    const { key, since } = kinds[kind];
    // Found first, and deleted by their keys: a range that is deleted locks the rows beside it.
    const rows: Record<string, unknown>[] = await this.query(
      `SELECT ${key.join(', ')} FROM ${kind} WHERE ${since} < ? ORDER BY ${since} LIMIT ?`,
      [time, rowsMax],
    );
    if (rows.length > 0) {
      // The first column by itself: without it MariaDB reads the whole table to delete a single pair.
      const [first] = key;
      const keys = rows.map((row) => key.map((column) => row[column]));
      await this.query(`DELETE FROM ${kind} WHERE ${first} IN (?) AND (${key.join(', ')}) IN (?)`, [
        keys.map(([value]) => value),
        key.length === 1 ? keys.flat() : keys,
      ]);
    }
    return rows.length;
  }

  private query<Result>(sql: string, parameters: unknown[]): Promise<Result> {
    return this.connection.dataSource.query(sql, parameters);
  }
}
