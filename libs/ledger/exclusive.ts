import { strict as assert } from 'node:assert';
import { messageOf } from '#platform/text/error-message.ts';
import type { LedgerConnection } from './connection/ledger-connection.ts';
import { silenceMaxMs } from './connection/pool-driver.ts';

const signOfLifeMs = 3_000;
assert(signOfLifeMs <= silenceMaxMs / 3, 'one sign of life that is late must not lose the lock');

/**
 * Runs `work` if nobody else, in any process, runs work of this name; tells whether it ran. It
 * holds a lock of MySQL on a connection of its own, which ends with the process, however that ends,
 * and some fifteen seconds after the last sign of life of a process that stands still or is out of
 * reach. That keeps workers out of each other's way. It is no fence: whoever needs one must check at
 * the store it writes to. The signal that `work` gets is aborted when the lock is known to be lost.
 */
export async function runExclusively(
  ledger: LedgerConnection,
  name: string,
  work: (lost: AbortSignal) => Promise<void>,
): Promise<boolean> {
  // Not one of the pool: the work needs those, and there may be only one.
  const apart = await ledger.openApart();
  try {
    const runner = apart.createQueryRunner();
    // Locks of MySQL span databases: two installations on one server must not exclude each other.
    const [row]: { got: number | string | null }[] = await runner.query(
      "SELECT GET_LOCK(CONCAT(LEFT(DATABASE(), 40), '.', ?), 0) AS got",
      [name],
    );
    if (Number(row?.got) !== 1) {
      return false;
    }
    const lost = new AbortController();
    const lose = (error: unknown): void =>
      lost.abort(new Error(`the lock '${name}' is lost: ${messageOf(error)}`));
    const signs = setInterval(() => void runner.query('SELECT 1').catch(lose), signOfLifeMs);
    try {
      await work(lost.signal);
    } finally {
      clearInterval(signs);
      await runner.query("SELECT RELEASE_LOCK(CONCAT(LEFT(DATABASE(), 40), '.', ?))", [name]);
    }
    return true;
  } finally {
    // Whatever was held ends with its connection, which a server that stands still does not confirm.
    void apart.destroy().catch(() => {});
  }
}
