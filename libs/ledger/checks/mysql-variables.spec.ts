import { expect, test } from 'vitest';
import { judgeReadOnly, judgeVariables } from './mysql-variables.ts';

const good = {
  version: '8.4.3',
  read_only: 'OFF',
  innodb_flush_log_at_trx_commit: '1',
  innodb_doublewrite: 'ON',
  log_bin: 'ON',
  sync_binlog: '1',
  max_allowed_packet: String(64 * 1_024 * 1_024),
};

function verdicts(given: Partial<Record<keyof typeof good, string>>): Record<string, string> {
  const variables = new Map(Object.entries({ ...good, ...given }));
  const results = [...judgeVariables(variables), judgeReadOnly(variables)];
  const bad = results.filter(({ verdict }) => verdict !== 'ok');
  return Object.fromEntries(bad.map(({ name, verdict }) => [name, verdict]));
}

test.each([
  [{}, {}],
  [{ version: '10.11.19-MariaDB-0+deb12u1' }, {}],
  [{ version: '11.4.2-MariaDB' }, {}],
  [{ version: '8.0.36' }, { 'mysql.version': 'warning' }],
  [{ version: '10.6.1-MariaDB' }, { 'mysql.version': 'warning' }],
  [{ innodb_flush_log_at_trx_commit: '2' }, { 'mysql.durability.innodb-flush': 'promise_void' }],
  [{ innodb_flush_log_at_trx_commit: '0' }, { 'mysql.durability.innodb-flush': 'promise_void' }],
  [{ sync_binlog: '0' }, { 'mysql.durability.sync-binlog': 'promise_void' }],
  [{ sync_binlog: '1000' }, { 'mysql.durability.sync-binlog': 'promise_void' }],
  [{ sync_binlog: '0', log_bin: 'OFF' }, {}],
  [{ innodb_doublewrite: 'OFF' }, { 'mysql.durability.doublewrite': 'warning' }],
  [{ innodb_doublewrite: 'DETECT_AND_RECOVER' }, {}],
  [{ max_allowed_packet: '4194304' }, { 'mysql.max-allowed-packet': 'warning' }],
  [{ max_allowed_packet: '1024' }, { 'mysql.max-allowed-packet': 'promise_void' }],
  [{ read_only: 'ON' }, { 'mysql.read-only': 'promise_void' }],
  [{ read_only: 'NO_LOCK_NO_ADMIN' }, { 'mysql.read-only': 'promise_void' }],
])('of a MySQL with %j is found: %j', (given, expected) => {
  expect(verdicts(given)).toEqual(expected);
});
