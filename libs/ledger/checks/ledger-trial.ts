import type { DataSource } from 'typeorm';
import { isConnectionError, isMissing } from '../connection/driver-error.ts';

/** What a process does with MySQL, and so what it must be able to do there. */
export type LedgerUse = 'read' | 'write';

/** Each touches no row: MySQL checks rights, and whether it takes writes, before it looks for any. */
const trials: Record<LedgerUse, string[]> = {
  read: ['SELECT 1 FROM coupon LIMIT 1'],
  write: [
    'UPDATE coupon SET issued = issued WHERE FALSE',
    'INSERT INTO issuance SELECT * FROM issuance WHERE FALSE',
  ],
};

/** What keeps MySQL from being used, in words; `undefined` when it can be. */
export async function tryLedger(source: DataSource, use: LedgerUse): Promise<string | undefined> {
  try {
    if (await isReadOnly(source)) {
      return readOnlyProblem;
    }
    for (const trial of trials[use]) {
      await source.query(trial);
    }
    return undefined;
  } catch (error) {
    // Before the first migration there are no tables, which the probe of the schema says.
    return isMissing(error) ? undefined : describeLedgerFailure(error);
  }
}

export const readOnlyProblem =
  'MySQL takes no writes (read_only): it is a replica, or is being failed over. MYSQL_URL must lead to the primary';

/** Also where our user may write all the same: it would write into a copy, or read what is old. */
async function isReadOnly(source: DataSource): Promise<boolean> {
  const [row]: { read_only: unknown; innodb_read_only: unknown }[] = await source.query(
    'SELECT @@GLOBAL.read_only AS read_only, @@GLOBAL.innodb_read_only AS innodb_read_only',
  );
  return [row?.read_only, row?.innodb_read_only].some((value) => !/^(0|OFF)$/i.test(String(value)));
}

export function describeLedgerFailure(error: unknown): string {
  const { message } = error as Error;
  return isConnectionError(error)
    ? `MySQL is not reachable: ${message}`
    : `MySQL cannot do its work: ${message}`;
}
