import { expect, vi } from 'vitest';

/** Asks one database. */
interface Asking {
  query(sql: string): Promise<unknown[]>;
}

/** Waits until a transaction in this database waits for a row that another one has locked. */
export async function untilOneWaitsForALock(database: Asking): Promise<void> {
  const look = async (): Promise<void> => {
    const waiting = await database.query(
      `SELECT 1 FROM information_schema.innodb_trx JOIN information_schema.processlist
         ON processlist.id = trx_mysql_thread_id
       WHERE trx_state = 'LOCK WAIT' AND db = DATABASE()`,
    );
    expect(waiting.length).toBeGreaterThan(0);
  };
  // InnoDB shows its last picture again to whoever looks more often than ten times a second.
  await vi.waitFor(look, { timeout: 15_000, interval: 150 });
}
