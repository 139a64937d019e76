import mysql from 'mysql2/promise';
import type { LedgerConfig } from '../connection/data-source.ts';
import { createDataSource } from '../connection/data-source.ts';
import { isForbidden } from '../connection/driver-error.ts';
import { mysqlOptions } from '../connection/mysql-options.ts';

const lockName = 'firstcome.migrate';
const lockWaitSeconds = 60;

/**
 * Creates the database where it is missing and applies the migrations that are missing. Several
 * callers at once take turns. Returns the names of the migrations that were applied.
 */
export async function migrate(config: LedgerConfig): Promise<string[]> {
  const lock = await createDatabase(config);
  try {
    const [rows] = await lock.query<mysql.RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS got', [
      lockName,
      lockWaitSeconds,
    ]);
    if (rows[0]?.['got'] !== 1) {
      throw new Error(`another migration has been running for ${lockWaitSeconds} s: try again`);
    }
    return await applyMigrations(config);
  } finally {
    await lock.end();
  }
}

async function createDatabase(config: LedgerConfig): Promise<mysql.Connection> {
  const { database, ...server } = mysqlOptions(config);
  const connection = await mysql.createConnection(server);
  await connection
    .query('CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4', [database])
    .catch((error: unknown) => {
      // Who may only change tables needs a database that is there: the migrations tell whether it is.
      if (!isForbidden(error)) {
        throw error;
      }
    });
  return connection;
}

async function applyMigrations(config: LedgerConfig): Promise<string[]> {
  const source = await createDataSource(config).initialize();
  try {
    const applied = await source.runMigrations();
    return applied.map((migration) => migration.name);
  } finally {
    await source.destroy();
  }
}
