import { strict as assert } from 'node:assert';
import type { Pool, PoolOptions } from 'mysql2';
import mysql from 'mysql2';
import { limitTime, waitingMax } from './query-limit.ts';

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

/** mysql2 for TypeORM, with limits in time that mysql2 does not have. */
export function poolDriver(queryTimeoutMs?: number): { createPool(options: PoolOptions): Pool } {
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
      pool.on('connection', (connection) => {
        // One that fails has lost its connection, which whoever uses it will hear.
        connection.query('SET SESSION wait_timeout = ?', [silenceMaxMs / 1_000], () => {});
      });
      return pool;
    },
  };
}
