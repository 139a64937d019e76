import type { Pool, PoolConnection } from 'mysql2';

/** A statement that was answered, or failed. */
export interface AskedQuery {
  sql: string;
  /** What stands for its `?`. */
  values: unknown;
  durationMs: number;
  /** Why it failed; null when it did not. */
  error: Error | null;
}

export type QueryListener = (query: AskedQuery) => void;

type Callback = (error: Error | null, ...results: unknown[]) => unknown;

/** Tells of everything that is asked over connections of this pool, from when it was sent to its answer. */
export function watchQueries(pool: Pool, listener: QueryListener): void {
  pool.on('connection', (connection) => watchConnection(connection, listener));
}

function watchConnection(connection: PoolConnection, listener: QueryListener): void {
  const ask = connection.query.bind(connection) as (...args: unknown[]) => unknown;
  const watched = (...args: unknown[]): unknown => {
    const callback = args.at(-1);
    const [sql] = args;
    if (typeof callback !== 'function' || typeof sql !== 'string') {
      return ask(...args);
    }
    const values = args.length > 2 ? args[1] : undefined;
    const startedAt = performance.now();
    return ask(...args.slice(0, -1), (error: Error | null, ...results: unknown[]) => {
      listener({ sql, values, durationMs: performance.now() - startedAt, error });
      (callback as Callback)(error, ...results);
    });
  };
  // TRAP: `execute` is not watched; TypeORM only uses `query`.
  connection.query = watched as typeof connection.query;
}
