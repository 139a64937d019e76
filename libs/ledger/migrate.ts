import mysql from 'mysql2/promise';
import { readCertificateAuthority } from '#platform/config.ts';
import type { LedgerConfig } from './data-source.ts';
import { createDataSource } from './data-source.ts';

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
  const url = new URL(config.MYSQL_URL);
  const database = decodeURIComponent(url.pathname.slice(1));
  url.pathname = '/';
  const ca = readCertificateAuthority(config.MYSQL_CA_FILE);
  const connection = await mysql.createConnection({
    uri: url.toString(),
    ...(ca === undefined ? {} : { ssl: { ca } }),
  });
  await connection.query('CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4', [database]);
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
