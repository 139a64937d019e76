import type { QueryRunner } from 'typeorm';
import type { LedgerConnection } from './ledger-connection.js';

/** A claim whose holder says nothing for so long ends: it stands still, or its machine is gone. */
const silenceMaxS = 10;
const signOfLifeMs = 3_000;

/**
 * Runs `work` if nobody else, in any process, runs work of this name; tells whether it ran. The claim
 * is a lock of MySQL on a connection of its own: it ends with the process, however that ends, and
 * some ten seconds after the last sign of life of a process that did not end.
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
    const stopSigns = await giveSignsOfLife(runner);
    try {
      await work();
    } finally {
      await stopSigns();
      await runner.query("SELECT RELEASE_LOCK(CONCAT(LEFT(DATABASE(), 40), '.', ?))", [name]);
    }
    return true;
  } finally {
    await runner.release();
  }
}

/** By default MySQL keeps a silent connection, and its locks, for eight hours. */
async function giveSignsOfLife(runner: QueryRunner): Promise<() => Promise<void>> {
  await runner.query('SET SESSION wait_timeout = ?', [silenceMaxS]);
  // One that fails has lost the connection, and with it the claim: the last query will say so.
  const timer = setInterval(() => void runner.query('SELECT 1').catch(() => {}), signOfLifeMs);
  return async () => {
    clearInterval(timer);
    await runner.query('SET SESSION wait_timeout = DEFAULT');
  };
}
