import type { EntityManager } from 'typeorm';
import { isLockLost } from './connection/driver-error.ts';
import type { LedgerConnection } from './connection/ledger-connection.ts';

const attemptsMax = 5;

/** Runs `work` in one transaction, again as a whole when it lost a lock to another one. */
export async function inTransaction<T>(
  ledger: LedgerConnection,
  work: (manager: EntityManager) => Promise<T>,
  isolation: 'REPEATABLE READ' | 'READ COMMITTED' = 'REPEATABLE READ',
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // TRAP: `work` may run several times, so outside of MySQL it may only do what may be repeated.
      return await ledger.dataSource.transaction(isolation, work);
    } catch (error) {
      if (attempt === attemptsMax || !isLockLost(error)) {
        throw error;
      }
    }
  }
}
