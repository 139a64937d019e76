import { strict as assert } from 'node:assert';
import type { LedgerConnection } from './ledger-connection.ts';
import { silenceMaxMs } from './pool-driver.ts';

const signOfLifeMs = 3_000;
assert(signOfLifeMs <= silenceMaxMs / 3, 'one sign of life that is late must not lose the lock');

/**
 * Runs `work` if nobody else, in any process, runs work of this name; tells whether it ran. It
 * holds a lock of MySQL on a connection of its own, which ends with the process, however that ends,
 * and some fifteen seconds after the last sign of life of a process that stands still or is out of
 * reach. That keeps workers out of each other's way. It is no fence: whoever needs one must check at
 * the store it writes to.
 */
export async function runExclusively(
  ledger: LedgerConnection,
  name: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const runner = ledger.dataSource.createQueryRunner();
  try {
    // Locks of MySQL span databases: two installations on one server must not exclude each other.
    const [row]: { got: number | string | null }[] = await runner.query(
      "SELECT GET_LOCK(CONCAT(LEFT(DATABASE(), 40), '.', ?), 0) AS got",
      [name],
    );
    if (Number(row?.got) !== 1) {
      return false;
    }
    // One that fails has lost the connection, and with it the lock: the last query will say so.
    const signs = setInterval(() => void runner.query('SELECT 1').catch(() => {}), signOfLifeMs);
    try {
      await work();
    } finally {
      clearInterval(signs);
      await runner.query("SELECT RELEASE_LOCK(CONCAT(LEFT(DATABASE(), 40), '.', ?))", [name]);
    }
    return true;
  } finally {
    await runner.release();
  }
}
