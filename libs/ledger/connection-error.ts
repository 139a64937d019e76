import { QueryFailedError } from 'typeorm';

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

/** True when MySQL could not be asked, as opposed to having said no. */
export function isConnectionError(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const { code, fatal } = (cause ?? {}) as { code?: string; fatal?: boolean };
  // mysql2 calls fatal what ends a connection; a command on one that is closed already has no code.
  return connectionErrorCodes.has(code ?? '') || fatal === true;
}
