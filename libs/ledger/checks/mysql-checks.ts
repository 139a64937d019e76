import type { DataSource } from 'typeorm';
import type { Check, CheckResult } from '#platform/checks/check.ts';
import { judgeTrips, measureTrips } from '#platform/checks/round-trips.ts';
import type { LedgerConnection } from '../connection/ledger-connection.ts';
import { judgeReadOnly, judgeVariables, variableNames } from './mysql-variables.ts';
import { missingGrants } from './mysql-rights.ts';

/** What the promises need of MySQL, in two questions: cheap enough for every process. */
export function mysqlPromises(ledger: LedgerConnection): Check {
  return async () => {
    const source = await ledger.askedSource();
    return [...judgeVariables(await readVariables(source)), await judgeEngines(source)];
  };
}

/** All that can be asked: the promises, the schema, rights, replication, trips and clock. */
export function mysqlChecks(ledger: LedgerConnection): Check {
  return async () => {
    const source = await ledger.askedSource();
    const promises = await mysqlPromises(ledger)();
    const schema = await judgeSchema(ledger);
    const role = [judgeReadOnly(await readVariables(source)), ...(await judgeReplication(source))];
    const trips = await measureTrips(async () => {
      const [row]: { ms: string }[] = await source.query(
        'SELECT UNIX_TIMESTAMP(NOW(3)) * 1000 AS ms',
      );
      return Number(row!.ms);
    });
    // Without tables there is nothing to have rights to.
    const rights = schema.verdict === 'ok' ? [await judgeRights(source)] : [];
    return [
      { name: 'mysql.reachable', verdict: 'ok', message: 'it answers' },
      ...promises,
      ...role,
      schema,
      ...rights,
      ...judgeTrips('mysql', trips),
    ];
  };
}

async function readVariables(source: DataSource): Promise<Map<string, string>> {
  const rows: { Variable_name: string; Value: string }[] = await source.query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${variableNames.map(() => '?').join(', ')})`,
    variableNames,
  );
  return new Map(rows.map((row) => [row.Variable_name.toLowerCase(), row.Value]));
}

async function judgeEngines(source: DataSource): Promise<CheckResult> {
  const name = 'mysql.engine';
  const tables: { name: string }[] = await source.query(
    `SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'`,
  );
  return tables.length === 0
    ? { name, verdict: 'ok', message: 'all tables are of InnoDB' }
    : {
        name,
        verdict: 'promise_void',
        message: `not of InnoDB: ${tables.map((table) => table.name).join(', ')}`,
        why: 'what is decided is written in one transaction, or not at all',
        remedy: 'ALTER TABLE … ENGINE = InnoDB',
      };
}

async function judgeSchema(ledger: LedgerConnection): Promise<CheckResult> {
  const name = 'mysql.schema';
  const problem = await ledger.schemaProblem();
  return problem === undefined
    ? { name, verdict: 'ok', message: 'all migrations are applied' }
    : {
        name,
        verdict: 'promise_void',
        message: problem,
        why: 'processes are not ready with a schema that they do not know',
        remedy: 'firstcome migrate',
      };
}

/** A copy that takes writes is no better than one that does not. Who may not ask is not told. */
async function judgeReplication(source: DataSource): Promise<CheckResult[]> {
  const name = 'mysql.role';
  const rows: Record<string, unknown>[] | undefined = await source
    .query('SHOW REPLICA STATUS')
    .catch(() => undefined);
  if (rows === undefined) {
    return [];
  }
  return rows.length === 0
    ? [{ name, verdict: 'ok', message: 'it is no replica' }]
    : [
        {
          name,
          verdict: 'promise_void',
          message: 'it replicates from another server',
          why: 'what is read from a copy may be old: an accepted id could be 404',
          remedy: 'let MYSQL_URL lead to the primary',
        },
      ];
}

async function judgeRights(source: DataSource): Promise<CheckResult> {
  const name = 'mysql.rights';
  const missing = await missingGrants(source);
  return missing.length === 0
    ? { name, verdict: 'ok', message: 'our user may do what issuer and keeper do' }
    : {
        name,
        verdict: 'promise_void',
        message: `our user may not: ${missing.join(', ')}`,
        why: 'what was acknowledged could not be written down',
        remedy: 'GRANT SELECT, INSERT, UPDATE, DELETE ON the database of MYSQL_URL',
      };
}
