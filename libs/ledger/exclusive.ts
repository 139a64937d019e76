import type { LedgerConnection } from './ledger-connection.js';

/**
 * Runs `work` if nobody else, in any process, runs work of this name; tells whether it ran. The claim
 * is a lock of MySQL on a connection of its own: it ends with the process, however that ends.
 * It keeps workers out of each other's way. It is no fence: whoever needs one must check at the store
 * it writes to.
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
    try {
      await work();
    } finally {
      await runner.query("SELECT RELEASE_LOCK(CONCAT(LEFT(DATABASE(), 40), '.', ?))", [name]);
    }
    return true;
  } finally {
    await runner.release();
  }
}
