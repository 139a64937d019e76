import type { EntityManager } from 'typeorm';
import { QueryFailedError } from 'typeorm';
import type { LedgerConnection } from './ledger-connection.ts';

const attemptsMax = 5;

/** ER_LOCK_WAIT_TIMEOUT and ER_LOCK_DEADLOCK: the whole transaction may simply be run again. */
const lockErrors = new Set([1205, 1213]);

/** Runs `work` in one transaction, again as a whole when it lost a lock to another one. */
export async function inTransaction<T>(
  ledger: LedgerConnection,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ledger.dataSource.transaction(work);
    } catch (error) {
      if (attempt === attemptsMax || !isLockError(error)) {
        throw error;
      }
    }
  }
}

function isLockError(error: unknown): boolean {
  return (
    error instanceof QueryFailedError &&
    lockErrors.has((error.driverError as { errno?: number }).errno ?? 0)
  );
}
