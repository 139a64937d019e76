import { strict as assert } from 'node:assert';
import type { Socket } from 'node:net';
import type { Pool, PoolConnection, PoolOptions } from 'mysql2';
import mysql from 'mysql2';
import type { QueryListener } from '../queries/query-watch.ts';
import { watchQueries } from '../queries/query-watch.ts';
import { limitTime, waitingMax } from './query-limit.ts';
import { renewable } from './renewal.ts';

/**
 * MySQL closes a connection that says nothing for so long, takes back what it had not committed, and
 * lets go of what it had locked. By default that is eight hours: a process that stands still in the
 * middle of a transaction, or whose machine is gone without a word, would keep the row of a coupon
 * from everybody else for as long.
 */
export const silenceMaxMs = 15_000;
/** What nobody uses is closed from here. */
const idleMaxMs = 8_000;
assert(idleMaxMs < silenceMaxMs, 'MySQL must not be the first to close what is idle');

/** mysql2 for TypeORM, with limits in time that mysql2 does not have, and with ears. */
export function poolDriver(
  queryTimeoutMs: number | undefined,
  listeners: readonly QueryListener[],
): { createPool(options: PoolOptions): Pool } {
  return {
    createPool: (options) => {
      const pool = mysql.createPool({
        ...options,
        queueLimit: waitingMax,
        // Idle ones are closed only where fewer are kept than there may be.
        maxIdle: (options.connectionLimit ?? 1) - 1,
        idleTimeout: idleMaxMs,
        gracefulEnd: true,
      });
      // First, so that it holds for what is said to a new connection as well.
      if (queryTimeoutMs !== undefined) {
        limitTime(pool, queryTimeoutMs);
      }
      renewable(pool);
      listeners.forEach((listener) => watchQueries(pool, listener));
      pool.on('connection', prepareSession);
      return pool;
    },
  };
}

/**
 * Said to every connection before anything else, so that no setting of the server changes what our
 * statements mean. First of all the mode: mysql2 escapes with backslashes, which a server with
 * NO_BACKSLASH_ESCAPES takes for letters, and a quote in a name would end its string.
 */
const sessionStatements = [
  `SET NAMES utf8mb4,
    SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    SESSION time_zone = '+00:00',
    SESSION autocommit = 1,
    SESSION completion_type = 0,
    SESSION unique_checks = 1,
    SESSION foreign_key_checks = 1,
    SESSION sql_safe_updates = 0,
    SESSION sql_big_selects = 1,
    SESSION sql_select_limit = 18446744073709551615,
    SESSION wait_timeout = ${silenceMaxMs / 1_000}`,
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE',
];

function prepareSession(connection: PoolConnection): void {
  for (const statement of sessionStatements) {
    connection.query(statement, (error: Error | null) => {
      if (error !== null) {
        // Nobody may use it as it is. A loss of the connection is what those hear who wait behind.
        (connection as unknown as { stream: Socket }).stream.destroy(error);
      }
    });
  }
}

export interface PoolState {
  used: number;
  idle: number;
  max: number;
  /** Who waits for a connection. */
  waiting: number;
}

/** mysql2 does not tell what is in its pool. */
export function readPoolState(pool: Pool): PoolState {
  const { _allConnections, _freeConnections, _connectionQueue, config } = pool as unknown as {
    _allConnections: { length: number };
    _freeConnections: { length: number };
    _connectionQueue: { length: number };
    config: { connectionLimit: number };
  };
  return {
    used: _allConnections.length - _freeConnections.length,
    idle: _freeConnections.length,
    max: config.connectionLimit,
    waiting: _connectionQueue.length,
  };
}
