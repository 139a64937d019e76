import type { LedgerConnection } from '../connection/ledger-connection.ts';

/** What MySQL says of itself. */
export interface LedgerFigures {
  version: string;
  /** Of all its clients: one more than `connectionsMax` with the one that is kept for an administrator. */
  connections: number;
  connectionsMax: number;
  bufferPoolBytes: number;
}

/** Rejects when it does not answer. */
export async function readLedgerFigures(ledger: LedgerConnection): Promise<LedgerFigures> {
  const source = await ledger.askedSource();
  const [row]: { version: string; connections_max: number; buffer_pool: number }[] =
    await source.query(
      `SELECT VERSION() AS version, @@max_connections AS connections_max,
              @@innodb_buffer_pool_size AS buffer_pool`,
    );
  const [connected]: { Value: string }[] = await source.query(
    "SHOW GLOBAL STATUS LIKE 'Threads_connected'",
  );
  return {
    version: row!.version,
    connections: Number(connected?.Value ?? 0),
    connectionsMax: row!.connections_max,
    bufferPoolBytes: row!.buffer_pool,
  };
}
