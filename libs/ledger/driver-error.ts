import { QueryFailedError } from 'typeorm';

/**
 * What an error of the driver means to us. Nobody else looks into one: TypeORM wraps what mysql2 says
 * about a query, and hands on as it is what mysql2 says about a connection.
 */

/** Codes of Node and mysql2 for a server that is away or mute, and MySQL's own for one that is closing. */
const connectionErrorCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_SERVER_SHUTDOWN',
  'ER_CON_COUNT_ERROR',
  'POOL_CLOSED',
]);

const lockLostCodes = new Set(['ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_DEADLOCK']);

/** MySQL could not be asked, as opposed to having said no. */
export function isConnectionError(error: unknown): boolean {
  const { code, fatal } = causeOf(error);
  // mysql2 calls fatal what ends a connection; a command on one that is closed already has no code.
  return connectionErrorCodes.has(code) || fatal;
}

/** A row with this unique key exists already. */
export function isDuplicateKey(error: unknown): boolean {
  return causeOf(error).code === 'ER_DUP_ENTRY';
}

/** Another transaction kept a lock for too long, or was in a deadlock with this one. */
export function isLockLost(error: unknown): boolean {
  return lockLostCodes.has(causeOf(error).code);
}

function causeOf(error: unknown): { code: string; fatal: boolean } {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const { code = '', fatal } = (cause ?? {}) as { code?: string; fatal?: boolean };
  return { code, fatal: fatal === true };
}
