import { QueryFailedError } from 'typeorm';

/**
 * What an error of the driver means to us. Nobody else looks into one: TypeORM wraps what mysql2 says
 * about a query, and hands on as it is what mysql2 says about a connection.
 */

/** What the system says of a socket or a name, as ECONNREFUSED; ER_… is said by MySQL, ERR_… by Node. */
const systemError = /^E(?!R_|RR_)[A-Z0-9_]+$/;

/** Codes of mysql2, and of MySQL for a server that is closing or has no connection for us. */
const connectionErrorCodes = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_SERVER_SHUTDOWN',
  'ER_CON_COUNT_ERROR',
  'POOL_CLOSED',
]);

/** The node that was asked takes no writes, whoever asks: another one does, at the same address. */
const readOnlyCodes = new Set([
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  'ER_READ_ONLY_MODE',
  // Of a cluster: this node is not part of it just now.
  'ER_UNKNOWN_COM_ERROR',
  'ER_SERVER_OFFLINE_MODE',
]);

/** A right is missing, or a quota of ours is used up, or what was there is gone: an operator's matter. */
const forbiddenCodes = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR',
  'ER_SPECIFIC_ACCESS_DENIED_ERROR',
  'ER_MUST_CHANGE_PASSWORD',
]);
const quotaCodes = new Set(['ER_TOO_MANY_USER_CONNECTIONS', 'ER_USER_LIMIT_REACHED']);
const goneCodes = new Set(['ER_BAD_DB_ERROR', 'ER_NO_SUCH_TABLE', 'ER_CRASHED_ON_USAGE']);

/** What a statement itself does wrong has an SQLSTATE of these classes: cardinality, data, integrity, syntax. */
const ownMistakeClasses = new Set(['21', '22', '23', '42', '0A']);
/** Own mistakes for which MySQL has no SQLSTATE of its own. */
const ownMistakeCodes = new Set([
  'ER_NO_DEFAULT_FOR_FIELD',
  'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
  'ER_PS_MANY_PARAM',
  'ER_CHECK_CONSTRAINT_VIOLATED',
  'ER_CANT_AGGREGATE_2COLLATIONS',
]);

interface Cause {
  code: string;
  fatal: boolean;
  sqlState: string | undefined;
}

const lockLostCodes = new Set(['ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_DEADLOCK']);

/** MySQL could not be asked, as opposed to having said no. */
export function isConnectionError(error: unknown): boolean {
  const { code, fatal } = causeOf(error);
  // mysql2 calls fatal what ends a connection; a command on one that is closed already has no code.
  return connectionErrorCodes.has(code) || systemError.test(code) || fatal;
}

/**
 * MySQL cannot do it now, for whatever reason that is not a mistake of the statement and may pass: it
 * is away, read-only, full, out of connections, or has lost rights or tables that it had.
 */
export function isUnavailable(error: unknown): boolean {
  if (isConnectionError(error) || isForbidden(error)) {
    return true;
  }
  const { code, sqlState } = causeOf(error);
  if (quotaCodes.has(code) || goneCodes.has(code)) {
    return true;
  }
  return (
    sqlState !== undefined &&
    !ownMistakeClasses.has(sqlState.slice(0, 2)) &&
    !ownMistakeCodes.has(code)
  );
}

/** The node that was asked takes no writes; see `renewConnections`. */
export function isReadOnlyNode(error: unknown): boolean {
  return readOnlyCodes.has(causeOf(error).code);
}

/** We may not do that, as who we are. */
export function isForbidden(error: unknown): boolean {
  return forbiddenCodes.has(causeOf(error).code);
}

/** There is no such table or database. */
export function isMissing(error: unknown): boolean {
  return goneCodes.has(causeOf(error).code);
}

/** A row with this unique key exists already. */
export function isDuplicateKey(error: unknown): boolean {
  return causeOf(error).code === 'ER_DUP_ENTRY';
}

/** Another transaction kept a lock for too long, or was in a deadlock with this one. */
export function isLockLost(error: unknown): boolean {
  return lockLostCodes.has(causeOf(error).code);
}

function causeOf(error: unknown): Cause {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const { code = '', fatal, sqlState } = (cause ?? {}) as Partial<Cause>;
  return { code, fatal: fatal === true, sqlState };
}
