import { strict as assert } from 'node:assert';
import type { Pool, PoolConnection } from 'mysql2';

/** A connection was not to be had in time. The code is Node's for a server that does not answer. */
function noConnection(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}

/** About what ten connections serve in five seconds; more waiting for one would never be in time. */
export const waitingMax = 10_000;
/** mysql2 gives this error no code. */
const queueFullMessage = 'Queue limit reached.';

/** InnoDB looks once a second who has waited long enough. */
const lockWaitShare = 0.5;

type Callback = (error: Error | null, ...results: unknown[]) => unknown;

/**
 * Limits what mysql2 does not: it gives up a query, but keeps its connection. A server that stands
 * still (frozen, or gone without a word) would hold every connection of the pool, and everybody who
 * waits for one, for as long as it likes.
 *
 * - A query that is not answered after `limitMs` fails, and its connection is destroyed: what is
 *   under way there may still happen, as with any connection that breaks.
 * - Whoever gets no connection within `limitMs` is told so.
 * - A lock is waited for less long than that: losing it is an answer, and the connection stays.
 */
export function limitTime(pool: Pool, limitMs: number): void {
  pool.on('connection', (connection) => limitQueries(connection, limitMs));
  limitWaiting(pool, limitMs);
}

function limitQueries(connection: PoolConnection, limitMs: number): void {
  const ask = connection.query.bind(connection) as (...args: unknown[]) => unknown;
  /** `values` may be left out. */
  const limited = (sql: string, ...rest: [Callback] | [unknown, Callback]): unknown => {
    const callback = rest.at(-1) as Callback;
    const values = rest.length === 2 ? rest[0] : undefined;
    return ask({ sql, timeout: limitMs }, values, (error: Error | null, ...results: unknown[]) => {
      if ((error as { code?: string } | null)?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') {
        connection.destroy();
      }
      callback(error, ...results);
    });
  };
  // TRAP: `execute` stays without a limit; TypeORM only uses `query`.
  connection.query = limited as typeof connection.query;
  const lockWaitSeconds = Math.max(1, Math.floor((limitMs / 1_000) * lockWaitShare));
  assert(lockWaitSeconds * 1_000 < limitMs, 'a lock must be lost before its query is given up');
  limited('SET SESSION innodb_lock_wait_timeout = ?', [lockWaitSeconds], () => {});
}

function limitWaiting(pool: Pool, limitMs: number): void {
  const acquire = pool.getConnection.bind(pool);
  pool.getConnection = (callback) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      giveUp(noConnection(`no connection to MySQL within ${limitMs} ms`));
    }, limitMs);
    const giveUp = callback as (error: Error) => void;
    acquire((error, connection) => {
      clearTimeout(timer);
      if (isLate) {
        connection?.release();
      } else if (error?.message === queueFullMessage) {
        giveUp(noConnection(`${waitingMax} queries wait for a connection to MySQL`));
      } else {
        callback(error, connection);
      }
    });
  };
}
