import type { CheckResult } from '#platform/checks/check.ts';

/** What `judgeVariables` wants to know. */
export const variableNames = [
  'version',
  'version_comment',
  'read_only',
  'super_read_only',
  'innodb_read_only',
  'innodb_flush_log_at_trx_commit',
  'innodb_doublewrite',
  'log_bin',
  'sync_binlog',
  'max_allowed_packet',
];

const mebibyte = 1_024 * 1_024;
/** The largest dead letter, see `dead-letter-bounds.ts`. */
const packetOfDeadLetter = 16 * mebibyte;
/** A chunk of 500 requests with the longest user ids, twice over. */
const packetOfChunk = mebibyte;

export function judgeVariables(variables: ReadonlyMap<string, string>): CheckResult[] {
  const value = (name: string): string => variables.get(name) ?? '';
  return [
    judgeVersion(value('version')),
    judgeFlush(value('innodb_flush_log_at_trx_commit')),
    judgeBinlog(value('log_bin'), value('sync_binlog')),
    judgeDoublewrite(value('innodb_doublewrite')),
    judgePacket(Number(value('max_allowed_packet'))),
  ];
}

function judgeVersion(version: string): CheckResult {
  const name = 'mysql.version';
  const isMariaDb = /mariadb/i.test(version);
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const message = `${isMariaDb ? 'MariaDB' : 'MySQL'} ${version}`;
  const [leastMajor, leastMinor] = isMariaDb ? ([10, 11] as const) : ([8, 4] as const);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
    ? { name, verdict: 'ok', message }
    : {
        name,
        verdict: 'warning',
        message,
        why: 'nothing here is tested below MySQL 8.4 and MariaDB 10.11',
        remedy: 'MySQL 8.4 or MariaDB 10.11, or newer',
      };
}

/** Apart from the rest: while it fails over, MySQL is as good as away, which its probe says. */
export function judgeReadOnly(variables: ReadonlyMap<string, string>): CheckResult {
  const name = 'mysql.read-only';
  const names = ['read_only', 'super_read_only', 'innodb_read_only'];
  const values = names.map((variable) => variables.get(variable) ?? '');
  return values.every((value) => /^(|0|OFF)$/i.test(value))
    ? { name, verdict: 'ok', message: 'it takes writes' }
    : {
        name,
        verdict: 'promise_void',
        message: 'read_only is on',
        why: 'nothing can be decided, and what is read from a copy may be old',
        remedy: 'let MYSQL_URL lead to the primary',
      };
}

function judgeFlush(value: string): CheckResult {
  const name = 'mysql.durability.innodb-flush';
  return value === '1'
    ? { name, verdict: 'ok', message: 'innodb_flush_log_at_trx_commit is 1' }
    : {
        name,
        verdict: 'promise_void',
        message: `innodb_flush_log_at_trx_commit is ${value}`,
        why: 'a crash of its machine takes back issuances whose requests the issuer has counted as done',
        remedy: 'SET GLOBAL innodb_flush_log_at_trx_commit = 1, and the same in its configuration',
      };
}

function judgeBinlog(logBin: string, syncBinlog: string): CheckResult {
  const name = 'mysql.durability.sync-binlog';
  if (/^(0|OFF)$/i.test(logBin)) {
    return { name, verdict: 'ok', message: 'there is no binary log to wait for' };
  }
  return syncBinlog === '1'
    ? { name, verdict: 'ok', message: 'sync_binlog is 1' }
    : {
        name,
        verdict: 'promise_void',
        message: `sync_binlog is ${syncBinlog}`,
        why: 'after a crash of its machine replicas, or the server itself, may lack what was committed',
        remedy: 'SET GLOBAL sync_binlog = 1, and the same in its configuration',
      };
}

function judgeDoublewrite(value: string): CheckResult {
  const name = 'mysql.durability.doublewrite';
  return /^(0|OFF)$/i.test(value)
    ? {
        name,
        verdict: 'warning',
        message: 'innodb_doublewrite is off',
        why: 'a page half written in a crash is lost, unless its file system writes pages whole',
        remedy: 'innodb_doublewrite = ON in its configuration',
      }
    : { name, verdict: 'ok', message: 'innodb_doublewrite is on' };
}

function judgePacket(bytes: number): CheckResult {
  const name = 'mysql.max-allowed-packet';
  const message = `max_allowed_packet is ${Math.floor(bytes / mebibyte)} MiB`;
  const remedy = 'SET GLOBAL max_allowed_packet = 67108864, and the same in its configuration';
  if (bytes < packetOfChunk) {
    return {
      name,
      verdict: 'promise_void',
      message: `max_allowed_packet is ${bytes} bytes`,
      why: 'a chunk of the issuer does not fit: its partition would be tried again for ever',
      remedy,
    };
  }
  return bytes < packetOfDeadLetter
    ? {
        name,
        verdict: 'warning',
        message,
        why: 'a large dead letter does not fit, and holds up its partition',
        remedy,
      }
    : { name, verdict: 'ok', message };
}
