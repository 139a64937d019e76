import { expect, test } from 'vitest';
import { isConnectionError, isReadOnlyNode, isUnavailable } from './driver-error.ts';

/** As mysql2 makes it of what MySQL says. */
function said(code: string, sqlState: string): Error {
  return Object.assign(new Error(code), { code, sqlState });
}

test.each([
  ['ER_CON_COUNT_ERROR', '08004'],
  ['ER_TOO_MANY_USER_CONNECTIONS', '42000'],
  ['ER_USER_LIMIT_REACHED', '42000'],
  ['ER_ACCESS_DENIED_ERROR', '28000'],
  ['ER_DBACCESS_DENIED_ERROR', '42000'],
  ['ER_TABLEACCESS_DENIED_ERROR', '42000'],
  ['ER_NO_SUCH_TABLE', '42S02'],
  ['ER_BAD_DB_ERROR', '42000'],
  ['ER_OPTION_PREVENTS_STATEMENT', 'HY000'],
  ['ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION', '25006'],
  ['ER_DISK_FULL', 'HY000'],
  ['ER_RECORD_FILE_FULL', 'HY000'],
  ['ER_OUT_OF_RESOURCES', 'HY000'],
  ['ER_GET_ERRNO', 'HY000'],
  ['ER_HOST_IS_BLOCKED', 'HY000'],
  ['ER_QUERY_TIMEOUT', 'HY000'],
  ['ER_STATEMENT_TIMEOUT', '70100'],
  ['ER_QUERY_INTERRUPTED', '70100'],
  ['ER_LOCK_WAIT_TIMEOUT', 'HY000'],
  ['ER_LOCK_DEADLOCK', '40001'],
])('%s is no mistake of ours, and may pass', (code, sqlState) => {
  expect(isUnavailable(said(code, sqlState))).toBe(true);
});

test.each([
  ['ER_PARSE_ERROR', '42000'],
  ['ER_BAD_FIELD_ERROR', '42S22'],
  ['ER_DUP_ENTRY', '23000'],
  ['ER_DATA_TOO_LONG', '22001'],
  ['ER_WARN_DATA_OUT_OF_RANGE', '22003'],
  ['ER_CHECK_CONSTRAINT_VIOLATED', 'HY000'],
  ['ER_CONSTRAINT_FAILED', '23000'],
  ['ER_NO_DEFAULT_FOR_FIELD', 'HY000'],
])('%s is a mistake of the statement', (code, sqlState) => {
  expect(isUnavailable(said(code, sqlState))).toBe(false);
});

test.each([
  ['ECONNREFUSED', true],
  ['ENOTFOUND', true],
  ['EAI_AGAIN', true],
  ['EHOSTUNREACH', true],
  ['ERR_INVALID_ARG_TYPE', false],
  ['ER_PARSE_ERROR', false],
])('%s is a loss of the connection: %s', (code, expected) => {
  expect(isConnectionError(Object.assign(new Error(code), { code }))).toBe(expected);
});

test('a bug of ours is neither', () => {
  expect(isUnavailable(new TypeError('x is undefined'))).toBe(false);
  expect(isUnavailable(undefined)).toBe(false);
});

test('a node that is read-only is told from one that only refuses us', () => {
  expect(isReadOnlyNode(said('ER_OPTION_PREVENTS_STATEMENT', 'HY000'))).toBe(true);
  expect(isReadOnlyNode(said('ER_TABLEACCESS_DENIED_ERROR', '42000'))).toBe(false);
});
