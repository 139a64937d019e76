import type { DataSource } from 'typeorm';
import { migrations } from '../connection/data-source.ts';

/**
 * What is wrong with the schema for this version, in words that name the migration; `undefined` when
 * it is the one this version understands.
 */
export async function describeSchema(source: DataSource): Promise<string | undefined> {
  const known = migrations.map((migration) => migration.name);
  const applied = await appliedMigrations(source);
  const missing = known.find((name) => !applied.includes(name));
  if (missing !== undefined) {
    return `migration ${missing} is missing: run the migrate command`;
  }
  const tooNew = applied.find((name) => !known.includes(name));
  if (tooNew !== undefined) {
    return `migration ${tooNew} is newer than this version understands: deploy a newer version`;
  }
  return undefined;
}

async function appliedMigrations(source: DataSource): Promise<string[]> {
  const tables: unknown[] = await source.query("SHOW TABLES LIKE 'migrations'");
  if (tables.length === 0) {
    return [];
  }
  const rows: { name: string }[] = await source.query('SELECT name FROM migrations ORDER BY id');
  return rows.map((row) => row.name);
}
