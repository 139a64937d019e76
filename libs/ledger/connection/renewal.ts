import type { Pool, PoolConnection } from 'mysql2';
import { isReadOnlyNode } from './driver-error.ts';

/** So long at most a connection leads to where the address led when it was made. */
const lifeMaxMs = 300_000;

type Destroyable = Pick<PoolConnection, 'destroy'>;
type Callback = (error: Error | null, ...results: unknown[]) => unknown;

const renewals = new WeakMap<Pool, () => void>();

/**
 * Lets connections of a pool be made anew while it is in use. An address that moves, as at a failover
 * behind a stable name, is only found by new ones: those to a node that has become a replica would
 * go on to be answered, with a no or with what is old.
 *
 * - A connection that is told "read-only" is not used again.
 * - No connection is used for longer than five minutes.
 */
export function renewable(pool: Pool): void {
  const bornAt = new WeakMap<object, number>();
  let allBornBefore = 0;
  const isOver = (connection: object): boolean => {
    const born = bornAt.get(connection);
    return born !== undefined && (born <= allBornBefore || born + lifeMaxMs < performance.now());
  };
  const end = (connection: Destroyable): void => {
    // First, as mysql2 hands on what it removes, too.
    bornAt.delete(connection);
    connection.destroy();
  };

  pool.on('connection', (connection) => {
    bornAt.set(connection, performance.now());
    endWhenReadOnly(connection, () => bornAt.set(connection, -Infinity));
  });
  const release = pool.releaseConnection.bind(pool);
  pool.releaseConnection = (connection) =>
    isOver(connection) ? end(connection) : release(connection);

  renewals.set(pool, () => {
    allBornBefore = performance.now();
    for (const connection of freeOnes(pool)) {
      end(connection);
    }
  });
}

/** No connection that there is now is used again; what is under way on one is finished first. */
export function renewConnections(pool: Pool): void {
  renewals.get(pool)?.();
}

function endWhenReadOnly(connection: PoolConnection, markOver: () => void): void {
  const ask = connection.query.bind(connection) as (...args: unknown[]) => unknown;
  const watched = (...args: unknown[]): unknown => {
    const callback = args.at(-1);
    if (typeof callback !== 'function') {
      return ask(...args);
    }
    return ask(...args.slice(0, -1), (error: Error | null, ...results: unknown[]) => {
      if (isReadOnlyNode(error)) {
        markOver();
      }
      (callback as Callback)(error, ...results);
    });
  };
  connection.query = watched as typeof connection.query;
}

/** mysql2 does not tell which of its connections nobody uses. */
function freeOnes(pool: Pool): PoolConnection[] {
  const { _freeConnections: free } = pool as unknown as {
    _freeConnections: { length: number; get(index: number): PoolConnection };
  };
  return Array.from({ length: free.length }, (_, i) => free.get(i));
}
