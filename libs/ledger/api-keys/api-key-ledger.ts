import type { EntityManager } from 'typeorm';
import type { LedgerConnection } from '../connection/ledger-connection.ts';
import { nowInMs } from '../ledger-view.ts';
import { inTransaction } from '../transaction.ts';
import { ApiKeyRow } from './api-key-row.ts';

export interface ApiKeyDraft {
  id: string;
  hash: Buffer;
  name: string;
  scopes: string[];
}

/** A key as it is listed: without its hash. */
export interface ApiKeyEntry {
  id: string;
  name: string;
  scopes: string[];
  createdAt: number;
  lastUsedAt: number | null;
  endsAt: number | null;
  replacedBy: string | null;
  /** By the clock of MySQL, which all of these times are of. */
  hasEnded: boolean;
}

/** A key that is one now. */
export interface LiveApiKey {
  id: string;
  hash: Buffer;
  scopes: string[];
  /** For how much longer; null: until it is revoked. */
  remainingMs: number | null;
}

export type Replacement = 'replaced' | 'unknown' | 'ended' | 'ending';

type Row = Pick<ApiKeyRow, 'id' | 'name' | 'scopes' | 'hash'> & {
  created_at: number;
  last_used_at: number | null;
  ends_at: number | null;
  replaced_by: string | null;
  now: number;
};

/** The keys of machines. All times are by the clock of MySQL. Rejects while MySQL is away. */
export class ApiKeyLedger {
  constructor(private readonly connection: LedgerConnection) {}

  async create(draft: ApiKeyDraft): Promise<void> {
    await insert(this.connection.dataSource.manager, draft);
  }

  /** False, and nothing is done, when there is a key or ever was one. Of several at once one does it. */
  async createFirst({ id, name, scopes, hash }: ApiKeyDraft): Promise<boolean> {
    return inTransaction(this.connection, async (manager) => {
      const { affectedRows }: { affectedRows: number } = await manager.query(
        `INSERT INTO api_key (id, name, scopes, hash, created_at)
         SELECT ?, ?, ?, ?, ${nowInMs} FROM (SELECT 1) one
         WHERE NOT EXISTS (SELECT 1 FROM api_key)`,
        [id, name, scopes.join(), hash],
      );
      return affectedRows === 1;
    });
  }

  /** Oldest first. */
  async list(): Promise<ApiKeyEntry[]> {
    const rows: Omit<Row, 'hash'>[] = await this.connection.dataSource.query(
      `SELECT id, name, scopes, created_at, last_used_at, ends_at, replaced_by, ${nowInMs} AS now
       FROM api_key ORDER BY created_at, id`,
    );
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      scopes: row.scopes.split(','),
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
      endsAt: row.ends_at,
      replacedBy: row.replaced_by,
      hasEnded: row.ends_at !== null && row.ends_at <= row.now,
    }));
  }

  async listLive(): Promise<LiveApiKey[]> {
    const rows: Pick<Row, 'id' | 'hash' | 'scopes' | 'ends_at' | 'now'>[] =
      await this.connection.dataSource.query(
        `SELECT id, hash, scopes, ends_at, ${nowInMs} AS now FROM api_key
       WHERE ends_at IS NULL OR ends_at > ${nowInMs}`,
      );
    return rows.map(({ id, hash, scopes, ends_at: endsAt, now }) => ({
      id,
      hash,
      scopes: scopes.split(','),
      remainingMs: endsAt === null ? null : Math.max(0, endsAt - now),
    }));
  }

  /** Another key takes over name and scopes of this one, which ends after `overlapMs`. */
  async replace(
    id: string,
    by: Pick<ApiKeyDraft, 'id' | 'hash'>,
    overlapMs: number,
  ): Promise<Replacement> {
    return inTransaction(this.connection, async (manager) => {
      const [row]: Pick<Row, 'name' | 'scopes' | 'ends_at' | 'now'>[] = await manager.query(
        `SELECT name, scopes, ends_at, ${nowInMs} AS now FROM api_key WHERE id = ? FOR UPDATE`,
        [id],
      );
      if (row === undefined) {
        return 'unknown';
      }
      if (row.ends_at !== null) {
        return row.ends_at <= row.now ? 'ended' : 'ending';
      }
      await insert(manager, { ...by, name: row.name, scopes: row.scopes.split(',') });
      await manager.query('UPDATE api_key SET ends_at = ?, replaced_by = ? WHERE id = ?', [
        row.now + overlapMs,
        by.id,
        id,
      ]);
      return 'replaced';
    });
  }

  /** Ends a key now. False when there is none of this id, or it has ended before. */
  async end(id: string): Promise<boolean> {
    const { affectedRows }: { affectedRows: number } = await this.connection.dataSource.query(
      `UPDATE api_key SET ends_at = ${nowInMs}
       WHERE id = ? AND (ends_at IS NULL OR ends_at > ${nowInMs})`,
      [id],
    );
    return affectedRows === 1;
  }

  /** That these were used, some time since they were noted last. */
  async noteUsed(ids: string[]): Promise<void> {
    if (ids.length > 0) {
      await this.connection.dataSource.query(
        `UPDATE api_key SET last_used_at = ${nowInMs} WHERE id IN (?)`,
        [ids],
      );
    }
  }
}

async function insert(
  manager: EntityManager,
  { id, name, scopes, hash }: ApiKeyDraft,
): Promise<void> {
  await manager.query(
    `INSERT INTO api_key (id, name, scopes, hash, created_at) VALUES (?, ?, ?, ?, ${nowInMs})`,
    [id, name, scopes.join(), hash],
  );
}
