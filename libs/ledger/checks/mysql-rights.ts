import type { DataSource } from 'typeorm';
import { isForbidden } from '../connection/driver-error.ts';

const expiringTables = new Set(['refusal', 'coupon_change', 'dead_letter']);
const writtenTables = ['coupon', 'issuance', 'refusal', 'coupon_change', 'dead_letter'];

/** What our user needs and may not do, by trying it on no row. */
export async function missingGrants(source: DataSource): Promise<string[]> {
  const missing: string[] = [];
  const attempt = async (right: string, statement: string): Promise<void> => {
    await source.query(statement).catch((error: unknown) => {
      if (!isForbidden(error)) {
        throw error;
      }
      missing.push(right);
    });
  };
  await attempt('SELECT on migrations', 'SELECT 1 FROM migrations LIMIT 0');
  for (const table of writtenTables) {
    await attempt(`SELECT on ${table}`, `SELECT 1 FROM ${table} LIMIT 0`);
    await attempt(`INSERT on ${table}`, `INSERT INTO ${table} SELECT * FROM ${table} WHERE FALSE`);
    const column = table === 'refusal' ? 'reason' : table === 'issuance' ? 'epoch' : 'state';
    await attempt(`UPDATE on ${table}`, `UPDATE ${table} SET ${column} = ${column} WHERE FALSE`);
    if (expiringTables.has(table)) {
      await attempt(`DELETE on ${table}`, `DELETE FROM ${table} WHERE FALSE`);
    }
  }
  return missing;
}
